"""The best c·f(a·x + b) + d for a curve.

Shape legend: S starts, P points of the curve.

Everything happens on x mapped to [-1, 1] and y to mean 0 and deviation 1, so results do not depend on units. Where a
function has fewer free constants than four, the others stay as they start.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from kan_core.bases.basis import FloatArray, IndexArray
from kan_core.symbolic.library import Shape, SymbolicFunction
from kan_core.symbolic.periodogram import wave_starts
from kan_core.symbolic.projection import fit_program

FREE_CONSTANTS = {
    Shape.CONSTANT: (3,),
    Shape.LINEAR: (2, 3),
    Shape.POWER: (1, 2, 3),
    Shape.KINK: (1, 2, 3),
    Shape.EXPONENTIAL: (0, 2, 3),
    Shape.WAVE: (0, 1, 2, 3),
    Shape.BUMP: (0, 1, 2, 3),
    Shape.ANY: (0, 1, 2, 3),
}
# so many points serve to choose between starts, but for kinks and waves, which may happen between them
FEW = 64
# points on either side of a break, for one or two at an end that stand off are none
FEWEST_BESIDE = 3
# steps to judge a start, to move it with these, and to polish with all points
_STEPS: IndexArray = np.array([0, 10, 300])
# less than half a turn, where a wave may be next to a line or a parabola
SLOW_WAVES: FloatArray = np.array([(rate, k * np.pi / 4) for rate in np.geomspace(0.2, 1.0, 5) for k in range(4)])
# a curve that moves less than this beside its size is flat
FLAT = 1e-14


@dataclass(frozen=True, slots=True, kw_only=True)
class AffineFit:
    """The constants of c·f(a·x + b) + d and the share r2 of the curve's variance that it explains, at most 1."""

    a: float
    b: float
    c: float
    d: float
    r2: float
    unexplained: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaledCurve:
    """A curve as fits see it: `points` (2, P) are t within [-1, 1], rising, and z of mean 0 and deviation 1.

    x = centre + half·t and y = mean + spread·z; `few` (2, at most 64) are some of the points, the outermost included.
    """

    points: FloatArray
    few: FloatArray
    centre: float
    half: float
    mean: float
    spread: float

    @property
    def is_flat(self) -> bool:
        """Whether there is nothing to explain."""
        return self.spread <= FLAT * max(1.0, abs(self.mean))


def scaled_curve(x: FloatArray, y: FloatArray) -> ScaledCurve | None:
    """Return the curve y(x), both (P,), scaled; None where x has no extent or anything is not finite."""
    order = np.argsort(x, kind="stable")
    x, y = x[order].astype(np.float64), y[order].astype(np.float64)
    if len(x) < 2 or not (np.isfinite(x).all() and np.isfinite(y).all()):
        return None
    centre, half = x[-1] / 2 + x[0] / 2, x[-1] / 2 - x[0] / 2
    # by its size first, so that squares neither vanish nor overflow
    size = float(np.abs(y).max()) or 1.0
    mean, spread = float((y / size).mean()) * size, float((y / size).std()) * size
    if not half > 0.0 or not np.isfinite([half, mean, spread]).all():
        return None
    points = np.stack([np.clip((x - centre) / half, -1.0, 1.0), (y - mean) / (spread or 1.0)])
    few = points
    if len(x) > FEW:
        few = np.ascontiguousarray(points[:, np.linspace(0, len(x) - 1, FEW).astype(int)])
    return ScaledCurve(points=points, few=few, centre=float(centre), half=float(half), mean=mean, spread=spread)


def fit_affine(function: SymbolicFunction, x: FloatArray, y: FloatArray) -> AffineFit | None:
    """Return the best fit of `function` to the curve y(x), both (P,), or None where it has none on its domain."""
    curve = scaled_curve(x, y)
    return None if curve is None else fit_scaled(function, curve)


def fit_scaled(function: SymbolicFunction, curve: ScaledCurve) -> AffineFit | None:
    """Return the best fit of `function` to a scaled curve in the curve's own units, or None where it has none."""
    if curve.is_flat:
        return AffineFit(a=1.0, b=0.0, c=0.0, d=curve.mean, r2=1.0, unexplained=0.0)
    if function.shape is Shape.CONSTANT:
        return AffineFit(a=1.0, b=0.0, c=0.0, d=curve.mean, r2=0.0, unexplained=1.0)
    program = function.program
    a, b, c, d, unexplained = fit_program(
        program.instructions,
        program.numbers,
        program.depth,
        _starts(function, curve),
        _free(function.shape),
        np.array([function.low, function.high]),
        curve.points if function.shape in (Shape.KINK, Shape.WAVE) else curve.few,
        curve.points,
        _STEPS,
    ).tolist()
    if not math.isfinite(unexplained) or (function.shape is Shape.KINK and not _is_between(-b / a, curve)):
        return None
    a, b, c = _normal_form(function, a, b, c)
    fit = AffineFit(
        a=a / curve.half,
        b=b - a * curve.centre / curve.half,
        c=c * curve.spread,
        d=d * curve.spread + curve.mean,
        r2=1.0 - unexplained,
        unexplained=unexplained,
    )
    return fit if all(map(math.isfinite, (fit.a, fit.b, fit.c, fit.d))) else None


def _is_between(place: float, curve: ScaledCurve) -> bool:
    """Return whether enough of the curve's points lie on either side."""
    num_before = int(np.count_nonzero(curve.points[0] < place))
    return FEWEST_BESIDE <= num_before <= curve.points.shape[1] - FEWEST_BESIDE


def _normal_form(function: SymbolicFunction, a: float, b: float, c: float) -> tuple[float, float, float]:
    """Return the constants of the same curve with a positive a where f is even or odd."""
    if a < 0.0 and function.parity:
        return -a, -b, c * function.parity
    return a, b, c


@lru_cache(maxsize=16)
def _free(shape: Shape) -> IndexArray:
    return np.array([k in FREE_CONSTANTS[shape] for k in (0, 1)], dtype=np.int64)


def _starts(function: SymbolicFunction, curve: ScaledCurve) -> FloatArray:
    if function.shape is Shape.KINK:
        # the break lies between two points, and between which two is all that counts
        t = curve.points[0]
        between = -(t[1:] + t[:-1])[FEWEST_BESIDE - 1 : len(t) - FEWEST_BESIDE] / 2
        return np.column_stack([np.ones_like(between), between])
    if function.shape is Shape.WAVE:
        return np.concatenate([SLOW_WAVES, wave_starts(curve.points)])
    return starts_of(function.shape)


@lru_cache(maxsize=16)
def starts_of(shape: Shape) -> FloatArray:
    """Return the (a, b) that a fit on [-1, 1] begins from, (S, 2); kinks and waves follow their curve."""
    if shape in (Shape.CONSTANT, Shape.LINEAR):
        return np.array([[1.0, 0.0]])
    if shape is Shape.POWER:
        beyond = 1.0 + np.geomspace(1e-6, 30.0, 30)
        zeros = np.concatenate([-beyond[::-1], np.linspace(-1, 1, 41), beyond])
        return np.array([(sign, -sign * zero) for sign in (1.0, -1.0) for zero in zeros])
    if shape is Shape.EXPONENTIAL:
        rates = np.geomspace(0.05, 40.0, 24)
        return np.array([(rate, 0.0) for rate in np.concatenate([-rates, rates])])
    if shape is Shape.WAVE:
        rates = np.concatenate([np.geomspace(0.2, 1.0, 5), np.arange(1.4, 34.0, 0.6)])
        return np.array([(rate, phase) for rate in rates for phase in np.arange(4) * np.pi / 4])
    if shape is Shape.ANY:
        # a function of which nothing is known: it may turn often, have one feature or end somewhere, to either side
        parts = [starts_of(one) for one in (Shape.WAVE, Shape.BUMP, Shape.POWER)]
        return np.concatenate([*parts, -parts[0], -parts[1]])
    rates = np.geomspace(0.15, 12.0, 14)
    centres = np.concatenate([[-3.0, -1.7], np.linspace(-1.1, 1.1, 12), [1.7, 3.0]])
    steep = [(rate, -rate * centre) for rate in rates for centre in centres]
    # arguments that just fill [-1, 1], for functions that end there
    filling = [
        (rate, share * (1 - rate)) for rate in (0.5, 0.8, 0.95, 0.999) for share in (-0.999, -0.5, 0, 0.5, 0.999)
    ]
    return np.array(steep + filling)
