"""Inputs that a law does not depend on, as a trained network tells.

Shape legend: B samples, I inputs, M moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from kan_core.bases.basis import FloatArray
from kan_core.datasets import Dataset
from kan_core.discovery.composition import Sheet
from kan_core.network import KAN

# moving an input that does nothing changes a network's output by so many times its own error at most, or by this share
FAINT = 2.0
FAINTEST = 1e-3
# holding it makes the error on held-out samples no larger than so many times what it was
HELD = 1.02
NUM_MOVES = 512


@dataclass(frozen=True, slots=True)
class Idle:
    """The inputs at `places`, in order, do nothing; others do."""

    places: tuple[int, ...]

    def sentence(self, names: Sequence[str], target: str) -> str:
        """Return what was found in words."""
        *others, last = (names[place] for place in self.places)
        listed = f"{', '.join(others)} and {last}" if others else last
        return f"{target} does not depend on {listed}."

    def kept(self, num_inputs: int) -> list[int]:
        """Return the places of the other inputs."""
        return [place for place in range(num_inputs) if place not in self.places]

    def reduce(self, dataset: Dataset) -> Dataset:
        """Return the samples without these inputs."""
        kept = self.kept(dataset.num_inputs)
        return replace(
            dataset,
            train_inputs=dataset.train_inputs[:, kept],
            test_inputs=dataset.test_inputs[:, kept],
            input_names=tuple((dataset.input_names or ())[place] for place in kept),
        )

    def widen(self, sheets: Sequence[Sheet], num_inputs: int) -> list[Sheet]:
        """Return sheets of the other inputs as those of all."""
        kept, (first, *rest) = self.kept(num_inputs), sheets
        terms = {(row, kept[source]): term for (row, source), term in first.terms.items()}
        return [replace(first, sources=num_inputs, terms=terms), *rest]


@torch.no_grad()
def influences(network: KAN, inputs: Tensor) -> FloatArray:
    """Return by how much the output of `network` changes when an input alone is moved to where it is in other samples.

    (I,), root mean squares over moves among `inputs` (B, I), as shares of the output's spread.
    """
    rows = torch.from_numpy(np.random.default_rng(0).integers(len(inputs), size=(2, NUM_MOVES)))
    here, there = inputs[rows[0]], inputs[rows[1]]
    before = network(here)[:, 0].double()
    spread = float(before.std(correction=0)) or 1.0
    changes: list[float] = []
    for place in range(inputs.shape[1]):
        moved = here.clone()
        moved[:, place] = there[:, place]
        changes.append(float((network(moved)[:, 0].double() - before).square().mean().sqrt()) / spread)
    return np.array(changes)


@torch.no_grad()
def find_idle(network: KAN, dataset: Dataset, *, error: float) -> Idle | None:
    """Return the inputs of `dataset` that do nothing, None where there are none, or no others.

    They do no more in `network` than its own `error`, a share of the spread, explains, and its error on held-out
    samples is no larger when they are held where they are.
    """
    faint = faint_inputs(network, dataset.train_inputs, error=error)
    middle = dataset.train_inputs.median(dim=0).values

    def error_without(places: list[int]) -> float:
        train, test = dataset.train_inputs.clone(), dataset.test_inputs.clone()
        train[:, places] = test[:, places] = middle[places]
        shift = (network(train) - dataset.train_targets).mean()
        return _rms(network(test) - shift - dataset.test_targets)

    held: list[int] = []
    standing = error_without(held)
    for place in faint[: dataset.num_inputs - 1]:
        without = error_without([*held, place])
        if without <= HELD * standing:
            held.append(place)
            standing = min(standing, without)
    return Idle(tuple(sorted(held))) if held else None


def _rms(values: Tensor) -> float:
    return float(values.double().square().mean().sqrt())


def faint_inputs(network: KAN, inputs: Tensor, *, error: float) -> list[int]:
    """Return which of the inputs (B, I) do no more in `network` than its `error`, a share of the spread, explains.

    Those that do least come first.
    """
    limit = max(FAINT * error, FAINTEST)
    changes = influences(network, inputs)
    return [int(place) for place in np.argsort(changes, kind="stable") if changes[place] <= limit]
