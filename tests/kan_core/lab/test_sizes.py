"""Budgets of parameters are met, by the grid before the widths unless the grid is stated, or refused."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kan_core import KAN, MLP
from kan_core.bases import BASES
from kan_core.errors import SpecError
from kan_core.lab import Budget, Contestant, LabProblem, Sweep, count_parameters
from kan_core.lab.sizes import Shape, network_shape
from kan_core.mlp import MLPSpec
from kan_core.network import NetworkSpec

PROBLEM = LabProblem(name="exp_sin")


def shape_of(contestant: Contestant, parameters: int | None = None, *, problem: LabProblem = PROBLEM) -> Shape:
    return network_shape(problem, contestant, Budget(steps=1, parameters=parameters))


def true_count(shape: Shape) -> int:
    """Return how many numbers the network itself has to learn."""
    if isinstance(shape, MLPSpec):
        return sum(parameter.numel() for parameter in MLP(shape).parameters())
    return KAN(shape, generator=torch.Generator().manual_seed(0)).num_parameters


@pytest.mark.slow
@settings(deadline=None, max_examples=25)
@given(
    family=st.sampled_from(list(BASES)),
    wanted=st.integers(150, 1000),
    base=st.sampled_from(["silu", "none"]),
    grid_size=st.none() | st.integers(3, 9),
)
def test_kans_of_every_family_meet_a_budget(family: str, wanted: int, base: str, grid_size: int | None) -> None:
    contestant = Contestant(name="one", basis=family, base=base, grid_size=grid_size)
    shape = shape_of(contestant, wanted)
    assert abs(true_count(shape) - wanted) <= 0.05 * wanted
    assert true_count(shape) == count_parameters(shape)


@pytest.mark.parametrize("name", ["j0", "additive_4", "nested_4", "moons"])
@pytest.mark.parametrize("wanted", [200, 777])
def test_splines_meet_a_budget_on_problems_of_every_shape(name: str, wanted: int) -> None:
    problem = LabProblem(name=name)
    shape = shape_of(Contestant(name="one"), wanted, problem=problem)
    assert abs(true_count(shape) - wanted) <= 0.05 * wanted
    assert shape.widths[1:-1] == problem.suggested


@pytest.mark.slow
@settings(deadline=None, max_examples=25)
@given(
    hidden=st.sampled_from([(8,), (8, 8), (16, 8), (4, 4, 4)]),
    name=st.sampled_from(["exp_sin", "j0", "nested_4"]),
    wanted=st.integers(100, 3000),
)
def test_mlps_meet_a_budget(hidden: tuple[int, ...], name: str, wanted: int) -> None:
    contestant = Contestant(name="one", model="mlp", hidden=hidden)
    shape = shape_of(contestant, wanted, problem=LabProblem(name=name))
    assert abs(true_count(shape) - wanted) <= 0.05 * wanted
    assert len(shape.widths) == len(hidden) + 2


def test_the_grid_grows_before_the_widths_unless_it_is_stated() -> None:
    free, stated = shape_of(Contestant(name="one"), 300), shape_of(Contestant(name="one", grid_size=4), 300)
    assert isinstance(free, NetworkSpec)
    assert isinstance(stated, NetworkSpec)
    assert (free.widths, free.grid_size) == ((2, 5, 1), 16)
    assert (stated.widths, stated.grid_size) == ((2, 12, 1), 4)


def test_where_nothing_is_asked_shapes_are_as_stated_or_suggested() -> None:
    assert shape_of(Contestant(name="one")) == NetworkSpec(widths=(2, 5, 1))
    assert shape_of(Contestant(name="one", hidden=(3, 2), grid_size=7)) == NetworkSpec(widths=(2, 3, 2, 1), grid_size=7)
    mlp = Contestant(name="one", model="mlp")
    assert shape_of(mlp, problem=LabProblem(name="additive_4")) == MLPSpec(widths=(4, 5, 1))
    assert shape_of(mlp, problem=LabProblem(name="exp_sin", hidden=(7,))) == MLPSpec(widths=(2, 7, 1))


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("width", 9, NetworkSpec(widths=(2, 9, 9, 1))),
        ("depth", 3, NetworkSpec(widths=(2, 4, 4, 4, 1))),
        ("grid_size", 9, NetworkSpec(widths=(2, 4, 3, 1), grid_size=9)),
        ("samples", 90, NetworkSpec(widths=(2, 4, 3, 1))),
    ],
)
def test_a_sweep_changes_what_it_names(variable: str, value: int, expected: NetworkSpec) -> None:
    sweep = Sweep(variable=variable, values=(value, value + 1, value + 2))
    shape = network_shape(PROBLEM, Contestant(name="one", hidden=(4, 3)), Budget(steps=1), sweep, value)
    assert shape == expected


@pytest.mark.parametrize(
    ("contestant", "wanted", "message"),
    [
        (Contestant(name="one"), 7, "no network of this kind has 7 parameters within 5%, the smallest has more"),
        (Contestant(name="one", model="mlp", hidden=()), 500, "has 500 parameters within 5%, the nearest has 3"),
    ],
)
def test_budgets_that_nothing_meets_are_refused(contestant: Contestant, wanted: int, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        shape_of(contestant, wanted)


def test_networks_beyond_all_measure_are_refused() -> None:
    with pytest.raises(SpecError, match="a network of the lab has at most 1,000,000 parameters, received"):
        shape_of(Contestant(name="one", hidden=(1000, 1000)))
