"""How often a ranking puts a planted function first, by function and noise, and how long it takes.

    python -m benchmarks.planted_curves [--cases 50] [--points 256] [--only NAME]

What is planted, and which cases are identifiable, is said in tests/kan_core/symbolic/planted_for_tests.py.
"""

from __future__ import annotations

import statistics
from typing import Annotated

import numpy as np
import typer

from benchmarks.interleave import show_table
from kan_core.bases.basis import IndexArray
from kan_core.symbolic import FUNCTIONS, rank_candidates
from kan_core.symbolic.library import Shape
from tests.kan_core.symbolic.planted_for_tests import NOISES, measure


def main(
    cases: Annotated[int, typer.Option(help="Curves a function.")] = 50,
    points: Annotated[int, typer.Option(help="Points a curve.")] = 256,
    only: Annotated[str, typer.Option(help="Part of the functions' names.")] = "",
    seed: Annotated[int, typer.Option(help="What the curves are drawn with.")] = 0,
) -> None:
    """Measure and print the table."""
    rank_candidates(np.linspace(0.0, 1.0, points), np.linspace(0.0, 1.0, points) ** 2)
    rows: list[list[str]] = []
    sums = np.zeros((len(NOISES), 3), dtype=int)
    times: list[float] = []
    for index, function in enumerate(FUNCTIONS.values()):
        if only not in function.name or function.shape is Shape.CONSTANT:
            continue
        counts, seconds = measure(function, np.random.default_rng([seed, index]), cases=cases, points=points)
        sums += counts
        times.extend(seconds)
        rows.append([function.name, *_shares(counts)])
    rows.append(["all", *_shares(sums)])
    columns = ["function", *(f"{noise:.0%} noise: right of identifiable" for noise in NOISES)]
    show_table(f"{cases} curves a function, {points} points", columns, rows)
    typer.echo(f"\nA ranking took {1e3 * statistics.median(times):.1f} ms (median), {1e3 * max(times):.1f} ms at most.")


def _shares(counts: IndexArray) -> list[str]:
    return [
        f"{right / max(known, 1):.0%} ({known} of {cases})" if known else f"none of {cases}"
        for right, known, cases in counts.tolist()
    ]


if __name__ == "__main__":
    typer.run(main)
