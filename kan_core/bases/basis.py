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

    @abstractmethod
    def describe(self) -> str:
        """Return one sentence for a person who chooses a family."""

    def settings(self) -> dict[str, Setting]:
        """Return what `make_basis` needs to make this basis again, ready for JSON."""
        return {"name": self.name, "grid_size": self.grid_size}

    def values(self, u: Tensor) -> Tensor:
        """Return B_k(u), shape (..., K), for any u, continued linearly outside [-1, 1], differentiable by torch."""
        inner = u.clamp(-1.0, 1.0)
        beyond = (u - inner).unsqueeze(-1)
        low, high = end_slopes(self).to(u.dtype)
        return self.inner_values(inner) + beyond * torch.where(beyond < 0, low, high)

    def evaluate(self, u: FloatArray, values: FloatArray) -> None:
        """Write the same numbers as `values` to `values` (K, P) for any u (P,), compiled."""
        inner = np.empty_like(u)
        if clamp(u, inner):
            self.fill(inner, values)
            continue_linearly(u, end_slopes(self).numpy().astype(u.dtype), values)
        else:
            self.fill(u, values)

    def evaluate_slopes(self, u: FloatArray, slopes: FloatArray) -> None:
        """Write the derivatives of `values` to `slopes` (K, P) for any u (P,), compiled."""
        inner = np.empty_like(u)
        clamp(u, inner)
        self.fill_slopes(inner, slopes)


@lru_cache(maxsize=256)
def end_slopes(basis: Basis) -> Tensor:
    """Return dB_k/du at -1 and at 1, (2, K), float64."""
    slopes = np.empty((basis.num_functions, 2))
    basis.fill_slopes(np.array([-1.0, 1.0]), slopes)
    return torch.from_numpy(slopes.T.copy())


@njit(cache=True, nogil=True, error_model="numpy")
def clamp(u: FloatArray, inner: FloatArray) -> bool:
    """Write u (P,) kept within [-1, 1] to `inner` and return whether any of it lay outside; NaN stays NaN."""
    one = u.dtype.type(1.0)
    outside = 0
    for p in range(u.size):
        point = u[p]
        outside += (point > one) | (point < -one)
        inner[p] = min(max(point, -one), one) if point == point else point
    return outside > 0


@njit(cache=True, nogil=True, error_model="numpy")
def continue_linearly(u: FloatArray, slopes: FloatArray, values: FloatArray) -> None:
    """Add the linear continuation to `values` (K, P) where u (P,) lies outside, of `slopes` (2, K) at the ends."""
    one = u.dtype.type(1.0)
    for p in range(u.size):
        point = u[p]
        if point > one:
            for k in range(values.shape[0]):
                values[k, p] += slopes[1, k] * (point - one)
        elif point < -one:
            for k in range(values.shape[0]):
                values[k, p] += slopes[0, k] * (point + one)
