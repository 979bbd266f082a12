"""All parameters of a network in one array.

Shape legend: S rows of sums, I sources, K basis functions, P free parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from kan_core.bases.basis import FloatArray, IndexArray
from kan_core.layer import KANLayer
from kan_core.network import KAN

Number = TypeVar("Number", bound=np.number[Any])


@dataclass(frozen=True, slots=True)
class LayerPart:
    """Where a layer's parameters stand: `weights` (S, K + 1, I), coefficients and then base weights, and `constants`
    (S, I, 4)."""

    weights: slice
    weights_shape: tuple[int, int, int]
    constants: slice
    constants_shape: tuple[int, int, int]

    def weights_in(self, flat: NDArray[Number]) -> NDArray[Number]:
        """Return the layer's weights as a view of a flat array."""
        return flat[self.weights].reshape(self.weights_shape)

    def constants_in(self, flat: NDArray[Number]) -> NDArray[Number]:
        """Return the layer's constants as a view of a flat array."""
        return flat[self.constants].reshape(self.constants_shape)


class FlatParameters:
    """All parameters of a network in one array that the network itself computes with.

    The network's parameters become views of `flat`, so a step writes once and everything sees it; the weights of all
    layers come first, in the order in which they are multiplied. `free` are the positions that training may change:
    coefficients of live splines and constants of live formulas that are not locked or held; `columns` are the reverse,
    -1 elsewhere. `layers` tells of each free parameter which layer it belongs to.
    """

    def __init__(self, network: KAN) -> None:
        layers = network.layers
        self.parts = _arrange(layers)
        self.flat: FloatArray = np.empty(self.parts[-1].constants.stop, dtype=_numpy_dtype(network))
        is_free = np.zeros(self.flat.shape, dtype=bool)
        for layer, part in zip(layers, self.parts, strict=True):
            weights, constants = part.weights_in(self.flat), part.constants_in(self.flat)
            weights[:], constants[:] = layer.weights(), layer.constants.detach().numpy()
            layer.coefficients.data = torch.from_numpy(weights[:, :-1].transpose(0, 2, 1))
            layer.base_weights.data = torch.from_numpy(weights[:, -1])
            layer.constants.data = torch.from_numpy(constants)
            part.weights_in(is_free)[:] = _free_weights(layer)
            part.constants_in(is_free)[:] = layer.free_constants().numpy()
        self.free: IndexArray = np.flatnonzero(is_free)
        self.columns: IndexArray = np.full(self.flat.shape, -1, dtype=np.int64)
        self.columns[self.free] = np.arange(len(self.free))
        owners = np.empty(self.flat.shape, dtype=np.int64)
        for index, part in enumerate(self.parts):
            owners[part.weights] = owners[part.constants] = index
        self.layers: IndexArray = owners[self.free]

    def all_free(self, part: LayerPart) -> slice | None:
        """Return the columns of a layer's weights when they are all free, so that they stand together."""
        columns = self.columns[part.weights]
        return slice(int(columns[0]), int(columns[-1]) + 1) if (columns >= 0).all() else None


def _arrange(layers: tuple[KANLayer, ...]) -> list[LayerPart]:
    position, slices = 0, list[slice]()
    shapes = [(layer.num_targets, layer.num_functions + 1, layer.num_sources) for layer in layers]
    constants = [(layer.num_targets, layer.num_sources, 4) for layer in layers]
    for shape in (*shapes, *constants):
        slices.append(slice(position, position + shape[0] * shape[1] * shape[2]))
        position = slices[-1].stop
    count = len(layers)
    return [LayerPart(slices[n], shapes[n], slices[count + n], constants[n]) for n in range(count)]


def _free_weights(layer: KANLayer) -> NDArray[np.bool_]:
    """Return which weights (S, K + 1, I) training may change."""
    splines = layer.spline_mask()
    free = np.empty((layer.num_targets, layer.num_functions + 1, layer.num_sources), dtype=bool)
    free[:, :-1] = (splines.unsqueeze(-1) & layer.coefficient_mask()).numpy().transpose(0, 2, 1)
    free[:, -1] = splines.numpy() if layer.base != "none" else False
    return free


def _numpy_dtype(network: KAN) -> Any:
    return np.float32 if network.dtype == torch.float32 else np.float64
