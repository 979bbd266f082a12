"""What a family of basis functions offers to layers, optimizers and views.

Shape legend: P points, K basis functions.

A basis lives on the domain u ∈ [-1, 1], to which a layer maps the range of each source node, and continues linearly
outside: families define their functions on the domain alone, and the continuation is made here for all of them.
Every family comes twice: `inner_values` in plain torch, the reference, and compiled as `fill` and `fill_slopes`, which
write functions row by row so that samples lie next to each other in memory and whole vectors of them are computed at
once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numba import njit
from numpy.typing import NDArray
from torch import Tensor

from kan_core.bases.graph import GraphArray

FloatArray = NDArray[np.floating[Any]]
IndexArray = NDArray[np.int64]
Setting = str | int | float | list[Any]


class Basis(ABC):
    """A family of functions B_0 … B_{K-1} on [-1, 1], fixed in size; instances are immutable and hashable.

    `grid_size` G sets the resolution: K grows with it, and what it counts is the family's `size_word`.
    """

    name: str
    title: str
    size_word: str
    grid_size: int

    @property
    @abstractmethod
    def num_functions(self) -> int:
        """K, how many functions the basis has."""

    @abstractmethod
    def inner_values(self, u: Tensor) -> Tensor:
        """Return B_k(u), shape (..., K), for u of any shape within [-1, 1], differentiable by torch: the reference."""

    @abstractmethod
    def fill(self, u: FloatArray, values: FloatArray) -> None:
        """Write B_k(u) to `values` (K, P) for u (P,) within [-1, 1], compiled."""

    @abstractmethod
    def fill_slopes(self, u: FloatArray, slopes: FloatArray) -> None:
        """Write dB_k/du to `slopes` (K, P) for u (P,) within [-1, 1], compiled; one-sided at the ends."""

    @abstractmethod
    def initial_std(self, num_sources: int) -> FloatArray:
        """Return the standard deviations (K,) of the coefficients of a new layer with `num_sources` inputs."""

    @abstractmethod
    def grid(self, low: float, high: float) -> FloatArray:
        """Return the points that a person sees marked on the range [low, high]: knots, centres, or the ends alone."""

    @abstractmethod
    def resized(self, grid_size: int) -> Basis:
        """Return the family in another size; a whole multiple can represent all that this one can."""

    def is_start_of(self, other: Basis) -> bool:  # noqa: ARG002
        """Return whether these functions are the first ones of another basis, as they stand."""
        return False

    @abstractmethod
    def describe(self) -> str:
        """Return one sentence for a person who chooses a family."""

    @abstractmethod
    def source(self, module: str) -> list[str]:
        """Return Python statements that make `rows`, the list of B_k(u), of u within [-1, 1].

        `module` is "np" or "torch", and u an array or a tensor.
        """

    @abstractmethod
    def graph_values(self, u: GraphArray) -> GraphArray:
        """Return B_k(u), shape (..., K), in a graph, for u (..., 1) within [-1, 1]."""

    def settings(self) -> dict[str, Setting]:
        """Return what `make_basis` needs to make this basis again, ready for JSON."""
        return {"name": self.name, "grid_size": self.grid_size}

    def values(self, u: Tensor) -> Tensor:
        """Return B_k(u), shape (..., K), for any u, continued linearly outside [-1, 1], differentiable by torch."""
        inner = u.clamp(-1.0, 1.0)
        beyond = (u - inner).unsqueeze(-1)
        low, high = torch.from_numpy(end_slopes(self)).to(u)
        return self.inner_values(inner) + beyond * torch.where(beyond < 0, low, high)


@lru_cache(maxsize=256)
def end_slopes(basis: Basis) -> FloatArray:
    """Return dB_k/du at -1 and at 1, (2, K), float64."""
    slopes: FloatArray = np.empty((basis.num_functions, 2))
    basis.fill_slopes(np.array([-1.0, 1.0]), slopes)
    return np.ascontiguousarray(slopes.T)


@njit(cache=True, nogil=True, error_model="numpy")
def continue_linearly(u: FloatArray, slopes: FloatArray, values: FloatArray) -> None:
    """Add the linear continuation to `values` (K, P) where u (P,) lies outside.

    `slopes` (2, K), float64, are those at the ends: of local functions most are zero, and passed over.
    """
    one, zero = u.dtype.type(1.0), u.dtype.type(0.0)
    for k in range(values.shape[0]):
        low, high = u.dtype.type(slopes[0, k]), u.dtype.type(slopes[1, k])
        if low == zero and high == zero:
            continue
        row = values[k]
        for p in range(u.size):
            row[p] += low * min(u[p] + one, zero) + high * max(u[p] - one, zero)
