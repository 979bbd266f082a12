"""The session's state machine on a real network."""

from __future__ import annotations

import math
import re
from typing import Any, NoReturn

import numpy as np
import pytest
import sympy as sp
import torch

from kan_core import EdgeId
from server.messages import (
    CandidatesEvent,
    CatalogueSource,
    CsvSource,
    CutWeak,
    EdgeRef,
    FormulaSource,
    HistoryInfo,
    Inspect,
    InspectionEvent,
    Lock,
    LossesEvent,
    NetworkSettings,
    NoticeEvent,
    Pause,
    Prune,
    Redo,
    Refine,
    Release,
    Reset,
    Restore,
    Run,
    SetData,
    SetNetwork,
    SetTraining,
    Step,
    StructureEvent,
    Suggest,
    SymbolicForm,
    Symbolify,
    TrainingChange,
    TrainingSettings,
    Undo,
    VariableRange,
)
from server.refusal import Refusal
from server.session import Session
from tests.server.examples import kan_of

EDGE = EdgeRef(layer=0, source=0, target=0)
MATHML = re.compile("math|mrow|mi|mn|mo|msup|msub|msubsup|mfrac|msqrt|mroot|mfenced|mtable|mtr|mtd|mstyle")
SINE = SymbolicForm(function="sin", a=3.0, b=0.1, c=1.0, d=0.0)
PACED = TrainingSettings(optimizer="adam", l1=0.0, entropy=0.0, steps_per_second=50.0)


def small(seed: int = 0, training: TrainingSettings = PACED) -> Session:
    return Session.create("s", network=NetworkSettings(widths=[2, 2, 1]), training=training, seed=seed)


def parameters(session: Session) -> list[torch.Tensor]:
    return [tensor.clone() for tensor in session.network.state_dict().values()]


def assert_same(left: list[torch.Tensor], right: list[torch.Tensor]) -> None:
    assert all(torch.equal(a, b) for a, b in zip(left, right, strict=True))


def do_steps(session: Session, count: int) -> None:
    session.act(Step(count=count))
    session.advance(math.inf, 0.0)


def test_trains_from_the_start_at_the_pace_of_the_settings() -> None:
    session = small()
    for tick in range(100):
        session.advance(0.01, tick / 100, clock=lambda: 0.0)
    assert session.is_training
    assert session.num_steps == pytest.approx(50, abs=2)


def test_steps_then_pauses() -> None:
    session = small()
    do_steps(session, 7)
    assert (session.num_steps, session.status.state, session.wait_time(0.0)) == (7, "paused", None)


def test_losses_come_at_most_ten_times_a_second() -> None:
    session = small()
    batches = [
        event
        for tick in range(100)
        for event in session.advance(0.01, tick / 100, clock=lambda: 0.0)
        if isinstance(event, LossesEvent)
    ]
    assert 5 <= len(batches) <= 11
    assert [point for batch in batches for point in batch.points] == session.losses.points


@pytest.mark.parametrize(
    "act",
    [
        Prune(edges=[EDGE]),
        CutWeak(threshold=0.9, allow_sever=True),
        Refine(grid_size=10),
        Symbolify(edge=EDGE, form=SINE),
    ],
)
def test_undo_and_redo_are_bit_identical(act: Prune | CutWeak | Refine | Symbolify) -> None:
    session = small()
    do_steps(session, 3)
    before = parameters(session)
    session.act(act)
    after = parameters(session)
    session.act(Run())
    session.act(Undo())
    assert_same(parameters(session), before)
    assert session.is_training
    session.act(Redo())
    assert_same(parameters(session), after)


def test_history_names_what_it_would_do() -> None:
    session = small()
    session.act(Prune(edges=[EDGE]))
    assert session.history.info() == HistoryInfo(undo="cut edge 0.0.0", redo=None)
    session.act(Undo())
    assert session.history.info() == HistoryInfo(undo=None, redo="cut edge 0.0.0")


def test_release_lock_and_restore() -> None:
    session = small()
    edge = EdgeId(layer=0, source=0, target=0)
    session.act(Symbolify(edge=EDGE, form=SINE))
    session.act(Lock(edge=EDGE, locked=True))
    assert session.snapshot().structure.edges[0].locked
    session.act(Release(edge=EDGE))
    assert kan_of(session).kind(edge) == "spline"
    session.act(Prune(edges=[EDGE]))
    session.act(Restore(edge=EDGE))
    assert kan_of(session).kind(edge) == "spline"


@pytest.mark.parametrize(
    ("act", "code", "sentence"),
    [
        (
            Release(edge=EDGE),
            "stale_edge",
            "Edge 0.0.0 must be a formula for this, and it is a curve now: look at the network again.",
        ),
        (
            Prune(edges=[EdgeRef(layer=0, source=0, target=9)]),
            "stale_edge",
            "There is no edge 0.0.9 in the network of widths [2, 2, 1]: pick an edge that is on screen now.",
        ),
        (
            Prune(edges=[EdgeRef(layer=1, source=k, target=0) for k in (0, 1)]),
            "would_sever",
            "Without these edges no path leads from any input to the output, which becomes a constant: "
            "confirm the cut, or keep an edge.",
        ),
        (
            Refine(grid_size=5),
            "not_finer",
            "A finer grid keeps the curves if it has a whole multiple of the present 5 intervals, received "
            "grid_size=5: choose 10, 15, 20 or a larger one.",
        ),
        (
            SetNetwork(network=NetworkSettings(widths=[3, 5, 1])),
            "bad_widths",
            "The data have 2 inputs and 1 output, so widths begin with 2 and end with 1, "
            "received widths=[3, 5, 1]: change the first or last.",
        ),
        (
            SetNetwork(network=NetworkSettings(widths=[2, 32, 32, 1])),
            "too_many_edges",
            "A network has at most 1024 edges, received widths=[2, 32, 32, 1] with 1120: use fewer nodes.",
        ),
        (Undo(), "nothing_to_undo", "There is nothing to undo."),
        (Redo(), "nothing_to_redo", "There is nothing to redo."),
    ],
)
def test_refusals_leave_the_session_as_it_was(
    act: Release | Prune | Refine | SetNetwork | Undo | Redo, code: str, sentence: str
) -> None:
    session = small()
    before, snapshot = parameters(session), session.snapshot()
    with pytest.raises(Refusal) as refused:
        session.act(act)
    assert (refused.value.code, refused.value.sentence) == (code, sentence)
    assert_same(parameters(session), before)
    assert session.snapshot() == snapshot


def test_an_edge_that_an_undo_brought_back_is_stale_for_restore() -> None:
    session = small()
    session.act(Prune(edges=[EDGE]))
    session.act(Undo())
    with pytest.raises(Refusal, match=r"Edge 0\.0\.0 must be cut for this, and it is a curve now"):
        session.act(Restore(edge=EDGE))


@pytest.mark.parametrize(
    ("expression", "position"), [("sin(x", 5), ("x + q", 4), ("__import__('os')", 0), ("x.real", 1), ("9**9**9", 3)]
)
def test_bad_formulas_are_refused_with_their_place(expression: str, position: int) -> None:
    session = small()
    source = FormulaSource(expression=expression, variables=[VariableRange(name="x")])
    with pytest.raises(Refusal) as refused:
        session.act(SetData(source=source))
    assert refused.value.code == "bad_formula"
    assert refused.value.position == position
    assert session.data.info.source == CatalogueSource(name="exp_sin")


def test_a_formula_without_a_real_value_names_the_place() -> None:
    source = FormulaSource(expression="log(x)", variables=[VariableRange(name="x")])
    with pytest.raises(Refusal, match=r"no finite real value at x = -0\.\d+: change the formula or the ranges"):
        Session.create("s", source)


def test_new_data_start_a_fresh_network_that_fits_and_say_so() -> None:
    session = small()
    do_steps(session, 3)
    events = session.act(SetData(source=CatalogueSource(name="nested_4")))
    fresh = [event for event in events if isinstance(event, StructureEvent)]
    assert [(event.fresh, event.structure.network.widths) for event in fresh] == [(True, [4, 2, 1])]
    assert any(isinstance(event, NoticeEvent) and event.code == "fresh_network" for event in events)
    assert (session.num_steps, session.losses.points) == (0, [])


def test_reset_returns_to_the_same_start_and_a_new_seed_to_another() -> None:
    session = small(seed=4)
    before = parameters(session)
    do_steps(session, 5)
    session.act(Reset())
    assert_same(parameters(session), before)
    session.act(Reset(new_seed=True))
    assert session.snapshot().structure.seed == 5
    coefficients = kan_of(session).layers[0].coefficients
    assert not any(torch.equal(coefficients, tensor) for tensor in before)


def test_divergence_is_a_status_and_undo_recovers() -> None:
    session = small()
    # a gradient beyond the largest float: 5 c² a⁹ with a finite loss c² a¹⁰
    steep = SymbolicForm(function="x^5", a=1e-10, b=0.0, c=1e200, d=0.0)
    session.act(Symbolify(edge=EdgeRef(layer=1, source=0, target=0), form=steep))
    session.advance(1.0, 0.0, clock=lambda: 0.0)
    assert session.status.state == "diverged"
    assert session.status.sentence.startswith("Training diverged at step 1;")
    session.act(Undo())
    assert session.is_training


def test_settings_change_while_training() -> None:
    session = small()
    session.act(SetTraining(change=TrainingChange(optimizer="lbfgs", l1=0.5), unlimited_speed=True))
    assert session.record.training == PACED.model_copy(
        update={"optimizer": "lbfgs", "l1": 0.5, "steps_per_second": None}
    )
    assert session.is_training


def test_frames_follow_the_structure() -> None:
    session = small()
    frame = session.frame()
    assert (frame.values.shape, frame.importance.shape, frame.revision) == ((6, 64), (6,), 1)
    assert frame.grids is not None
    assert frame.grids.shape == (4, 64)
    assert float(frame.importance.max()) == 1.0
    session.act(Prune(edges=[EDGE]))
    assert session.frame().revision == 2


def test_bytes_bring_the_session_back() -> None:
    session = small()
    do_steps(session, 5)
    session.act(Symbolify(edge=EDGE, form=SINE))
    session.act(Prune(edges=[EDGE]))
    session.act(Undo())
    session.act(Pause())
    restored = Session.from_bytes(session.to_bytes())
    assert_same(parameters(restored), parameters(session))
    assert restored.snapshot() == session.snapshot()
    for one in (session, restored):
        one.act(Undo())
    assert_same(parameters(restored), parameters(session))


def test_an_edit_that_leaves_no_finite_value_is_refused() -> None:
    session = small()
    before = session.snapshot()
    form = SymbolicForm(function="exp", a=1.0, b=0.0, c=1e308, d=1e308)
    with pytest.raises(Refusal, match="the network has no finite value on the data"):
        session.act(Symbolify(edge=EdgeRef(layer=1, source=0, target=0), form=form))
    assert session.snapshot() == before


SPARSE = TrainingSettings(optimizer="lm", steps_per_second=None)


def cut_story(session: Session) -> list[object]:
    """Train with sparsity and cut what is weak; return what was told."""
    do_steps(session, 40)
    return list(session.act(CutWeak(threshold=0.03)))


def weights(session: Session) -> tuple[float, float]:
    return session.record.training.l1, session.record.training.entropy


def test_sparsity_rests_after_the_cut_and_comes_back_with_its_undoing() -> None:
    session = Session.create("s", training=SPARSE)
    before = weights(session)
    told = cut_story(session)
    assert weights(session) == (0.0, 0.0)
    assert any(isinstance(event, NoticeEvent) and event.code == "sparsity_off" for event in told)
    session.act(Undo())
    assert weights(session) == before
    session.act(Redo())
    assert weights(session) == (0.0, 0.0)


@pytest.mark.parametrize(
    "act", [Reset(), Reset(new_seed=True), SetData(source=CatalogueSource(name="product"))], ids=str
)
def test_sparsity_comes_back_with_a_fresh_network(act: Reset | SetData) -> None:
    session = Session.create("s", training=SPARSE)
    before = weights(session)
    cut_story(session)
    restored = Session.from_bytes(session.to_bytes())
    for one in (session, restored):
        one.act(act)
        assert weights(one) == before


def test_sparsity_that_was_set_by_hand_stays() -> None:
    session = Session.create("s", training=SPARSE)
    cut_story(session)
    session.act(SetTraining(change=TrainingChange(l1=0.001)))
    session.act(Reset())
    assert weights(session) == (0.001, 0.0)


def test_a_cut_takes_the_edges_of_its_preview_and_no_others() -> None:
    session = small()
    shown = [EdgeRef(layer=0, source=0, target=0), EdgeRef(layer=0, source=1, target=1)]
    session.act(CutWeak(threshold=0.0, edges=shown))
    kinds = [kan_of(session).kind(edge) for edge in kan_of(session).edges()]
    assert kinds == ["pruned", "spline", "spline", "pruned", "spline", "spline"]


def test_a_formula_outside_its_domain_on_the_data_is_refused() -> None:
    session = small()
    before = parameters(session)
    with pytest.raises(Refusal, match=r"log\(a·x \+ b\) has no value for some of the data on edge 0\.0\.0"):
        session.act(Symbolify(edge=EDGE, form=SymbolicForm(function="log", a=1.0, b=0.0, c=1.0, d=0.0)))
    assert_same(parameters(session), before)


NAMES = ("sin", "exp", "phi_0_0_0", "E", "n1_0", "x²", "a b", "<img src=q onerror=p=1>", "100%", "lambda")


@pytest.mark.parametrize("name", NAMES)
def test_columns_may_be_named_as_anything(name: str) -> None:
    rows = [f"{k / 20},{(k * 7 % 20) / 20},{(k / 20) ** 2}" for k in range(20)]
    table = "\n".join([f"{name},other,target", *rows]).encode()
    source = CsvSource(dataset_id="t", inputs=[name, "other"], target="target")
    session = Session.create("s", source, NetworkSettings(widths=[2, 2, 1]), PACED, tables={"t": table})
    session.act(Symbolify(edge=EDGE, form=SINE))
    snapshot = session.snapshot()
    markup = [snapshot.formula.mathml, *(edge.label_mathml or "" for edge in snapshot.structure.edges)]
    inspected = session.query(Inspect(edge=EDGE))
    assert isinstance(inspected, InspectionEvent)
    candidates = session.query(Suggest(edge=EDGE))
    assert isinstance(candidates, CandidatesEvent)
    markup += [inspected.label_mathml or "", *(one.mathml for one in candidates.candidates)]
    for one in markup:
        assert all(MATHML.fullmatch(tag) for tag in re.findall(r"<(\w+)", one))
    x = session.data.dataset.test_inputs
    scope: dict[str, Any] = {}
    exec(snapshot.formula.numpy, scope)
    np.testing.assert_allclose(scope["predict"](*x.numpy().T), session.network(x)[:, 0].detach().numpy(), rtol=1e-9)
    assert sp.sympify(snapshot.formula.sympy) is not None


def test_an_act_that_fails_half_way_leaves_the_session_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    session = small()
    session.act(Prune(edges=[EdgeRef(layer=0, source=1, target=0)]))
    before, snapshot = parameters(session), session.snapshot()

    def fail(*_: object, **__: object) -> NoReturn:
        raise RuntimeError("no picture")

    monkeypatch.setattr("server.views.structure", fail)
    for act in (Prune(edges=[EDGE]), Undo(), Reset(), SetData(source=CatalogueSource(name="product"))):
        with pytest.raises(RuntimeError, match="no picture"):
            session.act(act)
    monkeypatch.undo()
    assert_same(parameters(session), before)
    assert session.snapshot() == snapshot


def test_labels_follow_the_constants_as_they_train() -> None:
    session = small()
    session.act(Symbolify(edge=EDGE, form=SINE))
    before = session.snapshot().structure.edges[0]
    session.act(Step(count=30))
    told = [event for event in session.advance(math.inf, 0.0) if isinstance(event, StructureEvent)]
    now = session.snapshot().structure.edges[0]
    assert now.label != before.label
    assert (told[-1].structure.edges[0], told[-1].reason, told[-1].fresh) == (now, "", False)
    assert told[-1].structure.revision == session.revision
