"""Inputs that do nothing are told from those that do little."""

from __future__ import annotations

import time

import pytest
import torch

from kan_core import KAN, Dataset
from kan_core.discovery.composition import Sheet, Term, assemble, unfold
from kan_core.discovery.idle import Idle, find_idle, influences
from kan_core.discovery.solver import Solver
from kan_core.discovery.symmetries import find_separation
from kan_core.fitting import hold_out
from kan_core.symbolic.library import FUNCTIONS

NAMES = ("a", "b", "class", "E", "a-b")


def dataset(*, noise: float = 0.0, weak: float = 0.0, num_samples: int = 300) -> Dataset:
    """Return samples of f = a·b² + weak·class, with noise, both as shares of the spread."""
    generator = torch.Generator().manual_seed(3)
    x = 1.0 + 2.0 * torch.rand(num_samples, len(NAMES), generator=generator, dtype=torch.float64)
    y = x[:, :1] * x[:, 1:2] ** 2
    added = noise * torch.randn(num_samples, 1, generator=generator, dtype=torch.float64) + weak * x[:, 2:3]
    y = y + added * y.std()
    return Dataset(
        train_inputs=x[60:],
        train_targets=y[60:],
        test_inputs=x[:60],
        test_targets=y[:60],
        input_names=NAMES,
        output_names=("f",),
    )


def network_that_is_off(data: Dataset, spurious: float, *, weak: float = 0.0) -> KAN:
    """Return log, sum and exp for a·b², beside traces of a sine of the other inputs, as shares of the spread."""
    log, line = Term(FUNCTIONS["log"]), Term(FUNCTIONS["x"])
    spread = float(data.train_targets.std())
    logs = {(0, 0): log, (0, 1): log.scaled(2.0), (1, 2): line.scaled(weak * spread)}
    sines = {(place - 1, place): Term(FUNCTIONS["sin"], a=4.0, c=spurious * spread) for place in range(3, len(NAMES))}
    both = {(0, 0): Term(FUNCTIONS["exp"])} | {(0, row): line for row in range(1, 4)}
    return assemble([Sheet(5, 4, 0, logs | sines), Sheet(4, 1, 0, both)], data.train_inputs)


def error_of(network: KAN, data: Dataset) -> float:
    with torch.no_grad():
        off = network(data.test_inputs) - data.test_targets
    return float(off.square().mean().sqrt()) / float(data.test_targets.std(correction=0))


def test_inputs_that_do_nothing_are_found_and_said() -> None:
    data = dataset()
    network = network_that_is_off(data, 0.01)
    idle = find_idle(network, data, error=error_of(network, data))
    assert idle is not None
    assert idle.places == (2, 3, 4)
    assert idle.sentence(NAMES, "f") == "f does not depend on class, E and a-b."
    assert Idle((2,)).sentence(NAMES, "f") == "f does not depend on class."
    reduced = idle.reduce(data)
    assert reduced.input_names == ("a", "b")
    assert torch.equal(reduced.test_inputs, data.test_inputs[:, :2])


def test_an_input_that_does_little_is_not_idle() -> None:
    # it does no more than the network is off by, but the network is worse without it
    data = dataset(weak=0.03, noise=0.01)
    network = network_that_is_off(data, 0.01, weak=0.03)
    error = error_of(network, data)
    assert influences(network, data.train_inputs)[2] < 2.0 * error
    assert find_idle(network, data, error=error) == Idle((3, 4))


def test_where_every_input_counts_none_is_idle() -> None:
    data = dataset(weak=0.3)
    network = network_that_is_off(data, 0.3, weak=0.3)
    assert find_idle(network, data, error=0.01) is None


def test_laws_of_some_inputs_are_laws_of_all() -> None:
    data = dataset()
    narrow = Idle((2, 3, 4)).reduce(data)
    log = Term(FUNCTIONS["log"])
    sheets = [Sheet(2, 1, 0, {(0, 0): log, (0, 1): log.scaled(2.0)}), Sheet(1, 1, 0, {(0, 0): Term(FUNCTIONS["exp"])})]
    network = assemble(sheets, narrow.train_inputs)
    wide = assemble(Idle((2, 3, 4)).widen(unfold(network), 5), data.train_inputs)
    assert error_of(wide, data) < 1e-12


def test_inputs_that_do_nothing_are_no_parts_of_a_sum() -> None:
    data = dataset()
    network = network_that_is_off(data, 0.01)
    assert find_separation(network, data.train_inputs, error=0.0) is not None
    found = find_separation(network, data.train_inputs, error=0.05)
    assert found is None or all({0, 1} & set(group) for group in found.groups)


@pytest.mark.slow
def test_a_discovery_leaves_them_out_of_what_follows() -> None:
    split = hold_out(dataset(), seed=0)
    assert split is not None
    solver = Solver(split, seed=0, divides_first=True, deadline=time.monotonic() + 1e6)
    while not solver.is_done:
        solver.step()
    assert solver.is_exact
    assert solver.findings[0] == "f does not depend on class, E and a-b."
    assert not any("class" in finding for finding in solver.findings[1:])
