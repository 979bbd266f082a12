"""What optimizers minimise when they train a perceptron.

Shape legend: B samples, I inputs, O outputs, n_l units of layer l, P parameters.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from kan_core.activations import ACTIVATIONS
from kan_core.bases.basis import FloatArray, IndexArray
from kan_core.datasets import Dataset
from kan_core.features import block_size
from kan_core.mlp import MLP, check_columns
from kan_core.optimizers.data_loss import data_loss, loss_curvature, loss_deltas, root_mean_error
from kan_core.optimizers.objective import Quadratic


class MLPObjective:
    """The loss of a perceptron on a dataset, for any of the optimizers: the KAN's, without sparsity; float64.

    It takes the perceptron over: the perceptron's parameters are the present point. Raises DataError for a dataset of
    other columns.
    """

    def __init__(self, mlp: MLP, dataset: Dataset) -> None:
        check_columns(mlp.spec, dataset)
        self.mlp = mlp
        self.task = dataset.task
        self._activations = [ACTIVATIONS[name][0] for name in mlp.spec.activations]
        if mlp.spec.output_tanh:
            self._activations.append(ACTIVATIONS["tanh"][0])
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

    def set_parameters(self, parameters: FloatArray) -> None:
        """Make `parameters` (P,) the perceptron's own."""
        self._flat[:] = parameters

    def loss(self, parameters: FloatArray) -> float:
        """Return the loss at `parameters`, which become the present ones."""
        self._flat[:] = parameters
        return data_loss(self.task, self._forward(self._train[0])[0], self._train[1])

    def loss_and_gradient(self, parameters: FloatArray, *, batch: IndexArray | None = None) -> tuple[float, FloatArray]:
        """Return loss and gradient (P,) at `parameters`, which become the present ones, over all samples or `batch`."""
        self._flat[:] = parameters
        inputs, targets = self._train if batch is None else (part[:, batch] for part in self._train)
        outputs, nodes, slopes = self._forward(inputs)
        gradient, deltas = np.empty_like(self._flat), loss_deltas(self.task, outputs, targets)
        for index in reversed(range(len(self._parts))):
            part, size = self._parts[index]
            if index < len(slopes):
                deltas = deltas * slopes[index]
            np.matmul(deltas, nodes[index].T, out=gradient[part].reshape(size))
            if index > 0:
                deltas = self._matrix(index)[:, :-1].T @ deltas
        return data_loss(self.task, outputs, targets), gradient

    def models(self, parameters: FloatArray) -> Iterator[Quadratic]:
        """Yield the Gauss-Newton model (generalised for cross-entropy) at `parameters`."""
        loss, gradient = self.loss_and_gradient(parameters)
        curvature = np.zeros((len(gradient), len(gradient)))
        inputs, targets = self._train
        weights = loss_curvature(self.task, self._forward(inputs)[0])
        step = block_size(gradient.itemsize * len(gradient) * len(targets))
        for start in range(0, inputs.shape[1], step):
            part = slice(start, start + step)
            jacobian = self._jacobian(np.ascontiguousarray(inputs[:, part]))
            jacobian *= np.sqrt(weights[:, part])
            rows = jacobian.reshape(len(gradient), -1)
            curvature += rows @ rows.T
        yield Quadratic(loss, gradient, curvature)

    def rmse(self) -> tuple[float, float]:
        """Return the root mean square errors on train and test samples in original units."""
        scale = self.mlp.output_scale.numpy()
        of_train, of_test = (
            root_mean_error(self.task, np.ascontiguousarray(self._forward(x)[0]), y, scale)
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
        """Return outputs (O, B), what enters each layer with a row of ones (n_l + 1, B), and σ' after each that has σ.

        That is after every hidden layer, and after the last one where it ends in tanh.
        """
        nodes, slopes = [inputs], list[FloatArray]()
        for index in range(len(self._parts)):
            values = self._matrix(index) @ nodes[-1]
            if index < len(self._activations):
                values, slope = self._activations[index](values)
                slopes.append(slope)
            if index == len(self._parts) - 1:
                return values, nodes, slopes
            nodes.append(np.concatenate([values, np.ones((1, values.shape[1]))]))
        raise AssertionError("a perceptron has layers")

    def _jacobian(self, inputs: FloatArray) -> FloatArray:
        """Return the scaled outputs' derivatives with respect to the parameters, (P, O, b), at inputs (I + 1, b)."""
        outputs, nodes, slopes = self._forward(inputs)
        num_outputs, num_samples = outputs.shape
        jacobian = np.empty((len(self._flat), num_outputs, num_samples))
        for output in range(num_outputs):
            deltas = np.zeros((num_outputs, num_samples))
            deltas[output] = 1.0
            for index in reversed(range(len(self._parts))):
                part, _ = self._parts[index]
                if index < len(slopes):
                    deltas = deltas * slopes[index]
                jacobian[part, output] = (deltas[:, None, :] * nodes[index][None, :, :]).reshape(-1, num_samples)
                if index > 0:
                    deltas = self._matrix(index)[:, :-1].T @ deltas
        return jacobian
