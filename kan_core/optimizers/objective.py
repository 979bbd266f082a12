"""What optimizers minimise: a function of one flat vector, and the KAN's own, compiled.

Shape legend: B samples, I sources, J targets, O outputs, K basis functions, P free parameters.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import torch

from kan_core import kernels
from kan_core.bases.basis import FloatArray, IndexArray
from kan_core.datasets import Dataset
from kan_core.features import MIN_DENSE_TARGETS, LayerFeatures, join_weights
from kan_core.layer import KANLayer
from kan_core.network import KAN
from kan_core.optimizers.flat_parameters import FlatParameters
from kan_core.regularization import majorizer_weights


@dataclass(frozen=True, slots=True)
class Quadratic:
    """A local quadratic model: `loss`, `gradient` (P,) and the positive semidefinite `curvature` (P, P)."""

    loss: float
    gradient: FloatArray
    curvature: FloatArray


class Objective(Protocol):
    """A function of a flat parameter vector (P,)."""

    @property
    def parameters(self) -> FloatArray:
        """A copy of the present parameters (P,)."""
        ...

    def loss(self, parameters: FloatArray) -> float:
        """Return the value at `parameters`, which become the present ones."""
        ...

    def loss_and_gradient(self, parameters: FloatArray) -> tuple[float, FloatArray]:
        """Return the value and the gradient (P,) at `parameters`, which become the present ones."""
        ...


class CurvedObjective(Objective, Protocol):
    """An objective that also offers its Gauss-Newton model."""

    def quadratic(self, parameters: FloatArray) -> Quadratic:
        """Return the Gauss-Newton model at `parameters`, which become the present ones."""
        ...


@dataclass(slots=True)
class _Pass:
    """One forward pass: per layer the node values that entered, and features, weights and formulas there."""

    nodes: list[FloatArray]
    features: list[LayerFeatures]
    weights: list[FloatArray]
    slopes: list[list[tuple[int, int, FloatArray, FloatArray, FloatArray]]]


class NetworkObjective:
    """The loss of a KAN on a dataset: mean squared error of scaled targets, or binary cross-entropy, plus sparsity.

    It takes the network over: the network's parameters are the present point. `network` and `dataset` are of one dtype.
    The quadratic penalty's weights are renewed by `reweight`, so that the function is the same within a step.
    """

    def __init__(self, network: KAN, dataset: Dataset, *, l1: float = 0.0, entropy: float = 0.0) -> None:
        self.network = network
        self.task = dataset.task
        self._flat = FlatParameters(network)
        self._layers = network.layers
        self._masks = [layer.spline_mask().numpy() for layer in self._layers]
        self._all_splines = [bool(mask.all()) for mask in self._masks]
        self._scales = [layer.domain_scale() for layer in self._layers]
        self._live = [layer.live_functions() for layer in self._layers]
        self._train = _Samples(network, dataset.train_inputs, dataset.train_targets)
        self._test = _Samples(network, dataset.test_inputs, dataset.test_targets)
        self.l1, self.entropy = l1, entropy
        self._penalty: list[tuple[FloatArray, FloatArray]] | None = None
        self._newest: _Pass | None = None

    @property
    def parameters(self) -> FloatArray:
        """A copy of the free parameters (P,)."""
        return self._flat.flat[self._flat.free]

    @property
    def num_parameters(self) -> int:
        """P, how many parameters are free."""
        return len(self._flat.free)

    def set_parameters(self, parameters: FloatArray) -> None:
        """Make `parameters` (P,) the network's own."""
        if not np.array_equal(parameters, self._flat.flat[self._flat.free]):
            self._flat.flat[self._flat.free] = parameters
            self._newest = None

    def loss(self, parameters: FloatArray) -> float:
        """Return the objective at `parameters`."""
        self.set_parameters(parameters)
        outputs = self._forward_train().nodes[-1]
        return self._data_loss(outputs, self._train.targets) + self._penalty_loss()

    def loss_and_gradient(self, parameters: FloatArray, *, batch: IndexArray | None = None) -> tuple[float, FloatArray]:
        """Return the objective and its gradient (P,) at `parameters`, over all samples or those of `batch`."""
        self.set_parameters(parameters)
        samples = self._train if batch is None else self._train.select(batch)
        done = self._forward_train() if batch is None else self._forward(samples)
        outputs = done.nodes[-1]
        loss = self._data_loss(outputs, samples.targets) + self._penalty_loss()
        gradient = np.zeros_like(self._flat.flat)
        deltas = self._output_deltas(outputs, samples.targets)
        for index in reversed(range(len(self._layers))):
            deltas = self._backward_layer(index, done, deltas, gradient)
        self._add_penalty_gradient(gradient)
        return loss, gradient[self._flat.free]

    def quadratic(self, parameters: FloatArray) -> Quadratic:
        """Return the Gauss-Newton model (generalised for cross-entropy) at `parameters`, in float64."""
        self.set_parameters(parameters)
        done = self._forward_train()
        outputs, targets = done.nodes[-1], self._train.targets
        jacobian = self._jacobian(done)
        deltas = self._output_deltas(outputs, targets).ravel().astype(np.float64)
        gradient = jacobian.T @ deltas
        weights = self._output_curvature(outputs)
        weighted = jacobian * np.sqrt(weights.ravel())[:, None]
        curvature = weighted.T @ weighted
        loss = self._data_loss(outputs, targets) + self._penalty_loss()
        full = np.zeros_like(self._flat.flat)
        self._add_penalty_gradient(full)
        self._add_penalty_curvature(curvature)
        return Quadratic(loss, gradient + full[self._flat.free], curvature)

    def residual_jacobian(self, parameters: FloatArray) -> FloatArray:
        """Return the derivatives of every output with respect to the free parameters, (B·O, P), float64."""
        self.set_parameters(parameters)
        return self._jacobian(self._forward_train())

    def rmse(self) -> tuple[float, float]:
        """Return the root mean square errors on train and test samples in original units (probabilities if classes)."""
        train, test = self._forward_train(), self._forward(self._test)
        return self._rmse(train.nodes[-1], self._train), self._rmse(test.nodes[-1], self._test)

    def train_nodes(self) -> list[FloatArray]:
        """Return the node values of every layer at the train samples, (B, n_l) each."""
        return self._forward_train().nodes

    def reweight(self) -> None:
        """Renew the penalty's weights from the present functions."""
        if self.l1 <= 0 and self.entropy <= 0:
            self._penalty = None
            return
        done = self._forward_train()
        moments = [
            self._train.first_covariance if index == 0 else features.covariance()
            for index, features in enumerate(done.features)
        ]
        spreads = [self._edge_spreads(index, covariance, done) for index, covariance in enumerate(moments)]
        node_spreads = [nodes.std(axis=0, dtype=np.float64) for nodes in done.nodes[1:]]
        weights = majorizer_weights(spreads, node_spreads, l1=self.l1, entropy=self.entropy)
        self._penalty = [
            (weight * mask, covariance) for weight, mask, covariance in zip(weights, self._masks, moments, strict=True)
        ]

    # --- forward and backward ---------------------------------------------------------------------------------------

    def _forward_train(self) -> _Pass:
        """Return the pass over all train samples at the present parameters, done once for each."""
        if self._newest is None:
            self._newest = self._forward(self._train)
        return self._newest

    def _forward(self, samples: _Samples) -> _Pass:
        nodes = samples.inputs
        done = _Pass([nodes], [], [], [])
        for index, layer in enumerate(self._layers):
            features = samples.first_features if index == 0 else _features_at(layer, nodes)
            coefficients, base_weights, constants = self._flat.views[index]
            weights = join_weights(coefficients, base_weights)
            if not self._all_splines[index]:
                weights *= self._masks[index][:, :, None]
            outputs = features.sums(weights)
            formulas: list[tuple[int, int, FloatArray, FloatArray, FloatArray]] = []
            for target, source, function in self._live[index]:
                a, b, c, d = constants[target, source]
                x = nodes[:, source]
                value, slope = function.value_and_derivative(a * x + b)
                outputs[:, target] += c * value + d
                formulas.append((target, source, x, value, slope))
            done.nodes.append(outputs)
            done.features.append(features)
            done.weights.append(weights)
            done.slopes.append(formulas)
            nodes = outputs
        return done

    def _backward_layer(self, index: int, done: _Pass, deltas: FloatArray, gradient: FloatArray) -> FloatArray:
        """Add layer `index`'s part to the flat `gradient` and return the deltas of its sources."""
        coefficients, base_weights, constants = self._flat.split(gradient, index)
        of_weights = done.features[index].weight_gradient(deltas)
        coefficients += of_weights[:, :, :-1]
        base_weights += of_weights[:, :, -1]
        for target, source, x, value, slope in done.slopes[index]:
            c = self._flat.views[index][2][target, source, 2]
            delta = deltas[:, target]
            along = c * slope * delta
            constants[target, source] = (along @ x, along.sum(), delta @ value, delta.sum())
        if index == 0:
            return deltas
        return self._source_deltas(index, done, deltas)

    def _source_deltas(self, index: int, done: _Pass, deltas: FloatArray) -> FloatArray:
        source_deltas = done.features[index].source_deltas(done.weights[index], deltas, self._scales[index])
        for target, source, _, _, slope in done.slopes[index]:
            a, _, c, _ = self._flat.views[index][2][target, source]
            source_deltas[:, source] += a * c * slope * deltas[:, target]
        return source_deltas

    def _jacobian(self, done: _Pass) -> FloatArray:
        num_samples, num_outputs = done.nodes[-1].shape
        jacobian = np.zeros((num_samples * num_outputs, self.num_parameters))
        eye = np.eye(num_outputs, dtype=done.nodes[-1].dtype)
        sensitivities = np.ascontiguousarray(np.broadcast_to(eye, (num_samples, num_outputs, num_outputs)))
        for index in reversed(range(len(self._layers))):
            rows = done.features[index].rows
            coefficients, base_weights, constants = self._flat.split(self._flat.columns, index)
            kernels.fill_jacobian(
                rows.basis.starts, rows.basis.values, rows.base, sensitivities, coefficients, base_weights, jacobian
            )
            for target, source, x, value, slope in done.slopes[index]:
                columns = constants[target, source]
                if columns[0] >= 0:
                    c = self._flat.views[index][2][target, source, 2]
                    local = np.stack([c * slope * x, c * slope, value, np.ones_like(x)], axis=1)
                    part = sensitivities[:, :, target, None] * local[:, None, :]
                    jacobian[:, columns] = part.reshape(-1, 4)
            if index > 0:
                by_output = [
                    self._source_deltas(index, done, np.ascontiguousarray(sensitivities[:, o]))
                    for o in range(num_outputs)
                ]
                sensitivities = np.stack(by_output, axis=1)
        return jacobian

    # --- losses -----------------------------------------------------------------------------------------------------

    def _data_loss(self, outputs: FloatArray, targets: FloatArray) -> float:
        if self.task == "regression":
            return kernels.mean_squared_error(outputs, targets, np.ones(outputs.shape[1], dtype=outputs.dtype))
        # log(1 + e^-|z|) + max(z, 0) - z t never overflows
        return float((np.logaddexp(0.0, outputs) - outputs * targets).mean())

    def _output_deltas(self, outputs: FloatArray, targets: FloatArray) -> FloatArray:
        if self.task == "regression":
            return (2.0 / outputs.size) * (outputs - targets)
        return (_sigmoid(outputs) - targets) / outputs.dtype.type(outputs.size)

    def _output_curvature(self, outputs: FloatArray) -> FloatArray:
        if self.task == "regression":
            return np.full(outputs.shape, 2.0 / outputs.size)
        probability = _sigmoid(outputs.astype(np.float64))
        return np.maximum(probability * (1 - probability), 1e-8) / outputs.size

    def _rmse(self, outputs: FloatArray, samples: _Samples) -> float:
        if self.task == "regression":
            return math.sqrt(kernels.mean_squared_error(outputs, samples.targets, samples.scale))
        return float(np.sqrt(np.square(_sigmoid(outputs) - samples.targets).mean(dtype=np.float64)))

    # --- sparsity ---------------------------------------------------------------------------------------------------

    def _edge_spreads(self, index: int, covariance: FloatArray, done: _Pass) -> FloatArray:
        features = self._features(index)
        variance = np.einsum("jik,ikl,jil->ji", features, covariance, features)
        spreads = np.sqrt(np.maximum(variance, 0.0)) * self._masks[index]
        for target, source, _, value, _ in done.slopes[index]:
            spreads[target, source] = abs(self._flat.views[index][2][target, source, 2]) * value.std()
        return spreads

    def _features(self, index: int) -> FloatArray:
        """Return the spline edges' coefficients and base weights side by side, (J, I, K + 1), float64."""
        coefficients, base_weights, _ = self._flat.views[index]
        return join_weights(coefficients, base_weights).astype(np.float64)

    def _penalty_loss(self) -> float:
        if self._penalty is None:
            return 0.0
        total = 0.0
        for index, (weights, covariance) in enumerate(self._penalty):
            features = self._features(index)
            total += 0.5 * float(np.einsum("ji,jik,ikl,jil->", weights, features, covariance, features, optimize=True))
        return total

    def _add_penalty_gradient(self, gradient: FloatArray) -> None:
        if self._penalty is None:
            return
        for index, (weights, covariance) in enumerate(self._penalty):
            coefficients, base_weights, _ = self._flat.split(gradient, index)
            pull = weights[:, :, None] * np.einsum("ikl,jil->jik", covariance, self._features(index))
            coefficients += pull[:, :, :-1]
            base_weights += pull[:, :, -1]

    def _add_penalty_curvature(self, curvature: FloatArray) -> None:
        if self._penalty is None:
            return
        for index, (weights, covariance) in enumerate(self._penalty):
            coefficients, base_weights, _ = self._flat.split(self._flat.columns, index)
            columns = join_weights(coefficients, base_weights)
            for target, source in np.argwhere(weights):
                edge = columns[target, source]
                free = edge >= 0
                block = weights[target, source] * covariance[source]
                curvature[edge[free][:, None], edge[free]] += block[free][:, free]


class _Samples:
    """Samples as the layers see them, the first layer's features computed once since its inputs never change."""

    def __init__(self, network: KAN, inputs: torch.Tensor, targets: torch.Tensor) -> None:
        self.inputs: FloatArray = np.ascontiguousarray(network.scale_inputs(inputs).numpy())
        shifted = targets.to(network.dtype) - network.output_shift
        self.targets: FloatArray = np.ascontiguousarray((shifted / network.output_scale).numpy())
        self.scale: FloatArray = network.output_scale.numpy()
        layer = network.layers[0]
        self.first_features = LayerFeatures(layer.rows(self.inputs), layer.basis.num_functions, MIN_DENSE_TARGETS)

    @cached_property
    def first_covariance(self) -> FloatArray:
        """The covariance of the first layer's features."""
        return self.first_features.covariance()

    def select(self, batch: IndexArray) -> _Samples:
        """Return the samples at the positions `batch`."""
        chosen = object.__new__(_Samples)
        chosen.inputs, chosen.targets, chosen.scale = self.inputs[batch], self.targets[batch], self.scale
        chosen.first_features = self.first_features.select(batch)
        return chosen


def _features_at(layer: KANLayer, nodes: FloatArray) -> LayerFeatures:
    return LayerFeatures(layer.rows(nodes), layer.basis.num_functions, layer.num_targets)


def _sigmoid(x: FloatArray) -> FloatArray:
    return 0.5 * (1.0 + np.tanh(0.5 * x))
