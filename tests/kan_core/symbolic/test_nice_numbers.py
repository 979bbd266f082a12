"""Nice numbers: what they are, in what order, and that numbers at random are none."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from kan_core.symbolic.nice_numbers import CHANCE, best_form, exact_form, nice_forms, number


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (3.1415926535, 1e-9, "π"),
        (-math.pi / 2, 1e-6, "-π/2"),
        (2.02, 0.03, "2"),
        (0.4999, 3e-4, "1/2"),
        (2.82842712, 1e-7, "2√2"),
        (math.sqrt(3.0) / 2, 1e-8, "√3/2"),
        (0.39894228, 1e-7, "1/√(2π)"),
        (math.e / 2, 1e-8, "e/2"),
        (9.8103, 5e-4, "9.81"),
        (137.0000001, 1e-6, "137"),
        (0.0123, 0.02, "0"),
        (1230.0, 1e-3, "1230"),
    ],
)
def test_a_number_within_its_error_is_known(value: float, error: float, text: str) -> None:
    form = best_form(value, error)
    assert form is not None
    assert form.text == text
    assert float(form.expression) == pytest.approx(form.value, rel=1e-15)


@pytest.mark.parametrize("error", [1e-9, 1e-5, 4e-4])
def test_a_number_that_is_none_stays(error: float) -> None:
    assert best_form(1.2173, error) is None


@pytest.mark.slow
@pytest.mark.parametrize("error", [1e-7, 1e-4, 1e-3, 1e-2])
def test_numbers_at_random_are_rarely_nice(error: float) -> None:
    generator = np.random.default_rng(0)
    values = np.exp(generator.normal(size=300))
    share = np.mean([best_form(value, error * value) is not None for value in values.tolist()])
    # coincidences with forms of different lengths add up, none of them larger than this
    assert share <= 2.0 * CHANCE


def test_forms_come_shortest_first() -> None:
    forms = nice_forms(3.14, 0.01)
    assert forms[0].text == "π"
    assert [form.bits for form in forms] == sorted(form.bits for form in forms)
    assert all(abs(form.value - 3.14) <= 0.01 for form in forms)
    assert {"22/7", "3.14"} <= {form.text for form in forms}


@given(st.integers(-100, 100).filter(bool), st.integers(1, 12), st.sampled_from([1.0, math.pi]))
def test_a_float_that_is_a_fraction_is_written_as_one_or_as_a_decimal(above: int, below: int, unit: float) -> None:
    fraction = Fraction(above, below)
    if unit != 1.0 and abs(fraction.numerator) > 24:
        return
    form = exact_form(float(fraction) * unit)
    assert form is not None
    assert form.value == pytest.approx(float(fraction) * unit, rel=1e-15)
    exact = sp.Rational(above, below) * (sp.pi if unit != 1.0 else 1)
    assert number(float(fraction) * unit) == exact or form.fraction is None


@pytest.mark.parametrize("value", [1.2173, 0.333, 3.14159265, 1e-20 / 3, 2.0000001])
def test_a_float_that_is_only_near_stays_the_float_it_is(value: float) -> None:
    assert float(number(value)) == value


@pytest.mark.parametrize("value", [math.inf, math.nan, -math.inf])
def test_what_is_no_number_is_no_form(value: float) -> None:
    assert exact_form(value) is None
    assert best_form(value, 1.0) is None
    assert nice_forms(value, 1.0) == []
