"""Sparsity: what an edge has to pay for its share of the outputs.

Shape legend: J targets, I sources.

An edge's score v is its attribution (`kan_core.attribution`). The penalty follows KAN (arXiv 2404.19756, eq. 2.17 to
2.20) with attributions in place of mean magnitudes, and with the L1 norm reweighted so that weak edges pay more than
strong ones (E. Candès, M. Wakin, S. Boyd, J. Fourier Anal. Appl. 14, 2008, eq. 9):

    R = l1 · Σ (1 + ε) log(1 + v / ε) + entropy · H(v / Σ v),        H(p) = -Σ p log p.

Its derivative is the edge's price. The square root in v is majorised by a quadratic, var(φ) / 2s + s / 2 ≥ √var(φ) with
equality at the present s, so every optimizer sees ½ Σ ω_e var(φ_e), with weights ω renewed at each step (iteratively
reweighted least squares, I. Daubechies et al., Comm. Pure Appl. Math. 63, 2010). Entropy pays edges that already carry
much to carry more; those negative prices count as none.
"""

from __future__ import annotations

import numpy as np

from kan_core.bases.basis import FloatArray

REWEIGHTING = 0.1
FLOOR = 1e-4


def edge_prices(scores: list[FloatArray], *, l1: float, entropy: float) -> list[FloatArray]:
    """Return ∂R/∂v for the scores (J, I) of each layer, never negative."""
    total = sum(float(score.sum()) for score in scores) + FLOOR
    shares = [(score + FLOOR) / total for score in scores]
    disorder = -sum(float((share * np.log(share)).sum()) for share in shares)
    return [
        l1 * (1 + REWEIGHTING) / (score + REWEIGHTING) + entropy * np.maximum(-(np.log(share) + disorder), 0.0) / total
        for score, share in zip(scores, shares, strict=True)
    ]


def majorizer_weights(
    edge_spreads: list[FloatArray], node_spreads: list[FloatArray], *, l1: float, entropy: float
) -> list[FloatArray]:
    """Return the weights ω (J, I) of each layer's quadratic majoriser ½ Σ ω var(φ).

    `edge_spreads` (J, I) are the standard deviations of φ, `node_spreads` (J,) those of the targets' sums.
    """
    node_scores = np.ones(edge_spreads[-1].shape[0])
    scores: list[FloatArray] = []
    gains: list[FloatArray] = []
    for spreads, sums in zip(reversed(edge_spreads), reversed(node_spreads), strict=True):
        gains.insert(0, np.repeat((node_scores / np.maximum(sums, 1e-12))[:, None], spreads.shape[1], axis=1))
        scores.insert(0, spreads * gains[0])
        node_scores = scores[0].sum(axis=0)
    prices = edge_prices(scores, l1=l1, entropy=entropy)
    return [
        price * gain / np.maximum(spreads, FLOOR / np.maximum(gain, 1e-12))
        for price, gain, spreads in zip(prices, gains, edge_spreads, strict=True)
    ]
