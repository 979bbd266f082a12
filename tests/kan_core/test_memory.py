"""Memory: what is reported bounds what training takes, and blocks of samples change no number."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import torch

from kan_core import (
    KAN,
    Dataset,
    EdgeId,
    NetworkSpec,
    Trainer,
    TrainingSpec,
    edge_importance,
    features,
    fit_ranges,
    node_importance,
    prune_edge,
)
from kan_core.memory import training_bytes
from kan_core.optimizers.objective import NetworkObjective
from tests.kan_core.problems_for_tests import exp_sin_dataset


def large_dataset(num_samples: int) -> Dataset:
    inputs = torch.rand(num_samples, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    targets = inputs.sum(dim=1, keepdim=True).sin()
    return Dataset(train_inputs=inputs, train_targets=targets, test_inputs=inputs[:100], test_targets=targets[:100])


@pytest.mark.slow
@pytest.mark.parametrize(("num_samples", "grid_size"), [(1000, 5), (20_000, 5), (20_000, 100)])
@pytest.mark.parametrize("optimizer", ["adam", "lm"])
def test_the_reported_memory_is_not_exceeded(num_samples: int, grid_size: int, optimizer: str) -> None:
    data = large_dataset(num_samples)
    network = KAN(NetworkSpec(widths=(4, 3, 1), grid_size=grid_size), dtype=torch.float64)
    Trainer(network, large_dataset(200), TrainingSpec(optimizer=optimizer)).step()
    tracemalloc.start()
    trainer = Trainer(network, data, TrainingSpec(optimizer=optimizer, l1=1e-3))
    for _ in range(2):
        trainer.step()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < training_bytes(trainer.network, data, optimizer=optimizer)


@pytest.mark.parametrize("kept", [True, False])
def test_blocks_of_samples_change_no_number(kept: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    data = exp_sin_dataset(num_samples=300)
    whole = NetworkObjective(small_network(), data, l1=0.01, entropy=0.01)
    monkeypatch.setattr(features, "BLOCK_BYTES", 64 * 8 * 20)
    if not kept:
        monkeypatch.setattr(features, "MAX_KEPT_BYTES", 0)
    parted = NetworkObjective(small_network(), data, l1=0.01, entropy=0.01)
    start = whole.parameters
    for left, right in zip(whole.loss_and_gradient(start), parted.loss_and_gradient(start), strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-10, atol=1e-13)
    for left, right in zip(whole.models(start), parted.models(start), strict=True):
        np.testing.assert_allclose(left.curvature, right.curvature, rtol=1e-9, atol=1e-13)
    np.testing.assert_allclose(whole.rmse(), parted.rmse(), rtol=1e-12)


def test_blocks_of_samples_change_no_importance_and_no_range(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = exp_sin_dataset(num_samples=300).train_inputs
    network = prune_edge(small_network(), EdgeId(layer=0, source=0, target=1))
    # means far from zero, which must not spoil spreads
    network.layers[1].coefficients.data += 100.0
    whole = [*edge_importance(network, inputs), *node_importance(network, inputs)]
    ranged = fit_ranges(network, inputs)
    sizes: list[int] = []
    monkeypatch.setattr(features, "BLOCK_BYTES", 64 * 8 * 8)
    for layer, nodes in zip(network.layers, network.node_values(inputs), strict=False):
        sizes += [len(block) for block in layer.edge_blocks(nodes)]
    assert max(sizes) < 150
    assert sum(sizes) == 2 * 300
    for left, right in zip([*edge_importance(network, inputs), *node_importance(network, inputs)], whole, strict=True):
        torch.testing.assert_close(left, right, rtol=1e-9, atol=1e-12)
    parted = fit_ranges(network, inputs)
    for left, right in zip(parted.parameters(), ranged.parameters(), strict=True):
        torch.testing.assert_close(left, right, rtol=1e-9, atol=1e-9)


def test_importance_is_the_share_of_a_spread() -> None:
    inputs = exp_sin_dataset().train_inputs
    network = small_network()
    trace = network.trace(inputs)
    last = trace.edge_outputs[-1].std(dim=0, correction=0)
    expected = last / trace.node_values[-1].std(dim=0, correction=0).unsqueeze(1)
    found = edge_importance(network, inputs)[-1]
    torch.testing.assert_close(found / found.max(), expected / expected.max(), rtol=1e-9, atol=0)


def test_node_values_are_the_traces() -> None:
    inputs, network = exp_sin_dataset().train_inputs, small_network()
    for left, right in zip(network.node_values(inputs), network.trace(inputs).node_values, strict=True):
        assert not left.requires_grad
        torch.testing.assert_close(left, right, rtol=1e-12, atol=1e-13)


def small_network() -> KAN:
    return KAN(NetworkSpec(widths=(2, 4, 1)), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
