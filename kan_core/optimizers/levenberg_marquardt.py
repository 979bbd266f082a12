"""Levenberg-Marquardt: damped Gauss-Newton steps on the normal equations, in float64.

Damping follows H. B. Nielsen (Damping Parameter in Marquardt's Method, IMM-REP-1999-05): a trial step's gain over what
the model promised shrinks the damping smoothly, a refused step grows it by a factor that doubles each time. Edges of
a KAN are linear in their parameters, so Jacobian rows are outer products (`NetworkObjective.models`); parameters
without data have a zero row and stay put through the floor under the scaling.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from kan_core.bases.basis import FloatArray
from kan_core.optimizers.objective import CurvedObjective, Quadratic

MAX_PARAMETERS = 2000
# multiplications for the normal equations of one step, about half a second on one core
MAX_WORK = 5e9
MAX_TRIALS = 12
SCALING_FLOOR = 1e-8


@dataclass(frozen=True, slots=True, kw_only=True)
class LevenbergMarquardtState:
    """`damping` relative to the curvature's diagonal, its next growth factor, and the last step's relative decrease."""

    damping: float = 1e-2
    growth: float = 2.0
    decrease: float = 1.0
    accepted: bool = True


def is_affordable(num_parameters: int, num_residuals: int) -> bool:
    """Return whether a step is quick enough to watch."""
    return num_parameters <= MAX_PARAMETERS and num_residuals * num_parameters**2 <= MAX_WORK


def levenberg_marquardt_step(
    objective: CurvedObjective, parameters: FloatArray, state: LevenbergMarquardtState
) -> tuple[FloatArray, float, LevenbergMarquardtState]:
    """Return the next parameters (P,), their loss and the next state.

    When no damping lowers the loss, parameters stay and `accepted` is false: the point is a minimum to rounding.
    """
    for model in objective.models(parameters):
        found = _try_model(objective, parameters, model, state)
        if found is not None:
            return found
    loss = objective.loss(parameters)
    return parameters, loss, replace(state, damping=min(state.damping, 1e6), growth=2.0, decrease=0.0, accepted=False)


def _try_model(
    objective: CurvedObjective, parameters: FloatArray, model: Quadratic, state: LevenbergMarquardtState
) -> tuple[FloatArray, float, LevenbergMarquardtState] | None:
    """Return the outcome of the first step of growing damping that lowers the loss, None when none does."""
    diagonal = np.diagonal(model.curvature)
    scaling = np.maximum(diagonal, SCALING_FLOOR * max(float(diagonal.max(initial=0.0)), 1e-300))
    damping, growth = state.damping, state.growth
    for _ in range(MAX_TRIALS):
        step = _solve(model, damping * scaling)
        if step is not None:
            loss = objective.loss(parameters + step)
            promised = -float(model.gradient @ step) - 0.5 * float(step @ model.curvature @ step)
            if np.isfinite(loss) and promised > 0 and loss < model.loss:
                gain = (model.loss - loss) / promised
                shrink = max(1.0 / 3.0, 1.0 - (2.0 * min(gain, 1.0) - 1.0) ** 3)
                decrease = (model.loss - loss) / max(model.loss, 1e-300)
                next_state = LevenbergMarquardtState(damping=max(damping * shrink, 1e-15), decrease=decrease)
                return parameters + step, loss, next_state
        damping, growth = damping * growth, growth * 2.0
    return None


def _solve(model: Quadratic, damping: FloatArray) -> FloatArray | None:
    """Return the damped Newton step, or None where rounding left the damped curvature indefinite."""
    damped = model.curvature.copy()
    damped[np.diag_indices_from(damped)] += damping
    try:
        return -cho_solve(cho_factor(damped, lower=True, check_finite=False), model.gradient, check_finite=False)
    except LinAlgError:
        return None
