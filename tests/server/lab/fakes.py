"""What stands in for processes: a queue that computes nothing by itself, and plans without a process."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from server.lab.jobs import Job, JobListener
from server.lab.messages import LabKind
from server.lab.plan import LabPlan, PlannedPoint
from server.refusal import Refusal

# what a result is stamped with, and how that is said
MADE = {
    "provenance": {
        "kanoscope": "1.2.3",
        "computed": "2027-01-02T03:04:05+00:00",
        "processor": "A processor",
        "cores": 2,
        "system": "Linux 6",
        "python": "3.11",
        "torch": "2.9",
        "numpy": "2.1",
    }
}
MAKER = "Kanoscope 1.2.3 on A processor, 2 cores, Linux 6, Python 3.11, PyTorch 2.9, NumPy 2.1"


def make_plan(num_points: int = 3, *, kind: LabKind = "race", digest: str = "d" * 64) -> LabPlan:
    """Return a plan of one problem and contestant and so many seeds."""
    points = [
        PlannedPoint(
            key=f"j0/B-spline/{seed}",
            problem="j0",
            contestant="B-spline",
            seed=seed,
            value=None,
            expected_seconds=6.0 / num_points,
        )
        for seed in range(num_points)
    ]
    return LabPlan(
        digest=digest,
        title="A race",
        question="",
        kind=kind,
        variable=None if kind == "race" else "grid_size",
        toml='title = "A race"',
        contestants=["B-spline"],
        problems=["j0"],
        seeds=list(range(num_points)),
        points=points,
        expected_seconds=6.0,
    )


def make_result(point: PlannedPoint, **values: object) -> str:
    """Return the result of a point as JSON."""
    result = {
        "problem": point.problem,
        "contestant": point.contestant,
        "seed": point.seed,
        "value": point.value,
        "parameters": 9,
        "steps": 4,
        "seconds": 2.0,
        "train_rmse": 0.25,
        "test_rmse": 0.5,
        "outcome": "ok",
        "sentence": "",
        "curve": [[0, 0.0, 1.0], [4, 2.0, 0.5]],
    }
    return json.dumps(result | values)


class Clock:
    """A clock that stands until it is moved, in seconds since 1970."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class FakeQueue:
    """Notes what it is told; `finish` is what a process would do."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.told: list[tuple[str, str]] = []
        self.listener: JobListener | None = None

    @property
    def num_processes(self) -> int:
        return 2

    def listen(self, listener: JobListener) -> None:
        self.listener = listener

    def put(self, jobs: Iterable[Job]) -> None:
        self.jobs += jobs

    def hold(self, run_id: str) -> None:
        self.told.append(("hold", run_id))

    def release(self, run_id: str) -> None:
        self.told.append(("release", run_id))

    def drop(self, run_id: str) -> None:
        self.told.append(("drop", run_id))
        self.jobs = [job for job in self.jobs if job.run_id != run_id]

    async def stop(self) -> None:
        self.told.append(("stop", ""))

    async def finish(self, **values: object) -> Job:
        """Let the next job be done."""
        job = self.jobs.pop(0)
        assert self.listener is not None
        await self.listener.on_result(job, make_result(job.point, **values))
        return job


class FakeAsker:
    """Knows plans by the text of their specs."""

    def __init__(self, plans: Mapping[str, LabPlan]) -> None:
        self._plans = plans
        self.num_fits = 0

    async def stop(self) -> None:
        pass

    async def plan(self, toml: str, *, only: str | None = None) -> LabPlan:
        if toml not in self._plans:
            raise Refusal("bad_spec", f"There is no plan of {toml!r} with only={only}: give another.")
        return self._plans[toml]

    async def fits(self, run_id: str, toml: str, results: list[str]) -> list[dict[str, Any]]:
        self.num_fits += 1
        fit = {"problem": "j0", "contestant": "B-spline", "variable": "grid_size", "exponent": float(len(results))}
        return [fit | {"low": None, "high": None, "sentence": f"{run_id} {toml}"}]
