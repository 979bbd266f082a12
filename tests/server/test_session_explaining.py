"""Laws searched for in a session's network: told as they are found, put on the diagram, kept, and refused in words."""

from __future__ import annotations

import math
import os
import signal
import time
from functools import cache
from typing import Any

import pytest

from kan_core.symbolic.laws import Law
from server.explaining import LOST, Explaining
from server.messages import (
    Act,
    CancelExplaining,
    CatalogueSource,
    EdgeRef,
    Event,
    Explain,
    ExplanationEvent,
    ExplanationInfo,
    NetworkSettings,
    Pause,
    Prune,
    Redo,
    Reset,
    RestoreLaw,
    Run,
    SearchKind,
    SetData,
    SetNetwork,
    StatusEvent,
    Step,
    TrainingSettings,
    Undo,
)
from server.refusal import Refusal
from server.session import Session
from tests.server.conftest import LiveApp

STEPS = 60


@cache
def trained(source: str) -> bytes:
    """Return a paused session of the shape that suits a problem, trained to cut its weak edges."""
    session = Session.create("s", source=CatalogueSource(name=source), training=TrainingSettings(steps_per_second=None))
    session.act(Step(count=STEPS))
    session.advance(math.inf, 0.0)
    return session.to_bytes()


def make_session(source: str = "exp_sin") -> Session:
    """Return a paused session whose network has learned its problem."""
    return Session.from_bytes(trained(source))


def searched(session: Session, *, slices: float = math.inf, seconds: float = 0.0) -> list[Event]:
    """Let the search have so many slices and return what was told; every slice ends a second later."""
    told: list[Event] = []
    num_slices = 0
    while session.laws.is_searching and num_slices < slices:
        num_slices += 1
        told += session.advance(seconds, float(num_slices))
    return told


def laws(session: Session) -> ExplanationInfo:
    """Return how the search stands."""
    explanation = session.snapshot().explanation
    assert explanation is not None
    return explanation


def kinds(session: Session) -> list[str]:
    """Return what the edges on the diagram are."""
    return [edge.kind for edge in session.snapshot().structure.edges]


def test_a_search_finds_the_law_and_says_how_it_goes() -> None:
    session = make_session()
    before = session.snapshot()
    began = session.act(Explain())
    assert [event.type for event in began if isinstance(event, ExplanationEvent | StatusEvent)] == [
        "explanation",
        "status",
    ]
    assert laws(session).sentence == f"Looking for laws in the network as it was after step {session.num_steps}."
    assert laws(session).samples == (
        "Laws are fitted to 800 of the training samples and chosen by the other 200; the 1000 test samples have no "
        "part in it."
    )
    told = [event.explanation for event in searched(session) if isinstance(event, ExplanationEvent)]
    shares = [one.progress for one in told if one is not None]
    assert shares == sorted(shares)
    assert len(set(shares)) > 2
    assert told[-1] == laws(session)
    found = laws(session)
    assert (found.state, found.progress) == ("done", 1.0)
    assert found.num_tried > 5
    assert found.sentence.startswith("The search is done: ")
    complexities = [law.complexity for law in found.laws]
    assert complexities == sorted(complexities)
    best = found.laws[-1]
    assert max(best.train_rmse, best.held_out_rmse) < 1e-9
    assert best.test_rmse is not None
    assert best.test_rmse < 1e-9
    assert "exp(" in best.text
    assert best.mathml.startswith("<math")
    # nothing of the session itself was touched
    after = session.snapshot()
    assert after.model_copy(update={"explanation": None}) == before


def test_training_rests_meanwhile_and_goes_on_as_it_was() -> None:
    session = make_session()
    num_steps = session.num_steps
    session.act(Run())
    (_, *_, status) = session.act(Explain())
    assert isinstance(status, StatusEvent)
    rests = "Training rests while the network is explained"
    assert (status.status.state, status.status.sentence) == ("paused", f"{rests}, and goes on afterwards.")
    assert laws(session).trains_after
    session.act(Pause())
    assert session.status.sentence == f"{rests}."
    assert not laws(session).trains_after
    session.act(Run())
    last = searched(session)[-1]
    assert isinstance(last, StatusEvent)
    assert (last.status.state, last.status.sentence, session.num_steps) == ("running", "", num_steps)
    session.advance(1e-6, 1000.0)
    assert session.num_steps == num_steps + 1


def test_slices_are_short_and_nothing_waits_once_it_is_over() -> None:
    session = make_session()
    assert session.wait_time(0.0) is None
    session.act(Explain())
    assert session.wait_time(0.0) == 0.0
    ticks = iter(range(10**6))
    session.advance(3.0, 0.0, clock=lambda: float(next(ticks)))
    assert session.laws.is_searching
    assert laws(session).num_tried <= 4
    searched(session)
    assert session.wait_time(0.0) is None


def test_a_law_goes_on_the_diagram_and_back() -> None:
    session = make_session()
    session.act(Explain())
    searched(session)
    best = laws(session).laws[-1]
    curves = kinds(session)
    values = session.frame().test_rmse
    session.act(RestoreLaw(id=best.id))
    assert set(kinds(session)) == {"symbolic", "pruned"}
    snapshot = session.snapshot()
    assert snapshot.history.undo == f"law {best.id} of the search"
    assert snapshot.formula.is_closed_form
    assert session.frame().test_rmse == pytest.approx(best.test_rmse)
    session.act(Undo())
    assert kinds(session) == curves
    assert session.frame().test_rmse == pytest.approx(values)
    session.act(Redo())
    assert set(kinds(session)) == {"symbolic", "pruned"}
    # training what was restored does not change what is listed
    session.act(Step(count=2))
    session.advance(math.inf, 0.0)
    session.act(Undo())
    session.act(RestoreLaw(id=best.id))
    assert session.frame().test_rmse == pytest.approx(best.test_rmse)


def test_edits_go_on_while_it_searches_on_its_copy() -> None:
    session, alone = make_session(), make_session()
    for one in (session, alone):
        one.act(Explain())
        searched(one, slices=3)
    session.act(Prune(edges=[EdgeRef(layer=0, source=0, target=0)]))
    assert "pruned" in kinds(session)
    searched(session)
    searched(alone)
    assert [law.text for law in laws(session).laws] == [law.text for law in laws(alone).laws]


def test_a_cancelled_search_keeps_what_it_found() -> None:
    session = make_session("product")
    session.act(Explain())
    while session.laws.is_searching and not laws(session).laws:
        session.advance(0.0, 0.0)
    told = session.act(CancelExplaining()) if session.laws.is_searching else []
    found = laws(session)
    assert found.laws
    if told:
        assert found.state == "cancelled"
        assert found.sentence == "The search was cancelled; what it had found until then is listed."
        assert isinstance(told[-1], StatusEvent)
    session.act(RestoreLaw(id=found.laws[0].id))
    # another search gives other ids
    session.act(Undo())
    session.act(Explain())
    searched(session)
    assert min(law.id for law in laws(session).laws) > max(law.id for law in found.laws)
    with pytest.raises(Refusal, match=r"^The search has no law with id=1: choose one of"):
        session.act(RestoreLaw(id=1))


@pytest.mark.parametrize(
    ("command", "code", "sentence"),
    [
        (CancelExplaining(), "nothing_to_cancel", "No search for laws was started: there is nothing to cancel."),
        (
            RestoreLaw(id=3),
            "unknown_law",
            "There is no law with id=3, as none was searched for: explain the network first.",
        ),
    ],
)
def test_what_was_not_searched_for_is_refused(command: Act, code: str, sentence: str) -> None:
    session = make_session()
    with pytest.raises(Refusal) as refused:
        session.act(command)
    assert (refused.value.code, refused.value.sentence) == (code, sentence)


def test_one_search_at_a_time_and_none_to_cancel_afterwards() -> None:
    session = make_session()
    session.act(Explain())
    with pytest.raises(Refusal, match=r"^A search for laws is at work already"):
        session.act(Explain())
    with pytest.raises(Refusal, match="none was found yet"):
        session.act(RestoreLaw(id=1))
    searched(session)
    with pytest.raises(Refusal, match=r"^No search for laws is at work"):
        session.act(CancelExplaining())


def test_too_few_samples_are_refused() -> None:
    session = Session.create("s", source=few_samples())
    with pytest.raises(Refusal, match=r"^A fifth .* and 8 are too few to spare any: use data with at least 20"):
        session.act(Explain())
    assert session.snapshot().explanation is None


def few_samples() -> Any:
    """Return data of ten samples."""
    from server.messages import FormulaSource, VariableRange

    return FormulaSource(expression="x^2", variables=[VariableRange(name="x")], num_samples=10)


def test_a_network_of_formulas_alone_is_polished() -> None:
    session = make_session()
    session.act(Explain())
    searched(session)
    session.act(RestoreLaw(id=laws(session).laws[-1].id))
    session.act(Explain())
    searched(session)
    found = laws(session)
    assert found.state == "done"
    assert found.laws[-1].held_out_rmse < 1e-9


def test_classes_are_explained_too() -> None:
    session = make_session("moons")
    assert session.snapshot().data.task == "classification"
    session.act(Explain())
    searched(session, slices=400)
    found = laws(session)
    for law in found.laws:
        assert law.text.startswith("logit ")
        assert law.held_out_rmse <= 1.0


@pytest.mark.parametrize(
    "command",
    [Reset(), SetNetwork(network=NetworkSettings(widths=[2, 3, 1])), SetData(source=CatalogueSource(name="product"))],
)
@pytest.mark.parametrize("is_at_work", [False, True])
def test_a_fresh_network_forgets_the_laws_of_the_old_one(command: Act, *, is_at_work: bool) -> None:
    session = make_session()
    session.act(Explain())
    if not is_at_work:
        searched(session)
    told = session.act(command)
    assert ExplanationEvent(explanation=None) in told
    assert session.snapshot().explanation is None
    assert not session.laws.is_searching
    assert session.status.sentence == ""


def test_laws_outlive_a_checkpoint_and_can_still_be_restored() -> None:
    session = make_session()
    session.act(Explain())
    searched(session)
    restored = Session.from_bytes(session.to_bytes())
    assert restored.snapshot().explanation == session.snapshot().explanation
    assert restored.snapshot() == session.snapshot()
    best = laws(restored).laws[-1]
    for one in (session, restored):
        one.act(RestoreLaw(id=best.id))
    assert restored.frame().test_rmse == session.frame().test_rmse
    assert restored.laws.last_id == session.laws.last_id


def test_a_search_at_work_is_lost_with_its_worker_and_says_so() -> None:
    session = make_session()
    session.act(Run())
    session.act(Explain())
    searched(session, slices=2)
    restored = Session.from_bytes(session.to_bytes())
    assert (laws(restored).state, laws(restored).sentence) == ("lost", LOST)
    # and training is where it was
    assert restored.status.state == "running"
    assert not restored.laws.is_searching


class FakeSearch:
    """A search beside this process: it is looked at now and then, and tells sentences."""

    kind: SearchKind = "discover"
    seconds: float | None = 30.0

    def __init__(self, found: list[Law]) -> None:
        self._found = found
        self.laws: list[Law] = []
        self.progress = 0.0
        self.is_done = False
        self.num_tried = 0
        self.findings: list[str] = []
        self.activities: list[str] = []
        self.best: Law | None = None
        self.elapsed = 0.0
        self.sentence = ""
        self.num_closed = 0

    def advance(self) -> None:
        self.laws = self._found[: len(self.laws) + 1]
        self.progress = len(self.laws) / len(self._found)
        self.findings = ["The output is odd in x."]
        self.sentence = "All is told."
        self.is_done = self.progress == 1.0

    def wait(self) -> float:
        return 0.0 if self.is_done else 0.25

    def close(self) -> None:
        self.num_closed += 1


def test_another_kind_of_search_fits_in() -> None:
    session = make_session()
    session.act(Explain())
    searched(session)
    network = session.laws.networks[-1]
    found = [Law(network=network.copy(), complexity=one, train_rmse=1.0 / one, test_rmse=1.0 / one) for one in (1, 2)]
    search = FakeSearch(found)
    other = Explaining(search, session.data, samples="All of them.", step=5)
    assert other.wait() == 0.25
    search.advance()
    other.advance(0.0, time.monotonic)
    assert [law.id for law in other.info(trains_after=False).laws] == [1]
    search.advance()
    other.advance(0.0, time.monotonic)
    told = other.info(trains_after=False)
    assert (told.state, told.sentence, told.findings) == ("done", "All is told.", ["The output is odd in x."])
    assert [(law.id, law.held_out_rmse) for law in told.laws] == [(1, 1.0), (2, 0.5)]
    assert search.num_closed == 1
    other.close()
    assert search.num_closed == 1


@pytest.mark.slow
async def test_viewers_follow_a_search_and_it_outlives_the_worker(app: LiveApp) -> None:
    session_id, key = await app.create()
    async with app.page(session_id, key) as page, app.page(session_id) as guest:
        refused = await guest.ask({"type": "explain"})
        assert refused["type"] == "error"
        await page.event("losses")
        assert (await page.ask({"type": "explain"}))["type"] == "done"
        assert (await guest.event("explanation"))["explanation"]["state"] == "running"
        while (told := (await guest.event("explanation"))["explanation"])["state"] == "running":
            pass
        assert told["state"] == "done"
        async with app.page(session_id) as late:
            assert (await late.event("snapshot"))["explanation"] == told
        assert told["laws"]
        restored = await page.ask({"type": "restore_law", "id": told["laws"][-1]["id"]})
        assert restored["type"] == "done"
        pid = next(pid for pid, sessions in app.engine.worker_pids().items() if session_id in sessions)
        os.kill(pid, signal.SIGKILL)
        snapshot = await guest.event("snapshot", epoch=1)
        assert snapshot["explanation"] == told
        assert {edge["kind"] for edge in snapshot["structure"]["edges"]} <= {"symbolic", "pruned"}
