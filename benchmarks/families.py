"""Which family of basis functions? All of them on eight problems, at equal parameters and at equal time.

    python -m benchmarks.families [--write]

Every contestant is the same network but for the family, with about as many parameters, from the same seeds, on the same
1,000 samples, trained by Levenberg-Marquardt in float64 on one thread. Errors are root mean square on 1,000 fresh
samples without noise, as a share of their standard deviation (of class probabilities, for the classification). At equal
parameters everyone trains for the same number of steps; at equal time the error is that of the moment when the time is
over, by the time of the processor, which other work on the machine does not touch. Medians over the seeds.

With --write the tables and the pictures go into docs/findings/families.md, between the lines that mark them; that takes
a Chromium for Plotly's pictures, as the tests of the page do.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"

import re
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import plotly.graph_objects as go
import torch
import typer
from scipy import special
from threadpoolctl import threadpool_limits

from benchmarks.interleave import show_table, table_lines
from kan_core import KAN, Dataset, NetworkSpec, Outcome, Trainer, TrainingSpec
from kan_core.bases import BASES, make_basis
from kan_core.bases.basis import FloatArray
from kan_core.problems import CATALOGUE

NUM_SAMPLES = 1000
NUM_FUNCTIONS = 12
MAX_STEPS = 150
FINDINGS = Path(__file__).parents[1] / "docs" / "findings"
MARKS = ("<!-- measured: python -m benchmarks.families --write -->", "<!-- end of what was measured -->")


@dataclass(frozen=True, slots=True)
class Contest:
    """A problem: its inputs' number, the hidden widths that suit it, and the targets of inputs (B, I) in [-1, 1]."""

    name: str
    num_inputs: int
    hidden: tuple[int, ...]
    targets: Callable[[FloatArray], FloatArray] | None
    noise: float = 0.0

    def sample(self, seed: int) -> Dataset:
        """Return samples; noise is in the training targets alone, as a share of their standard deviation."""
        if self.targets is None:
            return CATALOGUE["moons"].sample(seed=seed, num_train=NUM_SAMPLES, num_test=NUM_SAMPLES)
        generator = np.random.default_rng(seed)
        inputs = generator.uniform(-1.0, 1.0, (2 * NUM_SAMPLES, self.num_inputs))
        targets = self.targets(inputs)
        train = targets[:NUM_SAMPLES] + self.noise * targets.std() * generator.normal(size=NUM_SAMPLES)
        return Dataset(
            train_inputs=torch.from_numpy(inputs[:NUM_SAMPLES]),
            train_targets=torch.from_numpy(train[:, None]),
            test_inputs=torch.from_numpy(inputs[NUM_SAMPLES:]),
            test_targets=torch.from_numpy(targets[NUM_SAMPLES:, None]),
        )


def _smooth(x: FloatArray) -> FloatArray:
    return np.exp(np.sin(np.pi * x[:, 0]) + x[:, 1] ** 2)


CONTESTS = (
    Contest("smooth", 2, (3,), _smooth),
    Contest("oscillating", 1, (2,), lambda x: special.j0(20.0 * x[:, 0])),
    Contest("kinked", 2, (3,), lambda x: np.abs(x[:, 0] - 0.3) + np.abs(x[:, 0] + x[:, 1])),
    Contest("discontinuous", 2, (2,), lambda x: np.sign(x[:, 0] + 0.5 * x[:, 1])),
    Contest("additive, 10 inputs", 10, (), lambda x: np.sin(np.pi * x).sum(axis=1)),
    Contest("product", 2, (2,), lambda x: x[:, 0] * x[:, 1]),
    Contest("noisy", 2, (3,), _smooth, noise=0.1),
    Contest("classification", 2, (3,), None),
)


@dataclass(frozen=True, slots=True)
class Result:
    """One run: number of parameters, relative test error after the given time and after all steps, seconds in all."""

    num_parameters: int
    at_time: float
    at_end: float
    seconds: float


def grid_size_for(family: str) -> int:
    """Return the grid size at which a family's number of functions is nearest to twelve."""
    return min(range(1, 40), key=lambda size: abs(make_basis(family, grid_size=size).num_functions - NUM_FUNCTIONS))


def run(contest: Contest, family: str, seed: int, seconds: float) -> Result:
    """Train one network and return how it went."""
    data = contest.sample(seed)
    widths = (contest.num_inputs, *contest.hidden, 1)
    spec = NetworkSpec(widths=widths, basis=family, grid_size=grid_size_for(family))
    network = KAN(spec, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    trainer = Trainer(network, data, TrainingSpec(optimizer="lm"))
    unit = 1.0 if data.task == "classification" else float(data.test_targets.std())
    start, at_time, at_end = time.process_time(), float("nan"), float("nan")
    for _ in range(MAX_STEPS):
        result = trainer.step()
        at_end = result.test_rmse / unit
        if time.process_time() - start <= seconds or np.isnan(at_time):
            at_time = at_end
        if result.outcome is not Outcome.OK:
            break
    return Result(trainer.network.num_parameters, at_time, at_end, time.process_time() - start)


def medians(
    results: Mapping[tuple[str, str], list[Result]], field: Callable[[Result], float]
) -> dict[str, list[float]]:
    """Return each family's medians, one for each contest."""
    return {
        family: [statistics.median(field(one) for one in results[contest.name, family]) for contest in CONTESTS]
        for family in BASES
    }


def rows_of(values: Mapping[str, list[float]], style: str) -> list[list[str]]:
    """Return table rows, a family each."""
    return [[make_basis(name).title, *(format(one, style) for one in row)] for name, row in values.items()]


def figure_of(title: str, values: Mapping[str, list[float]]) -> go.Figure:
    """Return relative errors as points on a logarithmic axis, a row for each problem."""
    figure = go.Figure()
    for name, row in values.items():
        figure.add_scatter(
            x=row, y=[contest.name for contest in CONTESTS], mode="markers", name=make_basis(name).title,
            marker={"size": 11, "symbol": list(BASES).index(name)},
        )  # fmt: skip
    figure.update_layout(template="plotly_white", title=title, yaxis={"autorange": "reversed"})
    figure.update_xaxes(type="log", title="relative test error, median of the seeds", dtick=1, exponentformat="power")
    return figure


def write(tables: str, figures: Mapping[str, go.Figure]) -> None:
    """Put tables and pictures into the findings; what people wrote around them stays."""
    from tests.live import save_figure

    FINDINGS.mkdir(parents=True, exist_ok=True)
    path = FINDINGS / "families.md"
    beginning = f"# Families at equal parameters and equal time\n\n{MARKS[0]}\n{MARKS[1]}\n"
    text = path.read_text() if path.exists() else beginning
    pictures = "".join(f"\n![{name}]({name}.png)\n" for name in figures)
    measured = f"{MARKS[0]}\n{tables}\n{pictures}\n{MARKS[1]}"
    path.write_text(re.sub(f"{MARKS[0]}.*{MARKS[1]}", lambda _: measured, text, flags=re.DOTALL))
    for name, figure in figures.items():
        save_figure(figure, FINDINGS / f"{name}.png")


def main(
    seeds: Annotated[int, typer.Option(help="How many seeds.")] = 5,
    seconds: Annotated[float, typer.Option(help="The equal time.")] = 0.05,
    save: Annotated[bool, typer.Option("--write", help="Write docs/findings/families.md.")] = False,
) -> None:
    """Measure and print the tables."""
    torch.set_num_threads(1)
    with threadpool_limits(1):
        for family in BASES:
            # compile before the clock runs
            run(CONTESTS[0], family, 0, 0.0)
        results = {
            (contest.name, family): [run(contest, family, seed, seconds) for seed in range(seeds)]
            for contest in CONTESTS
            for family in BASES
        }
    at_end, at_time = medians(results, lambda one: one.at_end), medians(results, lambda one: one.at_time)
    sizes, spent = medians(results, lambda one: one.num_parameters), medians(results, lambda one: one.seconds)
    columns = ["family", *(contest.name for contest in CONTESTS)]
    told = [
        (
            f"Relative test error after {MAX_STEPS} steps, about equal parameters, median of {seeds} seeds",
            at_end,
            ".1e",
        ),
        (f"Relative test error after {seconds:g} s, median of {seeds} seeds", at_time, ".1e"),
        ("Parameters", sizes, ".0f"),
        (f"Seconds for {MAX_STEPS} steps, or up to where nothing better was in reach", spent, ".2f"),
    ]
    for title, values, style in told:
        show_table(title, columns, rows_of(values, style))
    if save:
        tables = "\n\n".join(
            "\n".join([f"{title}:", "", *table_lines(columns, rows_of(values, style))]) for title, values, style in told
        )
        figures = {
            "families-parameters": figure_of(f"After {MAX_STEPS} steps at about equal parameters", at_end),
            "families-time": figure_of(f"After {seconds:g} s", at_time),
        }
        write(tables, figures)


if __name__ == "__main__":
    typer.run(main)
