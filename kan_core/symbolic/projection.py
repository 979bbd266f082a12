"""The constants of c·f(a·t + b) + d that fit a curve best, compiled.

Shape legend: S starts, P points, D values on a program's stack.

For given a and b, c and d follow by least squares and are projected out, so that a start is judged by its correlation
with the curve and a step is one of Levenberg and Marquardt in a and b alone (variable projection, G. Golub and
V. Pereyra, SIAM J. Numer. Anal. 10, 1973, with the derivative of L. Kaufman, BIT 15, 1975). All starts are judged and
the best ones moved on a few of the points, the best of these polished on all. t lies within [-1, 1] and the curve has
mean 0 and mean square 1.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from kan_core.bases.basis import FloatArray, IndexArray
from kan_core.symbolic.program_kernels import run_program

NUM_MOVED, NUM_POLISHED = 8, 3
# a fit that is close is worth polishing to the last digit, one that is not will not become right
STEPS_AFAR, CLOSE = 60, 1e-3
SETTLED, SETTLED_AFAR = 1e-9, 1e-5
EXACT = 1e-31


@njit(cache=True, nogil=True, error_model="numpy")
def fit_program(
    instructions: IndexArray,
    numbers: FloatArray,
    depth: int,
    starts: FloatArray,
    free: IndexArray,
    domain: FloatArray,
    few: FloatArray,
    curve: FloatArray,
    steps: IndexArray,
) -> FloatArray:
    """Return a, b, c, d and the unexplained mean square, (5,); the last one is inf without any fit.

    `starts` (S, 2) are a and b to begin from, `free` (2,) which of them may move, `domain` (2,) bounds the arguments;
    `few` and `curve` (2, P) are the points, t above the values, of which `few` serve to choose; `steps` (3,) is how
    many steps at most to judge a start, to move it, and to polish.
    """
    errors, trial = np.full(len(starts), np.inf), np.empty(5)
    values, slopes = np.empty((depth, curve.shape[1])), np.empty((depth, curve.shape[1]))
    for s in range(len(starts)):
        if _is_inside(starts[s, 0], starts[s, 1], domain):
            trial[0], trial[1] = starts[s, 0], starts[s, 1]
            _polish(instructions, numbers, trial, free, domain, few, values, slopes, steps[0])
            errors[s] = trial[4]
    moved, left = np.full((NUM_MOVED, 5), np.inf), np.full(NUM_MOVED, np.inf)
    for k in range(NUM_MOVED):
        s = _least(errors)
        if errors[s] < np.inf:
            moved[k, 0], moved[k, 1], errors[s] = starts[s, 0], starts[s, 1], np.inf
            _polish(instructions, numbers, moved[k], free, domain, few, values, slopes, steps[1])
            left[k] = moved[k, 4]
    best, previous = -1, -1.0
    for _ in range(NUM_POLISHED):
        k = _least(left)
        # neighbours that have met count once
        while abs(left[k] - previous) <= 1e-7 * previous:
            left[k] = np.inf
            k = _least(left)
        previous = left[k]
        if previous == np.inf or (best >= 0 and moved[best, 4] < EXACT):
            break
        left[k] = np.inf
        _polish(instructions, numbers, moved[k], free, domain, curve, values, slopes, steps[2])
        if best < 0 or moved[k, 4] < moved[best, 4]:
            best = k
    return moved[max(best, 0)]


@njit(cache=True, nogil=True, error_model="numpy")
def _least(values: FloatArray) -> int:
    """Return where the least of values (P,) stands."""
    least = 0
    for k in range(1, values.size):
        if values[k] < values[least]:
            least = k
    return least


@njit(cache=True, nogil=True, error_model="numpy")
def _is_inside(a: float, b: float, domain: FloatArray) -> bool:
    return b - abs(a) >= domain[0] and b + abs(a) <= domain[1]


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "reassoc"})
def _model(
    instructions: IndexArray,
    numbers: FloatArray,
    constants: FloatArray,
    curve: FloatArray,
    values: FloatArray,
    slopes: FloatArray,
    normal: FloatArray,
) -> None:
    """Fill in c, d and the error of constants (5,) and the normal equations in a and b: H_aa, H_ab, H_bb, g_a, g_b."""
    t, z, size = curve[0], curve[1], curve.shape[1]
    run_program(instructions, numbers, constants[0] * t + constants[1], values, slopes)
    f, slope = values[0], slopes[0]
    mean, mean_a, mean_b, mean_z = 0.0, 0.0, 0.0, 0.0
    for p in range(size):
        mean += f[p]
        mean_a += slope[p] * t[p]
        mean_b += slope[p]
        mean_z += z[p]
    mean, mean_a, mean_b, mean_z = mean / size, mean_a / size, mean_b / size, mean_z / size
    power, along, along_a, along_b = 0.0, 0.0, 0.0, 0.0
    for p in range(size):
        centred = f[p] - mean
        power += centred * centred
        along += centred * (z[p] - mean_z)
        along_a += centred * (slope[p] * t[p] - mean_a)
        along_b += centred * (slope[p] - mean_b)
    constants[4] = np.inf
    if not power > 1e-24 * size * max(1.0, mean * mean) or not power < np.inf:
        return
    c, share_a, share_b = along / power, along_a / power, along_b / power
    h_aa, h_ab, h_bb, g_a, g_b, error = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for p in range(size):
        centred = f[p] - mean
        residual = c * centred - (z[p] - mean_z)
        by_a = c * (slope[p] * t[p] - mean_a - share_a * centred)
        by_b = c * (slope[p] - mean_b - share_b * centred)
        h_aa += by_a * by_a
        h_ab += by_a * by_b
        h_bb += by_b * by_b
        g_a += by_a * residual
        g_b += by_b * residual
        error += residual * residual
    sum_ = h_aa + h_bb + error
    if sum_ == sum_ and sum_ < np.inf:
        constants[2], constants[3], constants[4] = c, mean_z - c * mean, error / size
        normal[0], normal[1], normal[2], normal[3], normal[4] = h_aa, h_ab, h_bb, g_a, g_b


@njit(cache=True, nogil=True, error_model="numpy")
def _polish(
    instructions: IndexArray,
    numbers: FloatArray,
    constants: FloatArray,
    free: IndexArray,
    domain: FloatArray,
    curve: FloatArray,
    values: FloatArray,
    slopes: FloatArray,
    max_steps: int,
) -> None:
    """Move constants (5,) to where the curve is explained best, inside the domain."""
    normal, trial, trial_normal = np.zeros(5), constants.copy(), np.zeros(5)
    damping, error = 1e-3, np.inf
    for step in range(max_steps + 1):
        _model(instructions, numbers, trial, curve, values, slopes, trial_normal)
        if step == 0 or trial[4] < error:
            is_settled = step > 0 and error - trial[4] <= (SETTLED if error < CLOSE else SETTLED_AFAR) * error
            # one by one: copies of slices take the compiler longer than all the rest
            for k in range(5):
                constants[k], normal[k] = trial[k], trial_normal[k]
            error = trial[4]
            damping = max(damping * 0.1, 1e-15) if step > 0 else damping
        else:
            damping = max(damping * 8.0, 1e-6)
            is_settled = damping > 1e7
        is_afar = step >= STEPS_AFAR and error >= CLOSE
        if is_settled or is_afar or error < EXACT or error == np.inf or step == max_steps:
            break
        step_a, step_b = _step(normal, free, damping)
        trial[0], trial[1] = constants[0] + step_a, constants[1] + step_b
        for _ in range(60):
            if _is_inside(trial[0], trial[1], domain):
                break
            step_a, step_b = step_a / 2, step_b / 2
            trial[0], trial[1] = constants[0] + step_a, constants[1] + step_b
        if trial[0] == constants[0] and trial[1] == constants[1]:
            break


@njit(cache=True, nogil=True, error_model="numpy")
def _step(normal: FloatArray, free: IndexArray, damping: float) -> tuple[float, float]:
    """Return the steps in a and b that the damped normal equations ask for."""
    h_aa, h_bb = normal[0] * (1.0 + damping) + 1e-300, normal[2] * (1.0 + damping) + 1e-300
    if not free[0]:
        return (0.0, -normal[4] / h_bb) if free[1] else (0.0, 0.0)
    if not free[1]:
        return -normal[3] / h_aa, 0.0
    determinant = h_aa * h_bb - normal[1] * normal[1]
    if not determinant > 0.0:
        return 0.0, 0.0
    step_a = (normal[1] * normal[4] - h_bb * normal[3]) / determinant
    step_b = (normal[1] * normal[3] - h_aa * normal[4]) / determinant
    return step_a, step_b
