"""Mexican-hat wavelets of several widths (Wav-KAN, Z. Bozorgasl and H. Chen, arXiv 2405.12832).

Wav-KAN trains one scale and one shift an edge, in which a curve is not linear. Here scales and shifts are fixed, halved
from level to level, as in the frames of I. Daubechies (Ten Lectures on Wavelets, 1992, section 3.3): with shifts one
scale apart the frame bounds of this wavelet differ by 12 percent only (table 3.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numba import njit
from torch import Tensor

from kan_core._checks import check_integer
from kan_core.bases.basis import Basis, FloatArray
from kan_core.bases.bumps import (
    NUM_LINEAR,
    Bumps,
    bump_source,
    fill_linear,
    fill_linear_slopes,
    graph_distances,
    graph_with_linear,
    with_linear,
)
from kan_core.bases.graph import GraphArray
from kan_core.bases.vector_math import exp

MAX_GRID_SIZE = 512


@dataclass(frozen=True, slots=True)
class MexicanHatBasis(Basis):
    """The functions 1, u and ψ((u - c) / a), ψ(t) = (1 - t²) exp(-t² / 2), on levels l = 0 … L = floor(log2 G).

    Level l has the scale a = 2 / 2^l and its centres c at the 2^l + 1 points that divide [-1, 1] evenly by that, so
    K = 2^(L+1) + L + 2. A `grid_size` G that is no power of two gives the functions of the one below it. Raises
    SpecError when it is out of bounds.
    """

    grid_size: int = 5

    name = "mexican_hat"
    title = "Mexican-hat wavelets"
    size_word = "intervals"

    def __post_init__(self) -> None:
        object.__setattr__(self, "grid_size", check_integer("grid_size", self.grid_size, low=1, high=MAX_GRID_SIZE))

    @property
    def num_levels(self) -> int:
        """L + 1, how many scales there are."""
        return self.grid_size.bit_length()

    @property
    def num_functions(self) -> int:
        """K = 2^(L+1) + L + 2: the functions 1 and u, and 2^l + 1 wavelets on each level."""
        return NUM_LINEAR + 2**self.num_levels - 1 + self.num_levels

    def inner_values(self, u: Tensor) -> Tensor:
        """Return 1, u and the wavelets, shape (..., K)."""
        square = _bumps(self, np.float64).distances(u).square()
        return with_linear(u, (1.0 - square) * torch.exp(-0.5 * square))

    def fill(self, u: FloatArray, values: FloatArray) -> None:
        """Write 1, u and the wavelets to `values` (K, P) for u (P,) within [-1, 1]."""
        bumps = _bumps(self, u.dtype.type)
        _fill(u, bumps.centres, bumps.per_u, values)

    def fill_slopes(self, u: FloatArray, slopes: FloatArray) -> None:
        """Write the derivatives to `slopes` (K, P) for u (P,) within [-1, 1]."""
        bumps = _bumps(self, u.dtype.type)
        _fill_slopes(u, bumps.centres, bumps.per_u, slopes)

    def initial_std(self, num_sources: int) -> FloatArray:
        """Return 1 / sqrt(3 n_in K): Wav-KAN's weights have 1 / sqrt(3 n_in), here shared among K functions."""
        return np.full(self.num_functions, (3.0 * num_sources * self.num_functions) ** -0.5)

    def grid(self, low: float, high: float) -> FloatArray:
        """Return the centres of the finest level on [low, high]."""
        return np.linspace(low, high, 2 ** (self.num_levels - 1) + 1)

    def resized(self, grid_size: int) -> MexicanHatBasis:
        """Return another size; a larger one has the same levels and finer ones."""
        return MexicanHatBasis(grid_size)

    def is_start_of(self, other: Basis) -> bool:
        """Return whether another basis of the family begins with these functions."""
        return isinstance(other, MexicanHatBasis) and other.num_levels >= self.num_levels

    def source(self, module: str) -> list[str]:
        """Return 1, u and the bumps as Python."""
        return bump_source(_bumps(self, np.float64), f"(1.0 - t**2) * {module}.exp(-0.5 * t**2)")

    def graph_values(self, u: GraphArray) -> GraphArray:
        """Return 1, u and the wavelets, shape (..., K), in a graph."""
        distances = graph_distances(u, _bumps(self, np.float64))
        square = distances * distances
        return graph_with_linear(u, (square * -1.0 + 1.0) * (square * -0.5).apply("exp"))

    def describe(self) -> str:
        """Return one sentence for a person who chooses a family."""
        return "Small waves in several widths: coarse ones carry the trend, and fine ones pick out local detail."


@lru_cache(maxsize=64)
def _bumps(basis: MexicanHatBasis, dtype: type[np.floating]) -> Bumps:
    sizes = [2**level for level in range(basis.num_levels)]
    centres = np.concatenate([np.linspace(-1.0, 1.0, size + 1) for size in sizes])
    per_u = np.concatenate([np.full(size + 1, size / 2.0) for size in sizes])
    return Bumps(centres, per_u).astype(dtype)


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _fill(u: FloatArray, centres: FloatArray, per_u: FloatArray, values: FloatArray) -> None:
    number = u.dtype.type
    one, half = number(1.0), number(-0.5)
    fill_linear(u, values)
    for m in range(centres.size):
        centre, scale = centres[m], per_u[m]
        row = values[NUM_LINEAR + m]
        for p in range(u.size):
            distance = (u[p] - centre) * scale
            square = distance * distance
            row[p] = (one - square) * exp(half * square)


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _fill_slopes(u: FloatArray, centres: FloatArray, per_u: FloatArray, slopes: FloatArray) -> None:
    number = u.dtype.type
    three, half = number(3.0), number(-0.5)
    fill_linear_slopes(u, slopes)
    for m in range(centres.size):
        centre, scale = centres[m], per_u[m]
        row = slopes[NUM_LINEAR + m]
        for p in range(u.size):
            distance = (u[p] - centre) * scale
            square = distance * distance
            row[p] = scale * distance * (square - three) * exp(half * square)
