"""The laws in a scaling sweep: one for each problem and contestant."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

from kan_core.lab.contestants import Contestant
from kan_core.lab.points import point_shape
from kan_core.lab.problems import LabProblem
from kan_core.lab.results import PointResult
from kan_core.lab.sizes import count_parameters, network_shape
from kan_core.lab.spec import LabSpec
from kan_core.scaling import FEWEST_SIZES, ExponentFit, Limits, fit_exponent

SYMBOLS = {"grid_size": "G", "width": "width", "depth": "depth", "samples": "N"}
NUM_SCALE_SAMPLES = 1000
# an exponent that is so near to what theory promises is taken for it
CLOSE = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class PointFit:
    """The law e^`intercept` · x^-`exponent` of a contestant on a problem, x being the swept variable.

    It holds from `first` to `last`; `low` and `high` bound 95 % of the exponents of resamples. `theory` is what splines
    promise, their order plus one, None where nothing is promised; `limit` is the size at which there are as many
    parameters as samples, None where the sweep does not come there.
    """

    problem: str
    contestant: str
    variable: str
    exponent: float
    low: float
    high: float
    intercept: float
    first: float
    last: float
    theory: float | None
    limit: float | None
    sentence: str

    def to_json(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)


def spec_fits(spec: LabSpec, results: Iterable[PointResult]) -> list[PointFit]:
    """Return the laws that the results of a sweep follow, in the order of problems and contestants.

    There is none where fewer than three values have been measured yet, and none of a race. Trainings that failed or
    diverged, and those that the recipe ended on a coarser grid than theirs, say nothing about the law.
    """
    if spec.sweep is None:
        return []
    measured = [one for one in results if _counts(spec, one)]
    fits: list[PointFit] = []
    for problem in spec.problems:
        for contestant in spec.contestants:
            mine = [one for one in measured if (one.problem, one.contestant) == (problem.name, contestant.name)]
            if len({one.value for one in mine}) >= FEWEST_SIZES:
                fits.append(_fit(spec, problem, contestant, mine))
    return fits


def theory_of(spec: LabSpec, contestant: Contestant) -> float | None:
    """Return the exponent that splines of order k promise as their grid grows, k + 1; None for everything else."""
    if spec.sweep is None or spec.sweep.variable != "grid_size" or contestant.model != "kan":
        return None
    orders = {"bspline": contestant.order, "linear": 1}
    return orders[contestant.basis] + 1.0 if contestant.basis in orders else None


def data_limit(spec: LabSpec, problem: LabProblem, contestant: Contestant) -> float | None:
    """Return the size at which a contestant has as many parameters as samples, read between two values of the sweep.

    None where the sweep does not come there.
    """
    assert spec.sweep is not None
    values = sorted(spec.sweep.values)
    shapes = [network_shape(problem, contestant, spec.budget, spec.sweep, value) for value in values]
    is_samples = spec.sweep.variable == "samples"
    # how many times as many parameters as samples there are
    excess = [
        math.log(count_parameters(shape) / (value if is_samples else spec.num_train))
        for value, shape in zip(values, shapes, strict=True)
    ]
    for (before, low), (after, high) in pairwise(zip(values, excess, strict=True)):
        if low != high and min(low, high) <= 0.0 <= max(low, high):
            return math.exp(math.log(before) + low / (low - high) * math.log(after / before))
    return None


def _counts(spec: LabSpec, result: PointResult) -> bool:
    if result.test_rmse is None or result.value is None or not result.test_rmse > 0 or result.outcome == "diverged":
        return False
    assert spec.sweep is not None
    return spec.sweep.variable != "grid_size" or result.parameters == count_parameters(point_shape(spec, result.point))


def _fit(spec: LabSpec, problem: LabProblem, contestant: Contestant, results: list[PointResult]) -> PointFit:
    assert spec.sweep is not None
    variable = spec.sweep.variable
    limits = Limits(
        parameters=[one.parameters for one in results],
        samples=None if variable == "samples" else spec.num_train,
        noise=spec.noise,
        scale=_target_scale(problem),
    )
    x, y = [float(one.value or 0) for one in results], [one.test_rmse or 0.0 for one in results]
    found = fit_exponent(x, y, name=SYMBOLS[variable], limits=limits)
    theory = theory_of(spec, contestant)
    missing = len(spec.sweep.values) - len(set(x))
    return PointFit(
        problem=problem.name,
        contestant=contestant.name,
        variable=variable,
        exponent=found.exponent,
        low=found.low,
        high=found.high,
        intercept=found.intercept,
        first=found.first,
        last=found.last,
        theory=theory,
        limit=data_limit(spec, problem, contestant),
        sentence=" ".join([found.sentence, *_say_theory(theory, found), *_say_missing(missing, results)]),
    )


def _say_theory(theory: float | None, found: ExponentFit) -> list[str]:
    if theory is None:
        return []
    if abs(found.exponent - theory) <= CLOSE:
        verdict = "as it does"
    elif found.low <= theory <= found.high:
        verdict = "which these sizes neither show nor rule out"
    else:
        verdict = "which it does not" if found.exponent < theory else "and more"
    return [
        f"Splines of this order let it fall with an exponent of {theory:g} where the function is smooth, {verdict}."
    ]


def _say_missing(missing: int, results: list[PointResult]) -> list[str]:
    largest = max(one.value or 0 for one in results)
    if not missing:
        return []
    count = "One of the sizes is" if missing == 1 else f"{missing} of the sizes are"
    return [f"{count} not measured, or ended on a coarser grid by the recipe (largest {largest})."]


@lru_cache(maxsize=256)
def _target_scale(problem: LabProblem) -> float:
    """Return the standard deviation of a problem's targets, about."""
    data = problem.sample(seed=0, num_train=10, num_test=NUM_SCALE_SAMPLES, noise=0.0)
    return float(data.test_targets.std())
