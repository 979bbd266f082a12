"""Fitting a network anew after an edge of it was replaced.

Shape legend: B samples, I inputs, J outputs.
"""

from __future__ import annotations

from kan_core.datasets import Dataset
from kan_core.network import KAN
from kan_core.optimizers.lbfgs import LBFGSState, lbfgs_step
from kan_core.optimizers.levenberg_marquardt import LevenbergMarquardtState, is_affordable, levenberg_marquardt_step
from kan_core.optimizers.objective import NetworkObjective

MAX_STEPS = 20
SETTLED = 1e-3
# steps to do before one that gains little counts as the end
FEWEST_STEPS = 3


def refit(network: KAN, dataset: Dataset, *, max_steps: int = MAX_STEPS, settled: float = SETTLED) -> KAN:
    """Return a copy of `network` trained on the train samples of `dataset`, for a few steps.

    Everything that is free takes part: curves, and constants of formulas that are not locked. It ends after `max_steps`
    of Levenberg-Marquardt (of L-BFGS where those would take long), or when one lowers the loss by less than the share
    `settled`. Network and dataset are of one dtype.
    """
    fitted = network.copy()
    objective = NetworkObjective(fitted, dataset)
    parameters = objective.parameters
    if not len(parameters):
        return fitted
    uses_lm = is_affordable(len(parameters), dataset.train_targets.numel())
    lm, lbfgs = LevenbergMarquardtState(), LBFGSState()
    loss = objective.loss(parameters)
    for step in range(1, max_steps + 1):
        before = loss
        if uses_lm:
            parameters, loss, lm = levenberg_marquardt_step(objective, parameters, lm)
        else:
            parameters, loss, lbfgs = lbfgs_step(objective, parameters, lbfgs)
        if not (lm.accepted and lbfgs.accepted) or (step > FEWEST_STEPS and before - loss < settled * before):
            break
    objective.set_parameters(parameters)
    return fitted
