"""L-BFGS with a bracketing search for the weak Wolfe conditions.

The two-loop recursion is algorithm 7.4 of J. Nocedal and S. J. Wright, Numerical Optimization, 2nd ed. 2006; the
search is that of A. S. Lewis and M. L. Overton, Math. Program. 141, 2013, which needs no smoothness beyond the points
it visits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from kan_core.bases.basis import FloatArray
from kan_core.optimizers.objective import Objective

MEMORY = 20
SUFFICIENT_DECREASE = 1e-4
CURVATURE = 0.9
MAX_EVALUATIONS = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class LBFGSState:
    """The newest steps and changes of the gradient, oldest first; `accepted` tells whether the last search
    succeeded."""

    steps: tuple[FloatArray, ...] = ()
    changes: tuple[FloatArray, ...] = ()
    decrease: float = 1.0
    accepted: bool = True


@dataclass(frozen=True, slots=True)
class _Point:
    """A trial on the search line: step length, loss, slope along the line, gradient."""

    length: float
    loss: float
    slope: float
    gradient: FloatArray


def lbfgs_step(objective: Objective, parameters: FloatArray, state: LBFGSState) -> tuple[FloatArray, float, LBFGSState]:
    """Return the next parameters (P,), their loss and the next state.

    When the search finds no decrease the memory is dropped, and when steepest descent finds none either `accepted` is
    false and the parameters stay.
    """
    loss, gradient = objective.loss_and_gradient(parameters)
    direction = -_inverse_times(gradient, state)
    if float(direction @ gradient) >= 0:
        state, direction = LBFGSState(), -gradient
    first = 1.0 if state.steps else min(1.0, 1.0 / max(float(np.abs(gradient).sum()), 1e-300))
    found = _search(objective, parameters, direction, _Point(0.0, loss, float(direction @ gradient), gradient), first)
    if found is None:
        objective.loss(parameters)
        return parameters, loss, LBFGSState(accepted=bool(state.steps), decrease=0.0)
    step = found.length * direction
    change = found.gradient - gradient
    steps, changes = state.steps, state.changes
    if float(step @ change) > 1e-14 * float(np.linalg.norm(step) * np.linalg.norm(change)):
        steps, changes = (*steps, step)[-MEMORY:], (*changes, change)[-MEMORY:]
    decrease = (loss - found.loss) / max(abs(loss), 1e-300)
    return parameters + step, found.loss, LBFGSState(steps=steps, changes=changes, decrease=decrease)


def _inverse_times(gradient: FloatArray, state: LBFGSState) -> FloatArray:
    """Return the approximate inverse Hessian times the gradient."""
    vector = gradient.copy()
    weights: list[float] = []
    for step, change in zip(reversed(state.steps), reversed(state.changes), strict=True):
        weight = float(step @ vector) / float(step @ change)
        weights.append(weight)
        vector = vector - weight * change
    if state.steps:
        step, change = state.steps[-1], state.changes[-1]
        vector = vector * (float(step @ change) / float(change @ change))
    for step, change, weight in zip(state.steps, state.changes, reversed(weights), strict=True):
        vector = vector + step * (weight - float(change @ vector) / float(step @ change))
    return vector


def _search(
    objective: Objective, parameters: FloatArray, direction: FloatArray, start: _Point, first: float
) -> _Point | None:
    """Return a point that meets the weak Wolfe conditions, else the best decrease seen, else None."""

    def evaluate(length: float) -> _Point:
        loss, gradient = objective.loss_and_gradient(parameters + length * direction)
        return _Point(length, loss if math.isfinite(loss) else math.inf, float(gradient @ direction), gradient)

    low, high, length = start, math.inf, first
    best: _Point | None = None
    for _ in range(MAX_EVALUATIONS):
        trial = evaluate(length)
        if trial.loss < start.loss and (best is None or trial.loss < best.loss):
            best = trial
        if not trial.loss <= start.loss + SUFFICIENT_DECREASE * length * start.slope:
            high = length
            length = _lowest_between(low, trial)
        elif trial.slope < CURVATURE * start.slope:
            low = trial
            length = 2.0 * length if math.isinf(high) else (low.length + high) / 2
        else:
            return trial
    return best


def _lowest_between(low: _Point, high: _Point) -> float:
    """Return where the parabola through `low`, its slope and `high` is lowest, kept off both ends."""
    width = high.length - low.length
    bend = high.loss - low.loss - low.slope * width
    share = -low.slope * width / (2.0 * bend) if math.isfinite(bend) and bend > 0 else 0.5
    return low.length + width * min(max(share, 0.1), 0.9)
