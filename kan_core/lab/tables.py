"""Results in short: medians and ranges over the seeds, also at an equal time.

Numbers are those of trainings that did not fail; a summary says how many there are.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from kan_core.lab.results import PointResult
from kan_core.lab.spec import LabSpec

# problem, contestant, swept value
Cell = tuple[str, str, int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Median and range of a number over `count` seeds; `results` are theirs, the one with the median first."""

    median: float
    low: float
    high: float
    results: tuple[PointResult, ...]

    @property
    def count(self) -> int:
        """How many seeds there are."""
        return len(self.results)

    @property
    def keys(self) -> list[str]:
        """The keys of the points, the one with the median (or next to it) first."""
        return [one.point.key for one in self.results]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Texts in rows, each as long as `columns`, which are their titles."""

    title: str
    columns: tuple[str, ...]
    rows: list[list[str]]


def test_rmse(result: PointResult) -> float | None:
    """Return the error on test samples, None where there is none."""
    return result.test_rmse


def error_at(result: PointResult, seconds: float) -> float | None:
    """Return the test error that a training had reached after so many seconds of the processor, None if it failed.

    A training that ended before keeps its last one.
    """
    before = [error for _, spent, error in result.curve if spent <= seconds]
    return before[-1] if before else None


def summarize(
    results: Iterable[PointResult], number: Callable[[PointResult], float | None] = test_rmse
) -> dict[Cell, Summary]:
    """Return the summary of a number for every problem, contestant and value that has a result."""
    groups: dict[Cell, list[tuple[float, int, PointResult]]] = {}
    for one in results:
        found = number(one)
        if found is not None and one.outcome != "failed":
            groups.setdefault((one.problem, one.contestant, one.value), []).append((found, one.seed, one))
    return {cell: _summary(sorted(group, key=lambda entry: entry[:2])) for cell, group in groups.items()}


def equal_time(spec: LabSpec, results: Sequence[PointResult], problem: str) -> float | None:
    """Return a time at which a problem's contestants can be compared: the middle one of what they took.

    Trainings that failed do not count. None where nothing has been measured.
    """
    spent = [
        statistics.median(one.seconds for one in group)
        for contestant in spec.contestants
        if (group := [one for one in results if _ran(one, problem, contestant.name)])
    ]
    return statistics.median_low(spent) if spent else None


def _ran(result: PointResult, problem: str, contestant: str) -> bool:
    return (result.problem, result.contestant) == (problem, contestant) and result.outcome != "failed"


def error_rows(
    spec: LabSpec,
    results: Sequence[PointResult],
    number: Callable[[PointResult], float | None] = test_rmse,
    *,
    style: str = ".1e",
) -> list[list[str]]:
    """Return a row for every contestant (and value): its name, then median and range for every problem, as text."""
    found = summarize(results, number)
    values: Sequence[int | None] = (None,) if spec.sweep is None else spec.sweep.values
    rows: list[list[str]] = []
    for contestant in spec.contestants:
        for value in values:
            name = contestant.name if value is None else f"{contestant.name}, {value}"
            cells = [found.get((problem.name, contestant.name, value)) for problem in spec.problems]
            rows.append([name, *(say_summary(cell, style) for cell in cells)])
    return rows


def result_tables(spec: LabSpec, results: Sequence[PointResult]) -> list[Table]:
    """Return what came out in short: errors, in a race also at an equal time, parameters and time."""
    columns = ("", *(one.title for one in spec.problems))
    errors = error_rows(spec, results)
    sizes = error_rows(spec, results, lambda one: float(one.parameters), style=",.0f")
    times = error_rows(spec, results, lambda one: one.seconds, style=".2f")
    return [
        Table(title="Test RMSE: median (range) over the seeds", columns=columns, rows=errors),
        *([_equal_time_table(spec, results)] if spec.sweep is None else []),
        Table(title="Parameters", columns=columns, rows=sizes),
        Table(title="Processor seconds", columns=columns, rows=times),
    ]


def _equal_time_table(spec: LabSpec, results: Sequence[PointResult]) -> Table:
    """Return the errors that every contestant had reached after the same time."""
    columns = [""]
    cells: dict[str, list[str]] = {one.name: [one.name] for one in spec.contestants}
    for problem in spec.problems:
        seconds = equal_time(spec, results, problem.name)
        columns.append(problem.title if seconds is None else f"{problem.title}, {seconds:.2g} s")
        mine = [one for one in results if one.problem == problem.name]
        found = {} if seconds is None else summarize(mine, lambda one, until=seconds: error_at(one, until))
        for contestant in spec.contestants:
            cells[contestant.name].append(say_summary(found.get((problem.name, contestant.name, None))))
    title = "Test RMSE after an equal time: median (range) over the seeds"
    return Table(title=title, columns=tuple(columns), rows=list(cells.values()))


def say_summary(summary: Summary | None, style: str = ".1e") -> str:
    """Return a summary as text, as in 1.2e-04 (9.9e-05 to 3.0e-04)."""
    if summary is None:
        return "–"
    median, low, high = (format(one, style) for one in (summary.median, summary.low, summary.high))
    return median if low == high else f"{median} ({low} to {high})"


def _summary(entries: list[tuple[float, int, PointResult]]) -> Summary:
    numbers = [number for number, _, _ in entries]
    middle = entries.pop((len(entries) - 1) // 2)
    return Summary(
        median=statistics.median(numbers),
        low=numbers[0],
        high=numbers[-1],
        results=(middle[2], *(result for _, _, result in entries)),
    )
