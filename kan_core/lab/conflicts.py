"""Settings of a spec that nothing would come of beside others; each check raises SpecError with one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

from kan_core.errors import SpecError
from kan_core.lab.contestants import DEFAULT_GRID, DEFAULT_SAMPLES, Budget, Contestant, Sweep
from kan_core.lab.problems import LabProblem


def check_different(contestants: Sequence[Contestant], budget: Budget) -> None:
    """Refuse two contestants that differ in nothing but their names."""
    for one, other in combinations(contestants, 2):
        if _meant(one, budget) == _meant(other, budget):
            raise SpecError(
                f"contestants differ in more than their names, received {one.name!r} and {other.name!r} with the same "
                "settings: change one, or leave it out"
            )


def check_noise(problems: Sequence[LabProblem], noise: float) -> None:
    """Refuse noise where targets are classes."""
    for problem in problems:
        if noise > 0 and problem.problem.task == "classification":
            raise SpecError(
                f"noise is added to targets that are numbers, received noise={noise:g} for the classes of "
                f"{problem.name!r}: leave the noise or the problem out"
            )


def check_swept(
    sweep: Sweep, *, problems: Sequence[LabProblem], contestants: Sequence[Contestant], num_train: int
) -> None:
    """Refuse what a sweep replaces: a grid, widths, or a number of samples other than the default."""
    if sweep.variable == "samples" and num_train != DEFAULT_SAMPLES:
        raise SpecError(
            f"a sweep of samples says how many there are to train on, received num_train={num_train} too: leave it out"
        )
    for contestant in contestants:
        owner = f"the contestant {contestant.name!r}"
        if sweep.variable == "grid_size" and contestant.grid_size is not None:
            raise SpecError(
                f"a sweep of grid_size replaces every other, received grid_size={contestant.grid_size} for {owner}: "
                "leave it out"
            )
        _check_hidden(sweep.variable, contestant.hidden, owner)
    for problem in problems:
        _check_hidden(sweep.variable, problem.hidden, f"the problem {problem.name!r}")


def _check_hidden(variable: str, hidden: tuple[int, ...] | None, owner: str) -> None:
    """Refuse widths that a sweep replaces: one of widths leaves their number, one of depth the first of them."""
    if hidden is None:
        return
    if variable == "width" and (not hidden or any(width != 1 for width in hidden)):
        ones = [1] * max(1, len(hidden))
        raise SpecError(
            f"a sweep of width replaces the widths of all hidden layers, received hidden={list(hidden)} for {owner}: "
            f"write a 1 for each layer, as hidden = {ones}, or leave it out"
        )
    if variable == "depth" and len(hidden) != 1:
        raise SpecError(
            f"a sweep of depth repeats one hidden layer, received hidden={list(hidden)} for {owner}: give its width "
            "alone, as hidden = [5], or leave it out"
        )


def _meant(contestant: Contestant, budget: Budget) -> Contestant:
    """Return a contestant without a name, with what it leaves to the budget and to defaults filled in."""
    grid_size = DEFAULT_GRID if contestant.grid_size is None and budget.parameters is None else contestant.grid_size
    is_kan = contestant.model == "kan"
    return replace(
        contestant,
        name="-",
        steps=contestant.steps or budget.steps,
        grid_size=grid_size if is_kan else None,
    )
