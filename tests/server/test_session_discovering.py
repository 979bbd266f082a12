"""Laws discovered from a session's data: beside training, with a verdict, of any shape, and never left behind."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any, get_args

import pytest
import torch

from kan_core import KAN, Candidate, EdgeId, NetworkSpec, fix_symbolic
from kan_core.datasets import Dataset
from kan_core.discover import Discovery
from kan_core.discovery.verdict import verdict
from kan_core.symbolic import Library
from kan_core.symbolic.laws import Law, make_law
from server.discovering import FEWEST_PROCESSES, MOST_PROCESSES
from server.explaining import LOST
from server.messages import (
    Act,
    CancelExplaining,
    CatalogueSource,
    Discover,
    Event,
    Explain,
    ExplanationEvent,
    ExplanationInfo,
    Export,
    ExportedEvent,
    ExportFormat,
    FormulaJudgedEvent,
    FormulaSource,
    JudgeFormula,
    NetworkSettings,
    NoticeEvent,
    Pause,
    Redo,
    Reset,
    RestoreLaw,
    Run,
    SetData,
    SetNetwork,
    SetTraining,
    SnapConstants,
    StatusEvent,
    Step,
    TrainingChange,
    TrainingSettings,
    Undo,
    VariableRange,
)
from server.refusal import Refusal
from server.session import Session
from tests.server.examples import kan_settings
from tests.server.processes import discovering_pids, is_alive

PATIENCE = 60.0
LINE = FormulaSource(expression="2*x + 1", variables=[VariableRange(name="x")], num_samples=100)
PRODUCT = FormulaSource(expression="x*y", variables=[VariableRange(name="x"), VariableRange(name="y")], num_samples=100)


def product_network(*, slope: float = 1.0) -> KAN:
    """Return a network of formulas alone that multiplies its two inputs, times `slope`."""
    network = KAN(NetworkSpec(widths=(2, 1), products=(0, 1)), dtype=torch.float64)
    # in the data's units, as discovered laws are
    network.is_scaled.fill_(True)
    for row in (0, 1):
        for source in (0, 1):
            c = 0.0 if source != row else slope if row == 0 else 1.0
            found = Candidate(function="x", a=1.0, b=0.0, c=c, d=0.0, r2=1.0, complexity=1, score=0.0)
            network = fix_symbolic(network, EdgeId(layer=0, source=source, target=row), found)
    return network


class FakeDiscovery:
    """A discovery without processes: each poll is the next part of its story."""

    made: list[FakeDiscovery]

    def __init__(self, dataset: Dataset, *, seconds: float, seed: int, processes: int, library: Library) -> None:
        self.settings = (seconds, seed, library)
        self.split = dataset
        self.laws: list[Law] = []
        self.findings: list[str] = []
        self.activities = [""] * processes
        self.num_polls = self.num_closed = 0
        self.is_done = False
        self.made.append(self)

    @property
    def has_loaded(self) -> bool:
        return bool(self.activities[0])

    def conclusion(self, law: Law | None) -> str:
        assert law is not None
        errors = {((2, 1), ()): 0.01}
        return verdict(law, target="f", spread=1.0, network_errors=errors, num_held_out=16)

    @property
    def progress(self) -> float:
        return 1.0 if self.is_done else self.num_polls / 4

    @property
    def elapsed(self) -> float:
        return 2.0 * self.num_polls

    def poll(self) -> bool:
        self.num_polls += 1
        if self.num_polls == 2:
            self.activities[0] = "training [2, 1] on x, y"
            self.laws = [make_law(product_network(slope=0.5), self.split)]
        if self.num_polls == 3:
            self.findings = ["f is a product of a function of x and one of y."]
            self.laws = [*self.laws, make_law(product_network(), self.split)]
        if self.num_polls == 4:
            self.is_done = True
        return True

    def close(self) -> None:
        self.num_closed += 1
        self.is_done = True


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> list[FakeDiscovery]:
    """Return the fake discoveries that take the place of real ones."""
    FakeDiscovery.made = []
    monkeypatch.setattr("server.discovering.Discovery", FakeDiscovery)
    monkeypatch.setattr("server.discovering.LOOK_AGAIN", 0.0)
    return FakeDiscovery.made


def make_session(source: FormulaSource = PRODUCT, **training: Any) -> Session:
    """Return a paused session."""
    session = Session.create(
        "s", source=source, training=TrainingSettings.model_validate({"optimizer": "lm", **training})
    )
    session.act(Pause())
    return session


def advanced(session: Session, is_enough: Callable[[], bool]) -> list[Event]:
    """Let the session go on until there is enough, and return what was told."""
    told: list[Event] = []
    end = time.monotonic() + PATIENCE
    while not is_enough():
        assert time.monotonic() < end
        now = time.monotonic()
        if session.wait_time(now) == 0.0:
            told += session.advance(1e-6, now)
    return told


def discovered(session: Session) -> list[Event]:
    """Let the discovery go to its end and return what was told."""
    return advanced(session, lambda: not session.laws.is_searching)


def laws(session: Session) -> ExplanationInfo:
    """Return how the search stands."""
    explanation = session.snapshot().explanation
    assert explanation is not None
    return explanation


def test_a_discovery_tells_its_story_and_ends_with_a_verdict(fakes: list[FakeDiscovery]) -> None:
    session = make_session()
    (began,) = session.act(Discover(seconds=8))
    assert isinstance(began, ExplanationEvent)
    first = began.explanation
    assert first is not None
    assert (first.kind, first.state, first.seconds, first.laws) == ("discover", "running", 8.0, [])
    assert first.sentence.startswith("Starting: ")
    assert first.samples == (
        "Laws are fitted to 64 of the training samples and chosen by the other 16; the 20 test samples and the network "
        "on the diagram have no part in it."
    )
    advanced(session, lambda: laws(session).activities[:1] == ["training [2, 1] on x, y"])
    assert laws(session).sentence.startswith("Looking for the law behind f in ")
    discovered(session)
    found = laws(session)
    assert (found.state, found.progress, found.activities) == ("done", 1.0, [])
    assert found.sentence == "The law is exact on 16 samples that were held out."
    assert found.findings == ["f is a product of a function of x and one of y."]
    assert found.best == found.laws[-1].id
    assert found.laws[-1].text == "f = x·y"
    (fake,) = fakes
    assert fake.settings == (8.0, session.record.seed, session.record.library)
    assert fake.num_closed > 0
    assert session.wait_time(0.0) is None


def test_training_and_edits_go_on_meanwhile(fakes: list[FakeDiscovery]) -> None:
    session = make_session(steps_per_second=None)
    session.act(Discover())
    session.act(Run())
    assert session.status.state == "running"
    told = advanced(session, lambda: session.num_steps >= 3 and not session.laws.is_searching)
    assert not any(isinstance(event, StatusEvent) and event.status.state == "paused" for event in told)
    assert not laws(session).trains_after
    assert any(isinstance(event, ExplanationEvent) for event in told)
    assert len(fakes) == 1


@pytest.mark.parametrize("command", [Reset(), SetNetwork(network=NetworkSettings(widths=[2, 3, 1]))])
def test_a_fresh_network_leaves_a_discovery_alone(fakes: list[FakeDiscovery], command: Act) -> None:
    session = make_session()
    session.act(Discover())
    told = session.act(command)
    assert not any(isinstance(event, ExplanationEvent) for event in told)
    discovered(session)
    session.act(RestoreLaw(id=laws(session).laws[-1].id))
    assert kan_settings(session.snapshot().structure).products == [0, 1]
    assert len(fakes) == 1


def test_other_data_end_and_forget_it(fakes: list[FakeDiscovery]) -> None:
    session = make_session()
    session.act(Discover())
    advanced(session, lambda: bool(laws(session).laws))
    assert ExplanationEvent(explanation=None) in session.act(SetData(source=LINE))
    assert session.snapshot().explanation is None
    assert fakes[0].num_closed == 1
    assert session.wait_time(0.0) is None


def test_cancelled_it_keeps_what_it_found(fakes: list[FakeDiscovery]) -> None:
    session = make_session()
    session.act(Discover())
    advanced(session, lambda: bool(laws(session).laws))
    session.act(CancelExplaining())
    found = laws(session)
    assert (found.state, found.best) == ("cancelled", found.laws[0].id)
    assert fakes[0].num_closed == 1
    session.close()
    assert fakes[0].num_closed == 1


def test_one_search_a_session(fakes: list[FakeDiscovery]) -> None:
    session = make_session()
    session.act(Discover())
    for command in (Discover(), Explain()):
        with pytest.raises(Refusal, match=r"^A search for laws is at work already"):
            session.act(command)
    session.close()
    session.act(Explain())
    with pytest.raises(Refusal, match=r"^A search for laws is at work already"):
        session.act(Discover())
    assert len(fakes) <= 1


def test_what_it_cannot_use_is_refused() -> None:
    classes = Session.create("s", source=CatalogueSource(name="moons"))
    few = make_session(FormulaSource(expression="x", variables=[VariableRange(name="x")], num_samples=10))
    for session, sentence in (
        (classes, "Discover looks for a law of numbers, received a classification: choose another target."),
        (few, "Discover needs 20 samples, received 8: add more rows."),
    ):
        with pytest.raises(Refusal) as refused:
            session.act(Discover())
        assert (refused.value.code, refused.value.sentence) == ("not_for_discovery", sentence)
        assert session.snapshot().explanation is None


@pytest.mark.parametrize("kind", [OSError, RuntimeError, AttributeError])
def test_processes_that_cannot_start_are_said_to(monkeypatch: pytest.MonkeyPatch, kind: type[Exception]) -> None:
    def fail(*_arguments: object, **_settings: object) -> Discovery:
        raise kind("no more processes")

    monkeypatch.setattr("server.discovering.Discovery", fail)
    session = make_session()
    session.act(Discover())
    discovered(session)
    assert laws(session).sentence == (
        "The search had to be broken off: its processes could not be started (no more processes)."
    )


def test_a_law_too_large_for_the_diagram_is_refused(fakes: list[FakeDiscovery]) -> None:
    session = make_session()
    session.act(Discover())
    advanced(session, lambda: bool(fakes))
    wide = KAN(NetworkSpec(widths=(2, 33, 1)), dtype=torch.float64)
    fakes[0].laws = [make_law(wide, session.data.dataset)]
    advanced(session, lambda: bool(laws(session).laws))
    before = session.snapshot().structure
    with pytest.raises(Refusal, match=r"^A diagram has at most 6 layers of at most 32 nodes, and law 1 needs widths="):
        session.act(RestoreLaw(id=1))
    assert session.snapshot().structure == before
    session.close()


@pytest.mark.parametrize("optimizer", ["lm", "adam", "auto"])
def test_a_law_of_another_shape_takes_the_networks_place(fakes: list[FakeDiscovery], optimizer: str) -> None:
    session = make_session(optimizer=optimizer, steps_per_second=None)
    session.act(Step(count=2))
    advanced(session, lambda: not session.is_training)
    before, values = session.snapshot(), session.frame().test_rmse
    session.act(Discover())
    discovered(session)
    rough, exact = laws(session).laws
    session.act(RestoreLaw(id=rough.id))
    snapshot = session.snapshot()
    assert (kan_settings(snapshot.structure).widths, kan_settings(snapshot.structure).products) == ([2, 1], [0, 1])
    assert len(snapshot.structure.edges) == len(session.frame().importance) == 4
    assert snapshot.history.undo == f"law {rough.id} of the search"
    assert snapshot.formula.is_closed_form
    assert session.frame().test_rmse == pytest.approx(rough.test_rmse)
    assert len(fakes) == 1

    # it trains on: a slope of half of what it should be is soon put right
    session.act(Step(count=3))
    advanced(session, lambda: not session.is_training)
    assert rough.test_rmse is not None
    assert session.frame().test_rmse < rough.test_rmse
    session.act(RestoreLaw(id=exact.id))
    session.act(SnapConstants())
    assert session.frame().test_rmse < 1e-12
    judged = session.query(JudgeFormula())
    assert isinstance(judged, FormulaJudgedEvent)
    for name in get_args(ExportFormat):
        exported = session.query(Export.model_validate({"format": name}))
        assert isinstance(exported, ExportedEvent)
        assert exported.text or exported.base64
    restored = Session.from_bytes(session.to_bytes())
    assert restored.snapshot() == session.snapshot()
    assert restored.frame().test_rmse == session.frame().test_rmse
    for one in (session, restored):
        while one.snapshot().history.undo is not None:
            one.act(Undo())
        assert one.snapshot().structure.network == before.structure.network
        assert one.frame().test_rmse == pytest.approx(values)
        one.act(Redo())
        assert kan_settings(one.snapshot().structure).products == [0, 1]
        one.act(SetTraining(change=TrainingChange(optimizer="lbfgs")))
        one.act(Reset())
        assert one.snapshot().structure.network.widths == before.structure.network.widths


@pytest.mark.parametrize("optimizer", ["lm", "auto"])
def test_an_exact_law_stays_exact_in_training(fakes: list[FakeDiscovery], optimizer: str) -> None:
    session = make_session(optimizer=optimizer, l1=0.01, entropy=0.02, steps_per_second=None)
    session.act(Discover())
    discovered(session)
    told = session.act(RestoreLaw(id=laws(session).laws[-1].id))
    assert [event.code for event in told if isinstance(event, NoticeEvent)] == ["sparsity_off"]
    assert (session.record.training.l1, session.record.training.entropy) == (0.0, 0.0)
    session.act(Step(count=5))
    advanced(session, lambda: not session.is_training)
    assert session.frame().test_rmse < 1e-12
    # another law finds nothing to switch off, and undoing both brings the penalty back
    told = session.act(RestoreLaw(id=laws(session).laws[0].id))
    assert not any(isinstance(event, NoticeEvent) for event in told)
    session.act(Undo())
    assert session.record.training.l1 == 0.0
    session.act(Undo())
    assert (session.record.training.l1, session.record.training.entropy) == (0.01, 0.02)
    session.act(Redo())
    assert session.record.training.l1 == 0.0
    session.act(Reset())
    assert session.record.training.l1 == 0.01
    assert len(fakes) == 1


def test_a_discovery_at_work_is_lost_with_its_worker_and_says_so(fakes: list[FakeDiscovery]) -> None:
    session = make_session()
    session.act(Discover(seconds=20))
    advanced(session, lambda: bool(laws(session).laws))
    restored = Session.from_bytes(session.to_bytes())
    found = laws(restored)
    assert (found.kind, found.state, found.sentence, found.seconds) == ("discover", "lost", LOST, 20.0)
    assert found.best == found.laws[0].id
    assert not restored.laws.is_searching
    session.close()
    assert fakes[0].num_closed == 1


# --- with real processes


@pytest.mark.slow
def test_a_line_is_discovered_and_nothing_is_left() -> None:
    session = make_session(LINE)
    session.act(Discover(seconds=60))
    advanced(session, lambda: len(discovering_pids(os.getpid())) >= 2)
    pids = discovering_pids(os.getpid())
    discovered(session)
    found = laws(session)
    assert (found.state, found.sentence) == ("done", "The law is exact on 16 samples that were held out.")
    best = next(law for law in found.laws if law.id == found.best)
    assert best.text == "f = 2·x + 1"
    assert not any(map(is_alive, pids))
    session.act(RestoreLaw(id=best.id))
    assert session.snapshot().structure.network.widths[0] == 1
    assert session.frame().test_rmse < 1e-12


@pytest.mark.slow
@pytest.mark.parametrize("act", [CancelExplaining(), SetData(source=LINE), None])
def test_its_processes_end_at_once(act: Act | None) -> None:
    session = make_session()
    session.act(Discover(seconds=60))
    advanced(session, lambda: len(discovering_pids(os.getpid())) >= 2)
    pids = discovering_pids(os.getpid())
    advanced(session, lambda: bool(laws(session).laws) or laws(session).elapsed > 0.5)
    assert all(map(is_alive, pids))
    if act is None:
        session.close()
        session.close()
    else:
        session.act(act)
    assert not any(map(is_alive, pids))


@pytest.mark.slow
def test_processes_that_are_killed_are_not_called_lack_of_time() -> None:
    session = make_session()
    session.act(Discover(seconds=600))
    count = min(max(os.cpu_count() or 1, FEWEST_PROCESSES), MOST_PROCESSES)
    advanced(session, lambda: len(discovering_pids(os.getpid())) == count)
    for pid in discovering_pids(os.getpid()):
        os.kill(pid, signal.SIGKILL)
    discovered(session)
    found = laws(session)
    assert found.sentence.startswith("The search broke off, since all its processes ended before their time: ")
    assert "was ended by SIGKILL, as when memory runs out" in found.sentence
    assert "Nothing was found in this time" not in found.sentence


@pytest.mark.slow
def test_one_that_is_cancelled_while_it_starts_leaves_no_process() -> None:
    # samples that do not fit into a pipe: they are sent once the processes have loaded
    session = make_session(PRODUCT.model_copy(update={"num_samples": 20_000}))
    session.act(Discover(seconds=60))
    session.act(CancelExplaining())
    end = time.monotonic() + PATIENCE
    while any(thread.name == "discovery" for thread in threading.enumerate()):
        assert time.monotonic() < end
        time.sleep(0.05)
    assert discovering_pids(os.getpid()) == []
