"""Points as a process of the lab computes them."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any

from kan_core.errors import KanError
from kan_core.lab import LabPoint, LabSpec, PointResult, PointRun, failed_result, lab_points, parse_spec, point_seconds
from server.lab.jobs import Job, JobProgress, failed_json
from server.lab.plan import PlannedPoint
from server.lab.process import Computation
from server.lab.provenance import stamp
from server.worker import limit_threads

log = logging.getLogger(__name__)


def prepare() -> None:
    """Make this process ready for points."""
    limit_threads()


@lru_cache(maxsize=4)
def read_spec(toml: str) -> LabSpec:
    """Return the spec of a text, read once for all its points; raises SpecError."""
    return parse_spec(toml)


def find_point(spec: LabSpec, key: str) -> LabPoint | None:
    """Return a spec's point by its key."""
    return next((point for point in lab_points(spec) if point.key == key), None)


def begin_point(job: Job) -> Computation:
    """Start a job; what keeps it from running is its result."""
    fail: Callable[[str], Mapping[str, object]] = partial(failed_json, job.point)
    try:
        spec = read_spec(job.toml)
        point = find_point(spec, job.point.key)
        if point is None:
            return Failed(fail("This version knows no such point of the spec: run the spec anew."))
        fail = partial(_fail, spec, point)
        return Training(spec, point)
    except KanError as error:
        return Failed(fail(str(error)))
    except MemoryError:
        return Failed(fail("There is not enough memory for this point: make it smaller."))
    except Exception:
        log.exception("the point %s could not begin", job.point.key)
        return Failed(fail("Something unexpected went wrong at the start of this point."))


class Failed:
    """A point that cannot run."""

    def __init__(self, result: Mapping[str, object]) -> None:
        self._result = result

    @property
    def is_done(self) -> bool:
        """That it is."""
        return True

    def step(self) -> None:
        """Do nothing."""

    def progress(self) -> JobProgress:
        """Return that it is over."""
        return JobProgress(progress=1.0, step=0, seconds=0.0, test_rmse=None)

    def result(self) -> str:
        """Return why it cannot run."""
        return json.dumps(stamp(self._result), allow_nan=False)


class Training:
    """A point that is trained; an error on the way is its result. Raises KanError when it cannot run."""

    def __init__(self, spec: LabSpec, point: LabPoint) -> None:
        self._spec = spec
        self._point = point
        self._run = PointRun(spec, point)
        self._failure = ""

    @property
    def is_done(self) -> bool:
        """Whether it has spent its budget, converged or failed."""
        return bool(self._failure) or self._run.is_done

    def step(self) -> None:
        """Do one step of the optimizer."""
        try:
            self._run.step()
        except KanError as error:
            self._failure = str(error)
        except MemoryError:
            self._failure = "There is not enough memory for this point: make it smaller."
        except Exception:
            log.exception("the point %s failed", self._point.key)
            self._failure = "Something unexpected went wrong while this point was trained."

    def progress(self) -> JobProgress:
        """Return how far it is."""
        step, seconds, test_rmse = self._run.curve[-1]
        return JobProgress(progress=self._run.progress, step=step, seconds=seconds, test_rmse=finite_or_none(test_rmse))

    def result(self) -> str:
        """Return what it came to."""
        if self._failure:
            return json.dumps(stamp(_fail(self._spec, self._point, self._failure)), allow_nan=False)
        return json.dumps(stamp(result_json(self._run.result)), allow_nan=False)


def _fail(spec: LabSpec, point: LabPoint, sentence: str) -> dict[str, Any]:
    return result_json(failed_result(spec, point, sentence))


def result_json(result: PointResult) -> dict[str, Any]:
    """Return a result as plain values that JSON has: errors that are no number are None, and not on the curve."""
    values = result.to_json()
    for name in ("train_rmse", "test_rmse"):
        values[name] = finite_or_none(values[name])
    values["curve"] = [place for place in values["curve"] if math.isfinite(place[2])]
    return values


def finite_or_none(value: float | None) -> float | None:
    """Return a number, or None for what is none."""
    return value if value is not None and math.isfinite(value) else None


def plan_points(spec: LabSpec) -> list[PlannedPoint]:
    """Return the points of a spec as plain values."""
    return [
        PlannedPoint(
            key=point.key,
            problem=point.problem,
            contestant=point.contestant,
            seed=point.seed,
            value=point.value,
            expected_seconds=point_seconds(spec, point),
        )
        for point in lab_points(spec)
    ]
