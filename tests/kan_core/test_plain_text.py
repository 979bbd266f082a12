"""Formulas as a line of text have one meaning, whatever columns are named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from kan_core.formula_display import rounded, snapped
from kan_core.plain_text import plain_text


def symbol(name: str) -> Any:
    return sp.Symbol(name)


X, Y = symbol("x"), symbol("y")


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (sp.pi * symbol("pitch") + symbol("capital") ** 2, "capital^2 + π·pitch"),
        (sp.pi * symbol("pi"), "π·pi"),
        (sp.pi * symbol("π"), 'π·"π"'),
        (sp.E * symbol("e") * symbol("E"), 'e·E·"e"'),
        (3 * symbol("π") + symbol("e"), "e + 3·π"),
        (symbol("a-b") ** 2, '"a-b"^2'),
        (symbol("2") ** 2 + symbol("3"), '"2"^2 + "3"'),
        (2 * symbol("x 1"), '2·"x 1"'),
        (symbol('say "a*b"'), '"say ""a*b"""'),
        (symbol("größe") * symbol("π_1"), "größe·π_1"),
    ],
)
def test_names_are_told_from_signs_and_constants(expression: Any, text: str) -> None:
    assert plain_text(expression) == text


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (-X / (2 * sp.pi), "-x/(2·π)"),
        (X**-2, "1/x^2"),
        (-3 / (X * sp.sqrt(Y + 1)), "-3/(x·sqrt(y + 1))"),
        (sp.Abs(X) ** sp.Rational(3, 2), "Abs(x)^(3/2)"),
        (2 * (X + 1) / 3, "2·x/3 + 2/3"),
        (X * (Y + 1) / 3, "x·(y + 1)/3"),
        ((X + 1) ** -2 * sp.Float(-1.5), "-1.5/(x + 1)^2"),
        (sp.Integer(-2) ** X, "(-2)^x"),
        ((X**2) ** Y, "(x^2)^y"),
        (X ** (-Y), "x^(-y)"),
        (sp.exp(-(X**2) / 2), "exp(-x^2/2)"),
        (1 / (1 + sp.exp(-X)), "1/(1 + exp(-x))"),
        (sp.Float(4899.3) * X, "4899·x"),
        (sp.Float(1.7e18) * X + sp.Float(2.5e-12), "1.7e18·x + 2.5e-12"),
        (sp.Float(3.00004) * X, "3.0·x"),
    ],
)
def test_powers_products_and_numbers(expression: Any, text: str) -> None:
    assert plain_text(rounded(expression)) == text


def test_integers_too_long_to_read_are_written_by_powers_of_ten() -> None:
    assert plain_text(rounded(1_700_000_000_000_000_000 * X**3 + 299_792 * Y)) == "1.7e18·x^3 + 299792·y"
    assert plain_text(rounded(X / 3_000_000_000)) == "3.333e-10·x"


def expressions() -> st.SearchStrategy[Any]:
    leaves = st.sampled_from([X, Y, sp.pi, sp.Integer(2), sp.Rational(-2, 3), sp.Float(1.5), sp.Float(-0.25)])
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.tuples(inner, inner).map(lambda pair: pair[0] + pair[1]),
            st.tuples(inner, inner).map(lambda pair: pair[0] * pair[1]),
            st.tuples(inner, st.sampled_from([-2, -1, 2, 3])).map(lambda pair: (pair[0] ** 2 + 1) ** pair[1]),
            inner.map(lambda one: sp.sqrt(one**2 + 2)),
            inner.map(lambda one: 1 / sp.sqrt(one**2 + 2)),
            inner.map(sp.sin),
        ),
        max_leaves=5,
    )


@pytest.mark.slow
@given(expression=expressions())
def test_the_text_says_what_the_expression_is(expression: Any) -> None:
    code = plain_text(expression).replace("·", "*").replace("^", "**").replace("π", "pi")
    values = {"x": 0.7, "y": 1.3}
    scope: dict[str, Any] = {**values, "pi": np.pi, "sqrt": np.sqrt, "sin": np.sin}
    wanted = float(expression.evalf(subs=values))
    assert float(eval(code, {"__builtins__": {}}, scope)) == pytest.approx(wanted, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("value", "round_number"),
    [
        (0.5000001, sp.Rational(1, 2)),
        (np.pi * 1.000001, sp.pi),
        (-100.0 * np.pi, -100 * sp.pi),
        (16.666666, sp.Rational(50, 3)),
        (2040.999999, sp.Integer(2041)),
    ],
)
def test_numbers_that_are_round_become_so(value: float, round_number: Any) -> None:
    assert snapped(sp.Float(value) * X) == round_number * X


@pytest.mark.parametrize("value", [14698 / 3, 2041 / 4, 510.25004, 61728.2, 1_699_999.9, 12345.0, 27056.3 * np.pi])
def test_large_numbers_are_no_fractions(value: float) -> None:
    (kept,) = snapped(sp.Float(value) * X).atoms(sp.Float)
    assert float(kept) == value


@pytest.mark.parametrize("low", [1.0, 100.0, 5000.0, 1e5])
def test_hardly_any_number_is_taken_for_a_round_one(low: float) -> None:
    values = np.random.default_rng(0).uniform(low, 2.0 * low, 200)
    taken = sum(not snapped(sp.Float(value) * X).atoms(sp.Float) for value in values)
    assert taken <= 1
