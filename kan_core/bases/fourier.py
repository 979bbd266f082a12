"""Cosines and sines of half periods.

FourierKAN (J. Xu et al., arXiv 2406.01034; the program of the same name by GistNoesis) has whole periods, under which
both ends of the range must have the same height and slope. Here a period is twice as long as the range, so a curve is
free at the ends and a smooth one is met exponentially fast, not as 1 / G (D. Huybrechs, On the Fourier extension of
nonperiodic functions, SIAM J. Numer. Anal. 47, 2010). The price is that many harmonics are nearly dependent on
[-1, 1]: u is met within 2e-4 by 5 of them and 3e-8 by 10, whose condition numbers are 4e3 and 2e7.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numba import njit
from torch import Tensor

from kan_core._checks import check_integer
from kan_core.bases.basis import Basis, FloatArray
from kan_core.bases.graph import GraphArray
from kan_core.bases.vector_math import cos_quarter, sin_quarter

MAX_HARMONICS = 100
# as many points as stay in the nearest cache while their harmonics are computed
NUM_TOGETHER = 256
HALF_PI = math.pi / 2.0


@dataclass(frozen=True, slots=True)
class FourierBasis(Basis):
    """The K = 2G + 1 functions 1, cos(π h u / 2), sin(π h u / 2) for the harmonics h = 1 … G.

    `grid_size` G is the number of harmonics. Raises SpecError when it is out of bounds.
    """

    grid_size: int = 5

    name = "fourier"
    title = "Fourier series"
    size_word = "harmonics"

    def __post_init__(self) -> None:
        object.__setattr__(self, "grid_size", check_integer("grid_size", self.grid_size, low=1, high=MAX_HARMONICS))

    @property
    def num_functions(self) -> int:
        """K = 2G + 1."""
        return 2 * self.grid_size + 1

    def inner_values(self, u: Tensor) -> Tensor:
        """Return 1 and the cosine and sine of each harmonic in turn, shape (..., K)."""
        # in float64: of an angle of many turns float32 leaves few digits to tell where in its turn it is
        angles = u.double().unsqueeze(-1) * (HALF_PI * torch.arange(1, self.grid_size + 1, dtype=torch.float64))
        waves = torch.stack([angles.cos(), angles.sin()], dim=-1).flatten(-2).to(u.dtype)
        return torch.cat([torch.ones_like(u).unsqueeze(-1), waves], dim=-1)

    def fill(self, u: FloatArray, values: FloatArray) -> None:
        """Write the functions to `values` (K, P) for u (P,) within [-1, 1]."""
        _fill(u, values)

    def fill_slopes(self, u: FloatArray, slopes: FloatArray) -> None:
        """Write the derivatives to `slopes` (K, P) for u (P,) within [-1, 1]."""
        _fill_slopes(u, slopes)

    def initial_std(self, num_sources: int) -> FloatArray:
        """Return 1 / (h² sqrt(n_in)), and as for h = 1 for the constant: a new curve is smooth.

        This is the smooth initialisation of the program FourierKAN (github.com/GistNoesis/FourierKAN).
        """
        harmonics = np.concatenate([[1.0], np.repeat(np.arange(1.0, self.grid_size + 1.0), 2)])
        return harmonics**-2.0 * num_sources**-0.5

    def grid(self, low: float, high: float) -> FloatArray:
        """Return the two ends: every function lives on all of the range."""
        return np.array([low, high])

    def resized(self, grid_size: int) -> FourierBasis:
        """Return another number of harmonics; a higher one contains all functions of a lower one."""
        return FourierBasis(grid_size)

    def is_start_of(self, other: Basis) -> bool:
        """Return whether another basis of the family begins with these functions."""
        return isinstance(other, FourierBasis) and other.grid_size >= self.grid_size

    def source(self, module: str) -> list[str]:
        """Return the waves as Python."""
        return [
            "rows = [1.0 + 0.0 * u]",
            f"for harmonic in range(1, {self.grid_size + 1}):",
            f"    angle = {HALF_PI!r} * harmonic * u",
            f"    rows += [{module}.cos(angle), {module}.sin(angle)]",
        ]

    def graph_values(self, u: GraphArray) -> GraphArray:
        """Return 1 and the waves, shape (..., K), in a graph."""
        size = self.grid_size
        angles = u * (HALF_PI * np.arange(1.0, size + 1.0))
        functions = (u * 0.0 + 1.0).beside(angles.apply("cos"), angles.apply("sin"))
        pairs = [(harmonic, harmonic + size) for harmonic in range(1, size + 1)]
        return functions.pick([0, *[place for pair in pairs for place in pair]])

    def describe(self) -> str:
        """Return one sentence for a person who chooses a family."""
        return "Waves of rising frequency over the whole range: suited to curves that oscillate."


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _fill(u: FloatArray, values: FloatArray) -> None:
    """Turn each point's angle by its first harmonic again and again, in float64, whose error stays near 1e-16 G."""
    number = u.dtype.type
    cos_one, sin_one = np.empty(NUM_TOGETHER), np.empty(NUM_TOGETHER)
    cos_now, sin_now = np.empty(NUM_TOGETHER), np.empty(NUM_TOGETHER)
    for start in range(0, u.size, NUM_TOGETHER):
        points = u[start : start + NUM_TOGETHER]
        count = points.size
        for p in range(count):
            values[0, start + p] = number(1.0) + number(0.0) * points[p]
            cos_one[p] = cos_now[p] = cos_quarter(np.float64(points[p]))
            sin_one[p] = sin_now[p] = sin_quarter(np.float64(points[p]))
        for row in range(1, values.shape[0], 2):
            cosines, sines = values[row, start : start + count], values[row + 1, start : start + count]
            for p in range(count):
                cosine, sine = cos_now[p], sin_now[p]
                cosines[p], sines[p] = number(cosine), number(sine)
                cos_now[p] = cosine * cos_one[p] - sine * sin_one[p]
                sin_now[p] = sine * cos_one[p] + cosine * sin_one[p]


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _fill_slopes(u: FloatArray, slopes: FloatArray) -> None:
    """Write π h / 2 times the turned functions."""
    _fill(u, slopes)
    number = u.dtype.type
    for p in range(u.size):
        slopes[0, p] = number(0.0) * u[p]
    for row in range(1, slopes.shape[0], 2):
        speed = number(HALF_PI * ((row + 1) // 2))
        cosines, sines = slopes[row], slopes[row + 1]
        for p in range(u.size):
            cosines[p], sines[p] = -speed * sines[p], speed * cosines[p]
