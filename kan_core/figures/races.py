"""Plotly figures of races, for the page and for reports.

Markers carry the keys of their points as `customdata`, the median's first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import plotly.graph_objects as go

from kan_core.figures.fields import (
    NEUTRAL,
    add_medians,
    add_seeds,
    colour_of,
    dash_of,
    empty_fields,
    errors_of,
    field_of,
    first_places,
    middle_of,
    naming,
    set_axes,
)
from kan_core.lab.results import PointResult
from kan_core.lab.spec import LabSpec
from kan_core.lab.tables import Cell, Summary, summarize_errors

PARAMETERS, SECONDS = "parameters", "processor seconds"


def race_figures(spec: LabSpec, results: Iterable[PointResult]) -> dict[str, go.Figure]:
    """Return "error_by_parameters", "error_by_seconds" and "curves": medians with their ranges over the seeds."""
    found = drawable(results)
    return cost_figures(spec, found) | {"curves": _curves(spec, found)}


def drawable(results: Iterable[PointResult]) -> dict[Cell, Summary]:
    """Return the summaries of errors that have a place on logarithmic axes."""
    found = summarize_errors(results)
    return {cell: one for cell, one in found.items() if one.low > 0 and math.isfinite(one.median)}


def cost_figures(spec: LabSpec, found: dict[Cell, Summary]) -> dict[str, go.Figure]:
    """Return errors against what they cost, parameters and seconds."""
    return {
        "error_by_parameters": _pareto(spec, found, lambda one: float(one.parameters), PARAMETERS),
        "error_by_seconds": _pareto(spec, found, lambda one: one.seconds, SECONDS),
    }


def _pareto(spec: LabSpec, found: dict[Cell, Summary], cost: Callable[[PointResult], float], title: str) -> go.Figure:
    """Return errors against a cost, with the front that nobody beats in both."""
    figure, first = empty_fields(spec, title), first_places(spec, found)
    has_front = False
    for place, problem in enumerate(spec.problems):
        cells = [(cell, summary) for cell, summary in found.items() if cell[0] == problem.name]
        for index, contestant in enumerate(spec.contestants):
            mine = [summary for cell, summary in cells if cell[1] == contestant.name]
            medians = [(middle_of(one, cost), one) for one in mine]
            add_medians(figure, spec, (place, index), medians, is_first=first.get(contestant.name) == place)
            seeds = [(cost(result), result) for one in mine if one.count > 1 for result in one.results]
            add_seeds(figure, spec, (place, index), seeds)
        costs = [cost(result) for _, one in cells for result in one.results]
        set_axes(figure, place, costs, errors_of(one for _, one in cells))
        front = _front([(middle_of(one, cost), one.median) for _, one in cells])
        if len(front) > 1:
            x, y = zip(*front, strict=True)
            figure.add_scatter(
                x=x, y=y, mode="lines", line={"color": NEUTRAL, "width": 1, "dash": "dot", "shape": "hv"},
                hoverinfo="skip", name="nobody is better in both", legendgroup="front", showlegend=not has_front,
                **field_of(place),
            )  # fmt: skip
            has_front = True
    return figure


def _curves(spec: LabSpec, found: dict[Cell, Summary]) -> go.Figure:
    """Return test errors over time, of the seed with the median error at the end."""
    figure, first = empty_fields(spec, SECONDS), first_places(spec, found)
    for place, problem in enumerate(spec.problems):
        drawn: list[tuple[float, float]] = []
        for index, contestant in enumerate(spec.contestants):
            summary = found.get((problem.name, contestant.name, None))
            if summary is None:
                continue
            result = summary.results[0]
            course = [(spent, error) for _, spent, error in result.curve if spent > 0 and 0 < error < float("inf")]
            drawn += course
            figure.add_scatter(
                x=[spent for spent, _ in course],
                y=[error for _, error in course],
                mode="lines",
                line={"color": colour_of(index), "width": 1.6, "dash": dash_of(index)},
                customdata=[[result.point.key]] * len(course),
                hovertemplate="%{y:.3g} after %{x:.3g} s",
                **naming(spec, index, is_first=first[contestant.name] == place),
                **field_of(place),
            )
        set_axes(figure, place, (spent for spent, _ in drawn), (error for _, error in drawn))
    return figure


def _front(points: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the points that no other beats in both cost and error, by cost."""
    front: list[tuple[float, float]] = []
    for cost, error in sorted(points):
        if not front or error < front[-1][1]:
            front.append((cost, error))
    return front
