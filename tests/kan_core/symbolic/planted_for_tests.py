"""Planted curves c·f(a·x + b) + d, and whether a curve with noise can be told to be what was planted.

A case draws the interval that f's argument runs through, from the whole of where f has its features, and the amplitude,
the offset and the place and length of x's own interval. Noise is relative to the curve's deviation.

What counts as identifiable is decided by the curve without noise and by SciPy, never by the ranking. Every other
function whose formula is not longer (complexity and free constants together) is fitted to the curve from a dense grid
of starts. With u the share of variance that the closest of them leaves, s the noise and P the points, the expected gain
in log-likelihood of the truth over that function is P/2 · log(1 + u/s²). A case is identifiable if this is at least
log(20), twenty to one; below, hardly any reading of the same points does better than to take the shorter formula.
Without noise it is identifiable if u ≥ 1e-14, for a curve is taken to be known to 7 digits.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

from kan_core.bases.basis import FloatArray, IndexArray
from kan_core.symbolic import FUNCTIONS, SymbolicFunction, rank_candidates
from kan_core.symbolic.affine_fit import FREE_CONSTANTS
from kan_core.symbolic.library import Shape

NOISES = (0.0, 0.01, 0.05)
# shares of identifiable cases that have to be right
WANTED = (0.98, 0.95, 0.85)
ODDS, DIGITS = 20.0, 1e-14
# what leaves so much from the best of a dense grid of starts is no rival at any of the noises
FAR = 0.1
# where the functions have their features; others are looked at within [-3, 3]
WINDOWS = {
    "exp": (-2.0, 2.0),
    "sin": (-7.0, 7.0),
    "cos": (-7.0, 7.0),
    "sigmoid": (-6.0, 6.0),
    "arctan": (-6.0, 6.0),
    "lorentzian": (-5.0, 5.0),
}
POINTS_OF_PEER = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedCurve:
    """A curve without noise: x and y (P,), its function, and its argument's interval."""

    function: SymbolicFunction
    low: float
    high: float
    x: FloatArray
    y: FloatArray

    def with_noise(self, noise: float, generator: np.random.Generator) -> FloatArray:
        """Return y with normal noise of so many times its deviation."""
        return self.y + noise * self.y.std() * generator.normal(size=len(self.y))


def plant(function: SymbolicFunction, generator: np.random.Generator, *, points: int) -> PlantedCurve:
    """Return a random curve of the function, at least a third of its window wide and off the ends of its domain."""
    low, high = WINDOWS.get(function.name, (-3.0, 3.0))
    low, high = max(low, function.low), min(high, function.high)
    margin = 0.02 * (high - low)
    low, high = low + margin * math.isfinite(function.low), high - margin * math.isfinite(function.high)
    while True:
        left, right = np.sort(generator.uniform(low, high, 2))
        if right - left >= (high - low) / 3 and not (function.shape is Shape.KINK and left * right > 0):
            break
    half, centre = 10 ** generator.uniform(-1, 1), generator.uniform(-2, 2)
    x = centre + half * np.linspace(-1.0, 1.0, points)
    a = (right - left) / (2 * half) * (generator.choice([-1.0, 1.0]) if math.isinf(function.low) else 1.0)
    b = (left + right) / 2 - a * centre
    c, d = generator.uniform(0.3, 5.0) * generator.choice([-1.0, 1.0]), generator.uniform(-3.0, 3.0)
    y = c * function.numpy_value(a * x + b) + d
    return PlantedCurve(function=function, low=left, high=right, x=x, y=y)


def closest_rival(curve: PlantedCurve) -> float:
    """Return the least share of variance that any other function, its formula not longer, leaves unexplained."""
    rivals = [
        other
        for other in FUNCTIONS.values()
        if length(other) <= length(curve.function) and not is_same(other, curve.function)
    ]
    order = np.argsort(curve.x)
    x, y = curve.x[order], curve.y[order]
    kept = np.linspace(0, len(x) - 1, min(POINTS_OF_PEER, len(x))).astype(int)
    t, z = np.linspace(-1.0, 1.0, len(x))[kept], (y - y.mean())[kept] / y.std()
    return min((peer_fit(rival, t, z) for rival in rivals), default=math.inf)


def length(function: SymbolicFunction) -> int:
    """Return the length of a function's formula."""
    return function.complexity + len(FREE_CONSTANTS[function.shape])


def is_same(one: SymbolicFunction, other: SymbolicFunction) -> bool:
    """Return whether two functions are one another up to a, b, c and d."""
    return one is other or (bool(one.family) and one.family == other.family)


def peer_fit(function: SymbolicFunction, t: FloatArray, z: FloatArray) -> float:
    """Return the share that the function leaves of z(t), t within [-1, 1], by SciPy from a dense grid of starts."""
    if function.shape is Shape.CONSTANT:
        return 1.0
    a, b = _grid(function)
    arguments = a[:, None] * t + b[:, None]
    with np.errstate(all="ignore"):
        values = function.numpy_value(arguments)
        values = values - values.mean(axis=1, keepdims=True)
        power = np.square(values).mean(axis=1)
        shares = 1.0 - np.square((values @ z) / len(t)) / (power * np.square(z).mean())
    shares = np.where(np.isfinite(shares) & (power > 1e-20), shares, np.inf)
    best = np.inf
    for start in np.argsort(shares)[:4]:
        if shares[start] < FAR:
            best = min(best, shares[start], _refined(function, float(a[start]), float(b[start]), t, z))
    return float(min(best, shares.min()))


def _grid(function: SymbolicFunction) -> tuple[FloatArray, FloatArray]:
    """Return a and b (S,) whose arguments stay in the function's domain."""
    rates = np.geomspace(0.02, 40.0, 60)
    zeros = np.concatenate([-np.geomspace(60.0, 1.001, 20), np.linspace(-1.0, 1.0, 41), np.geomspace(1.001, 60.0, 20)])
    a, zero = (grid.ravel() for grid in np.meshgrid(np.concatenate([-rates, rates]), zeros))
    b = -a * zero
    inside = (b - np.abs(a) >= function.low) & (b + np.abs(a) <= function.high)
    return a[inside], b[inside]


def _refined(function: SymbolicFunction, a: float, b: float, t: FloatArray, z: FloatArray) -> float:
    def residuals(constants: FloatArray) -> FloatArray:
        argument = np.clip(constants[0] * t + constants[1], function.low, function.high)
        value = function.numpy_value(argument)
        design = np.column_stack([value, np.ones_like(value)])
        if not np.isfinite(design).all():
            return np.full_like(z, 10.0)
        return design @ np.linalg.lstsq(design, z, rcond=None)[0] - z

    with np.errstate(all="ignore"):
        found = least_squares(
            residuals, np.array([a, b]), method="lm", xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=120
        )
    return float(np.square(found.fun).mean())


def is_identifiable(rival: float, noise: float, points: int) -> bool:
    """Return whether a curve with this rival can be told from it at this noise; see the module's rule."""
    if noise == 0.0:
        return rival >= DIGITS
    return rival >= DIGITS and points / 2 * math.log1p(rival / noise**2) >= math.log(ODDS)


def is_first(curve: PlantedCurve, values: FloatArray) -> bool:
    """Return whether the curve's function, or one that is the same, comes first for these values (P,)."""
    return is_same(FUNCTIONS[rank_candidates(curve.x, values)[0].function], curve.function)


def measure(
    function: SymbolicFunction, generator: np.random.Generator, *, cases: int, points: int
) -> tuple[IndexArray, list[float]]:
    """Return for each noise how many cases are right, identifiable and there (3, 3), and each ranking's seconds."""
    counts = np.zeros((len(NOISES), 3), dtype=np.int64)
    times: list[float] = []
    for _ in range(cases):
        curve = plant(function, generator, points=points)
        rival = closest_rival(curve)
        for row, noise in enumerate(NOISES):
            values = curve.with_noise(noise, generator)
            start = time.perf_counter()
            right = is_first(curve, values)
            times.append(time.perf_counter() - start)
            known = is_identifiable(rival, noise, points)
            counts[row] += (right and known, known, 1)
    return counts, times
