"""Where waves begin that are to fit a curve: at the frequencies that explain most of it.

Shape legend: P points of the curve, S starts, R rates.

For a rate r the curve's least-squares part in 1, cos(r·t) and sin(r·t) is found for any places t, even or not, and what
it leaves of the curve is a periodogram (N. R. Lomb, Astrophys. Space Sci. 39, 1976). Rates lie close enough together
for a step of least squares in the rate to find the nearest least error from one of them.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from kan_core.bases.basis import FloatArray

# t spans 2, so that between two rates a wave's ends move by a quarter of a radian against its middle
STEP = 0.5
# as many as 640 even points tell apart
MOST_RATES = 2000
NUM_PEAKS = 6
# on even points a wave this near to the fastest that they show is another one, upside down at every second point
FASTEST = 0.95


def wave_starts(points: FloatArray) -> FloatArray:
    """Return rates and phases (S, 2), S at most twice NUM_PEAKS, of the waves that leave least of a curve.

    `points` (2, P) are t within [-1, 1], rising, and values of mean 0. Each rate comes with the phases of a sine and of
    a cosine. Rates are below the fastest that as many even points show.
    """
    fastest = FASTEST * math.pi / 2 * (np.count_nonzero(np.diff(points[0])))
    num_rates = min(int(fastest / STEP), MOST_RATES)
    if num_rates < 1:
        return np.empty((0, 2))
    left, phases = _scan(points, STEP, num_rates)
    beside = np.concatenate([[np.inf], left, [np.inf]])
    lowest = np.flatnonzero((left <= beside[:-2]) & (left < beside[2:]))
    peaks = lowest[np.argsort(left[lowest], kind="stable")[:NUM_PEAKS]]
    rates = STEP * (peaks + 1.0)
    return np.concatenate(
        [np.column_stack([rates, phases[peaks]]), np.column_stack([rates, phases[peaks] - math.pi / 2])]
    )


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "reassoc"})
def _scan(points: FloatArray, step: float, num_rates: int) -> tuple[FloatArray, FloatArray]:
    """Return what waves of rates step, 2·step, … leave of the mean square, and their phases as sines, both (R,)."""
    t, z, size = points[0], points[1], points.shape[1]
    turn_cos, turn_sin = np.cos(step * t), np.sin(step * t)
    cos, sin = np.ones(size), np.zeros(size)
    left, phases = np.empty(num_rates), np.empty(num_rates)
    total = 0.0
    for p in range(size):
        total += z[p] * z[p]
    for r in range(num_rates):
        sum_cos, sum_sin, cos_cos, cos_sin, sin_sin, along_cos, along_sin = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for p in range(size):
            # by the sum formulas a wave turns to the next rate without another cosine
            turned = cos[p] * turn_cos[p] - sin[p] * turn_sin[p]
            sine = sin[p] * turn_cos[p] + cos[p] * turn_sin[p]
            cos[p], sin[p] = turned, sine
            sum_cos += turned
            sum_sin += sine
            cos_cos += turned * turned
            cos_sin += turned * sine
            sin_sin += sine * sine
            along_cos += turned * z[p]
            along_sin += sine * z[p]
        cos_cos -= sum_cos * sum_cos / size
        cos_sin -= sum_cos * sum_sin / size
        sin_sin -= sum_sin * sum_sin / size
        determinant = cos_cos * sin_sin - cos_sin * cos_sin
        left[r], phases[r] = total / size, 0.0
        if determinant > 1e-12 * size * size:
            by_cos = (along_cos * sin_sin - along_sin * cos_sin) / determinant
            by_sin = (along_sin * cos_cos - along_cos * cos_sin) / determinant
            left[r] = (total - by_cos * along_cos - by_sin * along_sin) / size
            phases[r] = np.arctan2(by_cos, by_sin)
    return left, phases
