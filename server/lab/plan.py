"""What a spec means: its points in the order in which they are computed, and how long they take."""

from __future__ import annotations

from pydantic import Field, FiniteFloat

from server.lab.messages import LabKind, LabPointInfo
from server.messages import Message


class PlannedPoint(Message):
    """A point that a spec asks for; `value` is of what is swept, `expected_seconds` are the processor's."""

    key: str
    problem: str
    contestant: str
    seed: int
    value: int | None
    expected_seconds: FiniteFloat

    def waiting(self) -> LabPointInfo:
        """Return it as a point of which nothing is known yet."""
        return LabPointInfo(**self.model_dump(exclude={"expected_seconds"}), state="waiting")


class LabPlan(Message):
    """A spec as it is carried out; `expected_seconds` is processor time of all points together."""

    digest: str
    title: str
    question: str
    kind: LabKind
    variable: str | None
    toml: str
    contestants: list[str]
    problems: list[str]
    # runs from before titles were kept have none
    titles: dict[str, str] = Field(default={}, description="what people call the problems, by their names")
    seeds: list[int]
    points: list[PlannedPoint]
    expected_seconds: FiniteFloat
    depends_on_speed: bool = Field(default=False, description="whether the budget is one of seconds")
