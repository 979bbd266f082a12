"""What optimizers minimise: a function of one flat vector, and the KAN's own, compiled.

Shape legend: B samples, I sources, J targets, O outputs, K basis functions, P free parameters.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from kan_core import kernels
from kan_core.bases.basis import FloatArray, IndexArray
from kan_core.datasets import Dataset
from kan_core.layer import join_weights
from kan_core.network import KAN
from kan_core.optimizers.flat_parameters import FlatParameters
from kan_core.optimizers.forward_pass import ForwardPass, PassMaker, Samples
from kan_core.optimizers.sparsity import LayerPull, PenaltyPoint, measure_penalty


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
    """An objective that also offers Gauss-Newton models."""

    def models(self, parameters: FloatArray) -> Iterator[Quadratic]:
        """Yield models at `parameters`, the one to try first first; the last has the objective's own gradient."""
        ...


class NetworkObjective:
    """The loss of a KAN on a dataset: mean squared error of scaled targets, or binary cross-entropy, plus sparsity.

    It takes the network over: the network's parameters are the present point. `network` and `dataset` are of one dtype.
    The sparsity penalty is that of the samples at hand. Quadratic models give it the curvature of a majoriser, which
    has var(φ) / 2s + s / 2 in place of the spread √var(φ), s its present value.
    """

    def __init__(self, network: KAN, dataset: Dataset, *, l1: float = 0.0, entropy: float = 0.0) -> None:
        self.network = network
        self.task = dataset.task
        self.l1, self.entropy = l1, entropy
        self._flat = FlatParameters(network)
        self._maker = PassMaker(network.layers, self._flat)
        self._scales = [layer.domain_scale() for layer in network.layers]
        self._train = Samples(network, dataset.train_inputs, dataset.train_targets)
        self._test = Samples(network, dataset.test_inputs, dataset.test_targets)
        self._newest: ForwardPass | None = None
        self._measured: tuple[ForwardPass, float, float, PenaltyPoint] | None = None

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
        done = self._forward_train()
        return self._data_loss(done.nodes[-1], self._train.targets) + self._penalty_at(done).value

    def loss_and_gradient(self, parameters: FloatArray, *, batch: IndexArray | None = None) -> tuple[float, FloatArray]:
        """Return the objective and its gradient (P,) at `parameters`, over all samples or those of `batch`."""
        self.set_parameters(parameters)
        samples = self._train if batch is None else self._train.select(batch)
        done = self._forward_train() if batch is None else self._maker.forward(samples)
        outputs, point = done.nodes[-1], self._penalty_at(done)
        loss = self._data_loss(outputs, samples.targets) + point.value
        return loss, self._backward(done, self._output_deltas(outputs, samples.targets), point)

    def models(self, parameters: FloatArray) -> Iterator[Quadratic]:
        """Yield Gauss-Newton models (generalised for cross-entropy) at `parameters`, in float64.

        With a penalty the first is the one that prunes, the last the one with the exact gradient.
        """
        self.set_parameters(parameters)
        done = self._forward_train()
        outputs, targets = done.nodes[-1], self._train.targets
        point, deltas = self._penalty_at(done), self._output_deltas(outputs, targets)
        loss = self._data_loss(outputs, targets) + point.value
        weighted = self._jacobian(done)
        weighted *= np.sqrt(self._output_curvature(outputs).ravel())[:, None]
        of_data = weighted.T @ weighted
        if point.pulls:
            gradient, curvature = self._backward(done, deltas, PenaltyPoint()).astype(np.float64), of_data.copy()
            self._add_majoriser(done, [pull.pruning for pull in point.pulls], curvature, gradient)
            yield Quadratic(loss, gradient, curvature)
        gradient = self._backward(done, deltas, point).astype(np.float64)
        self._add_majoriser(done, [pull.edges for pull in point.pulls], of_data, np.zeros_like(gradient))
        yield Quadratic(loss, gradient, of_data)

    def residual_jacobian(self, parameters: FloatArray) -> FloatArray:
        """Return the derivatives of every output with respect to the free parameters, (B·O, P), float64."""
        self.set_parameters(parameters)
        return self._jacobian(self._forward_train())

    def rmse(self) -> tuple[float, float]:
        """Return the root mean square errors on train and test samples in original units (probabilities if classes)."""
        train, test = self._forward_train(), self._maker.forward(self._test)
        return self._rmse(train.nodes[-1], self._train), self._rmse(test.nodes[-1], self._test)

    def train_nodes(self) -> list[FloatArray]:
        """Return the node values of every layer at the train samples, (B, n_l) each."""
        return self._forward_train().nodes

    # --- forward and backward ---------------------------------------------------------------------------------------

    def _forward_train(self) -> ForwardPass:
        """Return the pass over all train samples at the present parameters, done once for each."""
        if self._newest is None:
            self._newest = self._maker.forward(self._train)
        return self._newest

    def _backward(self, done: ForwardPass, deltas: FloatArray, point: PenaltyPoint) -> FloatArray:
        """Return the gradient (P,), given that of the data loss to the outputs (B, O)."""
        gradient = np.zeros_like(self._flat.flat)
        pulls = point.pulls or [None] * len(done.features)
        for index in reversed(range(len(pulls))):
            deltas = self._backward_layer(index, done, deltas, pulls[index], gradient)
        return gradient[self._flat.free]

    def _backward_layer(
        self, index: int, done: ForwardPass, deltas: FloatArray, pull: LayerPull | None, gradient: FloatArray
    ) -> FloatArray:
        """Add layer `index`'s part to the flat `gradient` and return the deltas of its sources."""
        features, weights, scale = done.features[index], done.weights[index], self._scales[index]
        if pull is not None:
            deltas = deltas + (pull.nodes * _deviations(done.nodes[index + 1])).astype(deltas.dtype)
        of_weights = features.weight_gradient(deltas)
        source_deltas = (
            features.source_deltas(weights, deltas, scale) if index > 0 else np.zeros_like(features.rows.base)
        )
        if pull is not None:
            pulled, on_sources = features.pull_spreads(weights, scale, pull.means, pull.edges)
            of_weights, source_deltas = of_weights + pulled, source_deltas + on_sources
        coefficients, base_weights, constants = self._flat.split(gradient, index)
        coefficients += of_weights[:, :, :-1]
        base_weights += of_weights[:, :, -1]
        for one in done.formulas[index]:
            delta = deltas[:, one.target]
            if pull is not None:
                delta = delta + pull.edges[one.target, one.source] * _deviations(one.c * one.value).astype(delta.dtype)
            along = one.c * one.slope * delta
            constants[one.target, one.source] = (along @ one.x, along.sum(), delta @ one.value, delta.sum())
            source_deltas[:, one.source] += one.a * along
        return source_deltas

    def _jacobian(self, done: ForwardPass) -> FloatArray:
        num_samples, num_outputs = done.nodes[-1].shape
        jacobian = np.zeros((num_samples * num_outputs, self.num_parameters))
        eye = np.eye(num_outputs, dtype=done.nodes[-1].dtype)
        sensitivities = np.ascontiguousarray(np.broadcast_to(eye, (num_samples, num_outputs, num_outputs)))
        for index in reversed(range(len(done.features))):
            rows = done.features[index].rows
            coefficients, base_weights, constants = self._flat.split(self._flat.columns, index)
            kernels.fill_jacobian(
                rows.basis.starts, rows.basis.values, rows.base, sensitivities, coefficients, base_weights, jacobian
            )
            for one in done.formulas[index]:
                columns = constants[one.target, one.source]
                if columns[0] >= 0:
                    along = one.c * one.slope
                    local = np.stack([along * one.x, along, one.value, np.ones_like(one.x)], axis=1)
                    part = sensitivities[:, :, one.target, None] * local[:, None, :]
                    jacobian[:, columns] = part.reshape(-1, 4)
            if index > 0:
                by_output = [
                    self._source_deltas(index, done, np.ascontiguousarray(sensitivities[:, o]))
                    for o in range(num_outputs)
                ]
                sensitivities = np.stack(by_output, axis=1)
        return jacobian

    def _source_deltas(self, index: int, done: ForwardPass, deltas: FloatArray) -> FloatArray:
        source_deltas = done.features[index].source_deltas(done.weights[index], deltas, self._scales[index])
        for one in done.formulas[index]:
            source_deltas[:, one.source] += one.a * one.c * one.slope * deltas[:, one.target]
        return source_deltas

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

    def _rmse(self, outputs: FloatArray, samples: Samples) -> float:
        if self.task == "regression":
            return math.sqrt(kernels.mean_squared_error(outputs, samples.targets, samples.scale))
        return float(np.sqrt(np.square(_sigmoid(outputs) - samples.targets).mean(dtype=np.float64)))

    # --- sparsity ---------------------------------------------------------------------------------------------------

    def _penalty_at(self, done: ForwardPass) -> PenaltyPoint:
        """Return the penalty at a pass; a trial that is accepted is where the next model is made."""
        known = self._measured
        if known is not None and known[0] is done and known[1:3] == (self.l1, self.entropy):
            return known[3]
        point = measure_penalty(done, l1=self.l1, entropy=self.entropy)
        self._measured = (done, self.l1, self.entropy, point)
        return point

    def _add_majoriser(
        self, done: ForwardPass, pulls: list[FloatArray], curvature: FloatArray, gradient: FloatArray
    ) -> None:
        """Add ½ Σ pull · var(φ), over the splines with a positive pull, to the model in place, at the present point."""
        for index, layer_pulls in enumerate(pulls):
            covariance = self._train.first_covariance if index == 0 else done.features[index].covariance()
            coefficients, base_weights, _ = self._flat.split(self._flat.columns, index)
            columns, weights = join_weights(coefficients, base_weights), done.weights[index].astype(np.float64)
            for target, source in np.argwhere(layer_pulls > 0):
                edge = columns[target, source]
                free = edge >= 0
                block = layer_pulls[target, source] * covariance[source]
                curvature[edge[free][:, None], edge[free]] += block[free][:, free]
                gradient[edge[free]] += (block @ weights[target, source])[free]


def _deviations(values: FloatArray) -> FloatArray:
    """Return (v - mean v) / B along the samples, the slope of ½ var v."""
    return (values - values.mean(axis=0)) / len(values)


def _sigmoid(x: FloatArray) -> FloatArray:
    return 0.5 * (1.0 + np.tanh(0.5 * x))
