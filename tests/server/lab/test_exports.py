"""What a run is exported as, and what people read of it on the command line."""

from __future__ import annotations

import csv
import io
import json

import pytest

from server.lab.exports import results_csv, results_json
from server.lab.messages import LabFit
from server.lab.tables import failure_lines, fit_rows, point_rows
from server.lab.wording import describe_plan, say_duration
from tests.server.lab.fakes import MADE, MAKER, make_plan, make_result

PLAN = make_plan()
FAILED = {"outcome": "failed", "test_rmse": None, "train_rmse": None, "parameters": 0, "seconds": 0.0}
RESULTS = [
    make_result(PLAN.points[0]),
    make_result(PLAN.points[1], test_rmse=0.75, seconds=4.0),
    make_result(PLAN.points[2], sentence='No, "never", it said.', **FAILED),
]
READ = [json.loads(result) for result in RESULTS]
FIT = LabFit(
    problem="j0", contestant="B-spline", variable="grid_size", exponent=4.0, low=3.8, high=4.2, sentence="It holds."
)


def test_the_csv_has_a_line_for_each_point_that_reads_back() -> None:
    rows = list(csv.DictReader(io.StringIO(results_csv("run", PLAN, RESULTS))))
    assert [row["test_rmse"] for row in rows] == ["0.5", "0.75", ""]
    assert rows[2]["sentence"] == 'No, "never", it said.'
    # nothing is swept in a race
    assert "value" not in rows[0]


def test_the_csv_names_what_is_swept() -> None:
    plan = make_plan(kind="scaling")
    head = results_csv("run", plan, [make_result(PLAN.points[0], value=5)]).splitlines()
    assert head[0].split(",")[:4] == ["problem", "contestant", "seed", "grid_size"]
    assert head[1].split(",")[:4] == ["j0", "B-spline", "0", "5"]


def test_the_csv_says_of_which_run_and_spec_a_result_is_and_what_computed_it_when() -> None:
    rows = list(
        csv.DictReader(io.StringIO(results_csv("-run", PLAN, [make_result(PLAN.points[0], **MADE), RESULTS[1]])))
    )
    assert [row["run"] for row in rows] == ["'-run", "'-run"]
    assert [row["spec"] for row in rows] == [PLAN.digest] * 2
    assert [row["computed"] for row in rows] == ["2027-01-02T03:04:05+00:00", ""]
    assert [row["computed_by"] for row in rows] == [MAKER, ""]


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_no_text_of_the_csv_is_a_formula_in_a_spreadsheet(start: str) -> None:
    name = f"{start}1+cmd|' /C calc'!A0"
    text = results_csv("run", PLAN, [make_result(PLAN.points[0], contestant=name, sentence=name, train_rmse=-0.5)])
    row = next(csv.DictReader(io.StringIO(text)))
    assert (row["contestant"], row["sentence"]) == (f"'{name}", f"'{name}")
    # numbers stay numbers
    assert (row["train_rmse"], row["test_rmse"]) == ("-0.5", "0.5")


def test_the_json_holds_what_was_asked_and_all_that_came_out() -> None:
    whole = json.loads(results_json("run", PLAN, RESULTS, [FIT]))
    assert (whole["run_id"], whole["digest"], whole["toml"], whole["points"]) == ("run", PLAN.digest, PLAN.toml, READ)
    assert whole["fits"] == [FIT.model_dump()]


def test_people_read_medians_and_ranges_over_seeds() -> None:
    assert point_rows(PLAN, READ) == [
        ["problem", "contestant", "parameters", "test RMSE", "range", "seconds"],
        ["j0", "B-spline", "9", "0.75", "0.5 to 0.75, 1 of 3 without", "3.00"],
    ]
    nothing = [["j0", "B-spline", "–", "–", "1 of 1 without", "–"]]
    assert point_rows(PLAN, READ[2:])[1:] == nothing


def test_people_read_where_trainings_failed_and_what_the_first_says() -> None:
    plan = PLAN.model_copy(update={"contestants": ["B-spline", "MLP"]})
    failures = [
        make_result(point, contestant=contestant, sentence=sentence, **FAILED)
        for point, contestant, sentence in (
            (PLAN.points[0], "MLP", "No."),
            (PLAN.points[1], "B-spline", "Neither."),
            (PLAN.points[2], "B-spline", "Nor here."),
        )
    ]
    read = [*READ[:2], *(json.loads(failure) for failure in failures)]
    lines = ["j0, B-spline (2 seeds): Neither.", "j0, MLP (1 seed): No."]
    assert failure_lines(plan, read) == lines
    assert failure_lines(plan, READ[:2]) == []
    swept = plan.model_copy(update={"variable": "grid_size"})
    assert failure_lines(swept, read[:3]) == ["j0, MLP (1 point): No."]


def test_people_read_the_law_or_why_there_is_none() -> None:
    none = FIT.model_copy(update={"exponent": None, "low": None, "high": None, "sentence": "Too few values."})
    assert fit_rows([FIT, none])[1:] == [
        ["j0", "B-spline", "4.00", "3.80 to 4.20", "It holds."],
        ["j0", "B-spline", "–", "–", "Too few values."],
    ]


def test_a_spec_says_how_many_points_it_has_and_how_long_they_take() -> None:
    plan = make_plan(4, kind="scaling")
    values = [point.model_copy(update={"value": 5 + k}) for k, point in enumerate(plan.points)]
    check = describe_plan(plan.model_copy(update={"points": values, "expected_seconds": 480.0}), num_processes=2)
    sentence = "4 points (1 contestant × 1 problem × 4 seeds × 4 values): about 4 minutes on 2 processes."
    assert (check.ok, check.sentence, check.num_points, check.expected_seconds) == (True, sentence, 4, 240.0)
    assert (check.takes, check.is_long) == ("about 4 minutes on 2 processes", False)
    for seconds, is_long in ((7200.0, False), (7300.0, True)):
        plan = plan.model_copy(update={"expected_seconds": seconds})
        assert describe_plan(plan, num_processes=2).is_long is is_long
    alone = describe_plan(make_plan(1), num_processes=8)
    assert alone.sentence == "1 point (1 contestant × 1 problem × 1 seed): a few seconds on 1 process."


def test_a_budget_of_seconds_is_said_to_depend_on_the_machine() -> None:
    assert describe_plan(make_plan(1).model_copy(update={"depends_on_speed": True}), num_processes=1).sentence == (
        "1 point (1 contestant × 1 problem × 1 seed): a few seconds on 1 process. What a budget of seconds comes to "
        "depends on how fast the machine is: budgets of steps give the same again."
    )


def test_durations_are_said_roughly() -> None:
    said = [say_duration(seconds) for seconds in (1.0, 44.0, 100.0, 5000.0, 8000.0, 7.2e6)]
    assert said[:3] == ["a few seconds", "about 40 seconds", "about 2 minutes"]
    assert said[3:] == ["about 83 minutes", "about 2 hours", "about 83 days"]
