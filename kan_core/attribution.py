"""How much each edge and node matters for the outputs.

Shape legend: B samples, I sources, J targets.

Liu et al., KAN 2.0, arXiv 2408.10205, section 4.1: with E the standard deviation of an edge's output and N that of
its target's sum, an edge passes on B_ji = A_j E_ji / N_j of its target's score A_j, and A_i = Σ_j B_ji. Output nodes
score 1.
"""

from __future__ import annotations

import torch
from torch import Tensor

from kan_core.network import KAN, Trace

EPSILON = 1e-12


def edge_importance(network: KAN, inputs: Tensor) -> list[Tensor]:
    """Return the score of every edge over `inputs` (B, I), a (J, I) tensor a layer; the largest of all is 1.

    Pruned edges score 0, and so do edges that lead to no output.
    """
    scores, _ = _scores(network.trace(inputs))
    largest = max(float(score.max()) for score in scores)
    return [score / largest if largest > 0 else score for score in scores]


def node_importance(network: KAN, inputs: Tensor) -> list[Tensor]:
    """Return the score of every node over `inputs` (B, I), one (n_l,) tensor for each l = 0 … L; outputs score 1."""
    return _scores(network.trace(inputs))[1]


def _scores(trace: Trace) -> tuple[list[Tensor], list[Tensor]]:
    outputs = trace.node_values[-1]
    node_scores = [torch.ones(outputs.shape[1], dtype=outputs.dtype)]
    edge_scores: list[Tensor] = []
    for edges, sums in zip(reversed(trace.edge_outputs), reversed(trace.node_values[1:]), strict=True):
        spread = sums.std(dim=0, correction=0)
        shares = edges.std(dim=0, correction=0) / (spread + EPSILON).unsqueeze(1)
        edge_scores.insert(0, shares * node_scores[0].unsqueeze(1))
        node_scores.insert(0, edge_scores[0].sum(dim=0))
    return edge_scores, node_scores
