"""Results as rows of texts, for people: medians over seeds with their ranges."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median
from typing import Any

from server.lab.messages import LabComparison, LabFit
from server.lab.plan import LabPlan
from server.lab.wording import say_count

# a problem, a contestant and a value of what is swept
Place = tuple[str, str, int | None]


def point_rows(plan: LabPlan, results: Sequence[dict[str, Any]]) -> list[list[str]]:
    """Return a row for each problem, contestant and value, under a row of titles."""
    swept = [] if plan.variable is None else [plan.variable]
    rows = [["problem", "contestant", *swept, "parameters", "test RMSE", "range", "seconds"]]
    for (problem, contestant, value), group in group_results(plan, results).items():
        errors = _errors(group)
        test_rmse, parameters, seconds = medians(group)
        rows.append(
            [
                problem,
                contestant,
                *([] if plan.variable is None else [str(value)]),
                write_number(parameters, ".0f"),
                write_number(test_rmse, ".3g"),
                _range(errors, len(group)),
                write_number(seconds, ".2f"),
            ]
        )
    return rows


def group_results(plan: LabPlan, results: Sequence[dict[str, Any]]) -> dict[Place, list[dict[str, Any]]]:
    """Return all seeds of each problem, contestant and value, in the order of the plan."""
    groups: dict[Place, list[dict[str, Any]]] = {}
    for result in results:
        groups.setdefault((result["problem"], result["contestant"], result["value"]), []).append(result)
    return dict(sorted(groups.items(), key=lambda item: _place(plan, item[0])))


def medians(results: Sequence[dict[str, Any]]) -> tuple[float | None, float | None, float | None]:
    """Return medians over seeds of test RMSE, parameters and seconds.

    An error of what failed or diverged is worse than any other, and none where that is the median; sizes and times are
    those of trainings that ran.
    """
    ran = [result for result in results if result["outcome"] != "failed"]
    errors = _errors(results)
    test_rmse = median([*errors, *[math.inf] * (len(results) - len(errors))])
    return (
        test_rmse if math.isfinite(test_rmse) else None,
        median(result["parameters"] for result in ran) if ran else None,
        median(result["seconds"] for result in ran) if ran else None,
    )


def failure_lines(plan: LabPlan, results: Sequence[dict[str, Any]]) -> list[str]:
    """Return a line for each problem and contestant with trainings that failed: how many, and what the first one says.

    Trainings are counted by seeds in a race, and by points where something is swept.
    """
    failures: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for (problem, contestant, _), group in group_results(plan, results).items():
        failed = [result for result in group if result["outcome"] == "failed"]
        if failed:
            failures.setdefault((problem, contestant), []).extend(failed)
    words = ("seed", "seeds") if plan.variable is None else ("point", "points")
    return [
        f"{problem}, {contestant} ({say_count(len(failed), *words)}): {failed[0]['sentence']}"
        for (problem, contestant), failed in failures.items()
    ]


def _errors(results: Sequence[dict[str, Any]]) -> list[float]:
    """Return the errors of trainings that got through."""
    ran = [result for result in results if result["outcome"] not in ("failed", "diverged")]
    return [result["test_rmse"] for result in ran if result["test_rmse"] is not None]


def write_number(value: float | None, form: str) -> str:
    """Return a number in a form, or a dash for none."""
    return "–" if value is None else format(value, form)


def fit_rows(fits: Sequence[LabFit]) -> list[list[str]]:
    """Return a row for each law that was fitted, under a row of titles."""
    rows = [["problem", "contestant", "exponent", "95 % interval", "what it says"]]
    for fit in fits:
        exponent = "–" if fit.exponent is None else f"{fit.exponent:.2f}"
        ends = "–" if fit.low is None or fit.high is None else f"{fit.low:.2f} to {fit.high:.2f}"
        rows.append([fit.problem, fit.contestant, exponent, ends, fit.sentence])
    return rows


def place_rows(comparison: LabComparison) -> list[list[str]]:
    """Return a row for each place that two runs have in common, under a row of titles."""
    swept = [] if comparison.variable is None else [comparison.variable]
    columns = ("test RMSE", "test RMSE of the second", "ratio", "parameters", "seconds", "seconds of the second")
    rows = [["problem", "contestant", *swept, *columns]]
    for place in comparison.places:
        first, second = place.first, place.second
        parameters = list(dict.fromkeys(write_number(one.parameters, ".0f") for one in (first, second)))
        rows.append(
            [
                place.problem,
                place.contestant,
                *([] if comparison.variable is None else [str(place.value)]),
                write_number(first.test_rmse, ".3g"),
                write_number(second.test_rmse, ".3g"),
                write_number(place.ratio, ".3g"),
                " / ".join(parameters),
                write_number(first.seconds, ".2f"),
                write_number(second.seconds, ".2f"),
            ]
        )
    return rows


def _place(plan: LabPlan, place: Place) -> tuple[int, int, int]:
    problem, contestant, value = place
    return plan.problems.index(problem), plan.contestants.index(contestant), value or 0


def _range(errors: Sequence[float], num_points: int) -> str:
    without = num_points - len(errors)
    told = [f"{min(errors):.3g} to {max(errors):.3g}"] if len(errors) > 1 else []
    return ", ".join([*told, *([f"{without} of {num_points} without"] if without else [])])
