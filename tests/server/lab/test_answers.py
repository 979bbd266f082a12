"""Questions about specs, as the process that has loaded the core answers them."""

from __future__ import annotations

import json
import math
from importlib.metadata import version
from typing import Any

import pytest
import torch

from kan_core.lab import LabPoint, PointRun, costs, count_parameters, lab_points, parse_spec, point_dataset, point_shape
from kan_core.lab.machine import PROBE_SECONDS, Machine
from server.lab.answers import answer
from server.lab.computing import begin_point, plan_points, result_json
from server.lab.jobs import Job, JobProgress
from server.lab.opening import session_of
from server.lab.questions import (
    FiguresQuestion,
    FitsQuestion,
    PlanQuestion,
    Question,
    ReadyQuestion,
    ReportQuestion,
    SessionQuestion,
)
from server.messages import NetworkSettings, PerceptronSettings, Step
from server.rest import SessionRequest
from server.session import Session
from server.session_data import build_data
from tests.server.lab.examples import FAILING, LONG, RACE, SWEEP

_MLP_RACE = """
title = "Perceptrons"
problems = ["exp_sin"]
seeds = [3]
num_train = 50
num_test = 20

[budget]
steps = 3

[[contestants]]
name = "MLP"
model = "mlp"
hidden = [4, 3]
activation = ACTIVATION
output_tanh = true
"""


def _ask(question: Question) -> dict[str, Any]:
    return json.loads(answer(question.model_dump_json().encode()))


def _compute(toml: str, place: int) -> str:
    point = plan_points(parse_spec(toml))[place]
    computation = begin_point(Job(run_id="run", toml=toml, point=point))
    while not computation.is_done:
        computation.step()
    return computation.result()


def test_a_plan_names_all_points_with_what_they_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(probe=lambda: PROBE_SECONDS)
    monkeypatch.setattr(costs, "this_machine", lambda: machine)
    plan = _ask(PlanQuestion(toml=SWEEP))["value"]
    spec = parse_spec(SWEEP)
    assert [point["key"] for point in plan["points"]] == [point.key for point in lab_points(spec)]
    assert (plan["digest"], plan["kind"], plan["variable"]) == (spec.digest, "scaling", "grid_size")
    assert plan["titles"] == {problem.name: problem.title for problem in spec.problems}
    assert plan["expected_seconds"] == pytest.approx(sum(point["expected_seconds"] for point in plan["points"]))
    # the canonical form means the same
    assert _ask(PlanQuestion(toml=plan["toml"]))["value"] == plan


def test_a_plan_of_one_problem_is_of_another_spec() -> None:
    whole, part = (_ask(PlanQuestion(toml=RACE, only=only))["value"] for only in (None, "j0"))
    assert (part["problems"], len(part["points"])) == (["j0"], len(whole["points"]) // 2)
    assert part["digest"] != whole["digest"]
    assert "received" in _ask(PlanQuestion(toml=RACE, only="none"))["sentence"]


@pytest.mark.parametrize(
    ("toml", "part"),
    [
        ("titel = 3", "'titel': did you mean title?"),
        ("title = ", "A spec is TOML"),
        (RACE.replace("steps = 3", "steps = 3\nseconds = 1.0"), "has either steps or seconds"),
        (SWEEP.replace("values = [2, 3, 4, 5]", "values = []"), "A sweep has values, received none"),
        (RACE.replace("seeds = [0, 1]", f"seeds = {list(range(2000))}"), "at most 5,000 points, received 8,000"),
    ],
)
def test_a_spec_that_cannot_be_is_refused_in_one_sentence(toml: str, part: str) -> None:
    sentence = _ask(PlanQuestion(toml=toml))["sentence"]
    assert part in sentence
    assert sentence[0].isupper()
    assert sentence[-1] in ".?"
    assert "\n" not in sentence


def test_ready_specs_are_plans_by_their_names() -> None:
    ready = _ask(ReadyQuestion())["value"]["specs"]
    assert [one["name"] for one in ready] == ["which-basis", "kan-or-mlp", "how-they-scale"]
    for one in ready:
        by_name, by_text = (_ask(PlanQuestion(toml=toml))["value"] for toml in (one["name"], one["toml"]))
        assert by_name["title"] == one["title"]
        assert by_name["digest"] == by_text["digest"]


def test_a_point_is_computed_as_the_core_computes_it() -> None:
    spec = parse_spec(RACE)
    point = lab_points(spec)[1]
    run = PointRun(spec, point)
    while not run.is_done:
        run.step()
    expected, result = result_json(run.result), json.loads(_compute(RACE, 1))
    assert result.pop("provenance")["kanoscope"] == version("kanoscope")
    for one in (expected, result):
        del one["seconds"]
        one["curve"] = [(step, error) for step, _, error in one["curve"]]
    assert result == expected


def test_a_point_that_cannot_run_says_why() -> None:
    result = json.loads(_compute(FAILING, 0))
    assert (result["problem"], result["outcome"], result["test_rmse"]) == ("bad", "failed", None)
    assert "no finite real value" in result["sentence"]
    spec = parse_spec(FAILING)
    assert result["parameters"] == count_parameters(point_shape(spec, lab_points(spec)[0])) > 0


def test_a_point_that_is_not_of_the_spec_says_so() -> None:
    point = plan_points(parse_spec(RACE))[0].model_copy(update={"key": "other"})
    computation = begin_point(Job(run_id="run", toml=RACE, point=point))
    assert computation.is_done
    assert json.loads(computation.result())["outcome"] == "failed"


def test_progress_is_that_of_the_training() -> None:
    point = plan_points(parse_spec(LONG))[0]
    computation = begin_point(Job(run_id="run", toml=LONG, point=point))
    computation.step()
    computation.step()
    progress = computation.progress()
    assert isinstance(progress, JobProgress)
    assert progress.step == 2
    assert 0.0 < progress.progress < 0.01
    assert not computation.is_done


BEND = """
[[problems]]
name = "bend"
expression = "sin(3*x)"
ranges = { x = [-1, 1] }
"""


@pytest.mark.slow
def test_results_have_figures_a_report_and_of_a_sweep_laws() -> None:
    toml = (
        SWEEP.replace('problems = ["j0"]', "")
        .replace("[budget]", f"{BEND}\n[budget]")
        .replace("[2, 3, 4, 5]", "[4, 6, 9, 14]")
    )
    results = [_compute(toml, place) for place in range(12)]
    (fit,) = _ask(FitsQuestion(toml=toml, results=results))["value"]
    assert (fit["problem"], fit["contestant"], fit["variable"]) == ("bend", "B-spline", "grid_size")
    assert fit["sentence"].startswith("The error falls as G")
    # what a page draws a law by
    assert fit["first"] < fit["last"]
    assert fit["low"] < fit["exponent"] < fit["high"]
    assert fit["theory"] == 4.0
    assert math.isfinite(fit["intercept"])
    figures = _ask(FiguresQuestion(toml=toml, results=results))["value"]
    assert "scaling" in figures
    assert figures["scaling"]["data"]
    report = _ask(ReportQuestion(run_id="run-1", toml=toml, results=results))["value"]
    assert report.lstrip().lower().startswith("<!doctype html>")
    assert parse_spec(toml).digest in report
    assert "Run run-1." in report
    assert f"12 points computed by Kanoscope {version('kanoscope')} on " in report


@pytest.mark.slow
def test_sizes_that_settle_no_law_have_a_sentence_alone() -> None:
    # of J0(20x) five intervals see nothing
    results = [_compute(SWEEP, place) for place in range(12)]
    (fit,) = _ask(FitsQuestion(toml=SWEEP, results=results))["value"]
    assert (fit["exponent"], fit["low"], fit["first"]) == (None, None, None)
    assert fit["sentence"].startswith("No law can be told")
    report = _ask(ReportQuestion(run_id="run-2", toml=SWEEP, results=results))["value"]
    assert "No law can be told" in report


@pytest.mark.slow
def test_a_race_has_figures_from_its_first_point_on() -> None:
    for results in ([], [_compute(RACE, 0)]):
        figures = _ask(FiguresQuestion(toml=RACE, results=results))["value"]
        assert {"error_by_parameters", "error_by_seconds", "curves"} <= set(figures)
        assert _ask(FitsQuestion(toml=RACE, results=results))["value"] == []


def _point(toml: str, place: int = 0) -> tuple[Any, LabPoint]:
    spec = parse_spec(toml)
    return spec, lab_points(spec)[place]


@pytest.mark.parametrize(
    "sizes",
    [
        "num_train = 40\nnum_test = 20\nnoise = 0.5",
        "num_train = 1000\nnum_test = 1000\nnoise = 0.0",
        "num_train = 1000\nnum_test = 1000\nnoise = 0.1",
    ],
)
@pytest.mark.parametrize("problem", ["exp_sin", "moons", "additive_100"])
def test_an_opened_point_learns_from_the_samples_of_the_point(sizes: str, problem: str) -> None:
    if problem == "moons":
        sizes = sizes.partition("\nnoise")[0]
    spec, point = _point(RACE.replace("num_train = 40\nnum_test = 20", sizes).replace("exp_sin", problem), 5)
    assert point.problem == problem
    request = session_of(spec, point)
    assert request.data is not None
    opened = build_data(request.data, {}, seed=request.seed).dataset
    expected = point_dataset(spec, point)
    assert torch.equal(opened.train_inputs, expected.train_inputs)
    assert torch.equal(opened.train_targets, expected.train_targets)
    assert torch.equal(opened.test_targets, expected.test_targets)


def test_an_opened_point_has_the_network_and_training_of_the_point() -> None:
    spec, point = _point(SWEEP, 1)
    request = SessionRequest.model_validate(_ask(SessionQuestion(toml=SWEEP, key=point.key))["value"])
    assert request == session_of(spec, point)
    assert isinstance(request.network, NetworkSettings)
    assert (request.network.widths, request.network.grid_size) == ([1, 1], 3)
    assert request.training is not None
    assert (request.training.optimizer, request.training.l1, request.training.entropy) == ("lm", 0.0, 0.0)
    assert request.seed == point.seed


@pytest.mark.parametrize("activation", ['"gelu"', '["relu", "tanh"]'])
def test_an_opened_point_of_an_mlp_begins_as_the_point_does(activation: str) -> None:
    toml = _MLP_RACE.replace("ACTIVATION", activation)
    spec, point = _point(toml)
    request = SessionRequest.model_validate(_ask(SessionQuestion(toml=toml, key=point.key))["value"])
    assert isinstance(request.network, PerceptronSettings)
    session = Session.create(
        "s", request.data, request.network, request.training, request.seed, data_seed=request.data_seed
    )
    run = PointRun(spec, point)
    begun, expected = session.network.state_dict(), run.network.state_dict()
    assert list(begun) == list(expected)
    assert all(torch.equal(begun[name], tensor) for name, tensor in expected.items())
    run.step()
    session.act(Step(count=1))
    session.advance(math.inf, 0.0)
    assert session.losses.points[-1].test == run.result.test_rmse


@pytest.mark.slow
@pytest.mark.parametrize(("place", "grids"), [(1, [5, 8]), (2, [5, 8, 20])])
def test_an_opened_point_of_the_recipe_goes_through_the_same_grids_to_the_same_end(
    place: int, grids: list[int]
) -> None:
    toml = SWEEP.replace("hidden = []", 'hidden = []\noptimizer = "auto"')
    toml = toml.replace("[2, 3, 4, 5]", "[5, 8, 20]").replace("steps = 3", "steps = 1000")
    spec, point = _point(toml, place)
    request = SessionRequest.model_validate(_ask(SessionQuestion(toml=toml, key=point.key))["value"])
    assert request.training is not None
    assert request.training.grids == grids
    session = Session.create("s", request.data, request.network, request.training, request.seed)
    session.act(Step(count=1000))
    session.advance(math.inf, 0.0)
    run = PointRun(spec, point)
    while not run.is_done:
        run.step()
    assert session.status.state == run.result.outcome == "converged"
    assert session.status.sentence == run.result.sentence
    assert (session.num_steps, session.losses.points[-1].test) == (run.result.steps, run.result.test_rmse)


def test_a_point_that_no_session_can_hold_says_why() -> None:
    toml = SWEEP.replace("num_train = 60", "num_train = 60000")
    sentence = _ask(SessionQuestion(toml=toml, key=_point(toml)[1].key))["sentence"]
    assert sentence.startswith("No live session can hold this point (data.catalogue.num_train is less than 50000")
    assert "has no point 'none'" in _ask(SessionQuestion(toml=SWEEP, key="none"))["sentence"]


def test_an_answer_that_is_a_mistake_of_ours_is_told_without_it() -> None:
    broken = FitsQuestion(toml=SWEEP, results=['{"nothing": 1}'])
    assert _ask(broken) == {"sentence": "Something unexpected went wrong here: look at the server's log."}
