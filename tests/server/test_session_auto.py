"""Sessions that train by the recipe: it says what it does, refines the grid, and ends by itself."""

from __future__ import annotations

import math
import sys

import pytest

from kan_core import EdgeId, StepResult, Trainer, swap_basis
from server.frames import HEADER, encode_frame
from server.messages import (
    CatalogueSource,
    CsvSource,
    CutMeasuredEvent,
    EdgeRef,
    Event,
    LossesEvent,
    MeasureCut,
    NetworkSettings,
    Prune,
    Reset,
    Residuals,
    ResidualsEvent,
    SetData,
    SetNetwork,
    SetTraining,
    StatusEvent,
    Step,
    StructureEvent,
    SwapBasis,
    TrainingChange,
    TrainingEvent,
    TrainingSettings,
    Undo,
)
from server.session import Session
from tests.server.examples import kan_of, kan_settings

AUTO = TrainingSettings(optimizer="auto", l1=0.0, entropy=0.0, steps_per_second=None)


def make_session() -> Session:
    return Session.create("s", network=NetworkSettings(widths=[2, 1, 1]), training=AUTO)


def test_the_recipe_is_told_step_by_step_and_ends() -> None:
    session = make_session()
    events = session.advance(math.inf, 0.0)
    sentences = [event.status.sentence for event in events if isinstance(event, StatusEvent)]
    assert sentences[0].startswith("Start 1 of 5: the network as it is")
    assert any("was the best" in sentence for sentence in sentences)
    sizes = [kan_settings(event.structure).grid_size for event in events if isinstance(event, StructureEvent)]
    assert sizes == sorted(sizes)
    assert sizes[-1] > 20
    reasons = [event.reason for event in events if isinstance(event, StructureEvent) and event.reason]
    assert reasons[0].startswith("Refined from 5 intervals to 10 intervals: at 5 the validation error was")
    assert session.status.state == "converged"
    assert session.status.sentence.startswith("Done: ")
    assert session.frame().test_rmse < 1e-4
    assert session.frame().revision == session.snapshot().structure.revision


def test_a_sample_beyond_all_numbers_does_not_end_a_session() -> None:
    rows = [f"{k / 50 - 1},{(7 * k % 100) / 50 - 1},{k * k / 2500}" for k in range(100)]
    # by seed 0 this row is one to test on
    rows[7] = "9e60,0.1,1.0"
    source = CsvSource(dataset_id="a", inputs=["x", "y"], target="f")
    network = NetworkSettings(widths=[2, 2, 2, 1], products=[0, 2, 2, 1])
    tables = {"a": "\n".join(["x,y,f", *rows]).encode()}
    session = Session.create("a", source, network, TrainingSettings(optimizer="auto"), tables=tables)
    assert float(session.data.dataset.test_inputs.max()) == 9e60
    session.act(Step())
    losses = [event for event in session.advance(math.inf, 0.0) if isinstance(event, LossesEvent)]
    assert losses[-1].points[-1].test == sys.float_info.max
    assert math.isinf(HEADER.unpack_from(encode_frame(session.frame()))[11])
    measured = session.query(MeasureCut(edges=[EdgeRef(layer=0, source=0, target=0)]))
    assert isinstance(measured, CutMeasuredEvent)
    assert measured.test_before == sys.float_info.max
    seen = session.query(Residuals())
    assert isinstance(seen, ResidualsEvent)
    assert len(seen.predictions) == len(seen.targets) == len(session.data.dataset.test_inputs) - 1


def test_a_fresh_network_has_the_grid_of_the_settings_again() -> None:
    session = make_session()
    session.advance(math.inf, 0.0)
    session.act(Reset(new_seed=False))
    assert kan_settings(session.snapshot().structure).grid_size == 5
    assert session.is_training


def recipe_sizes(session: Session) -> list[int]:
    """Return the grid sizes that the recipe goes through to its end, in order."""
    session.act(Step(count=1000))
    events = session.advance(math.inf, 0.0)
    told = [event.structure for event in events if isinstance(event, StructureEvent)]
    assert session.status.state == "converged"
    return list(dict.fromkeys(kan_settings(structure).grid_size for structure in told))


THROUGH = AUTO.model_copy(update={"grids": [3, 4]})


@pytest.mark.parametrize(
    "command",
    [
        Reset(new_seed=True),
        SetTraining(change=TrainingChange(steps_per_second=50.0)),
        SetTraining(change=TrainingChange(l1=0.01)),
    ],
)
def test_the_recipe_keeps_to_the_grids_of_its_training(command: Reset | SetTraining) -> None:
    session = Session.create("s", network=NetworkSettings(widths=[2, 1, 1]), training=THROUGH)
    session.act(command)
    assert session.snapshot().training.grids == [3, 4]
    assert set(recipe_sizes(Session.from_bytes(session.to_bytes()))) <= {3, 4}


@pytest.mark.parametrize(
    "command",
    [
        SetNetwork(network=NetworkSettings(widths=[2, 1, 1], basis="chebyshev")),
        SetData(source=CatalogueSource(name="product")),
        SetTraining(change=TrainingChange(optimizer="lm")),
    ],
)
def test_the_recipe_chooses_its_grids_once_something_else_is_to_be_learnt(
    command: SetNetwork | SetData | SetTraining,
) -> None:
    session = Session.create("s", network=NetworkSettings(widths=[2, 1, 1]), training=THROUGH)
    told = [event.training.grids for event in session.act(command) if isinstance(event, TrainingEvent)]
    assert told == [None]
    assert session.snapshot().training.grids is None


def test_edits_in_the_middle_keep_what_was_made_by_hand() -> None:
    session = Session.create("s", network=NetworkSettings(widths=[2, 3, 1]), training=AUTO)
    session.act(Step(count=30))
    session.advance(math.inf, 0.0)
    edge = EdgeRef(layer=0, source=0, target=0)
    session.act(Prune(edges=[edge]))
    session.act(Step(count=400))
    session.advance(math.inf, 1.0)
    assert session.snapshot().structure.edges[0].kind == "pruned"
    session.act(Undo())
    assert session.snapshot().structure.edges[0].kind == "spline"
    assert Session.from_bytes(session.to_bytes()).snapshot() == session.snapshot()


def told_families(events: list[Event]) -> set[tuple[str, ...]]:
    """Return the families of all edges, once for each way they were told."""
    structures = [event.structure for event in events if isinstance(event, StructureEvent)]
    return {tuple(edge.basis for edge in structure.edges) for structure in structures}


def test_what_was_told_of_every_edge_holds_after_every_step() -> None:
    session = make_session()
    session.act(SwapBasis(edge=EdgeRef(layer=0, source=1, target=0), basis="fourier"))
    told = session.snapshot().structure
    for _ in range(200):
        session.act(Step())
        events = session.advance(math.inf, 0.0)
        told = ([event.structure for event in events if isinstance(event, StructureEvent)] or [told])[-1]
        now = session.snapshot().structure
        assert [edge.basis for edge in told.edges] == [edge.basis for edge in now.edges]
        assert (told.revision, told.network, told.num_parameters) == (now.revision, now.network, now.num_parameters)


def test_a_structure_that_only_mixes_families_anew_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    session = make_session()
    swapped = swap_basis(kan_of(session), EdgeId(layer=1, source=0, target=0), "fourier")
    before = session.snapshot().structure.revision
    step = Trainer.step

    def change_family(trainer: Trainer) -> StepResult:
        trainer.replace_network(swapped)
        return step(trainer)

    monkeypatch.setattr(Trainer, "step", change_family)
    session.act(Step())
    told = told_families(session.advance(math.inf, 0.0))
    assert told == {("bspline", "bspline", "fourier")}
    assert session.frame().revision == before + 1
