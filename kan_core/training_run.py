"""Training by the recipe from beginning to end, in one call."""

from __future__ import annotations

import time
from dataclasses import dataclass

from kan_core.datasets import Dataset
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
    default with `seed`. Raises DataError when the dataset's columns are not the network's.
    """
    start = time.perf_counter()
    trainer = Trainer(network, dataset, TrainingSpec(optimizer="auto", seed=seed) if spec is None else spec)
    sentences: list[str] = []
    while True:
        result = trainer.step()
        elapsed = time.perf_counter() - start
        if result.sentence:
            sentences.append(result.sentence)
        is_late = (max_steps is not None and result.step >= max_steps) or (seconds is not None and elapsed >= seconds)
        if is_late or result.outcome is not Outcome.OK:
            return TrainingResult(
                network=trainer.network.copy(), sentences=tuple(sentences), end=result, seconds=elapsed
            )
