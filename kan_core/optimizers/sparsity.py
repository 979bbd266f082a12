"""The sparsity penalty of a network on samples, ready for gradients and quadratic models.

Shape legend: B samples, I sources, S rows of sums.

The penalty (`kan_core.regularization`) depends on the parameters through the spreads of edges and sums. A spread's
slope is that of ½ var divided by the spread, so each edge and each sum pulls on its own deviations with a weight.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kan_core.bases.basis import FloatArray, IndexArray
from kan_core.optimizers.forward_pass import ForwardPass
from kan_core.regularization import Spreads, penalty, penalty_slopes, pruning_slopes


@dataclass(frozen=True, slots=True)
class LayerPull:
    """Weights of ½ var of every φ and of every sum in the penalty's slope: `edges` (S, I) and `rows` (S,).

    `pruning` (S, I) are those of `pruning_slopes`, `means` (S, I) the means of φ over the samples.
    """

    means: FloatArray
    edges: FloatArray
    rows: FloatArray
    pruning: FloatArray


@dataclass(frozen=True, slots=True)
class PenaltyPoint:
    """The penalty's value and its pull on each layer, empty where nothing is penalised."""

    value: float = 0.0
    pulls: tuple[LayerPull, ...] = ()


def measure_penalty(done: ForwardPass, owners: Sequence[IndexArray], *, l1: float, entropy: float) -> PenaltyPoint:
    """Return the penalty at a pass; `owners` are, per layer, the nodes (S,) that its rows belong to."""
    if l1 <= 0 and entropy <= 0:
        return PenaltyPoint()
    means: list[FloatArray] = []
    spreads: list[Spreads] = []
    for features, weights, formulas, sums, owner in zip(
        done.features, done.weights, done.formulas, done.sums, owners, strict=True
    ):
        averages, variances = features.moments(weights)
        for one in formulas:
            output = one.c * one.value.astype(np.float64)
            averages[one.target, one.source] = output.mean()
            variances[one.target, one.source] = output.var()
        means.append(averages)
        spreads.append(Spreads.smooth(variances, sums.std(axis=1, dtype=np.float64), owner))
    of_edges, of_rows = penalty_slopes(spreads, l1=l1, entropy=entropy)
    pruning = pruning_slopes(spreads, l1=l1, entropy=entropy)
    pulls = tuple(
        LayerPull(mean, edges / layer.edges, (rows + layer.floor_slopes(edges)) / layer.rows, prune / layer.edges)
        for mean, edges, rows, prune, layer in zip(means, of_edges, of_rows, pruning, spreads, strict=True)
    )
    return PenaltyPoint(penalty(spreads, l1=l1, entropy=entropy), pulls)
