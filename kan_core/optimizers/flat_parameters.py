"""All parameters of a network in one array.

Shape legend: J targets, I sources, K basis functions, P free parameters.
"""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from kan_core.bases.basis import FloatArray, IndexArray
from kan_core.layer import KANLayer
from kan_core.network import KAN

Number = TypeVar("Number", bound=np.number[Any])


class FlatParameters:
    """All parameters of a network in one array that the network itself computes with.

    The network's parameters become views of `flat`, so a step writes once and everything sees it. `free` are the
    positions that training may change: coefficients of live splines and constants of live, unlocked formulas.
    """

    def __init__(self, network: KAN) -> None:
        parameters = [p for layer in network.layers for p in (layer.coefficients, layer.base_weights, layer.constants)]
        self.flat: FloatArray = np.concatenate([p.detach().numpy().ravel() for p in parameters])
        self.views: list[tuple[FloatArray, FloatArray, FloatArray]] = []
        self._slices: list[tuple[slice, slice, slice]] = []
        masks: list[FloatArray] = []
        position = 0
        for layer in network.layers:
            slices: list[slice] = []
            views: list[FloatArray] = []
            for parameter in (layer.coefficients, layer.base_weights, layer.constants):
                part = slice(position, position + parameter.numel())
                view = self.flat[part].reshape(parameter.shape)
                parameter.data = torch.from_numpy(view)
                slices.append(part)
                views.append(view)
                position = part.stop
            self._slices.append((slices[0], slices[1], slices[2]))
            self.views.append((views[0], views[1], views[2]))
            masks.extend(_free_masks(layer))
        self.free: IndexArray = np.flatnonzero(np.concatenate([mask.ravel() for mask in masks]))
        self.columns: IndexArray = np.full(self.flat.shape, -1, dtype=np.int64)
        self.columns[self.free] = np.arange(len(self.free))

    def split(self, flat: NDArray[Number], index: int) -> tuple[NDArray[Number], NDArray[Number], NDArray[Number]]:
        """Return layer `index`'s coefficients, base weights and constants as views of another flat array."""
        layer_slices = zip(self._slices[index], self.views[index], strict=True)
        coefficients, base_weights, constants = (flat[part].reshape(view.shape) for part, view in layer_slices)
        return coefficients, base_weights, constants


def _free_masks(layer: KANLayer) -> list[FloatArray]:
    splines = layer.spline_mask().numpy()
    formulas = (layer.symbolic & ~layer.pruned & ~layer.locked).numpy()
    shape = layer.coefficients.shape
    base = splines if layer.base != "none" else np.zeros_like(splines)
    return [
        np.broadcast_to(splines[:, :, None], shape),
        base,
        np.broadcast_to(formulas[:, :, None], layer.constants.shape),
    ]
