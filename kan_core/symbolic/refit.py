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


class Refit:
    """Trains a copy of `network` on the train samples of `dataset` for a few steps, one a call.

    Everything that is free takes part: curves, and constants of formulas that are not locked. It `is_done` after
    `max_steps` of Levenberg-Marquardt (of L-BFGS where those would take long), or when one lowers the loss by less than
    the share `settled`. Network and dataset are of one dtype.
    """

    def __init__(self, network: KAN, dataset: Dataset, *, max_steps: int = MAX_STEPS, settled: float = SETTLED) -> None:
        self._max_steps, self._settled = max_steps, settled
        self._fitted = network.copy()
        self._objective = NetworkObjective(self._fitted, dataset)
        self._parameters = self._objective.parameters
        self._uses_lm = is_affordable(len(self._parameters), dataset.train_targets.numel())
        self._lm, self._lbfgs = LevenbergMarquardtState(), LBFGSState()
        self._loss = self._objective.loss(self._parameters)
        self._num_steps = 0
        self.is_done = not len(self._parameters) or max_steps < 1

    @property
    def network(self) -> KAN:
        """The network as far as it was fitted."""
        if len(self._parameters):
            self._objective.set_parameters(self._parameters)
        return self._fitted

    def step(self) -> None:
        """Do one step; does nothing once the fit is done."""
        if self.is_done:
            return
        before = self._loss
        if self._uses_lm:
            self._parameters, self._loss, self._lm = levenberg_marquardt_step(
                self._objective, self._parameters, self._lm
            )
            is_accepted = self._lm.accepted
        else:
            self._parameters, self._loss, self._lbfgs = lbfgs_step(self._objective, self._parameters, self._lbfgs)
            is_accepted = self._lbfgs.accepted
        self._num_steps += 1
        has_settled = self._num_steps > FEWEST_STEPS and before - self._loss < self._settled * before
        self.is_done = not is_accepted or has_settled or self._num_steps >= self._max_steps


def refit(network: KAN, dataset: Dataset, *, max_steps: int = MAX_STEPS, settled: float = SETTLED) -> KAN:
    """Return a copy of `network` trained on the train samples of `dataset`, as `Refit` does it."""
    fit = Refit(network, dataset, max_steps=max_steps, settled=settled)
    while not fit.is_done:
        fit.step()
    return fit.network
