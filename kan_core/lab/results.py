"""What a point came to, as plain values that can be stored and read back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from kan_core.lab.points import LabPoint

OUTCOMES = ("ok", "converged", "diverged", "failed")
# step, processor seconds until then, test RMSE then
CurvePoint = tuple[int, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class PointResult:
    """What a point came to.

    Errors are in the targets' units (of probabilities, for classes), None where it failed. `seconds` are those of the
    processor that training took. `outcome` is "ok" (the budget was spent), "converged" (nothing better was in reach),
    "diverged" or "failed", about which `sentence` says more. `curve` has step, seconds and test RMSE of at most 200
    steps, the last one included.
    """

    problem: str
    contestant: str
    seed: int
    value: int | None
    parameters: int
    steps: int
    seconds: float
    train_rmse: float | None
    test_rmse: float | None
    outcome: str
    sentence: str = ""
    curve: tuple[CurvePoint, ...] = ()

    @property
    def point(self) -> LabPoint:
        """The point whose result this is."""
        return LabPoint(problem=self.problem, contestant=self.contestant, seed=self.seed, value=self.value)

    def to_json(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self) | {"curve": [list(one) for one in self.curve]}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> PointResult:
        """Return the result whose `to_json` these are; what else was noted of it is left out."""
        curve = tuple((int(step), float(seconds), float(error)) for step, seconds, error in values["curve"])
        known: dict[str, Any] = {field.name: values[field.name] for field in fields(cls)}
        known["curve"] = curve
        return cls(**known)
