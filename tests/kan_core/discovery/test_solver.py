"""Laws are found from samples, whichever way a solver goes."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from kan_core import Dataset
from kan_core.accuracy import measure_rmse
from kan_core.discovery import parts
from kan_core.discovery import solver as module
from kan_core.discovery.shapes import wide_shape
from kan_core.discovery.solver import Solver
from kan_core.discovery.univariate import Composite, composites
from kan_core.discovery.verdict import verdict
from kan_core.expressions import parse_expression
from kan_core.fitting import hold_out
from kan_core.problems import sample_expression

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def no_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no piece of work be cut short on a busy machine."""
    for name in ("TRAIN_SECONDS", "EXPLAIN_SECONDS"):
        monkeypatch.setattr(module, name, 1e9)
    monkeypatch.setattr(parts, "PART_SECONDS", 1e9)


def solve(expression: str, *, divides_first: bool, **ranges: tuple[float, float]) -> tuple[Solver, Dataset]:
    data = sample_expression(expression, ranges, seed=4)
    split = hold_out(data, seed=0)
    assert split is not None
    solver = Solver(split, seed=0, divides_first=divides_first, deadline=math.inf)
    while not solver.is_done:
        solver.step()
    return solver, data


def relative_error(solver: Solver, data: Dataset) -> float:
    law = min(solver.laws, key=lambda one: one.test_rmse)
    return measure_rmse(law.network, data.test_inputs, data.test_targets, "regression") / float(data.test_targets.std())


def test_the_ladder_finds_a_law() -> None:
    solver, data = solve("exp(sin(pi*x) + y^2)", divides_first=False, x=(-1, 1), y=(-1, 1))
    assert relative_error(solver, data) < 1e-9
    assert solver.is_exact
    # from the mean on, each law is more complex and better than the one before
    assert solver.laws[0].complexity == 0
    pairs = list(zip(solver.laws, solver.laws[1:], strict=False))
    assert all(one.complexity < other.complexity and one.test_rmse > other.test_rmse for one, other in pairs)


def test_what_takes_part_only_together_is_solved_as_one() -> None:
    solver, data = solve("asin(a/n)", divides_first=True, a=(0.1, 1), n=(1.05, 5))
    assert relative_error(solver, data) < 1e-9
    assert solver.findings == ["f depends on a and n only through a/n."]


def test_parts_are_solved_alone_and_put_together() -> None:
    solver, data = solve("a*(1/b - 1)", divides_first=True, a=(1, 5), b=(1.5, 5))
    assert relative_error(solver, data) < 1e-9
    assert solver.findings == ["f is a product of a function of a and one of b."]


def test_a_function_inside_another_is_found() -> None:
    solver, data = solve("x^3/(exp(x) - 1)", divides_first=True, x=(0.5, 8))
    assert relative_error(solver, data) < 1e-9


@pytest.mark.parametrize("expression", ["1/(2 + cos(3*x))", "log(1 + exp(2*x))", "tanh(x)/x"])
def test_curves_are_compared_with_functions_inside_others(expression: str) -> None:
    x = np.linspace(0.3, 2.0, 128)
    y = parse_expression(expression, ["x"]).evaluate(x[:, None])
    found = [one for one in composites(x, y) if isinstance(one, Composite)]
    best = min(found, key=lambda one: one.unexplained)
    assert best.unexplained < 0.01
    assert 1 <= len(best.sheets) <= 3


def noisy_line(names: str) -> Dataset:
    """Return samples of half of whose spread and more is noise."""
    expression = " + ".join(names)
    data = sample_expression(expression, dict.fromkeys(names, (-1, 1)), num_train=100, noise=0.5, seed=4)
    split = hold_out(data, seed=0)
    assert split is not None
    return split


def test_of_noise_networks_of_several_shapes_are_asked_a_large_one_among_them() -> None:
    split = noisy_line("x")
    solver = Solver(split, seed=0, divides_first=True, deadline=math.inf)
    while len(solver.network_errors) < 3 or len(solver.laws) < 2:
        solver.step()
    assert wide_shape(1) in solver.network_errors
    spread = float(split.test_targets.std(correction=0))
    errors = solver.network_errors
    said = verdict(solver.laws[-1], target="f", spread=spread, network_errors=errors, num_held_out=20)
    assert "looks like noise" in said or said.endswith("they cannot tell whether what is left is noise.")
    # the same law before they were asked
    (first, *_) = errors
    said = verdict(solver.laws[-1], target="f", spread=spread, network_errors={first: errors[first]}, num_held_out=20)
    assert said.startswith("The search ended before networks of several shapes could tell")


def test_the_ladder_asks_a_large_network_where_small_ones_are_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WEIGHED_AFTER", 1)
    solver = Solver(noisy_line("xy"), seed=0, divides_first=False, deadline=math.inf)
    while len(solver.network_errors) < 2:
        solver.step()
    assert list(solver.network_errors) == [((2, 1), ()), wide_shape(2)]


def test_the_same_seed_finds_the_same_laws() -> None:
    first, _ = solve("a*(1/b - 1)", divides_first=True, a=(1, 5), b=(1.5, 5))
    second, _ = solve("a*(1/b - 1)", divides_first=True, a=(1, 5), b=(1.5, 5))
    assert [law.test_rmse for law in first.laws] == [law.test_rmse for law in second.laws]
    assert torch.equal(first.laws[-1].network.layers[0].constants, second.laws[-1].network.layers[0].constants)


@pytest.mark.parametrize("rate", [40.0, 90.0])
def test_a_wave_that_turns_too_often_for_grids_is_found(rate: float) -> None:
    solver, data = solve(f"2*sin({rate}*x + 1) - 3", divides_first=False, x=(-1, 1))
    assert relative_error(solver, data) < 1e-9
    assert solver.laws[-1].complexity == 2
