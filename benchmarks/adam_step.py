"""One full-batch Adam step, side by side: kan_core, pykan and a torch MLP 32×32 on one thread, float32.

    python -m benchmarks.adam_step

Peers that are not installed are left out: `pip install -r benchmarks/peers.txt` brings pykan. A step of kan_core is
`Trainer.step`, which also reports train and test error; pykan's is that of `fit`, which does the same, and of a bare
loop after `speed()`; the MLP's is forward, backward and `torch.optim.Adam`.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"

import importlib.util
from collections.abc import Callable
from typing import Annotated

import torch
import typer

from benchmarks.interleave import median_times, show_table
from kan_core import KAN, Dataset, NetworkSpec, Trainer, TrainingSpec
from kan_core.problems import CATALOGUE

NUM_SAMPLES = 1000
SHAPES = {"exp_sin": (2, 5, 1), "nested_4": (4, 5, 5, 1)}
STEPS_PER_TURN = 50


def kanoscope_step(data: Dataset, widths: tuple[int, ...]) -> Callable[[], object]:
    """Return a step of a B-spline KAN, grid 5, order 3."""
    network = KAN(NetworkSpec(widths=widths, grid_size=5, order=3))
    return Trainer(network, data, TrainingSpec(optimizer="adam", learning_rate=0.01)).step


def mlp_step(data: Dataset, widths: tuple[int, ...]) -> Callable[[], object]:
    """Return a step of an MLP with two hidden layers of 32 SiLU units."""
    layers = [torch.nn.Linear(widths[0], 32), torch.nn.SiLU(), torch.nn.Linear(32, 32), torch.nn.SiLU()]
    model = torch.nn.Sequential(*layers, torch.nn.Linear(32, widths[-1]))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

    def step() -> None:
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(model(data.train_inputs), data.train_targets).backward()
        optimizer.step()

    return step


def pykan_fit(data: Dataset, widths: tuple[int, ...]) -> Callable[[], object]:
    """Return fifty steps of pykan's own `fit` by Adam, with its defaults."""
    from kan import KAN as PyKAN

    model = PyKAN(width=list(widths), grid=5, k=3, seed=0, auto_save=False)
    columns = ("train_input", "train_label", "test_input", "test_label")
    tensors = (data.train_inputs, data.train_targets, data.test_inputs, data.test_targets)
    samples = dict(zip(columns, tensors, strict=True))
    return lambda: model.fit(samples, opt="Adam", steps=STEPS_PER_TURN, lr=0.01)


def pykan_fast_step(data: Dataset, widths: tuple[int, ...]) -> Callable[[], object]:
    """Return a step of pykan in a bare loop after `speed()`, its fastest mode."""
    from kan import KAN as PyKAN

    model = PyKAN(width=list(widths), grid=5, k=3, seed=0, auto_save=False).speed()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

    def step() -> None:
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(model(data.train_inputs), data.train_targets).backward()
        optimizer.step()

    return step


def main(rounds: Annotated[int, typer.Option(help="Turns of 50 steps for every contestant.")] = 7) -> None:
    """Measure and print the table."""
    torch.set_num_threads(1)
    has_pykan = importlib.util.find_spec("kan") is not None
    rows: list[list[str]] = []
    for problem, widths in SHAPES.items():
        data = CATALOGUE[problem].sample(seed=0, num_train=NUM_SAMPLES).to_dtype(torch.float32)
        ours, mlp = kanoscope_step(data, widths), mlp_step(data, widths)
        contestants: dict[str, Callable[[], object]] = {
            "kanoscope": lambda ours=ours: [ours() for _ in range(STEPS_PER_TURN)],
            "MLP 32×32": lambda mlp=mlp: [mlp() for _ in range(STEPS_PER_TURN)],
        }
        if has_pykan:
            fast = pykan_fast_step(data, widths)
            contestants["pykan, fit()"] = pykan_fit(data, widths)
            contestants["pykan, speed()"] = lambda fast=fast: [fast() for _ in range(STEPS_PER_TURN)]
        times = median_times(contestants, rounds=rounds)
        base = times["kanoscope"]
        shape = "[" + ",".join(map(str, widths)) + "]"
        rows += [
            [shape, name, f"{1e3 * seconds / STEPS_PER_TURN:.2f}", f"{seconds / base:.1f}"]
            for name, seconds in times.items()
        ]
    show_table(
        "Full-batch Adam step, 1,000 samples, float32, one thread",
        ["widths", "", "median ms", "times Kanoscope's"],
        rows,
    )


if __name__ == "__main__":
    typer.run(main)
