"""Training by the recipe from beginning to end, in one call."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from kan_core.accuracy import measure_rmse
from kan_core.datasets import Dataset
from kan_core.fitting import calibrate, mean_error
from kan_core.network import KAN
from kan_core.training import Outcome, StepResult, Trainer, TrainingSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingResult:
    """A trained network, the sentences said on the way, the last step's result and the time it took."""

    network: KAN
    sentences: tuple[str, ...]
    end: StepResult
    seconds: float


def train(
    network: KAN,
    dataset: Dataset,
    *,
    spec: TrainingSpec | None = None,
    seed: int = 0,
    max_steps: int | None = None,
    seconds: float | None = None,
) -> TrainingResult:
    """Return a copy of `network` trained on `dataset` by the recipe "auto", to its end or until a limit is reached.

    `max_steps` and `seconds` are the limits, at least one step is done. `spec`, when given, is used in place of the
    default with `seed`, but for its optimizer, which is the recipe in any case. On the training data the
    result is never worse than predicting the mean, which for classes is their share. Raises DataError when the
    dataset's columns are not the network's.
    """
    start = time.perf_counter()
    trainer = Trainer(network, dataset, replace(TrainingSpec(seed=seed) if spec is None else spec, optimizer="auto"))
    sentences: list[str] = []
    while True:
        result = trainer.step()
        elapsed = time.perf_counter() - start
        if result.sentence:
            sentences.append(result.sentence)
        is_late = (max_steps is not None and result.step >= max_steps) or (seconds is not None and elapsed >= seconds)
        if is_late or result.outcome is not Outcome.OK:
            network, end = trainer.network.copy(), result
            if result.outcome is Outcome.OK:
                network, end = _no_worse_than_the_mean(network, dataset, result)
            return TrainingResult(network=network, sentences=tuple(sentences), end=end, seconds=elapsed)


def _no_worse_than_the_mean(network: KAN, dataset: Dataset, end: StepResult) -> tuple[KAN, StepResult]:
    """Return network and result as they are, or calibrated if a limit came before anything was learnt."""
    if end.train_rmse < mean_error(dataset):
        return network, end
    calibrated = calibrate(network, dataset)
    train_rmse = measure_rmse(calibrated, dataset.train_inputs, dataset.train_targets, dataset.task)
    test_rmse = measure_rmse(calibrated, dataset.test_inputs, dataset.test_targets, dataset.task)
    return calibrated, replace(end, train_rmse=train_rmse, test_rmse=test_rmse)
