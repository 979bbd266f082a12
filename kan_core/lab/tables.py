"""Results in short: medians and ranges over the seeds, also at an equal time.

Of errors, a training that failed or diverged counts as worse than any other, so that what is left of a contestant's
seeds does not speak for all of them; sizes and times are those of trainings that ran.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from kan_core.lab.results import PointResult
from kan_core.lab.sizes import Shape, network_shape
from kan_core.lab.spec import LabSpec
from kan_core.mlp import MLPSpec
from kan_core.scaling import PowerLaw

FAILURES = "a training that failed or diverged counts as worse than any other"
EQUAL = (
    "the shortest that anyone took who had not converged): median (range) over the seeds, where who converged before "
    "keeps that error"
)
# problem, contestant, swept value
Cell = tuple[str, str, int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Median and range of a number over the seeds, `num_without` of which have none.

    These count as infinite, so that the median may be; the range is that of the others, whose `results` are given, the
    one with the median first.
    """

    median: float
    low: float
    high: float
    results: tuple[PointResult, ...]
    num_without: int = 0

    @property
    def count(self) -> int:
        """How many seeds have a number."""
        return len(self.results)

    @property
    def keys(self) -> list[str]:
        """The keys of the points that have a number, the one with the median (or next to it) first."""
        return [one.point.key for one in self.results]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Texts in rows, each as long as `columns`, which are their titles."""

    title: str
    columns: tuple[str, ...]
    rows: list[list[str]]


def test_rmse(result: PointResult) -> float | None:
    """Return the error on test samples, None where training failed or diverged."""
    return result.test_rmse if result.test_rmse is not None and _got_through(result) else None


def error_at(result: PointResult, seconds: float) -> float | None:
    """Return the test error after so many seconds of the processor, None where training failed or diverged.

    A training that ended before keeps its last one.
    """
    before = [error for _, spent, error in result.curve if spent <= seconds]
    return before[-1] if before and _got_through(result) else None


def summarize_errors(
    results: Iterable[PointResult], error: Callable[[PointResult], float | None] = test_rmse
) -> dict[Cell, Summary]:
    """Return the summary of an error for every problem, contestant and value; None is worse than any other."""
    groups: dict[Cell, list[PointResult]] = {}
    for one in results:
        groups.setdefault((one.problem, one.contestant, one.value), []).append(one)
    return {cell: _summary([(error(one), one) for one in group]) for cell, group in groups.items()}


def summarize(results: Iterable[PointResult], number: Callable[[PointResult], float]) -> dict[Cell, Summary]:
    """Return the summary of a size or a time for every problem, contestant and value that has a training that ran."""
    return summarize_errors((one for one in results if one.outcome != "failed"), number)


def equal_time(spec: LabSpec, results: Sequence[PointResult], problem: str) -> float | None:
    """Return the longest time up to which a problem's contestants can all be followed.

    It is the shortest that any took who had not converged, as a median over its seeds: with more, those would be told
    an error that they might have undercut. Where all had converged it is the longest that any took. Trainings that
    failed or diverged do not count. None where nothing has been measured.
    """
    ran = [one for one in results if one.problem == problem and _got_through(one)]
    went_on = _times(spec, [one for one in ran if one.outcome != "converged"])
    return min(went_on) if went_on else max(_times(spec, ran), default=None)


def _times(spec: LabSpec, results: Sequence[PointResult]) -> list[float]:
    """Return the median of the time that each contestant took who has results."""
    groups = ([one.seconds for one in results if one.contestant == each.name] for each in spec.contestants)
    return [statistics.median(group) for group in groups if group]


def _got_through(result: PointResult) -> bool:
    return result.outcome not in ("failed", "diverged")


def error_rows(
    spec: LabSpec,
    results: Sequence[PointResult],
    error: Callable[[PointResult], float | None] = test_rmse,
) -> list[list[str]]:
    """Return a row for every contestant (and value): its name, then median and range for every problem, as text."""
    return _rows(spec, summarize_errors(results, error), ".1e")


def _rows(spec: LabSpec, found: dict[Cell, Summary], style: str) -> list[list[str]]:
    values: Sequence[int | None] = (None,) if spec.sweep is None else spec.sweep.values
    rows: list[list[str]] = []
    for contestant in spec.contestants:
        for value in values:
            cells = [found.get((problem.name, contestant.name, value)) for problem in spec.problems]
            rows.append([_row_name(contestant.name, value), *(say_summary(cell, style) for cell in cells)])
    return rows


def result_tables(spec: LabSpec, results: Sequence[PointResult]) -> list[Table]:
    """Return what came out in short: errors, in a race also at an equal time, parameters and time."""
    columns = ("", *(one.title for one in spec.problems))
    sizes = _rows(spec, summarize(results, lambda one: float(one.parameters)), ",.0f")
    times = _rows(spec, summarize(results, lambda one: one.seconds), ".2f")
    failures = "" if all(map(_got_through, results)) else f"; {FAILURES}"
    return [
        Table(
            title=f"Test RMSE: median (range) over the seeds{failures}",
            columns=columns,
            rows=error_rows(spec, results),
        ),
        *([_equal_time_table(spec, results)] if spec.sweep is None else []),
        Table(
            title="Shapes: nodes of each layer, and intervals G of each edge", columns=columns, rows=shape_rows(spec)
        ),
        Table(title="Parameters", columns=columns, rows=sizes),
        Table(title="Processor seconds", columns=columns, rows=times),
    ]


def shape_rows(spec: LabSpec) -> list[list[str]]:
    """Return a row for every contestant (and value): its name, then the shape of its network for every problem."""
    values: Sequence[int | None] = (None,) if spec.sweep is None else spec.sweep.values
    rows: list[list[str]] = []
    for contestant in spec.contestants:
        for value in values:
            cells = [
                _say_shape(network_shape(problem, contestant, spec.budget, spec.sweep, value))
                for problem in spec.problems
            ]
            rows.append([_row_name(contestant.name, value), *cells])
    return rows


def _say_shape(shape: Shape) -> str:
    widths = f"[{', '.join(map(str, shape.widths))}]"
    return widths if isinstance(shape, MLPSpec) else f"{widths}, {shape.grid_size}"


def _row_name(name: str, value: int | None) -> str:
    return name if value is None else f"{name}, {value}"


def _equal_time_table(spec: LabSpec, results: Sequence[PointResult]) -> Table:
    """Return the errors that every contestant had reached after the same time."""
    columns = [""]
    cells: dict[str, list[str]] = {one.name: [one.name] for one in spec.contestants}
    for problem in spec.problems:
        seconds = equal_time(spec, results, problem.name)
        columns.append(problem.title if seconds is None else f"{problem.title}, {seconds:.2g} s")
        mine = [one for one in results if one.problem == problem.name]
        found = {} if seconds is None else summarize_errors(mine, lambda one, until=seconds: error_at(one, until))
        for contestant in spec.contestants:
            cells[contestant.name].append(say_summary(found.get((problem.name, contestant.name, None)), ".1e"))
    return Table(title=f"Test RMSE after an equal time ({EQUAL}", columns=tuple(columns), rows=list(cells.values()))


def say_summary(summary: Summary | None, style: str) -> str:
    """Return a summary as text, as in 1.2e-04 (9.9e-05 to 3.0e-04, 2 of 3): of three seeds two have a number."""
    if summary is None:
        return "–"
    median = format(summary.median, style) if math.isfinite(summary.median) else "–"
    low, high = format(summary.low, style), format(summary.high, style)
    remarks = [f"{low} to {high}"] if low != high else []
    if summary.num_without:
        remarks.append(f"{summary.count} of {summary.count + summary.num_without}")
    return f"{median} ({', '.join(remarks)})" if remarks else median


def say_exponent(law: PowerLaw | None) -> list[str]:
    """Return the exponent of a law and its interval as texts."""
    return ["–", "–"] if law is None else [f"{law.exponent:.2f}", f"{law.low:.2f} to {law.high:.2f}"]


def _summary(numbers: Sequence[tuple[float | None, PointResult]]) -> Summary:
    known = sorted(((number, one.seed, one) for number, one in numbers if number is not None), key=lambda e: e[:2])
    ordered, num_without = [one for _, _, one in known], len(numbers) - len(known)
    if ordered:
        middle = ordered.pop(min(len(ordered) - 1, (len(numbers) - 1) // 2))
        ordered.insert(0, middle)
    return Summary(
        median=statistics.median([*(number for number, _, _ in known), *[math.inf] * num_without]),
        low=known[0][0] if known else math.inf,
        high=known[-1][0] if known else math.inf,
        results=tuple(ordered),
        num_without=num_without,
    )
