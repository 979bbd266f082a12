"""Time to a test RMSE of 1e-3 on exp(sin(πx) + y²): Levenberg-Marquardt of kan_core against L-BFGS of pykan.

    python -m benchmarks.time_to_rmse

Both train a [2,5,1] cubic B-spline KAN on the same 1,000 samples, one thread, no sparsity, for the seeds 0, 1, …
Times are of training alone, compiled code warm. pykan runs one `fit` (its optimizer would forget its memory between
two); the time is the share of it up to the first step under the bound. Whoever does not get there is shown with the
best that was reached.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"

import importlib.util
import statistics
import time
from dataclasses import dataclass
from typing import Annotated

import torch
import typer
from threadpoolctl import threadpool_limits

from benchmarks.interleave import show_table
from kan_core import KAN, Dataset, NetworkSpec, Outcome, Trainer, TrainingSpec
from kan_core.problems import CATALOGUE

BOUND = 1e-3
WIDTHS = (2, 5, 1)


@dataclass(frozen=True, slots=True)
class Run:
    """Seconds up to the bound, or of the whole run where it was not reached, and the best test RMSE."""

    seconds: float
    best: float

    @property
    def is_there(self) -> bool:
        """Whether the bound was reached."""
        return self.best <= BOUND


def run_kanoscope(data: Dataset, grid_size: int, seed: int, steps: int) -> Run:
    """Train by Levenberg-Marquardt until the bound, for at most `steps` steps."""
    spec = NetworkSpec(widths=WIDTHS, grid_size=grid_size, order=3)
    network = KAN(spec, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    trainer = Trainer(network, data, TrainingSpec(optimizer="lm"))
    start, best = time.perf_counter(), float("inf")
    for _ in range(steps):
        result = trainer.step()
        best = min(best, result.test_rmse)
        if best <= BOUND or result.outcome is not Outcome.OK:
            break
    return Run(time.perf_counter() - start, best)


def run_pykan(data: Dataset, grid_size: int, seed: int, steps: int) -> Run:
    """Train by pykan's L-BFGS, its defaults otherwise."""
    from kan import KAN as PyKAN

    model = PyKAN(width=list(WIDTHS), grid=grid_size, k=3, seed=seed, auto_save=False)
    single = data.to_dtype(torch.float32)
    samples = {
        "train_input": single.train_inputs,
        "train_label": single.train_targets,
        "test_input": single.test_inputs,
        "test_label": single.test_targets,
    }
    start = time.perf_counter()
    losses = [float(loss) for loss in model.fit(samples, opt="LBFGS", steps=steps)["test_loss"]]
    seconds = time.perf_counter() - start
    first = next((step for step, loss in enumerate(losses, start=1) if loss <= BOUND), None)
    return Run(seconds if first is None else seconds * first / len(losses), min(losses))


def show(runs: list[Run]) -> list[str]:
    """Return the columns of one contestant."""
    there = [run.seconds for run in runs if run.is_there]
    median = f"{statistics.median(there):.2f}" if there else "–"
    return [f"{len(there)} of {len(runs)}", median, f"{statistics.median(run.best for run in runs):.1e}"]


def main(
    seeds: Annotated[int, typer.Option(help="How many seeds.")] = 5,
    pykan_steps: Annotated[int, typer.Option(help="Steps that pykan may take.")] = 100,
    steps: Annotated[int, typer.Option(help="Steps that Levenberg-Marquardt may take.")] = 300,
) -> None:
    """Measure and print the table."""
    torch.set_num_threads(1)
    has_pykan = importlib.util.find_spec("kan") is not None
    rows: list[list[str]] = []
    with threadpool_limits(1):
        for grid_size in (5, 10):
            ours: list[Run] = []
            theirs: list[Run] = []
            for seed in range(seeds):
                data = CATALOGUE["exp_sin"].sample(seed=seed)
                run_kanoscope(data, grid_size, seed, 2)
                ours.append(run_kanoscope(data, grid_size, seed, steps))
                if has_pykan:
                    theirs.append(run_pykan(data, grid_size, seed, pykan_steps))
            rows.append([str(grid_size), "Kanoscope, LM", *show(ours), "1"])
            if has_pykan:
                ratio = statistics.median(run.seconds for run in theirs) / statistics.median(
                    run.seconds for run in ours
                )
                sign = "" if all(run.is_there for run in theirs) else "> "
                rows.append([str(grid_size), "pykan, L-BFGS", *show(theirs), f"{sign}{ratio:.0f}"])
    show_table(
        f"Time to a test RMSE of {BOUND:g}, [2,5,1], 1,000 samples, {seeds} seeds, one thread",
        ["grid", "", "got there", "median s", "median best RMSE", "times Kanoscope's"],
        rows,
    )


if __name__ == "__main__":
    typer.run(main)
