"""Two runs side by side."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from server.lab.comparing import compare_runs, spec_differences
from server.lab.messages import LabComparedSide, LabKind
from server.lab.plan import LabPlan
from server.lab.store import StoredRun
from server.lab.tables import place_rows
from tests.server.lab.examples import RACE, SWEEP
from tests.server.lab.fakes import MADE, MAKER, make_plan, make_result


def _stored(run_id: str, toml: str = RACE, *, kind: LabKind = "race", plan: LabPlan | None = None) -> StoredRun:
    made = make_plan(2, kind=kind) if plan is None else plan
    return StoredRun(
        run_id=run_id,
        edit_key="key",
        digest=made.digest,
        created=7.0,
        state="done",
        origin="page",
        is_carried=False,
        plan=made.model_copy(update={"toml": toml}),
    )


def _results(plan: LabPlan, *errors: float | None, **values: object) -> list[str]:
    return [
        make_result(point, test_rmse=error, outcome="failed" if error is None else "ok", **values)
        for point, error in zip(plan.points, errors, strict=False)
    ]


def test_places_are_matched_with_medians_and_their_ratio() -> None:
    plan = make_plan(3)
    one, other = _stored("one", plan=plan), _stored("other", plan=plan)
    first = _results(one.plan, 0.25, 0.5, 0.75, **MADE)
    second = _results(other.plan, 0.25, 0.125, None, parameters=12, seconds=4.0, **MADE)
    found = compare_runs(one, first, other, second)
    assert (found.first.run_id, found.first.num_done, found.second.num_points) == ("one", 3, 3)
    assert (found.sentence, found.differences) == ("Both ran the same spec.", [])
    assert found.seconds_compare == "Both were computed by the same versions on the same kind of machine."
    time = "2027-01-02 03:04 UTC"
    assert found.makers == [f"The {name}: 3 points computed by {MAKER}, {time}." for name in ("first", "second")]
    [place] = found.places
    assert (place.problem, place.contestant, place.value, place.ratio) == ("j0", "B-spline", None, 0.5)
    assert place.first == LabComparedSide(num_done=3, test_rmse=0.5, parameters=9.0, seconds=2.0)
    assert place.second == LabComparedSide(num_done=3, test_rmse=0.25, parameters=12.0, seconds=4.0)
    assert place_rows(found)[1] == ["j0", "B-spline", "0.5", "0.25", "0.5", "9 / 12", "2.00", "4.00"]


@pytest.mark.parametrize(
    ("first", "second", "ratio"), [(None, 0.5, None), (0.5, None, None), (0.0, 0.5, None), (0.5, 0.0, 0.0)]
)
def test_there_is_no_ratio_to_no_error(first: float | None, second: float | None, ratio: float | None) -> None:
    plan = make_plan(1)
    one = _stored("one", plan=plan)
    [place] = compare_runs(one, _results(plan, first), one, _results(plan, second)).places
    assert place.ratio == ratio
    assert place_rows(compare_runs(one, _results(plan, None), one, _results(plan, 0.5)))[1][2:5] == ["–", "0.5", "–"]


def test_only_what_both_have_finished_is_set_side_by_side() -> None:
    race, sweep = _stored("race"), _stored("sweep", SWEEP, kind="scaling")
    results = _results(race.plan, 0.5)
    nothing = compare_runs(race, results, race, [])
    assert (nothing.places, nothing.sentence) == (
        [],
        "Both ran the same spec; they have no finished points in common.",
    )
    # points of different sweeps are not the same though their values may be
    assert compare_runs(race, results, sweep, results).places == []


def test_times_of_different_machines_and_of_unknown_ones_are_told_not_to_compare() -> None:
    plan = make_plan(1)
    one = _stored("one", plan=plan)
    other: dict[str, Any] = {"provenance": MADE["provenance"] | {"cores": 3}}
    here, elsewhere, unknown = (_results(plan, 0.5, **made) for made in (MADE, other, {}))
    assert "different machines or by different versions" in compare_runs(one, here, one, elsewhere).seconds_compare
    assert "is not known" in compare_runs(one, here, one, unknown).seconds_compare


def test_what_differs_between_specs_is_told_in_sentences() -> None:
    first = tomllib.loads(RACE)
    changed = (
        RACE.replace("num_train = 40", "num_train = 50\nnoise = 0.1")
        .replace('"j0"', '"product"')
        .replace("steps = 3", "seconds = 1.5")
        .replace('name = "Chebyshev"\n', 'name = "Chebyshev"\norder = 5\n')
        .replace('name = "B-spline"', 'name = "Spline"')
    )
    assert spec_differences(first, tomllib.loads(changed)) == [
        "num_train is 40 in the first and 50 in the second.",
        "budget.steps is 3 in the first and not set in the second.",
        "noise is not set in the first and 0.1 in the second.",
        "budget.seconds is not set in the first and 1.5 in the second.",
        'Only the first has the problem "j0".',
        'Only the second has the problem "product".',
        'Only the first has the contestant "B-spline".',
        'Only the second has the contestant "Spline".',
        'contestant "Chebyshev": order is not set in the first and 5 in the second.',
    ]
    assert spec_differences(first, first) == []
    assert (
        "Their specs differ in 1 thing;"
        in compare_runs(_stored("one"), [], _stored("two", RACE.replace("[0, 1]", "[0, 2]")), []).sentence
    )
