"""One optimizer step, side by side: kan_core in every family, pykan and a torch MLP 32×32 on one thread.

    python -m benchmarks.adam_step

Peers that are not installed are left out: `pip install -r benchmarks/peers.txt` brings pykan. A step of kan_core is
`Trainer.step`, which also reports train and test error; pykan's is that of `fit`, which does the same, and of a bare
loop after `speed()`; the MLP's is forward, backward and `torch.optim.Adam`. Families have as many functions as the
B-splines of grid 5 and order 3, or the next number that they can have.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"

import importlib.util
from collections.abc import Callable
from typing import Annotated

import torch
import typer
from threadpoolctl import threadpool_limits

from benchmarks.interleave import median_step_times, show_table
from kan_core import KAN, Dataset, NetworkSpec, Trainer, TrainingSpec
from kan_core.bases import BASES, make_basis
from kan_core.problems import CATALOGUE

NUM_SAMPLES = 1000
SHAPES = {"exp_sin": (2, 5, 1), "nested_4": (4, 5, 5, 1)}
STEPS_PER_FIT = 50


def size_like_splines(family: str) -> int:
    """Return the least grid size at which a family has at least the 8 functions of cubic B-splines on 5 intervals."""
    wanted = make_basis("bspline", grid_size=5, order=3).num_functions
    return next(size for size in range(1, 50) if make_basis(family, grid_size=size).num_functions >= wanted)


def kanoscope_step(
    data: Dataset, widths: tuple[int, ...], *, family: str = "bspline", grid_size: int = 5, optimizer: str = "adam"
) -> Callable[[], object]:
    """Return a step of a KAN in the data's dtype."""
    spec = NetworkSpec(widths=widths, basis=family, grid_size=grid_size)
    network = KAN(spec, generator=torch.Generator().manual_seed(0), dtype=data.train_inputs.dtype)
    return Trainer(network, data, TrainingSpec(optimizer=optimizer, learning_rate=0.01)).step


def training_step(model: torch.nn.Module, data: Dataset) -> Callable[[], None]:
    """Return a step of torch's Adam on a torch model."""
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

    def step() -> None:
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(model(data.train_inputs), data.train_targets).backward()
        optimizer.step()

    return step


def mlp_step(data: Dataset, widths: tuple[int, ...]) -> Callable[[], object]:
    """Return a step of an MLP with two hidden layers of 32 SiLU units."""
    layers = [torch.nn.Linear(widths[0], 32), torch.nn.SiLU(), torch.nn.Linear(32, 32), torch.nn.SiLU()]
    return training_step(torch.nn.Sequential(*layers, torch.nn.Linear(32, widths[-1])), data)


def pykan_fit(data: Dataset, widths: tuple[int, ...]) -> Callable[[], int]:
    """Return fifty steps of pykan's own `fit` by Adam, with its defaults."""
    from kan import KAN as PyKAN

    model = PyKAN(width=list(widths), grid=5, k=3, seed=0, auto_save=False)
    columns = ("train_input", "train_label", "test_input", "test_label")
    tensors = (data.train_inputs, data.train_targets, data.test_inputs, data.test_targets)
    samples = dict(zip(columns, tensors, strict=True))

    def fit() -> int:
        model.fit(samples, opt="Adam", steps=STEPS_PER_FIT, lr=0.01)
        return STEPS_PER_FIT

    return fit


def pykan_fast_step(data: Dataset, widths: tuple[int, ...]) -> Callable[[], object]:
    """Return a step of pykan in a bare loop after `speed()`, its fastest mode."""
    from kan import KAN as PyKAN

    return training_step(PyKAN(width=list(widths), grid=5, k=3, seed=0, auto_save=False).speed(), data)


def measure_adam(problem: str, widths: tuple[int, ...], rounds: int) -> list[list[str]]:
    """Return the rows of one shape: B-splines, peers, then the other families."""
    data = CATALOGUE[problem].sample(seed=0, num_train=NUM_SAMPLES).to_dtype(torch.float32)
    contestants: dict[str, Callable[[], object]] = {"B-splines": kanoscope_step(data, widths)}
    contestants["MLP 32×32"] = mlp_step(data, widths)
    if importlib.util.find_spec("kan") is not None:
        contestants["pykan, fit()"] = pykan_fit(data, widths)
        contestants["pykan, speed()"] = pykan_fast_step(data, widths)
    for family in BASES:
        if family != "bspline":
            size = size_like_splines(family)
            contestants[make_basis(family).title] = kanoscope_step(data, widths, family=family, grid_size=size)
    times = median_step_times(contestants, rounds=rounds)
    shape = "[" + ",".join(map(str, widths)) + "]"
    return [
        [shape, name, f"{1e3 * seconds:.3f}", f"{seconds / times['B-splines']:.1f}"] for name, seconds in times.items()
    ]


def measure_lm(rounds: int) -> list[list[str]]:
    """Return the row of a Levenberg-Marquardt step of [2,5,1], grid 10, float64."""
    data = CATALOGUE["exp_sin"].sample(seed=0, num_train=NUM_SAMPLES)
    seconds = median_step_times({"": kanoscope_step(data, (2, 5, 1), grid_size=10, optimizer="lm")}, rounds=rounds)[""]
    return [["[2,5,1]", "B-splines, grid 10", f"{1e3 * seconds:.2f}"]]


def main(rounds: Annotated[int, typer.Option(help="Turns of 0.4 s for every contestant.")] = 7) -> None:
    """Measure and print the tables."""
    torch.set_num_threads(1)
    with threadpool_limits(1):
        rows = [row for problem, widths in SHAPES.items() for row in measure_adam(problem, widths, rounds)]
        lm = measure_lm(rounds)
    show_table(
        "Full-batch Adam step, 1,000 samples, float32, one thread",
        ["widths", "", "median ms", "times B-splines'"],
        rows,
    )
    show_table("Levenberg-Marquardt step, 1,000 samples, float64, one thread", ["widths", "", "median ms"], lm)


if __name__ == "__main__":
    typer.run(main)
