"""Functions that people add to a session: compared, applied, kept, and nobody else's."""

from __future__ import annotations

import math
import os
import signal

import pytest

from server.messages import (
    AddFunction,
    Candidate,
    CandidatesEvent,
    EdgeRef,
    FormulaSource,
    FunctionsEvent,
    NetworkSettings,
    RemoveFunction,
    Step,
    Suggest,
    Symbolify,
    TrainingSettings,
    Undo,
    VariableRange,
)
from server.refusal import Refusal
from server.session import Session
from tests.server.conftest import LiveApp

EDGE = EdgeRef(layer=0, source=0, target=0)
RICKER = AddFunction(name="ricker", expression="x*exp(-x^2)")
SOURCE = FormulaSource(
    expression="2*(x-0.3)*exp(-(x-0.3)^2)", variables=[VariableRange(name="x", low=-2, high=3)], num_samples=400
)


def make_session() -> Session:
    """Return a session of one curve, trained to be a function that the library does not have."""
    session = Session.create(
        "s",
        source=SOURCE,
        network=NetworkSettings(widths=[1, 1], grid_size=40),
        training=TrainingSettings(optimizer="lm", l1=0.0, entropy=0.0),
    )
    session.act(Step(count=12))
    session.advance(math.inf, 0.0)
    return session


def candidates(session: Session) -> list[Candidate]:
    """Return what the session says of its edge."""
    event = session.query(Suggest(edge=EDGE))
    assert isinstance(event, CandidatesEvent)
    return event.candidates


def added(session: Session, command: AddFunction | RemoveFunction) -> list[str]:
    """Return the names that the act's event tells everyone."""
    (event,) = session.act(command)
    assert isinstance(event, FunctionsEvent)
    assert event.functions == session.snapshot().functions
    return [function.name for function in event.functions]


def test_an_added_function_is_compared_applied_and_written() -> None:
    session = make_session()
    assert "ricker" not in [one.name for one in candidates(session)]
    revision = session.revision
    assert added(session, RICKER) == ["ricker"]
    assert session.revision == revision
    best = candidates(session)[0]
    assert (best.name, best.is_poor) == ("ricker", False)
    session.act(Symbolify(edge=EDGE, form=best.form))
    snapshot = session.snapshot()
    assert snapshot.structure.edges[0].kind == "symbolic"
    assert snapshot.formula.is_closed_form
    assert "exp(" in snapshot.formula.text
    assert "np.exp(" in snapshot.formula.numpy
    session.act(Step(count=5))
    session.advance(math.inf, 0.0)
    assert session.frame().test_rmse < 1e-6


def test_all_that_a_page_needs_to_sort_again_is_told() -> None:
    ranked = candidates(make_session())
    good = [one for one in ranked if not one.is_poor]
    bits = [one.formula_bits + one.residual_bits for one in good]
    assert bits == sorted(bits)
    assert ranked[: len(good)] == good
    assert len(ranked) > 20


def test_a_session_keeps_its_functions_through_a_checkpoint() -> None:
    session = make_session()
    added(session, RICKER)
    added(session, AddFunction(name="sinc", expression="sin(x)/x", complexity=7))
    session.act(Symbolify(edge=EDGE, form=candidates(session)[0].form))
    restored = Session.from_bytes(session.to_bytes())
    assert restored.snapshot() == session.snapshot()
    assert restored.frame().test_rmse == session.frame().test_rmse
    session.act(Undo())
    assert candidates(Session.from_bytes(session.to_bytes())) == candidates(session)


def test_a_removed_function_stays_on_its_edges_and_the_name_is_free() -> None:
    session = make_session()
    added(session, RICKER)
    form = candidates(session)[0].form
    session.act(Symbolify(edge=EDGE, form=form))
    assert added(session, RemoveFunction(name="ricker")) == []
    assert added(session, AddFunction(name="ricker", expression="x^2+x^3")) == ["ricker"]
    # its own constants can still be set, and a checkpoint knows which of the two it is
    session.act(Symbolify(edge=EDGE, form=form.model_copy(update={"d": 0.5})))
    restored = Session.from_bytes(session.to_bytes())
    assert restored.snapshot() == session.snapshot()
    assert "exp(" in restored.snapshot().formula.text


def test_sessions_do_not_see_one_anothers_functions() -> None:
    one, other = make_session(), make_session()
    added(one, RICKER)
    assert other.snapshot().functions == []
    assert "ricker" not in [candidate.name for candidate in candidates(other)]


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (AddFunction(name="sin", expression="x^2"), "There is a function of that name already"),
        (AddFunction(name="f", expression="x +"), "The formula ends too early at position 4"),
        (AddFunction(name="f", expression="x*y"), "There is no variable 'y'"),
        (AddFunction(name="f", expression="x", complexity=0), "complexity is an integer from 1 to 100"),
        (RemoveFunction(name="sin"), "Only your own functions can be removed"),
    ],
)
def test_what_cannot_be_added_or_removed_is_refused(command: AddFunction | RemoveFunction, sentence: str) -> None:
    session = make_session()
    with pytest.raises(Refusal, match=f"^{sentence}"):
        session.act(command)
    assert session.snapshot().functions == []


@pytest.mark.slow
async def test_functions_outlive_the_worker_and_reach_every_page(app: LiveApp) -> None:
    session_id, key = await app.create()
    async with app.page(session_id, key) as page, app.page(session_id) as guest:
        refused = await guest.ask({"type": "add_function", "name": "ricker", "expression": "x*exp(-x^2)"})
        assert refused["type"] == "error"
        done = await page.ask({"type": "add_function", "name": "ricker", "expression": "x*exp(-x^2)"})
        assert done["type"] == "done"
        told = await guest.event("functions")
        assert [function["name"] for function in told["functions"]] == ["ricker"]
        pid = next(pid for pid, sessions in app.engine.worker_pids().items() if session_id in sessions)
        os.kill(pid, signal.SIGKILL)
        snapshot = await page.event("snapshot", epoch=1)
        assert [function["name"] for function in snapshot["functions"]] == ["ricker"]
        found = await page.ask({"type": "suggest", "edge": EDGE.model_dump()})
        assert "ricker" in [candidate["name"] for candidate in found["candidates"]]
