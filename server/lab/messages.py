"""The bodies of the lab's REST interface and the events of its websocket.

A run carries out a spec (TOML) point by point; a point is one training. Everyone with a run's id may watch it; to
pause, resume, cancel or delete it takes the run's edit key. Times are seconds; errors that are no number (a training
that diverged or failed) are null.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, FiniteFloat

from server.messages import Message

MAX_CURVE = 40

LabKind = Literal["race", "scaling"]
# interrupted: it is to run, and the process that carried it out is gone
LabRunState = Literal["running", "paused", "interrupted", "done", "cancelled"]
LabPointState = Literal["waiting", "running", "done"]
LabOutcome = Literal["ok", "converged", "diverged", "failed"]
LabExportFormat = Literal["csv", "json", "toml", "html"]


class LabReady(Message):
    """A ready spec, usable by its name."""

    name: str
    title: str
    question: str
    toml: str


class LabReadyList(Message):
    """The ready specs."""

    specs: list[LabReady]


class LabSpecRequest(Message):
    """A spec as TOML, to check or to run."""

    toml: str


class LabCheck(Message):
    """Whether a spec can be run, and what that means; all but `sentence` is empty when it cannot."""

    ok: bool
    sentence: str = Field(
        description="what is wrong and what to do, or how many points there are and how long they take"
    )
    digest: str | None = None
    title: str | None = None
    kind: LabKind | None = None
    num_points: int = 0
    processes: int = Field(default=1, description="how many points are computed at once")
    expected_seconds: FiniteFloat = Field(default=0.0, description="until the run is done, if nothing else runs")
    takes: str = Field(default="", description="the same in words, and on how many processes")
    is_long: bool = Field(default=False, description="whether to ask before it starts, as it takes above an hour")
    contestants: list[str] = Field(default=[])
    problems: list[str] = Field(default=[])
    seeds: list[int] = Field(default=[])
    variable: str | None = Field(default=None, description="what a scaling sweep sweeps")
    toml: str | None = Field(default=None, description="the spec in its canonical form")


class LabRunCreated(Message):
    """The new run's id and the key that lets its holder pause, resume, cancel and delete it."""

    run_id: str
    edit_key: str


class LabRunSummary(Message):
    """What anyone may know of a run at a glance; `created` is in seconds since 1970."""

    run_id: str
    title: str
    kind: LabKind
    digest: str
    state: LabRunState
    num_points: int
    num_done: int
    created: FiniteFloat


class LabRunList(Message):
    """The runs of this server, the newest first."""

    runs: list[LabRunSummary]


class LabCurvePoint(Message):
    """The held-out error of a point after some steps and processor seconds."""

    step: int
    seconds: FiniteFloat
    test_rmse: FiniteFloat | None


class LabPointInfo(Message):
    """One point of a run; what it was found to be is null until it is done."""

    key: str
    problem: str
    contestant: str
    seed: int
    value: int | None = Field(description="of what is swept, null in a race")
    state: LabPointState
    outcome: LabOutcome | None = None
    sentence: str = Field(default="", description="why it failed, or how it ended")
    parameters: int | None = None
    steps: int | None = None
    seconds: FiniteFloat | None = Field(default=None, description="of the processor")
    train_rmse: FiniteFloat | None = None
    test_rmse: FiniteFloat | None = None
    curve: list[LabCurvePoint] = Field(default=[], description=f"at most {MAX_CURVE} places of the course of training")


class LabFit(Message):
    """The law error = e^intercept · variable^-exponent of a contestant on a problem; null where there is none."""

    problem: str
    contestant: str
    variable: str
    exponent: FiniteFloat | None
    low: FiniteFloat | None
    high: FiniteFloat | None
    intercept: FiniteFloat | None = None
    first: FiniteFloat | None = Field(default=None, description="the smallest size at which it holds")
    last: FiniteFloat | None = Field(default=None, description="the largest size at which it holds")
    theory: FiniteFloat | None = Field(default=None, description="the exponent that theory promises, if it does")
    limit: FiniteFloat | None = Field(default=None, description="the size with as many parameters as samples")
    sentence: str


class LabRunInfo(Message):
    """A run with all its points, in the order in which they are computed."""

    run_id: str
    title: str
    question: str
    kind: LabKind
    variable: str | None
    digest: str
    toml: str
    state: LabRunState
    sentence: str = Field(description="what became of it, or why it waits")
    created: FiniteFloat
    can_edit: bool
    num_points: int
    num_done: int
    num_failed: int
    processes: int
    expected_seconds: FiniteFloat = Field(description="of the whole run as estimated before it started")
    seconds_left: FiniteFloat | None = Field(description="judged by the points that are done; null unless it runs")
    contestants: list[str]
    problems: list[str]
    titles: dict[str, str] = Field(description="what people call the problems, by their names")
    seeds: list[int]
    points: list[LabPointInfo]
    fits: list[LabFit]


class LabComparedSide(Message):
    """What one of two runs found at a place: medians over the seeds that are done, null where there are none."""

    num_done: int
    test_rmse: FiniteFloat | None
    parameters: FiniteFloat | None
    seconds: FiniteFloat | None = Field(description="of the processor")


class LabComparedPlace(Message):
    """A problem, contestant and value of what is swept that both of two runs have."""

    problem: str
    contestant: str
    value: int | None
    first: LabComparedSide
    second: LabComparedSide
    ratio: FiniteFloat | None = Field(description="of the second's test RMSE to the first's")


class LabComparison(Message):
    """Two runs side by side, and in sentences what differs between them."""

    first: LabRunSummary
    second: LabRunSummary
    sentence: str
    differences: list[str] = Field(description="between the specs")
    makers: list[str] = Field(description="what computed the points, and when")
    seconds_compare: str = Field(description="whether times may be compared")
    variable: str | None
    titles: dict[str, str] = Field(description="what people call the problems, by their names")
    places: list[LabComparedPlace]


class LabOpenRequest(Message):
    """The point, by its key, to be opened as a live session."""

    key: str = Field(max_length=500)


class LabRunEvent(Message):
    """The whole run: the first event of a connection."""

    type: Literal["lab_run"] = "lab_run"
    run: LabRunInfo


class LabPointEvent(Message):
    """A point is done."""

    type: Literal["lab_point"] = "lab_point"
    point: LabPointInfo
    num_done: int
    num_failed: int
    seconds_left: FiniteFloat | None


class LabRunning(Message):
    """How far a point is that is being computed; `progress` goes from 0 to 1."""

    key: str
    progress: FiniteFloat
    step: int
    seconds: FiniteFloat
    test_rmse: FiniteFloat | None


class LabProgressEvent(Message):
    """The points that are being computed now, at most five times a second."""

    type: Literal["lab_progress"] = "lab_progress"
    running: list[LabRunning]


class LabFitsEvent(Message):
    """The laws fitted to the points that are done so far."""

    type: Literal["lab_fits"] = "lab_fits"
    fits: list[LabFit]


class LabStateEvent(Message):
    """The run was paused, resumed, interrupted, cancelled or is done."""

    type: Literal["lab_state"] = "lab_state"
    state: LabRunState
    sentence: str


LabEvent = Annotated[
    LabRunEvent | LabPointEvent | LabProgressEvent | LabFitsEvent | LabStateEvent, Field(discriminator="type")
]

LAB_RECEIVED: tuple[type[Message], ...] = (LabSpecRequest, LabOpenRequest)
LAB_MODELS: tuple[type[Message], ...] = (
    LabReadyList,
    LabSpecRequest,
    LabCheck,
    LabRunCreated,
    LabRunList,
    LabRunInfo,
    LabComparison,
    LabOpenRequest,
)
