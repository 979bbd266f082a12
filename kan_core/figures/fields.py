"""Empty figures of the lab: a field for every problem, and how a contestant looks in all of them.

A contestant has one colour and one symbol everywhere, and one way in which its line is broken, so that people who see
few colours tell them apart too. There are more colours than symbols by one, so that the pairs repeat only after 56
contestants; those of colours and lines repeat after 32. Background is transparent and text has no colour of its own,
so that a page can show figures light or dark.
"""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from kan_core.figures.log_axes import MAX_ACROSS, log_axis
from kan_core.lab.results import PointResult
from kan_core.lab.spec import LabSpec
from kan_core.lab.tables import Cell, Summary

# after M. Okabe and K. Ito, Color Universal Design, without black and yellow, which a dark or light page hides
PALETTE = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#8c8c8c", "#a6761d")
MARKERS = ("circle", "square", "diamond", "cross", "x", "triangle-up", "star")
DASHES = ("solid", "dash", "dot", "dashdot")
NEUTRAL = "#8c8c8c"
GRID = "rgba(128, 128, 128, 0.25)"
CLEAR = "rgba(0, 0, 0, 0)"
NUM_COLUMNS = 3
# pixels
FIELD_HEIGHT = 300
GAP = 90
TOP = 40
BOTTOM = 110
TITLE_SIZE = 13
# letters of a title that a field has room for
MAX_TITLE = 44


def empty_fields(spec: LabSpec, title: str) -> go.Figure:
    """Return a figure with a field for every problem and nothing in it; `title` is of the horizontal axes."""
    columns = count_columns(spec)
    rows = math.ceil(len(spec.problems) / columns)
    places = range(rows * columns)
    cells = [{} if place < len(spec.problems) else None for place in places]
    height = rows * FIELD_HEIGHT + (rows - 1) * GAP
    figure = make_subplots(
        rows=rows,
        cols=columns,
        specs=[cells[start : start + columns] for start in places[::columns]],
        subplot_titles=[_short(one.title) for one in spec.problems],
        vertical_spacing=GAP / height if rows > 1 else 0.0,
        horizontal_spacing=0.22 / columns,
    )
    axis = {"gridcolor": GRID, "zeroline": False}
    figure.update_xaxes(axis | {"title": {"text": title, "standoff": 6}})
    figure.update_yaxes(axis)
    for row in range(1, rows + 1):
        figure.update_yaxes(title={"text": "test RMSE"}, row=row, col=1)
    figure.update_annotations(font={"size": TITLE_SIZE})
    figure.update_layout(
        template=go.layout.Template(),
        paper_bgcolor=CLEAR,
        plot_bgcolor=CLEAR,
        height=height + TOP + BOTTOM,
        margin={"l": 60, "r": 10, "t": TOP, "b": BOTTOM},
        # below everything, by pixels that do not depend on how many rows there are
        legend={"orientation": "h", "y": -60 / height, "yanchor": "top"},
        hovermode="closest",
    )
    return figure


def count_columns(spec: LabSpec) -> int:
    """Return how many fields are side by side."""
    return min(NUM_COLUMNS, len(spec.problems))


def set_axes(
    figure: go.Figure, place: int, x: Iterable[float], y: Iterable[float], *, ticks: Sequence[float] = ()
) -> None:
    """Let the axes of a field, both logarithmic, reach around what it shows; `ticks` are those of the horizontal."""
    field = field_of(place)
    figure.update_xaxes(log_axis(x, ticks=ticks, max_ticks=MAX_ACROSS), row=field["row"], col=field["col"])
    figure.update_yaxes(log_axis(y), row=field["row"], col=field["col"])


def errors_of(summaries: Iterable[Summary]) -> list[float]:
    """Return the smallest and the largest errors, for an axis."""
    return [error for one in summaries for error in (one.low, one.high)]


def add_medians(
    figure: go.Figure,
    spec: LabSpec,
    where: tuple[int, int],
    medians: Sequence[tuple[float, Summary]],
    *,
    is_first: bool,
) -> None:
    """Add markers at medians, with ranges over the seeds, of the field and the contestant at `where`."""
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
        marker={"color": colour_of(index), "size": 10, "symbol": marker_of(index)},
        customdata=[one.keys for one in summaries],
        hovertext=[f"median of {one.count}: {one.median:.3g}" for one in summaries],
        hoverinfo="text+name",
        **naming(spec, index, is_first=is_first),
        **field_of(place),
    )


def add_seeds(
    figure: go.Figure, spec: LabSpec, where: tuple[int, int], seeds: Sequence[tuple[float, PointResult]]
) -> None:
    """Add a small marker for every single training."""
    place, index = where
    if not seeds:
        return
    figure.add_scatter(
        x=[x for x, _ in seeds],
        y=[one.test_rmse for _, one in seeds],
        mode="markers",
        marker={"color": colour_of(index), "size": 5, "opacity": 0.45, "symbol": marker_of(index)},
        customdata=[[one.point.key] for _, one in seeds],
        hovertext=[f"seed {one.seed}: {one.test_rmse:.3g}" for _, one in seeds],
        hoverinfo="text+name",
        **naming(spec, index, is_first=False),
        **field_of(place),
    )


def middle_of(summary: Summary, cost: Callable[[PointResult], float]) -> float:
    """Return the median of a cost over the seeds."""
    costs = sorted(cost(one) for one in summary.results)
    return (costs[(len(costs) - 1) // 2] + costs[len(costs) // 2]) / 2


def colour_of(index: int) -> str:
    """Return a contestant's colour."""
    return PALETTE[index % len(PALETTE)]


def marker_of(index: int) -> str:
    """Return a contestant's symbol."""
    return MARKERS[index % len(MARKERS)]


def dash_of(index: int) -> str:
    """Return how a contestant's lines are broken, solid for as long as there are colours."""
    return DASHES[index // len(PALETTE) % len(DASHES)]


def field_of(place: int) -> dict[str, int]:
    """Return row and column of a problem's field."""
    return {"row": place // NUM_COLUMNS + 1, "col": place % NUM_COLUMNS + 1}


def naming(spec: LabSpec, index: int, *, is_first: bool) -> dict[str, Any]:
    """Return the name under which a trace stands in the legend, shown there if it is the contestant's first."""
    name = html.escape(spec.contestants[index].name, quote=False)
    return {"name": name, "legendgroup": str(index), "showlegend": is_first}


def first_places(spec: LabSpec, found: dict[Cell, Summary]) -> dict[str, int]:
    """Return the first field in which each contestant has something to show, where its entry in the legend is made."""
    places = {problem.name: place for place, problem in enumerate(spec.problems)}
    first: dict[str, int] = {}
    for problem, contestant, _ in found:
        first[contestant] = min(places[problem], first.get(contestant, len(places)))
    return first


def _short(title: str) -> str:
    return html.escape(title if len(title) <= MAX_TITLE else f"{title[: MAX_TITLE - 1]}…", quote=False)
