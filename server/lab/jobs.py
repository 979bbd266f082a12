"""What the web side asks of whatever computes points: processes here, a cluster elsewhere.

A job is data alone, and so is all that is told about it, so that both may cross a network.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from pydantic import FiniteFloat

from server.lab.plan import PlannedPoint
from server.messages import Message


class Job(Message):
    """A point of a run to be computed; the lower its priority, the sooner."""

    run_id: str
    toml: str
    point: PlannedPoint
    priority: int = 0


class JobProgress(Message):
    """How far a job is; `progress` goes from 0 to 1, `seconds` are the processor's."""

    progress: FiniteFloat
    step: int
    seconds: FiniteFloat
    test_rmse: FiniteFloat | None


class JobListener(Protocol):
    """Hears of jobs."""

    def on_progress(self, job: Job, progress: JobProgress) -> None:
        """Take note of how far a job is."""
        ...

    async def on_result(self, job: Job, result: str) -> None:
        """Keep a job's result, as JSON; what computed it takes up no other job until this returns."""
        ...


class JobQueue(Protocol):
    """Computes jobs, those of lower priority first and otherwise every run's in turn; tells its listener of them."""

    @property
    def num_processes(self) -> int:
        """How many jobs are computed at once."""
        ...

    def listen(self, listener: JobListener) -> None:
        """Tell this one of jobs from now on."""
        ...

    def put(self, jobs: Iterable[Job]) -> None:
        """Compute these, in this order within their run."""
        ...

    def hold(self, run_id: str) -> None:
        """Let the run's jobs rest where they are."""
        ...

    def release(self, run_id: str) -> None:
        """Go on with jobs that were held."""
        ...

    def drop(self, run_id: str) -> None:
        """Forget the run's jobs; of those there comes nothing any more."""
        ...

    async def stop(self) -> None:
        """End, forgetting all jobs; stopping twice is harmless."""
        ...


def failed_json(point: PlannedPoint, sentence: str) -> dict[str, object]:
    """Return the result of a point of which nothing is known but the plan, its number of parameters neither."""
    return {
        "problem": point.problem,
        "contestant": point.contestant,
        "seed": point.seed,
        "value": point.value,
        "parameters": 0,
        "steps": 0,
        "seconds": 0.0,
        "train_rmse": None,
        "test_rmse": None,
        "outcome": "failed",
        "sentence": sentence,
        "curve": [],
    }
