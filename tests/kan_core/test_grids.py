"""Changes of grid leave the function where it was."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kan_core import (
    KAN,
    Candidate,
    Dataset,
    EdgeId,
    NetworkSpec,
    fit_normalization,
    fit_ranges,
    fix_symbolic,
    lock_symbolic,
    prune_edge,
    refine,
)
from kan_core.errors import DataError
from kan_core.grids import share_means
from tests.kan_core.problems_for_tests import exp_sin_dataset


def random_network(*, order: int = 3, grid_size: int = 4, seed: int = 0) -> KAN:
    spec = NetworkSpec(widths=(2, 3, 1), grid_size=grid_size, order=order, initialization="variance")
    return KAN(spec, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@given(order=st.integers(0, 5), grid_size=st.integers(1, 8), factor=st.integers(2, 4), seed=st.integers(0, 99))
def test_refining_by_a_whole_factor_changes_nothing(order: int, grid_size: int, factor: int, seed: int) -> None:
    network = random_network(order=order, grid_size=grid_size, seed=seed)
    finer = refine(network, factor * grid_size)
    # off the knots, where order 0 jumps
    x = torch.linspace(-1.2, 1.2, 202, dtype=torch.float64).reshape(101, 2) + 1e-4
    assert finer.spec.grid_size == factor * grid_size
    torch.testing.assert_close(finer(x), network(x), rtol=1e-8, atol=1e-8)


def test_refining_to_any_size_stays_close() -> None:
    network = random_network()
    x = torch.linspace(-1, 1, 200, dtype=torch.float64).reshape(100, 2)
    difference = (refine(network, 15)(x) - network(x)).detach()
    assert float(difference.abs().max()) < 5e-2 * float(network(x).detach().std())
    assert network.spec.grid_size == 4


def test_ranges_follow_the_data_and_keep_the_function() -> None:
    data = exp_sin_dataset()
    network = refine(random_network(), 20)
    moved = fit_ranges(network, data.train_inputs, margin=0.05)
    nodes = moved.trace(data.train_inputs).node_values
    for layer, values in zip(moved.layers, nodes[:-1], strict=True):
        assert bool((values.amin(dim=0) > layer.low).all())
        assert bool((values.amax(dim=0) < layer.high).all())
    torch.testing.assert_close(moved(data.train_inputs), network(data.train_inputs), rtol=1e-3, atol=1e-3)


def test_edges_of_outputs_share_their_means_after_ranges_were_fitted() -> None:
    data = exp_sin_dataset()
    network = prune_edge(random_network(), EdgeId(layer=1, source=0, target=0))
    fitted = fit_ranges(network, data.train_inputs)
    cut, first, second = fitted.trace(data.train_inputs).edge_outputs[1].mean(dim=0)[0].tolist()
    assert cut == 0.0
    assert first == pytest.approx(second, rel=1e-10)


def test_sharing_means_leaves_sums_and_locked_formulas_alone() -> None:
    network, locked = random_network(), EdgeId(layer=0, source=1, target=2)
    sine = Candidate(function="sin", a=1.0, b=0.0, c=1.0, d=3.0, r2=1.0, complexity=1, score=0.0)
    layer = lock_symbolic(fix_symbolic(network, locked, sine), locked).layers[0]
    nodes = torch.rand(50, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    before, means = layer(nodes).detach(), torch.from_numpy(layer.edge_values(nodes.numpy())).mean(dim=0)
    assert float((means[:, 0] - means[:, 1]).abs().min()) > 1e-3
    share_means(layer, nodes)
    after = torch.from_numpy(layer.edge_values(nodes.numpy())).mean(dim=0)
    torch.testing.assert_close(layer(nodes).detach(), before, rtol=0, atol=1e-13)
    torch.testing.assert_close(after[:2], means[:2].mean(dim=1, keepdim=True).expand(2, 2), rtol=0, atol=1e-13)
    torch.testing.assert_close(after[2], means[2], rtol=0, atol=0)


def test_constant_columns_have_a_range() -> None:
    inputs = torch.full((10, 2), 3.0, dtype=torch.float64)
    data = Dataset(train_inputs=inputs, train_targets=inputs[:, :1], test_inputs=inputs, test_targets=inputs[:, :1])
    network = fit_ranges(fit_normalization(random_network(), data), inputs)
    assert bool(torch.isfinite(network(inputs)).all())
    assert all(bool((layer.high > layer.low).all()) for layer in network.layers)


def test_other_columns_are_refused() -> None:
    data = exp_sin_dataset()
    wide = KAN(NetworkSpec(widths=(3, 1)), dtype=torch.float64)
    with pytest.raises(DataError, match=r"widths=\(3, 1\) needs 3 inputs and 1 outputs, received 2 and 1 columns"):
        fit_normalization(wide, data)
