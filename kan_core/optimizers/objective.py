"""What optimizers minimise: a function of one flat vector, and the KAN's own, compiled.

Shape legend: B samples, I sources, S rows of sums, O outputs, K basis functions, P free parameters.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from kan_core.bases.basis import FloatArray, IndexArray
from kan_core.datasets import Dataset
from kan_core.features import block_size
from kan_core.network import KAN
from kan_core.optimizers.data_loss import data_loss, loss_curvature, loss_deltas, root_mean_error
from kan_core.optimizers.flat_parameters import FlatParameters
from kan_core.optimizers.forward_pass import ForwardPass, PassMaker, Samples, deltas_of_sums
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
        """The present parameters (P,), not to be written to."""
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
        self._layers = network.layers
        self._owners = [np.array([layer.node_of(row) for row in range(layer.num_targets)]) for layer in self._layers]
        self._train = Samples(network, dataset.train_inputs, dataset.train_targets)
        self._test = Samples(network, dataset.test_inputs, dataset.test_targets)
        self._present: FloatArray | None = None
        self._newest: ForwardPass | None = None
        self._measured: tuple[ForwardPass, float, float, PenaltyPoint] | None = None

    @property
    def parameters(self) -> FloatArray:
        """The free parameters (P,), not to be written to."""
        now = self._flat.flat[self._flat.free]
        if self._present is None or not (now == self._present).all():
            # somebody may have written into the network
            self._present, self._newest = now, None
        return self._present

    @property
    def num_parameters(self) -> int:
        """P, how many parameters are free."""
        return len(self._flat.free)

    @property
    def parameter_layers(self) -> IndexArray:
        """Which layer each free parameter belongs to, (P,)."""
        return self._flat.layers

    def parameter_scales(self) -> FloatArray:
        """Return the changes of the free parameters (P,) that change their edges by about 1, kept to 1 where larger.

        That is 1 but for the constants of formulas, where values at the train samples can depend on them a million
        times as much, as on c of c·exp(12 x).
        """
        scales = np.ones_like(self._flat.flat)
        if not any(layer.live_functions() for layer in self._layers):
            return scales[self._flat.free]
        with np.errstate(all="ignore"):
            for part, formulas in zip(self._flat.parts, self._forward_train().formulas, strict=True):
                for one in formulas:
                    sizes = np.sqrt(np.square(one.by_constants(), dtype=np.float64).mean(axis=1))
                    part.constants_in(scales)[one.target, one.source] = 1.0 / np.maximum(sizes, 1.0)
        return np.nan_to_num(scales[self._flat.free], nan=0.0)

    def set_parameters(self, parameters: FloatArray) -> None:
        """Make `parameters` (P,) the network's own."""
        if parameters is not self._present:
            self._flat.flat[self._flat.free] = parameters
            # one pass at a time: its features are most of the memory
            self._present, self._newest, self._measured = parameters, None, None

    def loss(self, parameters: FloatArray) -> float:
        """Return the objective at `parameters`."""
        self.set_parameters(parameters)
        done = self._forward_train()
        return data_loss(self.task, done.outputs, self._train.targets) + self._penalty_at(done).value

    def loss_and_gradient(self, parameters: FloatArray, *, batch: IndexArray | None = None) -> tuple[float, FloatArray]:
        """Return the objective and its gradient (P,) at `parameters`, over all samples or those of `batch`."""
        self.set_parameters(parameters)
        samples = self._train if batch is None else self._train.select(batch)
        done = self._forward_train() if batch is None else self._maker.forward(samples)
        point = self._penalty_at(done)
        loss = data_loss(self.task, done.outputs, samples.targets) + point.value
        return loss, self._backward(done, loss_deltas(self.task, done.outputs, samples.targets), point)

    def models(self, parameters: FloatArray) -> Iterator[Quadratic]:
        """Yield Gauss-Newton models (generalised for cross-entropy) at `parameters`, in float64.

        With a penalty the first is the one that prunes, the last the one with the exact gradient.
        """
        self.set_parameters(parameters)
        done = self._forward_train()
        point, deltas = self._penalty_at(done), loss_deltas(self.task, done.outputs, self._train.targets)
        loss = data_loss(self.task, done.outputs, self._train.targets) + point.value
        of_data = self._data_curvature(done)
        if point.pulls:
            gradient, curvature = self._backward(done, deltas, PenaltyPoint()).astype(np.float64), of_data.copy()
            self._add_majoriser(done, [pull.pruning for pull in point.pulls], curvature, gradient)
            yield Quadratic(loss, gradient, curvature)
        gradient = self._backward(done, deltas, point).astype(np.float64)
        self._add_majoriser(done, [pull.edges for pull in point.pulls], of_data, np.zeros_like(gradient))
        yield Quadratic(loss, gradient, of_data)

    def residual_jacobian(self, parameters: FloatArray) -> FloatArray:
        """Return the derivatives of every output with respect to the free parameters, (B, O, P), float64."""
        self.set_parameters(parameters)
        done = self._forward_train()
        blocks = [block for _, block in self._jacobian_blocks(done)]
        return np.concatenate(blocks, axis=2).transpose(2, 1, 0)

    def outputs(self) -> FloatArray:
        """Return the scaled outputs (O, B) at the train samples, logits for classification."""
        return self._forward_train().outputs

    def rmse(self) -> tuple[float, float]:
        """Return the root mean square errors on train and test samples in original units (probabilities if classes)."""
        train, test = self._forward_train(), self._maker.forward(self._test)
        return (
            root_mean_error(self.task, train.outputs, self._train.targets, self._train.scale),
            root_mean_error(self.task, test.outputs, self._test.targets, self._test.scale),
        )

    def train_nodes(self) -> list[FloatArray]:
        """Return the node values of every layer at the train samples, (n_l, B) each."""
        return self._forward_train().nodes

    # --- forward and backward ---------------------------------------------------------------------------------------

    def _forward_train(self) -> ForwardPass:
        """Return the pass over all train samples at the present parameters, done once for each."""
        if self._newest is None:
            self._newest = self._maker.forward(self._train)
        return self._newest

    def _backward(self, done: ForwardPass, deltas: FloatArray, point: PenaltyPoint) -> FloatArray:
        """Return the gradient (P,), given that of the data loss to the outputs (O, B)."""
        gradient = np.zeros_like(self._flat.flat)
        pulls = point.pulls or [None] * len(done.features)
        for index in reversed(range(len(pulls))):
            deltas = self._backward_layer(index, done, deltas, pulls[index], gradient)
        return gradient[self._flat.free]

    def _backward_layer(
        self, index: int, done: ForwardPass, deltas: FloatArray, pull: LayerPull | None, gradient: FloatArray
    ) -> FloatArray:
        """Write layer `index`'s part of the flat `gradient` and return the deltas of its sources (inputs need none)."""
        features, weights, part = done.features[index], done.weights[index], self._flat.parts[index]
        of_weights, of_constants = part.weights_in(gradient), part.constants_in(gradient)
        deltas = deltas_of_sums(self._layers[index], done.sums[index], deltas)
        if pull is not None:
            deltas = deltas + (pull.rows[:, None] * _deviations(done.sums[index])).astype(deltas.dtype)
        features.weight_gradient(deltas, of_weights)
        formulas = done.formulas[index]
        if index == 0 and pull is None and not formulas:
            return deltas
        source_deltas = features.source_deltas(weights, deltas) if index > 0 else np.zeros_like(features.x)
        if pull is not None:
            features.pull_spreads(weights, pull.means, pull.edges, of_weights, source_deltas)
        for one in formulas:
            delta = deltas[one.target]
            if pull is not None:
                delta = delta + pull.edges[one.target, one.source] * _deviations(one.c * one.value).astype(delta.dtype)
            along = one.c * one.slope * delta
            of_constants[one.target, one.source] = (along @ one.x, along.sum(), delta @ one.value, delta.sum())
            source_deltas[one.source] += one.a * along
        return source_deltas

    def _data_curvature(self, done: ForwardPass) -> FloatArray:
        """Return the Gauss-Newton curvature (P, P) of the data loss."""
        total = np.zeros((self.num_parameters, self.num_parameters))
        weight = loss_curvature(self.task, done.outputs)
        for part, jacobian in self._jacobian_blocks(done):
            jacobian *= np.sqrt(weight[:, part])
            rows = jacobian.reshape(len(jacobian), -1)
            total += rows @ rows.T
        return total

    def _jacobian_blocks(self, done: ForwardPass) -> Iterator[tuple[slice, FloatArray]]:
        """Yield, for blocks of samples, the outputs' derivatives with respect to the free parameters (P, O, b)."""
        num_outputs, num_samples = done.outputs.shape
        sensitivities = self._sensitivities(done)
        step = block_size(8 * self.num_parameters * num_outputs)
        for start in range(0, num_samples, step):
            part = slice(start, min(start + step, num_samples))
            jacobian = np.empty((self.num_parameters, num_outputs, part.stop - start))
            for index, of_sums in enumerate(sensitivities):
                self._fill_jacobian(index, done, of_sums[:, :, part], part, jacobian)
            yield part, jacobian

    def _sensitivities(self, done: ForwardPass) -> list[FloatArray]:
        """Return, for every layer, the outputs' derivatives with respect to its sums (O, S, B)."""
        num_outputs, num_samples = done.outputs.shape
        eye = np.eye(num_outputs, dtype=done.outputs.dtype)[:, :, None]
        of_nodes = np.ascontiguousarray(np.broadcast_to(eye, (num_outputs, num_outputs, num_samples)))
        found: list[FloatArray] = []
        for index in reversed(range(len(done.features))):
            of_sums = deltas_of_sums(self._layers[index], done.sums[index], of_nodes)
            found.insert(0, of_sums)
            if index > 0:
                of_nodes = np.stack([self._source_deltas(index, done, one) for one in of_sums])
        return found

    def _source_deltas(self, index: int, done: ForwardPass, deltas: FloatArray) -> FloatArray:
        source_deltas = done.features[index].source_deltas(done.weights[index], deltas)
        for one in done.formulas[index]:
            source_deltas[one.source] += one.a * one.c * one.slope * deltas[one.target]
        return source_deltas

    def _fill_jacobian(
        self, index: int, done: ForwardPass, of_sums: FloatArray, part: slice, jacobian: FloatArray
    ) -> None:
        """Write layer `index`'s rows of the Jacobian (P, O, b); `of_sums` (O, S, b) are the outputs' derivatives.

        An edge is linear in its parameters, so the derivative is that of the sum times the feature.
        """
        features, place = done.features[index].values(part), self._flat.parts[index]
        together = self._flat.all_free(place)
        for output, rows in enumerate(of_sums):
            if together is not None:
                into = jacobian[together, output].reshape(*place.weights_shape, -1)
                np.multiply(rows[:, None, None, :], features, out=into)
            else:
                columns = place.weights_in(self._flat.columns)
                targets, functions, sources = np.nonzero(columns >= 0)
                jacobian[columns[columns >= 0], output] = rows[targets] * features[functions, sources]
            for one in done.formulas[index]:
                columns = place.constants_in(self._flat.columns)[one.target, one.source]
                free = columns >= 0
                if free.any():
                    jacobian[columns[free], output] = rows[one.target] * one.by_constants(part)[free]

    # --- sparsity ---------------------------------------------------------------------------------------------------

    def _penalty_at(self, done: ForwardPass) -> PenaltyPoint:
        """Return the penalty at a pass; a trial that is accepted is where the next model is made."""
        known = self._measured
        if known is not None and known[0] is done and known[1:3] == (self.l1, self.entropy):
            return known[3]
        point = measure_penalty(done, self._owners, l1=self.l1, entropy=self.entropy)
        self._measured = (done, self.l1, self.entropy, point)
        return point

    def _add_majoriser(
        self, done: ForwardPass, pulls: list[FloatArray], curvature: FloatArray, gradient: FloatArray
    ) -> None:
        """Add ½ Σ pull · var(φ), over the splines with a positive pull, to the model in place, at the present point."""
        for index, layer_pulls in enumerate(pulls):
            covariance = self._train.first_covariance if index == 0 else done.features[index].covariance()
            columns = self._flat.parts[index].weights_in(self._flat.columns)
            weights = done.weights[index].astype(np.float64)
            for target, source in np.argwhere(layer_pulls > 0):
                edge = columns[target, :, source]
                free = edge >= 0
                block = layer_pulls[target, source] * covariance[source]
                curvature[edge[free][:, None], edge[free]] += block[free][:, free]
                gradient[edge[free]] += (block @ weights[target, :, source])[free]


def _deviations(values: FloatArray) -> FloatArray:
    """Return (v - mean v) / B along the samples, the last axis: the slope of ½ var v."""
    return (values - values.mean(axis=-1, keepdims=True)) / values.shape[-1]
