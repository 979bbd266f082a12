"""A perceptron as a session deals with it.

Shape legend: B samples, n_l units of layer l, E weights, U nodes with a function, P points.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kan_core import TrainingSpec
from kan_core.accuracy import root_mean_square
from kan_core.activations import ACTIVATIONS
from kan_core.datasets import Dataset
from kan_core.errors import CheckpointError, KanError
from kan_core.mlp import MLP, MLPSpec
from server.messages import MAX_WEIGHTS, EdgeInfo, Formula, PerceptronSettings, Structure
from server.model import NUM_POINTS, AnyTrainer, Picture
from server.perceptron_formula import perceptron_formula
from server.perceptron_training import PerceptronTrainer, perceptron_bytes
from server.refusal import Refusal
from server.session_data import SessionData

EPSILON = 1e-12


@dataclass(frozen=True, slots=True)
class PerceptronModel:
    """The model of a perceptron."""

    network: MLP

    def copy(self) -> MLP:
        """Return a copy that goes its own way."""
        return self.network.copy()

    def trained_by(self, before: AnyTrainer | None, dataset: Dataset, spec: TrainingSpec) -> AnyTrainer:
        """Return a trainer of a copy of it; raises Refusal for an optimizer that perceptrons have not."""
        num_steps = 0 if before is None else before.num_steps
        return PerceptronTrainer(self.network, dataset, spec, num_steps=num_steps)

    def check_penalty(self, l1: float, entropy: float) -> None:
        """Raise Refusal for any penalty: it makes edges flat, and weights are cut nowhere."""
        if l1 > 0 or entropy > 0:
            raise Refusal(
                "not_for_perceptrons",
                f"The sparsity penalty is for the functions on a KAN's edges, and this network is a perceptron, "
                f"received l1={l1:g} and entropy={entropy:g}: leave both at 0.",
            )

    def structure(self, data: SessionData, *, revision: int, seed: int, optimizer: str) -> Structure:
        """Return its shape; its edges are weights, whose numbers stand in the frames."""
        spec = self.network.spec
        return Structure(
            revision=revision,
            network=PerceptronSettings.model_validate({"model": "mlp", **_described(spec)}),
            seed=seed,
            input_names=data.info.input_names,
            output_names=data.info.output_names,
            edges=[
                EdgeInfo(layer=layer, source=source, target=target, kind="weight", basis="")
                for layer, (sources, targets) in enumerate(pairwise(spec.widths))
                for target in range(targets)
                for source in range(sources)
            ],
            num_parameters=spec.num_parameters,
            num_bytes=perceptron_bytes(spec, data.dataset, optimizer=optimizer),
        )

    def outline(self) -> tuple[object, ...]:
        """Return its shape, which is all there is."""
        return (self.network.spec,)

    def formula(self, data: SessionData) -> Formula:
        """Return the composition that it is."""
        return perceptron_formula(self.network.spec, data.info.output_names)

    @property
    def has_moving_formula(self) -> bool:
        """Its numbers are not written."""
        return False

    @torch.no_grad()
    def picture(self, data: SessionData) -> Picture:
        """Return its weights, and the function of every node over what arrives there."""
        mlp = self.network
        inputs, arriving = _pass(mlp, data.weighed_inputs)
        grids, values = _functions(mlp, arriving)
        return Picture(
            importance=_importance(mlp, inputs, arriving),
            weights=np.concatenate([layer.weight.numpy().ravel() for layer in mlp.layers]),
            values=values,
            grids=grids,
        )

    @torch.no_grad()
    def rmse(self, inputs: Tensor, targets: Tensor, task: str) -> float:
        """Return the root mean square error."""
        outputs = self.network(inputs)
        outputs = torch.sigmoid(outputs) if task == "classification" else outputs
        return root_mean_square((outputs - targets.double()).abs().numpy())

    def describe(self) -> dict[str, Any]:
        """Return what its tensors do not say."""
        return {"model": "mlp", **_described(self.network.spec)}

    def tensors(self, prefix: str) -> dict[str, Tensor]:
        """Return its tensors by name."""
        # the trainer's parameters are views of one array
        return {prefix + name: tensor.detach().clone().contiguous() for name, tensor in _state(self.network).items()}


def fresh_perceptron(settings: PerceptronSettings, dataset: Dataset, seed: int) -> MLP:
    """Return the initial perceptron of these settings and this seed, scaled to the data.

    Raises Refusal with code too_many_edges or bad_network.
    """
    widths = settings.widths
    num_weights = sum(sources * targets for sources, targets in pairwise(widths))
    if num_weights > MAX_WEIGHTS:
        raise Refusal(
            "too_many_edges",
            f"A perceptron has at most {MAX_WEIGHTS} weights here, received widths={widths} with {num_weights}: use "
            "fewer units.",
        )
    try:
        return MLP(_spec_of(settings), generator=torch.Generator().manual_seed(seed), dataset=dataset)
    except KanError as error:
        raise Refusal("bad_network", str(error)) from error


def rebuild_perceptron(description: dict[str, Any], tensors: dict[str, Tensor], *, prefix: str) -> MLP:
    """Return the perceptron that `describe` and `tensors` told; raises CheckpointError for anything else."""
    try:
        mlp = MLP(_spec_of(PerceptronSettings.model_validate(description)))
        mine = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
        mlp.load_state_dict(mine)
    except (ValueError, RuntimeError, KanError) as error:
        raise CheckpointError(f"the checkpoint does not describe a perceptron: {error}") from error
    return mlp


def _spec_of(settings: PerceptronSettings) -> MLPSpec:
    chosen = settings.activation
    return MLPSpec(
        widths=tuple(settings.widths),
        activation=chosen if isinstance(chosen, str) else tuple(chosen),
        output_tanh=settings.output_tanh,
    )


def _described(spec: MLPSpec) -> dict[str, Any]:
    fields = asdict(spec)
    activation = spec.activation if isinstance(spec.activation, str) else list(spec.activation)
    return {**fields, "widths": list(spec.widths), "activation": activation}


def _state(mlp: MLP) -> dict[str, Tensor]:
    state: dict[str, Tensor] = mlp.state_dict()
    return state


def _pass(mlp: MLP, inputs: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """Return what enters each affine layer (B, n_l) and what leaves it (B, n_{l+1})."""
    entering: list[Tensor] = [(inputs.double() - mlp.input_shift) / mlp.input_scale]
    arriving: list[Tensor] = []
    for index, layer in enumerate(mlp.layers):
        arriving.append(layer(entering[index]))
        if index < len(mlp.spec.activations):
            entering.append(ACTIVATIONS[mlp.spec.activations[index]][1]()(arriving[index]))
    return entering, arriving


def _importance(mlp: MLP, entering: list[Tensor], arriving: list[Tensor]) -> NDArray[np.floating]:
    """Return the score of every weight (E,) as `kan_core.attribution` scores edges: its term's share of the spread."""
    node_scores = torch.ones(mlp.spec.widths[-1], dtype=torch.float64)
    scores: list[Tensor] = []
    for layer, inputs, sums in zip(reversed(mlp.layers), reversed(entering), reversed(arriving), strict=True):
        spreads = layer.weight.abs() * inputs.std(dim=0, correction=0)
        scores.insert(0, spreads / (sums.std(dim=0, correction=0) + EPSILON).unsqueeze(1) * node_scores.unsqueeze(1))
        node_scores = scores[0].sum(dim=0)
    flat = torch.cat([score.ravel() for score in scores])
    largest = float(flat.max())
    return (flat / largest if largest > 0 else flat).numpy()


def _functions(mlp: MLP, arriving: list[Tensor]) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Return where each node's function is shown and what it is there, both (U, P)."""
    steps = torch.linspace(0.0, 1.0, NUM_POINTS, dtype=torch.float64)
    grids, values = [torch.empty(0, NUM_POINTS, dtype=torch.float64)], [torch.empty(0, NUM_POINTS, dtype=torch.float64)]
    for name, sums in zip((*mlp.spec.activations, "output"), arriving, strict=True):
        if name == "output" and not mlp.spec.output_tanh:
            continue
        low, high = sums.amin(dim=0).unsqueeze(1), sums.amax(dim=0).unsqueeze(1)
        points = low + (high - low) * steps
        grids.append(points)
        if name == "output":
            values.append(mlp.output_shift.unsqueeze(1) + mlp.output_scale.unsqueeze(1) * torch.tanh(points))
        else:
            values.append(ACTIVATIONS[name][1]()(points))
    return torch.cat(grids).numpy(), torch.cat(values).numpy()
