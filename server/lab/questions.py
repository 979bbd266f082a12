"""What the web side asks about specs and results, which only a process that has loaded kan_core can answer."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from server.messages import Message


class ReadyQuestion(Message):
    """Which ready specs are there? A LabReadyList."""

    what: Literal["ready"] = "ready"


class PlanQuestion(Message):
    """What does this spec (or ready spec, by its name) mean, of one problem alone if `only` is given? A LabPlan."""

    what: Literal["plan"] = "plan"
    toml: str
    only: str | None = None


class FitsQuestion(Message):
    """Which laws do these results follow? A list of LabFit."""

    what: Literal["fits"] = "fits"
    toml: str
    # each as JSON, which the web process need not read
    results: list[str]


class FiguresQuestion(Message):
    """What do the results look like? Plotly figures by their names."""

    what: Literal["figures"] = "figures"
    toml: str
    results: list[str]


class ReportQuestion(Message):
    """What is there to report of a run? HTML as a text."""

    what: Literal["report"] = "report"
    run_id: str
    toml: str
    results: list[str]


class SessionQuestion(Message):
    """What does a session start with that trains this point? A SessionRequest."""

    what: Literal["session"] = "session"
    toml: str
    key: str


Question = Annotated[
    ReadyQuestion | PlanQuestion | FitsQuestion | FiguresQuestion | ReportQuestion | SessionQuestion,
    Field(discriminator="what"),
]
QUESTIONS: TypeAdapter[Question] = TypeAdapter(Question)
