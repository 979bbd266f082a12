"""Figures show what the network is: every edge once, in its kind, with its words."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
import torch

from kan_core import KAN, EdgeId, NetworkSpec, Trainer, edge_figure, fix_symbolic, network_figure, prune_edge
from kan_core.bases.basis import FloatArray
from kan_core.errors import ExportError
from kan_core.figures.networks import COLOURS, FAINT
from kan_core.symbolic import suggest_symbolic
from tests.kan_core.problems_for_tests import exp_sin_dataset

SPLINE, FORMULA, CUT = (
    EdgeId(layer=0, source=0, target=0),
    EdgeId(layer=0, source=1, target=1),
    EdgeId(layer=1, source=2, target=0),
)


def mixed_network() -> KAN:
    """Return a network with a curve, a formula and a cut edge among others."""
    data = exp_sin_dataset()
    network = KAN(NetworkSpec(widths=(2, 3, 1)), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    network = Trainer(network, data).network
    network = fix_symbolic(network, FORMULA, suggest_symbolic(network, FORMULA, data.train_inputs)[0])
    return prune_edge(network, CUT)


def traces(figure: go.Figure) -> list[dict[str, Any]]:
    """Return what Plotly draws."""
    return figure.to_dict()["data"]


def hover_texts(figure: go.Figure) -> list[str]:
    """Return what a pointer over the boxes tells, in the order of edges."""
    return list(next(trace["hovertext"] for trace in traces(figure) if "hovertext" in trace))


def lines(figure: go.Figure, colour: str) -> list[FloatArray]:
    """Return the lines (points, 2) that are drawn in a colour."""
    found: list[FloatArray] = []
    for trace in traces(figure):
        if trace.get("line", {}).get("color") == colour:
            points = np.array([trace["x"], trace["y"]], dtype=np.float64).T
            gaps = np.flatnonzero(np.isnan(points[:, 0]))
            found += [part[~np.isnan(part[:, 0])] for part in np.split(points, gaps)[:-1]]
    return found


def curves(figure: go.Figure, colour: str) -> list[FloatArray]:
    """Return those lines that are curves of 64 points."""
    return [line for line in lines(figure, colour) if len(line) == 64]


def test_every_edge_is_drawn_once_in_the_colour_of_its_kind() -> None:
    figure = network_figure(mixed_network(), exp_sin_dataset().train_inputs)
    assert {kind: len(curves(figure, colour)) for kind, colour in COLOURS.items()} == {
        "spline": 7,
        "symbolic": 1,
        "pruned": 1,
    }


def test_a_pointer_is_told_edge_kind_and_importance() -> None:
    told = hover_texts(network_figure(mixed_network(), exp_sin_dataset().train_inputs))
    assert len(told) == 9
    assert re.fullmatch(r"edge 0\.0\.0<br>learned curve<br>importance [\d.e+-]+", told[0])
    assert told[8] == "edge 1.2.0<br>cut<br>importance 0"
    assert "x2" in told[3]
    assert "learned" not in told[3]


def test_curves_stay_in_their_boxes_and_boxes_apart() -> None:
    figure = network_figure(KAN(NetworkSpec(widths=(2, 5, 5, 1), initialization="variance")))
    boxes = np.array([line for line in lines(figure, FAINT) if len(line) == 5])
    low, high = boxes.min(axis=1), boxes.max(axis=1)
    assert len(boxes) == 40
    for index in range(len(boxes)):
        apart = (low[index] >= high - 1e-9) | (high[index] <= low + 1e-9)
        assert apart.any(axis=1).sum() == len(boxes) - 1
    for curve in curves(figure, COLOURS["spline"]):
        inside = (low <= curve.min(axis=0)) & (curve.max(axis=0) <= high)
        assert inside.all(axis=1).sum() == 1


def test_names_stand_at_inputs_and_outputs() -> None:
    network = KAN(NetworkSpec(widths=(2, 1)))
    named = network_figure(network, input_names=["mass", "speed"], output_names=["E"])
    assert [tuple(trace["text"]) for trace in traces(named) if trace["mode"] == "markers+text"] == [
        ("mass", "speed"),
        ("E",),
    ]
    with pytest.raises(ExportError, match="input_names has a name for each of 2 columns"):
        network_figure(network, input_names=["mass"])


def test_an_edge_is_drawn_over_its_data_in_original_units() -> None:
    data = exp_sin_dataset()
    network = Trainer(KAN(dtype=torch.float64), data).network
    figure = edge_figure(network, SPLINE, data.train_inputs)
    curve, ticks = (np.array(trace["x"]) for trace in traces(figure))
    np.testing.assert_allclose([curve.min(), curve.max()], [ticks.min(), ticks.max()], rtol=1e-12)
    np.testing.assert_allclose(np.sort(ticks), np.sort(data.train_inputs[:, 0].numpy()), rtol=1e-12)


def test_figures_can_be_written_as_json() -> None:
    assert json.loads(str(network_figure(mixed_network()).to_json()))["data"]
