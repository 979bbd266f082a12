"""The laws in a scaling sweep: one for each problem and contestant."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from itertools import pairwise
from typing import Any

from kan_core.lab.contestants import Contestant
from kan_core.lab.points import point_shape
from kan_core.lab.problems import LabProblem
from kan_core.lab.results import PointResult
from kan_core.lab.sizes import count_parameters, network_shape
from kan_core.lab.spec import LabSpec
from kan_core.lab.tables import summarize_errors, test_rmse
from kan_core.scaling import FEWEST_SIZES, Limits, PowerLaw, fit_exponent

SYMBOLS = {"grid_size": "G", "width": "width", "depth": "depth", "samples": "N"}
NUM_SCALE_SAMPLES = 1000
# an exponent that is so near to what theory promises is taken for it, if its interval is no wider than that
CLOSE, NARROW = 0.25, 1.0
SMALLEST = 1e-300


@dataclass(frozen=True, slots=True, kw_only=True)
class PointFit:
    """The law of a contestant on a problem, x being the swept variable; `law` is None where the sizes settle none.

    `theory` is the exponent that splines promise, their order plus one, None where nothing is promised; `limit` is the
    size at which there are as many parameters as samples, None where the sweep does not come there.
    """

    problem: str
    contestant: str
    variable: str
    law: PowerLaw | None
    theory: float | None
    limit: float | None
    sentence: str

    def to_json(self) -> dict[str, Any]:
        """Return plain values for JSON, those of the law beside the others; they are None where there is none."""
        values = asdict(self)
        law = values.pop("law") or dict.fromkeys(field.name for field in fields(PowerLaw))
        return values | law


def spec_fits(spec: LabSpec, results: Iterable[PointResult]) -> list[PointFit]:
    """Return the laws that the results of a sweep follow, in the order of problems and contestants.

    There is none where fewer than three values have a median error yet, and none of a race. As in tables and figures
    the error of a size is the median over its seeds, a training that failed or diverged being worse than any other,
    and one that the recipe ended on a coarser grid counting with what it reached there.
    """
    if spec.sweep is None:
        return []
    known = list(results)
    found = summarize_errors(known)
    fits: list[PointFit] = []
    for problem in spec.problems:
        for contestant in spec.contestants:
            mine = {cell: one for cell, one in found.items() if cell[:2] == (problem.name, contestant.name)}
            if sum(math.isfinite(one.median) for one in mine.values()) >= FEWEST_SIZES:
                measured = [one for one in known if (one.problem, one.contestant) == (problem.name, contestant.name)]
                fits.append(_fit(spec, problem, contestant, measured))
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


def _fit(spec: LabSpec, problem: LabProblem, contestant: Contestant, results: list[PointResult]) -> PointFit:
    assert spec.sweep is not None
    variable = spec.sweep.variable
    limits = Limits(
        parameters=[one.parameters for one in results],
        samples=None if variable == "samples" else spec.num_train,
        noise=spec.noise,
        scale=_target_scale(problem),
        of_samples=variable == "samples",
    )
    errors = [test_rmse(one) for one in results]
    found = fit_exponent(
        [float(one.value or 0) for one in results],
        # an error of nothing at all is rounding, but has a logarithm
        [math.inf if error is None else max(error, SMALLEST) for error in errors],
        name=SYMBOLS[variable],
        limits=limits,
    )
    theory = theory_of(spec, contestant)
    coarser = [one for one in results if _is_coarser(spec, one)]
    said = [found.sentence, *_say_theory(theory, found.law), *_say_missing(spec, results), *_say_coarser(coarser)]
    return PointFit(
        problem=problem.name,
        contestant=contestant.name,
        variable=variable,
        law=found.law,
        theory=theory,
        limit=data_limit(spec, problem, contestant),
        sentence=" ".join(said),
    )


def _say_theory(theory: float | None, law: PowerLaw | None) -> list[str]:
    if theory is None or law is None:
        return []
    is_open = law.low <= theory <= law.high
    if abs(law.exponent - theory) <= CLOSE and law.high - law.low <= NARROW:
        verdict = "as it does" if is_open else "which is nearly what it does"
    elif is_open:
        verdict = "which these sizes neither show nor rule out"
    else:
        verdict = "which it does not" if law.exponent < theory else "and more"
    return [
        f"Splines of this order let it fall with an exponent of {theory:g} where the function is smooth, {verdict}."
    ]


def _say_missing(spec: LabSpec, results: Sequence[PointResult]) -> list[str]:
    """Return which sizes most trainings did not get through at."""
    assert spec.sweep is not None
    lost = [
        f"{SYMBOLS[spec.sweep.variable]} = {value}"
        for value in spec.sweep.values
        if (errors := [test_rmse(one) for one in results if one.value == value])
        and not 2 * sum(error is None for error in errors) < len(errors)
    ]
    return [f"There is no median at {', '.join(lost)}, where trainings failed or diverged."] if lost else []


def _is_coarser(spec: LabSpec, result: PointResult) -> bool:
    """Return whether the recipe ended on a coarser grid than the one that was asked for."""
    assert spec.sweep is not None
    is_swept = spec.sweep.variable == "grid_size" and test_rmse(result) is not None
    return is_swept and result.parameters < count_parameters(point_shape(spec, result.point))


def _say_coarser(coarser: Sequence[PointResult]) -> list[str]:
    """Return at which sizes trainings count with what they reached on coarser grids."""
    if not coarser:
        return []
    counts = Counter(one.value for one in coarser)
    told = ", ".join(
        f"{count} at G = {value}" for value, count in sorted(counts.items(), key=lambda item: item[0] or 0)
    )
    return [f"Trainings that the recipe ended on a coarser grid count with what they reached there: {told}."]


@lru_cache(maxsize=256)
def _target_scale(problem: LabProblem) -> float:
    """Return the standard deviation of a problem's targets, about."""
    data = problem.sample(seed=0, num_train=10, num_test=NUM_SCALE_SAMPLES, noise=0.0)
    return float(data.test_targets.std())
