"""Results as rows of texts, for people: medians over seeds with their ranges."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median
from typing import Any

from server.lab.messages import LabFit
from server.lab.plan import LabPlan


def point_rows(plan: LabPlan, results: Sequence[dict[str, Any]]) -> list[list[str]]:
    """Return a row for each problem, contestant and value, under a row of titles."""
    groups: dict[tuple[str, str, int | None], list[dict[str, Any]]] = {}
    for result in results:
        groups.setdefault((result["problem"], result["contestant"], result["value"]), []).append(result)
    swept = [] if plan.variable is None else [plan.variable]
    rows = [["problem", "contestant", *swept, "parameters", "test RMSE", "range", "seconds"]]
    for (problem, contestant, value), group in sorted(groups.items(), key=lambda item: _place(plan, item[0])):
        errors = [result["test_rmse"] for result in group if result["outcome"] not in ("failed", "diverged")]
        errors = [error for error in errors if error is not None]
        # what failed or diverged counts as worse than any other
        middle = median([*errors, *[math.inf] * (len(group) - len(errors))])
        ran = [result for result in group if result["outcome"] != "failed"]
        rows.append(
            [
                problem,
                contestant,
                *([] if plan.variable is None else [str(value)]),
                f"{median(result['parameters'] for result in ran):.0f}" if ran else "–",
                f"{middle:.3g}" if math.isfinite(middle) else "–",
                _range(errors, len(group)),
                f"{median(result['seconds'] for result in ran):.2f}" if ran else "–",
            ]
        )
    return rows


def fit_rows(fits: Sequence[LabFit]) -> list[list[str]]:
    """Return a row for each law that was fitted, under a row of titles."""
    rows = [["problem", "contestant", "exponent", "95 % interval", "what it says"]]
    for fit in fits:
        exponent = "–" if fit.exponent is None else f"{fit.exponent:.2f}"
        ends = "–" if fit.low is None or fit.high is None else f"{fit.low:.2f} to {fit.high:.2f}"
        rows.append([fit.problem, fit.contestant, exponent, ends, fit.sentence])
    return rows


def _place(plan: LabPlan, group: tuple[str, str, int | None]) -> tuple[int, int, int]:
    problem, contestant, value = group
    return plan.problems.index(problem), plan.contestants.index(contestant), value or 0


def _range(errors: Sequence[float], num_points: int) -> str:
    without = num_points - len(errors)
    told = [f"{min(errors):.3g} to {max(errors):.3g}"] if len(errors) > 1 else []
    return ", ".join([*told, *([f"{without} of {num_points} without"] if without else [])])
