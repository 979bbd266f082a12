"""What people change while the recipe is at work, and after: what is refused, what is kept, and what is said."""

from __future__ import annotations

import math

import pytest

from server.messages import (
    EdgeRef,
    Event,
    HistoryInfo,
    NetworkSettings,
    Pause,
    Prune,
    Redo,
    Refine,
    Reset,
    Run,
    SessionState,
    SetTraining,
    StatusEvent,
    Step,
    StructureEvent,
    SwapBasis,
    TrainingChange,
    TrainingSettings,
    Undo,
)
from server.refusal import Refusal
from server.session import Session
from tests.server.examples import kan_of, kan_settings

AUTO = TrainingSettings(optimizer="auto", l1=0.0, entropy=0.0, steps_per_second=None)
EDGE = EdgeRef(layer=0, source=0, target=0)


def make_session(*, widths: tuple[int, ...] = (2, 1)) -> Session:
    return Session.create("s", network=NetworkSettings(widths=list(widths)), training=AUTO)


def finish(session: Session) -> list[Event]:
    """Train to the end and return what was told."""
    return session.advance(math.inf, 0.0)


def sentences(events: list[Event]) -> list[str]:
    return [event.status.sentence for event in events if isinstance(event, StatusEvent) and event.status.sentence]


def grids(events: list[Event]) -> set[int]:
    return {kan_settings(event.structure).grid_size for event in events if isinstance(event, StructureEvent)}


@pytest.mark.parametrize("state", ["running", "paused"])
def test_a_refinement_is_refused_while_the_recipe_is_at_work(state: SessionState) -> None:
    session = make_session()
    session.act(Step(count=3))
    finish(session)
    session.act(Run() if state == "running" else Pause())
    with pytest.raises(Refusal) as refused:
        session.act(Refine(grid_size=10))
    assert refused.value.sentence == (
        "Auto chooses the grid itself while it is at work, received grid_size=10: choose another optimizer to refine "
        "by hand, or wait until it is done."
    )
    assert (session.snapshot().history, session.status.state) == (HistoryInfo(), state)


def test_a_refinement_of_what_the_recipe_made_is_kept() -> None:
    session = make_session()
    finish(session)
    made = kan_of(session).spec.grid_size
    assert session.status.state == "converged"
    start = f"The recipe starts again on {2 * made} intervals, the grid chosen by hand."
    assert sentences(session.act(Refine(grid_size=2 * made))) == [start]
    again = Session.from_bytes(session.to_bytes())
    events = finish(session)
    assert sentences(events)[0] == f"{start} Start 1 of 1: the network as it is, on {2 * made} intervals."
    assert not any("starts again" in sentence for sentence in sentences(events)[1:])
    assert grids(events) <= {2 * made}
    assert (session.status.state, kan_of(session).spec.grid_size) == ("converged", 2 * made)
    finish(again)
    assert kan_of(again).spec.grid_size == 2 * made
    session.act(Refine(grid_size=4 * made))
    finish(session)
    assert kan_of(session).spec.grid_size == 4 * made


def test_taking_a_refinement_back_lets_the_recipe_choose_and_doing_it_again_does_not() -> None:
    session = make_session()
    finish(session)
    made = kan_of(session).spec.grid_size
    session.act(Refine(grid_size=8 * made))
    session = Session.from_bytes(session.to_bytes())
    session.act(Undo())
    finish(session)
    assert kan_of(session).spec.grid_size == made
    session.act(Redo())
    finish(session)
    assert kan_of(session).spec.grid_size == 8 * made


@pytest.mark.parametrize("change", [Reset(), SetTraining(change=TrainingChange(optimizer="lm"))])
def test_a_fresh_network_or_optimizer_forgets_the_grid_that_was_chosen(change: Reset | SetTraining) -> None:
    session = make_session()
    finish(session)
    made = kan_of(session).spec.grid_size
    session.act(Refine(grid_size=8 * made))
    assert session.record.chosen_grid == 8 * made
    session.act(change)
    assert session.record.chosen_grid is None


def test_edits_start_the_recipe_again_and_that_is_said() -> None:
    session = make_session(widths=(2, 2, 1))
    session.act(Step(count=3))
    finish(session)
    assert sentences(session.act(Prune(edges=[EDGE]))) == ["The recipe will start again from the edited network."]
    session.act(Step())
    start = "The recipe starts again from the edited network."
    assert sentences(finish(session)) == [f"{start} Start 1 of 1: the network as it is, on 5 intervals."]
    session.act(Run())
    assert sentences(session.act(Undo())) == [start]
    assert sentences(session.act(SwapBasis(edge=EDGE, basis="fourier"))) == [start]


def test_new_settings_start_the_recipe_again_only_if_it_uses_them() -> None:
    session = make_session(widths=(2, 1, 1))
    finish(session)
    done = session.status
    assert done.sentence.startswith("Done: ")
    session.act(SetTraining(change=TrainingChange(learning_rate=0.5, batch_size=10, steps_per_second=100.0)))
    assert session.status == done
    told = session.act(SetTraining(change=TrainingChange(l1=0.001)))
    assert sentences(told) == ["The recipe starts again with the new settings."]
    assert session.is_training


def test_the_memory_that_another_optimizer_takes_is_told() -> None:
    session = make_session()
    before = session.snapshot().structure
    events = session.act(SetTraining(change=TrainingChange(optimizer="adam")))
    told = [event.structure for event in events if isinstance(event, StructureEvent)]
    assert told == [session.snapshot().structure]
    assert told[0].num_bytes < before.num_bytes
    assert told[0].revision == before.revision
