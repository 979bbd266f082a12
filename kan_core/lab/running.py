"""Running one point, a small piece at a time."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import lru_cache

import torch

from kan_core.datasets import Dataset
from kan_core.errors import SpecError
from kan_core.lab.points import (
    LabPoint,
    point_dataset,
    point_network,
    point_shape,
    point_training,
    say_unreachable,
)
from kan_core.lab.results import CurvePoint, PointResult
from kan_core.lab.sizes import count_parameters
from kan_core.lab.spec import LabSpec
from kan_core.mlp import MLP, MLPSpec
from kan_core.mlp_training import MLPTrainer
from kan_core.network import KAN, NetworkSpec
from kan_core.training import Outcome, StepResult, Trainer, TrainingSpec

MAX_CURVE = 200
CUT_SHORT = "The budget ended while the recipe was still trying: this is the best it had by then."
_OUTCOMES = {Outcome.OK: "ok", Outcome.CONVERGED: "converged", Outcome.DIVERGED: "diverged"}


class PointRun:
    """The training of one point: `step` until `is_done`, then `result`.

    Only the time within steps counts, in seconds of the processor, without that of measuring errors to tell, and what
    is compiled when first used is compiled before. Raises KanError when the point cannot run.
    """

    def __init__(self, spec: LabSpec, point: LabPoint) -> None:
        unreachable = say_unreachable(spec, point)
        if unreachable:
            raise SpecError(unreachable)
        self.point = point
        self._budget = spec.budget
        self._max_steps = spec.contestant(point.contestant).steps or spec.budget.steps
        dataset = point_dataset(spec, point)
        network = point_network(spec, point, dataset)
        training = point_training(spec, point)
        _compile(_family(network), training.optimizer, dataset.task)
        self._trainer = _make_trainer(network, dataset, training)
        self._last: StepResult | None = None
        self._sentence = ""
        self._seconds, self._stride = 0.0, 1
        self._curve: list[CurvePoint] = [(0, 0.0, self._trainer.rmse()[1])]

    def step(self) -> None:
        """Do one step of the optimizer, or one piece of the recipe "auto"."""
        began = self._training_time()
        last = self._last = self._trainer.step()
        self._seconds += self._training_time() - began
        self._sentence = last.sentence or self._sentence
        if self.is_done:
            last = self._last = self._end(last)
        if last.step % self._stride == 0 or self.is_done:
            self._curve.append((last.step, self._seconds, last.test_rmse))
        if len(self._curve) > MAX_CURVE:
            self._stride *= 2
            self._curve = [one for one in self._curve[:-1] if one[0] % self._stride == 0] + self._curve[-1:]

    def _end(self, last: StepResult) -> StepResult:
        """Return where the network stands at the end: of a recipe that the budget cuts short, the best it has."""
        trainer = self._trainer
        if not isinstance(trainer, Trainer) or not trainer.stop_recipe():
            return last
        self._sentence = CUT_SHORT
        train_rmse, test_rmse = trainer.rmse()
        return replace(last, train_rmse=train_rmse, test_rmse=test_rmse)

    def _training_time(self) -> float:
        """Return the processor seconds of this process so far, but for those that measuring errors took."""
        return time.process_time() - self._trainer.measuring_seconds

    @property
    def is_done(self) -> bool:
        """Whether the budget is spent, or nothing more is to be gained."""
        if self._last is None:
            return False
        return self._last.outcome is not Outcome.OK or self.progress >= 1.0

    @property
    def progress(self) -> float:
        """The share of the budget that is spent, from 0 to 1."""
        if self._last is None:
            return 0.0
        of_steps = self._last.step / self._max_steps if self._max_steps else 0.0
        of_seconds = self._seconds / self._budget.seconds if self._budget.seconds else 0.0
        return min(1.0, max(of_steps, of_seconds))

    @property
    def curve(self) -> list[CurvePoint]:
        """Step, seconds and test RMSE, thinned evenly to at most 200 steps."""
        return list(self._curve)

    @property
    def network(self) -> KAN | MLP:
        """The network as it stands; at the end the one that the result is about."""
        return self._trainer.network

    @property
    def result(self) -> PointResult:
        """What has been reached."""
        last = self._last
        assert last is not None
        return PointResult(
            problem=self.point.problem,
            contestant=self.point.contestant,
            seed=self.point.seed,
            value=self.point.value,
            parameters=_num_parameters(self.network),
            steps=last.step,
            seconds=self._seconds,
            train_rmse=last.train_rmse,
            test_rmse=last.test_rmse,
            outcome=_OUTCOMES[last.outcome],
            sentence=self._sentence,
            curve=tuple(self._curve),
        )


def failed_result(spec: LabSpec, point: LabPoint, sentence: str) -> PointResult:
    """Return the result of a point that could not run, with the sentence that says why."""
    return PointResult(
        problem=point.problem,
        contestant=point.contestant,
        seed=point.seed,
        value=point.value,
        parameters=count_parameters(point_shape(spec, point)),
        steps=0,
        seconds=0.0,
        train_rmse=None,
        test_rmse=None,
        outcome="failed",
        sentence=sentence,
    )


def _make_trainer(network: KAN | MLP, dataset: Dataset, training: TrainingSpec) -> Trainer | MLPTrainer:
    if isinstance(network, MLP):
        return MLPTrainer(network, dataset, training)
    return Trainer(network, dataset, training)


def _num_parameters(network: KAN | MLP) -> int:
    return network.spec.num_parameters if isinstance(network, MLP) else network.num_parameters


def _family(network: KAN | MLP) -> str:
    return "" if isinstance(network, MLP) else network.spec.basis


@lru_cache(maxsize=256)
def _compile(family: str, optimizer: str, task: str) -> None:
    """Let everything be compiled that trainings of a family ("" is an MLP) use, by steps of a small one."""
    inputs = torch.linspace(-1.0, 1.0, 12, dtype=torch.float64).unsqueeze(1)
    targets = (inputs > 0).double() if task == "classification" else inputs.square()
    dataset = Dataset(train_inputs=inputs, train_targets=targets, test_inputs=inputs, test_targets=targets, task=task)
    training = TrainingSpec(optimizer=optimizer)
    network = (
        KAN(NetworkSpec(widths=(1, 2, 1), basis=family), dtype=torch.float64)
        if family
        else MLP(MLPSpec(widths=(1, 2, 1)))
    )
    trainer = _make_trainer(network, dataset, training)
    for _ in range(2):
        trainer.step()
