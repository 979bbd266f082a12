"""Gaussian bumps, the radial basis functions of FastKAN (Z. Li, arXiv 2405.06721)."""

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
from kan_core.bases.vector_math import exp

MAX_GRID_SIZE = 1000


@dataclass(frozen=True, slots=True)
class GaussianBasis(Basis):
    """The functions 1, u and exp(-((u - c) / h)²) at G + 1 even points c of [-1, 1], h = 2 / G: K = G + 3.

    A basis that was refined keeps its old bumps: `coarser` are its earlier sizes, and only points that a size adds have
    bumps of that size's h, so K does not depend on it. Raises SpecError when `grid_size` is out of bounds or a size in
    `coarser` does not divide the next.
    """

    grid_size: int = 5
    coarser: tuple[int, ...] = ()

    name = "gaussian"
    title = "Gaussian bumps"
    size_word = "intervals"

    def __post_init__(self) -> None:
        object.__setattr__(self, "grid_size", check_integer("grid_size", self.grid_size, low=1, high=MAX_GRID_SIZE))
        check_coarser(self.coarser, self.grid_size)

    @property
    def num_functions(self) -> int:
        """K = G + 3."""
        return NUM_LINEAR + self.grid_size + 1

    def inner_values(self, u: Tensor) -> Tensor:
        """Return 1, u and the bumps, shape (..., K)."""
        return with_linear(u, torch.exp(-_bumps(self, np.float64).distances(u).square()))

    def fill(self, u: FloatArray, values: FloatArray) -> None:
        """Write 1, u and the bumps to `values` (K, P) for u (P,) within [-1, 1]."""
        bumps = _bumps(self, u.dtype.type)
        _fill(u, bumps.centres, bumps.per_u, values)

    def fill_slopes(self, u: FloatArray, slopes: FloatArray) -> None:
        """Write the derivatives to `slopes` (K, P) for u (P,) within [-1, 1]."""
        bumps = _bumps(self, u.dtype.type)
        _fill_slopes(u, bumps.centres, bumps.per_u, slopes)

    def initial_std(self, num_sources: int) -> FloatArray:  # noqa: ARG002
        """Return 0.1 for every coefficient, as FastKAN has it whatever the number of inputs."""
        return np.full(self.num_functions, 0.1)

    def grid(self, low: float, high: float) -> FloatArray:
        """Return the G + 1 centres on [low, high]."""
        return np.linspace(low, high, self.grid_size + 1)

    def resized(self, grid_size: int) -> GaussianBasis:
        """Return another number of intervals; a whole multiple keeps the old bumps and adds narrower ones."""
        return GaussianBasis(grid_size, coarser_than(grid_size, self.grid_size, self.coarser))

    def settings(self) -> dict[str, Setting]:
        """Return what `make_basis` needs to make this basis again."""
        given: dict[str, Setting] = {"name": self.name, "grid_size": self.grid_size}
        return {**given, "coarser": list(self.coarser)} if self.coarser else given

    def is_start_of(self, other: Basis) -> bool:
        """Return whether another basis of the family begins with these functions."""
        return isinstance(other, GaussianBasis) and self._sizes == other._sizes[: len(self._sizes)]

    @property
    def _sizes(self) -> tuple[int, ...]:
        return (*self.coarser, self.grid_size)

    def source(self, module: str) -> list[str]:
        """Return 1, u and the bumps as Python."""
        return bump_source(_bumps(self, np.float64), f"{module}.exp(-(t**2))")

    def graph_values(self, u: GraphArray) -> GraphArray:
        """Return 1, u and the bumps, shape (..., K), in a graph."""
        distances = graph_distances(u, _bumps(self, np.float64))
        return graph_with_linear(u, (distances * distances * -1.0).apply("exp"))

    def describe(self) -> str:
        """Return one sentence for a person who chooses a family."""
        return "Bell curves side by side: infinitely smooth, and each coefficient moves the curve mostly nearby."


@lru_cache(maxsize=64)
def _bumps(basis: GaussianBasis, dtype: type[np.floating]) -> Bumps:
    sizes = (*basis.coarser, basis.grid_size)
    return refined(np.linspace(-1.0, 1.0, sizes[0] + 1), sizes, 1.0).astype(dtype)


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _fill(u: FloatArray, centres: FloatArray, per_u: FloatArray, values: FloatArray) -> None:
    fill_linear(u, values)
    for m in range(centres.size):
        centre, scale = centres[m], per_u[m]
        row = values[NUM_LINEAR + m]
        for p in range(u.size):
            distance = (u[p] - centre) * scale
            row[p] = exp(-distance * distance)


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _fill_slopes(u: FloatArray, centres: FloatArray, per_u: FloatArray, slopes: FloatArray) -> None:
    fill_linear_slopes(u, slopes)
    for m in range(centres.size):
        centre, scale = centres[m], per_u[m]
        twice = u.dtype.type(-2.0) * scale
        row = slopes[NUM_LINEAR + m]
        for p in range(u.size):
            distance = (u[p] - centre) * scale
            row[p] = twice * distance * exp(-distance * distance)
