"""What viewers ask of a session: one edge in detail, formulas for it, what a cut would do, predictions."""

from __future__ import annotations

import math
import sys

import numpy as np
import torch
from numpy.typing import NDArray

from kan_core import KAN, EdgeId, cut_effect, edge_importance, sample_edge_curves, severs_output, suggest_symbolic
from kan_core.bases.basis import FloatArray
from kan_core.formula_display import candidate_label, edge_label
from kan_core.mlp import MLP
from kan_core.symbolic import BUILT_IN, Library
from kan_core.symbolic.edges import edge_curve, edge_units
from kan_core.symbolic.ranking import Candidate as RankedCandidate
from server.constants import describe_constants
from server.edits import find_edge
from server.exports import export, judge_formula
from server.messages import (
    Candidate,
    CandidatesEvent,
    Constants,
    CutMeasuredEvent,
    EdgeRef,
    Event,
    Export,
    Inspect,
    InspectionEvent,
    JudgeFormula,
    MeasureCut,
    Predict,
    PredictionEvent,
    Residuals,
    ResidualsEvent,
    ShortQuery,
    Suggest,
    SymbolicForm,
)
from server.model import NUM_POINTS, Network
from server.perceptron_exports import export_perceptron
from server.perceptron_refusals import kan_for
from server.refusal import Refusal
from server.session_data import SessionData
from server.views import edge_kind, edge_ref, symbolic_form

NUM_BINS = 24
MAX_CANDIDATES = 80
MAX_RESIDUALS = 500
MAX_SHOWN_SAMPLES = 500

# what is asked of a KAN alone
KanQuery = Inspect | Suggest | MeasureCut | JudgeFormula | Constants | Export


def answer(
    query: ShortQuery, network: Network, data: SessionData, *, revision: int, step: int, library: Library = BUILT_IN
) -> Event:
    """Return the answer to a query of a network after `step` steps, formulas made of `library`.

    Raises Refusal: stale_edge, bad_input or not_for_perceptrons.
    """
    if isinstance(query, Predict):
        return predict(network, query, data)
    if isinstance(query, Residuals):
        return residuals(network, data)
    if isinstance(query, Export) and isinstance(network, MLP):
        return export_perceptron(network, query, data)
    return _answer_of_kan(query, kan_for(query, network), data, revision=revision, step=step, library=library)


def _answer_of_kan(
    query: KanQuery, network: KAN, data: SessionData, *, revision: int, step: int, library: Library
) -> Event:
    match query:
        case Inspect():
            return inspect_edge(network, query.edge, data, revision)
        case Suggest():
            return suggest(network, query.edge, data, revision=revision, step=step, library=library)
        case MeasureCut():
            return measure_cut(network, query.edges, data, step)
        case JudgeFormula():
            return judge_formula(network, query, data, revision)
        case Constants():
            return describe_constants(network, data, revision)
        case Export():
            return export(network, query, data)


def inspect_edge(network: KAN, ref: EdgeRef, data: SessionData, revision: int) -> InspectionEvent:
    """Return one edge's curve, the pieces it is made of, its grid and where the training data lie on it."""
    edge = find_edge(network, ref)
    inputs = data.dataset.train_inputs
    curves = sample_edge_curves(network, num_points=NUM_POINTS)
    x = curves.grids[sum(network.widths[: edge.layer]) + edge.source]
    layer = network.check_edge(edge)
    scale, shift, _ = edge_units(network, edge)
    low, high = float(layer.low[edge.source]), float(layer.high[edge.source])
    basis, _ = layer.edge_basis(edge.target, edge.source)
    is_formula = bool(layer.symbolic[edge.target, edge.source])
    name = data.info.input_names[edge.source] if edge.layer == 0 else "x"
    label, label_mathml = edge_label(network, edge, name) if is_formula else (None, None)
    nodes = network.trace(inputs).node_values[edge.layer][:, edge.source].double().numpy() * scale + shift
    counts, bins = np.histogram(nodes, bins=NUM_BINS)
    return InspectionEvent(
        edge=edge_ref(edge),
        revision=revision,
        kind=edge_kind(network, edge),
        basis=basis.name,
        domain=(low * scale + shift, high * scale + shift),
        x=x.tolist(),
        y=curves.values[network.edges().index(edge)].tolist(),
        basis_curves=_basis_curves(network, edge),
        grid=(basis.grid(low, high) * scale + shift).tolist(),
        histogram_edges=bins.tolist(),
        histogram_counts=counts.tolist(),
        importance=float(edge_importance(network, data.weighed_inputs)[edge.layer][edge.target, edge.source]),
        form=symbolic_form(network, edge),
        label=label,
        label_mathml=label_mathml,
        locked=bool(layer.locked[edge.target, edge.source]),
    )


@torch.no_grad()
def _basis_curves(network: KAN, edge: EdgeId) -> list[list[float]]:
    """Return c_k B_k for each k and then w_b b at the points of the edge's curve, in original units."""
    layer = network.check_edge(edge)
    if bool(layer.symbolic[edge.target, edge.source]):
        return []
    nodes = torch.linspace(
        float(layer.low[edge.source]), float(layer.high[edge.source]), NUM_POINTS, dtype=network.dtype
    )
    u = torch.linspace(-1.0, 1.0, NUM_POINTS, dtype=network.dtype)
    basis, place = layer.edge_basis(edge.target, edge.source)
    parts = basis.values(u) * layer.coefficients[edge.target, edge.source, place]
    base = layer.base_weights[edge.target, edge.source] * layer.base_values(nodes)
    return (torch.cat([parts.T, base.unsqueeze(0)]) * edge_units(network, edge)[2]).tolist()


def suggest(
    network: KAN, ref: EdgeRef, data: SessionData, *, revision: int, step: int, library: Library = BUILT_IN
) -> CandidatesEvent:
    """Return ranked formulas for one edge over the interval that its data take."""
    edge = find_edge(network, ref)
    inputs = data.dataset.train_inputs
    x, y = edge_curve(network, edge, inputs)
    ranked = suggest_symbolic(network, edge, inputs, limit=MAX_CANDIDATES, library=library)
    name = data.info.input_names[edge.source] if edge.layer == 0 else "x"
    return CandidatesEvent(
        edge=edge_ref(edge),
        revision=revision,
        step=step,
        x=x.tolist(),
        y=y.tolist(),
        candidates=[_candidate(one, x, name) for one in ranked],
    )


def _candidate(ranked: RankedCandidate, x: FloatArray, name: str) -> Candidate:
    text, mathml = candidate_label(ranked, name)
    return Candidate(
        form=SymbolicForm(function=ranked.function, a=ranked.a, b=ranked.b, c=ranked.c, d=ranked.d),
        name=ranked.function,
        mathml=mathml,
        text=text,
        r2=ranked.r2,
        complexity=ranked.complexity,
        formula_bits=ranked.formula_bits,
        residual_bits=ranked.residual_bits,
        is_poor=ranked.is_poor,
        curve=ranked.evaluate(x).tolist(),
    )


def measure_cut(network: KAN, refs: list[EdgeRef], data: SessionData, step: int) -> CutMeasuredEvent:
    """Return the losses with and without the edges; one beyond all numbers is the largest, as in training."""
    edges = list(dict.fromkeys(find_edge(network, ref) for ref in refs))
    effect = cut_effect(network, data.dataset, edges)
    return CutMeasuredEvent(
        step=step,
        edges=[edge_ref(edge) for edge in edges],
        train_before=_finite(effect.train_before),
        train_after=_finite(effect.train_after),
        test_before=_finite(effect.test_before),
        test_after=_finite(effect.test_after),
        severs_output=severs_output(network, edges),
    )


def predict(network: Network, query: Predict, data: SessionData) -> PredictionEvent:
    """Return network and truth over one or two inputs, the others at their medians."""
    for name, index in (("x_input", query.x_input), ("y_input", query.y_input)):
        if index is not None and index >= data.num_inputs:
            raise Refusal(
                "bad_input",
                f"The data have {data.num_inputs} inputs, counted from 0, received {name}={index}: choose one.",
            )
    if query.x_input == query.y_input:
        raise Refusal("bad_input", f"A surface needs two different inputs, received {query.x_input} twice: choose two.")
    x = _axis(data, query.x_input, query.resolution)
    y = np.zeros(1) if query.y_input is None else _axis(data, query.y_input, query.resolution)
    samples = data.dataset.train_inputs.double().numpy()
    points = np.tile(np.median(samples, axis=0), (len(y) * len(x), 1))
    points[:, query.x_input] = np.tile(x, len(y))
    if query.y_input is not None:
        points[:, query.y_input] = np.repeat(y, len(x))
    shown = slice(0, MAX_SHOWN_SAMPLES)
    return PredictionEvent(
        x_input=query.x_input,
        y_input=query.y_input,
        x=x.tolist(),
        y=[] if query.y_input is None else y.tolist(),
        network=outputs(network, data, torch.from_numpy(points)).reshape(len(y), len(x)).tolist(),
        truth=_truth(data, points, (len(y), len(x))),
        sample_x=samples[shown, query.x_input].tolist(),
        sample_y=[] if query.y_input is None else samples[shown, query.y_input].tolist(),
        sample_targets=data.dataset.train_targets[shown, 0].tolist(),
    )


def residuals(network: Network, data: SessionData) -> ResidualsEvent:
    """Return predictions against targets for at most 500 test samples, without those beyond all numbers."""
    inputs, targets = data.dataset.test_inputs[:MAX_RESIDUALS], data.dataset.test_targets[:MAX_RESIDUALS, 0].numpy()
    predictions = outputs(network, data, inputs)
    shown = np.isfinite(predictions)
    return ResidualsEvent(targets=targets[shown].tolist(), predictions=predictions[shown].tolist())


def _finite(error: float) -> float:
    return error if math.isfinite(error) else sys.float_info.max


@torch.no_grad()
def outputs(network: Network, data: SessionData, inputs: torch.Tensor) -> NDArray[np.float64]:
    """Return the first output (B,) for inputs (B, I), as a probability for classification."""
    values = network(inputs)[:, 0].double()
    return (torch.sigmoid(values) if data.info.task == "classification" else values).numpy()


def _axis(data: SessionData, index: int, resolution: int) -> NDArray[np.float64]:
    return np.linspace(data.info.input_lows[index], data.info.input_highs[index], resolution)


def _truth(data: SessionData, points: NDArray[np.float64], shape: tuple[int, int]) -> list[list[float]] | None:
    """Return the formula behind the data on the grid, None when there is none or it has no value somewhere."""
    if data.truth is None:
        return None
    values = data.truth.evaluate(points)
    return values.reshape(shape).tolist() if np.isfinite(values).all() else None
