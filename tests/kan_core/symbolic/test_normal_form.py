"""Normal forms: equal to what they were made of, the same when made again, and without redundant constants."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kan_core import KAN, fix_symbolic, lock_symbolic, network_formula, normal_form, restore_edge
from kan_core.symbolic.edges import edge_form, off_domain_edges
from kan_core.symbolic.normal_form import conventions
from kan_core.symbolic.rewriting import NAMES
from tests.kan_core.networks_for_tests import FUNCTIONS, random_network, shifted_dataset
from tests.kan_core.symbolic.constants_for_tests import as_candidate, edge, formula_network, sample_law

DATA = shifted_dataset()


def outputs(network: KAN) -> torch.Tensor:
    """Return the network's outputs on all samples."""
    with torch.no_grad():
        return network(torch.cat([DATA.train_inputs, DATA.test_inputs]))


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_it_equals_the_network(seed: int, closed: bool) -> None:
    network = random_network(seed, data=DATA, closed=closed)
    formed = normal_form(network)
    wanted, got = outputs(network), outputs(formed)
    everything = torch.cat([DATA.train_inputs, DATA.test_inputs])
    if off_domain_edges(network, everything) or off_domain_edges(formed, everything):
        return
    # functions are evaluated at the same arguments, rounded anew
    assert float((got - wanted).abs().max()) <= 1e-11 * float((wanted - wanted.mean()).abs().max() + wanted.abs().max())


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_made_again_it_stays(seed: int) -> None:
    formed = normal_form(random_network(seed, data=DATA, closed=True))
    again = normal_form(formed)
    for one, other in zip(formed.layers, again.layers, strict=True):
        torch.testing.assert_close(one.constants, other.constants, rtol=1e-9, atol=1e-9)


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_conventions_are_0_or_1(seed: int) -> None:
    formed = normal_form(random_network(seed, data=DATA, closed=True))
    for place, name in conventions(formed):
        function, *values = edge_form(formed, place)
        value = values[NAMES.index(name)]
        if function != "constant":
            assert abs(value) == pytest.approx(0.0 if name in "bd" else 1.0, abs=1e-9), (place, name)


def test_locked_formulas_and_what_they_touch_stay() -> None:
    data = sample_law(lambda x: x[:, 0])
    forms = {
        (0, 0, 0): ("x^2", 2.0, 1.0, 0.7, 0.3),
        (0, 1, 0): ("sin", -2.0, 0.5, 0.7, 0.3),
        (1, 0, 0): ("exp", 0.3, 0.2, 2.0, 1.0),
    }
    network = lock_symbolic(formula_network(data, forms, widths=(2, 1, 1)), edge(0, 0, 0))
    formed = normal_form(network)
    assert edge_form(formed, edge(0, 0, 0))[1:] == pytest.approx(edge_form(network, edge(0, 0, 0))[1:], rel=1e-12)
    # the edge beside it can still be turned round, but the node keeps its unit
    assert edge_form(formed, edge(0, 1, 0))[1:] == pytest.approx((2.0, -0.5, -0.7, 0.3), rel=1e-12)
    assert edge_form(formed, edge(1, 0, 0))[1] == pytest.approx(0.3, rel=1e-12)


def test_a_law_reads_as_it_is_written() -> None:
    data = sample_law(lambda x: x[:, 0])
    forms = {
        (0, 0, 0): ("sin", -math.pi, math.pi, 0.5, 0.25),
        (0, 1, 0): ("x^2", 2.0, 0.0, 0.125, -0.5),
        (1, 0, 0): ("exp", 2.0, 0.5, math.exp(-0.5), 0.0),
    }
    network = formula_network(data, forms, widths=(2, 1, 1))
    network.output_shift.zero_()
    # exp(2·(sin(π - π x) / 2 + y² / 2 - 1/4)) without its factor
    network = fix_symbolic(network, edge(1, 0, 0), as_candidate("exp", 2.0, 0.5, 1.0, 0.0))
    formed = normal_form(network)
    shown = str(network_formula(formed, input_names=["x", "y"]).expression)
    assert shown == "exp(y**2 + sin(pi*x))"


def test_a_wave_a_quarter_turn_on_is_a_cosine() -> None:
    data = sample_law(lambda x: x[:, 0])
    network = formula_network(data, {(0, 0, 0): ("sin", 2.0, 5.0 * math.pi / 2.0, 3.0, 0.0)})
    network.output_shift.zero_()
    name, a, b, c, d = edge_form(normal_form(network), edge(0, 0, 0))
    assert name == "cos"
    assert (a, b, c, d) == pytest.approx((2.0, 0.0, 3.0, 0.0), rel=1e-12, abs=1e-12)


def test_the_scale_of_a_product_stands_in_one_place() -> None:
    data = sample_law(lambda x: 3.0 * x[:, 0] * x[:, 1])
    forms = {(0, 0, 0): ("x", 0.5, 0.0, 1.0, 0.0), (0, 1, 1): ("x", 2.0, 0.0, 3.0, 0.0)}
    network = formula_network(data, forms, products=(0, 1))
    scale = float(network.output_scale[0])
    formed = normal_form(network)
    assert float(formed.output_scale[0]) == 1.0
    assert edge_form(formed, edge(0, 0, 0))[1:] == (1.0, 0.0, 1.0, 0.0)
    assert edge_form(formed, edge(0, 1, 1))[3] == pytest.approx(3.0 * scale, rel=1e-14)


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_cut_edges_come_back_as_they_were(seed: int) -> None:
    network = random_network(seed, data=DATA)
    formed = normal_form(network)
    for ghost in (one for one in network.edges() if network.kind(one) == "pruned"):
        restored = restore_edge(network, ghost), restore_edge(formed, ghost)
        if any(off_domain_edges(one, torch.cat([DATA.train_inputs, DATA.test_inputs])) for one in restored):
            continue
        before, after = outputs(restored[0]), outputs(restored[1])
        # a curve takes over another unit as closely as its grid can
        assert float((after - before).abs().mean()) <= 0.05 * float(
            before.std() + (before - outputs(network)).abs().max()
        )


@pytest.mark.parametrize("a", [0.7, -0.7])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_one_edge_keeps_its_values(name: str, a: float) -> None:
    data = sample_law(lambda inputs: inputs[:, 0], num_inputs=1)
    inputs = torch.linspace(0.1, 0.5, 33, dtype=torch.float64)[:, None]
    own = FUNCTIONS[name] if FUNCTIONS[name].expression else None
    network = formula_network(data, {(0, 0, 0): ("x", 1.0, 0.0, 1.0, 0.0)}, widths=(1, 1))
    network = fix_symbolic(network, edge(0, 0, 0), replace(as_candidate(name, a, 0.6, 1.3, 0.2), own=own))
    with torch.no_grad():
        torch.testing.assert_close(normal_form(network)(inputs), network(inputs), rtol=1e-12, atol=1e-12)
