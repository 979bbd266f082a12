"""The multilayer perceptron that KANs are compared with, trained by the same optimizers.

Shape legend: B samples, I inputs, O outputs, n_l units of layer l, P parameters.

    MLP(x) = (W_{L-1} ∘ σ_{L-1} ∘ … ∘ σ_1 ∘ W_0)(x), W_l affine, between a KAN's input and output scaling.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

from kan_core._checks import check_choice, check_inputs, check_widths
from kan_core.activations import ACTIVATIONS
from kan_core.datasets import Dataset
from kan_core.errors import DataError, SpecError

MAX_WIDTH = 4096
# tanh only comes near its ends: targets fill this part of them
TANH_REACH = 1.2


@dataclass(frozen=True, slots=True, kw_only=True)
class MLPSpec:
    """Shape of a perceptron: `widths` of all layers, inputs and outputs included, and the `activation` σ between them.

    `activation` is one name for every hidden layer, or a name for each. With `output_tanh` the last layer
    passes through tanh, whose values the output scaling maps to the targets' range and a tenth of it beyond on either
    side. Raises SpecError when a field is out of bounds.
    """

    widths: tuple[int, ...] = (2, 32, 32, 1)
    activation: str | tuple[str, ...] = "silu"
    output_tanh: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "widths", check_widths(self.widths, high=MAX_WIDTH))
        if not isinstance(self.output_tanh, bool):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise SpecError(f"output_tanh is true or false, received output_tanh={self.output_tanh!r}: choose one")
        if isinstance(self.activation, str):
            check_choice("activation", self.activation, tuple(ACTIVATIONS))
            return
        names = tuple(self.activation)
        num_hidden = len(self.widths) - 2
        if len(names) != num_hidden:
            raise SpecError(
                f"activation is one name, or a name for each of {num_hidden} hidden layers, received "
                f"activation={names}: give {num_hidden} names"
            )
        for index, name in enumerate(names):
            check_choice(f"activation[{index}]", name, tuple(ACTIVATIONS))
        object.__setattr__(self, "activation", names)

    @property
    def activations(self) -> tuple[str, ...]:
        """The σ of each hidden layer."""
        num_hidden = len(self.widths) - 2
        return (self.activation,) * num_hidden if isinstance(self.activation, str) else self.activation

    @property
    def num_parameters(self) -> int:
        """How many weights and biases there are."""
        return sum((left + 1) * right for left, right in pairwise(self.widths))


class MLP(nn.Module):
    """A multilayer perceptron of `nn.Linear` layers; calling it on (B, I) inputs gives (B, O) outputs.

    Weights and biases are drawn as `nn.Linear` draws them, uniformly within ±1/√n_in, from `generator` (a fresh one
    with seed 0 when left out). With `dataset` inputs are centred and divided by their half range and its targets
    by mean and standard deviation, as for a KAN; outputs for classes are logits, and stay as they are. Raises DataError
    when the dataset's columns are not the perceptron's.
    """

    input_shift: Tensor
    input_scale: Tensor
    output_shift: Tensor
    output_scale: Tensor

    def __init__(
        self, spec: MLPSpec, *, generator: torch.Generator | None = None, dataset: Dataset | None = None
    ) -> None:
        super().__init__()
        self.spec = spec
        drawing = torch.Generator().manual_seed(0) if generator is None else generator
        self._layers = nn.ModuleList(nn.Linear(sources, units) for sources, units in pairwise(spec.widths))
        self.to(torch.float64)
        for layer in self.layers:
            bound = layer.in_features**-0.5
            for parameter in (layer.weight, layer.bias):
                drawn = torch.rand(parameter.shape, generator=drawing, dtype=torch.float64)
                parameter.data = bound * (2.0 * drawn - 1.0)
        for name, width in (("input", spec.widths[0]), ("output", spec.widths[-1])):
            self.register_buffer(f"{name}_shift", torch.zeros(width, dtype=torch.float64))
            self.register_buffer(f"{name}_scale", torch.ones(width, dtype=torch.float64))
        if dataset is not None:
            self._fit_scales(dataset)

    @property
    def layers(self) -> tuple[nn.Linear, ...]:
        """The affine layers from inputs to outputs."""
        return tuple(cast(nn.Linear, layer) for layer in self._layers)

    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs (B, O) for inputs (B, I); raises DataError for anything but a tensor of that shape."""
        check_inputs(x, self.spec.widths[0])
        nodes = (x.to(self.input_shift.dtype) - self.input_shift) / self.input_scale
        for layer, name in zip(self.layers, (*self.spec.activations, None), strict=True):
            nodes = layer(nodes) if name is None else ACTIVATIONS[name][1]()(layer(nodes))
        return self.output_shift + self.output_scale * (torch.tanh(nodes) if self.spec.output_tanh else nodes)

    @property
    def is_scaled(self) -> bool:
        """Whether there is a scaling other than the identity."""
        scales, shifts = (self.input_scale, self.output_scale), (self.input_shift, self.output_shift)
        return any(bool((one != 1).any()) for one in scales) or any(bool((one != 0).any()) for one in shifts)

    def copy(self) -> MLP:
        """Return an independent copy."""
        return copy.deepcopy(self)

    def scaled_to(self, dataset: Dataset) -> MLP:
        """Return a copy scaled to a dataset's training samples; raises DataError when the columns differ."""
        scaled = self.copy()
        scaled._fit_scales(dataset)
        return scaled

    def _fit_scales(self, dataset: Dataset) -> None:
        check_columns(self.spec, dataset)
        inputs, targets = dataset.train_inputs.double(), dataset.train_targets.double()
        low, high = inputs.amin(dim=0), inputs.amax(dim=0)
        self.input_shift.copy_((low + high) / 2)
        self.input_scale.copy_(_positive_or_one((high - low) / 2))
        if dataset.task == "classification":
            # outputs are logits
            return
        if self.spec.output_tanh:
            low, high = targets.amin(dim=0), targets.amax(dim=0)
            self.output_shift.copy_(low / 2 + high / 2)
            self.output_scale.copy_(_positive_or_one(TANH_REACH * (high / 2 - low / 2)))
            return
        shift = targets.mean(dim=0)
        self.output_shift.copy_(shift)
        # very large or small numbers have no square
        size = _positive_or_one((targets - shift).abs().amax(dim=0))
        self.output_scale.copy_(size * _positive_or_one(((targets - shift) / size).square().mean(dim=0).sqrt()))


def check_columns(spec: MLPSpec, dataset: Dataset) -> None:
    """Raise DataError unless `dataset` has the columns of a perceptron, whose outputs can be its targets."""
    shape = (dataset.num_inputs, dataset.num_outputs)
    if shape != (spec.widths[0], spec.widths[-1]):
        raise DataError(
            f"a perceptron of widths={spec.widths} needs {spec.widths[0]} inputs and {spec.widths[-1]} outputs, "
            f"received {shape[0]} and {shape[1]} columns: change the first or last width"
        )
    if spec.output_tanh and dataset.task == "classification":
        raise DataError("outputs for classes are any real number, received output_tanh=True: leave it out")


def _positive_or_one(scale: Tensor) -> Tensor:
    return torch.where(scale > 0, scale, torch.ones_like(scale))
