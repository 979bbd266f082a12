"""A process that takes part in a discovery: a job comes in over its input, reports go out over its output, pickled.

Its input and output are pipes of the process that started it, which trusts what it wrote itself. It ends when its time
is over, and when nobody reads what it reports.
"""

from __future__ import annotations

import os
import pickle
import struct
import sys
import time
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import torch
from threadpoolctl import threadpool_limits

from kan_core.checkpoint import from_bytes, to_bytes
from kan_core.datasets import Dataset
from kan_core.discovery.solver import Solver
from kan_core.symbolic.laws import Law
from kan_core.symbolic.own_functions import BUILT_IN, Library, restore_function

LENGTH = struct.Struct("<Q")
INTERVAL = 0.2
NICENESS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a process is to do: samples, seed, way and time, and the functions of a person's own, described."""

    dataset: Dataset
    seed: int
    divides_first: bool
    seconds: float
    own_functions: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What is new since the report before: laws as (network, complexity, train_rmse, test_rmse), the networks as bytes.

    `network_error` is the held-out error of the best network of curves so far, infinite before there is one.
    """

    laws: list[tuple[bytes, int, float, float]]
    findings: list[str]
    activity: str
    network_error: float
    is_done: bool


def pack_law(law: Law) -> tuple[bytes, int, float, float]:
    """Return a law as a report has it."""
    return to_bytes(law.network), law.complexity, law.train_rmse, law.test_rmse


def unpack_law(packed: tuple[bytes, int, float, float]) -> Law:
    """Return the law of a report."""
    network, complexity, train_rmse, test_rmse = packed
    return Law(network=from_bytes(network), complexity=complexity, train_rmse=train_rmse, test_rmse=test_rmse)


def run(job: Job, output: BinaryIO) -> None:
    """Do the job to its end and report on the way."""
    library = Library(tuple(restore_function(one) for one in job.own_functions)) if job.own_functions else BUILT_IN
    solver = Solver(
        job.dataset,
        seed=job.seed,
        divides_first=job.divides_first,
        deadline=time.monotonic() + job.seconds,
        library=library,
    )
    told: set[int] = set()
    next_report = 0.0
    while True:
        solver.step()
        if solver.is_done or time.monotonic() >= next_report:
            laws = [law for law in solver.laws if id(law) not in told]
            told |= {id(law) for law in laws}
            report = Report(
                laws=[pack_law(law) for law in laws],
                findings=list(solver.findings),
                activity=solver.activity,
                network_error=solver.network_error,
                is_done=solver.is_done,
            )
            write_message(output, report)
            next_report = time.monotonic() + INTERVAL
        if solver.is_done:
            return


def write_message(output: BinaryIO, message: object) -> None:
    """Write one message, its length first."""
    body = pickle.dumps(message)
    output.write(LENGTH.pack(len(body)) + body)
    output.flush()


def main() -> None:
    """Do the job that comes in."""
    torch.set_num_threads(1)
    threadpool_limits(1)
    os.nice(NICENESS)
    # whatever libraries print must not come between the reports
    output, sys.stdout = sys.stdout.buffer, sys.stderr
    try:
        run(pickle.load(sys.stdin.buffer), output)
    except BrokenPipeError:
        os._exit(0)


if __name__ == "__main__":
    main()
