"""What one pass through a network leaves behind for gradients and models.

Shape legend: B samples, I sources, J targets, K basis functions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch

from kan_core.bases.basis import FloatArray, IndexArray
from kan_core.features import MIN_DENSE_TARGETS, LayerFeatures
from kan_core.layer import KANLayer, UnivariateFunction, join_weights
from kan_core.network import KAN
from kan_core.optimizers.flat_parameters import FlatParameters


@dataclass(frozen=True, slots=True)
class FormulaPass:
    """A live symbolic edge on the samples: its argument's source x, f and f' at a·x + b, all (B,), and a and c."""

    target: int
    source: int
    x: FloatArray
    value: FloatArray
    slope: FloatArray
    a: float
    c: float


@dataclass(slots=True)
class ForwardPass:
    """Per layer the node values that entered (the outputs last), and features, weights and formulas there."""

    nodes: list[FloatArray]
    features: list[LayerFeatures] = field(default_factory=list)
    weights: list[FloatArray] = field(default_factory=list)
    formulas: list[list[FormulaPass]] = field(default_factory=list)


class Samples:
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

    def select(self, batch: IndexArray) -> Samples:
        """Return the samples at the positions `batch`."""
        chosen = object.__new__(Samples)
        chosen.inputs, chosen.targets, chosen.scale = self.inputs[batch], self.targets[batch], self.scale
        chosen.first_features = self.first_features.select(batch)
        return chosen


class PassMaker:
    """Sends samples through a network whose parameters are `flat`."""

    def __init__(self, layers: tuple[KANLayer, ...], flat: FlatParameters) -> None:
        self._layers = layers
        self._flat = flat
        self._live: list[list[tuple[int, int, UnivariateFunction]]] = [layer.live_functions() for layer in layers]
        masks = [layer.spline_mask().numpy() for layer in layers]
        self._masks = [None if mask.all() else mask[:, :, None] for mask in masks]

    def forward(self, samples: Samples) -> ForwardPass:
        """Return the pass of the samples at the present parameters."""
        nodes = samples.inputs
        done = ForwardPass([nodes])
        for index, layer in enumerate(self._layers):
            features = samples.first_features if index == 0 else _features_at(layer, nodes)
            coefficients, base_weights, constants = self._flat.views[index]
            weights, mask = join_weights(coefficients, base_weights), self._masks[index]
            if mask is not None:
                weights *= mask
            outputs = features.sums(weights)
            formulas: list[FormulaPass] = []
            for target, source, function in self._live[index]:
                a, b, c, d = constants[target, source]
                x = nodes[:, source]
                value, slope = function.value_and_derivative(a * x + b)
                outputs[:, target] += c * value + d
                formulas.append(FormulaPass(target, source, x, value, slope, a, c))
            done.nodes.append(outputs)
            done.features.append(features)
            done.weights.append(weights)
            done.formulas.append(formulas)
            nodes = outputs
        return done


def _features_at(layer: KANLayer, nodes: FloatArray) -> LayerFeatures:
    return LayerFeatures(layer.rows(nodes), layer.basis.num_functions, layer.num_targets)
