"""What the lab is asked: problems, contestants, a budget and seeds, and for a scaling law what is swept."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from kan_core._checks import check_choice, check_integer, check_number
from kan_core.errors import SpecError
from kan_core.lab.checks import check_integers, check_names, check_text, set_values
from kan_core.lab.conflicts import check_different, check_noise, check_swept
from kan_core.lab.contestants import DEFAULT_SAMPLES, MAX_SAMPLES, Budget, Contestant, Sweep
from kan_core.lab.problems import LabProblem
from kan_core.lab.sizes import check_sizes
from kan_core.lab.writing import write_toml

MAX_POINTS = 5000


class TooManyPoints(SpecError):
    """A spec has more points than may be run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabSpec:
    """What to run: every contestant on every problem with every seed, and in a sweep at every value.

    `num_train` and `num_test` samples are drawn with the seed, Gaussian noise of `noise` standard deviations added to
    the training targets, which are numbers then; all contestants of a problem and seed (and number of samples) see the
    same. Raises SpecError with one sentence when something is missing, out of bounds, cannot be made or would do
    nothing: what is swept is said nowhere else, and no two contestants are the same.
    """

    title: str
    problems: tuple[LabProblem, ...]
    contestants: tuple[Contestant, ...]
    budget: Budget
    question: str = ""
    seeds: tuple[int, ...] = (0, 1, 2)
    num_train: int = DEFAULT_SAMPLES
    num_test: int = DEFAULT_SAMPLES
    noise: float = 0.0
    sweep: Sweep | None = None

    def __post_init__(self) -> None:
        check_text("title", self.title)
        if self.question != "":
            check_text("question", self.question)
        for name in ("problems", "contestants"):
            named = tuple(getattr(self, name))
            object.__setattr__(self, name, named)
            check_names(name, [one.name for one in named])
        seeds = check_integers("seeds", self.seeds, low=0, high=2**32 - 1)
        if not seeds:
            raise SpecError("seeds are at least one, received none: give some, such as seeds = [0, 1, 2]")
        object.__setattr__(self, "seeds", seeds)
        check_integer("num_train", self.num_train, low=10, high=MAX_SAMPLES)
        check_integer("num_test", self.num_test, low=10, high=MAX_SAMPLES)
        object.__setattr__(self, "noise", check_number("noise", self.noise, low=0.0, high=10.0))
        self._check_sweep()
        check_noise(self.problems, self.noise)
        check_different(self.contestants, self.budget)
        if self.num_points > MAX_POINTS:
            raise TooManyPoints(
                f"a spec has at most {MAX_POINTS:,} points, received {self.num_points:,} ({self._say_factors()}): "
                "leave some out"
            )
        check_sizes(self.problems, self.contestants, self.budget, self.sweep)

    @property
    def kind(self) -> str:
        """Either "race" or "scaling"."""
        return "race" if self.sweep is None else "scaling"

    @property
    def num_points(self) -> int:
        """How many trainings it takes."""
        num_values = 1 if self.sweep is None else len(self.sweep.values)
        return len(self.problems) * len(self.contestants) * len(self.seeds) * num_values

    def values(self) -> dict[str, Any]:
        """Return all of the spec in one fixed order, ready for JSON and TOML, without what is not set."""
        values: dict[str, Any] = {"title": self.title}
        if self.question:
            values["question"] = self.question
        names_say_all = all(one.values() == {"name": one.name} for one in self.problems)
        values["problems"] = [one.name if names_say_all else one.values() for one in self.problems]
        values |= set_values(self, ("seeds", "num_train", "num_test", "noise"))
        values["budget"] = set_values(self.budget, ("steps", "seconds", "parameters"))
        values["contestants"] = [one.values() for one in self.contestants]
        if self.sweep is not None:
            values["sweep"] = set_values(self.sweep, ("variable", "values"))
        return values

    @property
    def digest(self) -> str:
        """SHA-256, in hexadecimal, of what is asked: equal specs have equal digests, however they are written."""
        canonical = json.dumps(self.values(), separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    def problem(self, name: str) -> LabProblem:
        """Return a problem by its name; raises SpecError for an unknown one."""
        check_choice("problem", name, tuple(one.name for one in self.problems))
        return next(one for one in self.problems if one.name == name)

    def contestant(self, name: str) -> Contestant:
        """Return a contestant by its name; raises SpecError for an unknown one."""
        check_choice("contestant", name, tuple(one.name for one in self.contestants))
        return next(one for one in self.contestants if one.name == name)

    def to_toml(self) -> str:
        """Return the spec as TOML, which `parse_spec` reads back as an equal one."""
        return write_toml(self.values())

    def _say_factors(self) -> str:
        counts = [("problem", len(self.problems)), ("contestant", len(self.contestants)), ("seed", len(self.seeds))]
        if self.sweep is not None:
            counts.append(("value", len(self.sweep.values)))
        return " × ".join(f"{count:,} {name}{'' if count == 1 else 's'}" for name, count in counts)

    def _check_sweep(self) -> None:
        if self.sweep is None:
            return
        variable = self.sweep.variable
        check_swept(
            self.sweep,
            problems=self.problems,
            contestants=self.contestants,
            num_train=self.num_train,
        )
        if variable == "grid_size":
            for one in self.contestants:
                if one.model == "mlp":
                    raise SpecError(
                        f"a sweep of grid_size is for KANs, received the MLP {one.name!r}: sweep width, depth or "
                        "samples, or leave it out"
                    )
        if variable in ("grid_size", "width") and self.budget.parameters is not None:
            raise SpecError(
                f"a sweep of {variable} changes the number of parameters, received a budget of "
                f"parameters={self.budget.parameters}: leave one of them out"
            )
