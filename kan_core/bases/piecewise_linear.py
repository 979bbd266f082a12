"""Hat functions, between whose points a curve is straight."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numba import njit
from torch import Tensor

from kan_core._checks import check_integer
from kan_core.bases.basis import Basis, FloatArray
from kan_core.bases.graph import GraphArray

MAX_GRID_SIZE = 1000


@dataclass(frozen=True, slots=True)
class PiecewiseLinearBasis(Basis):
    """The K = G + 1 hats max(0, 1 - |t - k|) at the points k = 0 … G of an even grid, with t = (u + 1) G / 2.

    A coefficient is the height of the curve at its point, and the hats sum to 1. They are B-splines of order 1. At a
    point, where the slope jumps, the derivative is that to the right, and at the last one that to the left. Raises
    SpecError when `grid_size` is out of bounds.
    """

    grid_size: int = 5

    name = "linear"
    title = "Piecewise linear"
    size_word = "intervals"

    def __post_init__(self) -> None:
        object.__setattr__(self, "grid_size", check_integer("grid_size", self.grid_size, low=1, high=MAX_GRID_SIZE))

    @property
    def num_functions(self) -> int:
        """K = G + 1."""
        return self.grid_size + 1

    def inner_values(self, u: Tensor) -> Tensor:
        """Return the hats, shape (..., K), by the interval of each point, which settles the slope at the kinks."""
        t = ((u + 1.0) * (self.grid_size / 2.0)).unsqueeze(-1)
        cell = t.detach().floor().clamp(0, self.grid_size - 1)
        hats = torch.arange(self.num_functions)
        part = t - cell
        return (hats == cell) * (1.0 - part) + (hats == cell + 1) * part

    def fill(self, u: FloatArray, values: FloatArray) -> None:
        """Write the hats to `values` (K, P) for u (P,) within [-1, 1]."""
        _fill(u, self.grid_size, values)

    def fill_slopes(self, u: FloatArray, slopes: FloatArray) -> None:
        """Write the slopes of the hats to `slopes` (K, P) for u (P,) within [-1, 1]."""
        _fill_slopes(u, self.grid_size, slopes)

    def initial_std(self, num_sources: int) -> FloatArray:
        """Return (n_in (K + 1))^-1.75 for every coefficient, as for B-splines, the power law of arXiv 2509.03417."""
        return np.full(self.num_functions, (num_sources * (self.num_functions + 1)) ** -1.75)

    def grid(self, low: float, high: float) -> FloatArray:
        """Return the G + 1 points on [low, high]."""
        return np.linspace(low, high, self.grid_size + 1)

    def resized(self, grid_size: int) -> PiecewiseLinearBasis:
        """Return another number of intervals; a whole multiple divides each of them."""
        return PiecewiseLinearBasis(grid_size)

    def source(self, module: str) -> list[str]:  # noqa: ARG002
        """Return the hats as Python."""
        return [
            f"t = (u + 1.0) * {self.grid_size / 2.0!r}",
            f"rows = [(1.0 - abs(t - k)).clip(0.0) for k in range({self.num_functions})]",
        ]

    def graph_values(self, u: GraphArray) -> GraphArray:
        """Return the hats, shape (..., K), in a graph."""
        distance = ((u + 1.0) * (self.grid_size / 2.0) - np.arange(float(self.num_functions))).apply("abs")
        return (distance * -1.0 + 1.0).at_least(0.0)

    def describe(self) -> str:
        """Return one sentence for a person who chooses a family."""
        return "Straight pieces between evenly spaced points: the simplest to read, with kinks that smooth laws lack."


@njit(cache=True, nogil=True, error_model="numpy")
def _fill(u: FloatArray, grid_size: int, values: FloatArray) -> None:
    number = u.dtype.type
    per_u, zero, one = number(grid_size / 2.0), number(0.0), number(1.0)
    for k in range(values.shape[0]):
        middle = number(k)
        row = values[k]
        for p in range(u.size):
            # max(NaN, 0) is NaN in this order
            row[p] = max(one - abs((u[p] + one) * per_u - middle), zero)


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_slopes(u: FloatArray, grid_size: int, slopes: FloatArray) -> None:
    number = u.dtype.type
    per_u, zero, one = number(grid_size / 2.0), number(0.0), number(1.0)
    for k in range(slopes.shape[0]):
        # the last point belongs to the interval before it, as if it lay further out
        start, middle = number(k - 1), number(k if k < grid_size else k + 1)
        end = number(k + 1 if k + 1 < grid_size else k + 2)
        row = slopes[k]
        for p in range(u.size):
            t = (u[p] + one) * per_u
            slope = per_u if t < middle else -per_u
            slope = slope if (t >= start) & (t < end) else zero
            row[p] = slope if t == t else t
