"""Planted constants are found again, and rankings put the right function first."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kan_core.bases.basis import FloatArray
from kan_core.errors import SpecError
from kan_core.symbolic import FUNCTIONS, SymbolicFunction, rank_candidates, resort
from kan_core.symbolic.affine_fit import Shape, fit_affine
from kan_core.symbolic.ranking import count_independent

FITTED = [f for f in FUNCTIONS.values() if f.shape is not Shape.CONSTANT]
X = np.linspace(-1.0, 1.0, 64)


def planted(function: SymbolicFunction, seed: int, *, x: FloatArray = X) -> FloatArray:
    """Return a curve c·f(a·x + b) + d at x, which spans [-1, 1], its arguments well inside the domain."""
    generator = np.random.default_rng(seed)
    low, high = max(function.low, -2.0), min(function.high, 2.0)
    margin = 0.06 * (high - low)
    left = generator.uniform(low + margin, low + 0.35 * (high - low))
    right = generator.uniform(high - 0.35 * (high - low), high - margin)
    a, b = (right - left) / 2, (right + left) / 2
    c, d = generator.uniform(0.5, 4.0) * generator.choice([-1.0, 1.0]), generator.uniform(-3.0, 3.0)
    curve: FloatArray = c * function.numpy_value(a * x + b) + d
    return curve


@pytest.mark.parametrize("function", FITTED, ids=lambda function: function.name)
@pytest.mark.parametrize("seed", range(4))
def test_planted_constants_are_recovered(function: SymbolicFunction, seed: int) -> None:
    curve = planted(function, seed)
    fit = fit_affine(function, X, curve)
    assert fit is not None
    assert fit.unexplained < 1e-16
    values = fit.c * function.numpy_value(fit.a * X + fit.b) + fit.d
    np.testing.assert_allclose(values, curve, atol=1e-7 * float(np.abs(curve).max()))


@pytest.mark.parametrize(
    ("first", "curve"),
    [
        ("sin", np.sin(3.1 * X + 0.4)),
        ("x^2", (X + 0.1) ** 2),
        ("exp", np.exp(1.4 * X)),
        ("log", np.log(X + 1.3)),
        ("1/x", 1 / (X + 1.4)),
        ("gaussian", np.exp(-6 * X**2)),
        ("tanh", np.tanh(3 * X)),
        ("x", 2 * X - 1),
    ],
)
@pytest.mark.parametrize("noise", [0.0, 1e-3, 5e-3])
def test_the_right_function_comes_first(first: str, curve: FloatArray, noise: float) -> None:
    disturbed = curve + noise * curve.std() * np.random.default_rng(0).normal(size=len(curve))
    best = FUNCTIONS[rank_candidates(X, disturbed)[0].function]
    assert (best.family or best.name) == (FUNCTIONS[first].family or first)


@given(scale=st.floats(-6, 6), shift=st.floats(-2, 2), y_scale=st.floats(-6, 6))
def test_ranking_does_not_depend_on_units(scale: float, shift: float, y_scale: float) -> None:
    x = 10**scale * (X + shift)
    names = [c.function for c in rank_candidates(x, 10**y_scale * (np.exp(X) + 3.0))]
    assert names[0] == "exp"


@pytest.mark.parametrize("function", FITTED, ids=lambda function: function.name)
@pytest.mark.parametrize("points", [64, 512])
def test_no_point_is_left_out(function: SymbolicFunction, points: int) -> None:
    x = np.linspace(-1.0, 1.0, points)
    truth = planted(function, 0, x=x)
    noise = truth.std() * np.random.default_rng(1).normal(size=points)
    fit = fit_affine(function, x, truth + 0.05 * noise)
    assert fit is not None
    values = fit.c * function.value_and_derivative(fit.a * x + fit.b)[0] + fit.d
    # four constants take 4 of the noise's P directions, and what is left of them is the estimate's own error
    assert np.square(values - truth).mean() < 0.05**2 * truth.var() * 16 / points


def test_the_order_of_points_does_not_matter() -> None:
    curve = np.exp(1.4 * X) + 0.01 * np.random.default_rng(0).normal(size=len(X))
    order = np.random.default_rng(1).permutation(len(X))
    assert rank_candidates(X[order], curve[order]) == rank_candidates(X, curve)


@pytest.mark.parametrize(
    ("curve", "kept", "dropped"),
    [
        (np.sin(2 * X + 1), {"sin"}, {"cos"}),
        (np.cos(2 * X), {"cos"}, {"sin"}),
        (1 / (1 + np.exp(-3 * X)), {"tanh"}, {"sigmoid"}),
        (np.arccos(0.7 * X), {"arcsin"}, {"arccos"}),
        (np.exp(3 * X), {"exp"}, {"sinh", "cosh"}),
        ((X - 0.3) ** 2, {"x^2"}, set[str]()),
        (3 * X + 1, {"x"}, {"sin", "x^3", "sinh", "arctan"}),
    ],
)
def test_of_equal_forms_the_simplest_stays(curve: FloatArray, kept: set[str], dropped: set[str]) -> None:
    ranked = [one.function for one in rank_candidates(X, curve)]
    assert ranked[0] in kept
    assert not dropped & set(ranked)


def test_another_weight_sorts_the_same_fits_again() -> None:
    ranked = rank_candidates(X, np.tanh(2 * X) + 0.02 * np.random.default_rng(0).normal(size=len(X)))
    simple, exact = resort(ranked, weight=30.0), resort(ranked, weight=0.0)
    assert resort(exact) == ranked
    assert {one.function: (one.a, one.unexplained) for one in simple} == {
        one.function: (one.a, one.unexplained) for one in exact
    }
    assert simple[0].complexity < ranked[0].complexity
    assert exact[0].unexplained == min(one.unexplained for one in ranked)


def test_a_weight_below_zero_is_refused() -> None:
    with pytest.raises(SpecError, match=r"^weight is a number from 0 to 1e\+06, received weight=-1.0: choose one"):
        resort([], weight=-1.0)


def test_what_smooth_curves_leave_counts_as_few_points() -> None:
    x = np.linspace(0, 1, 512)
    assert count_independent(np.random.default_rng(0).normal(size=512)) > 400
    assert count_independent(np.sin(20 * np.pi * x + 0.1)) == 4
    assert count_independent(np.sin(100 * np.pi * x + 0.1)) == 78
    assert count_independent(np.ones(512)) == 4


def test_a_cosine_near_its_top_is_a_parabola() -> None:
    # what a trained curve leaves is smooth, and a fourth constant takes up some of it
    error = 2e-5 * np.sin(7 * X) - 4e-4 * X**4
    ranked = {one.function: one for one in rank_candidates(X, X**2 + error)}
    assert ranked["cos"].unexplained < 0.7 * ranked["x^2"].unexplained
    assert next(iter(ranked)) == "x^2"


@pytest.mark.parametrize("num_off", [1, 2, 3])
def test_points_that_stand_off_at_an_end_are_no_kink(num_off: int) -> None:
    curve = np.abs(X - (X[-1 - num_off] + X[-num_off]) / 2)
    names = [one.function for one in rank_candidates(X, curve)]
    assert ("abs" in names) == (num_off > 2)


@pytest.mark.parametrize("values", [np.full(64, np.nan), np.r_[np.zeros(63), np.inf]])
def test_a_curve_that_is_not_finite_has_no_formula(values: FloatArray) -> None:
    assert rank_candidates(X, values) == []


def test_a_flat_curve_is_a_constant() -> None:
    best = rank_candidates(X, np.full_like(X, 2.5))[0]
    assert (best.function, best.d, best.r2) == ("constant", 2.5, 1.0)


@given(values=st.lists(st.floats(-1e6, 1e6), min_size=64, max_size=64))
def test_any_curve_gets_finite_candidates(values: list[float]) -> None:
    for candidate in rank_candidates(X, np.array(values)):
        assert np.isfinite([candidate.a, candidate.b, candidate.c, candidate.d, candidate.score]).all()


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=lambda function: function.name)
def test_derivatives_match_finite_differences(function: SymbolicFunction) -> None:
    low, high = max(function.low, -2.0), min(function.high, 2.0)
    # off the middle, where kinks are
    x = np.linspace(low + 0.11, high - 0.12, 41)
    width = 1e-6
    expected = (function.numpy_value(x + width) - function.numpy_value(x - width)) / (2 * width)
    value, derivative = function.value_and_derivative(x)
    np.testing.assert_allclose(derivative, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(value, function.numpy_value(x))
