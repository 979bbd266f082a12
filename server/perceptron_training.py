"""Training a perceptron as a session does: settings may change meanwhile."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from kan_core import StepResult, TrainingSpec
from kan_core.datasets import Dataset
from kan_core.errors import KanError
from kan_core.features import BLOCK_BYTES
from kan_core.mlp import MLP, MLPSpec
from kan_core.mlp_training import MLPTrainer
from kan_core.optimizers.levenberg_marquardt import is_affordable
from server.refusal import Refusal

# vectors of all parameters that an optimizer keeps, and square matrices that a step of Levenberg-Marquardt takes
VECTORS = {"adam": 8, "lbfgs": 48, "lm": 12}
MATRICES = 4
NUMBER = 8


class PerceptronTrainer:
    """Trains a copy of `mlp` by settings of which it takes no notice where they concern KANs alone.

    Raises Refusal with code not_for_perceptrons for the optimizer "auto" and for data that do not fit the perceptron.
    """

    def __init__(self, mlp: MLP, dataset: Dataset, spec: TrainingSpec, *, num_steps: int = 0) -> None:
        try:
            self._trainer = MLPTrainer(mlp, dataset, _suitable(spec))
        except KanError as error:
            raise Refusal("not_for_perceptrons", str(error)) from error
        self.num_steps = num_steps

    @property
    def num_steps(self) -> int:
        """How many steps were done."""
        return self._trainer.num_steps

    @num_steps.setter
    def num_steps(self, count: int) -> None:
        self._trainer.num_steps = count

    @property
    def network(self) -> MLP:
        """The perceptron as it stands; the next step changes it."""
        return self._trainer.network

    def step(self) -> StepResult:
        """Do one optimizer step; one that is no longer finite is taken back and reported as DIVERGED."""
        return self._trainer.step()

    def set_spec(self, spec: TrainingSpec) -> bool:
        """Train on by other settings and return whether the optimizer begins anew; raises Refusal for "auto"."""
        return self._trainer.set_spec(_suitable(spec))


def _suitable(spec: TrainingSpec) -> TrainingSpec:
    if spec.optimizer == "auto":
        raise Refusal(
            "not_for_perceptrons",
            "The recipe of auto is for KANs, whose grids it refines, and this network is a perceptron, received "
            "optimizer='auto': choose Levenberg-Marquardt, L-BFGS or Adam.",
        )
    return replace(spec, l1=0.0, entropy=0.0, grids=None)


def perceptron_bytes(spec: MLPSpec, dataset: Dataset, *, optimizer: str) -> int:
    """Return about how many bytes training adds to perceptron and dataset."""
    num_train, num_test = len(dataset.train_inputs), len(dataset.test_inputs)
    size = spec.num_parameters
    # values and slopes of all units, and what goes back through them
    units = sum(spec.widths) + 2 * sum(right for _, right in pairwise(spec.widths))
    total = (num_train + num_test) * units + VECTORS.get(optimizer, 0) * size
    if optimizer == "lm" and is_affordable(size, dataset.train_targets.numel()):
        total += MATRICES * size**2 + min(BLOCK_BYTES // NUMBER, size * dataset.train_targets.numel())
    return NUMBER * total
