"""Constants of formulas in a session: how well they are known, snapped, unsnapped, undone."""

from __future__ import annotations

import math

import pytest

from kan_core import EdgeId
from kan_core.symbolic.edges import edge_form
from server.messages import (
    Constants,
    ConstantsEvent,
    EdgeRef,
    FormulaEvent,
    FormulaSource,
    NetworkSettings,
    NoticeEvent,
    Prune,
    SnapConstant,
    SnapConstants,
    SymbolicForm,
    Symbolify,
    TrainingSettings,
    Undo,
    UnsnapConstant,
    VariableRange,
)
from server.refusal import Refusal
from server.session import Session
from tests.server.examples import kan_of

EDGE = EdgeRef(layer=0, source=0, target=0)
SINE = EdgeId(layer=0, source=0, target=0)


def sine_session(*, noise: float = 0.01) -> Session:
    """Return a session that learned 1.2173 sin(π x) + 2 and has the formula for it, its constants nearly right."""
    source = FormulaSource(
        expression="1.2173*sin(pi*x) + 2",
        variables=[VariableRange(name="x", low=-1.0, high=2.0)],
        num_samples=800,
        noise=noise,
    )
    training = TrainingSettings(optimizer="lm", l1=0.0, entropy=0.0)
    session = Session.create("s", source, NetworkSettings(widths=[1, 1]), training)
    form = SymbolicForm(function="sin", a=3.1, b=0.02, c=1.2, d=2.1)
    session.act(Symbolify(edge=EDGE, form=form))
    return session


def known(session: Session) -> ConstantsEvent:
    event = session.query(Constants())
    assert isinstance(event, ConstantsEvent)
    return event


def test_snapping_all_tells_what_became_of_each_constant() -> None:
    session = sine_session()
    events = session.act(SnapConstants())
    notice = next(event for event in events if isinstance(event, NoticeEvent))
    assert notice.code == "constants_snapped"
    assert notice.sentence.startswith("Snapped b of 0.0.0 = 0, d of 0.0.0 = 2, a of 0.0.0 = π.")
    assert "No nice number lies within the error of c of 0.0.0 = 1.21" in notice.sentence
    formula = next(event for event in events if isinstance(event, FormulaEvent)).formula
    assert "sin(π·x)" in formula.text
    assert session.history.info().undo == "snap constants"
    session.advance(0.1, 0.0)
    assert edge_form(kan_of(session), SINE)[1] == pytest.approx(math.pi, rel=4e-16)
    session.act(Undo())
    assert not bool(kan_of(session).layers[0].held.any())


def test_constants_come_with_errors_and_forms() -> None:
    session = sine_session()
    session.advance(0.2, 0.0)
    constants = {one.name: one for one in known(session).constants}
    assert set(constants) == {"a", "b", "c", "d"}
    slope = constants["a"]
    assert slope.form == "π"
    assert slope.standard_error is not None
    assert 0.0 < slope.standard_error < 0.01
    assert constants["c"].form is None
    session.act(SnapConstant(edge=EDGE, name="a", value=slope.form_value))
    snapped = next(one for one in known(session).constants if one.name == "a")
    assert (snapped.is_snapped, snapped.form, snapped.standard_error) == (True, "π", 0.0)
    session.act(UnsnapConstant(edge=EDGE, name="a"))
    assert not next(one for one in known(session).constants if one.name == "a").is_snapped
    assert session.history.info().undo == "unsnap a of edge 0.0.0"
    session.act(Undo())
    assert next(one for one in known(session).constants if one.name == "a").is_snapped


def test_a_checkpoint_keeps_what_is_snapped() -> None:
    session = sine_session()
    session.act(SnapConstant(edge=EDGE, name="a", value=3.0))
    again = Session.from_bytes(session.to_bytes())
    assert edge_form(kan_of(again), SINE)[1] == pytest.approx(3.0, rel=4e-16)
    assert bool(kan_of(again).layers[0].held[0, 0, 0])


@pytest.mark.parametrize(
    ("act", "code", "sentence"),
    [
        (SnapConstant(edge=EdgeRef(layer=3, source=0, target=0), name="a"), "stale_edge", "There is no edge 3.0.0"),
        (SnapConstant(edge=EDGE, name="c"), "bad_request", "none near c="),
        (SnapConstant(edge=EDGE, name="a", value=0.0), "bad_request", "a constant is held at a finite number"),
    ],
)
def test_what_cannot_be_snapped_is_refused(act: SnapConstant, code: str, sentence: str) -> None:
    session = sine_session()
    session.act(Symbolify(edge=EDGE, form=SymbolicForm(function="sin", a=3.1, b=0.02, c=1.2173, d=2.1)))
    with pytest.raises(Refusal, match=sentence) as caught:
        session.act(act)
    assert caught.value.code == code


def test_curves_have_no_constants() -> None:
    session = sine_session()
    session.act(Undo())
    with pytest.raises(Refusal, match="every edge is a curve") as caught:
        session.act(SnapConstants())
    assert caught.value.code == "nothing_to_snap"
    assert known(session).constants == []
    session.act(Prune(edges=[EDGE], allow_sever=True))
    with pytest.raises(Refusal, match="only a symbolic edge has constants"):
        session.act(UnsnapConstant(edge=EDGE, name="a"))
