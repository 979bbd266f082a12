"""The multilayer perceptron that KANs are compared with, trained by the same optimizers.

Shape legend: B samples, I inputs, O outputs, n_l units of layer l, P parameters.

    MLP(x) = (W_{L-1} ∘ σ_{L-1} ∘ … ∘ σ_1 ∘ W_0)(x), W_l affine, between a KAN's input and output scaling.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import cast

import numpy as np
import torch
from scipy.special import erf
from torch import Tensor, nn

from kan_core import kernels
from kan_core._checks import check_choice, check_inputs, check_widths
from kan_core.bases.basis import FloatArray
from kan_core.datasets import Dataset
from kan_core.errors import DataError, SpecError
from kan_core.features import block_size
from kan_core.optimizers.objective import Quadratic

# value and derivative at z
Activation = Callable[[FloatArray], tuple[FloatArray, FloatArray]]
LEAK = 0.01
# tanh only comes near its ends: targets fill this part of them
TANH_REACH = 1.2
MAX_WIDTH = 4096


def _relu(z: FloatArray) -> tuple[FloatArray, FloatArray]:
    return np.maximum(z, 0.0), (z > 0).astype(z.dtype)


def _leaky_relu(z: FloatArray) -> tuple[FloatArray, FloatArray]:
    return np.where(z > 0, z, LEAK * z), np.where(z > 0, 1.0, LEAK).astype(z.dtype)


def _sigmoid(z: FloatArray) -> tuple[FloatArray, FloatArray]:
    value = 0.5 * (1.0 + np.tanh(0.5 * z))
    return value, value * (1.0 - value)


def _silu(z: FloatArray) -> tuple[FloatArray, FloatArray]:
    sigmoid = 0.5 * (1.0 + np.tanh(0.5 * z))
    return z * sigmoid, sigmoid * (1.0 + z * (1.0 - sigmoid))


def _tanh(z: FloatArray) -> tuple[FloatArray, FloatArray]:
    value = np.tanh(z)
    return value, 1.0 - value * value


def _gelu(z: FloatArray) -> tuple[FloatArray, FloatArray]:
    """z Φ(z) with Φ the normal distribution (D. Hendrycks and K. Gimpel, arXiv 1606.08415)."""
    share = 0.5 * (1.0 + erf(z / math.sqrt(2.0)))
    return z * share, share + z * np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)


ACTIVATIONS: Mapping[str, tuple[Activation, Callable[[], nn.Module]]] = MappingProxyType(
    {
        "relu": (_relu, nn.ReLU),
        "leaky_relu": (_leaky_relu, lambda: nn.LeakyReLU(LEAK)),
        "gelu": (_gelu, nn.GELU),
        "silu": (_silu, nn.SiLU),
        "tanh": (_tanh, nn.Tanh),
        "sigmoid": (_sigmoid, nn.Sigmoid),
    }
)


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
    by mean and standard deviation, as for a KAN; DataError when it is none for this perceptron.
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

    def _fit_scales(self, dataset: Dataset) -> None:
        _check_dataset(self.spec, dataset)
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


class MLPObjective:
    """The mean squared error of a perceptron on a regression dataset, for any of the optimizers; float64.

    It takes the perceptron over: the perceptron's parameters are the present point. Raises DataError for a dataset of
    classes or of other columns.
    """

    def __init__(self, mlp: MLP, dataset: Dataset) -> None:
        _check_dataset(mlp.spec, dataset)
        self.mlp = mlp
        self._activation = ACTIVATIONS[mlp.spec.activation][0]
        sizes = [(layer.out_features, layer.in_features + 1) for layer in mlp.layers]
        ends = np.cumsum([0, *(rows * columns for rows, columns in sizes)])
        self._parts = [(slice(ends[n], ends[n + 1]), size) for n, size in enumerate(sizes)]
        self._flat: FloatArray = np.empty(ends[-1])
        for layer, (part, size) in zip(mlp.layers, self._parts, strict=True):
            matrix = self._flat[part].reshape(size)
            matrix[:, :-1], matrix[:, -1] = layer.weight.detach().numpy(), layer.bias.detach().numpy()
            layer.weight.data, layer.bias.data = torch.from_numpy(matrix[:, :-1]), torch.from_numpy(matrix[:, -1])
        self._train = self._scaled(dataset.train_inputs, dataset.train_targets)
        self._test = self._scaled(dataset.test_inputs, dataset.test_targets)

    @property
    def parameters(self) -> FloatArray:
        """A copy of the weights and biases (P,)."""
        return self._flat.copy()

    def loss(self, parameters: FloatArray) -> float:
        """Return the mean squared error of scaled targets at `parameters`, which become the present ones."""
        self._flat[:] = parameters
        outputs = self._forward(self._train[0])[0]
        return float(np.square(outputs - self._train[1]).mean())

    def loss_and_gradient(self, parameters: FloatArray) -> tuple[float, FloatArray]:
        """Return the loss and its gradient (P,) at `parameters`, which become the present ones."""
        self._flat[:] = parameters
        outputs, nodes, slopes = self._forward(self._train[0])
        errors = outputs - self._train[1]
        gradient, deltas = np.empty_like(self._flat), (2.0 / errors.size) * errors
        for index in reversed(range(len(self._parts))):
            part, size = self._parts[index]
            np.matmul(deltas, nodes[index].T, out=gradient[part].reshape(size))
            if index > 0:
                deltas = (self._matrix(index)[:, :-1].T @ deltas) * slopes[index - 1]
        return float(np.square(errors).mean()), gradient

    def models(self, parameters: FloatArray) -> Iterator[Quadratic]:
        """Yield the Gauss-Newton model at `parameters`."""
        loss, gradient = self.loss_and_gradient(parameters)
        curvature = np.zeros((len(gradient), len(gradient)))
        inputs, targets = self._train
        step = block_size(gradient.itemsize * len(gradient) * len(targets))
        for start in range(0, inputs.shape[1], step):
            jacobian = self._jacobian(np.ascontiguousarray(inputs[:, start : start + step]))
            curvature += jacobian @ jacobian.T
        yield Quadratic(loss, gradient, (2.0 / targets.size) * curvature)

    def rmse(self) -> tuple[float, float]:
        """Return the root mean square errors on train and test samples in original units."""
        scale = self.mlp.output_scale.numpy()
        of_train, of_test = (
            kernels.root_mean_squared_error(np.ascontiguousarray(self._forward(x)[0]), y, scale)
            for x, y in (self._train, self._test)
        )
        return of_train, of_test

    def _scaled(self, inputs: Tensor, targets: Tensor) -> tuple[FloatArray, FloatArray]:
        """Return inputs with a row of ones (I + 1, B), and targets (O, B), both scaled."""
        x = ((inputs.double() - self.mlp.input_shift) / self.mlp.input_scale).numpy().T
        y = ((targets.double() - self.mlp.output_shift) / self.mlp.output_scale).numpy().T
        return np.concatenate([x, np.ones((1, x.shape[1]))]), np.ascontiguousarray(y)

    def _matrix(self, index: int) -> FloatArray:
        part, size = self._parts[index]
        return self._flat[part].reshape(size)

    def _forward(self, inputs: FloatArray) -> tuple[FloatArray, list[FloatArray], list[FloatArray]]:
        """Return outputs (O, B), what enters each layer with a row of ones (n_l + 1, B), and σ' of hidden units."""
        nodes, slopes = [inputs], list[FloatArray]()
        for index in range(len(self._parts) - 1):
            values, slope = self._activation(self._matrix(index) @ nodes[-1])
            nodes.append(np.concatenate([values, np.ones((1, values.shape[1]))]))
            slopes.append(slope)
        return self._matrix(len(self._parts) - 1) @ nodes[-1], nodes, slopes

    def _jacobian(self, inputs: FloatArray) -> FloatArray:
        """Return the scaled outputs' derivatives with respect to the parameters, (P, O·b), at inputs (I + 1, b)."""
        outputs, nodes, slopes = self._forward(inputs)
        num_outputs, num_samples = outputs.shape
        jacobian = np.empty((len(self._flat), num_outputs, num_samples))
        for output in range(num_outputs):
            deltas = np.zeros((num_outputs, num_samples))
            deltas[output] = 1.0
            for index in reversed(range(len(self._parts))):
                part, _ = self._parts[index]
                jacobian[part, output] = (deltas[:, None, :] * nodes[index][None, :, :]).reshape(-1, num_samples)
                if index > 0:
                    deltas = (self._matrix(index)[:, :-1].T @ deltas) * slopes[index - 1]
        return jacobian.reshape(len(self._flat), -1)


def _check_dataset(spec: MLPSpec, dataset: Dataset) -> None:
    """Raise DataError unless `dataset` is a regression with the columns of a perceptron."""
    if dataset.task != "regression":
        raise DataError(f"a perceptron is fitted to a regression, received task={dataset.task!r}: train a KAN on it")
    shape = (dataset.num_inputs, dataset.num_outputs)
    if shape != (spec.widths[0], spec.widths[-1]):
        raise DataError(
            f"a perceptron of widths={spec.widths} needs {spec.widths[0]} inputs and {spec.widths[-1]} outputs, "
            f"received {shape[0]} and {shape[1]} columns: change the first or last width"
        )


def _positive_or_one(scale: Tensor) -> Tensor:
    return torch.where(scale > 0, scale, torch.ones_like(scale))
