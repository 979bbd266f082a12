"""Each family against formulas of its own, from other programs or written out in longer numbers."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.polynomial import chebyshev, legendre
from numpy.typing import NDArray
from scipy.special import eval_jacobi, roots_legendre

from kan_core.bases import (
    Basis,
    ChebyshevBasis,
    FourierBasis,
    GaussianBasis,
    JacobiBasis,
    MexicanHatBasis,
    PiecewiseLinearBasis,
    ReluBasis,
)
from kan_core.bases.basis import FloatArray
from tests.kan_core.bases.families_for_tests import compiled

# real or complex, of any length
Numbers = NDArray[Any]
ENDS_AND_BETWEEN = np.concatenate([[-1.0, 1.0], np.linspace(-0.9991, 0.9987, 300)])
PI = np.longdouble("3.14159265358979323846264338327950288")


def shape_of(basis: Basis, u: Numbers) -> list[Numbers]:
    """Return the functions at complex or long u, written out one by one."""
    match basis:
        case GaussianBasis():
            points = np.arange(basis.grid_size + 1) * (2.0 / basis.grid_size) - 1.0
            bumps = [np.exp(-(((u - c) * (basis.grid_size / 2.0)) ** 2)) for c in points]
        case MexicanHatBasis():
            squares = [
                ((u + 1.0 - i * 2.0 / 2**level) * 2**level / 2.0) ** 2
                for level in range(int(np.log2(basis.grid_size)) + 1)
                for i in range(2**level + 1)
            ]
            bumps = [(1.0 - square) * np.exp(-square / 2.0) for square in squares]
        case ReluBasis():
            step = 2.0 / basis.grid_size
            starts = [-1.0 + (i - basis.order) * step for i in range(basis.grid_size + basis.order)]
            span, place = (basis.order + 1) * step, np.real(u)
            bumps = [
                np.where((s < place) & (place < s + span), ((s + span - u) * (u - s)) ** 2 * 16.0 / span**4, 0.0 * u)
                for s in starts
            ]
        case FourierBasis():
            waves = [wave(PI / 2 * h * u) for h in range(1, basis.grid_size + 1) for wave in (np.cos, np.sin)]
            return [1.0 + 0.0 * u, *waves]
        case _:
            raise NotImplementedError
    return [1.0 + 0.0 * u, u, *bumps]


@pytest.mark.parametrize("size", [1, 2, 7, 16, 33, 100])
@pytest.mark.parametrize("family", [GaussianBasis, MexicanHatBasis, ReluBasis, FourierBasis])
def test_values_and_slopes_are_those_of_the_formula(family: Callable[[int], Basis], size: int) -> None:
    basis, u = family(size), ENDS_AND_BETWEEN
    values = np.stack(shape_of(basis, u.astype(np.longdouble)), axis=-1)
    np.testing.assert_allclose(compiled(basis, u), values.astype(np.float64), rtol=0, atol=1e-12)
    # the derivative of an analytic function, without the loss of digits that differences have
    slopes = np.imag(np.stack(shape_of(basis, u + 1e-40j), axis=-1)).astype(np.float64) / 1e-40
    np.testing.assert_allclose(compiled(basis, u, slopes=True), slopes, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("order", [1, 2, 4, 5])
def test_squared_relu_bumps_of_other_orders_are_those_of_the_formula(order: int) -> None:
    basis = ReluBasis(6, order)
    np.testing.assert_allclose(
        compiled(basis, ENDS_AND_BETWEEN), np.stack(shape_of(basis, ENDS_AND_BETWEEN), axis=-1), rtol=0, atol=1e-13
    )


@pytest.mark.parametrize("harmonics", [10, 100])
def test_high_harmonics_are_exact_in_float32(harmonics: int) -> None:
    u = ENDS_AND_BETWEEN.astype(np.float32)
    expected = np.stack(shape_of(FourierBasis(harmonics), u.astype(np.longdouble)), axis=-1)
    found = compiled(FourierBasis(harmonics), u)
    np.testing.assert_allclose(found, expected.astype(np.float64), rtol=0, atol=1e-7)


@pytest.mark.parametrize("size", [1, 2, 7, 50, 400])
def test_hats_interpolate(size: int) -> None:
    basis, points = PiecewiseLinearBasis(size), np.linspace(-1.0, 1.0, size + 1)
    expected = np.stack([np.interp(ENDS_AND_BETWEEN, points, height) for height in np.eye(size + 1)], axis=-1)
    np.testing.assert_allclose(compiled(basis, ENDS_AND_BETWEEN), expected, rtol=0, atol=1e-12)


@given(size=st.integers(1, 300), points=st.lists(st.floats(-1, 1), min_size=1, max_size=20))
def test_hats_sum_to_one(size: int, points: list[float]) -> None:
    values = compiled(PiecewiseLinearBasis(size), np.array(points))
    assert (values >= 0.0).all()
    np.testing.assert_allclose(values.sum(axis=-1), 1.0, rtol=0, atol=1e-12)


def test_a_hats_slope_at_a_kink_is_the_one_to_the_right_and_at_the_end_the_one_to_the_left() -> None:
    slopes = compiled(PiecewiseLinearBasis(2), np.array([-1.0, 0.0, 1.0]), slopes=True)
    np.testing.assert_array_equal(slopes, [[-1.0, 1.0, 0.0], [0.0, -1.0, 1.0], [0.0, -1.0, 1.0]])


@pytest.mark.parametrize("degree", [1, 2, 3, 10, 100])
def test_chebyshev_polynomials_are_numpys(degree: int) -> None:
    u, basis = ENDS_AND_BETWEEN, ChebyshevBasis(degree)
    np.testing.assert_allclose(compiled(basis, u), chebyshev.chebvander(u, degree), rtol=0, atol=1e-11)
    slopes = chebyshev.chebval(u, chebyshev.chebder(np.eye(degree + 1))).T
    np.testing.assert_allclose(compiled(basis, u, slopes=True), slopes, rtol=0, atol=1e-12 * degree**3)


@pytest.mark.parametrize("degree", [1, 2, 3, 10, 100])
def test_legendre_polynomials_are_numpys(degree: int) -> None:
    u, basis = ENDS_AND_BETWEEN, JacobiBasis(degree)
    np.testing.assert_allclose(compiled(basis, u), legendre.legvander(u, degree), rtol=0, atol=1e-12)
    slopes = legendre.legval(u, legendre.legder(np.eye(degree + 1))).T
    np.testing.assert_allclose(compiled(basis, u, slopes=True), slopes, rtol=0, atol=1e-12 * degree**3)


@given(degree=st.integers(1, 60), alpha=st.floats(-0.99, 10.0), beta=st.floats(-0.99, 10.0))
def test_jacobi_polynomials_are_scipys_to_a_mean_square_of_legendres(degree: int, alpha: float, beta: float) -> None:
    u, basis, n = ENDS_AND_BETWEEN, JacobiBasis(degree, alpha, beta), np.arange(degree + 1)
    nodes, weights = roots_legendre(2 * degree + 2)
    mean_squares = weights @ eval_jacobi(n, alpha, beta, nodes[:, None]) ** 2 / 2.0
    sizes = np.sqrt(mean_squares * (2.0 * n + 1.0))
    values = compiled(basis, u)
    np.testing.assert_allclose(values, eval_jacobi(n, alpha, beta, u[:, None]) / sizes, rtol=1e-9, atol=1e-9)
    assert (np.abs(values) <= (n + 1.0) / np.sqrt(2.0 * n + 1.0) + 1e-9).all()
    lower = eval_jacobi(n[1:] - 1, alpha + 1.0, beta + 1.0, u[:, None])
    slopes = (n[1:] + alpha + beta + 1.0) / 2.0 * lower / sizes[1:]
    found = compiled(basis, u, slopes=True)
    np.testing.assert_allclose(found[:, 1:], slopes, rtol=1e-8, atol=1e-8 * float(np.abs(slopes).max()))
    np.testing.assert_array_equal(found[:, 0], 0.0)


@pytest.mark.parametrize("basis", [GaussianBasis(3), ReluBasis(3), ReluBasis(3, 2), MexicanHatBasis(2)])
def test_refining_bumps_appends_narrower_ones_to_the_old(basis: Basis) -> None:
    kept: list[FloatArray] = [compiled(basis, ENDS_AND_BETWEEN)]
    for _ in range(2):
        basis = basis.resized(2 * basis.grid_size)
        kept.append(compiled(basis, ENDS_AND_BETWEEN))
    for old, new in pairwise(kept):
        np.testing.assert_array_equal(new[:, : old.shape[1]], old)
        assert new.shape[1] > old.shape[1]
        assert np.linalg.matrix_rank(new, tol=1e-12) == new.shape[1]


def test_bumps_remember_the_sizes_they_came_from_until_a_size_is_no_multiple() -> None:
    assert GaussianBasis(3).resized(6).resized(18) == GaussianBasis(18, (3, 6))
    assert GaussianBasis(18, (3, 6)).resized(20) == GaussianBasis(20)
    assert GaussianBasis(18, (3, 6)).resized(18) == GaussianBasis(18, (3, 6))
    assert ReluBasis(3, 2).resized(9) == ReluBasis(9, 2, (3,))


@pytest.mark.parametrize(
    ("basis", "num_functions"),
    [
        (PiecewiseLinearBasis(5), 6),
        (ChebyshevBasis(5), 6),
        (JacobiBasis(5), 6),
        (FourierBasis(5), 11),
        (GaussianBasis(5), 8),
        (GaussianBasis(20, (5, 10)), 23),
        (MexicanHatBasis(1), 4),
        (MexicanHatBasis(5), 12),
        (MexicanHatBasis(8), 21),
        (ReluBasis(5), 10),
        (ReluBasis(20, 4, (5, 10)), 26),
    ],
)
def test_the_number_of_functions_is_the_documented_one(basis: Basis, num_functions: int) -> None:
    assert basis.num_functions == num_functions
