"""The network in the formats that people take away, and how far its formula can be trusted."""

from __future__ import annotations

import base64
import math
import re

from kan_core import KAN, network_formula
from kan_core.excel import excel_formulas
from kan_core.export import numpy_source, sympy_source
from kan_core.network_json import network_json
from kan_core.onnx_export import onnx_bytes
from kan_core.singularities import Singularity
from kan_core.torch_source import pytorch_source
from kan_core.trust import Deviation as KanDeviation
from kan_core.trust import formula_report
from server.messages import (
    Deviation,
    Export,
    ExportedEvent,
    ExportFormat,
    FittedRange,
    FormulaJudgedEvent,
    JudgeFormula,
    SingularPlace,
)
from server.refusal import Refusal
from server.session_data import SessionData
from server.views import edge_ref, unwritten_sentence, written_formula

_ENDINGS: dict[ExportFormat, str] = {
    "latex": "tex",
    "sympy": "txt",
    "numpy": "py",
    "pytorch": "py",
    "excel": "txt",
    "json": "json",
    "onnx": "onnx",
}


def export(network: KAN, query: Export, data: SessionData) -> ExportedEvent:
    """Return the network in the format that is asked for.

    Raises Refusal with code too_long where a formula would have too many terms to be written, and ExportError where
    the format cannot carry the network or a package is missing.
    """
    names, outputs = data.info.input_names, data.info.output_names
    text, binary = "", b""
    match query.format:
        case "numpy":
            text = numpy_source(network, input_names=names)
        case "pytorch":
            text = pytorch_source(network, input_names=names, output_names=outputs)
        case "json":
            is_short = unwritten_sentence(network) is None
            formula = network_formula(network, input_names=names, output_names=outputs) if is_short else None
            text = network_json(network, input_names=names, output_names=outputs, formula=formula)
        case "onnx":
            binary = onnx_bytes(network, input_names=names, output_names=outputs)
        case "excel":
            check_length(network)
            _, full = written_formula(network, data)
            text = "\n".join(excel_formulas(full, input_names=names))
        case "latex" | "sympy":
            check_length(network)
            shown, full = written_formula(network, data, query.units)
            variables = network_formula(network, input_names=names, units=query.units).input_names
            text = shown.latex if query.format == "latex" else sympy_source(full, input_names=variables)
    return exported_event(query.format, data, text=text, binary=binary)


def exported_event(written: ExportFormat, data: SessionData, *, text: str = "", binary: bytes = b"") -> ExportedEvent:
    """Return a network that was written in a format, as text or as bytes, under the name of its data."""
    return ExportedEvent(
        format=written,
        file_name=f"{_stem(data.info.title)}.{_ENDINGS[written]}",
        text=text,
        base64=base64.b64encode(binary).decode("ascii"),
    )


def judge_formula(network: KAN, query: JudgeFormula, data: SessionData, revision: int) -> FormulaJudgedEvent:
    """Return the formula as it is shown and how far that form can be trusted; raises Refusal with code too_long."""
    check_length(network)
    shown, _ = written_formula(network, data, query.units)
    judged = shown if query.units == "original" else written_formula(network, data)[0]
    report = formula_report(network, data.dataset, expressions=judged.expressions)
    return FormulaJudgedEvent(
        revision=revision,
        units=query.units,
        mathml=shown.mathml,
        text=shown.text,
        against_network=_deviation(report.against_network),
        held_out=_deviation(report.held_out),
        target_spread=report.target_spread,
        ranges=[
            FittedRange(name=one.name, low=one.low, high=one.high, num_outside=one.num_outside) for one in report.ranges
        ],
        singular=[_place(one) for one in report.singularities],
    )


def check_length(network: KAN) -> None:
    sentence = unwritten_sentence(network)
    if sentence is not None:
        raise Refusal("too_long", sentence)


def _deviation(given: KanDeviation) -> Deviation:
    return Deviation(
        maximum=given.maximum if math.isfinite(given.maximum) else None,
        rmse=given.rmse if math.isfinite(given.rmse) else None,
        num_rows=given.num_rows,
        num_undefined=given.num_undefined,
    )


def _place(one: Singularity) -> SingularPlace:
    return SingularPlace(
        edge=edge_ref(one.edge),
        input_name=one.input_name,
        function=one.function,
        is_pole=one.is_pole,
        low=one.low,
        high=one.high,
        is_inside=one.is_inside,
    )


def _stem(title: str) -> str:
    """Return a title as the name of a file that every system takes."""
    return re.sub(r"[^0-9a-z]+", "-", title.lower()).strip("-")[:40] or "network"
