"""The specs that come along are whole, fair and short enough."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, product

import pytest

from kan_core.bases import BASES
from kan_core.errors import SpecError
from kan_core.lab import (
    READY,
    Budget,
    LabPoint,
    Sweep,
    count_parameters,
    estimate_seconds,
    lab_points,
    parse_spec,
    point_dataset,
    point_shape,
    ready_spec,
)
from kan_core.lab.points import say_unreachable
from kan_core.mlp import MLPSpec
from tests.kan_core.lab.specs_for_tests import race, sweep


@pytest.mark.parametrize("name", READY)
def test_ready_specs_are_read_and_their_data_drawn(name: str) -> None:
    spec = ready_spec(name)
    assert parse_spec(spec.to_toml()) == spec
    assert spec.question
    first = {point.problem: point for point in lab_points(spec)}
    assert len(first) == len(spec.problems)
    for point in first.values():
        assert len(point_dataset(spec, point).train_inputs) == spec.num_train


def test_every_family_has_as_many_parameters() -> None:
    spec = ready_spec("which-basis")
    assert (len(spec.contestants), len(spec.problems)) == (16, 8)
    for size in (8, 22):
        mine = [one for one in spec.contestants if one.name.endswith(f", {size}")]
        assert {one.basis for one in mine} == set(BASES)
        for problem in spec.problems:
            points = [LabPoint(problem=problem.name, contestant=one.name, seed=0) for one in mine]
            widths = point_shape(spec, points[0]).widths
            num_edges = sum(left * right for left, right in pairwise(widths))
            assert {count_parameters(point_shape(spec, point)) for point in points} == {size * num_edges}


def test_kan_and_mlp_have_as_many_parameters_and_every_activation_takes_part() -> None:
    spec = ready_spec("kan-or-mlp")
    shapes = [point_shape(spec, point) for point in lab_points(spec)]
    wanted = spec.budget.parameters
    assert wanted is not None
    assert all(abs(count_parameters(shape) - wanted) <= 0.05 * wanted for shape in shapes)
    used = {name for shape in shapes if isinstance(shape, MLPSpec) for name in shape.activations}
    assert used == {"relu", "leaky_relu", "gelu", "silu", "tanh", "sigmoid"}


def test_how_they_scale_asks_for_the_five_toy_functions() -> None:
    spec = ready_spec("how-they-scale")
    assert {one.name for one in spec.problems} == {"j0", "exp_sin", "product", "additive_100", "nested_4"}
    assert spec.num_train == 3000
    exp_sin = next(point for point in lab_points(spec) if point.problem == "exp_sin")
    assert point_shape(spec, exp_sin).widths == (2, 1, 1)
    reachable = [point for point in lab_points(spec) if point.seed == 0 and not say_unreachable(spec, point)]
    # a law takes three sizes
    assert all(sum(point.problem == one.name for point in reachable) >= 3 for one in spec.problems)


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(SpecError, match="the name of a ready spec is one of which-basis, kan-or-mlp, how-they-scale"):
        ready_spec("why")


def test_what_a_spec_may_take_grows_with_what_it_asks() -> None:
    spec = race()
    seconds = estimate_seconds(spec)
    assert 0 < seconds < 60
    longer = (
        replace(spec, budget=Budget(steps=30)),
        replace(spec, seeds=(1, 2, 3)),
        replace(spec, num_train=1000),
        replace(sweep(), sweep=Sweep(variable="width", values=(5, 10, 20))),
    )
    for one, base in zip(longer, (spec, spec, spec, sweep()), strict=True):
        assert estimate_seconds(one) > estimate_seconds(base)


def test_a_budget_of_seconds_says_itself_what_it_takes() -> None:
    spec = replace(race(), budget=Budget(seconds=2.0))
    assert estimate_seconds(spec) == pytest.approx(2.0 * spec.num_points, rel=0.01)


@pytest.mark.parametrize(("optimizer", "basis"), list(product(["adam", "lbfgs", "lm", "auto"], ["bspline", "fourier"])))
def test_every_kind_of_training_has_an_estimate(optimizer: str, basis: str) -> None:
    one = replace(race().contestants[0], optimizer=optimizer, basis=basis)
    spec = replace(race(), contestants=(one,))
    assert 0 < estimate_seconds(spec) < 1000
