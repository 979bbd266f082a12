"""Two runs side by side: what they have in common, point by point, and what differs between them."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from server.lab.messages import LabComparedPlace, LabComparedSide, LabComparison, LabRunSummary
from server.lab.provenance import provenance_of, say_makers
from server.lab.store import StoredRun
from server.lab.tables import group_results, medians

NAMED = (("problems", "problem"), ("contestants", "contestant"))


def compare_runs(
    first: StoredRun, first_results: Sequence[str], second: StoredRun, second_results: Sequence[str]
) -> LabComparison:
    """Return the places that two runs have in common, in the order of the first; results are JSON."""
    sides = [[json.loads(result) for result in results] for results in (first_results, second_results)]
    differences = spec_differences(tomllib.loads(first.plan.toml), tomllib.loads(second.plan.toml))
    is_same_sweep = first.plan.variable == second.plan.variable
    groups = [group_results(first.plan, sides[0]), group_results(second.plan, sides[1]) if is_same_sweep else {}]
    places = [_compare(place, group, groups[1][place]) for place, group in groups[0].items() if place in groups[1]]
    return LabComparison(
        first=_summary(first, sides[0]),
        second=_summary(second, sides[1]),
        sentence=_say(differences, places),
        differences=differences,
        makers=[
            f"The {which}: {sentence}"
            for which, results in zip(("first", "second"), sides, strict=True)
            for sentence in say_makers(results)
        ],
        seconds_compare=_say_seconds(*sides),
        variable=first.plan.variable,
        titles=second.plan.titles | first.plan.titles,
        places=places,
    )


def spec_differences(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    """Return a sentence for everything that differs between two specs, as their TOML is read."""
    named = [name for name, _ in NAMED]
    told = _differences("", _flat(first, without=named), _flat(second, without=named))
    for name, word in NAMED:
        ones, others = _by_name(first[name]), _by_name(second[name])
        for which, some, rest in (("first", ones, others), ("second", others, ones)):
            told += [f"Only the {which} has the {word} {_write(one)}." for one in some if one not in rest]
        for one in ones:
            if one in others:
                told += _differences(f"{word} {_write(one)}: ", ones[one], others[one])
    return told


def _differences(owner: str, first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    names = dict.fromkeys([*first, *second])
    return [
        f"{owner}{name} is {_write(first.get(name))} in the first and {_write(second.get(name))} in the second."
        for name in names
        if first.get(name) != second.get(name)
    ]


def _flat(values: Mapping[str, Any], *, without: Sequence[str]) -> dict[str, Any]:
    """Return settings by their names, those of tables as table.name."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if name in without:
            continue
        if isinstance(value, dict):
            inner: dict[str, Any] = value
            flat |= {f"{name}.{key}": one for key, one in inner.items()}
        else:
            flat[name] = value
    return flat


def _by_name(ones: Sequence[Any]) -> dict[str, dict[str, Any]]:
    """Return problems or contestants by their names, which is all that a ready problem says."""
    tables: list[dict[str, Any]] = [{"name": one} if isinstance(one, str) else one for one in ones]
    return {one["name"]: one for one in tables}


def _write(value: object) -> str:
    return "not set" if value is None else json.dumps(value, ensure_ascii=False)


def _compare(
    place: tuple[str, str, int | None], first: Sequence[dict[str, Any]], second: Sequence[dict[str, Any]]
) -> LabComparedPlace:
    problem, contestant, value = place
    one, other = _side(first), _side(second)
    ratio = other.test_rmse / one.test_rmse if one.test_rmse and other.test_rmse is not None else None
    return LabComparedPlace(problem=problem, contestant=contestant, value=value, first=one, second=other, ratio=ratio)


def _side(results: Sequence[dict[str, Any]]) -> LabComparedSide:
    test_rmse, parameters, seconds = medians(results)
    return LabComparedSide(num_done=len(results), test_rmse=test_rmse, parameters=parameters, seconds=seconds)


def _say(differences: Sequence[str], places: Sequence[LabComparedPlace]) -> str:
    things = f"{len(differences)} thing{'' if len(differences) == 1 else 's'}"
    specs = f"Their specs differ in {things}" if differences else "Both ran the same spec"
    shared = "" if places else "; they have no finished points in common"
    return f"{specs}{shared}."


def _say_seconds(first: Sequence[dict[str, Any]], second: Sequence[dict[str, Any]]) -> str:
    """Return whether times may be compared: not those of different machines or versions."""
    makers = [
        {None if (one := provenance_of(result)) is None else one.maker for result in side} for side in (first, second)
    ]
    if None in makers[0] | makers[1]:
        return "Where some of these were computed is not known: their seconds may not compare."
    if len(makers[0] | makers[1]) > 1:
        return "They were computed on different machines or by different versions: their seconds do not compare."
    return "Both were computed by the same versions on the same kind of machine."


def _summary(stored: StoredRun, results: Sequence[dict[str, Any]]) -> LabRunSummary:
    return LabRunSummary(
        run_id=stored.run_id,
        title=stored.plan.title,
        kind=stored.plan.kind,
        digest=stored.digest,
        state=stored.state,
        num_points=len(stored.plan.points),
        num_done=len(results),
        created=stored.created,
    )
