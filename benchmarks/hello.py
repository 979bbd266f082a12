"""exp(sin(πx) + y²) from random initialisation to the exact formula, beside pykan's own pipeline in the same run.

    python -m benchmarks.hello

Kanoscope looks for the law as Discover does, in one process and one thread, compiled code warm; samples and networks
follow the seed. pykan follows its own introduction (hellokan): 50 steps of L-BFGS with sparsity, prune, train, refine,
train, auto_symbolic, train, with [2,5,1], grid 3 and the library of that introduction, for `--pykan-seeds` seeds.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"

import importlib.util
import statistics
import time
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import torch
import typer
from threadpoolctl import threadpool_limits

from benchmarks.interleave import show_table
from kan_core import Dataset
from kan_core.accuracy import measure_rmse
from kan_core.discovery.solver import Solver
from kan_core.fitting import hold_out
from kan_core.formula_display import display_formula
from kan_core.problems import CATALOGUE

EXACT = 1e-9
LIBRARY = ["x", "x^2", "x^3", "x^4", "exp", "log", "sqrt", "tanh", "sin", "abs"]


def relative_error(predicted: torch.Tensor, data: Dataset) -> float:
    """Return the RMSE on the test samples as a share of their spread."""
    return float((predicted - data.test_targets).square().mean().sqrt()) / float(data.test_targets.std())


def run_kanoscope(data: Dataset, seed: int) -> tuple[float, float, str]:
    """Return the seconds, the relative error on test samples and the formula."""
    start = time.perf_counter()
    split = hold_out(data, seed=seed)
    assert split is not None
    solver = Solver(split, seed=seed, divides_first=False, deadline=time.monotonic() + 60.0)
    while not solver.is_done:
        solver.step()
    seconds = time.perf_counter() - start
    law = min(solver.laws, key=lambda one: one.test_rmse)
    error = measure_rmse(law.network, data.test_inputs, data.test_targets, "regression")
    names = {"input_names": ("x", "y"), "output_names": ("f",)}
    return (
        seconds,
        error / float(data.test_targets.std()),
        display_formula(law.network, data.train_inputs, **names).text,
    )


def run_pykan(data: Dataset, seed: int) -> tuple[float, float, str]:
    """Return the same of pykan's pipeline."""
    from kan import KAN as PyKAN

    samples = {
        "train_input": data.train_inputs,
        "train_label": data.train_targets,
        "test_input": data.test_inputs,
        "test_label": data.test_targets,
    }
    torch.set_default_dtype(torch.float64)
    # pruning writes a log, whether asked for or not
    with TemporaryDirectory() as folder:
        start = time.perf_counter()
        model: Any = PyKAN(width=[2, 5, 1], grid=3, k=3, seed=seed, ckpt_path=folder)
        model.fit(samples, opt="LBFGS", steps=50, lamb=0.001)
        model = model.prune()
        model.fit(samples, opt="LBFGS", steps=50)
        model = model.refine(10)
        model.fit(samples, opt="LBFGS", steps=50)
        model.auto_symbolic(lib=LIBRARY)
        model.fit(samples, opt="LBFGS", steps=50)
        seconds = time.perf_counter() - start
    with torch.no_grad():
        error = relative_error(model(data.test_inputs), data)
    torch.set_default_dtype(torch.float32)
    return seconds, error, ""


def main(
    seeds: Annotated[int, typer.Option(help="How many seeds.")] = 10,
    pykan_seeds: Annotated[int, typer.Option(help="For how many of them pykan runs, too.")] = 1,
) -> None:
    """Measure and print the table."""
    torch.set_num_threads(1)
    has_pykan = importlib.util.find_spec("kan") is not None
    rows: list[list[str]] = []
    ours: list[float] = []
    theirs: list[float] = []
    with threadpool_limits(1):
        run_kanoscope(CATALOGUE["exp_sin"].sample(seed=seeds), seeds)
        for seed in range(seeds):
            data = CATALOGUE["exp_sin"].sample(seed=seed).to_dtype(torch.float64)
            seconds, error, text = run_kanoscope(data, seed)
            ours.append(seconds)
            rows.append([str(seed), "Kanoscope", f"{seconds:.1f}", f"{error:.0e}", f"`{text}`"])
            if has_pykan and seed < pykan_seeds:
                seconds, error, _ = run_pykan(data, seed)
                theirs.append(seconds)
                rows.append([str(seed), "pykan", f"{seconds:.1f}", f"{error:.0e}", ""])
    show_table("From samples to exp(sin πx + y²), one thread", ["seed", "", "s", "relative test RMSE", "formula"], rows)
    typer.echo(f"Kanoscope: at most {max(ours):.1f} s, median {statistics.median(ours):.1f} s.")
    if theirs:
        typer.echo(f"pykan took {min(theirs) / max(ours):.0f} times as long, at least.")


if __name__ == "__main__":
    typer.run(main)
