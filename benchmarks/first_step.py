"""From `import kan_core` to the first training step in a fresh process: the very first time, and every other.

    python -m benchmarks.first_step

The first process compiles into an empty cache, as after an installation; the others find what it compiled.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from typing import Annotated

import typer

from benchmarks.interleave import show_table

PROGRAM = """
import time
start = time.perf_counter()
from kan_core import KAN, NetworkSpec, Trainer, TrainingSpec
from kan_core.problems import CATALOGUE
trainer = Trainer(KAN(NetworkSpec(basis={family!r})), CATALOGUE["exp_sin"].sample(seed=0), TrainingSpec(optimizer="lm"))
trainer.step()
print(time.perf_counter() - start)
"""


def first_step(cache: str, family: str) -> float:
    """Return the seconds up to the first step in a process of its own."""
    environment = os.environ | {"NUMBA_CACHE_DIR": cache, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", PROGRAM.format(family=family)]
    return float(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)


def main(
    processes: Annotated[int, typer.Option(help="Processes that find compiled code.")] = 5,
    family: Annotated[str, typer.Option(help="The family of basis functions.")] = "bspline",
) -> None:
    """Measure and print the table."""
    with tempfile.TemporaryDirectory() as cache:
        cold = first_step(cache, family)
        warm = statistics.median(first_step(cache, family) for _ in range(processes))
    show_table(
        "Import and first Levenberg-Marquardt step, a fresh process each",
        ["", "seconds"],
        [["the very first time", f"{cold:.1f}"], ["every other time, median", f"{warm:.1f}"]],
    )


if __name__ == "__main__":
    typer.run(main)
