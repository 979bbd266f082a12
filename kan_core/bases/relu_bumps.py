"""Bumps made of squared rectifiers (Q. Qiu et al., ReLU-KAN, arXiv 2406.02075, equation 6)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numba import njit
from torch import Tensor

from kan_core._checks import check_integer
from kan_core.bases.basis import Basis, FloatArray, Setting
from kan_core.bases.bumps import (
    NUM_LINEAR,
    Bumps,
    bump_source,
    check_coarser,
    coarser_than,
    fill_linear,
    fill_linear_slopes,
    graph_distances,
    graph_with_linear,
    refined,
    with_linear,
)
from kan_core.bases.graph import GraphArray

MAX_ORDER = 5
MAX_GRID_SIZE = 1000


@dataclass(frozen=True, slots=True)
class ReluBasis(Basis):
    """The functions 1, u and G + k bumps [ReLU(e - u) ReLU(u - s)]² 16 / (e - s)^4: K = G + k + 2.

    Each bump spans k + 1 of the G intervals of [-1, 1], from s to e, and the outermost ones reach k intervals beyond.
    With t the distance from its middle in half spans it is max(1 - t², 0)². `order` is k. All are polynomials of degree
    4 between points, so on very few intervals, as G = 1 with k = 3, they depend on one another.

    A basis that was refined keeps its old bumps: `coarser` are its earlier sizes, and each later size adds bumps that
    span k + 1 of its own intervals around the points it adds to the grid. These are as many as the intervals it adds,
    so K does not depend on `coarser`. Raises SpecError when `grid_size` or `order` is out of bounds or a size in
    `coarser` does not divide the next.
    """

    grid_size: int = 5
    order: int = 3
    coarser: tuple[int, ...] = ()

    name = "relu"
    title = "Squared ReLU bumps"
    size_word = "intervals"

    def __post_init__(self) -> None:
        object.__setattr__(self, "grid_size", check_integer("grid_size", self.grid_size, low=1, high=MAX_GRID_SIZE))
        object.__setattr__(self, "order", check_integer("order", self.order, low=1, high=MAX_ORDER))
        check_coarser(self.coarser, self.grid_size)

    @property
    def num_functions(self) -> int:
        """K = G + k + 2."""
        return NUM_LINEAR + self.grid_size + self.order

    def inner_values(self, u: Tensor) -> Tensor:
        """Return 1, u and the bumps, shape (..., K)."""
        distances = _bumps(self, np.float64).distances(u)
        return with_linear(u, torch.relu(1.0 - distances.square()).square())

    def fill(self, u: FloatArray, values: FloatArray) -> None:
        """Write 1, u and the bumps to `values` (K, P) for u (P,) within [-1, 1]."""
        bumps = _bumps(self, u.dtype.type)
        _fill(u, bumps.centres, bumps.per_u, values)

    def fill_slopes(self, u: FloatArray, slopes: FloatArray) -> None:
        """Write the derivatives to `slopes` (K, P) for u (P,) within [-1, 1]."""
        bumps = _bumps(self, u.dtype.type)
        _fill_slopes(u, bumps.centres, bumps.per_u, slopes)

    def initial_std(self, num_sources: int) -> FloatArray:
        """Return 1 / sqrt(3 n_in K), what torch gives the convolution that holds ReLU-KAN's coefficients."""
        return np.full(self.num_functions, (3.0 * num_sources * self.num_functions) ** -0.5)

    def grid(self, low: float, high: float) -> FloatArray:
        """Return the G + 1 points between the intervals on [low, high]."""
        return np.linspace(low, high, self.grid_size + 1)

    def resized(self, grid_size: int) -> ReluBasis:
        """Return another number of intervals; a whole multiple keeps the old bumps and adds narrower ones."""
        return ReluBasis(grid_size, self.order, coarser_than(grid_size, self.grid_size, self.coarser))

    def settings(self) -> dict[str, Setting]:
        """Return what `make_basis` needs to make this basis again."""
        given: dict[str, Setting] = {"name": self.name, "grid_size": self.grid_size, "order": self.order}
        return {**given, "coarser": list(self.coarser)} if self.coarser else given

    def is_start_of(self, other: Basis) -> bool:
        """Return whether another basis of the family begins with these functions."""
        return isinstance(other, ReluBasis) and (
            self.order == other.order and self._sizes == other._sizes[: len(self._sizes)]
        )

    @property
    def _sizes(self) -> tuple[int, ...]:
        return (*self.coarser, self.grid_size)

    def source(self, module: str) -> list[str]:  # noqa: ARG002
        """Return 1, u and the bumps as Python."""
        return bump_source(_bumps(self, np.float64), "(1.0 - t**2).clip(0.0) ** 2")

    def graph_values(self, u: GraphArray) -> GraphArray:
        """Return 1, u and the bumps, shape (..., K), in a graph."""
        distances = graph_distances(u, _bumps(self, np.float64))
        heights = (distances * distances * -1.0 + 1.0).at_least(0.0)
        return graph_with_linear(u, heights * heights)

    def describe(self) -> str:
        """Return one sentence for a person who chooses a family."""
        return "Bumps of a few multiplications that end at zero: quick, local and smooth to the first derivative."


@lru_cache(maxsize=64)
def _bumps(basis: ReluBasis, dtype: type[np.floating]) -> Bumps:
    sizes = (*basis.coarser, basis.grid_size)
    half_span = (basis.order + 1) / 2.0
    first = (np.arange(sizes[0] + basis.order) - basis.order + half_span) * (2.0 / sizes[0]) - 1.0
    return refined(first, sizes, half_span).astype(dtype)


@njit(cache=True, nogil=True, error_model="numpy")
def _fill(u: FloatArray, centres: FloatArray, per_u: FloatArray, values: FloatArray) -> None:
    number = u.dtype.type
    zero, one = number(0.0), number(1.0)
    fill_linear(u, values)
    for m in range(centres.size):
        centre, scale = centres[m], per_u[m]
        row = values[NUM_LINEAR + m]
        for p in range(u.size):
            distance = (u[p] - centre) * scale
            # max(NaN, 0) is NaN in this order
            height = max(one - distance * distance, zero)
            row[p] = height * height


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_slopes(u: FloatArray, centres: FloatArray, per_u: FloatArray, slopes: FloatArray) -> None:
    number = u.dtype.type
    zero, one = number(0.0), number(1.0)
    fill_linear_slopes(u, slopes)
    for m in range(centres.size):
        centre, scale = centres[m], per_u[m]
        factor = number(-4.0) * scale
        row = slopes[NUM_LINEAR + m]
        for p in range(u.size):
            distance = (u[p] - centre) * scale
            row[p] = factor * distance * max(one - distance * distance, zero)
