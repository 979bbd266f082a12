"""What one pass through a network leaves behind for gradients and models.

Shape legend: B samples, I sources, S rows of sums, J target nodes, K basis functions, O outputs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch

from kan_core.bases.basis import FloatArray, IndexArray
from kan_core.features import LayerFeatures
from kan_core.layer import KANLayer, UnivariateFunction
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

    def by_constants(self, part: slice = slice(None)) -> FloatArray:
        """Return the derivatives of c·f(a·x + b) + d by a, b, c, d at the samples in `part`, (4, b)."""
        x, value, along = self.x[part], self.value[part], self.c * self.slope[part]
        return np.stack([along * x, along, value, np.ones_like(x)])


@dataclass(slots=True)
class ForwardPass:
    """Per layer the node values (n_l, B) that entered (the outputs last), its sums (S, B), features, weights, formulas.

    Weights are the network's own where none is masked: a pass holds until the parameters change.
    """

    nodes: list[FloatArray]
    sums: list[FloatArray] = field(default_factory=list)
    features: list[LayerFeatures] = field(default_factory=list)
    weights: list[FloatArray] = field(default_factory=list)
    formulas: list[list[FormulaPass]] = field(default_factory=list)

    @property
    def outputs(self) -> FloatArray:
        """The outputs (O, B)."""
        return self.nodes[-1]


class Samples:
    """Samples as the layers see them, (I, B) and (O, B), the first layer's features kept since inputs never change."""

    def __init__(self, network: KAN, inputs: torch.Tensor, targets: torch.Tensor) -> None:
        shifted = targets.to(network.dtype) - network.output_shift
        self.inputs: FloatArray = np.ascontiguousarray(network.scale_inputs(inputs).numpy().T)
        self.targets: FloatArray = np.ascontiguousarray((shifted / network.output_scale).numpy().T)
        self.scale: FloatArray = network.output_scale.numpy()
        self._first_maker = network.layers[0].feature_maker()
        self.first_features = LayerFeatures(self._first_maker, self.inputs)

    @cached_property
    def first_covariance(self) -> FloatArray:
        """The covariance of the first layer's features."""
        return self.first_features.covariance()

    def select(self, batch: IndexArray) -> Samples:
        """Return the samples at the positions `batch`."""
        chosen = object.__new__(Samples)
        chosen.inputs = np.ascontiguousarray(self.inputs[:, batch])
        chosen.targets, chosen.scale = np.ascontiguousarray(self.targets[:, batch]), self.scale
        chosen._first_maker = self._first_maker
        chosen.first_features = LayerFeatures(self._first_maker, chosen.inputs)
        return chosen


class PassMaker:
    """Sends samples through a network whose parameters are `flat`."""

    def __init__(self, layers: tuple[KANLayer, ...], flat: FlatParameters) -> None:
        self._layers = layers
        self._weights = [part.weights_in(flat.flat) for part in flat.parts]
        self._constants = [part.constants_in(flat.flat) for part in flat.parts]
        self._makers = [layer.feature_maker() for layer in layers]
        self._live: list[list[tuple[int, int, UnivariateFunction]]] = [layer.live_functions() for layer in layers]
        masks = [layer.spline_mask().numpy() for layer in layers]
        self._masks = [None if mask.all() else mask[:, None, :] for mask in masks]
        self._lone = [layer.empty_factors().numpy()[:, None] for layer in layers]

    def forward(self, samples: Samples) -> ForwardPass:
        """Return the pass of the samples at the present parameters."""
        done = ForwardPass([samples.inputs])
        for index, layer in enumerate(self._layers):
            nodes, mask = done.nodes[-1], self._masks[index]
            features = samples.first_features if index == 0 else LayerFeatures(self._makers[index], nodes)
            weights = self._weights[index] if mask is None else self._weights[index] * mask
            sums = features.sums(weights)
            formulas = [self._add_formula(one, nodes, self._constants[index], sums) for one in self._live[index]]
            if layer.num_products:
                sums += self._lone[index]
            done.sums.append(sums)
            done.features.append(features)
            done.weights.append(weights)
            done.formulas.append(formulas)
            done.nodes.append(combine(layer, sums))
        return done

    @staticmethod
    def _add_formula(
        edge: tuple[int, int, UnivariateFunction], nodes: FloatArray, constants: FloatArray, sums: FloatArray
    ) -> FormulaPass:
        """Add a symbolic edge to the sums (S, B) and return what it leaves behind."""
        target, source, function = edge
        a, b, c, d = constants[target, source]
        x = nodes[source]
        value, slope = function.value_and_derivative(a * x + b)
        sums[target] += c * value + d
        return FormulaPass(target, source, x, value, slope, a, c)


def combine(layer: KANLayer, sums: FloatArray) -> FloatArray:
    """Return the nodes' values (J, B) for sums (S, B), empty factors included."""
    if layer.num_products == 0:
        return sums
    first = layer.first_factor
    return np.concatenate([sums[:first], sums[first::2] * sums[first + 1 :: 2]])


def deltas_of_sums(layer: KANLayer, sums: FloatArray, deltas: FloatArray) -> FloatArray:
    """Return the gradient with respect to the sums (..., S, B), given that to the nodes (..., J, B)."""
    if layer.num_products == 0:
        return deltas
    first = layer.first_factor
    spread = np.empty((*deltas.shape[:-2], *sums.shape), dtype=deltas.dtype)
    spread[..., :first, :] = deltas[..., :first, :]
    spread[..., first::2, :] = deltas[..., first:, :] * sums[first + 1 :: 2]
    spread[..., first + 1 :: 2, :] = deltas[..., first:, :] * sums[first::2]
    return spread
