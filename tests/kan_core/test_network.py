"""The network's compiled path against plain torch, and its way of refusing."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from kan_core import (
    KAN,
    Candidate,
    EdgeId,
    NetworkSpec,
    fit_normalization,
    fit_ranges,
    fix_symbolic,
    prune_edge,
    prune_edges,
)
from kan_core.errors import DataError, EdgeError, SpecError
from tests.kan_core.problems_for_tests import exp_sin_dataset

BASES = ("silu", "identity", "none")


def network(*, base: str = "silu", dtype: torch.dtype = torch.float64) -> KAN:
    spec = NetworkSpec(widths=(2, 3, 2), grid_size=4, order=3, base=base, initialization="variance")
    return KAN(spec, generator=torch.Generator().manual_seed(1), dtype=dtype)


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.float64, 1e-12)])
def test_compiled_outputs_and_gradients_are_the_reference(base: str, dtype: torch.dtype, tolerance: float) -> None:
    kan = prune_edge(network(base=base, dtype=dtype), EdgeId(layer=0, source=1, target=2))
    x = torch.linspace(-1.4, 1.3, 60, dtype=dtype).reshape(30, 2)
    fast, slow = kan(x), kan.forward_reference(x)
    torch.testing.assert_close(fast, slow, rtol=tolerance, atol=tolerance)
    parameters = [p for layer in kan.layers for p in (layer.coefficients, layer.base_weights)]
    fast_gradients = torch.autograd.grad(fast.square().mean(), parameters)
    slow_gradients = torch.autograd.grad(slow.square().mean(), parameters)
    largest = max(float(one.abs().max()) for one in slow_gradients)
    for left, right in zip(fast_gradients, slow_gradients, strict=True):
        torch.testing.assert_close(left, right, rtol=0, atol=tolerance * largest)


def test_gradient_with_respect_to_inputs_matches_finite_differences() -> None:
    x = torch.linspace(-0.93, 0.88, 8, dtype=torch.float64).reshape(4, 2).requires_grad_()
    assert torch.autograd.gradcheck(network(), (x,))


def test_both_dtypes_start_from_the_same_network() -> None:
    single, double = network(dtype=torch.float32), network(dtype=torch.float64)
    for left, right in zip(single.parameters(), double.parameters(), strict=True):
        torch.testing.assert_close(left.double(), right, rtol=1e-6, atol=1e-7)


def test_a_node_sums_its_edges() -> None:
    kan = network()
    trace = kan.trace(torch.rand(5, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64))
    for edges, nodes in zip(trace.edge_outputs, trace.node_values[1:], strict=True):
        torch.testing.assert_close(edges.sum(dim=-1), nodes)


def test_scaling_keeps_original_units() -> None:
    data = exp_sin_dataset()
    kan = fit_ranges(fit_normalization(network_for(data.num_outputs), data), data.train_inputs)
    outputs = kan(data.train_inputs)
    assert outputs.shape == data.train_targets.shape
    assert float(kan.scale_inputs(data.train_inputs).abs().max()) == pytest.approx(1.0)


def network_for(num_outputs: int) -> KAN:
    spec = NetworkSpec(widths=(2, 3, num_outputs))
    return KAN(spec, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_an_empty_batch_gives_no_outputs() -> None:
    assert network()(torch.zeros(0, 2)).shape == (0, 2)


def test_wrong_columns_are_refused() -> None:
    with pytest.raises(DataError, match=r"inputs have the shape \(samples, 2\), received shape=\(4, 3\)"):
        network()(torch.zeros(4, 3))


def test_unknown_edges_are_refused() -> None:
    with pytest.raises(EdgeError, match=r"an edge lies within widths=\(2, 3, 2\), received edge=0\.0\.7"):
        network().kind(EdgeId(layer=0, source=0, target=7))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"widths": (2,)}, r"widths has at least 2 entries, received widths=\(2,\)"),
        ({"widths": (2, 0, 1)}, r"widths\[1\] is an integer from 1 to 4096, received widths\[1\]=0"),
        ({"base": "relu"}, "base is one of silu, identity, none, received base='relu'"),
        ({"initialization": "zeros"}, "initialization is one of standard, power_law, variance, received"),
    ],
)
def test_specs_out_of_bounds_are_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        NetworkSpec(**arguments)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("ghosts", [False, True])
def test_compiled_edge_values_are_the_reference(ghosts: bool) -> None:
    spec = NetworkSpec(widths=(3, 4, 2), grid_size=6, initialization="variance")
    network = KAN(spec, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    sine = Candidate(function="sin", a=2.0, b=0.3, c=1.5, d=-0.2, r2=1.0, complexity=2, score=0.0)
    network = fix_symbolic(network, EdgeId(layer=0, source=1, target=2), sine)
    network = prune_edges(network, [EdgeId(layer=0, source=0, target=0), EdgeId(layer=0, source=1, target=2)])
    layer = network.layers[0]
    x = torch.randn(50, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    reference = layer.edge_outputs(x, ghosts=ghosts).detach().numpy()
    np.testing.assert_allclose(layer.edge_values(x.numpy(), ghosts=ghosts), reference, atol=1e-13)
    for target in range(4):
        for source in range(3):
            alone = layer.one_edge(target, source).edge_values(x[:, source : source + 1].numpy(), ghosts=ghosts)
            np.testing.assert_allclose(alone[:, 0, 0], reference[:, target, source], atol=1e-13)
