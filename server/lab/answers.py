"""The answers to questions about specs and their results."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from kan_core.errors import KanError, SpecError
from kan_core.lab import (
    READY,
    LabSpec,
    PointResult,
    parse_spec,
    ready_spec,
    ready_text,
    spec_fits,
)
from server.lab.computing import find_point, plan_points, read_spec
from server.lab.messages import LabFit, LabReady, LabReadyList
from server.lab.opening import session_of
from server.lab.plan import LabPlan
from server.lab.provenance import say_makers
from server.lab.questions import (
    QUESTIONS,
    FiguresQuestion,
    FitsQuestion,
    PlanQuestion,
    Question,
    ReadyQuestion,
    ReportQuestion,
)

UNEXPECTED = "Something unexpected went wrong here: look at the server's log."
log = logging.getLogger(__name__)


def answer(question: bytes) -> bytes:
    """Return the answer to a question as JSON: {"value": …}, or {"sentence": …} that says why there is none."""
    try:
        told = {"value": _answer(QUESTIONS.validate_json(question))}
    except KanError as error:
        told = {"sentence": _sentence(error)}
    except Exception:
        log.exception("a question about a spec was not answered")
        told = {"sentence": UNEXPECTED}
    return json.dumps(told, allow_nan=False).encode()


def _sentence(error: KanError) -> str:
    """Return what an error says as a sentence of its own."""
    text = str(error)
    end = "" if text.endswith((".", "?", "!")) else "."
    # names of settings stay as they are written
    is_name = re.match(r"\w*[_\[]", text) is not None
    return f"{text if is_name else text[:1].upper() + text[1:]}{end}"


def _answer(question: Question) -> Any:
    if isinstance(question, ReadyQuestion):
        return ready_specs().model_dump()
    if isinstance(question, PlanQuestion):
        return make_plan(question.toml, only=question.only).model_dump()
    spec = read_spec(question.toml)
    if isinstance(question, FitsQuestion):
        return [fit.model_dump() for fit in fits_of(spec, question.results)]
    if isinstance(question, FiguresQuestion):
        return _figures(spec, question.results)
    if isinstance(question, ReportQuestion):
        return _report(spec, question)
    point = find_point(spec, question.key)
    if point is None:
        raise SpecError(f"the run has no point {question.key!r}: choose one of its own")
    return session_of(spec, point).model_dump(exclude_none=True)


def ready_specs() -> LabReadyList:
    """Return the ready specs as they are shown."""
    specs = {name: ready_spec(name) for name in READY}
    return LabReadyList(
        specs=[
            LabReady(name=name, title=spec.title, question=spec.question, toml=ready_text(name))
            for name, spec in specs.items()
        ]
    )


def make_plan(toml: str, *, only: str | None = None) -> LabPlan:
    """Return what a spec means, given as TOML or by the name of a ready one; raises KanError."""
    spec = ready_spec(toml) if toml in READY else parse_spec(toml)
    if only is not None:
        spec = replace(spec, problems=(spec.problem(only),))
    points = plan_points(spec)
    return LabPlan(
        digest=spec.digest,
        title=spec.title,
        question=spec.question,
        kind="race" if spec.sweep is None else "scaling",
        variable=None if spec.sweep is None else spec.sweep.variable,
        toml=spec.to_toml(),
        contestants=[contestant.name for contestant in spec.contestants],
        problems=[problem.name for problem in spec.problems],
        titles={problem.name: problem.title for problem in spec.problems},
        seeds=list(spec.seeds),
        points=points,
        expected_seconds=sum(point.expected_seconds for point in points),
        depends_on_speed=spec.budget.seconds is not None,
    )


def read_results(results: Sequence[str]) -> list[PointResult]:
    """Return results from their JSON."""
    return [PointResult.from_json(json.loads(result)) for result in results]


def fits_of(spec: LabSpec, results: Sequence[str]) -> list[LabFit]:
    """Return the laws that the results of a scaling sweep follow, none for a race."""
    if spec.sweep is None:
        return []
    return [LabFit.model_validate(fit.to_json()) for fit in spec_fits(spec, read_results(results))]


def _figures(spec: LabSpec, results: Sequence[str]) -> dict[str, Any]:
    # imported here: most questions do without Plotly
    from kan_core.figures import race_figures, scaling_figures

    read = read_results(results)
    figures = race_figures(spec, read) if spec.sweep is None else scaling_figures(spec, read, spec_fits(spec, read))
    return {name: json.loads(figure.to_json() or "{}") for name, figure in figures.items()}


def _report(spec: LabSpec, question: ReportQuestion) -> str:
    # imported here: most questions do without Plotly
    from kan_core.lab.report import html_report

    read = read_results(question.results)
    notes = [f"Run {question.run_id}.", *say_makers(map(json.loads, question.results))]
    return html_report(spec, read, [] if spec.sweep is None else spec_fits(spec, read), notes=notes)
