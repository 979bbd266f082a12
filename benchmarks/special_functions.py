"""Special functions of two variables: the auto recipe of a KAN, beside a perceptron with at least as many parameters.

    python -m benchmarks.special_functions

The functions are those of the KAN paper (arXiv 2404.19756, table 2), from SciPy, over the ranges printed with them,
which hold no singularity. Both learn the same 3,000 samples, drawn evenly, and are tested on 3,000 others. The
perceptron has two hidden layers, and is trained as well as we can: Levenberg-Marquardt from several starts with tanh
and SiLU, the best on held-out samples goes on with all samples until nothing better is in reach or its time is over,
which is that of the KAN three times over.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import torch
import typer
from scipy import special
from threadpoolctl import threadpool_limits

from benchmarks.interleave import show_table
from kan_core import KAN, Dataset, NetworkSpec, train
from kan_core.bases.basis import FloatArray
from kan_core.mlp import MLP, MLPSpec
from kan_core.mlp_objective import MLPObjective
from kan_core.optimizers.levenberg_marquardt import LevenbergMarquardtState, levenberg_marquardt_step

NUM_SAMPLES = 3000
WIDTHS = (2, 5, 1)
NUM_STARTS = 6
START_STEPS = 25
VALIDATION_SHARE = 0.2
TINY_DECREASE = 1e-9
PATIENCE = 5
TIME_FACTOR = 3.0

Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class SpecialFunction:
    """A function of two arrays and the ranges of its arguments."""

    name: str
    function: Callable[[FloatArray, FloatArray], Any]
    first: tuple[str, Range]
    second: tuple[str, Range]

    @property
    def domain(self) -> str:
        """The ranges as text."""
        return ", ".join(f"{name} ∈ [{low:g}, {high:g}]" for name, (low, high) in (self.first, self.second))

    def sample(self, seed: int) -> Dataset:
        """Return 3,000 samples to learn and 3,000 to test on."""
        generator = np.random.default_rng(seed)
        columns = [generator.uniform(*bounds, 2 * NUM_SAMPLES) for _, bounds in (self.first, self.second)]
        inputs = torch.from_numpy(np.stack(columns, axis=1))
        targets = torch.from_numpy(np.asarray(self.function(*columns), dtype=np.float64)[:, None])
        return Dataset(
            train_inputs=inputs[:NUM_SAMPLES],
            train_targets=targets[:NUM_SAMPLES],
            test_inputs=inputs[NUM_SAMPLES:],
            test_targets=targets[NUM_SAMPLES:],
        )


def _harmonic(order: int, degree: int) -> SpecialFunction:
    """Return the real part of a spherical harmonic of the azimuth θ and the polar angle φ."""
    return SpecialFunction(
        f"sph_harm ({order}, {degree})",
        lambda azimuth, polar: np.real(special.sph_harm_y(degree, order, polar, azimuth)),
        ("θ", (0.0, 2 * math.pi)),
        ("φ", (0.0, math.pi)),
    )


def _legendre(order: int) -> SpecialFunction:
    return SpecialFunction(
        f"lpmv m={order}",
        lambda degree, x: np.asarray(special.lpmv(order, degree, x)),
        ("ν", (0.5, 4.0)),
        ("x", (-0.9, 0.9)),
    )


MODULUS = ("m", (0.0, 0.9))
ORDER = ("ν", (0.0, 3.0))
FUNCTIONS = (
    SpecialFunction("ellipj sn", lambda u, m: special.ellipj(u, m)[0], ("u", (-3.0, 3.0)), MODULUS),
    SpecialFunction("ellipkinc", special.ellipkinc, ("φ", (-1.5, 1.5)), MODULUS),
    SpecialFunction("ellipeinc", special.ellipeinc, ("φ", (-1.5, 1.5)), MODULUS),
    SpecialFunction("jv", special.jv, ORDER, ("x", (0.5, 10.0))),
    SpecialFunction("yv", special.yv, ORDER, ("x", (3.0, 10.0))),
    SpecialFunction("kv", special.kv, ORDER, ("x", (1.0, 5.0))),
    SpecialFunction("iv", special.iv, ORDER, ("x", (0.5, 5.0))),
    *(_legendre(order) for order in (0, 1, 2)),
    *(_harmonic(order, degree) for order, degree in ((0, 1), (1, 1), (0, 2), (1, 2), (2, 2))),
)


def hold_out(data: Dataset) -> Dataset:
    """Return the training samples alone, a fifth of them as the test samples."""
    kept = round(len(data.train_inputs) * (1 - VALIDATION_SHARE))
    return Dataset(
        train_inputs=data.train_inputs[:kept],
        train_targets=data.train_targets[:kept],
        test_inputs=data.train_inputs[kept:],
        test_targets=data.train_targets[kept:],
    )


def descend(mlp: MLP, data: Dataset, *, max_steps: int, until: float = math.inf) -> float:
    """Train by Levenberg-Marquardt in place and return the error on the data's test samples."""
    objective = MLPObjective(mlp, data)
    point, state, idle = objective.parameters, LevenbergMarquardtState(), 0
    for _ in range(max_steps):
        point, _, state = levenberg_marquardt_step(objective, point, state)
        idle = 0 if state.decrease > TINY_DECREASE else idle + 1
        if not state.accepted or idle >= PATIENCE or time.perf_counter() > until:
            break
    objective.loss(point)
    return objective.rmse()[1]


def train_perceptron(data: Dataset, num_parameters: int, seed: int, seconds: float) -> tuple[MLP, float]:
    """Return the best perceptron of at least so many parameters and its test error, trained on for `seconds`."""
    width = next(w for w in range(2, 200) if MLPSpec(widths=(2, w, w, 1)).num_parameters >= num_parameters)
    parted, starts = hold_out(data), list[tuple[float, int, MLP]]()
    for start in range(NUM_STARTS):
        for activation in ("tanh", "silu"):
            spec = MLPSpec(widths=(2, width, width, 1), activation=activation)
            mlp = MLP(spec, generator=torch.Generator().manual_seed(1000 * seed + start), dataset=data)
            starts.append((descend(mlp, parted, max_steps=START_STEPS), len(starts), mlp))
    best = min(starts)[2]
    return best, descend(best, data, max_steps=100_000, until=time.perf_counter() + seconds)


def measure(function: SpecialFunction, seed: int) -> list[str]:
    """Return the row of one function."""
    data = function.sample(seed)
    network = KAN(NetworkSpec(widths=WIDTHS), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    result = train(network, data, seed=seed)
    size = result.network.num_parameters
    start = time.perf_counter()
    mlp, mlp_error = train_perceptron(data, size, seed, TIME_FACTOR * result.seconds)
    mlp_seconds = time.perf_counter() - start
    return [
        function.name,
        function.domain,
        f"[2,5,1] G={result.network.spec.grid_size}",
        str(size),
        f"{result.end.test_rmse:.1e}",
        f"{result.seconds:.1f}",
        f"[{','.join(map(str, mlp.spec.widths))}] {mlp.spec.activation}",
        str(mlp.spec.num_parameters),
        f"{mlp_error:.1e}",
        f"{mlp_seconds:.1f}",
    ]


def main(
    seed: Annotated[int, typer.Option(help="Of data and networks.")] = 0,
    only: Annotated[str, typer.Option(help="Functions whose name contains this.")] = "",
) -> None:
    """Measure and print the table."""
    torch.set_num_threads(1)
    columns = ["function", "range", "KAN", "parameters", "test RMSE", "s", "MLP", "parameters", "test RMSE", "s"]
    with threadpool_limits(1):
        rows = [measure(function, seed) for function in FUNCTIONS if only in function.name]
    show_table("Special functions, 3,000 samples, one thread", columns, rows)


if __name__ == "__main__":
    typer.run(main)
