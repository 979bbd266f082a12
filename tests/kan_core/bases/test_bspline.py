"""B-splines against SciPy and against their own properties."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import BSpline

from kan_core.bases import BSplineBasis
from kan_core.bases.basis import FloatArray
from tests.kan_core.bases.families_for_tests import compiled, splines

POINTS = st.lists(st.floats(-1, 1), min_size=1, max_size=20)
UNEVEN = (-1.0, -0.9, -0.85, -0.2, 0.1, 0.15, 0.9, 1.0)


@pytest.mark.parametrize("order", range(6))
@pytest.mark.parametrize("grid_size", [1, 7, 25, 90])
@pytest.mark.parametrize("uneven", [False, True])
def test_values_and_slopes_are_scipys(order: int, grid_size: int, uneven: bool) -> None:
    places = np.linspace(0.0, 7.0, grid_size + 1)
    breaks = tuple(np.interp(places, np.arange(8.0), UNEVEN).tolist()) if uneven else ()
    basis = BSplineBasis(grid_size, order, breaks)
    # off the knots, where order 0 jumps and rounding decides the side
    u, knots = np.linspace(-0.9991, 0.9987, 211), basis.knots(-1.0, 1.0)
    expected = BSpline.design_matrix(u, knots, order).toarray()
    np.testing.assert_allclose(compiled(basis, u), expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(basis.values(torch.from_numpy(u)).numpy(), expected, rtol=0, atol=1e-12)
    slopes = compiled(basis, u, slopes=True)
    if order > 0:
        exact = BSpline(knots, np.eye(basis.num_functions), order).derivative()(u)
        np.testing.assert_allclose(slopes, exact, rtol=0, atol=1e-12 * max(1.0, float(np.abs(exact).max())) * 10)
    else:
        np.testing.assert_array_equal(slopes, 0.0)


@given(basis=splines(90), points=POINTS, dtype=st.sampled_from([np.float32, np.float64]))
def test_functions_are_positive_and_sum_to_one(
    basis: BSplineBasis, points: list[float], dtype: type[np.floating]
) -> None:
    values = compiled(basis, np.array(points, dtype=dtype))
    tolerance = 20.0 * float(np.finfo(dtype).eps) * (basis.grid_size + 1)
    assert (values >= -tolerance).all()
    np.testing.assert_allclose(values.sum(axis=-1), 1.0, rtol=0, atol=tolerance)


@given(basis=splines(90), points=POINTS)
def test_no_more_than_order_plus_one_functions_meet_at_a_point(basis: BSplineBasis, points: list[float]) -> None:
    assert ((np.abs(compiled(basis, np.array(points))) > 1e-12).sum(axis=-1) <= basis.order + 1).all()


def samples() -> st.SearchStrategy[FloatArray]:
    """Return a strategy for samples with duplicates, outside the domain or all the same."""
    some = st.lists(st.sampled_from([-3.0, -1.0, -0.5, 0.0, 0.25, 1.0]) | st.floats(-2, 2), min_size=1, max_size=50)
    return some.map(np.array) | st.floats(-2, 2).map(lambda value: np.full(9, value))


@given(u=samples(), grid_size=st.integers(1, 50), order=st.integers(0, 5))
def test_adapted_breaks_leave_every_interval_a_fifth_of_its_even_width(
    u: FloatArray, grid_size: int, order: int
) -> None:
    adapted = BSplineBasis(grid_size, order).adapted(u)
    assert (adapted.grid_size, adapted.order) == (grid_size, order)
    assert (np.diff(adapted.breaks) >= 0.2 * 2.0 / grid_size - 1e-12).all()
    assert adapted == BSplineBasis(grid_size, order, adapted.breaks)


def test_adapted_breaks_spread_the_samples_about_evenly() -> None:
    u = np.tanh(np.random.default_rng(3).normal(-0.5, 0.4, 20_000))
    even = BSplineBasis(10, 3)
    counts = [np.histogram(u, bins=basis.grid(-1.0, 1.0))[0] / len(u) for basis in (even, even.adapted(u))]
    assert counts[0].max() > 0.2
    assert counts[1].max() < 0.15
    assert counts[1].min() > 0.02


@pytest.mark.parametrize("u", [[], [np.nan, np.inf]])
def test_without_finite_samples_breaks_stay_even(u: list[float]) -> None:
    assert BSplineBasis(4, 2).adapted(np.array(u)) == BSplineBasis(4, 2)


def test_samples_that_are_not_finite_do_not_count() -> None:
    u = np.array([-0.5, 0.1, 0.2, 0.3])
    assert BSplineBasis(4).adapted(np.append(u, [np.nan, -np.inf])) == BSplineBasis(4).adapted(u)
