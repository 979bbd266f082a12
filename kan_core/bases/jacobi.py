"""Jacobi polynomials, of which Legendre's are the case α = β = 0 (NIST Digital Library of Mathematical Functions,
https://dlmf.nist.gov/18, sections 18.5, 18.9).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from torch import Tensor

from kan_core._checks import check_integer, check_number
from kan_core.bases.basis import Basis, FloatArray, Setting
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
MAX_EXPONENT = 10.0


def check_exponent(name: str, value: object) -> float:
    """Return `alpha` or `beta` as a float above -1, at most 10; raises SpecError otherwise."""
    return check_number(name, value, low=-1.0, high=MAX_EXPONENT, above=True)


@dataclass(frozen=True, slots=True)
class JacobiBasis(Basis):
    """The K = G + 1 polynomials P_n^(α,β) / s_n of degree n = 0 … G, orthogonal under (1 - u)^α (1 + u)^β.

    `grid_size` G is the degree; `alpha` and `beta` are above -1 and at most 10. P_n^(α,β)(1) grows like n^α, so each
    function is divided by the number s_n that makes its mean square over [-1, 1] that of Legendre's polynomial,
    1 / (2n + 1): s_n = 1 for α = β = 0, and no function exceeds (n + 1) / sqrt(2n + 1) anywhere, whatever α and β.
    Derivatives are (n + α + β + 1) / 2 P_{n-1}^(α+1,β+1) / s_n. Raises SpecError when a setting is out of bounds.
    """

    grid_size: int = 5
    alpha: float = 0.0
    beta: float = 0.0

    name = "jacobi"
    title = "Legendre / Jacobi"
    size_word = "degree"

    def __post_init__(self) -> None:
        object.__setattr__(self, "grid_size", check_integer("grid_size", self.grid_size, low=1, high=MAX_DEGREE))
        for name in ("alpha", "beta"):
            object.__setattr__(self, name, check_exponent(name, getattr(self, name)))

    @property
    def num_functions(self) -> int:
        """K = G + 1."""
        return self.grid_size + 1

    def inner_values(self, u: Tensor) -> Tensor:
        """Return P_n(u) / s_n, shape (..., K)."""
        return recursion_values(u, _value_steps(self, np.float64))

    def fill(self, u: FloatArray, values: FloatArray) -> None:
        """Write P_n(u) / s_n to `values` (K, P) for u (P,) within [-1, 1]."""
        fill_recursion(u, _value_steps(self, u.dtype.type), values)

    def fill_slopes(self, u: FloatArray, slopes: FloatArray) -> None:
        """Write the derivatives to `slopes` (K, P) for u (P,) within [-1, 1]."""
        fill_recursion_slopes(u, _slope_steps(self, u.dtype.type), slopes)

    def initial_std(self, num_sources: int) -> FloatArray:
        """Return 1 / sqrt(n_in (G + 1)) for every coefficient, as for Chebyshev polynomials."""
        return np.full(self.num_functions, (num_sources * self.num_functions) ** -0.5)

    def grid(self, low: float, high: float) -> FloatArray:
        """Return the two ends: every function lives on all of the range."""
        return np.array([low, high])

    def resized(self, grid_size: int) -> JacobiBasis:
        """Return another degree; a higher one contains all functions of a lower one."""
        return JacobiBasis(grid_size, self.alpha, self.beta)

    def settings(self) -> dict[str, Setting]:
        """Return what `make_basis` needs to make this basis again."""
        return {"name": self.name, "grid_size": self.grid_size, "alpha": self.alpha, "beta": self.beta}

    def is_start_of(self, other: Basis) -> bool:
        """Return whether another basis of the family begins with these functions."""
        return isinstance(other, JacobiBasis) and (
            other.grid_size >= self.grid_size and (other.alpha, other.beta) == (self.alpha, self.beta)
        )

    def source(self, module: str) -> list[str]:  # noqa: ARG002
        """Return the recursion as Python."""
        return recursion_source(_value_steps(self, np.float64))

    def graph_values(self, u: GraphArray) -> GraphArray:
        """Return P_n(u) / s_n, shape (..., K), in a graph."""
        return recursion_graph(u, _value_steps(self, np.float64))

    def describe(self) -> str:
        """Return one sentence for a person who chooses a family."""
        return "Polynomials that are orthogonal on the range, so that each coefficient says something of its own."


def _classic_steps(degree: int, alpha: float, beta: float) -> FloatArray:
    """Return the recursion (degree + 1, 3) of P_n^(α,β) itself (DLMF 18.9.2)."""
    total = alpha + beta
    steps = np.zeros((degree + 1, 3))
    steps[0, 0] = 1.0
    # the general step divides by α + β, which may be 0, at n = 1
    steps[1:2, :2] = [(total + 2.0) / 2.0, (alpha - beta) / 2.0]
    n = np.arange(2.0, degree + 1.0)
    twice = 2.0 * n + total
    divisor = 2.0 * n * (n + total) * (twice - 2.0)
    steps[2:, 0] = (twice - 1.0) * twice * (twice - 2.0) / divisor
    steps[2:, 1] = (twice - 1.0) * (alpha - beta) * total / divisor
    steps[2:, 2] = 2.0 * (n + alpha - 1.0) * (n + beta - 1.0) * twice / divisor
    return steps


@lru_cache(maxsize=64)
def _sizes(basis: JacobiBasis) -> FloatArray:
    """Return s_n (K,); Gauss-Legendre quadrature of K nodes is exact for the squares."""
    nodes, weights = np.polynomial.legendre.leggauss(basis.num_functions)
    values = np.empty((basis.num_functions, basis.num_functions))
    fill_recursion(nodes, _classic_steps(basis.grid_size, basis.alpha, basis.beta), values)
    mean_squares = values**2 @ weights / 2.0
    return np.sqrt(mean_squares * (2.0 * np.arange(basis.num_functions) + 1.0))


@lru_cache(maxsize=64)
def _value_steps(basis: JacobiBasis, dtype: type[np.floating]) -> FloatArray:
    return rescaled(_classic_steps(basis.grid_size, basis.alpha, basis.beta), 1.0 / _sizes(basis)).astype(dtype)


@lru_cache(maxsize=64)
def _slope_steps(basis: JacobiBasis, dtype: type[np.floating]) -> FloatArray:
    n = np.arange(1.0, basis.num_functions)
    factors = (n + basis.alpha + basis.beta + 1.0) / 2.0 / _sizes(basis)[1:]
    return rescaled(_classic_steps(basis.grid_size - 1, basis.alpha + 1.0, basis.beta + 1.0), factors).astype(dtype)
