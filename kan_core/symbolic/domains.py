"""Where a function of one variable has finite values."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from kan_core.bases.basis import FloatArray
from kan_core.errors import ExpressionError, SpecError

# how far out and at how many points a function is looked at, densely around 0
FARTHEST, NUM_POINTS = 1e3, 4001
# a value beyond this, where none is near that the points themselves have, is a pole
POLE = 1e9
INSIDE = 1e-9

FunctionValues = Callable[[FloatArray], tuple[FloatArray, FloatArray]]


def find_domain(values: FunctionValues) -> tuple[float, float]:
    """Return the interval around 0, or nearest to it, where the function has finite values; -inf or inf if endless.

    `values` gives f and f' at points (P,). Of two intervals as near the positive one is taken. Ends where there is no
    value are approached to 1e-9. Raises ExpressionError when there is no interval.
    """
    reach = math.asinh(FARTHEST)
    x = np.sinh(np.linspace(-reach, reach, NUM_POINTS))
    f = values(x)[0]
    poles = _poles(values, x, f)
    is_finite = np.isfinite(f) & ~np.isin(x, poles)
    # a pole between two points parts them
    parts = np.searchsorted(np.sort(poles), x)
    best: tuple[float, bool, int, int] | None = None
    start = 0
    for k in range(1, len(x) + 1):
        if k < len(x) and is_finite[k] == is_finite[start] and parts[k] == parts[start]:
            continue
        if is_finite[start] and k - start > 1:
            distance = max(x[start], -x[k - 1], 0.0)
            found = (float(distance), bool(x[k - 1] <= 0.0), start, k - 1)
            best = found if best is None else min(best, found)
        start = k
    if best is None:
        raise ExpressionError("A function has real values on some interval, and this one has none: change it.")
    first, last = best[2], best[3]
    low = -math.inf if first == 0 else _end(values, x[first], x[first - 1], poles)
    high = math.inf if last == len(x) - 1 else _end(values, x[last], x[last + 1], poles)
    return low, high


def check_domain(values: FunctionValues, domain: tuple[float, float]) -> tuple[float, float]:
    """Return the domain as floats; raises SpecError unless it is an interval on which all values are finite."""
    low, high = float(domain[0]), float(domain[1])
    if not low < high:
        raise SpecError(f"A domain is an interval (low, high), received domain={domain!r}: let low be less than high.")
    inside = np.sinh(np.linspace(math.asinh(max(low, -40.0)), math.asinh(min(high, 40.0)), 201))
    inside = np.clip(inside, low, high)
    if not np.isfinite(values(inside)[0]).all():
        raise SpecError(f"A function is finite on its domain, received domain={domain!r}: choose a smaller one.")
    return low, high


def has_hole(values: FunctionValues) -> bool:
    """Return whether the function has no value at 0 but one that it tends to from both sides."""
    at, near, nearer = (values(place * np.array([-1.0, 1.0]))[0] for place in (0.0, 1e-3, 1e-6))
    if np.isfinite(at).any() or not np.isfinite([near, nearer]).all():
        return False
    spread = max(float(np.ptp(nearer)), float(np.abs(nearer - near).max()))
    return spread <= 0.01 * (1.0 + float(np.abs(near).max()))


def _poles(values: FunctionValues, x: FloatArray, f: FloatArray) -> FloatArray:
    """Return where |f| rises beyond all bounds between points x (P,)."""
    # next to points without a value comparisons are false: what happens there is found by looking for the end
    size = np.where(np.isfinite(f), np.abs(f), np.nan)
    peaks = np.flatnonzero((size[1:-1] >= size[:-2]) & (size[1:-1] >= size[2:]) & (size[1:-1] > 0.0)) + 1
    left, right = x[peaks - 1].copy(), x[peaks + 1].copy()
    for _ in range(120):
        third = (right - left) / 3
        lower, upper = _size(values, left + third), _size(values, right - third)
        goes_right: NDArray[np.bool_] = lower < upper
        left, right = np.where(goes_right, left + third, left), np.where(goes_right, right, right - third)
    places = (left + right) / 2
    return places[_size(values, places) > POLE * (1.0 + size[peaks])]


def _size(values: FunctionValues, x: FloatArray) -> FloatArray:
    f = np.abs(values(x)[0])
    return np.where(np.isfinite(f), f, np.inf)


def _end(values: FunctionValues, inside: float, outside: float, poles: FloatArray) -> float:
    """Return the end of the domain between a point inside it and the next one outside, a little inside."""
    between = [pole for pole in poles.tolist() if min(inside, outside) <= pole <= max(inside, outside)]
    if between:
        end = min(between, key=lambda pole: abs(pole - inside))
    else:
        good, bad = float(inside), float(outside)
        for _ in range(80):
            middle = (good + bad) / 2
            is_good = bool(np.isfinite(values(np.array([middle]))[0][0]))
            good, bad = (middle, bad) if is_good else (good, middle)
        end = good
    return end + math.copysign(INSIDE * max(1.0, abs(end)), inside - outside)
