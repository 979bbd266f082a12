"""Chebyshev polynomials of the first kind (J. C. Mason and D. C. Handscomb, Chebyshev Polynomials, 2003, ch. 1 and 2).

ChebyKAN (arXiv 2405.07200) computes them as cos(n arccos u), whose derivative is not finite at the ends; the recursion
is exact there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from torch import Tensor

from kan_core._checks import check_integer
from kan_core.bases.basis import Basis, FloatArray
from kan_core.bases.graph import GraphArray
from kan_core.bases.polynomials import (
    fill_recursion,
    fill_recursion_slopes,
    recursion_graph,
    recursion_source,
    recursion_values,
    rescaled,
)

MAX_DEGREE = 100


@dataclass(frozen=True, slots=True)
class ChebyshevBasis(Basis):
    """The K = G + 1 polynomials T_0 … T_G: T_0 = 1, T_1 = u, T_n = 2 u T_{n-1} - T_{n-2}.

    `grid_size` G is the degree. Derivatives are T_n' = n U_{n-1} with the polynomials of the second kind, which have
    the same recursion from U_0 = 1, U_1 = 2 u. Raises SpecError when `grid_size` is out of bounds.
    """

    grid_size: int = 5

    name = "chebyshev"
    title = "Chebyshev polynomials"
    size_word = "degree"

    def __post_init__(self) -> None:
        object.__setattr__(self, "grid_size", check_integer("grid_size", self.grid_size, low=1, high=MAX_DEGREE))

    @property
    def num_functions(self) -> int:
        """K = G + 1."""
        return self.grid_size + 1

    def inner_values(self, u: Tensor) -> Tensor:
        """Return T_n(u), shape (..., K)."""
        return recursion_values(u, _value_steps(self.grid_size, np.float64))

    def fill(self, u: FloatArray, values: FloatArray) -> None:
        """Write T_n(u) to `values` (K, P) for u (P,) within [-1, 1]."""
        fill_recursion(u, _value_steps(self.grid_size, u.dtype.type), values)

    def fill_slopes(self, u: FloatArray, slopes: FloatArray) -> None:
        """Write dT_n/du to `slopes` (K, P) for u (P,) within [-1, 1]."""
        fill_recursion_slopes(u, _slope_steps(self.grid_size, u.dtype.type), slopes)

    def initial_std(self, num_sources: int) -> FloatArray:
        """Return 1 / sqrt(n_in (G + 1)) for every coefficient, so that the sum over n_in curves is of order 1.

        ChebyKAN (arXiv 2405.07200) has 1 / (n_in (G + 1)), under which the signals of wide networks fade.
        """
        return np.full(self.num_functions, (num_sources * self.num_functions) ** -0.5)

    def grid(self, low: float, high: float) -> FloatArray:
        """Return the two ends: every function lives on all of the range."""
        return np.array([low, high])

    def resized(self, grid_size: int) -> ChebyshevBasis:
        """Return another degree; a higher one contains all functions of a lower one."""
        return ChebyshevBasis(grid_size)

    def is_start_of(self, other: Basis) -> bool:
        """Return whether another basis of the family begins with these functions."""
        return isinstance(other, ChebyshevBasis) and other.grid_size >= self.grid_size

    def source(self, module: str) -> list[str]:  # noqa: ARG002
        """Return the recursion as Python."""
        return recursion_source(_value_steps(self.grid_size, np.float64))

    def graph_values(self, u: GraphArray) -> GraphArray:
        """Return T_n(u), shape (..., K), in a graph."""
        return recursion_graph(u, _value_steps(self.grid_size, np.float64))

    def describe(self) -> str:
        """Return one sentence for a person who chooses a family."""
        return "Polynomials that ripple evenly between -1 and 1: few coefficients suffice for a smooth curve."


@lru_cache(maxsize=64)
def _value_steps(degree: int, dtype: type[np.floating]) -> FloatArray:
    steps = np.tile([2.0, 0.0, 1.0], (degree + 1, 1))
    steps[:2] = [[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]][: degree + 1]
    return steps.astype(dtype)


@lru_cache(maxsize=64)
def _slope_steps(degree: int, dtype: type[np.floating]) -> FloatArray:
    second_kind = np.tile([2.0, 0.0, 1.0], (degree, 1))
    second_kind[0] = [1.0, 0.0, 0.0]
    return rescaled(second_kind, np.arange(1.0, degree + 1.0)).astype(dtype)
