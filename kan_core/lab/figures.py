"""Plotly figures of races and sweeps, for the page and for reports.

A figure has a field for every problem. A contestant has one colour and one symbol in all of them, which people who see
few colours tell apart too. Markers carry the keys of their points as `customdata`, the median's first. Background is
transparent and text has no colour of its own, so that a page can show them light or dark.
"""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from kan_core.lab.fits import SYMBOLS, PointFit
from kan_core.lab.results import PointResult
from kan_core.lab.spec import LabSpec
from kan_core.lab.tables import Cell, Summary, summarize

# after M. Okabe and K. Ito, Color Universal Design, without black and yellow, which a dark or light page hides
PALETTE = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#8c8c8c", "#a6761d")
MARKERS = ("circle", "square", "diamond", "cross", "x", "triangle-up", "star", "hexagon")
DASHES = ("solid", "dash", "dot", "dashdot")
TITLES = {"grid_size": "grid size G", "width": "width", "depth": "hidden layers", "samples": "training samples N"}
GRID = "rgba(128, 128, 128, 0.25)"
CLEAR = "rgba(0, 0, 0, 0)"
NUM_COLUMNS = 3
FIELD_HEIGHT = 320


def race_figures(spec: LabSpec, results: Iterable[PointResult]) -> dict[str, go.Figure]:
    """Return "error_by_parameters", "error_by_seconds" and "curves": medians with their ranges over the seeds."""
    known = [one for one in results if one.test_rmse is not None]
    found = summarize(known)
    by_size = _pareto(spec, found, lambda one: float(one.parameters), "parameters")
    by_time = _pareto(spec, found, lambda one: one.seconds, "seconds of the processor")
    return {"error_by_parameters": by_size, "error_by_seconds": by_time, "curves": _curves(spec, found)}


def scaling_figures(spec: LabSpec, results: Iterable[PointResult], fits: Iterable[PointFit]) -> dict[str, go.Figure]:
    """Return "scaling", with laws, theory and data limits, and the figures of a race over all values."""
    known = [one for one in results if one.test_rmse is not None]
    found = summarize(known)
    figures = {"scaling": _scaling(spec, found, list(fits))}
    return figures | {
        "error_by_parameters": _pareto(spec, found, lambda one: float(one.parameters), "parameters"),
        "error_by_seconds": _pareto(spec, found, lambda one: one.seconds, "seconds of the processor"),
    }


def _pareto(spec: LabSpec, found: dict[Cell, Summary], cost: Callable[[PointResult], float], title: str) -> go.Figure:
    """Return errors against what they cost, with the front that nobody beats in both."""
    figure, first = _fields(spec, title), _first_places(spec, found)
    for place, problem in enumerate(spec.problems):
        cells = [(cell, summary) for cell, summary in found.items() if cell[0] == problem.name]
        for index, contestant in enumerate(spec.contestants):
            mine = [summary for cell, summary in cells if cell[1] == contestant.name]
            medians = [(_middle(one, cost), one) for one in mine]
            is_first = first.get(contestant.name) == place
            _add_medians(figure, spec, (place, index), medians, is_first=is_first)
            seeds = [(cost(result), result) for one in mine if one.count > 1 for result in one.results]
            _add_seeds(figure, spec, (place, index), seeds)
        front = _front([(_middle(summary, cost), summary.median) for _, summary in cells])
        if len(front) > 1:
            line = {"color": "#8c8c8c", "width": 1, "dash": "dot", "shape": "hv"}
            x, y = zip(*front, strict=True)
            figure.add_scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip", showlegend=False, **_place(place))
    return figure


def _curves(spec: LabSpec, found: dict[Cell, Summary]) -> go.Figure:
    """Return test errors over time, of the seed with the median error at the end."""
    figure, first = _fields(spec, "seconds of the processor"), _first_places(spec, found)
    for (problem, name, _), summary in found.items():
        place = [one.name for one in spec.problems].index(problem)
        index = [one.name for one in spec.contestants].index(name)
        result = summary.results[0]
        drawn = [(spent, error) for _, spent, error in result.curve if spent > 0 and error > 0]
        figure.add_scatter(
            x=[spent for spent, _ in drawn],
            y=[error for _, error in drawn],
            mode="lines",
            line={"color": _colour(index), "width": 1.6, "dash": _dash(index)},
            customdata=[[result.point.key]] * len(drawn),
            hovertemplate="%{y:.3g} after %{x:.3g} s",
            **_named(spec, index, is_first=first[name] == place),
            **_place(place),
        )
    return figure


def _scaling(spec: LabSpec, found: dict[Cell, Summary], fits: Sequence[PointFit]) -> go.Figure:
    assert spec.sweep is not None
    figure, first = _fields(spec, TITLES[spec.sweep.variable]), _first_places(spec, found)
    for place, problem in enumerate(spec.problems):
        for index, contestant in enumerate(spec.contestants):
            mine = [(cell[2], one) for cell, one in found.items() if cell[:2] == (problem.name, contestant.name)]
            medians = sorted(((float(value or 0), one) for value, one in mine), key=lambda pair: pair[0])
            is_first = first.get(contestant.name) == place
            _add_medians(figure, spec, (place, index), medians, is_first=is_first)
            seeds = [(value, result) for value, one in medians if one.count > 1 for result in one.results]
            _add_seeds(figure, spec, (place, index), seeds)
            for fit in fits:
                if (fit.problem, fit.contestant) == (problem.name, contestant.name):
                    _add_law(figure, (place, index), fit)
            limit = None if spec.sweep.variable == "samples" else _data_limit(medians, spec.num_train)
            if limit is not None:
                _add_limit(figure, (place, index), limit, [one.median for _, one in medians])
    return figure


def _add_law(figure: go.Figure, where: tuple[int, int], fit: PointFit) -> None:
    """Draw a fitted law from its first to its last size, and beside it the slope that theory promises."""
    place, index = where
    ends = [fit.first, fit.last]
    law = [math.exp(fit.intercept - fit.exponent * math.log(x)) for x in ends]
    told = f"{SYMBOLS[fit.variable]}^-{fit.exponent:.2f} ({fit.low:.2f} to {fit.high:.2f})"
    figure.add_scatter(
        x=ends, y=law, mode="lines", line={"color": _colour(index), "width": 2}, hoverinfo="text",
        hovertext=told, showlegend=False, legendgroup=str(index), **_place(place),
    )  # fmt: skip
    if fit.theory is not None:
        promised = [law[0], law[0] * (ends[0] / ends[1]) ** fit.theory]
        figure.add_scatter(
            x=ends, y=promised, mode="lines", line={"color": _colour(index), "width": 1, "dash": "dash"},
            hoverinfo="text", hovertext=f"theory: {SYMBOLS[fit.variable]}^-{fit.theory:g}", showlegend=False,
            legendgroup=str(index), **_place(place),
        )  # fmt: skip


def _data_limit(medians: Sequence[tuple[float, Summary]], num_samples: int) -> float | None:
    """Return the size at which parameters meet samples, between those measured; None where they do not."""
    for (before, low), (after, high) in pairwise(medians):
        few, many = low.results[0].parameters, high.results[0].parameters
        if few < num_samples <= many:
            share = math.log(num_samples / few) / math.log(many / few)
            return math.exp(math.log(before) + share * math.log(after / before))
    return None


def _add_limit(figure: go.Figure, where: tuple[int, int], size: float, errors: Sequence[float]) -> None:
    place, index = where
    figure.add_scatter(
        x=[size, size], y=[min(errors), max(errors)], mode="lines",
        line={"color": _colour(index), "width": 1, "dash": "dot"}, hoverinfo="text",
        hovertext="as many parameters as samples", showlegend=False, legendgroup=str(index), **_place(place),
    )  # fmt: skip


def _add_medians(
    figure: go.Figure,
    spec: LabSpec,
    where: tuple[int, int],
    medians: Sequence[tuple[float, Summary]],
    *,
    is_first: bool,
) -> None:
    place, index = where
    if not medians:
        return
    summaries = [one for _, one in medians]
    figure.add_scatter(
        x=[x for x, _ in medians],
        y=[one.median for one in summaries],
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [one.high - one.median for one in summaries],
            "arrayminus": [one.median - one.low for one in summaries],
            "thickness": 1,
            "width": 3,
        },
        mode="markers",
        marker={"color": _colour(index), "size": 10, "symbol": MARKERS[index % len(MARKERS)]},
        customdata=[one.keys for one in summaries],
        hovertext=[f"median of {one.count}: {one.median:.3g}" for one in summaries],
        hoverinfo="text+name",
        **_named(spec, index, is_first=is_first),
        **_place(place),
    )


def _add_seeds(
    figure: go.Figure, spec: LabSpec, where: tuple[int, int], seeds: Sequence[tuple[float, PointResult]]
) -> None:
    place, index = where
    if not seeds:
        return
    figure.add_scatter(
        x=[x for x, _ in seeds],
        y=[one.test_rmse for _, one in seeds],
        mode="markers",
        marker={"color": _colour(index), "size": 5, "opacity": 0.45, "symbol": MARKERS[index % len(MARKERS)]},
        customdata=[[one.point.key] for _, one in seeds],
        hovertext=[f"seed {one.seed}: {one.test_rmse:.3g}" for _, one in seeds],
        hoverinfo="text+name",
        **_named(spec, index, is_first=False),
        **_place(place),
    )


def _fields(spec: LabSpec, title: str) -> go.Figure:
    """Return an empty figure with a field for every problem, both axes logarithmic."""
    columns = min(NUM_COLUMNS, len(spec.problems))
    rows = math.ceil(len(spec.problems) / columns)
    titles = [html.escape(one.problem.title, quote=False) for one in spec.problems]
    places = range(rows * columns)
    cells = [{} if place < len(titles) else None for place in places]
    specs = [cells[start : start + columns] for start in places[::columns]]
    figure = make_subplots(rows=rows, cols=columns, specs=specs, subplot_titles=titles, vertical_spacing=0.3 / rows)
    axis = {"type": "log", "gridcolor": GRID, "zeroline": False, "exponentformat": "power"}
    figure.update_xaxes(axis | {"title": {"text": title}})
    figure.update_yaxes(axis)
    for row in range(1, rows + 1):
        figure.update_yaxes(title={"text": "test RMSE"}, row=row, col=1)
    figure.update_layout(
        template=go.layout.Template(),
        paper_bgcolor=CLEAR,
        plot_bgcolor=CLEAR,
        height=FIELD_HEIGHT * rows + 80,
        margin={"l": 60, "r": 10, "t": 40, "b": 40},
        legend={"orientation": "h", "y": -0.25 / rows, "yanchor": "top"},
        hovermode="closest",
    )
    return figure


def _middle(summary: Summary, cost: Callable[[PointResult], float]) -> float:
    costs = sorted(cost(one) for one in summary.results)
    return (costs[(len(costs) - 1) // 2] + costs[len(costs) // 2]) / 2


def _front(points: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the points that no other beats in both cost and error, by cost."""
    front: list[tuple[float, float]] = []
    for cost, error in sorted(points):
        if not front or error < front[-1][1]:
            front.append((cost, error))
    return front


def _colour(index: int) -> str:
    return PALETTE[index % len(PALETTE)]


def _dash(index: int) -> str:
    return DASHES[index // len(PALETTE) % len(DASHES)]


def _place(place: int) -> dict[str, int]:
    return {"row": place // NUM_COLUMNS + 1, "col": place % NUM_COLUMNS + 1}


def _named(spec: LabSpec, index: int, *, is_first: bool) -> dict[str, object]:
    name = html.escape(spec.contestants[index].name, quote=False)
    return {"name": name, "legendgroup": str(index), "showlegend": is_first}


def _first_places(spec: LabSpec, found: dict[Cell, Summary]) -> dict[str, int]:
    """Return the first field in which each contestant has something to show, where its entry in the legend is made."""
    places = {problem.name: place for place, problem in enumerate(spec.problems)}
    first: dict[str, int] = {}
    for problem, contestant, _ in found:
        first[contestant] = min(places[problem], first.get(contestant, len(places)))
    return first
