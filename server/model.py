"""What a session asks of its network, whether that is a KAN or a perceptron."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from kan_core import KAN, StepResult, TrainingSpec
from kan_core.datasets import Dataset
from kan_core.mlp import MLP
from server.messages import Formula, Structure
from server.session_data import SessionData

NUM_POINTS = 64

Network = KAN | MLP


class AnyTrainer(Protocol):
    """Trains a network that it owns, one step a call."""

    @property
    def num_steps(self) -> int:
        """How many steps were done, this network's and earlier ones'; it may be set."""
        ...

    @num_steps.setter
    def num_steps(self, count: int) -> None: ...

    @property
    def network(self) -> Network:
        """The network as it stands; the next step changes it."""
        ...

    def step(self) -> StepResult:
        """Do one optimizer step."""
        ...

    def set_spec(self, spec: TrainingSpec) -> bool:
        """Train on by other settings and return whether the optimizer begins anew for that; may raise Refusal."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """How a network looks: `importance` (E,) and curves `values` over `grids`, in original units where there are any.

    The curves are those of edges (E, P) over the grids of their sources (N, P), or with `weights` (E,) those of the
    nodes that have a function, over what arrives there, both (N, P).
    """

    importance: NDArray[np.floating]
    values: NDArray[np.floating]
    grids: NDArray[np.floating]
    weights: NDArray[np.floating] | None = None


class Model(Protocol):
    """A network with all that a session does with either kind; what one kind alone can do is asked of it directly."""

    def copy(self) -> Network:
        """Return a copy that goes its own way."""
        ...

    def trained_by(self, before: AnyTrainer | None, dataset: Dataset, spec: TrainingSpec) -> AnyTrainer:
        """Return a trainer of a copy of it, which goes on from the number of steps of the trainer `before`, if any.

        `before` stands as it was. Raises Refusal when the settings do not suit the network.
        """
        ...

    def check_penalty(self, l1: float, entropy: float) -> None:
        """Raise Refusal when the network has no use for such a sparsity penalty."""
        ...

    def structure(self, data: SessionData, *, revision: int, seed: int, optimizer: str) -> Structure:
        """Return its shape, what every edge is, and the memory that training it by `optimizer` takes."""
        ...

    def outline(self) -> tuple[object, ...]:
        """Return what the structure tells but for numbers that training moves, to be compared cheaply."""
        ...

    def formula(self, data: SessionData) -> Formula:
        """Return it as a formula for reading and for copying."""
        ...

    @property
    def has_moving_formula(self) -> bool:
        """Whether training changes how its formula reads."""
        ...

    def picture(self, data: SessionData) -> Picture:
        """Return how it looks."""
        ...

    def rmse(self, inputs: Tensor, targets: Tensor, task: str) -> float:
        """Return the root mean square error, of probabilities for the task "classification"."""
        ...

    def describe(self) -> dict[str, Any]:
        """Return what its tensors do not say, ready for JSON."""
        ...

    def tensors(self, prefix: str) -> dict[str, Tensor]:
        """Return its tensors by name, each name beginning with `prefix`."""
        ...
