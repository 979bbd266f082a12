"""What defines a session apart from its networks, and what follows from it: how to train, and the first network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from kan_core import KAN, NetworkSpec, TrainingSpec
from kan_core.errors import KanError
from kan_core.symbolic import BUILT_IN, Library
from server.messages import MAX_EDGES, DataSource, NetworkSettings, TrainingSettings
from server.refusal import Refusal
from server.session_data import SessionData


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
    network: NetworkSettings
    training: TrainingSettings
    chosen_grid: int | None = None
    library: Library = BUILT_IN


def training_spec(record: SessionRecord) -> TrainingSpec:
    """Return what the trainer needs to know of the session's settings."""
    settings = record.training
    return TrainingSpec(
        optimizer=settings.optimizer,
        learning_rate=settings.learning_rate,
        batch_size=settings.batch_size,
        seed=record.seed,
        l1=settings.l1,
        entropy=settings.entropy,
        grids=None if record.chosen_grid is None else (record.chosen_grid,),
    )


def fresh_network(settings: NetworkSettings, data: SessionData, seed: int) -> KAN:
    """Return the initial network of these settings and this seed, float64.

    Raises Refusal with code bad_widths when it does not fit the data, too_many_edges, or bad_network.
    """
    widths = settings.widths
    if (widths[0], widths[-1]) != (data.num_inputs, data.num_outputs):
        raise Refusal(
            "bad_widths",
            f"The data have {data.num_inputs} inputs and {data.num_outputs} output, so widths begin with "
            f"{data.num_inputs} and end with {data.num_outputs}, received widths={widths}: change the first or last.",
        )
    rows = [width + more for width, more in zip(widths, settings.products or [0] * len(widths), strict=False)]
    num_edges = sum(sources * targets for sources, targets in zip(widths, rows[1:], strict=False))
    if num_edges > MAX_EDGES:
        raise Refusal(
            "too_many_edges",
            f"A network has at most {MAX_EDGES} edges, received widths={widths} with {num_edges}: use fewer nodes.",
        )
    try:
        spec = NetworkSpec(
            widths=tuple(widths),
            products=tuple(settings.products),
            basis=settings.basis,
            grid_size=settings.grid_size,
            order=settings.order,
            knots=settings.knots,
            alpha=settings.alpha,
            beta=settings.beta,
            base=settings.base,
            initialization=settings.initialization,
        )
    except KanError as error:
        raise Refusal("bad_network", str(error)) from error
    return KAN(spec, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
