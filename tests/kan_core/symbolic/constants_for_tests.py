"""Laws with known constants, samples of them, and networks of formulas that begin near them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from kan_core import (
    KAN,
    Candidate,
    Dataset,
    EdgeId,
    NetworkSpec,
    fit_normalization,
    fit_ranges,
    fix_symbolic,
    prune_edge,
)

Forms = Mapping[tuple[int, int, int], tuple[str, float, float, float, float]]


def sample_law(
    law: Callable[[Tensor], Tensor], *, num_samples: int = 1000, noise: float = 0.0, seed: int = 0, num_inputs: int = 2
) -> Dataset:
    """Return samples of a law on [-1, 2]; `noise` is a share of the targets' standard deviation."""
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.rand(num_samples, num_inputs, generator=generator, dtype=torch.float64) * 3.0 - 1.0
    clean = law(inputs).reshape(-1, 1)
    targets = clean + noise * clean.std() * torch.randn(clean.shape, generator=generator, dtype=torch.float64)
    num_train = 4 * num_samples // 5
    return Dataset(
        train_inputs=inputs[:num_train],
        train_targets=targets[:num_train],
        test_inputs=inputs[num_train:],
        test_targets=targets[num_train:],
    )


def formula_network(
    data: Dataset, forms: Forms, *, widths: tuple[int, ...] = (2, 1), products: tuple[int, ...] = ()
) -> KAN:
    """Return a network, scaled to the data, of the formulas (function, a, b, c, d) at (layer, source, target) alone."""
    network = KAN(NetworkSpec(widths=widths, products=products, grid_size=3), dtype=torch.float64)
    network = fit_ranges(fit_normalization(network, data), data.train_inputs)
    for edge in network.edges():
        form = forms.get((edge.layer, edge.source, edge.target))
        network = prune_edge(network, edge) if form is None else fix_symbolic(network, edge, as_candidate(*form))
    return network


def as_candidate(function: str, a: float, b: float, c: float, d: float) -> Candidate:
    """Return a candidate with constants chosen by hand."""
    return Candidate(function=function, a=a, b=b, c=c, d=d, r2=1.0, complexity=1, score=0.0)


def edge(layer: int, source: int, target: int) -> EdgeId:
    """Return an edge by its three numbers, in the order in which they are shown."""
    return EdgeId(layer=layer, source=source, target=target)
