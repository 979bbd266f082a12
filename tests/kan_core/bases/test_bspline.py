"""B-splines against SciPy and against their own properties."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import BSpline

from kan_core.bases import BSplineBasis, make_basis
from kan_core.bases.basis import FloatArray
from kan_core.errors import SpecError

ORDERS = st.integers(0, 5)
GRID_SIZES = st.integers(1, 40)
POINTS = st.lists(st.floats(-1, 1), min_size=1, max_size=20)


def dense_rows(basis: BSplineBasis, u: FloatArray, *, derivative: bool = False) -> FloatArray:
    """Return the windows spread over all functions, (len(u), K)."""
    rows = basis.rows(u[:, None])
    dense = np.zeros((len(u), basis.num_functions), dtype=u.dtype)
    for n, start in enumerate(rows.starts[:, 0]):
        dense[n, start : start + basis.window] = (rows.derivatives if derivative else rows.values)[n, 0]
    return dense


@pytest.mark.parametrize("order", range(6))
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 2e-6), (np.float64, 1e-13)])
def test_values_and_derivatives_are_scipys(order: int, dtype: type, tolerance: float) -> None:
    basis = BSplineBasis(7, order)
    # off the knots, where order 0 jumps and rounding decides the side
    u = np.linspace(-1, 1, 212)[1:-1]
    knots = basis.knots(-1.0, 1.0)
    expected = BSpline.design_matrix(u, knots, order).toarray()
    points = u.astype(dtype)
    np.testing.assert_allclose(dense_rows(basis, points), expected, atol=tolerance * 40)
    np.testing.assert_allclose(basis.values(torch.from_numpy(points)).numpy(), expected, atol=tolerance * 40)
    if order > 1:
        slopes = BSpline(knots, np.eye(basis.num_functions), order).derivative()(u)
        np.testing.assert_allclose(dense_rows(basis, points, derivative=True), slopes, atol=tolerance * 4000)


@given(order=ORDERS, grid_size=GRID_SIZES, points=POINTS)
def test_functions_are_positive_and_sum_to_one(order: int, grid_size: int, points: list[float]) -> None:
    values = BSplineBasis(grid_size, order).values(torch.tensor(points, dtype=torch.float64))
    assert bool((values >= -1e-15).all())
    torch.testing.assert_close(values.sum(dim=-1), torch.ones(len(points), dtype=torch.float64))


@given(order=ORDERS, grid_size=GRID_SIZES, points=st.lists(st.floats(-50, 50), min_size=1, max_size=20))
def test_compiled_windows_are_the_reference_everywhere(order: int, grid_size: int, points: list[float]) -> None:
    basis = BSplineBasis(grid_size, order)
    u = np.array(points)
    expected = basis.values(torch.from_numpy(u)).numpy()
    np.testing.assert_allclose(dense_rows(basis, u), expected, rtol=1e-9, atol=1e-10)


@given(order=st.integers(1, 5), grid_size=GRID_SIZES, sign=st.sampled_from([-1.0, 1.0]))
def test_outside_the_domain_functions_continue_linearly(order: int, grid_size: int, sign: float) -> None:
    u = sign * torch.tensor([1.0, 1.5, 2.0, 4.0], dtype=torch.float64)
    edge, near, mid, far = BSplineBasis(grid_size, order).values(u)
    torch.testing.assert_close(mid - edge, 2 * (near - edge), rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(far - edge, 6 * (near - edge), rtol=1e-9, atol=1e-9)


def test_nan_stays_nan() -> None:
    assert np.isnan(BSplineBasis(5, 3).rows(np.array([[np.nan]])).values).all()
    assert np.isnan(BSplineBasis(5, 0).rows(np.array([[np.nan]])).values).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"grid_size": 0}, "grid_size is an integer from 1 to 1000, received grid_size=0: choose one in that range"),
        ({"order": 6}, "order is an integer from 0 to 5, received order=6: choose one in that range"),
    ],
)
def test_sizes_out_of_bounds_are_refused(arguments: dict[str, int], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        make_basis("bspline", **arguments)


def test_an_unknown_family_is_refused() -> None:
    with pytest.raises(SpecError, match="basis is one of bspline, received basis='wavelet': choose one of these"):
        make_basis("wavelet")
