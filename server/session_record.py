"""What defines a session apart from its networks, and how to train by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from kan_core import TrainingSpec
from kan_core.symbolic import BUILT_IN, Library
from server.messages import AnyNetworkSettings, DataSource, TrainingSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRecord:
    """What defines a session apart from its networks: who it is, what it learns from, how, and from which seed.

    `chosen_grid` is the grid size that the recipe of "auto" keeps to because a person chose it, None where it chooses.
    `library` holds the functions that its curves are compared with.
    """

    session_id: str
    source: DataSource
    tables: Mapping[str, bytes]
    data_seed: int
    seed: int
    network: AnyNetworkSettings
    training: TrainingSettings
    chosen_grid: int | None = None
    library: Library = BUILT_IN


def training_spec(record: SessionRecord) -> TrainingSpec:
    """Return what the trainer needs to know of the session's settings."""
    settings, grids = record.training, None
    if record.chosen_grid is not None:
        grids = (record.chosen_grid,)
    elif settings.grids is not None:
        grids = tuple(settings.grids)
    return TrainingSpec(
        optimizer=settings.optimizer,
        learning_rate=settings.learning_rate,
        batch_size=settings.batch_size,
        seed=record.seed,
        l1=settings.l1,
        entropy=settings.entropy,
        grids=grids,
    )


def choosing_grids(record: SessionRecord) -> SessionRecord:
    """Return the record with a recipe that chooses its grids itself."""
    return replace(record, chosen_grid=None, training=record.training.model_copy(update={"grids": None}))
