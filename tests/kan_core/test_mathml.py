"""Formulas as the browser draws them, and in LaTeX."""

from __future__ import annotations

from typing import Any

import sympy as sp

from kan_core.latex import latex_expression
from kan_core.mathml import presentation

X: Any = sp.Symbol("x")


def test_a_column_named_pi_is_not_drawn_as_the_number() -> None:
    column: Any = sp.Symbol("pi")
    assert presentation(sp.pi * column) == "<mrow><mi>&pi;</mi><mo>&InvisibleTimes;</mo><mi>pi</mi></mrow>"
    assert presentation(sp.Symbol("rho")) == "<mi>ρ</mi>"


def test_numbers_of_four_digits_end_with_them() -> None:
    number: Any = sp.Float(-4899.3, 4)
    assert "<mn>4899</mn>" in presentation(number * X)
    assert latex_expression(number * X) == "- 4899 x"
    assert latex_expression(sp.Float(4.0, 4) * X) == "4.0 x"


def test_large_numbers_are_written_by_powers_of_ten() -> None:
    markup = presentation(sp.Float(1.7e18, 4) * X)
    assert "<mn>1.7</mn>" in markup
    assert "<msup><mn>10</mn><mn>18</mn></msup>" in markup
