"""Plotly figures of scaling sweeps: errors by size, the laws fitted to them, what theory promises, where data end.

Markers carry the keys of their points as `customdata`, the median's first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import plotly.graph_objects as go

from kan_core.figures.fields import (
    NEUTRAL,
    add_medians,
    add_seeds,
    colour_of,
    empty_fields,
    errors_of,
    field_of,
    first_places,
    set_axes,
)
from kan_core.figures.races import cost_figures, drawable
from kan_core.lab.fits import SYMBOLS, PointFit, data_limit
from kan_core.lab.results import PointResult
from kan_core.lab.spec import LabSpec
from kan_core.lab.tables import Cell, Summary
from kan_core.powers import power_html
from kan_core.scaling import PowerLaw

TITLES = {"grid_size": "grid size G", "width": "width", "depth": "hidden layers", "samples": "training samples N"}
LAW, THEORY, LIMIT = "fitted law", "slope that theory promises", "as many parameters as samples"
DASHES = {LAW: "solid", THEORY: "dash", LIMIT: "dot"}
# of the law at its first size, where the line of theory begins: only its slope is promised, and beside the law it shows
ASIDE = 0.4


def scaling_figures(spec: LabSpec, results: Iterable[PointResult], fits: Iterable[PointFit]) -> dict[str, go.Figure]:
    """Return "scaling", with laws, theory and data limits, and errors by cost over all values."""
    found = drawable(results)
    return {"scaling": _scaling(spec, found, list(fits))} | cost_figures(spec, found)


def _scaling(spec: LabSpec, found: dict[Cell, Summary], fits: Sequence[PointFit]) -> go.Figure:
    assert spec.sweep is not None
    figure, first = empty_fields(spec, TITLES[spec.sweep.variable]), first_places(spec, found)
    drawn: set[str] = set()
    for place, problem in enumerate(spec.problems):
        errors = errors_of(one for cell, one in found.items() if cell[0] == problem.name)
        for index, contestant in enumerate(spec.contestants):
            mine = [(cell[2], one) for cell, one in found.items() if cell[:2] == (problem.name, contestant.name)]
            medians = sorted(((float(value or 0), one) for value, one in mine), key=lambda pair: pair[0])
            add_medians(figure, spec, (place, index), medians, is_first=first.get(contestant.name) == place)
            seeds = [(value, result) for value, one in medians if one.count > 1 for result in one.results]
            add_seeds(figure, spec, (place, index), seeds)
            limit = data_limit(spec, problem, contestant)
            if limit is not None and errors:
                _add_line(figure, (place, index), LIMIT, [limit] * 2, [min(errors), max(errors)], LIMIT)
                drawn.add(LIMIT)
        for fit in (one for one in fits if one.problem == problem.name):
            index = [one.name for one in spec.contestants].index(fit.contestant)
            if fit.law is not None:
                drawn |= _add_law(figure, (place, index), fit, fit.law)
            elif fit.theory is not None:
                mine = [
                    (float(cell[2] or 0), one.median)
                    for cell, one in found.items()
                    if cell[:2] == (problem.name, fit.contestant)
                ]
                _add_theory(figure, (place, index), fit, fit.theory, sorted(mine))
                drawn.add(THEORY)
        values = [float(value) for value in spec.sweep.values]
        set_axes(figure, place, values, errors, ticks=values)
    for kind in (one for one in DASHES if one in drawn):
        # a line of nowhere, so that the legend says what lines are
        figure.add_scatter(
            x=[None], y=[None], mode="lines", name=kind, line={"color": NEUTRAL, "width": 1.5, "dash": DASHES[kind]},
            hoverinfo="skip", legendgroup=kind, **field_of(0),
        )  # fmt: skip
    return figure


def _add_law(figure: go.Figure, where: tuple[int, int], fit: PointFit, law: PowerLaw) -> set[str]:
    """Draw a fitted law from its first to its last size, and beside it the slope that theory promises.

    Returns which of them there are.
    """
    ends = [law.first, law.last]
    errors = [law.predict(x) for x in ends]
    symbol = SYMBOLS[fit.variable]
    told = f"{power_html(symbol, -law.exponent)} (95 %: {_minus(law.high)} to {_minus(law.low)})"
    _add_line(figure, where, LAW, ends, errors, told)
    if fit.theory is None:
        return {LAW}
    _add_theory(figure, where, fit, fit.theory, list(zip(ends, errors, strict=True)))
    return {LAW, THEORY}


def _add_theory(
    figure: go.Figure, where: tuple[int, int], fit: PointFit, theory: float, points: Sequence[tuple[float, float]]
) -> None:
    """Draw the slope that theory promises from the first to the last of these sizes, beside the first of the errors."""
    if len(points) < 2:
        return
    (first, error), (last, _) = points[0], points[-1]
    promised = [ASIDE * error, ASIDE * error * (first / last) ** theory]
    told = f"theory: {power_html(SYMBOLS[fit.variable], -theory, style='g')}"
    _add_line(figure, where, THEORY, [first, last], promised, told)


def _minus(exponent: float) -> str:
    """Return the power as which an error of this exponent falls."""
    return f"{-exponent:.2f}".replace("-", "−")


def _add_line(
    figure: go.Figure, where: tuple[int, int], kind: str, x: Sequence[float], y: Sequence[float], told: str
) -> None:
    place, index = where
    line = {"color": colour_of(index), "width": 2 if kind == LAW else 1.2, "dash": DASHES[kind]}
    figure.add_scatter(
        x=x, y=y, mode="lines", line=line, hoverinfo="text", hovertext=told, showlegend=False,
        legendgroup=str(index), **field_of(place),
    )  # fmt: skip
