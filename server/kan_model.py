"""A KAN as a session deals with it."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from kan_core import KAN, NetworkSpec, Trainer, TrainingSpec, edge_importance, sample_edge_curves
from kan_core.checkpoint import describe_network, network_tensors
from kan_core.datasets import Dataset
from kan_core.errors import KanError
from kan_core.pruning import rmse
from server import views
from server.messages import MAX_EDGES, Formula, NetworkSettings, Structure
from server.model import NUM_POINTS, AnyTrainer, Picture
from server.refusal import Refusal
from server.session_data import SessionData


@dataclass(frozen=True, slots=True)
class KanModel:
    """The model of a KAN."""

    network: KAN

    def copy(self) -> KAN:
        """Return a copy that goes its own way."""
        return self.network.copy()

    def trained_by(self, before: AnyTrainer | None, dataset: Dataset, spec: TrainingSpec) -> AnyTrainer:
        """Return a trainer of a copy of it; what that of a KAN knows of the scale of gradients is carried over."""
        if isinstance(before, Trainer):
            trainer = copy.copy(before)
            trainer.set_spec(spec)
            trainer.replace_network(self.network)
            return trainer
        trainer = Trainer(self.network, dataset, spec)
        trainer.num_steps = 0 if before is None else before.num_steps
        return trainer

    def check_penalty(self, l1: float, entropy: float) -> None:
        """Every penalty has its use."""

    def structure(self, data: SessionData, *, revision: int, seed: int, optimizer: str) -> Structure:
        """Return its shape and what every edge is."""
        return views.structure(self.network, data, revision=revision, seed=seed, optimizer=optimizer)

    def outline(self) -> tuple[object, ...]:
        """Return what the structure tells but for the constants of formulas."""
        return views.outline(self.network)

    def formula(self, data: SessionData) -> Formula:
        """Return it as a formula in original units."""
        return views.formula(self.network, data)

    @property
    def has_moving_formula(self) -> bool:
        """Whether any edge is a formula, whose constants train on."""
        return any(layer.functions for layer in self.network.layers)

    def picture(self, data: SessionData) -> Picture:
        """Return the curves of its edges."""
        curves = sample_edge_curves(self.network, num_points=NUM_POINTS)
        scores = edge_importance(self.network, data.weighed_inputs)
        importance = torch.cat([score.ravel() for score in scores]).numpy()
        return Picture(importance=importance, values=curves.values, grids=curves.grids)

    def rmse(self, inputs: Tensor, targets: Tensor, task: str) -> float:
        """Return the root mean square error."""
        return rmse(self.network, inputs, targets, task=task)

    def describe(self) -> dict[str, Any]:
        """Return what its tensors do not say."""
        return describe_network(self.network)

    def tensors(self, prefix: str) -> dict[str, Tensor]:
        """Return its tensors by name."""
        return network_tensors(self.network, prefix=prefix)


def fresh_kan(settings: NetworkSettings, seed: int) -> KAN:
    """Return the initial network of these settings and this seed, float64.

    Raises Refusal with code too_many_edges or bad_network.
    """
    widths = settings.widths
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
