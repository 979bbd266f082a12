"""Sparsity: what an edge has to pay for its share of the outputs.

Shape legend: S rows of sums, J nodes that they feed, I sources.

An edge's score v is its attribution (`kan_core.attribution`): with E the spread (standard deviation) of an edge, N that
of its row's sum and A the score of the node that the row belongs to, v_si = E_si A_j / N_s and A_i = Σ_s v_si, outputs
having A = 1. The penalty follows KAN (arXiv 2404.19756, eq. 2.17 to 2.20) with attributions in place of mean sizes,
and with the L1 norm reweighted so that weak edges pay more than strong ones (E. Candès, M. Wakin, S. Boyd, J. Fourier
Anal. Appl. 14, 2008, eq. 9):

    R = l1 · Σ (1 + ε) log(1 + v / ε) + entropy · H(p),        p = v / Σ v,        H(p) = -Σ p log p.

It depends on what is learnt through the spreads of edges and nodes alone; `penalty_slopes` differentiates it with
respect to these, by one walk down for the scores and one up for their adjoints. `pruning_slopes` leaves out what speaks
against pruning: that other edges at a node gain what one loses, and that entropy pays strong edges to grow. Steps along
these find sparse networks far sooner, as long as they lower R.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kan_core.bases.basis import FloatArray, IndexArray

REWEIGHTING = 0.1
FLOOR = 1e-4
SMALLEST_SPREAD = 1e-12


@dataclass(frozen=True, slots=True)
class Spreads:
    """The spreads of one layer: `edges` (S, I) and, of its rows' sums, `rows` (S,), float64.

    `owners` (S,) is the node that each row belongs to, 0 … J - 1.
    """

    edges: FloatArray
    rows: FloatArray
    owners: IndexArray

    @staticmethod
    def smooth(variances: FloatArray, rows: FloatArray, owners: IndexArray) -> Spreads:
        """Return the spreads for the edges' `variances` (S, I), kept off 0, where a square root has no slope."""
        kept = np.maximum(rows, SMALLEST_SPREAD)
        return Spreads(np.sqrt(variances + np.square(FLOOR * kept)[:, None]), kept, owners)

    def floor_slopes(self, of_edges: FloatArray) -> FloatArray:
        """Return what `of_edges`, ∂R/∂E (S, I), adds to ∂R/∂N (S,) through the floor under the edges' spreads."""
        return FLOOR**2 * self.rows * (of_edges / self.edges).sum(axis=1)

    def by_node(self, of_rows: FloatArray) -> FloatArray:
        """Return the sums over each node's rows (J,) for numbers (S,)."""
        total: FloatArray = np.zeros(int(self.owners[-1]) + 1)
        np.add.at(total, self.owners, of_rows)
        return total


def penalty(layers: list[Spreads], *, l1: float, entropy: float) -> float:
    """Return R for the spreads of each layer."""
    scores, _ = _scores(layers)
    size = sum(float(np.log1p(score / REWEIGHTING).sum()) for score in scores)
    shares = _shares(scores)
    return l1 * (1 + REWEIGHTING) * size + entropy * _disorder(shares)


def penalty_slopes(layers: list[Spreads], *, l1: float, entropy: float) -> tuple[list[FloatArray], list[FloatArray]]:
    """Return ∂R/∂E (S, I) and ∂R/∂N (S,) for each layer."""
    scores, node_scores = _scores(layers)
    shares = _shares(scores)
    disorder, total = _disorder(shares), _total(scores)
    of_edges: list[FloatArray] = []
    of_rows: list[FloatArray] = []
    above = np.zeros(scores[0].shape[1])
    for layer, score, share, targets in zip(layers, scores, shares, node_scores[1:], strict=True):
        prices = l1 * (1 + REWEIGHTING) / (score + REWEIGHTING) - entropy * (np.log(share) + disorder) / total
        slopes, rows = prices + above[None, :], targets[layer.owners]
        of_edges.append(slopes * (rows / layer.rows)[:, None])
        by_row = (slopes * layer.edges).sum(axis=1) / layer.rows
        of_rows.append(-by_row * rows / layer.rows)
        above = layer.by_node(by_row)
    return of_edges, of_rows


def pruning_slopes(layers: list[Spreads], *, l1: float, entropy: float) -> list[FloatArray]:
    """Return ∂R/∂E (S, I) for each layer with the nodes' spreads and scores held and negative prices left out."""
    scores, node_scores = _scores(layers)
    shares = _shares(scores)
    disorder, total = _disorder(shares), _total(scores)
    slopes: list[FloatArray] = []
    for layer, score, share, targets in zip(layers, scores, shares, node_scores[1:], strict=True):
        rise = np.maximum(-(np.log(share) + disorder), 0.0) / total
        prices = l1 * (1 + REWEIGHTING) / (score + REWEIGHTING) + entropy * rise
        slopes.append(prices * (targets[layer.owners] / layer.rows)[:, None])
    return slopes


def _scores(layers: list[Spreads]) -> tuple[list[FloatArray], list[FloatArray]]:
    """Return the edges' scores v (S, I) of each layer, and the nodes' scores A of each layer, inputs included."""
    node_scores: list[FloatArray] = [np.ones(layers[-1].owners[-1] + 1)]
    scores: list[FloatArray] = []
    for layer in reversed(layers):
        scores.insert(0, layer.edges * (node_scores[0][layer.owners] / layer.rows)[:, None])
        node_scores.insert(0, scores[0].sum(axis=0))
    return scores, node_scores


def _total(scores: list[FloatArray]) -> float:
    return sum(float((score + FLOOR).sum()) for score in scores)


def _shares(scores: list[FloatArray]) -> list[FloatArray]:
    total = _total(scores)
    return [(score + FLOOR) / total for score in scores]


def _disorder(shares: list[FloatArray]) -> float:
    return -sum(float((share * np.log(share)).sum()) for share in shares)
