"""Typed formulas: what they compute, and that nothing else is ever computed."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from kan_core.errors import DataError, ExpressionError
from kan_core.expressions import find_names, parse_expression
from kan_core.problems import CATALOGUE, sample_expression

POINTS = np.array([[0.5, 2.0], [-0.25, 3.0], [1.5, 0.75]])
X, Y = POINTS.T


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("exp(sin(pi*x) + y^2)", np.exp(np.sin(np.pi * X) + Y**2)),
        ("2x y", 2 * X * Y),
        ("-x^2", -(X**2)),
        ("2^-1 x", 0.5 * X),
        ("y ** 2 ** 0.5", Y ** np.sqrt(2.0)),
        ("3(x - 1)(y + 1)", 3 * (X - 1) * (Y + 1)),
        ("x − y", X - Y),
        ("1.5e1*x/y/2", 15 * X / Y / 2),
        ("max(x, y) - min(x, y)", np.abs(X - Y)),
        ("--x + +y", X + Y),
    ],
)
def test_values_are_what_the_formula_says(text: str, expected: np.ndarray) -> None:
    np.testing.assert_allclose(parse_expression(text, ["x", "y"]).evaluate(POINTS), expected, rtol=1e-15)


def test_sympy_and_values_agree() -> None:
    parsed = parse_expression("sqrt(x^2 + 1)*tanh(y)/(1 + abs(x)) + log(y)", ["x", "y"])
    symbols = sp.symbols("x y")
    expected = sp.lambdify(symbols, parsed.sympy, "numpy")(X, Y)
    np.testing.assert_allclose(parsed.evaluate(POINTS), expected, rtol=1e-14)


@pytest.mark.parametrize(
    ("text", "position", "sentence"),
    [
        ("", 0, "The formula is empty: type one such as sin(pi*x) + y^2."),
        ("x +", 3, "The formula ends too early at position 4: check brackets and signs."),
        ("(x", 2, "The formula ends too early at position 3: check brackets and signs."),
        ("x)", 1, "The formula does not go on with ')' at position 2: check brackets and signs."),
        ("x + z", 4, "There is no variable 'z' (position 5): the variables are x, y."),
        ("foo(x)", 0, "There is no function 'foo' (position 1): use one of sin, cos"),
        ("sin x", 0, "The function 'sin' at position 1 needs its argument in brackets."),
        ("max(x)", 0, "The function 'max' at position 1 takes 2 argument(s), received 1."),
        ("x.real", 1, "The character '.' at position 2 has no meaning in a formula"),
        ("__import__('os')", 0, "There is no function '__import__' (position 1)"),
        ("__import__(x)", 0, "There is no function '__import__' (position 1)"),
        ("9**9**9", 3, "An exponent lies within -64 and 64, received 3.874e+08 at position 4"),
        ("((9^64)^64)^64", 8, "The number at position 9 is too large or not real."),
        ("(-8)^0.5 + x", 5, "The number at position 6 is too large or not real."),
        ("(" * 60 + "x" + ")" * 60, 40, "A formula nests at most 40 deep"),
        ("x" * 501, 500, "A formula has at most 500 characters, received 501: shorten it."),
    ],
)
def test_refusals_point_at_the_place(text: str, position: int, sentence: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_expression(text, ["x", "y"])
    assert str(caught.value).startswith(sentence)
    assert caught.value.position == position


@given(text=st.text(alphabet="xy19.e+-*/^(), sincoexplgπ_'", max_size=40))
def test_nothing_but_an_expression_error_ever_escapes(text: str) -> None:
    try:
        parsed = parse_expression(text, ["x", "y"])
    except ExpressionError:
        return
    assert parsed.evaluate(POINTS).shape == (3,)


def test_names_are_found_in_order() -> None:
    assert find_names("b*sin(a) + pi*b + c2") == ["b", "a", "c2"]


def test_a_formula_without_a_value_somewhere_is_refused_with_the_place() -> None:
    with pytest.raises(DataError, match=r"The formula has no finite real value at x = -0\.\d+: change the formula"):
        sample_expression("log(x)", {"x": (-1.0, 1.0)})
    with pytest.raises(DataError, match="The range of x goes from a smaller to a larger number, received 2 to 1"):
        sample_expression("x", {"x": (2.0, 1.0)})


def test_noise_is_relative_and_only_on_training_targets() -> None:
    ranges = {"x": (0.0, 2.0)}
    clean = sample_expression("100*x", ranges, num_train=4000, num_test=50, seed=3)
    noisy = sample_expression("100*x", ranges, num_train=4000, num_test=50, seed=3, noise=0.1)
    difference = noisy.train_targets - clean.train_targets
    assert float(difference.std()) == pytest.approx(0.1 * float(clean.train_targets.std()), rel=0.05)
    assert bool((noisy.test_targets == clean.test_targets).all())


@pytest.mark.parametrize("name", CATALOGUE)
def test_ready_problems_have_finite_samples_within_their_ranges(name: str) -> None:
    problem = CATALOGUE[name]
    data = problem.sample(seed=1, num_train=60, num_test=20)
    again = problem.sample(seed=1, num_train=60, num_test=20)
    assert bool((data.train_inputs == again.train_inputs).all())
    assert data.task == problem.task
    assert (data.num_inputs, data.num_outputs) == (len(problem.ranges), 1)
    assert float(data.train_targets.std()) > 0
    if problem.task == "regression":
        for column, (low, high) in zip(data.train_inputs.T, problem.ranges.values(), strict=True):
            assert low <= float(column.min()) <= float(column.max()) <= high
