"""How long *How do they scale?* takes, what it finds, and how long the same sweep would take by pykan.

    python -m benchmarks.lab_scaling
    python -m benchmarks.lab_scaling --python .venv/bin/python

The ready spec runs as by `kanoscope lab how-they-scale --fresh`, on all cores, in a data folder of its own; the second
form is for an interpreter that has pykan and not the server: the sweep then runs by the one that is named.

pykan's time is an estimate from a sample. It trains networks of the same widths, order and grids on the same samples of
the first seed, in float64 and one thread, by L-BFGS, after `speed()` and without updates of its grids, both of which
spare it time. Measured are single steps of its `fit` (each up to 20 iterations with a line search) at the smallest and
a middle grid of each problem, everyone in every round, by the time of the processor, and of these the medians. So

    seconds of a grid = 200 steps, the paper's for each grid (arXiv 2404.19756, section 3.1)
                        · seconds of a step, on a straight line through the two grids
    seconds of all    = their sum over the grids that the lab has measured, for each problem and seed

pykan so goes through the grids once for each seed, as in the paper, while the lab trains every point from the start.
Its time on several cores is that of the processor, divided among them without loss.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["TQDM_DISABLE"] = "1"

import importlib.util
import json
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from threadpoolctl import threadpool_limits

from benchmarks.interleave import show_table
from kan_core.lab import LabPoint, LabSpec, lab_points, parse_spec, point_dataset, point_shape, ready_text
from kan_core.network import NetworkSpec

ROOT = Path(__file__).parents[1]
NAME = "how-they-scale"
STEPS_PER_GRID = 200


@dataclass(slots=True)
class Cell:
    """A network of pykan's at one grid: widths, samples, and the seconds that each of its measured steps took."""

    point: LabPoint
    model: Any
    samples: dict[str, torch.Tensor]
    seconds: list[float] = field(default_factory=list)

    def step(self) -> None:
        """Do one step and note its time."""
        began = time.process_time()
        self.model.fit(self.samples, opt="LBFGS", steps=1, update_grid=False)
        self.seconds.append(time.process_time() - began)

    @property
    def median(self) -> float:
        """The median of the seconds of a step, the first one aside, in which everything is set up."""
        return statistics.median(self.seconds[1:])


def run_lab(python: str, spec: str) -> tuple[dict[str, Any], float]:
    """Return what `kanoscope lab --json` says, and the seconds until it ended."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        environment = os.environ | {"KANOSCOPE_DATA_DIR": folder, "PYTHONPATH": path}
        command = [python, "-m", "server.cli", "lab", spec, "--fresh", "--json"]
        began = time.perf_counter()
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
        return json.loads(done.stdout), time.perf_counter() - began


def make_cell(spec: LabSpec, point: LabPoint) -> Cell:
    """Return pykan's network for a point, with its samples."""
    from kan import KAN as PyKAN

    shape, data = point_shape(spec, point), point_dataset(spec, point)
    assert isinstance(shape, NetworkSpec)
    assert point.value is not None
    model = PyKAN(width=list(shape.widths), grid=point.value, k=shape.order, seed=point.seed, auto_save=False)
    samples = {
        "train_input": data.train_inputs,
        "train_label": data.train_targets,
        "test_input": data.test_inputs,
        "test_label": data.test_targets,
    }
    return Cell(point, model.speed(), samples)


def sample_pykan(spec: LabSpec, sizes: dict[str, list[int]], rounds: int) -> dict[str, list[Cell]]:
    """Return measured cells at the smallest and a middle one of the sizes of each problem."""
    torch.set_default_dtype(torch.float64)
    chosen = {problem: sorted({values[0], values[len(values) // 2]}) for problem, values in sizes.items()}
    cells = {
        problem: [
            make_cell(spec, point)
            for point in lab_points(spec)
            if (point.problem, point.seed) == (problem, spec.seeds[0]) and point.value in values
        ]
        for problem, values in chosen.items()
    }
    for _ in range(rounds + 1):
        for of_problem in cells.values():
            for cell in of_problem:
                cell.step()
    return cells


def extrapolate(cells: list[Cell], value: int) -> float:
    """Return the seconds of a step at a grid, on the line through the measured ones."""
    first, last = cells[0], cells[-1]
    assert first.point.value is not None
    assert last.point.value is not None
    if first is last:
        return first.median
    slope = (last.median - first.median) / (last.point.value - first.point.value)
    return first.median + max(slope, 0.0) * (value - first.point.value)


def show_lab(told: dict[str, Any], wall: float, cores: int) -> None:
    """Print how long the sweep took and what it found."""
    spent = sum(point["seconds"] for point in told["points"])
    rows = [
        [
            fit["problem"],
            "–" if fit["exponent"] is None else f"{fit['exponent']:.2f}",
            "–" if fit["low"] is None else f"{fit['low']:.2f} to {fit['high']:.2f}",
            fit["sentence"],
        ]
        for fit in told["fits"]
    ]
    show_table(
        f"{told['title']} {len(told['points'])} points on {cores} cores: {wall:.0f} s from the command to its end, "
        f"{spent:.0f} s of the processor in trainings",
        ["problem", "exponent", "95 %", ""],
        rows,
    )


def show_pykan(spec: LabSpec, told: dict[str, Any], sizes: dict[str, list[int]], rounds: int, cores: int) -> None:
    """Print what pykan's sample came to."""
    began = time.perf_counter()
    cells = sample_pykan(spec, sizes, rounds)
    took = time.perf_counter() - began
    show_table(
        f"pykan by L-BFGS, {spec.num_train:,} samples, float64, one thread: seconds of a step, median of {rounds} "
        f"(all of the sample in {took:.0f} s)",
        ["problem", "widths", "grid", "s a step"],
        [
            [problem, str(list(point_shape(spec, cell.point).widths)), str(cell.point.value), f"{cell.median:.3f}"]
            for problem, of_problem in cells.items()
            for cell in of_problem
        ],
    )
    ours, theirs = dict.fromkeys(sizes, 0.0), dict.fromkeys(sizes, 0.0)
    for point in told["points"]:
        ours[point["problem"]] += point["seconds"]
    for problem, values in sizes.items():
        steps = STEPS_PER_GRID * len(spec.seeds)
        theirs[problem] = steps * sum(extrapolate(cells[problem], value) for value in values)
    rows = [
        [problem, ", ".join(map(str, sizes[problem])), f"{ours[problem]:.0f}", f"{theirs[problem]:.0f}", ratio]
        for problem in sizes
        for ratio in [f"{theirs[problem] / ours[problem]:.1f}"]
    ]
    mine, other = sum(ours.values()), sum(theirs.values())
    rows.append(["all", "", f"{mine:.0f}", f"{other:.0f}", f"{other / mine:.1f}"])
    show_table(
        f"The same sweep, {len(spec.seeds)} seeds, seconds of the processor: pykan's by {STEPS_PER_GRID} steps a grid, "
        "on a straight line through the sample",
        ["problem", "grids", "Kanoscope", "pykan, estimated", "times Kanoscope's"],
        rows,
    )
    typer.echo(f"\npykan on {cores} cores, without loss: {other / cores / 60:.0f} minutes.")


def main(
    spec: Annotated[str, typer.Option(help="A sweep of grid sizes, as a TOML file, to try another.")] = NAME,
    python: Annotated[str, typer.Option(help="An interpreter that has Kanoscope's server.")] = sys.executable,
    rounds: Annotated[int, typer.Option(help="Measured steps of pykan at each grid of the sample.")] = 3,
) -> None:
    """Run the sweep, take the sample and print the tables."""
    read = parse_spec(ready_text(spec) if spec == NAME else Path(spec).read_text())
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    told, wall = run_lab(python, spec)
    show_lab(told, wall, cores)
    if importlib.util.find_spec("kan") is None:
        typer.echo("\npykan is not installed: pip install -r benchmarks/peers.txt brings it.")
        return
    sizes = {
        one.name: sorted({p["value"] for p in told["points"] if p["problem"] == one.name and p["outcome"] != "failed"})
        for one in read.problems
    }
    torch.set_num_threads(1)
    with threadpool_limits(1):
        show_pykan(read, told, sizes, rounds, cores)


if __name__ == "__main__":
    typer.run(main)
