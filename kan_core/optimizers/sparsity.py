"""The sparsity penalty of a network on samples, ready for gradients and quadratic models.

Shape legend: B samples, I sources, J targets.

The penalty (`kan_core.regularization`) depends on the parameters through the spreads of edges and nodes. A spread's
slope is that of ½ var divided by the spread, so each edge and each node pulls on its own deviations with a weight.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kan_core.bases.basis import FloatArray
from kan_core.optimizers.forward_pass import ForwardPass
from kan_core.regularization import Spreads, penalty, penalty_slopes, pruning_slopes


@dataclass(frozen=True, slots=True)
class LayerPull:
    """Weights of ½ var of every φ and of every sum in the penalty's slope: `edges` (J, I) and `nodes` (J,).

    `pruning` (J, I) are those of `pruning_slopes`, `means` (J, I) the means of φ over the samples.
    """

    means: FloatArray
    edges: FloatArray
    nodes: FloatArray
    pruning: FloatArray


@dataclass(frozen=True, slots=True)
class PenaltyPoint:
    """The penalty's value and its pull on each layer, empty where nothing is penalised."""

    value: float = 0.0
    pulls: tuple[LayerPull, ...] = ()


def measure_penalty(done: ForwardPass, *, l1: float, entropy: float) -> PenaltyPoint:
    """Return the penalty at a pass."""
    if l1 <= 0 and entropy <= 0:
        return PenaltyPoint()
    means: list[FloatArray] = []
    spreads: list[Spreads] = []
    for features, weights, formulas, sums in zip(
        done.features, done.weights, done.formulas, done.nodes[1:], strict=True
    ):
        averages, variances = features.moments(weights)
        for one in formulas:
            output = one.c * one.value.astype(np.float64)
            averages[one.target, one.source] = output.mean()
            variances[one.target, one.source] = output.var()
        means.append(averages)
        spreads.append(Spreads.smooth(variances, sums.std(axis=0, dtype=np.float64)))
    of_edges, of_nodes = penalty_slopes(spreads, l1=l1, entropy=entropy)
    pruning = pruning_slopes(spreads, l1=l1, entropy=entropy)
    pulls = tuple(
        LayerPull(mean, edges / layer.edges, nodes / layer.nodes, prune / layer.edges)
        for mean, edges, nodes, prune, layer in zip(means, of_edges, of_nodes, pruning, spreads, strict=True)
    )
    return PenaltyPoint(penalty(spreads, l1=l1, entropy=entropy), pulls)
