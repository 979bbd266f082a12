"""One session as it lives in a worker: a state machine without processes, sockets or clocks of its own.

The worker calls `act` and `query` with a page's commands, `advance` whenever it has time, and `frame` when a page has
credit for a picture. Events come out with epoch and seq 0 and without request_id: the host fills these in.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from kan_core import KAN, Outcome, StepResult, Trainer, edge_importance, sample_edge_curves
from kan_core.errors import KanError
from kan_core.pruning import rmse
from server import answers, edits, views
from server.frames import Frame
from server.history import Entry, History, Sparsity
from server.loss_log import LossLog
from server.messages import (
    Act,
    AddFunction,
    CatalogueSource,
    CsvSource,
    CutWeak,
    DataEvent,
    DataSource,
    Event,
    Formula,
    FormulaEvent,
    FunctionsEvent,
    HistoryEvent,
    LossesEvent,
    LossPoint,
    NetworkSettings,
    NoticeEvent,
    Pause,
    Query,
    Redo,
    RemoveFunction,
    Reset,
    Run,
    SessionState,
    SetData,
    SetNetwork,
    SetTraining,
    SnapshotEvent,
    StatusEvent,
    StatusInfo,
    Step,
    Structure,
    StructureEvent,
    TrainingEvent,
    TrainingSettings,
    Undo,
)
from server.pacing import Pace
from server.refusal import Refusal
from server.session_data import SessionData, build_data
from server.session_record import SessionRecord, fresh_network, training_spec

NUM_POINTS = 64
LOSSES_INTERVAL = 0.1
FORMULA_INTERVAL = 1.0
NO_SPARSITY: Sparsity = (0.0, 0.0)

__all__ = ["Refusal", "Session", "SessionRecord"]


class Session:
    """A network in training that people watch and edit.

    Make one with `create` or `from_bytes`. `act` returns the events for all viewers in order, or raises Refusal and
    leaves the session as it was; `query` returns the answer for the one who asked, or raises Refusal.
    """

    def __init__(
        self,
        record: SessionRecord,
        data: SessionData,
        network: KAN,
        *,
        num_steps: int = 0,
        revision: int = 1,
        history: History | None = None,
        losses: LossLog | None = None,
    ) -> None:
        self.record = record
        self.data = data
        self.revision = revision
        self.grid_revision = 1
        self.history = History() if history is None else history
        self.losses = LossLog() if losses is None else losses
        self.shelved_sparsity: Sparsity | None = None
        self._trainer = Trainer(network, data.dataset, training_spec(record))
        self._trainer.num_steps = num_steps
        self._state: SessionState = "running"
        self._sentence = ""
        self.steps_left = 0
        self._pace = Pace()
        self._next_losses = -math.inf
        self._next_formula = -math.inf
        self._now = 0.0
        self._grids: NDArray[np.floating] | None = None
        self._last = self._measure()
        self._formula = views.formula(self.network, data)

    @classmethod
    def create(
        cls,
        session_id: str,
        source: DataSource | None = None,
        network: NetworkSettings | None = None,
        training: TrainingSettings | None = None,
        seed: int = 0,
        tables: Mapping[str, bytes] | None = None,
    ) -> Session:
        """Return a new session that trains.

        Left out, the source is exp_sin, the network has the hidden widths that suit the data and the training has its
        defaults; `tables` are the uploaded CSV files that a CsvSource may name, by dataset_id. Raises Refusal with code
        bad_formula (its `position` set), bad_data, unknown_problem, unknown_dataset, bad_network or bad_widths.
        """
        source = CatalogueSource(name="exp_sin") if source is None else source
        tables = {} if tables is None else tables
        data = build_data(source, tables, seed=seed)
        if network is None:
            network = NetworkSettings(widths=[data.num_inputs, *data.hidden, data.num_outputs])
        record = SessionRecord(
            session_id=session_id,
            source=source,
            tables=tables,
            data_seed=seed,
            seed=seed,
            network=network,
            training=TrainingSettings() if training is None else training,
        )
        return cls(record, data, fresh_network(network, data, seed))

    @property
    def network(self) -> KAN:
        """The network as it stands; the next step changes it."""
        return self._trainer.network

    @property
    def num_steps(self) -> int:
        """How many optimizer steps were done since the network was fresh."""
        return self._trainer.num_steps

    @property
    def is_training(self) -> bool:
        """Whether `advance` has steps to do."""
        return self._state == "running"

    @property
    def status(self) -> StatusInfo:
        """Whether the session trains, and a sentence if something needs saying."""
        return StatusInfo(state=self._state, step=self.num_steps, sentence=self._sentence)

    def resume(self, status: StatusInfo, *, steps_left: int = 0) -> None:
        """Take up the state of a checkpoint."""
        self._state, self._sentence, self.steps_left = status.state, status.sentence, steps_left

    def to_bytes(self) -> bytes:
        """Return the whole session as bytes that `from_bytes` reads back; parameters bit by bit."""
        from server.session_checkpoint import session_to_bytes

        return session_to_bytes(self)

    @classmethod
    def from_bytes(cls, data: bytes, tables: Mapping[str, bytes] | None = None) -> Session:
        """Return the session that `to_bytes` wrote, training or not as it was.

        `tables` are the uploaded files that it learns from, by id. Raises CheckpointError or Refusal.
        """
        from server.session_checkpoint import session_from_bytes

        return session_from_bytes(data, tables)

    # --- commands

    def act(self, command: Act) -> list[Event]:
        """Carry out an act and return the events for all viewers in order.

        Raises Refusal. Whatever is raised, the session is as it was.
        """
        before = dict(vars(self))
        try:
            return self._dispatch(command)
        except KanError as error:
            vars(self).update(before)
            raise Refusal("bad_request", str(error)) from error
        except BaseException:
            vars(self).update(before)
            raise

    def _dispatch(self, command: Act) -> list[Event]:
        match command:
            case Run():
                self.steps_left = 0
                return self._set_state("running")
            case Pause():
                return self._halt("paused", "")
            case Step():
                self.steps_left = command.count
                return self._set_state("running")
            case Reset():
                return self._reset(command)
            case SetTraining():
                return self._set_training(command)
            case SetNetwork():
                return self._set_network(command.network)
            case SetData():
                return self._set_data(command)
            case AddFunction() | RemoveFunction():
                self.record = replace(self.record, library=edits.change_library(self.record.library, command))
                return [FunctionsEvent(functions=views.own_functions(self.record.library))]
            case Undo():
                self.history = self.history.copy()
                return self._travel(self.history.undo(self.network, self._sparsity), "undo")
            case Redo():
                self.history = self.history.copy()
                return self._travel(self.history.redo(self.network, self._sparsity), "redo")
            case _:
                return self._edit(command)

    def query(self, command: Query) -> Event:
        """Return the answer for the viewer who asked; raises Refusal."""
        try:
            return answers.answer(command, self.network, self.data, self.revision, library=self.record.library)
        except KanError as error:
            raise Refusal("bad_request", str(error)) from error

    # --- time

    def wait_time(self, now: float) -> float | None:
        """Return the seconds from `now` until `advance` has something to do, None while the session rests."""
        if not self.is_training:
            return None
        return 0.0 if self.steps_left else self._pace.wait(now, self.record.training.steps_per_second)

    def advance(self, seconds: float, now: float, *, clock: Callable[[], float] = time.perf_counter) -> list[Event]:
        """Train for at most `seconds` and one step more, no faster than the settings say; return the events.

        `now` is the time in seconds on the caller's monotonic clock; how far the slice has gone is read from `clock`.
        Losses come at most ten times a second, a readable formula that training changes at most once a second.
        """
        start = clock()
        events: list[Event] = []
        elapsed = 0.0
        while self.is_training and elapsed < seconds and self.wait_time(now + elapsed) == 0.0:
            events += self._step(now + elapsed)
            elapsed = clock() - start
        self._now = now + elapsed
        if self._now >= self._next_losses or not self.is_training:
            events = self._take_losses() + events
        if self.is_training and self._now >= self._next_formula:
            events += self._refresh_formula()
        return events

    def _step(self, now: float) -> list[Event]:
        before = self.network.spec
        result = self._trainer.step()
        self._last = result
        self._pace.stepped(now, self.record.training.steps_per_second)
        self.losses.add(LossPoint(step=result.step, train=result.train_rmse, test=result.test_rmse))
        # the recipe of "auto" refines the grid as it goes
        reshaped = [] if self.network.spec == before else self._restructured(result.sentence)
        return [*reshaped, *self._conclude(result)]

    def _conclude(self, result: StepResult) -> list[Event]:
        """Return what a step's outcome and sentence mean for the session's state."""
        if result.outcome is Outcome.DIVERGED:
            return self._halt("diverged", result.sentence)
        if result.outcome is Outcome.CONVERGED:
            return self._halt("converged", result.sentence or "Nothing better is in reach: training has converged.")
        if self.steps_left:
            self.steps_left -= 1
            if self.steps_left == 0:
                return self._halt("paused", result.sentence)
        # what the recipe says stands until it says something else
        is_silent = not result.sentence and self.record.training.optimizer == "auto"
        if is_silent or result.sentence == self._sentence:
            return []
        self._sentence = result.sentence
        return [StatusEvent(status=self.status)]

    def _halt(self, state: SessionState, sentence: str) -> list[Event]:
        self.steps_left = 0
        return [*self._set_state(state, sentence), *self._refresh_formula()]

    def _set_state(self, state: SessionState, sentence: str = "") -> list[Event]:
        self._state, self._sentence = state, sentence
        if state != "running":
            self._pace.rest()
        return [*(self._take_losses() if state != "running" else []), StatusEvent(status=self.status)]

    def _wake(self) -> list[Event]:
        """Train on after divergence or convergence, now that something has changed."""
        if self._state in ("diverged", "converged"):
            return self._set_state("running")
        return []

    def _take_losses(self) -> list[Event]:
        points = self.losses.take()
        self._next_losses = self._now + LOSSES_INTERVAL
        return [LossesEvent(points=points)] if points else []

    def _refresh_formula(self) -> list[Event]:
        self._next_formula = self._now + FORMULA_INTERVAL
        if not any(layer.functions for layer in self.network.layers):
            return []
        told = self._new_formula()
        if told:
            # edges carry their constants in their labels
            told.append(StructureEvent(structure=self._describe(), reason=""))
        return told

    def _new_formula(self) -> list[Event]:
        formula = views.formula(self.network, self.data)
        if formula == self._formula:
            return []
        self._formula: Formula = formula
        return [FormulaEvent(formula=formula)]

    # --- settings

    def _set_training(self, command: SetTraining) -> list[Event]:
        changes = command.change.model_dump(exclude_none=True)
        if command.unlimited_speed:
            changes["steps_per_second"] = None
        if command.full_batch:
            changes["batch_size"] = None
        if command.change.l1 is not None or command.change.entropy is not None:
            self.shelved_sparsity = None
        return [*self._retrain(changes), *self._wake()]

    def _retrain(self, changes: Mapping[str, object]) -> list[Event]:
        """Train on by changed settings."""
        self.record = replace(self.record, training=self.record.training.model_copy(update=changes))
        self._trainer.set_spec(training_spec(self.record))
        return [TrainingEvent(training=self.record.training)]

    @property
    def _sparsity(self) -> Sparsity:
        return self.record.training.l1, self.record.training.entropy

    def _weigh(self, sparsity: Sparsity | None) -> list[Event]:
        """Give the penalty these weights, unless there is nothing to change."""
        if sparsity is None or sparsity == self._sparsity:
            return []
        return self._retrain({"l1": sparsity[0], "entropy": sparsity[1]})

    # --- fresh networks

    def _reset(self, command: Reset) -> list[Event]:
        seed = self.record.seed + 1 if command.new_seed else self.record.seed
        network = fresh_network(self.record.network, self.data, seed)
        self.record = replace(self.record, seed=seed)
        return self._start_over(network, f"started again from seed {seed}")

    def _set_network(self, settings: NetworkSettings) -> list[Event]:
        network = fresh_network(settings, self.data, self.record.seed)
        self.record = replace(self.record, network=settings)
        events = self._start_over(network, f"new network {'-'.join(map(str, settings.widths))}")
        return [*events, _fresh_notice("A fresh network was started: its shape changed.")]

    def _set_data(self, command: SetData) -> list[Event]:
        record = self.record
        data = build_data(command.source, record.tables, seed=record.data_seed)
        # layers that are named anew have nothing to do with which nodes multiplied before
        kept, products = (record.network.widths[1:-1], record.network.products)
        if command.hidden is not None:
            kept, products = command.hidden, []
        widths = [data.num_inputs, *kept, data.num_outputs]
        settings = record.network.model_copy(update={"widths": widths, "products": products})
        network = fresh_network(settings, data, record.seed)
        tables = _tables_of(command.source, record.tables)
        self.record = replace(record, source=command.source, tables=tables, network=settings)
        self.data = data
        events = self._start_over(network, f"new data: {data.info.title}")
        notice = _fresh_notice(f"A fresh network was started: it now learns {data.info.title}.")
        return [DataEvent(data=data.info), *events, notice]

    def add_table(self, dataset_id: str, content: bytes) -> None:
        """Make an uploaded CSV file known, so that a later SetData can name it."""
        used = _tables_of(self.record.source, self.record.tables)
        self.record = replace(self.record, tables={**used, dataset_id: content})

    def _start_over(self, network: KAN, reason: str) -> list[Event]:
        self._trainer = Trainer(network, self.data.dataset, training_spec(self.record))
        shelved, self.shelved_sparsity = self.shelved_sparsity, None
        weighed = self._weigh(shelved)
        self.history, self.losses = History(), LossLog()
        self._last = self._measure()
        self._sentence = ""
        if self._state != "paused":
            self._state = "running"
        return [
            *self._restructured(reason, fresh=True),
            *weighed,
            HistoryEvent(history=self.history.info()),
            StatusEvent(status=self.status),
        ]

    # --- structural acts

    def _edit(self, command: edits.Edit) -> list[Event]:
        before = self.network
        network, label = edits.apply_edit(before, command, self.data.dataset.train_inputs, library=self.record.library)
        is_final_cut = isinstance(command, CutWeak) and self._sparsity != NO_SPARSITY
        self.history = self.history.copy()
        self.history.push(label, before, sparsity=self._sparsity if is_final_cut else None)
        events = self._adopt(network, label)
        return [*events, *self._end_sparsity()] if is_final_cut else events

    def _end_sparsity(self) -> list[Event]:
        """Switch the penalty off once the weak edges are cut: it would only bend the curves that are left.

        It comes back with the cut's undoing, and with the next fresh network.
        """
        self.shelved_sparsity = self._sparsity
        sentence = "The sparsity penalty has done its work and is switched off, so that the curves can settle."
        return [*self._weigh(NO_SPARSITY), NoticeEvent(level="info", code="sparsity_off", sentence=sentence)]

    def _travel(self, entry: Entry | None, verb: str) -> list[Event]:
        if entry is None:
            raise Refusal(f"nothing_to_{verb}", f"There is nothing to {verb}.")
        events = self._adopt(entry.network, f"{verb}: {entry.label}")
        if entry.sparsity is not None:
            self.shelved_sparsity = None if verb == "undo" else self._sparsity
        return [*events, *self._weigh(entry.sparsity)]

    def _adopt(self, network: KAN, reason: str) -> list[Event]:
        # a trainer of its own, so that the one from before still stands if something goes wrong
        self._trainer = copy.copy(self._trainer)
        self._trainer.replace_network(network)
        self._last = self._measure()
        if not math.isfinite(self._last.train_rmse):
            raise Refusal("not_finite", "With this change the network has no finite value on the data: choose another.")
        return [*self._restructured(reason), HistoryEvent(history=self.history.info()), *self._wake()]

    def _restructured(self, reason: str, *, fresh: bool = False) -> list[Event]:
        self.revision += 1
        event = StructureEvent(structure=self._describe(), reason=reason, fresh=fresh)
        self._next_formula = self._now + FORMULA_INTERVAL
        return [event, *self._new_formula()]

    def _describe(self) -> Structure:
        return views.structure(
            self.network,
            self.data,
            revision=self.revision,
            seed=self.record.seed,
            optimizer=self.record.training.optimizer,
        )

    def _measure(self) -> StepResult:
        """Return where the network stands without a step."""
        data = self.data.dataset
        # overflow is an answer here, not a warning
        with np.errstate(all="ignore"):
            train = rmse(self.network, data.train_inputs, data.train_targets, task=data.task)
            test = rmse(self.network, data.test_inputs, data.test_targets, task=data.task)
        return StepResult(step=self.num_steps, train_rmse=train, test_rmse=test, objective=train**2)

    # --- pictures

    def frame(self) -> Frame:
        """Return the network's picture now, always with the x grids; epoch and seq are 0."""
        curves = sample_edge_curves(self.network, num_points=NUM_POINTS)
        if self._grids is None or not np.array_equal(self._grids, curves.grids):
            self.grid_revision += self._grids is not None
            self._grids = curves.grids
        scores = edge_importance(self.network, self.data.weighed_inputs)
        importance = torch.cat([score.ravel() for score in scores]).numpy()
        return Frame(
            epoch=0,
            seq=0,
            revision=self.revision,
            grid_revision=self.grid_revision,
            step=self.num_steps,
            train_rmse=self._last.train_rmse,
            test_rmse=self._last.test_rmse,
            objective=self._last.objective,
            steps_per_second=self._pace.measure(self._now, self.num_steps) if self.is_training else 0.0,
            importance=importance.astype(np.float32),
            values=curves.values.astype(np.float32),
            grids=curves.grids.astype(np.float32),
        )

    def snapshot(self) -> SnapshotEvent:
        """Return everything a page needs; `can_edit` and `viewers` are the host's to fill."""
        return SnapshotEvent(
            session_id=self.record.session_id,
            can_edit=False,
            structure=self._describe(),
            training=self.record.training,
            data=self.data.info,
            status=self.status,
            history=self.history.info(),
            formula=self._formula,
            losses=self.losses.points,
            functions=views.own_functions(self.record.library),
        )


def _tables_of(source: DataSource, tables: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """Return the one of these uploaded tables that `source` names, if it names one."""
    used = source.dataset_id if isinstance(source, CsvSource) else None
    return {name: content for name, content in tables.items() if name == used}


def _fresh_notice(sentence: str) -> NoticeEvent:
    return NoticeEvent(level="info", code="fresh_network", sentence=sentence)
