"""How much each edge and node matters for the outputs.

Shape legend: B samples, I sources, S rows of sums.

Liu et al., KAN 2.0, arXiv 2408.10205, section 4.1: with E the standard deviation of an edge's output and N that of
its row's sum, an edge passes on B_si = A_s E_si / N_s of its row's score A_s, and A_i = Σ_s B_si. A row scores what its
node does, so both factors of a product count in full. Output nodes score 1.
"""

from __future__ import annotations

import torch
from torch import Tensor

from kan_core.network import KAN, Trace

EPSILON = 1e-12


def edge_importance(network: KAN, inputs: Tensor) -> list[Tensor]:
    """Return the score of every edge over `inputs` (B, I), a (S, I) tensor a layer; the largest of all is 1.

    Pruned edges score 0, and so do edges that lead to no output.
    """
    scores, _ = _scores(network, network.trace(inputs))
    largest = max(float(score.max()) for score in scores)
    return [score / largest if largest > 0 else score for score in scores]


def node_importance(network: KAN, inputs: Tensor) -> list[Tensor]:
    """Return the score of every node over `inputs` (B, I), one (n_l,) tensor for each l = 0 … L; outputs score 1."""
    return _scores(network, network.trace(inputs))[1]


def _scores(network: KAN, trace: Trace) -> tuple[list[Tensor], list[Tensor]]:
    outputs = trace.node_values[-1]
    node_scores = [torch.ones(outputs.shape[1], dtype=outputs.dtype)]
    edge_scores: list[Tensor] = []
    for layer, edges in zip(reversed(network.layers), reversed(trace.edge_outputs), strict=True):
        spread = edges.sum(dim=-1).std(dim=0, correction=0)
        row_scores = node_scores[0][[layer.node_of(row) for row in range(layer.num_targets)]]
        shares = edges.std(dim=0, correction=0) / (spread + EPSILON).unsqueeze(1)
        edge_scores.insert(0, shares * row_scores.unsqueeze(1))
        node_scores.insert(0, edge_scores[0].sum(dim=0))
    return edge_scores, node_scores
