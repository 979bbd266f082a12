"""Training a perceptron step by step, as a KAN is trained."""

from __future__ import annotations

import math
import sys
import time

import numpy as np

from kan_core.bases.basis import FloatArray
from kan_core.datasets import Dataset
from kan_core.errors import SpecError
from kan_core.mlp import MLP
from kan_core.mlp_objective import MLPObjective
from kan_core.optimizers.adam import adam_init, adam_step
from kan_core.optimizers.lbfgs import LBFGSState, lbfgs_step
from kan_core.optimizers.levenberg_marquardt import LevenbergMarquardtState, is_affordable, levenberg_marquardt_step
from kan_core.training import Outcome, StepResult, TrainingSpec


class MLPTrainer:
    """Trains a copy of `mlp` on `dataset`, one optimizer step a call: "adam", "lbfgs" or "lm", in float64.

    When the perceptron has no scaling yet it is scaled to the training samples first. `measuring_seconds` are those of
    the processor that went into errors to tell, not into training. Raises SpecError for what only a
    KAN has, the recipe "auto" and sparsity, and DataError when the dataset's columns are not the perceptron's.
    """

    def __init__(self, mlp: MLP, dataset: Dataset, spec: TrainingSpec | None = None) -> None:
        self.spec = _check(TrainingSpec() if spec is None else spec)
        self.dataset = dataset
        self.num_steps = 0
        self.measuring_seconds = 0.0
        self._generator = np.random.default_rng(self.spec.seed)
        self._objective = MLPObjective(mlp.copy() if mlp.is_scaled else mlp.scaled_to(dataset), dataset)
        self._reset_optimizer()

    @property
    def network(self) -> MLP:
        """The perceptron as it stands; copy it before keeping it, since the next step changes it."""
        return self._objective.mlp

    def step(self) -> StepResult:
        """Do one optimizer step; a step that is no longer finite is taken back and reported as DIVERGED."""
        # overflow is an outcome here, not a warning
        with np.errstate(all="ignore"):
            before = self._objective.parameters
            self.num_steps += 1
            loss, sentence, moved = self._advance(before)
            train_rmse, test_rmse = self.rmse()
            if not all(map(math.isfinite, (loss, train_rmse, test_rmse))):
                return self._take_back(before)
        return StepResult(
            step=self.num_steps,
            train_rmse=train_rmse,
            test_rmse=test_rmse,
            objective=loss,
            outcome=Outcome.OK if moved else Outcome.CONVERGED,
            sentence=sentence,
        )

    def rmse(self) -> tuple[float, float]:
        """Return the present root mean square errors on train and test samples, as in `StepResult`."""
        began = time.process_time()
        with np.errstate(all="ignore"):
            train, test = self._objective.rmse()
        self.measuring_seconds += time.process_time() - began
        return train, test if math.isfinite(test) else sys.float_info.max

    def set_spec(self, spec: TrainingSpec) -> bool:
        """Train on by other settings, from the same parameters; return whether the optimizer begins anew for that."""
        before, self.spec = self.spec, _check(spec)
        begins_anew = spec.optimizer != before.optimizer
        if begins_anew:
            self._reset_optimizer()
        return begins_anew

    def _reset_optimizer(self) -> None:
        self._adam = adam_init(self._objective.parameters)
        self._lbfgs, self._lm = LBFGSState(), LevenbergMarquardtState()

    def _advance(self, parameters: FloatArray) -> tuple[float, str, bool]:
        """Return the loss after one step (before it, for Adam), a sentence, and whether the step got anywhere."""
        objective, optimizer = self._objective, self.spec.optimizer
        if optimizer == "adam":
            return self._advance_adam(parameters), "", True
        if optimizer == "lm" and is_affordable(len(parameters), self.dataset.train_targets.numel()):
            parameters, loss, self._lm = levenberg_marquardt_step(objective, parameters, self._lm)
            objective.set_parameters(parameters)
            return loss, "", self._lm.accepted
        parameters, loss, self._lbfgs = lbfgs_step(objective, parameters, self._lbfgs)
        objective.set_parameters(parameters)
        sentence = ""
        if optimizer == "lm":
            sentence = (
                f"A step of Levenberg-Marquardt with {len(parameters)} parameters on "
                f"{len(self.dataset.train_inputs)} samples takes too long to watch: L-BFGS trains instead."
            )
        return loss, sentence, self._lbfgs.accepted

    def _advance_adam(self, parameters: FloatArray) -> float:
        batch, num_samples = None, len(self.dataset.train_inputs)
        if self.spec.batch_size is not None and self.spec.batch_size < num_samples:
            batch = self._generator.choice(num_samples, self.spec.batch_size, replace=False)
        loss, gradient = self._objective.loss_and_gradient(parameters, batch=batch)
        self._objective.set_parameters(
            adam_step(parameters, gradient, self._adam, learning_rate=self.spec.learning_rate)
        )
        return loss

    def _take_back(self, before: FloatArray) -> StepResult:
        loss = self._objective.loss(before)
        self._reset_optimizer()
        train_rmse, test_rmse = self.rmse()
        return StepResult(
            step=self.num_steps,
            train_rmse=train_rmse,
            test_rmse=test_rmse,
            objective=loss,
            outcome=Outcome.DIVERGED,
            sentence=f"Training diverged at step {self.num_steps}; the network from before that step is kept. "
            "Lower the learning rate or start again.",
        )


def _check(spec: TrainingSpec) -> TrainingSpec:
    if spec.optimizer == "auto":
        raise SpecError("a perceptron is trained by adam, lbfgs or lm, received optimizer='auto': choose one of these")
    if spec.l1 or spec.entropy:
        raise SpecError(
            f"sparsity is a KAN's, received l1={spec.l1:g} and entropy={spec.entropy:g} for a perceptron: set both to 0"
        )
    return spec
