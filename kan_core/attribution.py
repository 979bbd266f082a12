"""How much each edge and node matters for the outputs.

Shape legend: B samples, I sources, S rows of sums.

Liu et al., KAN 2.0, arXiv 2408.10205, section 4.1: with E the standard deviation of an edge's output and N that of
its row's sum, an edge passes on B_si = A_s E_si / N_s of its row's score A_s, and A_i = Σ_s B_si. A row scores what its
node does, so both factors of a product count in full. Output nodes score 1.
"""

from __future__ import annotations

import torch
from torch import Tensor

from kan_core.layer import KANLayer
from kan_core.network import KAN

EPSILON = 1e-12


def edge_importance(network: KAN, inputs: Tensor) -> list[Tensor]:
    """Return the score of every edge over `inputs` (B, I), a (S, I) tensor a layer; the largest of all is 1.

    Pruned edges score 0, and so do edges that lead to no output.
    """
    scores, _ = _scores(network, inputs)
    largest = max(float(score.max()) for score in scores)
    return [score / largest if largest > 0 else score for score in scores]


def node_importance(network: KAN, inputs: Tensor) -> list[Tensor]:
    """Return the score of every node over `inputs` (B, I), one (n_l,) tensor for each l = 0 … L; outputs score 1."""
    return _scores(network, inputs)[1]


@torch.no_grad()
def _scores(network: KAN, inputs: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    node_scores = [torch.ones(network.widths[-1], dtype=network.dtype)]
    edge_scores: list[Tensor] = []
    nodes = network.node_values(inputs)
    for layer, values in zip(reversed(network.layers), reversed(nodes[:-1]), strict=True):
        of_edges, of_rows = _spreads(layer, values)
        row_scores = node_scores[0][[layer.node_of(row) for row in range(layer.num_targets)]]
        edge_scores.insert(0, of_edges / (of_rows + EPSILON).unsqueeze(1) * row_scores.unsqueeze(1))
        node_scores.insert(0, edge_scores[0].sum(dim=0))
    return edge_scores, node_scores


def _spreads(layer: KANLayer, nodes: Tensor) -> tuple[Tensor, Tensor]:
    """Return the standard deviations over `nodes` (B, I) of every edge's output (S, I) and of every row's sum (S,)."""
    means = squares = torch.zeros(layer.num_targets, layer.num_sources + 1, dtype=nodes.dtype)
    done = 0
    for block in layer.edge_blocks(nodes):
        both = torch.cat([block, block.sum(dim=-1, keepdim=True)], dim=-1)
        count = len(both)
        change = both.mean(dim=0) - means
        # without cancellation where means are large, as in `LayerFeatures.moments`
        squares = squares + count * both.var(dim=0, correction=0) + change**2 * (done * count / (done + count))
        done += count
        means = means + change * (count / done)
    spreads = (squares / done).sqrt()
    return spreads[:, :-1], spreads[:, -1]
