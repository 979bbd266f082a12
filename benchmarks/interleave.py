"""Timing several contestants side by side, so that a busy machine is equally unfair to all of them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence

import typer


def median_times(contestants: Mapping[str, Callable[[], object]], *, rounds: int, calls: int = 1) -> dict[str, float]:
    """Return each contestant's median seconds a call over `rounds` turns of `calls` calls, everyone in every round.

    One turn each goes before, unmeasured: compilers and caches have their say there.
    """
    for contestant in contestants.values():
        contestant()
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, contestant in contestants.items():
            start = time.perf_counter()
            for _ in range(calls):
                contestant()
            times[name].append((time.perf_counter() - start) / calls)
    return {name: statistics.median(values) for name, values in times.items()}


def median_step_times(
    contestants: Mapping[str, Callable[[], object]], *, rounds: int, seconds: float = 0.4
) -> dict[str, float]:
    """Return each contestant's median seconds a call over `rounds` turns, everyone in every round.

    Turns last about `seconds` each, so that contestants of very different speed are as warm as in long training; a
    contestant that returns a number has done so many steps in its call.
    """
    counts: dict[str, int] = {}
    for name, contestant in contestants.items():
        contestant()
        start, calls = time.perf_counter(), 0
        while time.perf_counter() - start < seconds / 4:
            contestant()
            calls += 1
        counts[name] = max(1, round(calls * seconds / (time.perf_counter() - start)))
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, contestant in contestants.items():
            steps, start = 0, time.perf_counter()
            for _ in range(counts[name]):
                done = contestant()
                steps += done if isinstance(done, int) else 1
            times[name].append((time.perf_counter() - start) / steps)
    return {name: statistics.median(values) for name, values in times.items()}


def table_lines(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a Markdown table."""
    rule = "|" + "|".join(" --- " for _ in columns) + "|"
    return [f"| {' | '.join(columns)} |", rule, *(f"| {' | '.join(row)} |" for row in rows)]


def show_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a Markdown table."""
    typer.echo(f"\n{title}\n")
    for line in table_lines(columns, rows):
        typer.echo(line)
