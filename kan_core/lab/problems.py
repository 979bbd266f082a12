"""The problems of a spec: ready ones by name, or a person's own formula."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from kan_core._checks import check_number, check_widths
from kan_core.datasets import Dataset
from kan_core.errors import SpecError
from kan_core.expressions import parse_expression
from kan_core.lab.checks import said_of, set_values
from kan_core.network import MAX_WIDTH
from kan_core.problems import CATALOGUE, Problem

MAX_HIDDEN = 16
# places at which a formula is looked at, and what it may vary there by rounding alone, relative to its size
NUM_LOOKED_AT = 1000
ROUNDING = 1e-12
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,40}")


def check_hidden(hidden: object) -> tuple[int, ...]:
    """Return the widths of hidden layers, at most sixteen; raises SpecError for anything else."""
    _, *widths, _ = check_widths((1, *hidden, 1) if isinstance(hidden, tuple | list) else hidden, high=MAX_WIDTH)
    if len(widths) > MAX_HIDDEN:
        raise SpecError(f"hidden has at most {MAX_HIDDEN} layers, received {len(widths)}: leave some out")
    return tuple(widths)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabProblem:
    """A problem that is ready (`name` alone), or a formula: `expression` over `ranges`, in the order of its columns.

    `hidden` are the widths that contestants without their own have; a ready problem has those that suit it. Raises
    SpecError for an unknown name, one that is taken, or a formula that cannot be read or is the same everywhere.
    """

    name: str
    expression: str | None = None
    ranges: tuple[tuple[str, tuple[float, float]], ...] = ()
    hidden: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise SpecError(
                "the name of a problem is 1 to 40 letters, digits, dots, dashes and underscores, received "
                f"{self.name!r}: give another"
            )
        with said_of(f"problem {self.name!r}"):
            if self.hidden is not None:
                object.__setattr__(self, "hidden", check_hidden(self.hidden))
            if self.expression is None:
                self._check_ready()
            else:
                self._check_formula(self.expression)

    def values(self) -> dict[str, Any]:
        """Return what is set, ready for JSON and TOML."""
        values = set_values(self, ("name", "expression"))
        if self.expression is not None:
            values["ranges"] = {name: list(ends) for name, ends in self.ranges}
        return values | set_values(self, ("hidden",))

    @property
    def problem(self) -> Problem:
        """The problem itself."""
        if self.expression is None:
            return CATALOGUE[self.name]
        return Problem(
            name=self.name,
            title=self.expression,
            description="",
            expression=self.expression,
            ranges=dict(self.ranges),
            hidden=() if self.hidden is None else self.hidden,
        )

    @property
    def title(self) -> str:
        """What people call it: a ready problem's title, else the name that was given to the formula."""
        return self.name if self.expression is not None else self.problem.title

    @property
    def suggested(self) -> tuple[int, ...]:
        """The hidden widths that suit it."""
        return self.problem.hidden if self.hidden is None else self.hidden

    @property
    def num_inputs(self) -> int:
        """How many input columns there are."""
        return len(self.problem.ranges)

    def sample(self, *, seed: int, num_train: int, num_test: int, noise: float) -> Dataset:
        """Return the samples that every contestant sees; raises DataError where the formula has no value."""
        return self.problem.sample(seed=seed, num_train=num_train, num_test=num_test, noise=noise)

    def _check_ready(self) -> None:
        if self.name not in CATALOGUE:
            near = difflib.get_close_matches(self.name, CATALOGUE, n=1)
            hint = f"did you mean {near[0]}? There are" if near else "choose one of"
            raise SpecError(
                f"there is no ready problem of this name: {hint} {', '.join(CATALOGUE)}, or give an expression"
            )
        if self.ranges:
            raise SpecError("ranges belong to an expression, received ranges alone: give the expression too")

    def _check_formula(self, expression: object) -> None:
        if self.name in CATALOGUE:
            raise SpecError("a ready problem has this name: rename yours, or leave its expression out")
        if not isinstance(expression, str):
            raise SpecError(f"expression is a formula, received expression={expression!r}: write it as text")
        given = self.ranges.items() if isinstance(self.ranges, Mapping) else self.ranges
        ranges = tuple((name, _check_range(name, ends)) for name, ends in given)
        if not ranges:
            raise SpecError("ranges has two ends for each variable, received none: give such as ranges = {x = [-1, 1]}")
        object.__setattr__(self, "ranges", ranges)
        formula = parse_expression(expression, [name for name, _ in ranges])
        lows, highs = zip(*(ends for _, ends in ranges), strict=True)
        inputs = np.random.default_rng(0).uniform(lows, highs, size=(NUM_LOOKED_AT, len(ranges)))
        values = formula.evaluate(inputs)
        # where there is no value, the points that come upon it say so
        if np.isfinite(values).all() and np.ptp(values) <= ROUNDING * np.abs(values).max():
            raise SpecError(
                f"expression varies over its ranges, received expression={expression!r}, which is {values[0]:g} "
                "everywhere in them: change the formula or the ranges"
            )


def _check_range(name: str, ends: object) -> tuple[float, float]:
    if not isinstance(ends, tuple | list) or len(ends) != 2:
        raise SpecError(f"the range of {name} has two ends, received {ends!r}: give such as [-1, 1]")
    low, high = (check_number(f"an end of the range of {name}", end, low=-1e9, high=1e9) for end in ends)
    if low >= high:
        raise SpecError(f"the range of {name} goes from a smaller to a larger number, received {low:g} to {high:g}")
    return low, high
