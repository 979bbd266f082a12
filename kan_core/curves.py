"""The edge functions as curves, the way people look at them.

Shape legend: E edges, N source nodes, P points.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from kan_core._checks import check_integer
from kan_core.bases.basis import FloatArray
from kan_core.network import KAN

MAX_POINTS = 100_000


@dataclass(frozen=True, slots=True)
class EdgeCurves:
    """`grids` (N, P) are the points of every source node, `values` (E, P) φ there, in original units.

    Nodes stand by layer then index, edges by layer, target, source. Inputs are in the data's units and so are the
    outputs of the last layer, but for the output shift, which belongs to no edge, and for the factors of an output that
    multiplies.
    """

    grids: FloatArray
    values: FloatArray


@torch.no_grad()
def sample_edge_curves(network: KAN, *, num_points: int = 64) -> EdgeCurves:
    """Return every φ at `num_points` even steps over its source node's range; pruned edges as their ghosts.

    Raises SpecError for fewer points than two.
    """
    num_points = check_integer("num_points", num_points, low=2, high=MAX_POINTS)
    grids: list[FloatArray] = []
    values: list[FloatArray] = []
    last = len(network.layers) - 1
    steps = np.linspace(0.0, 1.0, num_points)
    for index, layer in enumerate(network.layers):
        low, high = layer.low.numpy(), layer.high.numpy()
        nodes = (low + steps[:, None] * (high - low)).astype(low.dtype)
        outputs = layer.edge_values(nodes, ghosts=True)
        if index == last:
            scales = np.ones(layer.num_targets, dtype=low.dtype)
            scales[: layer.first_factor] = network.output_scale.numpy()[: layer.first_factor]
            outputs = outputs * scales[None, :, None]
        if index == 0:
            nodes = network.input_shift.numpy() + network.input_scale.numpy() * nodes
        grids.append(nodes.T)
        values.append(outputs.transpose(1, 2, 0).reshape(-1, num_points))
    return EdgeCurves(np.concatenate(grids), np.concatenate(values))
