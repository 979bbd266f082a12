"""What a session gives away of its network, and what it says of its formula."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import onnxruntime
import pytest
import sympy as sp

from kan_core.network_json import network_from_json
from server.messages import (
    Export,
    ExportedEvent,
    ExportFormat,
    FormulaJudgedEvent,
    JudgeFormula,
    NetworkSettings,
    Prune,
    SymbolicForm,
    Symbolify,
)
from server.refusal import Refusal
from server.session import Session
from server.views import edge_ref
from tests.server.examples import kan_of


def small() -> Session:
    return Session.create("s", network=NetworkSettings(widths=[2, 1, 1]))


def closed() -> Session:
    """Return a session whose three edges are formulas with constants that are round, or nearly."""
    session = small()
    forms = [
        SymbolicForm(function="sin", a=3.14159265, b=0.0, c=1.0, d=0.0),
        SymbolicForm(function="x^2", a=1.0, b=0.0, c=1.0, d=0.0),
        SymbolicForm(function="exp", a=1.0, b=0.0, c=1.0, d=-float(session.network.output_shift[0])),
    ]
    for edge, form in zip(kan_of(session).edges(), forms, strict=True):
        session.act(Symbolify(edge=edge_ref(edge), form=form))
    return session


def exported(session: Session, name: ExportFormat, **fields: Any) -> ExportedEvent:
    event = session.query(Export(format=name, **fields))
    assert isinstance(event, ExportedEvent)
    assert event.format == name
    return event


def judged(session: Session, **fields: Any) -> FormulaJudgedEvent:
    event = session.query(JudgeFormula(**fields))
    assert isinstance(event, FormulaJudgedEvent)
    return event


def test_files_compute_what_the_network_computes() -> None:
    session = small()
    inputs = session.data.dataset.test_inputs
    expected = session.network(inputs)[:, 0].detach().numpy()
    for name in ("numpy", "pytorch"):
        event, module = exported(session, name), dict[str, Any]()
        exec(event.text, module)
        columns = inputs.numpy().T if name == "numpy" else inputs.T
        np.testing.assert_allclose(np.asarray(module["predict"](*columns)), expected, rtol=1e-5, atol=1e-6)
        assert event.file_name.endswith(".py")
    again, inputs_named, _ = network_from_json(exported(session, "json").text)
    np.testing.assert_array_equal(again(inputs)[:, 0].detach().numpy(), expected)
    assert list(inputs_named) == session.data.info.input_names
    event = exported(session, "onnx")
    assert (event.text, event.file_name.split(".")[-1]) == ("", "onnx")
    runtime = onnxruntime.InferenceSession(base64.b64decode(event.base64), providers=["CPUExecutionProvider"])
    given = inputs.to(kan_of(session).dtype).numpy()
    np.testing.assert_allclose(
        np.asarray(runtime.run(None, {"inputs": given})[0])[:, 0], expected, rtol=1e-5, atol=1e-5
    )


def test_formulas_can_be_taken_in_either_units() -> None:
    session = closed()
    assert exported(session, "latex").text == session.snapshot().formula.latex
    assert exported(session, "sympy").text == session.snapshot().formula.sympy
    scaled = exported(session, "latex", units="scaled").text
    assert r"\mathrm{x\_scaled} = " in scaled
    assert "x_scaled" in exported(session, "sympy", units="scaled").text
    assert exported(session, "excel").text.startswith("=EXP(")
    assert json.loads(exported(session, "json").text)["formula"]["expressions"].keys() == {"f"}


def test_a_spreadsheet_is_refused_curves_and_the_session_goes_on() -> None:
    with pytest.raises(Refusal, match="a spreadsheet's formula has no curves, received 3 of them"):
        exported(small(), "excel")


def test_a_formula_is_judged_as_it_is_shown() -> None:
    session = closed()
    event = judged(session)
    assert (event.mathml, event.text) == (session.snapshot().formula.mathml, session.snapshot().formula.text)
    dataset = session.data.dataset
    expected = session.network(dataset.train_inputs)[:, 0].detach().double().numpy()
    x, y = dataset.train_inputs.double().numpy().T
    shown = sp.lambdify(sp.symbols("x y"), sp.sympify(event.text.split(" = ")[1].replace("·", "*").replace("π", "pi")))
    assert event.against_network.maximum == pytest.approx(float(np.abs(shown(x, y) - expected).max()), rel=1e-3)
    assert event.held_out.rmse is not None
    assert event.held_out.rmse < 1e-3 < event.target_spread
    assert [(one.name, one.num_outside >= 0) for one in event.ranges] == [("x", True), ("y", True)]
    assert event.singular == []
    scaled = judged(session, units="scaled")
    assert "x_scaled = " in scaled.text
    assert scaled.against_network == event.against_network


def test_singular_places_near_the_data_are_told() -> None:
    session = small()
    edge = edge_ref(kan_of(session).edges()[0])
    session.act(Symbolify(edge=edge, form=SymbolicForm(function="log", a=1.0, b=1.05, c=1.0, d=0.0)))
    (place,) = judged(session).singular
    assert (place.edge, place.input_name, place.function) == (edge, "x", "log")
    assert (place.is_pole, place.is_inside) == (False, False)
    assert place.high == pytest.approx(-1.05, abs=1e-6)


def test_a_formula_of_too_many_terms_is_refused() -> None:
    session = Session.create("s", network=NetworkSettings(widths=[2, 8, 8, 1]))
    for ask in (JudgeFormula(), Export(format="latex"), Export(format="excel")):
        with pytest.raises(Refusal, match="A sum over 128 paths of curves: cut edges until") as refused:
            session.query(ask)
        assert refused.value.code == "too_long"
    assert json.loads(exported(session, "json").text)["formula"] is None


def test_a_cut_network_is_still_exported() -> None:
    session = small()
    session.act(Prune(edges=[edge_ref(edge) for edge in kan_of(session).edges()], allow_sever=True))
    for name in ("latex", "sympy", "numpy", "pytorch", "excel", "json", "onnx"):
        event = exported(session, name)
        assert event.text != "" or event.base64 != ""
    assert judged(session).against_network.maximum == pytest.approx(0.0, abs=1e-3)
