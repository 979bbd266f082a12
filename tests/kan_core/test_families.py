"""Every family in every use: compiled against torch, trained, refined, swapped, mixed, saved and written as source."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch

from kan_core import (
    KAN,
    EdgeId,
    NetworkSpec,
    Trainer,
    TrainingSpec,
    edge_family,
    fit_normalization,
    fit_ranges,
    fix_symbolic,
    prune_edge,
    refine,
    sample_edge_curves,
    suggest_symbolic,
    swap_basis,
)
from kan_core.bases import BASES, BSplineBasis, MixedBasis, parts_of
from kan_core.checkpoint import from_bytes, to_bytes
from kan_core.errors import EdgeError, SpecError
from kan_core.export import numpy_source
from kan_core.optimizers.objective import NetworkObjective
from kan_core.torch_source import pytorch_source
from tests.kan_core.problems_for_tests import exp_sin_dataset

DATA = exp_sin_dataset()
FAMILIES = sorted(BASES)
OTHER = next((name for name in FAMILIES if name == "chebyshev"), FAMILIES[0])


def make_network(
    family: str = "bspline", *, dtype: torch.dtype = torch.float64, products: tuple[int, ...] = (), **fields: Any
) -> KAN:
    """Return a fresh [2, 3, 1] scaled to the data."""
    spec = NetworkSpec(widths=(2, 3, 1), products=products, basis=family, **fields)
    network = KAN(spec, generator=torch.Generator().manual_seed(1), dtype=dtype)
    return fit_ranges(fit_normalization(network, DATA.to_dtype(dtype)), DATA.train_inputs.to(dtype))


def trained(family: str, *, steps: int = 25, **fields: Any) -> KAN:
    """Return a network after some steps of Levenberg-Marquardt."""
    trainer = Trainer(make_network(family, **fields), DATA, TrainingSpec(optimizer="lm"))
    for _ in range(steps):
        trainer.step()
    return trainer.network


def mixed_network() -> KAN:
    """Return a network in which each layer has edges of all families."""
    network = make_network(products=(0, 1, 0))
    for index, edge in enumerate(network.edges()):
        network = swap_basis(network, edge, FAMILIES[index % len(FAMILIES)])
    return network


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.float64, 1e-12)])
def test_compiled_outputs_and_gradients_are_the_reference(
    family: str, dtype: torch.dtype, tolerance: float, seed: int
) -> None:
    # fresh curves: sums of large coefficients of opposite sign lose digits by any path
    spec = NetworkSpec(widths=(2, 3, 1), basis=family)
    network = KAN(spec, generator=torch.Generator().manual_seed(seed), dtype=dtype)
    assert_paths_agree(fit_normalization(network, DATA.to_dtype(dtype)), tolerance)


@pytest.mark.parametrize("family", FAMILIES)
def test_compiled_outputs_and_gradients_of_fitted_ranges_are_the_reference(family: str) -> None:
    assert_paths_agree(prune_edge(make_network(family), EdgeId(layer=0, source=1, target=2)), 1e-12)


def assert_paths_agree(network: KAN, tolerance: float) -> None:
    """Assert that outputs and their gradients are those of plain torch, relative to the largest number of each."""
    x = torch.linspace(-1.4, 1.3, 60, dtype=network.dtype).reshape(30, 2).requires_grad_()
    fast, slow = network(x), network.forward_reference(x)
    parameters = [p for layer in network.layers for p in (layer.coefficients, layer.base_weights)]
    of_fast, of_slow = (torch.autograd.grad(y.square().mean(), [x, *parameters]) for y in (fast, slow))
    flat_fast, flat_slow = (torch.cat([one.ravel() for one in of[1:]]) for of in (of_fast, of_slow))
    for found, wanted in ((fast, slow), (of_fast[0], of_slow[0]), (flat_fast, flat_slow)):
        torch.testing.assert_close(found, wanted, rtol=0, atol=tolerance * wanted.detach().abs().max().item())


@pytest.mark.parametrize("family", FAMILIES)
def test_inputs_have_the_gradient_of_finite_differences(family: str) -> None:
    # off the kinks that some families have
    x = torch.linspace(-0.93, 0.88, 8, dtype=torch.float64).reshape(4, 2).requires_grad_()
    assert torch.autograd.gradcheck(make_network(family), (x,))


@pytest.mark.parametrize("family", FAMILIES)
def test_objective_and_jacobian_match_finite_differences(family: str) -> None:
    objective = NetworkObjective(trained(family, steps=3), DATA, l1=0.01, entropy=0.01)
    start = objective.parameters
    _, gradient = objective.loss_and_gradient(start)
    direction = np.random.default_rng(0).normal(size=len(start))
    direction /= np.linalg.norm(direction)
    ahead, behind = objective.loss(start + 1e-5 * direction), objective.loss(start - 1e-5 * direction)
    assert gradient @ direction == pytest.approx((ahead - behind) / 2e-5, rel=1e-4, abs=1e-7)


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("optimizer", "steps"), [("adam", 400), ("lbfgs", 120), ("lm", 30)])
def test_every_family_learns_by_every_optimizer(family: str, optimizer: str, steps: int) -> None:
    trainer = Trainer(make_network(family), DATA, TrainingSpec(optimizer=optimizer, learning_rate=0.02))
    last = [trainer.step() for _ in range(steps)][-1]
    assert last.train_rmse < 0.3 * float(DATA.train_targets.std())


@pytest.mark.slow
@pytest.mark.parametrize("factor", [2, 3])
@pytest.mark.parametrize("family", FAMILIES)
def test_refining_does_not_make_the_loss_jump(family: str, factor: int) -> None:
    network = trained(family)
    finer = refine(network, factor * network.spec.grid_size)
    assert finer.layers[0].num_functions > network.layers[0].num_functions
    scale = float(network(DATA.test_inputs).detach().abs().max())
    torch.testing.assert_close(finer(DATA.test_inputs), network(DATA.test_inputs), rtol=0, atol=1e-6 * scale)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_swapped_curve_is_the_nearest_of_its_family(family: str) -> None:
    network, edge = trained("bspline", steps=10), EdgeId(layer=0, source=0, target=1)
    swapped = swap_basis(network, edge, family)
    assert edge_family(swapped, edge) == family
    assert edge_family(network, edge) == "bspline"
    before, after = sample_edge_curves(network).values, sample_edge_curves(swapped).values
    index = network.edges().index(edge)
    np.testing.assert_allclose(np.delete(after, index, 0), np.delete(before, index, 0), atol=1e-12)
    spread = before[index].std()
    assert np.sqrt(np.square(after[index] - before[index]).mean()) < 0.25 * spread
    back = swap_basis(swapped, edge, "bspline")
    assert not isinstance(back.layers[0].bases[0], MixedBasis)


def test_a_formula_or_an_unknown_family_is_refused() -> None:
    network, edge = make_network(), EdgeId(layer=0, source=0, target=0)
    formula = fix_symbolic(network, edge, suggest_symbolic(network, edge, DATA.train_inputs)[0])
    with pytest.raises(EdgeError, match=r"only a curve has a family, received edge=0\.0\.0"):
        swap_basis(formula, edge, OTHER)
    with pytest.raises(SpecError, match="basis is one of"):
        swap_basis(network, edge, "polynomials")


def test_a_mixed_network_trains_refines_and_is_saved() -> None:
    network = mixed_network()
    torch.testing.assert_close(
        network(DATA.test_inputs), network.forward_reference(DATA.test_inputs), rtol=0, atol=1e-11
    )
    objective = NetworkObjective(network.copy(), DATA, l1=0.01, entropy=0.01)
    start = objective.parameters
    assert len(start) == network.num_parameters
    _, gradient = objective.loss_and_gradient(start)
    direction = np.random.default_rng(0).normal(size=len(start)) / np.sqrt(len(start))
    ahead, behind = objective.loss(start + 1e-6 * direction), objective.loss(start - 1e-6 * direction)
    assert gradient @ direction == pytest.approx((ahead - behind) / 2e-6, rel=1e-4, abs=1e-7)
    trainer = Trainer(network, DATA, TrainingSpec(optimizer="lm"))
    first, *_, last = [trainer.step() for _ in range(15)]
    assert last.train_rmse < first.train_rmse
    learnt = trainer.network
    assert [edge_family(learnt, edge) for edge in learnt.edges()] == [edge_family(network, e) for e in network.edges()]
    finer = refine(learnt, 2 * learnt.spec.grid_size)
    torch.testing.assert_close(finer(DATA.test_inputs), learnt(DATA.test_inputs), rtol=0, atol=1e-5)
    torch.testing.assert_close(from_bytes(to_bytes(learnt))(DATA.test_inputs), learnt(DATA.test_inputs), rtol=0, atol=0)


@pytest.mark.parametrize("family", FAMILIES)
def test_source_code_computes_what_the_network_computes(family: str) -> None:
    network = make_network(family, knots="adaptive") if family == "bspline" else make_network(family)
    inputs = 1.3 * DATA.test_inputs
    expected = network(inputs)[:, 0].detach().numpy()
    for source, columns in ((numpy_source, inputs.numpy().T), (pytorch_source, inputs.T)):
        module: dict[str, Any] = {}
        exec(source(network, input_names=["x", "y"]), module)
        np.testing.assert_allclose(np.asarray(module["predict"](*columns)), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("family", FAMILIES)
def test_checkpoints_keep_every_family(family: str) -> None:
    network = make_network(family)
    same = from_bytes(to_bytes(network))
    assert [layer.bases for layer in same.layers] == [layer.bases for layer in network.layers]
    torch.testing.assert_close(same(DATA.test_inputs), network(DATA.test_inputs), rtol=0, atol=0)


def test_adaptive_knots_follow_what_arrives() -> None:
    inputs = torch.rand(400, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64) ** 4
    data = DATA.__class__(
        train_inputs=inputs,
        train_targets=inputs.sum(dim=1, keepdim=True),
        test_inputs=inputs,
        test_targets=inputs.sum(dim=1, keepdim=True),
    )
    spec = NetworkSpec(widths=(2, 2, 1), knots="adaptive", grid_size=8)
    network = fit_ranges(fit_normalization(KAN(spec, dtype=torch.float64), data), inputs)
    (first, second), scaled = network.layers[0].bases, network.scale_inputs(inputs)
    assert first != second
    for source, basis in enumerate((first, second)):
        assert isinstance(basis, BSplineBasis)
        breaks = np.array(basis.breaks)
        counts = np.histogram(scaled[:, source].numpy(), bins=breaks)[0]
        even = np.histogram(scaled[:, source].numpy(), bins=8)[0]
        assert counts.max() < 0.8 * even.max()
        assert min(right - left for left, right in pairwise(basis.breaks)) > 0.02
    saved = from_bytes(to_bytes(network))
    assert saved.layers[0].bases == network.layers[0].bases
    finer = refine(network, 16)
    torch.testing.assert_close(finer(inputs), network(inputs), rtol=0, atol=1e-10)


def test_swapping_to_splines_follows_what_arrives_when_asked() -> None:
    inputs = DATA.train_inputs**3
    network = make_network("chebyshev", knots="adaptive")
    edge = EdgeId(layer=1, source=2, target=0)
    even, adapted = swap_basis(network, edge, "bspline"), swap_basis(network, edge, "bspline", inputs=inputs)
    nodes, layer = network.trace(inputs).node_values[1], network.layers[1]
    for source in range(layer.num_sources):
        low, high = layer.low[source], layer.high[source]
        u = ((2 * nodes[:, source] - (low + high)) / (high - low)).numpy()
        assert even.layers[1].bases[source].settings()["parts"] == [CHEBYSHEV, SPLINE.settings()]
        # breaks of rounded ranges may differ in the last digit
        _, splines = parts_of(adapted.layers[1].bases[source])
        assert isinstance(splines, BSplineBasis)
        np.testing.assert_allclose(splines.breaks, SPLINE.adapted(u).breaks, atol=1e-12)
    for one in (even, adapted):
        assert edge_family(one, edge) == "bspline"
        assert all(edge_family(one, other) == "chebyshev" for other in one.edges() if other != edge)
    uniform = swap_basis(make_network("chebyshev"), edge, "bspline", inputs=inputs)
    assert uniform.layers[1].bases[2].settings()["parts"] == [CHEBYSHEV, SPLINE.settings()]


SPLINE = BSplineBasis(5, 3)
CHEBYSHEV = {"name": "chebyshev", "grid_size": 5}
