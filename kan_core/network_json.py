"""The network as JSON that other programs can read and evaluate, and back.

The form is described by the JSON Schema beside this file, `network.schema.json`. Numbers are written so that reading
them gives the same bits. For an input x of the network:

    z = (x - shift) / scale                                    first layer's node
    curve    φ(z) = base_weight · b(z) + Σ_k c_k B_k(u),       u = (2 z - (low + high)) / (high - low)
    formula  φ(z) = c · f(a · z + b) + d                       `expression` is f in t, the argument held in `domain`
    row = Σ φ over its edges that are not cut                  a factor without any is its `lone`
    node = its row, or the product of its two rows
    y = shift + scale · node                                   last layer's node
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import sympy as sp
import torch
from torch import Tensor

from kan_core.bases import MixedBasis, basis_from, parts_of
from kan_core.checkpoint import rebuild_network
from kan_core.errors import CheckpointError, KanError
from kan_core.export import sympy_names, sympy_source
from kan_core.formula import NetworkFormula, column_names
from kan_core.layer import KANLayer
from kan_core.network import KAN
from kan_core.symbolic.edges import definition_of
from kan_core.symbolic.library import FUNCTIONS
from kan_core.symbolic.own_functions import describe_function

FORMAT = "kanoscope-json-1"


def network_json(
    network: KAN,
    *,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
    formula: NetworkFormula | None = None,
) -> str:
    """Return the network as JSON text that `network_from_json` reads back.

    With `formula`, in original units, its expressions stand in it as well, as SymPy reads them. Raises ExportError when
    there are not as many names as columns.
    """
    inputs = column_names(input_names, network.widths[0], "input_names", "x")
    outputs = column_names(output_names, network.widths[-1], "output_names", "y")
    document = {
        "format": FORMAT,
        "dtype": str(network.dtype).removeprefix("torch."),
        "settings": asdict(network.spec),
        "inputs": _columns(inputs, network.input_shift, network.input_scale),
        "outputs": _columns(outputs, network.output_shift, network.output_scale),
        "is_scaled": bool(network.is_scaled),
        "layers": [_describe_layer(layer) for layer in network.layers],
        "formula": None if formula is None else _describe_formula(formula),
    }
    return json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False)


def network_from_json(text: str) -> tuple[KAN, tuple[str, ...], tuple[str, ...]]:
    """Return the network that `network_json` wrote, its input names and its output names.

    Raises CheckpointError for anything else.
    """
    try:
        document: Any = json.loads(text)
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            raise CheckpointError(f"a network in JSON has the format {FORMAT!r}: export it again with this version")
        return _read(document)
    except CheckpointError:
        raise
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, RuntimeError, KanError) as error:
        raise CheckpointError(f"the JSON does not describe a network: {type(error).__name__} {error}") from error


def _columns(names: Sequence[str], shift: Tensor, scale: Tensor) -> list[dict[str, Any]]:
    rows = zip(names, shift.double().tolist(), scale.double().tolist(), strict=True)
    return [{"name": name, "shift": a, "scale": b} for name, a, b in rows]


def _describe_layer(layer: KANLayer) -> dict[str, Any]:
    return {
        "lone": layer.lone.double().tolist(),
        "nodes": [{"rows": list(layer.rows_of(node))} for node in range(layer.num_nodes)],
        "sources": [
            {"low": low, "high": high, "bases": [part.settings() for part in parts_of(basis)]}
            for low, high, basis in zip(
                layer.low.double().tolist(), layer.high.double().tolist(), layer.bases, strict=True
            )
        ],
        "edges": [
            _describe_edge(layer, row, source)
            for row in range(layer.num_targets)
            for source in range(layer.num_sources)
        ],
    }


def _describe_edge(layer: KANLayer, row: int, source: int) -> dict[str, Any]:
    place = {"source": source, "row": row, "is_cut": bool(layer.pruned[row, source])}
    if layer.symbolic[row, source]:
        function = definition_of(layer.functions[row, source])
        a, b, c, d = layer.constants[row, source].detach().double().tolist()
        expression: Any = function.sympy_value(sp.Symbol("t"))
        bounds = [None if math.isinf(end) else end for end in (function.low, function.high)]
        return {
            **place,
            "kind": "formula",
            "function": function.name,
            "expression": str(sp.sstr(expression)),
            "domain": bounds,
            "constants": {"a": a, "b": b, "c": c, "d": d},
            "is_locked": bool(layer.locked[row, source]),
            "held": [name for name, held in zip("abcd", layer.held[row, source].tolist(), strict=True) if held],
            "own": describe_function(function) if function.expression else None,
        }
    return {
        **place,
        "kind": "curve",
        "basis": int(layer.family[row, source]),
        "coefficients": layer.coefficients[row, source, layer.edge_basis(row, source)[1]].detach().double().tolist(),
        "base_weight": float(layer.base_weights[row, source].detach()),
    }


def _describe_formula(formula: NetworkFormula) -> dict[str, Any]:
    symbols = dict(zip(sympy_names(formula.input_names), formula.input_names, strict=True))
    lines = sympy_source(formula.expressions, input_names=formula.input_names).split("\n")
    return {"symbols": symbols, "expressions": dict(zip(formula.output_names, lines, strict=True))}


def _read(document: Mapping[str, Any]) -> tuple[KAN, tuple[str, ...], tuple[str, ...]]:
    dtype = {"float32": torch.float32, "float64": torch.float64}[document["dtype"]]
    tensors: dict[str, Tensor] = {"is_scaled": torch.tensor(bool(document["is_scaled"]))}
    for side in ("input", "output"):
        for field in ("shift", "scale"):
            numbers = [column[field] for column in document[f"{side}s"]]
            tensors[f"{side}_{field}"] = torch.tensor(numbers, dtype=dtype)
    bases: list[list[dict[str, Any]]] = []
    functions: list[list[Any]] = []
    for index, layer in enumerate(document["layers"]):
        bases.append([_basis_settings(source["bases"]) for source in layer["sources"]])
        fields = _read_layer(layer, dtype)
        tensors |= {f"_layers.{index}.{name}": value for name, value in fields.items()}
        functions += [
            [index, edge["row"], edge["source"], *_known(edge)] for edge in layer["edges"] if edge["kind"] == "formula"
        ]
    description = {
        "spec": document["settings"],
        "dtype": document["dtype"],
        "bases": bases,
        "functions": functions,
    }
    network = rebuild_network(description, tensors)
    inputs, outputs = (tuple(str(one["name"]) for one in document[side]) for side in ("inputs", "outputs"))
    return network, inputs, outputs


def _known(edge: Mapping[str, Any]) -> list[Any]:
    """Return the name of an edge's function, and beside it what a person's own is."""
    name, own = edge["function"], edge["own"]
    if own is None and name not in FUNCTIONS:
        raise CheckpointError(
            f"a formula names a built-in function or brings its own, received function={name!r}: write it as `own`"
        )
    return [name] if own is None else [name, own]


def _basis_settings(parts: list[dict[str, Any]]) -> dict[str, Any]:
    return parts[0] if len(parts) == 1 else {"name": MixedBasis.name, "parts": parts}


def _read_layer(layer: Mapping[str, Any], dtype: torch.dtype) -> dict[str, Tensor]:
    """Return the tensors of a layer by name."""
    sources, edges = layer["sources"], layer["edges"]
    shape = (len(edges) // len(sources), len(sources))
    parts = parts_of(basis_from(_basis_settings(sources[0]["bases"])))
    starts = [sum(part.num_functions for part in parts[:index]) for index in range(len(parts) + 1)]
    tensors = {
        "lone": torch.tensor(layer["lone"], dtype=dtype),
        "low": torch.tensor([source["low"] for source in sources], dtype=dtype),
        "high": torch.tensor([source["high"] for source in sources], dtype=dtype),
        "coefficients": torch.zeros(*shape, starts[-1], dtype=dtype),
        "base_weights": torch.zeros(shape, dtype=dtype),
        "constants": torch.zeros(*shape, 4, dtype=dtype),
        "family": torch.zeros(shape, dtype=torch.int64),
        **{mask: torch.zeros(shape, dtype=torch.bool) for mask in ("symbolic", "pruned", "locked")},
        "held": torch.zeros(*shape, 4, dtype=torch.bool),
    }
    for edge in edges:
        place = (edge["row"], edge["source"])
        tensors["pruned"][place] = edge["is_cut"]
        if edge["kind"] == "formula":
            tensors["symbolic"][place] = True
            tensors["locked"][place] = edge["is_locked"]
            # documents from before single constants could be held have none
            for name in edge.get("held", []):
                tensors["held"][place]["abcd".index(name)] = True
            tensors["constants"][place] = torch.tensor([edge["constants"][name] for name in "abcd"], dtype=dtype)
        else:
            part = edge["basis"]
            tensors["family"][place] = part
            numbers = torch.tensor(edge["coefficients"], dtype=dtype)
            tensors["coefficients"][place][starts[part] : starts[part + 1]] = numbers
            tensors["base_weights"][place] = edge["base_weight"]
    return tensors
