"""How dependably the recipe "auto" gets there: whatever the seed, the shape and the grid.

    python -m benchmarks.dependability
    python -m benchmarks.dependability --first-seed 100

1. exp(sin(πx) + y²), 1,000 samples: the test RMSE of every seed, for a wide and a narrow network.
2. The same, [2,1,1] and 3,000 samples, through given grids: the exponent with which the test RMSE falls.
3. exp(½(sin π(x₁²+x₂²) + sin π(x₃²+x₄²))), [4,4,2,1] and 3,000 samples.

Data and network are drawn with the same seed. The recipe's settings were chosen while looking at seeds from 0 to 9:
other seeds tell how it does where nobody looked. One thread, float64, cubic B-splines; compiled code is warm.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"

import statistics
from typing import Annotated

import numpy as np
import torch
import typer
from threadpoolctl import threadpool_limits

from benchmarks.interleave import show_table
from kan_core import KAN, NetworkSpec, Outcome, Trainer, TrainingResult, TrainingSpec, train
from kan_core.problems import CATALOGUE

BOUND = 1e-4
GRIDS = (5, 10, 20, 50, 100)
EXPONENT = 4.0


def make_network(widths: tuple[int, ...], seed: int) -> KAN:
    """Return a fresh network with the usual first grid."""
    return KAN(NetworkSpec(widths=widths), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def run_recipe(problem: str, widths: tuple[int, ...], num_samples: int, seed: int) -> TrainingResult:
    """Train by the recipe to its end."""
    return train(make_network(widths, seed), CATALOGUE[problem].sample(seed=seed, num_train=num_samples), seed=seed)


def show_seeds(problem: str, widths: tuple[int, ...], num_samples: int, seeds: range) -> None:
    """Print one row a seed, and how many of them got there."""
    rows: list[list[str]] = []
    errors: list[float] = []
    for seed in seeds:
        result = run_recipe(problem, widths, num_samples, seed)
        errors.append(result.end.test_rmse)
        grid_size = result.network.spec.grid_size
        rmses = [f"{result.end.train_rmse:.1e}", f"{result.end.test_rmse:.1e}"]
        rows.append([str(seed), *rmses, str(grid_size), str(result.end.step), f"{result.seconds:.1f}"])
    there = sum(error < BOUND for error in errors)
    reached = f"{there} of {len(seeds)} under {BOUND:g}, worst {max(errors):.1e}"
    show_table(
        f"{problem}, {list(widths)}, {num_samples:,} samples: {reached}",
        ["seed", "train RMSE", "test RMSE", "grid", "steps", "s"],
        rows,
    )


def errors_by_grid(seed: int) -> list[float]:
    """Return the test RMSE at the end of training on each of `GRIDS`, infinite where validation stopped before."""
    data = CATALOGUE["exp_sin"].sample(seed=seed, num_train=3000)
    trainer = Trainer(make_network((2, 1, 1), seed), data, TrainingSpec(optimizer="auto", seed=seed, grids=GRIDS))
    errors: dict[int, float] = {}
    while True:
        result = trainer.step()
        errors[trainer.network.spec.grid_size] = result.test_rmse
        if result.outcome is not Outcome.OK:
            return [errors.get(size, float("inf")) for size in GRIDS]


def fit_exponent(errors: list[float]) -> float:
    """Return the exponent of 1/G in the errors, by least squares of their logarithms."""
    return -float(np.polyfit(np.log(GRIDS), np.log(errors), 1)[0])


def show_scaling(seeds: range) -> None:
    """Print how the error falls with the grid."""
    runs = [errors_by_grid(seed) for seed in seeds]
    rows = [
        [str(seed), *(f"{error:.1e}" for error in run), f"{fit_exponent(run):.2f}"]
        for seed, run in zip(seeds, runs, strict=True)
    ]
    medians = [statistics.median(column) for column in zip(*runs, strict=True)]
    rows.append(["median", *(f"{error:.1e}" for error in medians), f"{fit_exponent(medians):.2f}"])
    show_table(
        f"exp_sin, [2, 1, 1], 3,000 samples: test RMSE by grid size, which cubic splines let fall with {EXPONENT:g}",
        ["seed", *(f"G = {size}" for size in GRIDS), "exponent"],
        rows,
    )


def main(
    seeds: Annotated[int, typer.Option(help="How many seeds of exp_sin.")] = 10,
    nested_seeds: Annotated[int, typer.Option(help="How many seeds of nested_4, some half a minute each.")] = 5,
    first_seed: Annotated[int, typer.Option(help="The first of the seeds.")] = 0,
) -> None:
    """Measure and print the tables."""
    torch.set_num_threads(1)
    with threadpool_limits(1):
        # compilers have their say before the clock starts
        run_recipe("exp_sin", (2, 1, 1), 100, 0)
        if seeds:
            shallow = range(first_seed, first_seed + seeds)
            show_seeds("exp_sin", (2, 5, 1), 1000, shallow)
            show_seeds("exp_sin", (2, 1, 1), 1000, shallow)
            show_scaling(shallow)
        if nested_seeds:
            show_seeds("nested_4", (4, 4, 2, 1), 3000, range(first_seed, first_seed + nested_seeds))


if __name__ == "__main__":
    typer.run(main)
