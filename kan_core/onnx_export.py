"""The network as an ONNX file, for runtimes in other languages and places.

Shape legend: B samples, I sources, S rows of sums, J nodes, K basis functions, P sources that share a family.

A layer's curves are grouped by family: the functions of all sources of a group are computed at once, (B, P, K), and
summed by one product with a matrix of coefficients (P K, S). Formulas are written edge by edge.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from kan_core.bases import Basis
from kan_core.bases.basis import end_slopes
from kan_core.errors import ExportError
from kan_core.formula import column_names
from kan_core.layer import KANLayer
from kan_core.network import KAN
from kan_core.onnx_graph import IR_VERSION, OPSET, Array, Graph, GraphWriter
from kan_core.symbolic.edges import definition_of
from kan_core.writing import write

DTYPES = ("float32", "float64")


def onnx_bytes(
    network: KAN,
    *,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
    dtype: str | None = None,
) -> bytes:
    """Return an ONNX model (operator set 17) from `inputs` (B, I) to `outputs` (B, J), in original units.

    Numbers are "float32" or "float64", by default the network's own. The columns' names stand in the model's metadata
    as JSON lists `input_names` and `output_names`. Raises ExportError when the package onnx is not installed, the names
    or the dtype do not fit, or a formula uses a function that ONNX lacks.
    """
    inputs = column_names(input_names, network.widths[0], "input_names", "x")
    outputs = column_names(output_names, network.widths[-1], "output_names", "y")
    graph = begin_graph(str(network.dtype).removeprefix("torch.") if dtype is None else dtype)
    return finish_model(graph, "kan", _write_network(graph, network), inputs, outputs)


def begin_graph(dtype: str) -> Graph:
    """Return an empty graph for numbers of this type; raises ExportError."""
    if dtype not in DTYPES:
        raise ExportError(f"dtype is one of {', '.join(DTYPES)}, received dtype={dtype!r}: choose one of these")
    return Graph(np.dtype(dtype))


def finish_model(graph: Graph, name: str, result: Array, inputs: Sequence[str], outputs: Sequence[str]) -> bytes:
    """Return the model of a graph from its array `inputs` to `result`, checked; the columns' names stand in it."""
    graph.add("Identity", result.name, result="outputs")
    helper = graph.onnx.helper
    ends = [
        [helper.make_tensor_value_info(end, graph.type, ["samples", len(columns)])]
        for end, columns in (("inputs", inputs), ("outputs", outputs))
    ]
    model = helper.make_model(
        helper.make_graph(graph.nodes, name, *ends, initializer=graph.constants),
        producer_name="kanoscope",
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    named = {"input_names": json.dumps(list(inputs)), "output_names": json.dumps(list(outputs))}
    helper.set_model_props(model, named)
    graph.onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def _write_network(graph: Graph, network: KAN) -> Array:
    numbers = {
        name: getattr(network, name).double().numpy()
        for name in ("input_shift", "input_scale", "output_shift", "output_scale")
    }
    nodes = (Array(graph, "inputs") - numbers["input_shift"]) / numbers["input_scale"]
    for layer in network.layers:
        nodes = _write_layer(layer, nodes)
    return nodes * numbers["output_scale"] + numbers["output_shift"]


def _write_layer(layer: KANLayer, x: Array) -> Array:
    """Return the nodes (B, J) of a layer at its sources x (B, I)."""
    # zeros of the right shape, for rows that no edge reaches
    sums = x.times_matrix(np.zeros((layer.num_sources, layer.num_targets)))
    splines = layer.spline_mask().numpy()
    for basis, sources in _groups(layer, splines):
        sums = sums + _write_curves(layer, x, basis, sources, splines)
    weights = (layer.base_weights.detach().double().numpy() * splines).T
    if layer.base != "none" and weights.any():
        base = x * x.graph.add("Sigmoid", x.name) if layer.base == "silu" else x
        sums = sums + base.times_matrix(weights)
    sums = sums + layer.empty_factors().double().numpy()
    formulas = _write_formulas(layer, x)
    if formulas:
        rows = [sums.pick([row]) for row in range(layer.num_targets)]
        for row, values in formulas:
            rows[row] = rows[row] + values
        sums = rows[0].beside(*rows[1:])
    if layer.num_products == 0:
        return sums
    first, last = layer.first_factor, layer.num_targets
    products = sums.pick(range(first, last, 2)) * sums.pick(range(first + 1, last, 2))
    return sums.pick(range(first)).beside(products) if first else products


def _groups(layer: KANLayer, splines: NDArray[np.bool_]) -> list[tuple[Basis, list[int]]]:
    """Return the families of live curves, each with the sources whose edges use it."""
    groups: dict[Basis, list[int]] = {}
    for target, source in np.argwhere(splines).tolist():
        members = groups.setdefault(layer.edge_basis(target, source)[0], [])
        if source not in members:
            members.append(source)
    return list(groups.items())


def _write_curves(layer: KANLayer, x: Array, basis: Basis, sources: list[int], splines: NDArray[np.bool_]) -> Array:
    """Return the sums (B, S) over the curves of one family without their base functions."""
    low, high = (end.double().numpy()[sources] for end in (layer.low, layer.high))
    u = (x.pick(sources) * 2.0 - (low + high)) / (high - low)
    u = u.reshaped(-1, len(sources), 1)
    slopes = end_slopes(basis)
    values: Any = basis.graph_values(u.within(-1.0, 1.0))
    values = values + (u + 1.0).at_most(0.0) * slopes[0] + (u - 1.0).at_least(0.0) * slopes[1]
    matrix = np.zeros((len(sources), basis.num_functions, layer.num_targets))
    for place, source in enumerate(sources):
        for target in np.flatnonzero(splines[:, source]).tolist():
            family, part = layer.edge_basis(target, source)
            if family == basis:
                matrix[place, :, target] = layer.coefficients[target, source, part].detach().double().numpy()
    flat = values.reshaped(-1, len(sources) * basis.num_functions)
    return flat.times_matrix(matrix.reshape(-1, layer.num_targets))


def _write_formulas(layer: KANLayer, x: Array) -> list[tuple[int, Array]]:
    """Return the row and the values (B, 1) of each live symbolic edge."""
    written: list[tuple[int, Array]] = []
    t = sp.Symbol("t")
    for target, source, known in layer.live_functions():
        function = definition_of(known)
        a, b, c, d = layer.constants[target, source].detach().double().tolist()
        argument = (x.pick([source]) * a + b).within(function.low, function.high)
        expression: Any = function.sympy_value(t)
        written.append((target, write(expression, GraphWriter(argument)) * c + d))
    return written
