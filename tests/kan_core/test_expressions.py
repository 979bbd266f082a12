"""Typed formulas: what they compute, and that nothing else is ever computed."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from kan_core.errors import DataError, ExpressionError
from kan_core.expressions import FUNCTIONS, Expression, find_names, parse_expression
from kan_core.problems import CATALOGUE, sample_expression

POINTS = np.array([[0.5, 2.0], [-0.25, 3.0], [1.5, 0.75]])
X, Y = POINTS.T
_TOO_LARGE = "Every number in a formula is real and within -1e+150 and 1e+150, received "


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
        ("πx + 2π - xπ", 2 * np.pi),
        ("x²y⁻¹ + y³", X**2 * Y**-1.0 + Y**3),
        ("√y + √(x+1)² + 2√√16", np.sqrt(Y) + np.sqrt(X + 1) ** 2 + 4),
        ("3·x × 2 ⋅ y ÷ 4 – 1e−1", 3 * X * 2 * Y / 4 - 0.1),
        ("2e x", 2 * np.e * X),
        ("(2(x+1))^2", (2 * (X + 1)) ** 2),
        ("x - y - (1 - x)/2*y", X - Y - (1 - X) / 2 * Y),
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
        ("((9^64)^64)^64", 8, _TOO_LARGE + "inf at position 9: change it."),
        ("(-8)^0.5 + x", 5, _TOO_LARGE + "one that is not real at position 6: change it."),
        ("1e999*x", 0, _TOO_LARGE + "inf at position 1: change it."),
        ("x + 1e151", 4, _TOO_LARGE + "1e+151 at position 5: change it."),
        ("x + log(0)", 4, _TOO_LARGE + "-inf at position 5: change it."),
        ("x + (1e100 - 1)*1e100", 4, _TOO_LARGE + "1e+200 at position 5: change it."),
        ("√(-1)x", 0, _TOO_LARGE + "one that is not real at position 1: change it."),
        ("x^(9e149 + 9e149)", 3, _TOO_LARGE + "1.8e+150 at position 4: change it."),
        ("x*1e-400", 2, "A number other than 0 is at least 1e-150 in size, received a smaller one at position 3"),
        ("x/0", 2, "A formula never divides by 0, received a divisor that is 0 at position 3: change it."),
        ("0/0*x", 2, "A formula never divides by 0, received a divisor that is 0 at position 3: change it."),
        ("x/(2 - 2)", 2, "A formula never divides by 0, received a divisor that is 0 at position 3: change it."),
        ("x/exp(-1000)", 2, "A formula never divides by 0, received a divisor that is 0 at position 3: change it."),
        ("٣.5*x", 0, "The character '٣' at position 1 has no meaning in a formula"),
        ("x*½", 2, "The character '½' at position 3 has no meaning in a formula"),
        ("x⁶⁵", 1, "An exponent lies within -64 and 64, received 65 at position 2: choose a smaller one."),
        ("sin²(x)", 0, "The function 'sin' at position 1 needs its argument in brackets."),
        ("x^²", 2, "The formula does not go on with '²' at position 3: check brackets and signs."),
        ("x²^3", 2, "The formula does not go on with '^' at position 3: check brackets and signs."),
        ("√2x", 2, "A root without brackets ends its factor, received 'x' behind one at position 3: put what is under"),
        ("√x²", 2, "A root without brackets ends its factor, received '²' behind one at position 3: put what is under"),
        ("√" * 300 + "x", 40, "A formula nests at most 40 deep"),
        ("(" * 60 + "x" + ")" * 60, 40, "A formula nests at most 40 deep"),
        ("x" * 501, 500, "A formula has at most 500 characters, received 501: shorten it."),
    ],
)
def test_refusals_point_at_the_place(text: str, position: int, sentence: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_expression(text, ["x", "y"])
    assert str(caught.value).startswith(sentence)
    assert caught.value.position == position


@pytest.mark.timeout(5)
@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("x + 1/1e999999999", 6),
        ("x + 1/1e-999999999", 6),
        ("x + 1/exp(exp(exp(exp(exp(1)))))", 10),
        ("x+sin(exp(exp(exp(9))))", 10),
        ("*".join(["9^64"] * 80), 0),
    ],
)
def test_constants_without_bounds_are_refused_at_once(text: str, position: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_expression(text, ["x", "y"])
    assert caught.value.position == position


@pytest.mark.timeout(5)
@pytest.mark.parametrize(
    "text",
    [
        "max(sin(x+y)," * 24 + "x" + ")" * 24,
        "max(" * 37 + "x" + ",y+x)" * 37,
        "abs(" + "(x+y)" * 95 + ")",
        "x*" + "*".join(["9^64"] * 80),
        "9^(1e15-x)*9^x",
        "(" * 13 + "x+9" + ")^64" * 13,
        "+".join(["x"] * 250),
        "-" * 499 + "x",
        "x" + "^x" * 38,
        "sqrt(12345678901234)" * 20,
    ],
)
def test_nothing_that_is_accepted_is_ever_multiplied_out(text: str) -> None:
    _check_answer(text)


@given(text=st.text(alphabet="xy19.e+-*/^(), sincoexplgπ_'²³⁻√·×−÷٣½₁", max_size=40))
def test_nothing_but_an_expression_error_ever_escapes(text: str) -> None:
    _check_answer(text)


def _grown(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.tuples(parts, parts)
    return st.one_of(
        st.tuples(parts, st.sampled_from(["+", "-", "*", "/", "^", "**", " ", "·", "×", "−", "÷"]), parts).map("".join),
        parts.map(lambda part: f"({part})"),
        parts.map(lambda part: f"-{part}"),
        parts.map(lambda part: f"√{part}"),
        st.tuples(parts, st.sampled_from(["²", "³", "⁻¹", "⁶⁴"])).map("".join),
        st.tuples(st.sampled_from([n for n in FUNCTIONS if FUNCTIONS[n].num_arguments == 1]), parts).map(
            lambda call: f"{call[0]}({call[1]})"
        ),
        st.tuples(st.sampled_from(["min", "max"]), pairs).map(lambda call: f"{call[0]}({call[1][0]},{call[1][1]})"),
    )


_LEAVES = st.sampled_from(["x", "y", "π", "e", "0", "1", "2.5", "64", "1e15", "1e149", "1e-149", "9^64", "1e999"])


@given(text=st.recursive(_LEAVES, _grown, max_leaves=25))
def test_every_tree_is_answered(text: str) -> None:
    _check_answer(text)


def _check_answer(text: str) -> None:
    """Check that a formula is either refused at a place in it or can be computed, shown and handed to SymPy."""
    parsed = _parse_or_refuse(text)
    if isinstance(parsed, ExpressionError):
        assert 0 <= parsed.position <= len(text)
        return
    assert parsed.evaluate(POINTS).shape == (3,)
    assert parsed.sympy.free_symbols <= {sp.Symbol("x"), sp.Symbol("y")}
    ElementTree.fromstring(parsed.mathml.replace("&InvisibleTimes;", "*"))


def _parse_or_refuse(text: str) -> Expression | ExpressionError:
    try:
        return parse_expression(text, ["x", "y"])
    except ExpressionError as error:
        return error


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("exp(-x^2/(2*y^2))/sqrt(2πy²)", "frac[sup[e,−frac[sup[x,2],2*sup[y,2]]],sqrt[2*π*sup[y,2]]]"),
        ("1/(1/x - 1/y)", "frac[1,frac[1,x]−frac[1,y]]"),
        ("x - (y - 1) - 2(x+1)", "x−(y−1)−2*(x+1)"),
        ("(x + y)/2*x", "frac[(x+y)*x,2]"),
        ("x*-y + -2", "x*(−y)+(−2)"),
        ("(-x)^2 + (x/y)^2 + exp(x)^2", "sup[(−x),2]+sup[(frac[x,y]),2]+sup[(sup[e,x]),2]"),
        ("x*2*3", "x·2·3"),
        ("1.5e20x/2e-7", "frac[1.5·sup[10,20]*x,2·sup[10,−7]]"),
        ("max(x, abs(y)) + step(x)", "max(x,|y|)+Θ(x)"),
        ("j0(x)", "sub[J,0](x)"),
    ],
)
def test_a_formula_is_shown_as_typed(text: str, shown: str) -> None:
    tree = ElementTree.fromstring(parse_expression(text, ["x", "y"]).mathml.replace("&InvisibleTimes;", "*"))
    assert _flat(tree) == shown


def _flat(element: ElementTree.Element) -> str:
    inner = [_flat(child) for child in element]
    if element.tag in ("mfrac", "msup", "msub", "msqrt"):
        assert len(inner) == (1 if element.tag == "msqrt" else 2)
        return f"{element.tag[1:]}[{','.join(inner)}]"
    return (element.text or "") + "".join(inner)


@pytest.mark.parametrize("name", [name for name in CATALOGUE if CATALOGUE[name].expression])
def test_ready_formulas_say_the_same_in_sympy(name: str) -> None:
    problem = CATALOGUE[name]
    parsed = parse_expression(problem.expression or "", list(problem.ranges))
    lows, highs = np.array(list(problem.ranges.values())).T
    inputs = np.random.default_rng(0).uniform(lows, highs, (5, len(lows)))
    value = sp.lambdify(sp.symbols(list(problem.ranges)), parsed.sympy, ["scipy", "numpy"])
    np.testing.assert_allclose(parsed.evaluate(inputs), value(*inputs.T), rtol=1e-12)


def test_names_are_found_in_order() -> None:
    assert find_names("b*sin(a) + pi*b + c2") == ["b", "a", "c2"]
    assert find_names("πx² + 2y³ + ½ + x₁") == ["x", "y", "x₁"]


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


@pytest.mark.parametrize(("name", "noise"), [("exp_sin", 0.0), ("exp_sin", 0.2), ("moons", 0.0)])
def test_more_samples_begin_with_those_of_fewer_and_are_tested_alike(name: str, noise: float) -> None:
    few, many = (CATALOGUE[name].sample(seed=5, num_train=count, num_test=30, noise=noise) for count in (40, 2500))
    assert bool((many.train_inputs[:40] == few.train_inputs).all())
    assert bool((many.train_targets[:40] == few.train_targets).all())
    assert bool((many.test_inputs == few.test_inputs).all())
    assert not bool((many.train_inputs[:30] == many.test_inputs).any())


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
