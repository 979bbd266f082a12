"""The best coefficients of a basis for given values, the work behind every change of a grid.

Shape legend: K basis functions, P points, N functions to meet.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import torch
from scipy.interpolate import make_lsq_spline
from torch import Tensor

from kan_core.bases import Basis, BSplineBasis
from kan_core.bases.basis import FloatArray, continue_linearly, end_slopes
from kan_core.caches import keep_bytes

POINTS_PER_FUNCTION = 8
# singular values, as shares of the largest, below which combinations of functions are left out: all but rounding where
# a function must be met, more where nearly dependent functions would get large coefficients of opposite sign
EXACT, CALM = 1e-12, 1e-7
# from here on the few functions of a spline that reach a point are told apart from the many that do not
MANY_FUNCTIONS = 100
COLUMNS_TOGETHER = 64
# two matrices of the finest grid
MAX_KEPT_BYTES = 144 * 2**20


def fit_points(num_points: int) -> Tensor:
    """Return Chebyshev-Lobatto points on [-1, 1]: they take in both ends, where a spline is least constrained."""
    return -torch.cos(torch.linspace(0, torch.pi, num_points, dtype=torch.float64))


def fit_coefficients(basis: Basis, function: Callable[[Tensor], Tensor]) -> Tensor:
    """Return the coefficients (K,) of the basis' best approximation to a function on its domain, float64."""
    points = fit_points(POINTS_PER_FUNCTION * basis.num_functions)
    return best_coefficients(basis, function(points).unsqueeze(1), rtol=EXACT)[:, 0]


def best_coefficients(basis: Basis, values: Tensor, *, rtol: float) -> Tensor:
    """Return the coefficients (K, N) that come nearest to `values` (P, N) at `fit_points`, in least squares, float64.

    Combinations of functions whose singular value is under `rtol` of the largest are left out; B-splines have none.
    """
    if isinstance(basis, BSplineBasis) and is_banded(basis):
        return _spline_coefficients(basis, values)
    return pseudoinverse(basis, len(values), rtol) @ values


def is_banded(basis: Basis) -> bool:
    """Return whether the equations of a basis are solved as a band: of large splines, and of those with own breaks.

    That takes no large matrix, which could be kept for others only where many sources have the same basis.
    """
    if not isinstance(basis, BSplineBasis):
        return False
    return not basis.is_uniform or basis.num_functions > MANY_FUNCTIONS


@keep_bytes(MAX_KEPT_BYTES)
def pseudoinverse(basis: Basis, num_points: int, rtol: float) -> Tensor:
    """Return the matrix (K, P) that makes coefficients of a function's values at the fit points, float64."""
    return torch.linalg.pinv(point_values(basis, fit_points(num_points)), rtol=rtol)


@lru_cache(maxsize=32)
def constant_one(basis: Basis) -> Tensor:
    """Return the coefficients (K,) of the function 1, float64."""
    return fit_coefficients(basis, torch.ones_like)


def point_values(basis: Basis, u: Tensor) -> Tensor:
    """Return B_k(u), shape (P, K), for any u (P,), float64; of many functions without large temporary arrays."""
    if basis.num_functions <= MANY_FUNCTIONS:
        return basis.values(u)
    points: FloatArray = u.numpy()
    values = np.empty((basis.num_functions, len(points)))
    basis.fill(np.clip(points, -1.0, 1.0), values)
    continue_linearly(points, end_slopes(basis), values)
    return torch.from_numpy(values).T


def _spline_coefficients(basis: BSplineBasis, values: Tensor) -> Tensor:
    points, knots = fit_points(len(values)).numpy(), basis.knots(-1.0, 1.0)
    found = np.empty((basis.num_functions, values.shape[1]))
    for start in range(0, values.shape[1], COLUMNS_TOGETHER):
        chosen = slice(start, start + COLUMNS_TOGETHER)
        wanted = np.ascontiguousarray(values[:, chosen].numpy())
        found[:, chosen] = make_lsq_spline(points, wanted, knots, basis.order).c
    return torch.from_numpy(found)
