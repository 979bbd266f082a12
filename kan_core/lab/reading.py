"""Specs from TOML, refused with one sentence when something in them is not known or not possible."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from kan_core.errors import KanError, SpecError
from kan_core.lab.contestants import Budget, Contestant, Sweep
from kan_core.lab.costs import estimate_seconds
from kan_core.lab.problems import LabProblem
from kan_core.lab.spec import LabSpec, TooManyPoints

MAX_CHARACTERS = 50_000
# problems, contestants and values by which the time of too many points is judged
FEW = 10
_EXAMPLE = {
    "budget": "[budget] with steps = 200",
    "contestants": '[[contestants]] with name = "B-spline"',
    "sweep": '[sweep] with variable = "grid_size" and values = [5, 10, 20]',
}


def parse_spec(text: str) -> LabSpec:
    """Return the spec that TOML describes; raises SpecError with one sentence where it is none."""
    if len(text) > MAX_CHARACTERS:
        raise SpecError(f"a spec has at most {MAX_CHARACTERS:,} characters, received {len(text):,}: shorten it")
    try:
        values = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SpecError(f"a spec is TOML, received text that is not ({error}): correct it there") from error
    _check_keys("a spec", values, LabSpec, required=("title", "problems", "contestants", "budget"))
    values["problems"] = _read_problems(values["problems"])
    values["contestants"] = [
        _read(Contestant, "a contestant", one, ("name",)) for one in _tables("contestants", values["contestants"])
    ]
    values["budget"] = _read(Budget, "the budget", values["budget"], ())
    if "sweep" in values:
        values["sweep"] = _read(Sweep, "the sweep", values["sweep"], ("variable", "values"))
    try:
        return LabSpec(**values)
    except TooManyPoints as error:
        raise SpecError(f"{error}{_say_time(values)}") from error


def _say_time(values: Mapping[str, Any]) -> str:
    """Return how long a spec of too many points would take, judged by a few of them, or nothing where that fails."""
    thin, num_times = dict(values), 1.0
    for name, few in (("problems", FEW), ("contestants", FEW), ("seeds", 1)):
        if name in values:
            thin[name] = values[name][:few]
            num_times *= len(values[name]) / len(thin[name])
    if "sweep" in values:
        sweep: Sweep = values["sweep"]
        thin["sweep"] = replace(sweep, values=sweep.values[:: -(-len(sweep.values) // FEW)])
        num_times *= len(sweep.values) / len(thin["sweep"].values)
    try:
        hours = num_times * estimate_seconds(LabSpec(**thin)) / 3600.0
    except KanError:
        return ""
    time = f"{round(hours):,} hours" if hours >= 2.0 else f"{max(1, round(60.0 * hours))} minutes"
    return f", as all of them take about {time} of the processor"


def _read_problems(given: object) -> list[LabProblem]:
    if not isinstance(given, list):
        raise SpecError(f'problems are a row of names or tables, received {given!r}: give such as ["exp_sin", "j0"]')
    problems: list[LabProblem] = []
    for one in given:
        if isinstance(one, str):
            problems.append(LabProblem(name=one))
        else:
            problems.append(_read(LabProblem, "a problem", one, ("name",)))
    return problems


def _tables(name: str, given: object) -> Sequence[object]:
    if not isinstance(given, list):
        raise SpecError(f"{name} are tables, received {name}={given!r}: give {_EXAMPLE[name]}")
    return given


def _read(kind: type[Any], said: str, given: object, required: tuple[str, ...]) -> Any:  # a dataclass of that kind
    """Return an instance of a dataclass from a table."""
    if not isinstance(given, dict):
        raise SpecError(f"{said} is a table, received {given!r}: give its settings by name")
    name = given.get("name")
    owner = f"{said} named {name!r}" if isinstance(name, str) else said
    _check_keys(owner, given, kind, required=required)
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}
    if "ranges" in values:
        values["ranges"] = _read_ranges(values["ranges"])
    return kind(**values)


def _read_ranges(given: object) -> tuple[tuple[str, object], ...]:
    if not isinstance(given, Mapping):
        raise SpecError(f"ranges has two ends for each variable, received {given!r}: give such as {{x = [-1, 1]}}")
    return tuple(given.items())


def _check_keys(owner: str, values: Mapping[str, object], kind: type[Any], *, required: tuple[str, ...]) -> None:
    known = [field.name for field in fields(kind)]
    for key in values:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
            raise SpecError(f"{owner} has no key {key!r}: {hint}")
    for key in required:
        if key not in values:
            example = f", as {_EXAMPLE[key]}" if key in _EXAMPLE else ""
            raise SpecError(f"{owner} needs {key}, received none: add it{example}")
