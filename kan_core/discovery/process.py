"""A process that takes part in a discovery: a job comes in over its input, reports go out over its output, pickled.

Its input and output are pipes of the process that started it, which trusts what it wrote itself. Its time counts from
when it has loaded and knows the mean, which its first report tells. It ends when its time is over, and when nobody
reads what it reports.
"""

from __future__ import annotations

import math
import os
import pickle
import sys
import time
from typing import BinaryIO

import torch
from threadpoolctl import threadpool_limits

from kan_core.discovery.reports import Job, Report, pack_law, write_message
from kan_core.discovery.solver import Solver
from kan_core.symbolic.own_functions import BUILT_IN, Library, restore_function

INTERVAL = 0.2
# it gives way to the process that started it, but sinks no lower than this while it does
NICENESS = 3
LOWEST = 15


def run(job: Job, output: BinaryIO) -> None:
    """Do the job to its end and report on the way, laws as soon as they are found."""
    library = Library(tuple(restore_function(one) for one in job.own_functions)) if job.own_functions else BUILT_IN
    solver = Solver(
        job.dataset,
        seed=job.seed,
        divides_first=job.divides_first,
        deadline=math.inf,
        library=library,
    )
    # what is compiled for the mean is part of loading, and there is something to compare with in the shortest time
    while not solver.num_found:
        solver.step()
    solver.deadline = time.monotonic() + job.seconds
    told: set[int] = set()
    next_report, num_told = 0.0, 0
    while True:
        if solver.is_done or solver.num_found > num_told or time.monotonic() >= next_report:
            laws = [law for law in solver.laws if id(law) not in told]
            told |= {id(law) for law in laws}
            report = Report(
                laws=[pack_law(law) for law in laws],
                findings=list(solver.findings),
                activity=solver.activity or "starting",
                network_errors=dict(solver.network_errors),
                is_done=solver.is_done,
            )
            write_message(output, report)
            next_report, num_told = time.monotonic() + INTERVAL, solver.num_found
        if solver.is_done:
            return
        solver.step()


def steps_down(niceness: int) -> int:
    """Return by how much a process is made nicer than `niceness`, which is that of the one that started it."""
    return max(min(NICENESS, LOWEST - niceness), 1)


def main() -> None:
    """Do the job that comes in."""
    torch.set_num_threads(1)
    threadpool_limits(1)
    os.nice(steps_down(os.nice(0)))
    # whatever libraries print must not come between the reports
    output, sys.stdout = sys.stdout.buffer, sys.stderr
    try:
        run(pickle.load(sys.stdin.buffer), output)
    except BrokenPipeError:
        os._exit(0)


if __name__ == "__main__":
    main()
