"""Normal forms in the units that columns come in, from 1e-15 to 1e15, compute what the network did."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kan_core import KAN, Dataset, fix_symbolic, normal_form
from kan_core.discovery.reports import pack_law, unpack_law
from kan_core.formula_display import display_formula
from kan_core.symbolic import BUILT_IN
from kan_core.symbolic.edges import edge_form, off_domain_edges
from kan_core.symbolic.held_out import HeldOut, judged_normal_form
from kan_core.symbolic.laws import make_law
from kan_core.symbolic.snapping import find_snaps
from tests.kan_core.networks_for_tests import random_network, shifted_dataset
from tests.kan_core.symbolic.constants_for_tests import as_candidate, edge, formula_network

DATA = shifted_dataset()
UNITS = st.integers(-15, 15).map(lambda power: 10.0**power)


def in_units(network: KAN, data: Dataset, inputs: torch.Tensor, output: float) -> tuple[KAN, Dataset]:
    """Return the same network of the same samples in other units: each input times its own, the target times one."""
    changed = network.copy()
    with torch.no_grad():
        changed.input_scale.mul_(inputs)
        changed.input_shift.mul_(inputs)
        changed.output_scale.mul_(output)
        changed.output_shift.mul_(output)
    return changed, Dataset(
        train_inputs=data.train_inputs * inputs,
        train_targets=data.train_targets * output,
        test_inputs=data.test_inputs * inputs,
        test_targets=data.test_targets * output,
    )


def outputs(network: KAN, data: Dataset) -> torch.Tensor:
    """Return the network's outputs on all samples."""
    with torch.no_grad():
        return network(torch.cat([data.train_inputs, data.test_inputs]).to(network.dtype)).double()


def assert_same(got: torch.Tensor, wanted: torch.Tensor, tolerance: float = 1e-9) -> None:
    """Raise AssertionError unless outputs are those that are wanted, relative to the largest of them."""
    assert float((got - wanted).abs().max()) <= tolerance * float(wanted.abs().max())


def samples_of(inputs: torch.Tensor, targets: torch.Tensor) -> Dataset:
    """Return samples of one input (B,) and one target (B,), a quarter of them held out."""
    x, y = inputs.double()[:, None], targets.double()[:, None]
    return Dataset(train_inputs=x[::2], train_targets=y[::2], test_inputs=x[1::4], test_targets=y[1::4])


def one_edge(data: Dataset, function: str, a: float, b: float, c: float, d: float) -> KAN:
    """Return the network of one formula."""
    network = formula_network(data, {(0, 0, 0): (function, a, b, c, d)}, widths=(1, 1))
    network.output_shift.zero_()
    return network


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.tuples(UNITS, UNITS), UNITS)
def test_it_equals_the_network_in_all_units(seed: int, units: tuple[float, float], output: float) -> None:
    plain = random_network(seed, data=DATA, closed=True)
    network, data = in_units(plain, DATA, torch.tensor(units, dtype=torch.float64), output)
    everything = torch.cat([data.train_inputs, data.test_inputs])
    if off_domain_edges(network, everything):
        return
    wanted = outputs(network, data)
    assert_same(outputs(normal_form(network), data), wanted)
    assert_same(outputs(normal_form(network, everything), data), wanted)
    assert_same(outputs(normal_form(normal_form(network, everything)), data), wanted)
    packed = pack_law(make_law(network, data))
    assert_same(outputs(unpack_law(packed).network, data), wanted)
    assert_same(outputs(unpack_law(packed, data).network, data), wanted)


@pytest.mark.slow
@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.tuples(UNITS, UNITS), UNITS)
def test_it_equals_a_network_of_short_floats(seed: int, units: tuple[float, float], output: float) -> None:
    plain = random_network(seed, data=DATA, closed=True, dtype=torch.float32)
    network, data = in_units(plain, DATA, torch.tensor(units, dtype=torch.float64), output)
    if off_domain_edges(network, torch.cat([data.train_inputs, data.test_inputs]).float()):
        return
    assert_same(outputs(normal_form(network), data), outputs(network, data), 1e-3)


def law_in_units(name: str, unit: float) -> tuple[KAN, Dataset]:
    """Return c·f(x / unit) and exact samples of it for x from 1 to 4 units."""
    x = torch.linspace(1.0, 4.0, 65, dtype=torch.float64)
    data = samples_of(x * unit, torch.from_numpy(BUILT_IN[name].numpy_value(x.numpy())))
    return one_edge(data, name, 1.0 / unit, 0.0, 1.0, 0.0), data


@pytest.mark.parametrize("unit", [1e-15, 1e-12, 1e-9, 1e-6, 1.0, 1e9, 1e15])
@pytest.mark.parametrize(
    "name", ["1/x", "1/x^2", "1/x^4", "log", "sqrt", "1/sqrt", "x^1.5", "x^2", "x^5", "abs", "exp"]
)
def test_one_formula_in_all_units(name: str, unit: float) -> None:
    network, data = law_in_units(name, unit)
    assert_same(outputs(normal_form(network), data), outputs(network, data), 1e-13)


@pytest.mark.slow
@pytest.mark.parametrize("unit", [1e-15, 1e-12, 1e15])
@pytest.mark.parametrize("name", ["1/x", "1/x^2", "log", "sqrt", "1/sqrt", "x^1.5", "x^2"])
def test_snapping_keeps_a_law_in_all_units(name: str, unit: float) -> None:
    network, data = law_in_units(name, unit)
    assert_same(outputs(find_snaps(network, data).network, data), outputs(network, data))


def test_arguments_over_many_magnitudes_stay_in_the_domain() -> None:
    x = torch.logspace(-10.0, -2.0, 65, dtype=torch.float64)
    data = samples_of(x, 1.0 / x)
    network = one_edge(data, "1/x", 1e3, 0.0, 1e3, 0.0)
    formed = normal_form(network, torch.cat([data.train_inputs, data.test_inputs]))
    np.testing.assert_allclose(outputs(formed, data).numpy(), outputs(network, data).numpy(), rtol=1e-7)


def test_the_offset_of_an_exponential_stays_where_it_would_overflow() -> None:
    x = torch.linspace(195.0, 205.0, 65, dtype=torch.float64)
    data = samples_of(x, torch.exp(x - 200.0))
    network = one_edge(data, "exp", 1.0, -200.0, 1.0, 0.0)
    assert_same(outputs(normal_form(network), data), outputs(network, data), 1e-13)


@pytest.mark.parametrize("expression", ["3*x^2", "x^2 + 1", "log(x) + 1", "2/x", "2*exp(3*x)", "exp(x) + 2", "2*x + 1"])
def test_a_function_of_ones_own_keeps_its_values(expression: str) -> None:
    own = BUILT_IN.add_function("own", expression)["own"]
    x = torch.linspace(0.1, 0.5, 33, dtype=torch.float64)
    data = samples_of(x, x)
    network = one_edge(data, "x", 1.0, 0.0, 1.0, 0.0)
    network = fix_symbolic(network, edge(0, 0, 0), replace(as_candidate("own", 0.7, 0.6, 1.3, 0.2), own=own))
    assert_same(outputs(normal_form(network), data), outputs(network, data), 1e-13)


def test_a_reciprocal_of_small_numbers_has_a_power_of_ten_for_a() -> None:
    x = torch.linspace(1.0, 4.0, 65, dtype=torch.float64)
    data = samples_of(x * 1e-12, 3.0 / x)
    network = one_edge(data, "1/x", 0.7e12, 0.0, 2.1, 0.0)
    name, a, b, c, d = edge_form(normal_form(network), edge(0, 0, 0))
    assert (name, math.log10(a) % 6.0) == ("1/x", pytest.approx(0.0, abs=1e-12))
    assert (b, c / a, d) == (0.0, pytest.approx(3e-12, rel=1e-14), pytest.approx(0.0, abs=1e-15))


def test_held_out_samples_may_object_to_a_normal_form() -> None:
    x = torch.linspace(0.0, 4.0, 64, dtype=torch.float64)
    # where samples lie at a domain's end, which the network moves up to 1e-9, its value there depends on a
    x[:32] = 0.0
    data = samples_of(x, torch.sqrt(x))
    network = one_edge(data, "sqrt", 2.5e5, 0.0, 2e-3, 0.0)
    assert not HeldOut(network, data).allows(normal_form(network))
    assert torch.equal(outputs(judged_normal_form(network, data), data), outputs(network, data))
    found = find_snaps(network, data).network
    assert HeldOut(network, data).allows(found)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("unit", "read"),
    [(1e-12, "y = 3e-12/(a + 2·b)"), (1.0, "y = 3/(a + 2·b)"), (1e12, "y = 3e12/(a + 2·b)")],
)
def test_a_law_with_a_hidden_sum_is_snapped_in_all_units(unit: float, read: str) -> None:
    x = 1.0 + 3.0 * torch.rand(200, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    y = 3.0 / (x[:, :1] + 2.0 * x[:, 1:])
    x = x * unit
    data = Dataset(train_inputs=x[::2], train_targets=y[::2], test_inputs=x[1::2], test_targets=y[1::2])
    forms = {
        (0, 0, 0): ("x", 0.5 / unit, 0.0, 1.5, 0.0),
        (0, 1, 0): ("x", 0.7 / unit, 0.0, 2.0, 0.0),
        (1, 0, 0): ("1/x", 1.1, 0.0, 4.0, 0.0),
    }
    network = formula_network(data, forms, widths=(2, 1, 1))
    network.output_shift.zero_()
    snapped = find_snaps(network, data).network
    assert_same(outputs(snapped, data), torch.cat([data.train_targets, data.test_targets]), 1e-12)
    assert display_formula(snapped, x, input_names=("a", "b"), output_names=("y",)).text == read
