"""What a family of basis functions offers to layers, optimizers and views.

Shape legend: B samples, I sources, K basis functions, W window.

A basis lives on the domain u ∈ [-1, 1], to which a layer maps the range of each source node, and continues linearly
outside. At any point at most `window` consecutive functions are non-zero, which is what the fused kernels rely on; a
dense family has a window of all its functions.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

FloatArray = NDArray[np.floating[Any]]
IndexArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class BasisRows:
    """The non-zero basis functions at given points.

    `starts` (B, I) is the index of the first of them, `values` and `derivatives` (B, I, W) are B_k(u) and dB_k/du.
    """

    starts: IndexArray
    values: FloatArray
    derivatives: FloatArray


class Basis(ABC):
    """A family of functions B_0 … B_{K-1} on [-1, 1], fixed in size."""

    name: str
    title: str

    @property
    @abstractmethod
    def num_functions(self) -> int:
        """K, how many functions the basis has."""

    @property
    @abstractmethod
    def window(self) -> int:
        """W, how many consecutive functions can be non-zero at a point."""

    @abstractmethod
    def values(self, u: Tensor) -> Tensor:
        """Return B_k(u), shape (..., K) for u of any shape, differentiable by torch: the reference."""

    @abstractmethod
    def rows(self, u: FloatArray) -> BasisRows:
        """Return the windows at u (B, I), compiled: the same numbers as `values`, and their derivatives."""

    @abstractmethod
    def grid(self, low: float, high: float) -> FloatArray:
        """Return the points between which the family's pieces lie, on the range [low, high]."""

    @abstractmethod
    def resized(self, grid_size: int) -> Basis:
        """Return the same family with another grid size."""

    @abstractmethod
    def describe(self) -> str:
        """Return one sentence for a person who chooses a family."""
