"""A perceptron in the formats that people take away."""

from __future__ import annotations

from kan_core.mlp import MLP
from kan_core.mlp_export import mlp_onnx_bytes, mlp_torch_source
from server.exports import exported_event
from server.messages import Export, ExportedEvent
from server.perceptron_formula import perceptron_formula
from server.refusal import Refusal
from server.session_data import SessionData


def export_perceptron(mlp: MLP, query: Export, data: SessionData) -> ExportedEvent:
    """Return the perceptron in the format that is asked for.

    Raises Refusal with code not_for_perceptrons for a format that is for KANs alone, and ExportError where a package is
    missing.
    """
    names, outputs = data.info.input_names, data.info.output_names
    match query.format:
        case "pytorch":
            text = mlp_torch_source(mlp, input_names=names, output_names=outputs)
            return exported_event(query.format, data, text=text)
        case "onnx":
            binary = mlp_onnx_bytes(mlp, input_names=names, output_names=outputs)
            return exported_event(query.format, data, binary=binary)
        case "latex":
            return exported_event(query.format, data, text=perceptron_formula(mlp.spec, outputs).latex)
        case "sympy" | "numpy" | "excel" | "json":
            raise Refusal(
                "not_for_perceptrons",
                f"A perceptron is taken away as PyTorch, ONNX or LaTeX, received format={query.format!r}: choose one "
                "of these, or a KAN.",
            )
