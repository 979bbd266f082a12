"""Points: identical data for all contestants, the same numbers every time, failures with their reason."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kan_core import KAN, MLP, Dataset, Outcome, StepResult, Trainer, TrainingSpec
from kan_core.accuracy import measure_rmse
from kan_core.errors import DataError, SpecError
from kan_core.lab import (
    Budget,
    Contestant,
    LabPoint,
    LabProblem,
    LabSpec,
    PointResult,
    PointRun,
    Sweep,
    failed_result,
    lab_points,
    parse_spec,
    point_dataset,
    point_network,
    point_training,
    running,
)
from kan_core.lab.points import say_unreachable
from kan_core.lab.running import CUT_SHORT, MAX_CURVE
from kan_core.mlp_objective import MLPObjective
from kan_core.optimizers import levenberg_marquardt
from kan_core.optimizers.objective import NetworkObjective
from tests.kan_core.lab.specs_for_tests import CLASSES, race, run_all, sweep


def timeless(result: PointResult) -> PointResult:
    """Return a result without what depends on the machine."""
    return replace(result, seconds=0.0, curve=tuple((step, 0.0, error) for step, _, error in result.curve))


@pytest.mark.slow
@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 2**32 - 1), noise=st.floats(0.0, 1.0), name=st.sampled_from(["exp_sin", "moons", "j0"]))
def test_every_contestant_sees_identical_data(seed: int, noise: float, name: str) -> None:
    mlp = Contestant(name="MLP", model="mlp", hidden=(3,))
    spec = replace(
        race(), problems=(LabProblem(name=name),), seeds=(seed,), noise=0.0 if name == "moons" else noise,
        contestants=(Contestant(name="KAN"), Contestant(name="other", basis="fourier", optimizer="adam"), mlp),
    )  # fmt: skip
    make_trainer = running._make_trainer  # pyright: ignore[reportPrivateUsage]
    handed: list[Dataset] = []

    def noting(network: KAN | MLP, dataset: Dataset, training: TrainingSpec) -> object:
        handed.append(dataset)
        return make_trainer(network, dataset, training)

    learnt: list[Dataset] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "_make_trainer", noting)
        for point in lab_points(spec):
            PointRun(spec, point)
            # those before it are for compiling
            learnt.append(handed[-1])
    first, *others = learnt
    assert len(others) == 2
    for other in others:
        for field in ("train_inputs", "train_targets", "test_inputs", "test_targets"):
            assert torch.equal(getattr(first, field), getattr(other, field))


def test_seeds_and_numbers_of_samples_change_the_data() -> None:
    spec = replace(sweep(), num_train=1000, sweep=Sweep(variable="samples", values=(30, 40, 50)))
    few, many, other = (
        point_dataset(spec, LabPoint(problem="exp_sin", contestant="cubic", seed=seed, value=value))
        for seed, value in ((0, 30), (0, 50), (1, 30))
    )
    assert (len(few.train_inputs), len(many.train_inputs), len(few.test_inputs)) == (30, 50, 40)
    assert torch.equal(few.train_inputs, many.train_inputs[:30])
    assert not torch.equal(few.train_inputs, other.train_inputs)


@pytest.mark.slow
def test_the_same_spec_gives_the_same_numbers() -> None:
    first, second = run_all(race()), run_all(race())
    assert [timeless(one) for one in first] == [timeless(one) for one in second]
    assert [one.point for one in first] == list(lab_points(race()))
    assert {(one.steps, one.outcome) for one in first} == {(3, "ok")}
    assert all(PointResult.from_json(json.loads(json.dumps(one.to_json()))) == one for one in first)


@pytest.mark.slow
def test_a_point_is_what_its_parts_train_to() -> None:
    spec = race()
    point = LabPoint(problem="exp_sin", contestant="B-spline", seed=7)
    data = point_dataset(spec, point)
    network = point_network(spec, point, data)
    assert isinstance(network, KAN)
    trainer = Trainer(network, data, point_training(spec, point))
    expected = [trainer.step() for _ in range(3)][-1]
    run = PointRun(spec, point)
    assert (run.is_done, run.progress) == (False, 0.0)
    run.step()
    assert (run.is_done, run.progress) == (False, pytest.approx(1 / 3))
    run.step()
    run.step()
    assert (run.is_done, run.progress) == (True, 1.0)
    result = run.result
    assert (result.train_rmse, result.test_rmse) == (expected.train_rmse, expected.test_rmse)
    assert result.parameters == trainer.network.num_parameters
    assert [step for step, _, _ in result.curve] == [0, 1, 2, 3]
    assert result.curve[-1][1:] == (result.seconds, result.test_rmse)
    assert isinstance(PointRun(spec, replace(point, contestant="MLP")).network, MLP)


@pytest.mark.slow
def test_budgets_end_a_training() -> None:
    adam = (Contestant(name="KAN", optimizer="adam"), Contestant(name="MLP", model="mlp", optimizer="adam"))
    spec = replace(race(), budget=Budget(seconds=0.02), contestants=adam, seeds=(0,))
    for result in run_all(spec):
        assert result.outcome == "ok"
        assert result.seconds >= 0.02
        assert result.curve[-2][1] < 0.02
    own = Contestant(name="own", steps=5, optimizer="adam")
    spec = replace(race(), contestants=(own, replace(own, name="other", steps=None)), seeds=(0,))
    assert [one.steps for one in run_all(spec)] == [5, 3, 5, 3]


@pytest.mark.slow
def test_courses_are_thinned_and_keep_their_ends() -> None:
    adam = Contestant(name="one", optimizer="adam", steps=1100)
    spec = replace(race(), contestants=(adam,), problems=(LabProblem(name="j0"),), seeds=(0,))
    (result,) = run_all(spec)
    steps = [step for step, _, _ in result.curve]
    assert steps[0] == 0
    assert steps[-1] == 1100
    assert MAX_CURVE / 2 <= len(steps) <= MAX_CURVE
    assert len({later - earlier for earlier, later in pairwise(steps[:-1])}) == 1
    assert result.curve[-1][2] == result.test_rmse


def finished(spec: LabSpec) -> PointRun:
    """Return the run of a spec's first point, at its end."""
    run = PointRun(spec, lab_points(spec)[0])
    while not run.is_done:
        run.step()
    return run


def recipe_spec(*, steps: int, num_train: int) -> LabSpec:
    """Return the spec of one training by the recipe."""
    auto = Contestant(name="auto", hidden=(1,), optimizer="auto")
    return replace(race(), contestants=(auto,), seeds=(0,), budget=Budget(steps=steps), num_train=num_train)


@pytest.mark.slow
def test_a_recipe_that_is_cut_short_ends_with_its_best_network() -> None:
    errors: list[float] = []
    # 100 steps end in the middle of a start that has got nowhere yet
    for steps in (20, 40, 60, 100):
        spec = recipe_spec(steps=steps, num_train=1000)
        run = finished(spec)
        result, data = run.result, point_dataset(spec, run.point)
        assert isinstance(run.network, KAN)
        assert result.train_rmse is not None
        assert (result.steps, result.outcome, result.sentence) == (steps, "ok", CUT_SHORT)
        assert result.parameters == run.network.num_parameters
        assert result.train_rmse == measure_rmse(run.network, data.train_inputs, data.train_targets, data.task)
        assert result.test_rmse == measure_rmse(run.network, data.test_inputs, data.test_targets, data.task)
        assert result.curve[-1] == (steps, result.seconds, result.test_rmse)
        errors.append(result.train_rmse)
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.01


@pytest.mark.slow
def test_a_recipe_that_ends_by_itself_or_in_the_polish_is_as_it_stands() -> None:
    spec = recipe_spec(steps=5000, num_train=60)
    point = lab_points(spec)[0]
    data = point_dataset(spec, point)
    network = point_network(spec, point, data)
    assert isinstance(network, KAN)
    trainer = Trainer(network, data, point_training(spec, point))
    steps: list[StepResult] = []
    while not steps or steps[-1].outcome is Outcome.OK:
        steps.append(trainer.step())
    for budget in (5000, len(steps)):
        result = finished(recipe_spec(steps=budget, num_train=60)).result
        assert (result.steps, result.outcome, result.sentence) == (len(steps), "converged", steps[-1].sentence)
        assert (result.train_rmse, result.test_rmse) == (steps[-1].train_rmse, steps[-1].test_rmse)
    assert any(one.sentence.startswith("Final polish") for one in steps[:-1])
    polished = finished(recipe_spec(steps=len(steps) - 1, num_train=60)).result
    assert (polished.outcome, polished.sentence) == ("ok", CUT_SHORT)
    assert (polished.train_rmse, polished.test_rmse) == (steps[-2].train_rmse, steps[-2].test_rmse)


def test_a_minimum_ends_a_training_before_its_budget() -> None:
    spec = replace(race(), budget=Budget(steps=500), problems=(LabProblem(name="j0"),), seeds=(0,))
    spec = replace(spec, contestants=(Contestant(name="one", grid_size=3),))
    (result,) = run_all(spec)
    assert result.outcome == "converged"
    assert result.steps < 500


@pytest.mark.slow
def test_one_that_cannot_run_says_why_and_the_others_go_on() -> None:
    spec = parse_spec(CLASSES)
    points = {point.contestant: point for point in lab_points(spec)}
    with pytest.raises(DataError, match="outputs for classes are any real number") as refused:
        PointRun(spec, points["squeezed"])
    failed = failed_result(spec, points["squeezed"], str(refused.value))
    assert (failed.outcome, failed.test_rmse, failed.sentence) == ("failed", None, str(refused.value))
    # what others noted of it does not matter
    assert PointResult.from_json(failed.to_json() | {"provenance": None}) == failed
    assert all(not PointRun(spec, points[name]).is_done for name in ("KAN", "MLP"))


@pytest.mark.parametrize(
    ("parameters", "variable", "expected"), [(None, None, None), (300, None, (16,)), (None, "grid_size", (5, 10))]
)
def test_the_recipe_keeps_to_grids_that_are_asked_for(
    parameters: int | None, variable: str | None, expected: tuple[int, ...] | None
) -> None:
    spec = replace(
        race(),
        contestants=(Contestant(name="auto", optimizer="auto"),),
        budget=Budget(steps=9, parameters=parameters),
        sweep=None if variable is None else Sweep(variable=variable, values=(5, 10, 20)),
    )
    point = LabPoint(problem="exp_sin", contestant="auto", seed=3, value=None if variable is None else 10)
    assert point_training(spec, point).grids == expected


@pytest.mark.slow
def test_a_grid_that_the_recipe_would_not_reach_is_left_out_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(levenberg_marquardt, "MAX_PARAMETERS", 40)
    auto = Contestant(name="auto", hidden=(1,), optimizer="auto")
    spec = replace(
        race(), contestants=(auto,), budget=Budget(steps=500), sweep=Sweep(variable="grid_size", values=(3, 5, 10, 20))
    )
    ends: dict[int, int] = {}
    for size in (3, 5, 10, 20):
        point = LabPoint(problem="exp_sin", contestant="auto", seed=0, value=size)
        data = point_dataset(spec, point)
        network = point_network(spec, point, data)
        assert isinstance(network, KAN)
        trainer = Trainer(network, data, point_training(spec, point))
        while trainer.step().outcome is Outcome.OK:
            pass
        ends[size] = trainer.network.spec.grid_size
        assert bool(say_unreachable(spec, point)) == (size > 5)
    # and finer ones do not come from 3 intervals, on which it would not begin by itself
    assert ends == {3: 3, 5: 5, 10: 5, 20: 5}
    assert [point_training(spec, one).grids for one in lab_points(spec)[:4]] == [(3,), (5,), (5, 10), (5, 10, 20)]
    with pytest.raises(SpecError, match=r"^With 20 intervals there are 72 parameters, .* which is another point\.$"):
        PointRun(spec, LabPoint(problem="exp_sin", contestant="auto", seed=0, value=20))
    # one that never begins with such steps goes on by others
    monkeypatch.setattr(levenberg_marquardt, "MAX_PARAMETERS", 10)
    assert not say_unreachable(spec, LabPoint(problem="exp_sin", contestant="auto", seed=0, value=20))


@pytest.mark.parametrize(("name", "objective"), [("MLP", MLPObjective), ("B-spline", NetworkObjective)])
def test_measuring_errors_takes_none_of_the_time_of_training(
    name: str, objective: type[MLPObjective | NetworkObjective], monkeypatch: pytest.MonkeyPatch
) -> None:
    measure = objective.rmse

    def measure_slowly(self: Any) -> tuple[float, float]:
        until = time.process_time() + 0.2
        while time.process_time() < until:
            pass
        return measure(self)

    monkeypatch.setattr(objective, "rmse", measure_slowly)
    spec = race()
    run = PointRun(spec, LabPoint(problem="exp_sin", contestant=name, seed=0))
    while not run.is_done:
        run.step()
    assert run.result.steps == 3
    assert run.result.seconds < 0.3
