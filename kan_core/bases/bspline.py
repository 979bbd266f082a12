"""Uniform B-splines of order 0 to 5.

Values and derivatives by the Cox-de Boor recursion (C. de Boor, A Practical Guide to Splines, 1978, ch. X; L. Piegl and
W. Tiller, The NURBS Book, algorithm A2.2), which on uniform knots divides by the degree alone. Cubic
splines, the usual ones, have their four polynomials written out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numba import njit
from torch import Tensor

from kan_core._checks import check_integer
from kan_core.bases.basis import Basis, BasisRows, FloatArray, IndexArray

MAX_ORDER = 5
MAX_GRID_SIZE = 1000


@dataclass(frozen=True, slots=True)
class BSplineBasis(Basis):
    """G + k B-splines of order k (the polynomial degree) on G equal intervals of [-1, 1].

    The 2k outer knots continue the grid evenly beyond the domain, so the functions sum to 1 on all of [-1, 1].
    Raises SpecError when `grid_size` or `order` is out of bounds.
    """

    grid_size: int = 5
    order: int = 3

    name = "bspline"
    title = "B-splines"

    def __post_init__(self) -> None:
        check_integer("grid_size", self.grid_size, low=1, high=MAX_GRID_SIZE)
        check_integer("order", self.order, low=0, high=MAX_ORDER)

    @property
    def num_functions(self) -> int:
        """K = G + k."""
        return self.grid_size + self.order

    @property
    def window(self) -> int:
        """W = k + 1."""
        return self.order + 1

    def values(self, u: Tensor) -> Tensor:
        """Return B_k(u), shape (..., K): the recursion over all knots, continued linearly outside [-1, 1]."""
        inner = u.clamp(-1.0, 1.0)
        functions = self._recursion(inner, self.order)
        if self.order == 0:
            return functions
        lower = self._recursion(inner, self.order - 1)
        slopes = (lower[..., :-1] - lower[..., 1:]) * (self.grid_size / 2.0)
        return functions + slopes * (u - inner).unsqueeze(-1)

    def _recursion(self, u: Tensor, order: int) -> Tensor:
        """Return the functions of a lower order on this basis' knots, shape (..., G + 2k - order) for u in [-1, 1]."""
        position = (u + 1.0) * (self.grid_size / 2.0)
        cell = position.detach().floor().clamp(0, self.grid_size - 1)
        knots = torch.arange(-self.order, self.grid_size + self.order, device=u.device, dtype=u.dtype)
        functions = (cell.unsqueeze(-1) == knots).to(u.dtype)
        for degree in range(1, order + 1):
            starts = knots[: knots.numel() - degree]
            left = (position.unsqueeze(-1) - starts) / degree
            right = (starts + degree + 1 - position.unsqueeze(-1)) / degree
            functions = left * functions[..., :-1] + right * functions[..., 1:]
        return functions

    def rows(self, u: FloatArray) -> BasisRows:
        """Return the k + 1 functions that are non-zero at each u (B, I)."""
        shape = (*u.shape, self.window)
        starts: IndexArray = np.empty(u.shape, dtype=np.int64)
        values: FloatArray = np.empty(shape, dtype=u.dtype)
        derivatives: FloatArray = np.empty(shape, dtype=u.dtype)
        if self.order == 3:
            _fill_cubic_rows(u, self.grid_size, starts, values, derivatives)
        else:
            _fill_rows(u, self.grid_size, self.order, starts, values, derivatives)
        return BasisRows(starts, values, derivatives)

    def grid(self, low: float, high: float) -> FloatArray:
        """Return the G + 1 points of the grid on [low, high]."""
        return np.linspace(low, high, self.grid_size + 1)

    def knots(self, low: float, high: float) -> FloatArray:
        """Return the G + 2k + 1 knots on the range [low, high]."""
        spacing = (high - low) / self.grid_size
        return low + spacing * np.arange(-self.order, self.grid_size + self.order + 1)

    def resized(self, grid_size: int) -> BSplineBasis:
        """Return the same order on another grid size."""
        return BSplineBasis(grid_size, self.order)

    def describe(self) -> str:
        """Return one sentence for a person who chooses a family."""
        return "Piecewise polynomials joined smoothly at the grid points: each coefficient moves the curve only nearby."


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_rows(
    u: FloatArray, grid_size: int, order: int, starts: IndexArray, values: FloatArray, derivatives: FloatArray
) -> None:
    num_samples, num_sources = u.shape
    per_u = u.dtype.type(grid_size / 2.0)
    one = u.dtype.type(1.0)
    zero = u.dtype.type(0.0)
    for b in range(num_samples):
        for i in range(num_sources):
            point = u[b, i]
            inner = min(max(point, -one), one)
            position = (inner + one) * per_u
            # NaN compares false with everything: it takes cell 0 and its values are NaN
            cell = int(position) if position >= zero else 0
            cell = min(cell, grid_size - 1)
            t = position - u.dtype.type(cell)
            starts[b, i] = cell
            row = values[b, i]
            slopes = derivatives[b, i]
            row[0] = one if position == position else position
            slopes[0] = zero
            for degree in range(1, order + 1):
                if degree == order:
                    slopes[0] = -row[0] * per_u
                    for r in range(1, order):
                        slopes[r] = (row[r - 1] - row[r]) * per_u
                    slopes[order] = row[order - 1] * per_u
                saved = zero
                share = one / u.dtype.type(degree)
                for r in range(degree):
                    part = row[r] * share
                    row[r] = saved + (u.dtype.type(r + 1) - t) * part
                    saved = (t + u.dtype.type(degree - 1 - r)) * part
                row[degree] = saved
            beyond = point - inner
            if beyond != zero:
                for r in range(order + 1):
                    row[r] += slopes[r] * beyond


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_cubic_rows(
    u: FloatArray, grid_size: int, starts: IndexArray, values: FloatArray, derivatives: FloatArray
) -> None:
    number = u.dtype.type
    per_u = number(grid_size / 2.0)
    zero, half, one, last = number(0.0), number(0.5), number(1.0), number(grid_size - 1)
    sixth, two_thirds = number(1.0 / 6.0), number(2.0 / 3.0)
    points, cells, rows, slopes = u.reshape(-1), starts.reshape(-1), values.reshape(-1, 4), derivatives.reshape(-1, 4)
    # a position without sign spares the compiler a look at every index for one from the end
    for n in range(np.uint64(points.size)):
        point = points[n]
        inner = min(max(point, -one), one)
        position = (inner + one) * per_u
        # NaN compares false with everything: it takes cell 0 and its values are NaN
        cell = np.floor(min(position, last)) if position >= zero else zero
        t = position - cell
        left = one - t
        cells[n] = int(cell)
        row, slope = rows[n], slopes[n]
        slope[0], slope[3] = -half * left * left * per_u, half * t * t * per_u
        slope[1] = (number(1.5) * t - number(2.0)) * t * per_u
        slope[2] = (half + t * (one - number(1.5) * t)) * per_u
        row[0], row[3] = left * left * left * sixth, t * t * t * sixth
        row[1] = two_thirds - t * t * (one - half * t)
        row[2] = two_thirds - left * left * (one - half * left)
        beyond = point - inner
        if beyond != zero:
            for w in range(4):
                row[w] += slope[w] * beyond
