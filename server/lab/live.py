"""A run as it stands: its points, who watches it, and what they are told."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Mapping
from typing import Any

from server.lab.jobs import JobProgress
from server.lab.messages import (
    MAX_CURVE,
    LabCurvePoint,
    LabFit,
    LabPointEvent,
    LabPointInfo,
    LabProgressEvent,
    LabRunInfo,
    LabRunning,
    LabRunState,
    LabStateEvent,
)
from server.lab.plan import PlannedPoint
from server.lab.store import StoredRun
from server.lab.viewer import LabViewer
from server.messages import Message

PROGRESS_INTERVAL = 0.2
# of all curves of a run together
MAX_PLACES = 8000


class LiveRun:
    """A run in memory with the results it has so far; `num_processes` compute its points."""

    def __init__(self, stored: StoredRun, results: Mapping[str, str], *, num_processes: int) -> None:
        self.stored = stored
        self.state: LabRunState = stored.state
        self.changing = asyncio.Lock()
        # whether it is carried out here: the queue has its points, and its lease is this process's own
        self.is_carried = False
        self.fits: list[LabFit] = []
        # how many points the fits are of
        self.num_fitted = 0
        self.viewers: set[LabViewer] = set()
        self.obstacle = ""
        self._num_processes = num_processes
        # so that what is told of a large run stays small
        self._curve_size = max(2, min(MAX_CURVE, MAX_PLACES // max(1, len(stored.plan.points))))
        self._points = {
            point.key: self._done(point, results[point.key]) if point.key in results else point.waiting()
            for point in stored.plan.points
        }
        self._running: dict[str, JobProgress] = {}
        self._telling: asyncio.TimerHandle | None = None

    def may_edit(self, key: str | None) -> bool:
        """Return whether the key is this run's edit key."""
        return key is not None and hmac.compare_digest(key.encode(), self.stored.edit_key.encode())

    @property
    def run_id(self) -> str:
        """Its name."""
        return self.stored.run_id

    @property
    def wanted(self) -> LabRunState:
        """What the database says is to become of it, as far as is known here: what an obstacle pauses is to run."""
        return "running" if self.obstacle else self.state

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes."""
        return self.state in ("done", "cancelled")

    @property
    def num_points(self) -> int:
        """How many points it has."""
        return len(self._points)

    @property
    def num_done(self) -> int:
        """How many of them are done, failed ones included."""
        return sum(point.state == "done" for point in self._points.values())

    @property
    def num_failed(self) -> int:
        """How many of them could not be trained."""
        return sum(point.outcome == "failed" for point in self._points.values())

    @property
    def is_complete(self) -> bool:
        """Whether all points are done."""
        return self.num_done == self.num_points

    @property
    def missing(self) -> list[PlannedPoint]:
        """The points that are not done."""
        return [point for point in self.stored.plan.points if self._points[point.key].state != "done"]

    @property
    def sentence(self) -> str:
        """What became of the run, or why it waits."""
        done = f"{self.num_done} of {self.num_points} points are done"
        failed = f"; {self.num_failed} failed, and say why" if self.num_failed else ""
        match self.state:
            case "running":
                return ""
            case "paused":
                return self.obstacle or f"Paused: {done}{failed}."
            case "interrupted" if self.stored.origin == "command":
                return f"Interrupted: {done} and kept{failed}. The same command goes on with the rest."
            case "interrupted":
                return f"Interrupted: {done} and kept{failed}. It goes on by itself within seconds."
            case "cancelled":
                return f"Cancelled: {done} and kept{failed}."
            case "done":
                return f"All {self.num_points} points are done{failed}."

    @property
    def seconds_left(self) -> float | None:
        """The seconds until it is done, judged by the points that are done; None unless it runs."""
        if self.state != "running":
            return None
        took = expected = left = 0.0
        num_missing = 0
        for planned in self.stored.plan.points:
            point = self._points[planned.key]
            if point.state == "done":
                if point.outcome != "failed":
                    took += point.seconds or 0.0
                    expected += planned.expected_seconds
                continue
            num_missing += 1
            running = self._running.get(planned.key)
            left += planned.expected_seconds * (1.0 if running is None else 1.0 - running.progress)
        pace = took / expected if took > 0.0 and expected > 0.0 else 1.0
        return pace * left / max(1, min(self._num_processes, num_missing))

    def info(self, *, can_edit: bool) -> LabRunInfo:
        """Return the run with all its points."""
        plan = self.stored.plan
        return LabRunInfo(
            run_id=self.stored.run_id,
            title=plan.title,
            question=plan.question,
            kind=plan.kind,
            variable=plan.variable,
            digest=plan.digest,
            toml=plan.toml,
            state=self.state,
            sentence=self.sentence,
            created=self.stored.created,
            can_edit=can_edit,
            num_points=self.num_points,
            num_done=self.num_done,
            num_failed=self.num_failed,
            processes=self._num_processes,
            expected_seconds=plan.expected_seconds / max(1, min(self._num_processes, self.num_points)),
            seconds_left=self.seconds_left,
            contestants=plan.contestants,
            problems=plan.problems,
            titles=plan.titles,
            seeds=plan.seeds,
            points=[self._as_it_is(point) for point in self._points.values()],
            fits=self.fits,
        )

    def _done(self, point: PlannedPoint, result: str) -> LabPointInfo:
        return point_done(point, result, curve_size=self._curve_size)

    def _as_it_is(self, point: LabPointInfo) -> LabPointInfo:
        is_running = point.state == "waiting" and point.key in self._running
        return point.model_copy(update={"state": "running"}) if is_running else point

    # --- what happens

    def finish_point(self, key: str, result: str) -> None:
        """Take up a point's result and tell of it."""
        self._running.pop(key, None)
        planned = next(point for point in self.stored.plan.points if point.key == key)
        self._points[key] = point = self._done(planned, result)
        self.publish(
            LabPointEvent(
                point=point, num_done=self.num_done, num_failed=self.num_failed, seconds_left=self.seconds_left
            )
        )

    def take_results(self, results: Mapping[str, str]) -> None:
        """Take up the results, by the keys of their points, that are not known yet, and tell of them."""
        for key in [point.key for point in self.missing if point.key in results]:
            self.finish_point(key, results[key])

    def note_progress(self, key: str, progress: JobProgress) -> None:
        """Take up how far a point is, and tell of it soon, with others' progress."""
        if self._points[key].state == "done":
            return
        self._running[key] = progress
        if self._telling is None and self.viewers:
            self._telling = asyncio.get_running_loop().call_later(PROGRESS_INTERVAL, self._tell_progress)

    def _tell_progress(self) -> None:
        self._telling = None
        running = [
            LabRunning(key=key, progress=one.progress, step=one.step, seconds=one.seconds, test_rmse=one.test_rmse)
            for key, one in self._running.items()
        ]
        if running:
            self.publish(LabProgressEvent(running=running))

    def forget_running(self) -> None:
        """Take note that no point is being computed."""
        self._running.clear()

    def set_state(self, state: LabRunState, *, obstacle: str = "") -> None:
        """Note another state and tell of it."""
        self.state, self.obstacle = state, obstacle
        if state in ("interrupted", "cancelled", "done"):
            self.forget_running()
        self.publish(LabStateEvent(state=self.state, sentence=self.sentence))

    def publish(self, event: Message) -> None:
        """Tell everyone who watches."""
        for viewer in self.viewers:
            viewer.put(event)

    def close(self, code: int, reason: str) -> None:
        """Send everyone away who watches."""
        if self._telling is not None:
            self._telling.cancel()
        for viewer in self.viewers:
            viewer.close(code, reason)


def point_done(point: PlannedPoint, text: str, *, curve_size: int) -> LabPointInfo:
    """Return a point with its result, given as JSON; its curve thinned to at most `curve_size` places."""
    result: dict[str, Any] = json.loads(text)
    curve: list[tuple[int, float, float | None]] = result["curve"]
    stride = max(1, -(-len(curve) // max(1, curve_size - 1)))
    thin = curve[::stride] + ([curve[-1]] if curve and (len(curve) - 1) % stride else [])
    return LabPointInfo(
        key=point.key,
        problem=point.problem,
        contestant=point.contestant,
        seed=point.seed,
        value=point.value,
        state="done",
        outcome=result["outcome"],
        sentence=result["sentence"],
        parameters=result["parameters"],
        steps=result["steps"],
        seconds=result["seconds"],
        train_rmse=result["train_rmse"],
        test_rmse=result["test_rmse"],
        curve=[LabCurvePoint(step=step, seconds=seconds, test_rmse=error) for step, seconds, error in thin],
    )
