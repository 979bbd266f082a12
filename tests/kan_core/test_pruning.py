"""Cutting, restoring and what counts as weak."""

from __future__ import annotations

import pytest
import torch

from kan_core import (
    KAN,
    Candidate,
    EdgeId,
    NetworkSpec,
    Trainer,
    TrainingSpec,
    cut_effect,
    edge_importance,
    fix_symbolic,
    lock_symbolic,
    node_importance,
    prune_edge,
    prune_edges,
    restore_edge,
    severs_output,
    weak_edges,
)
from kan_core.errors import EdgeError
from tests.kan_core.problems_for_tests import exp_sin_dataset


def edge(layer: int, source: int, target: int) -> EdgeId:
    return EdgeId(layer=layer, source=source, target=target)


@pytest.fixture
def network() -> KAN:
    spec = NetworkSpec(widths=(2, 3, 1), initialization="variance")
    return KAN(spec, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


def test_a_cut_edge_contributes_nothing_and_comes_back_as_it_was(network: KAN) -> None:
    x = exp_sin_dataset().train_inputs
    gone = edge(0, 1, 2)
    pruned = prune_edge(network, gone)
    expected = network.trace(x).edge_outputs[0].clone()
    expected[:, 2, 1] = 0
    torch.testing.assert_close(pruned.trace(x).edge_outputs[0], expected)
    assert (network.kind(gone), pruned.kind(gone)) == ("spline", "pruned")
    torch.testing.assert_close(restore_edge(pruned, gone)(x), network(x), rtol=0, atol=0)


def test_cutting_twice_is_cutting_once(network: KAN) -> None:
    once = prune_edge(network, edge(1, 0, 0))
    assert prune_edge(once, edge(1, 0, 0)).state_dict().keys() == once.state_dict().keys()
    assert prune_edge(once, edge(1, 0, 0)).kind(edge(1, 0, 0)) == "pruned"


def test_only_a_cut_edge_is_restored(network: KAN) -> None:
    with pytest.raises(EdgeError, match=r"only a cut edge can be restored, received edge=0\.0\.0 which is spline"):
        restore_edge(network, edge(0, 0, 0))


def test_importance_is_relative_to_the_strongest_and_ignores_dead_ends(network: KAN) -> None:
    data = exp_sin_dataset()
    dead_end = prune_edge(network, edge(1, 1, 0))
    first, second = edge_importance(dead_end, data.train_inputs)
    assert max(float(first.max()), float(second.max())) == 1.0
    assert first[1].tolist() == [0.0, 0.0]
    assert float(second[0, 1]) == 0.0
    assert node_importance(dead_end, data.train_inputs)[-1].tolist() == [1.0]


def test_weak_edges_take_along_what_leads_nowhere(network: KAN) -> None:
    inputs = exp_sin_dataset().train_inputs
    out_of_node = prune_edge(network, edge(1, 1, 0))
    weak = weak_edges(out_of_node, inputs, 1e-9)
    assert weak == [edge(0, 0, 1), edge(0, 1, 1)]


def test_severing_is_noticed(network: KAN) -> None:
    last = [edge(1, source, 0) for source in range(3)]
    assert severs_output(network, last)
    assert not severs_output(network, last[:2])
    assert severs_output(prune_edges(network, last[:2]), [edge(0, 0, 2), edge(0, 1, 2)])


def test_the_effect_of_a_cut_is_what_happens(network: KAN) -> None:
    data = exp_sin_dataset()
    cut = [edge(1, 0, 0)]
    effect = cut_effect(network, data, cut)
    after = prune_edges(network, cut, inputs=data.train_inputs)
    errors = (after(data.test_inputs) - data.test_targets).square().mean().sqrt()
    assert effect.test_after == pytest.approx(float(errors.detach()))
    assert effect.test_after != effect.test_before


def test_with_data_a_cut_keeps_the_mean_and_restoring_gives_the_function_back(network: KAN) -> None:
    inputs = exp_sin_dataset().train_inputs
    gone = edge(1, 1, 0)
    pruned = prune_edge(network, gone, inputs=inputs)
    torch.testing.assert_close(pruned(inputs).mean(), network(inputs).mean())
    torch.testing.assert_close(restore_edge(pruned, gone)(inputs), network(inputs))


def test_locked_constants_stay_whatever_is_cut_or_trained() -> None:
    data = exp_sin_dataset()
    network = KAN(NetworkSpec(widths=(2, 2, 1)), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    network = Trainer(network, data).network
    locked = EdgeId(layer=1, source=0, target=0)
    sine = Candidate(function="sin", a=1.0, b=0.0, c=1.0, d=0.0, r2=1.0, complexity=2, score=0.0)
    network = lock_symbolic(fix_symbolic(network, locked, sine), locked)
    constants = network.layers[1].constants[0, 0].clone()
    trainer = Trainer(network, data, TrainingSpec(optimizer="lm", l1=0.006, entropy=0.03))
    for _ in range(40):
        trainer.step()
    assert torch.equal(trainer.network.layers[1].constants[0, 0], constants)
    cut = prune_edges(trainer.network, [EdgeId(layer=1, source=1, target=0)], inputs=data.train_inputs)
    assert torch.equal(cut.layers[1].constants[0, 0], constants)
