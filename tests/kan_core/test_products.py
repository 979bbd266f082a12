"""Nodes that multiply: values, gradients, training, cutting, formulas and source code."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy as sp
import torch

from kan_core import (
    KAN,
    Candidate,
    Dataset,
    EdgeId,
    NetworkSpec,
    Trainer,
    TrainingSpec,
    edge_importance,
    fix_symbolic,
    network_figure,
    network_formula,
    prune_edge,
    prune_edges,
    restore_edge,
    sample_edge_curves,
    severs_output,
)
from kan_core.checkpoint import from_bytes, to_bytes
from kan_core.errors import SpecError
from kan_core.export import numpy_source
from kan_core.grids import fit_normalization, fit_ranges, refine
from kan_core.optimizers.objective import NetworkObjective
from kan_core.torch_source import pytorch_source


def product_dataset(*, num_samples: int = 200) -> Dataset:
    """Return samples of x·y on [-1, 1] by [0, 2]."""
    generator = torch.Generator().manual_seed(0)
    inputs = torch.rand(2 * num_samples, 2, generator=generator, dtype=torch.float64) * 2 - torch.tensor([1.0, 0.0])
    targets = inputs[:, :1] * inputs[:, 1:]
    return Dataset(
        train_inputs=inputs[:num_samples],
        train_targets=targets[:num_samples],
        test_inputs=inputs[num_samples:],
        test_targets=targets[num_samples:],
    )


DATA = product_dataset()


def make_network(*, widths: tuple[int, ...] = (2, 3, 1), products: tuple[int, ...] = (0, 2, 0), seed: int = 0) -> KAN:
    """Return a network scaled to the data; with the defaults node 0 adds, nodes 1 and 2 multiply rows 1·2 and 3·4."""
    spec = NetworkSpec(widths=widths, products=products, initialization="variance")
    network = KAN(spec, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return fit_ranges(fit_normalization(network, DATA), DATA.train_inputs)


def test_rows_and_nodes() -> None:
    layer = make_network().layers[0]
    assert (layer.num_targets, layer.num_nodes) == (5, 3)
    assert [layer.node_of(row) for row in range(5)] == [0, 1, 1, 2, 2]
    assert [layer.rows_of(node) for node in range(3)] == [(0,), (1, 2), (3, 4)]
    assert len(make_network().edges()) == 2 * 5 + 3


@pytest.mark.parametrize("products", [(0, 2, 0), (0, 3, 1), (0, 0, 1)])
def test_a_product_is_the_product_of_its_sums(products: tuple[int, ...]) -> None:
    network = make_network(products=products)
    x = DATA.test_inputs
    trace = network.trace(x)
    for layer, nodes, edges in zip(network.layers, trace.node_values[1:], trace.edge_outputs, strict=True):
        sums = edges.sum(dim=-1)
        expected = torch.stack([sums[:, layer.rows_of(n)].prod(dim=1) for n in range(layer.num_nodes)], dim=1)
        torch.testing.assert_close(nodes, expected, rtol=0, atol=1e-15)
    torch.testing.assert_close(network(x), network.forward_reference(x), rtol=0, atol=1e-12)
    torch.testing.assert_close(
        network(x)[:, 0], network.output_shift + network.output_scale * trace.node_values[-1][:, 0]
    )


@pytest.mark.parametrize("products", [(0, 2, 0), (0, 3, 1)])
@pytest.mark.parametrize("sparsity", [0.0, 0.05])
def test_gradient_and_jacobian_match_finite_differences(products: tuple[int, ...], sparsity: float) -> None:
    network = prune_edge(make_network(products=products), EdgeId(layer=0, source=0, target=1))
    network = fix_symbolic(network, EdgeId(layer=0, source=1, target=0), SINE)
    objective = NetworkObjective(network, DATA, l1=sparsity, entropy=sparsity)
    start = objective.parameters
    _, gradient = objective.loss_and_gradient(start)
    direction = np.random.default_rng(0).normal(size=len(start))
    ahead, behind = objective.loss(start + 1e-7 * direction), objective.loss(start - 1e-7 * direction)
    assert gradient @ direction == pytest.approx((ahead - behind) / 2e-7, rel=1e-6)
    outputs = []
    for sign in (1.0, -1.0):
        objective.set_parameters(start + sign * 1e-7 * direction)
        outputs.append(objective.outputs().T)
    jacobian = objective.residual_jacobian(start)
    np.testing.assert_allclose(jacobian @ direction, (outputs[0] - outputs[1]) / 2e-7, atol=1e-6)


SINE = Candidate(function="sin", a=1.0, b=0.1, c=0.5, d=0.2, r2=1.0, complexity=1, score=0.0)


def test_training_finds_a_product_exactly() -> None:
    spec = NetworkSpec(widths=(2, 1), products=(0, 1), grid_size=3)
    network = KAN(spec, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    trainer = Trainer(network, DATA, TrainingSpec(optimizer="lm"))
    result = [trainer.step() for _ in range(60)][-1]
    assert result.test_rmse < 1e-6


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs", "lm"])
def test_training_with_sparsity_and_ranges_goes_down(optimizer: str) -> None:
    trainer = Trainer(make_network(), DATA, TrainingSpec(optimizer=optimizer, l1=1e-3, entropy=1e-3))
    first, *_, last = [trainer.step() for _ in range(40)]
    assert last.train_rmse < 0.7 * first.train_rmse


def test_cutting_the_last_edge_of_a_factor_keeps_its_mean() -> None:
    network = make_network()
    only, gone = EdgeId(layer=0, source=0, target=2), EdgeId(layer=0, source=1, target=2)
    one = prune_edge(network, gone, inputs=DATA.train_inputs)
    none = prune_edge(one, only, inputs=DATA.train_inputs)
    before, after = one.trace(DATA.train_inputs), none.trace(DATA.train_inputs)
    mean = before.edge_outputs[0][:, 2].sum(dim=1).mean()
    torch.testing.assert_close(none.layers[0].empty_factors(), torch.tensor([0, 0, mean, 0, 0], dtype=torch.float64))
    expected = before.edge_outputs[0][:, 1].sum(dim=1) * mean
    torch.testing.assert_close(after.node_values[1][:, 1], expected)
    torch.testing.assert_close(none(DATA.test_inputs), none.forward_reference(DATA.test_inputs))


def test_restoring_the_edges_of_a_factor_gives_the_function_back() -> None:
    network = fix_symbolic(
        make_network(),
        EdgeId(layer=0, source=0, target=1),
        Candidate(function="sin", a=1.5, b=0.2, c=0.8, d=0.1, r2=1.0, complexity=2, score=0.0),
    )
    edges = [EdgeId(layer=0, source=source, target=2) for source in range(2)]
    cut = prune_edges(network, edges, inputs=DATA.train_inputs)
    one_by_one = prune_edge(prune_edge(network, edges[0], inputs=DATA.train_inputs), edges[1], inputs=DATA.train_inputs)
    assert not torch.allclose(cut(DATA.test_inputs), network(DATA.test_inputs), atol=1e-3)
    torch.testing.assert_close(one_by_one(DATA.test_inputs), cut(DATA.test_inputs))
    for gone in (cut, one_by_one):
        for edge in edges:
            gone = restore_edge(gone, edge)
        torch.testing.assert_close(gone(DATA.test_inputs), network(DATA.test_inputs))
    again = prune_edges(restore_edge(restore_edge(cut, edges[0]), edges[1]), edges)
    assert float(again.layers[0].empty_factors()[2]) == 1.0


@pytest.mark.parametrize("source", [numpy_source, pytorch_source])
def test_a_factor_without_edges_goes_into_formulas_and_sources(source: Any) -> None:
    edges = [EdgeId(layer=0, source=source, target=2) for source in range(2)]
    network = prune_edges(make_network(), edges, inputs=DATA.train_inputs)
    scope: dict[str, Any] = {}
    exec(source(network, input_names=("x", "y")), scope)
    columns = DATA.test_inputs.unbind(1) if source is pytorch_source else DATA.test_inputs.numpy().T
    np.testing.assert_allclose(scope["predict"](*columns), network(DATA.test_inputs)[:, 0].detach(), rtol=1e-12)
    restored = from_bytes(to_bytes(network))
    torch.testing.assert_close(restored(DATA.test_inputs), network(DATA.test_inputs))


def test_cutting_the_last_edge_of_a_factor_keeps_its_mean_beside_formulas() -> None:
    network = make_network()
    beside = [EdgeId(layer=0, source=source, target=1) for source in range(2)]
    for edge in beside:
        network = fix_symbolic(network, edge, SINE)
    factor = [EdgeId(layer=0, source=source, target=2) for source in range(2)]
    cut = prune_edges(network, factor, inputs=DATA.train_inputs)
    before = network.trace(DATA.train_inputs).edge_outputs[0]
    mean = before[:, 2].sum(dim=1).mean()
    assert abs(float(mean) - 1.0) > 0.1
    expected = before[:, 1].sum(dim=1) * mean
    torch.testing.assert_close(cut.trace(DATA.train_inputs).node_values[1][:, 1], expected)


def test_an_output_is_severed_when_both_factors_are() -> None:
    network = make_network(widths=(2, 1), products=(0, 1))
    first, second = [[EdgeId(layer=0, source=i, target=row) for i in range(2)] for row in range(2)]
    assert not severs_output(network, first)
    assert severs_output(network, [*first, *second])


def test_importance_counts_both_factors() -> None:
    (scores,) = edge_importance(make_network(widths=(2, 1), products=(0, 1)), DATA.train_inputs)
    assert scores.shape == (2, 2)
    assert bool((scores > 0).all())


def test_formula_and_sources_equal_the_network() -> None:
    for products in ((0, 2, 0), (0, 3, 1)):
        network = make_network(products=products)
        for one in network.edges():
            network = fix_symbolic(network, one, SINE)
        network = prune_edges(network, [EdgeId(layer=0, source=i, target=2) for i in range(2)])
        expected = network(DATA.test_inputs)[:, 0].detach().numpy()
        formula = network_formula(network)
        values = sp.lambdify(sp.symbols("x1 x2"), formula.expression)(*DATA.test_inputs.numpy().T)
        np.testing.assert_allclose(values, expected, rtol=1e-9)
        for source, columns in ((numpy_source, DATA.test_inputs.numpy().T), (pytorch_source, DATA.test_inputs.T)):
            module: dict[str, Any] = {}
            exec(source(network, input_names=["a", "b"]), module)
            np.testing.assert_allclose(np.asarray(module["predict"](*columns)), expected, rtol=1e-9)


def test_curves_source_and_checkpoint_of_a_product_of_curves() -> None:
    network = make_network(widths=(2, 1), products=(0, 1))
    module: dict[str, Any] = {}
    exec(numpy_source(network, input_names=["a", "b"]), module)
    expected = network(DATA.test_inputs).detach().numpy()
    np.testing.assert_allclose(module["predict"](*DATA.test_inputs.numpy().T), expected[:, 0], rtol=1e-9)
    torch.testing.assert_close(
        from_bytes(to_bytes(network))(DATA.test_inputs), network(DATA.test_inputs), rtol=0, atol=0
    )
    assert sample_edge_curves(network).values.shape == (4, 64)
    assert network_figure(network).to_json() is not None


def test_refining_keeps_the_function() -> None:
    network = make_network()
    torch.testing.assert_close(refine(network, 10)(DATA.test_inputs), network(DATA.test_inputs), rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    ("products", "message"),
    [((1, 0, 0), "0 for the inputs"), ((0, 1), "a number for each of widths"), ((0, 4, 0), r"products\[1\] is an")],
)
def test_products_out_of_bounds_are_refused(products: tuple[int, ...], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        NetworkSpec(widths=(2, 3, 1), products=products)
