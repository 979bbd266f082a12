"""Answers that take long: formulas tried in the network, and formulas simplified, a little at a time."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import sympy as sp

from kan_core.errors import KanError
from server.messages import (
    CandidatesEvent,
    CandidateTriedEvent,
    DoneEvent,
    EdgeRef,
    ErrorEvent,
    Event,
    FormulaSource,
    LongQuery,
    NetworkSettings,
    Prune,
    Residuals,
    SimplifiedEvent,
    Simplify,
    Step,
    Suggest,
    SymbolicForm,
    Symbolify,
    TrainingSettings,
    TryCandidate,
    VariableRange,
)
from server.refusal import Refusal
from server.session import Session
from server.work_line import Working, WorkLine
from server.works import MAX_MOMENTS, Work
from tests.server.conftest import LiveApp

EDGE = EdgeRef(layer=0, source=0, target=0)
OTHER = EdgeRef(layer=0, source=1, target=0)


def make_session(*, num_steps: int = 25) -> Session:
    """Return a session that has learned sin²x + cos²y, a sum of two curves."""
    session = Session.create(
        "s",
        source=FormulaSource(
            expression="sin(x)^2 + cos(y)^2",
            variables=[VariableRange(name="x", low=-2, high=2), VariableRange(name="y", low=-2, high=2)],
            num_samples=400,
        ),
        network=NetworkSettings(widths=[2, 1], grid_size=8),
        training=TrainingSettings(optimizer="lm", l1=0.0, entropy=0.0),
    )
    session.act(Step(count=num_steps))
    session.advance(math.inf, 0.0)
    return session


def suggested(session: Session, edge: EdgeRef = EDGE) -> CandidatesEvent:
    """Return the formulas of an edge."""
    event = session.query(Suggest(edge=edge))
    assert isinstance(event, CandidatesEvent)
    return event


def trying(event: CandidatesEvent, form: SymbolicForm) -> TryCandidate:
    """Return the wish to see one of them in the network."""
    return TryCandidate(edge=event.edge, form=form, revision=event.revision, step=event.step)


def answer(session: Session, command: LongQuery, *, turn: Callable[[], object] = lambda: None) -> Event:
    """Return the answer, `turn` being called before every bit of work."""
    work = session.begin(command)
    try:
        while True:
            turn()
            event = work.advance()
            if event is not None:
                return event
    finally:
        work.close()


def test_formulas_are_tried_on_the_network_of_one_moment_while_it_trains_on() -> None:
    session = make_session(num_steps=8)
    event = suggested(session)
    forms = [one.form for one in event.candidates[:3]]
    first = [answer(session, trying(event, form)) for form in forms]
    snapshot = session.snapshot()
    assert session.snapshot() == snapshot

    def train() -> None:
        session.act(Step())
        session.advance(math.inf, 0.0)

    again = [answer(session, trying(event, form), turn=train) for form in forms]
    assert again == first
    assert session.num_steps > event.step
    for form, tried in zip(forms, first, strict=True):
        assert isinstance(tried, CandidateTriedEvent)
        assert (tried.edge, tried.form, tried.step) == (EDGE, form, event.step)
        assert tried.train_rmse is not None
        assert tried.test_rmse is not None
        assert 0.0 < tried.train_rmse < 1.0
    # one step of the refit at a time
    work, num_turns = session.begin(trying(event, forms[0])), 0
    while work.advance() is None:
        num_turns += 1
    assert num_turns > 1


def test_what_is_not_there_any_more_cannot_be_tried() -> None:
    session = make_session(num_steps=2)
    event = suggested(session)
    form = event.candidates[0].form
    with pytest.raises(Refusal, match="There is no function='nonsense'"):
        session.begin(trying(event, form.model_copy(update={"function": "nonsense"})))
    with pytest.raises(Refusal, match="There is no edge"):
        session.begin(trying(event, form).model_copy(update={"edge": EdgeRef(layer=3, source=0, target=0)}))
    for _ in range(MAX_MOMENTS):
        session.act(Step())
        session.advance(math.inf, 0.0)
        suggested(session)
    with pytest.raises(Refusal, match=r"^The network as it was at step 2, when .* is not kept any more"):
        session.begin(trying(event, form))


def test_a_cut_edge_is_tried_as_it_was_when_its_formulas_were_found() -> None:
    session = make_session(num_steps=4)
    event = suggested(session)
    session.act(Prune(edges=[EDGE]))
    assert isinstance(answer(session, trying(event, event.candidates[0].form)), CandidateTriedEvent)
    with pytest.raises(Refusal, match=r"^Edge 0\.0\.0 must be a curve or a formula"):
        session.begin(trying(suggested(session), event.candidates[0].form))


@pytest.mark.slow
def test_a_formula_is_simplified_beside_training_and_stays_the_same() -> None:
    session = make_session()
    for edge in (EDGE, OTHER):
        event = suggested(session, edge)
        wave = next(one for one in event.candidates if one.name in ("cos", "sin"))
        session.act(Symbolify(edge=edge, form=wave.form))
    session.act(Step(count=20))
    session.advance(math.inf, 0.0)
    before = session.snapshot()
    event = answer(session, Simplify())
    assert isinstance(event, SimplifiedEvent)
    assert (event.revision, event.step, event.units) == (session.revision, session.num_steps, "original")
    assert session.snapshot() == before
    simple, full = sp.sympify(event.sympy), sp.sympify(before.formula.sympy)
    simplified, usual = (sp.lambdify([sp.Symbol("x"), sp.Symbol("y")], one) for one in (simple, full))
    assert simplified(0.7, -1.1) == pytest.approx(usual(0.7, -1.1), abs=1e-4)
    if event.is_simpler:
        assert sp.count_ops(simple) < sp.count_ops(full)
        assert event.sentence.startswith("Simplified from ")
    else:
        assert event.sentence == "Nothing simpler was found."
    assert event.text.startswith("f = ")
    assert event.mathml.startswith("<math")


@pytest.mark.slow
def test_curves_that_are_left_and_scaled_units_are_simplified_too() -> None:
    session = make_session(num_steps=3)
    event = answer(session, Simplify(units="scaled"))
    assert isinstance(event, SimplifiedEvent)
    assert event.units == "scaled"
    assert "phi_0_0_0(x_scaled)" in event.text
    assert "_scaled" in event.text


def test_a_process_that_is_not_needed_any_more_is_ended() -> None:
    work = make_session(num_steps=1).begin(Simplify())
    assert work.advance() is None
    assert work.wait() > 0.0
    work.close()
    work.close()
    assert work.wait() == 0.0


class Fake:
    """A work that tells how often it was advanced and closed."""

    def __init__(self, *, has_process: bool = False) -> None:
        self.has_process = has_process
        self.num_closed = 0

    def advance(self) -> Event | None:
        return None

    def wait(self) -> float:
        return 0.5 if self.has_process else 0.0

    def close(self) -> None:
        self.num_closed += 1


def working(work: Work, session_id: str = "s") -> Working:
    """Return a work that somebody waits for."""
    return Working(session_id, b"", None, work)


def test_works_take_turns_and_few_have_a_process() -> None:
    line = WorkLine(5, max_processes=1)
    assert (line.wait(0.0), line.take(0.0)) == (None, None)
    one, other = working(Fake()), working(Fake())
    process, late = working(Fake(has_process=True)), working(Fake(has_process=True))
    assert all(line.put(each) for each in (one, process, other, late))
    turns: list[Working] = []
    for _ in range(6):
        taken = line.take(0.0)
        assert taken is not None
        turns.append(taken)
        line.put_back(taken, 0.0)
    assert turns == [one, process, other, one, other, one]
    # the second process waits for the end of the first, whenever that is due
    assert line.take(0.5) is process
    line.put_back(process, 0.5)
    for _ in range(4):
        taken = line.take(0.5)
        assert taken in (one, other)
        line.put_back(taken, 0.5)
    assert set(line.leave()) == {process, late, one, other}


def test_a_full_line_takes_no_more_and_closes_what_leaves() -> None:
    line, works = WorkLine(2, max_processes=1), [Fake(), Fake(), Fake()]
    assert line.put(working(works[0], "gone"))
    assert line.put(working(works[1]))
    assert not line.put(working(works[2]))
    assert [each.work for each in line.leave("gone")] == [works[0]]
    assert [each.work for each in line.leave()] == [works[1]]
    assert [work.num_closed for work in works] == [1, 1, 0]
    assert line.wait(0.0) is None


class Ending(Fake):
    """A work that ends in this way once it has had two turns."""

    def __init__(self, end: Event | Exception) -> None:
        super().__init__()
        self._end, self._num_turns = end, 0

    def advance(self) -> Event | None:
        self._num_turns += 1
        if self._num_turns < 3:
            return None
        if isinstance(self._end, Exception):
            raise self._end
        return self._end


@pytest.mark.parametrize(
    ("end", "code"),
    [
        (Refusal("no", "No."), "no"),
        (KanError("Not so."), "bad_request"),
        (ZeroDivisionError("a fault nobody foresaw"), "unexpected"),
    ],
)
def test_a_work_that_fails_is_answered_and_closed(end: Exception, code: str) -> None:
    line, work = WorkLine(1, max_processes=1), Ending(end)
    assert line.put(Working("s", b"t", 8, work))
    ticks = iter(range(100))
    made = line.advance(2.0, lambda: float(next(ticks)))
    assert made is None
    while made is None:
        made = line.advance(2.0, lambda: float(next(ticks)))
    event = made[1]
    assert isinstance(event, ErrorEvent)
    assert (event.code, event.request_id, work.num_closed) == (code, 8, 1)
    assert line.wait(0.0) is None


def test_an_answer_comes_with_the_number_that_was_asked_with() -> None:
    line, work = WorkLine(1, max_processes=1), Ending(DoneEvent())
    assert line.put(Working("s", b"t", 8, work))
    made = line.advance(100.0, lambda: 0.0)
    assert made is not None
    assert (made[0].token, made[1], work.num_closed) == (b"t", DoneEvent(request_id=8), 1)


@pytest.mark.slow
async def test_pages_are_answered_while_others_wait_for_long_answers(app: LiveApp) -> None:
    session_id, key = await app.create()
    async with app.page(session_id, key) as page:
        found = await page.ask({"type": "suggest", "edge": EDGE.model_dump()})
        await page.send({"type": "simplify", "request_id": 1})
        form = found["candidates"][0]["form"]
        command = {"type": "try_candidate", "edge": EDGE.model_dump(), "form": form}
        tried = await page.ask({**command, "revision": found["revision"], "step": found["step"]})
        assert tried["type"] == "candidate_tried"
        assert tried["train_rmse"] > 0.0
        stale = await page.ask({**command, "revision": found["revision"], "step": found["step"] + 10_000})
        assert (stale["type"], stale["code"]) == ("error", "stale_candidates")
        assert (await page.ask(Residuals().model_dump()))["type"] == "residuals"
        frame = await page.frame()
        while (await page.frame()).step == frame.step:
            pass
        assert (await page.event("simplified", request_id=1))["text"].startswith("f = ")
