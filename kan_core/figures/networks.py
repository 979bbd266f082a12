"""Plotly figures of networks, for notebooks and reports.

Shape legend: B samples, I inputs, P points of a curve.

A network is drawn as the page draws it: inputs on top, each edge as a box with its curve, targets' sums below, and
products as crosses. Plotly costs by the trace, so edges of a kind and a strength share theirs, joined by gaps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import plotly.graph_objects as go
from torch import Tensor

from kan_core.attribution import edge_importance
from kan_core.bases.basis import FloatArray
from kan_core.curves import sample_edge_curves
from kan_core.formula import column_names
from kan_core.formula_display import edge_label
from kan_core.network import KAN, EdgeId
from kan_core.symbolic.edges import edge_curve, edge_units

COLOURS = {"spline": "#1f3fbf", "symbolic": "#0a7a4b", "pruned": "#8a92a3"}
NAMES = {"spline": "learned curve", "symbolic": "formula", "pruned": "cut"}
INK, FAINT = "#171a21", "#d9dde6"
BOX = 0.86
NUM_STRENGTHS = 4
FLATTEST = 0.2
GAP = [None]


@dataclass(frozen=True, slots=True)
class _Box:
    """An edge's square on the drawing: its centre, in units of one slot, and its side."""

    x: float
    y: float
    side: float


@dataclass(slots=True)
class _Pen:
    """Points of lines that share a trace, None between one line and the next."""

    x: list[float | None] = field(default_factory=list)
    y: list[float | None] = field(default_factory=list)

    def draw(self, x: Sequence[float], y: Sequence[float]) -> None:
        self.x += [*x, *GAP]
        self.y += [*y, *GAP]


def network_figure(
    network: KAN,
    inputs: Tensor | None = None,
    *,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
) -> go.Figure:
    """Return a figure of the network: every φ in its box, formulas named, cut edges as ghosts.

    With `inputs` (B, I), in original units, edges are the stronger the more they matter (`kan_core.attribution`), else
    all alike. Inputs are called x1, x2, … and outputs y unless names are given. Raises ExportError when there are not
    as many names as columns, and DataError when `inputs` do not fit the network.
    """
    sources = column_names(input_names, network.widths[0], "input_names", "x")
    outputs = column_names(output_names, network.widths[-1], "output_names", "y")
    strengths = _strengths(network, inputs)
    boxes, nodes = _place_boxes(network), _place_nodes(network)
    figure = go.Figure(layout=_layout(network, boxes))
    _add_lines(figure, network, boxes, nodes, strengths)
    _add_nodes(figure, network, nodes, (sources, outputs))
    _add_hover(figure, network, boxes, strengths if inputs is not None else None, sources)
    return figure


def edge_figure(network: KAN, edge: EdgeId, inputs: Tensor) -> go.Figure:
    """Return a figure of one φ in original units over the interval that `inputs` (B, I) take there.

    Ticks along the bottom are the samples' values. Raises EdgeError for an unknown edge.
    """
    x, y = edge_curve(network, edge, inputs)
    kind = network.kind(edge)
    samples = network.node_values(inputs)[edge.layer][:, edge.source].double().numpy()
    scale, shift, _ = edge_units(network, edge)
    samples = samples * scale + shift
    figure = go.Figure()
    figure.add_scatter(
        x=x.tolist(), y=y.tolist(), mode="lines", line={"color": COLOURS[kind], "width": 2.5}, name=NAMES[kind]
    )
    figure.add_scatter(
        x=samples.tolist(),
        y=[0.0] * len(samples),
        yaxis="y2",
        mode="markers",
        marker={"symbol": "line-ns-open", "color": COLOURS["pruned"], "size": 8, "opacity": 0.4},
        name="data",
        hoverinfo="skip",
    )
    figure.update_layout(
        template="plotly_white",
        title=f"φ of edge {edge}",
        xaxis={"title": "x", "anchor": "y2"},
        yaxis={"title": "φ(x)", "domain": [0.08, 1.0]},
        yaxis2={"domain": [0.0, 0.06], "visible": False, "fixedrange": True},
    )
    return figure


def _strengths(network: KAN, inputs: Tensor | None) -> list[float]:
    if inputs is None:
        return [1.0] * len(network.edges())
    return [float(score) for layer in edge_importance(network, inputs) for score in layer.ravel()]


def _place_nodes(network: KAN) -> list[list[tuple[float, float]]]:
    """Return each layer's nodes, evenly over the width, two rows apart so that boxes fit between."""
    across = _width(network)
    pitch = _pitch(network)
    return [
        [((node + 0.5) * across / width, -2 * layer * pitch) for node in range(width)]
        for layer, width in enumerate(network.widths)
    ]


def _place_boxes(network: KAN) -> list[_Box]:
    """Return every edge's box, in the order of edges: those of a node of the wider side stand together."""
    across, pitch = _width(network), _pitch(network)
    boxes: list[_Box] = []
    for edge in network.edges():
        sources, targets = network.layers[edge.layer].num_sources, network.layers[edge.layer].num_targets
        rank = edge.target * sources + edge.source if targets >= sources else edge.source * targets + edge.target
        slot = across / (sources * targets)
        boxes.append(_Box((rank + 0.5) * slot, -(2 * edge.layer + 1) * pitch, BOX * min(slot, pitch)))
    return boxes


def _width(network: KAN) -> float:
    """Return the drawing's width in slots of the layer with most edges, at least four."""
    return float(max(4, *(layer.num_sources * layer.num_targets for layer in network.layers)))


def _pitch(network: KAN) -> float:
    """Return the distance from a row of nodes to the next row of boxes, for a drawing about half as high as wide."""
    return max(1.0, _width(network) / (4 * (len(network.widths) - 1)))


def _layout(network: KAN, boxes: Sequence[_Box]) -> go.Layout:
    hidden = {"visible": False, "fixedrange": False}
    across, low = _width(network), min(box.y for box in boxes) - _pitch(network)
    margin = 0.6 * _pitch(network)
    return go.Layout(
        template="plotly_white",
        showlegend=False,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        xaxis=hidden | {"range": [-0.1, across + 0.1]},
        yaxis=hidden | {"range": [low - margin, margin], "scaleanchor": "x"},
    )


def _add_lines(
    figure: go.Figure,
    network: KAN,
    boxes: Sequence[_Box],
    nodes: Sequence[Sequence[tuple[float, float]]],
    strengths: Sequence[float],
) -> None:
    """Add links, boxes and curves, a trace each for every kind and strength."""
    curves = _scaled_curves(network)
    links: dict[tuple[str, int], _Pen] = {}
    frames: dict[tuple[str, int], _Pen] = {}
    lines: dict[tuple[str, int], _Pen] = {}
    for edge, box, curve, strength in zip(network.edges(), boxes, curves, strengths, strict=True):
        key = (network.kind(edge), round(NUM_STRENGTHS * min(strength, 1.0)))
        after, node = network.node_of(edge)
        half, (x0, y0), (x1, y1) = box.side / 2, nodes[edge.layer][edge.source], nodes[after][node]
        link = links.setdefault(key, _Pen())
        link.draw((x0, box.x), (y0, box.y + half))
        link.draw((box.x, x1), (box.y - half, y1))
        left, right, bottom, top = box.x - half, box.x + half, box.y - half, box.y + half
        frames.setdefault(key, _Pen()).draw((left, right, right, left, left), (bottom, bottom, top, top, bottom))
        steps = np.linspace(-0.42, 0.42, len(curve)) * box.side
        lines.setdefault(key, _Pen()).draw((box.x + steps).tolist(), (box.y + 0.84 * box.side * curve).tolist())
    for (kind, strength), pen in links.items():
        _add_trace(figure, pen, kind, width=0.6 + 2.4 * strength / NUM_STRENGTHS, opacity=_opacity(kind, strength, 0.2))
    for (kind, _), pen in frames.items():
        outline = {"color": FAINT if kind == "spline" else COLOURS[kind], "width": 1, "dash": _dash(kind)}
        paper = {"fill": "toself", "fillcolor": "white"}
        figure.add_scatter(x=pen.x, y=pen.y, mode="lines", line=outline, hoverinfo="skip", **paper)
    for (kind, strength), pen in lines.items():
        _add_trace(figure, pen, kind, width=1.3 + strength / NUM_STRENGTHS, opacity=_opacity(kind, strength, 0.45))


def _add_trace(figure: go.Figure, pen: _Pen, kind: str, *, width: float, opacity: float) -> None:
    line = {"color": COLOURS[kind], "width": width, "dash": _dash(kind)}
    figure.add_scatter(x=pen.x, y=pen.y, mode="lines", line=line, opacity=opacity, hoverinfo="skip")


def _dash(kind: str) -> str:
    return "dot" if kind == "pruned" else "solid"


def _opacity(kind: str, strength: int, least: float) -> float:
    return least if kind == "pruned" else least + (1 - least) * strength / NUM_STRENGTHS


def _scaled_curves(network: KAN) -> list[FloatArray]:
    """Return every φ (P,) within [-½, ½]; of a node's edges a much flatter one is drawn as flat as it is."""
    values = sample_edge_curves(network).values.astype(np.float64)
    spans = values.max(axis=1) - values.min(axis=1)
    middles = (values.max(axis=1) + values.min(axis=1)) / 2
    edges = network.edges()
    largest: dict[tuple[int, int], float] = {}
    for edge, span in zip(edges, spans, strict=True):
        node = (edge.layer, edge.target)
        largest[node] = max(largest.get(node, 0.0), float(span))
    heights = [max(span, FLATTEST * largest[edge.layer, edge.target]) for edge, span in zip(edges, spans, strict=True)]
    return [
        (row - middle) / height if height > 0 else np.zeros_like(row)
        for row, middle, height in zip(values, middles, heights, strict=True)
    ]


def _add_nodes(
    figure: go.Figure,
    network: KAN,
    nodes: Sequence[Sequence[tuple[float, float]]],
    names: tuple[Sequence[str], Sequence[str]],
) -> None:
    for layer, column in enumerate(nodes):
        num_products = network.spec.products_at(layer)
        symbols = ["circle"] * (len(column) - num_products) + ["x"] * num_products
        marker = {"size": 13, "color": "white", "line": {"color": INK, "width": 1.5}, "symbol": symbols}
        texts = names[0] if layer == 0 else names[1] if layer == len(nodes) - 1 else [""] * len(column)
        figure.add_scatter(
            x=[x for x, _ in column],
            y=[y for _, y in column],
            mode="markers+text",
            marker=marker,
            text=list(texts),
            textposition="top center" if layer == 0 else "bottom center",
            textfont={"size": 15, "color": INK},
            hoverinfo="skip",
        )


def _add_hover(
    figure: go.Figure,
    network: KAN,
    boxes: Sequence[_Box],
    strengths: Sequence[float] | None,
    input_names: Sequence[str],
) -> None:
    """Add what a pointer over a box tells, and under formulas the names of their functions."""
    told: list[str] = []
    labels: list[str] = []
    for index, edge in enumerate(network.edges()):
        kind = network.kind(edge)
        name = input_names[edge.source] if edge.layer == 0 else "x"
        label = edge_label(network, edge, name)[0] if kind == "symbolic" else ""
        importance = "" if strengths is None else f"<br>importance {strengths[index]:.2g}"
        told.append(f"edge {edge}<br>{label or NAMES[kind]}{importance}")
        function = network.layers[edge.layer].functions.get((edge.target, edge.source))
        labels.append(function.name if function is not None and kind == "symbolic" else "")
    figure.add_scatter(
        x=[box.x for box in boxes],
        y=[box.y - box.side / 2 for box in boxes],
        mode="text",
        text=labels,
        textposition="bottom center",
        textfont={"size": 11, "color": COLOURS["symbolic"]},
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=[box.x for box in boxes],
        y=[box.y for box in boxes],
        mode="markers",
        marker={"size": 24, "opacity": 0},
        hovertext=told,
        hoverinfo="text",
    )
