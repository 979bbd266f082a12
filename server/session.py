"""One session as it lives in a worker: a state machine without processes, sockets or clocks of its own.

The worker calls `act` and `query` with a page's commands, `advance` whenever it has time, and `frame` when a page has
credit for a picture. Events come out with epoch and seq 0 and without request_id: the host fills these in.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from kan_core import KAN, StepResult
from kan_core.errors import KanError
from kan_core.starts import say_size
from server import answers, constants, edits, views
from server.course import Course
from server.frames import Frame
from server.history import Entry, History, Sparsity
from server.loss_log import LossLog
from server.messages import (
    Act,
    AddFunction,
    AnyNetworkSettings,
    CancelExplaining,
    CatalogueSource,
    CutWeak,
    DataEvent,
    DataSource,
    Discover,
    Event,
    Explain,
    ExplanationEvent,
    ExplanationInfo,
    FunctionsEvent,
    HistoryEvent,
    LongQuery,
    NetworkSettings,
    NoticeEvent,
    Pause,
    Redo,
    Refine,
    RemoveFunction,
    Reset,
    RestoreLaw,
    Run,
    SetData,
    SetNetwork,
    SetTraining,
    ShortQuery,
    SnapConstants,
    SnapshotEvent,
    StatusEvent,
    StatusInfo,
    Step,
    StructureEvent,
    Suggest,
    TrainingEvent,
    TrainingSettings,
    TryCandidate,
    Undo,
)
from server.model import AnyTrainer, Network
from server.models import fresh_network, model_of
from server.perceptron_refusals import kan_for
from server.pictures import measure
from server.refusal import Refusal
from server.renewal import Renewal, renew, tables_of
from server.session_data import SessionData, build_data
from server.session_laws import Laws
from server.session_record import SessionRecord, choosing_grids, training_spec
from server.shown import Shown, Subject
from server.works import CandidateWork, Moments, SimplifyWork, Work

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
        network: Network,
        *,
        num_steps: int = 0,
        revision: int = 1,
        history: History | None = None,
        losses: LossLog | None = None,
        laws: Laws | None = None,
    ) -> None:
        self.record = record
        self.data = data
        self.history = History() if history is None else history
        self.shelved_sparsity: Sparsity | None = None
        self.laws = Laws() if laws is None else laws
        self._moments = Moments()
        self._trainer: AnyTrainer = model_of(network).trained_by(None, data.dataset, training_spec(record))
        self._trainer.num_steps = num_steps
        self.course = Course(losses)
        self._now = 0.0
        self._last = self._measure()
        self.shown = Shown(self._subject, revision=revision)

    @classmethod
    def create(
        cls,
        session_id: str,
        source: DataSource | None = None,
        network: AnyNetworkSettings | None = None,
        training: TrainingSettings | None = None,
        seed: int = 0,
        tables: Mapping[str, bytes] | None = None,
        *,
        data_seed: int | None = None,
    ) -> Session:
        """Return a new session that trains.

        Left out, the source is exp_sin, the network has the hidden widths that suit the data and the training has its
        defaults; `tables` are the uploaded CSV files that a CsvSource may name, by dataset_id. Samples are drawn with
        `data_seed`, or `seed`. Raises Refusal with code bad_formula (its `position` set), bad_data, unknown_problem,
        unknown_dataset, bad_network, bad_widths or not_for_perceptrons.
        """
        source = CatalogueSource(name="exp_sin") if source is None else source
        tables = {} if tables is None else tables
        data_seed = seed if data_seed is None else data_seed
        data = build_data(source, tables, seed=data_seed)
        if network is None:
            network = NetworkSettings(widths=[data.num_inputs, *data.hidden, data.num_outputs])
        record = SessionRecord(
            session_id=session_id,
            source=source,
            tables=tables,
            data_seed=data_seed,
            seed=seed,
            network=network,
            training=TrainingSettings() if training is None else training,
        )
        return cls(record, data, fresh_network(network, data, seed))

    @property
    def network(self) -> Network:
        """The network as it stands; the next step changes it."""
        return self._trainer.network

    @property
    def num_steps(self) -> int:
        """How many optimizer steps were done since the network was fresh."""
        return self._trainer.num_steps

    @property
    def is_training(self) -> bool:
        """Whether there are training steps to do, if only after a search for laws in the network."""
        return self.course.is_running

    @property
    def revision(self) -> int:
        """How often the structure changed, counted from 1."""
        return self.shown.revision

    @property
    def losses(self) -> LossLog:
        """The losses since the network was fresh."""
        return self.course.losses

    @property
    def is_busy(self) -> bool:
        """Whether `advance` has something to compute."""
        return self.is_training or self.laws.takes_turns

    @property
    def status(self) -> StatusInfo:
        """Whether the session trains, and a sentence if something needs saying."""
        if self.laws.takes_turns:
            return StatusInfo(state="paused", step=self.num_steps, sentence=training_rests(goes_on=self.is_training))
        return self.training_status

    @property
    def training_status(self) -> StatusInfo:
        """The status as it is once no search for laws is at work."""
        return self.course.status(self.num_steps)

    def resume(self, status: StatusInfo, *, steps_left: int = 0) -> None:
        """Take up the state of a checkpoint."""
        self.course.resume(status, steps_left=steps_left)

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
        # what they own is replaced, never changed, so that what they were is still there
        self.laws, self.course, self.shown = self.laws.copy(), self.course.copy(), self.shown.copy()
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
                self.course.run()
                return [StatusEvent(status=self.status)]
            case Pause():
                self.course.halt("paused", "")
                return self._stopped()
            case Step():
                self.course.run(command.count)
                return [StatusEvent(status=self.status)]
            case SetTraining():
                return self._set_training(command)
            case Reset() | SetNetwork() | SetData():
                return self._renew(command)
            case Explain():
                self.laws.explain(kan_for(command, self.network), self.data, self.record, step=self.num_steps)
                self.course.pace.rest()
                return [self._tell_laws(), *self.course.take_losses(self._now), StatusEvent(status=self.status)]
            case Discover():
                self.laws.discover(self.data, self.record, seconds=command.seconds, step=self.num_steps)
                return [self._tell_laws()]
            case CancelExplaining():
                self.laws.cancel()
                return [self._tell_laws(), StatusEvent(status=self.status)]
            case RestoreLaw():
                return self._restore_law(command.id)
            case AddFunction() | RemoveFunction():
                self.record = replace(self.record, library=edits.change_library(self.record.library, command))
                return [FunctionsEvent(functions=views.own_functions(self.record.library))]
            case Undo():
                self.history = self.history.copy()
                return self._travel(self.history.undo(self._now_entry()), "undo")
            case Redo():
                self.history = self.history.copy()
                return self._travel(self.history.redo(self._now_entry()), "redo")
            case _:
                return self._edit(command)

    def query(self, command: ShortQuery) -> Event:
        """Return the answer for the viewer who asked; raises Refusal."""
        if isinstance(command, Suggest):
            self._moments.keep(kan_for(command, self.network), revision=self.revision, step=self.num_steps)
        try:
            return answers.answer(
                command,
                self.network,
                self.data,
                revision=self.revision,
                step=self.num_steps,
                library=self.record.library,
            )
        except KanError as error:
            raise Refusal("bad_request", str(error)) from error

    def begin(self, command: LongQuery) -> Work:
        """Return the work that makes the answer for the viewer who asked; raises Refusal or KanError."""
        if isinstance(command, TryCandidate):
            kan_for(command, self.network)
            network = self._moments.find(revision=command.revision, step=command.step)
            return CandidateWork(command, network, self.data, self.record.library)
        return SimplifyWork(
            command, kan_for(command, self.network), self.data, revision=self.revision, step=self.num_steps
        )

    def close(self) -> None:
        """End what is under way beside training; closing twice is harmless."""
        self.laws.close()

    # --- time

    def wait_time(self, now: float) -> float | None:
        """Return the seconds from `now` until `advance` has something to do, None while the session rests."""
        waits = [self.laws.wait()]
        if not self.laws.takes_turns:
            waits.append(self._training_wait(now))
        return min((wait for wait in waits if wait is not None), default=None)

    def _training_wait(self, now: float) -> float | None:
        return self.course.wait(now, self.record.training.steps_per_second)

    def advance(self, seconds: float, now: float, *, clock: Callable[[], float] = time.perf_counter) -> list[Event]:
        """Train for at most `seconds` and one step more, no faster than the settings say; return the events.

        A search for laws in the network takes the place of training; one beside this process is looked at.

        `now` is the time in seconds on the caller's monotonic clock; how far the slice has gone is read from `clock`.
        Losses come at most ten times a second, a readable formula that training changes at most once a second.
        """
        if self.laws.takes_turns:
            return self._search_on(seconds, now, clock)
        events = self._search_on(0.0, now, clock) if self.laws.wait() == 0.0 else []
        start = clock()
        elapsed = 0.0
        while self.is_training and elapsed < seconds and self._training_wait(now + elapsed) == 0.0:
            events += self._step(now + elapsed)
            elapsed = clock() - start
        self._now = now + elapsed
        if self.course.are_losses_due(self._now):
            events = self.course.take_losses(self._now) + events
        if self.is_training and self.shown.is_formula_due(self._now):
            events += self.shown.refresh_formula(self._subject, now=self._now)
        return events

    def _search_on(self, seconds: float, now: float, clock: Callable[[], float]) -> list[Event]:
        """Search for laws for at most `seconds` and one piece more; how that stands is told five times a second."""
        takes_turns = self.laws.takes_turns
        told = self.laws.advance(seconds, now, clock, trains_after=self.is_training)
        self._now = now
        # training goes on where it rested
        return [*told, StatusEvent(status=self.status)] if takes_turns and not self.laws.is_searching else told

    def _step(self, now: float) -> list[Event]:
        start = time.thread_time()
        result = self._trainer.step()
        took = time.thread_time() - start
        self._last = result
        self.course.stepped(result, now=now, steps_per_second=self.record.training.steps_per_second, took=took)
        # the recipe of "auto" refines the grid as it goes, and goes from one start to the next
        is_reshaped = self.shown.is_reshaped(self.network)
        events = self._restructured(result.sentence) if is_reshaped else []
        if self.course.conclude(result, is_recipe=self.record.training.optimizer == "auto"):
            events += [StatusEvent(status=self.status)] if self.is_training else self._stopped()
        return events

    def _stopped(self) -> list[Event]:
        """Return what there is to tell once training has stopped."""
        told = [*self.course.take_losses(self._now), StatusEvent(status=self.status)]
        return [*told, *self.shown.refresh_formula(self._subject, now=self._now)]

    def _wake(self) -> list[Event]:
        """Train on after divergence or convergence, now that something has changed."""
        return [StatusEvent(status=self.status)] if self.course.wake() else []

    def _start_recipe(self, how: str) -> list[Event]:
        """Say that the recipe starts again and let it, unless the session is paused."""
        self.course.start_recipe(how)
        told = [] if self.is_training else self.course.take_losses(self._now)
        return [*told, StatusEvent(status=self.status)]

    # --- settings

    def _set_training(self, command: SetTraining) -> list[Event]:
        changes = command.change.model_dump(exclude_none=True)
        model_of(self.network).check_penalty(command.change.l1 or 0.0, command.change.entropy or 0.0)
        if command.unlimited_speed:
            changes["steps_per_second"] = None
        if command.full_batch:
            changes["batch_size"] = None
        if command.change.l1 is not None or command.change.entropy is not None:
            self.shelved_sparsity = None
        before = self.record.training.optimizer
        begins_anew = self._retrain(changes)
        events: list[Event] = [TrainingEvent(training=self.record.training)]
        if self.record.training.optimizer != before:
            self.course.forget()
            # what training takes is part of the structure
            return [*events, StructureEvent(structure=self.shown.structure(self._subject), reason=""), *self._wake()]
        if before != "auto":
            return [*events, *self._wake()]
        # what the recipe does not use leaves it where it is
        return [*events, *(self._start_recipe("with the new settings") if begins_anew else [])]

    def _retrain(self, changes: Mapping[str, object]) -> bool:
        """Train on by changed settings and return whether the optimizer begins anew; a new one chooses its grids."""
        before, self.record = (
            self.record,
            replace(self.record, training=self.record.training.model_copy(update=changes)),
        )
        if self.record.training.optimizer != before.training.optimizer:
            self.record = choosing_grids(self.record)
        return self._trainer.set_spec(training_spec(self.record))

    @property
    def _sparsity(self) -> Sparsity:
        return self.record.training.l1, self.record.training.entropy

    def _weigh(self, sparsity: Sparsity | None) -> list[Event]:
        """Give the penalty these weights, unless there is nothing to change."""
        if sparsity is None or sparsity == self._sparsity:
            return []
        self._retrain({"l1": sparsity[0], "entropy": sparsity[1]})
        return [TrainingEvent(training=self.record.training)]

    # --- fresh networks

    def _renew(self, command: Renewal) -> list[Event]:
        renewed = renew(self.record, self.data, command)
        has_other_data, before = renewed.data is not self.data, self.record.training
        self.record, self.data = renewed.record, renewed.data
        retrained = self.record.training != before
        events = self._start_over(renewed.network, renewed.reason, has_other_data=has_other_data)
        if retrained:
            events.append(TrainingEvent(training=self.record.training))
        if has_other_data:
            events.insert(0, DataEvent(data=self.data.info))
        if renewed.sentence:
            events.append(NoticeEvent(level="info", code="fresh_network", sentence=renewed.sentence))
        return events

    def add_table(self, dataset_id: str, content: bytes) -> None:
        """Make an uploaded CSV file known, so that a later SetData can name it."""
        used = tables_of(self.record.source, self.record.tables)
        self.record = replace(self.record, tables={**used, dataset_id: content})

    def _start_over(self, network: Network, reason: str, *, has_other_data: bool) -> list[Event]:
        self._trainer = model_of(network).trained_by(None, self.data.dataset, training_spec(self.record))
        shelved, self.shelved_sparsity = self.shelved_sparsity, None
        weighed = self._weigh(shelved)
        self.history = History()
        self._last = self._measure()
        self.course.begin_anew()
        return [
            *self._restructured(reason, fresh=True),
            *([self._tell_laws()] if self.laws.forget(has_other_data=has_other_data) else []),
            *weighed,
            HistoryEvent(history=self.history.info()),
            StatusEvent(status=self.status),
        ]

    # --- laws

    @property
    def explanation(self) -> ExplanationInfo | None:
        """How the search for laws stands, None when there was none."""
        return self.laws.info(trains_after=self.is_training)

    def _tell_laws(self) -> Event:
        return ExplanationEvent(explanation=self.explanation)

    def _restore_law(self, law_id: int) -> list[Event]:
        network, label = self.laws.network_of(law_id), f"law {law_id} of the search"
        self.history = self.history.copy()
        before, is_penalised = self._now_entry(), self._sparsity != NO_SPARSITY
        self.history.push(replace(before, label=label, sparsity=before.sparsity if is_penalised else None))
        events = self._adopt(network, label)
        sentence = "The sparsity penalty is switched off, as it would pull the law away from the data."
        return [*events, *self._end_sparsity(sentence)] if is_penalised else events

    # --- structural acts

    def _edit(self, command: edits.Edit | constants.ConstantAct) -> list[Event]:
        is_auto = self.record.training.optimizer == "auto"
        if is_auto and isinstance(command, Refine) and self.course.state != "converged":
            raise Refusal(
                "auto_at_work",
                f"Auto chooses the grid itself while it is at work, received grid_size={command.grid_size}: choose "
                "another optimizer to refine by hand, or wait until it is done.",
            )
        kan, before, record = kan_for(command, self.network), self._now_entry(), self.record
        inputs = self.data.dataset.train_inputs
        told: list[Event] = []
        if isinstance(command, constants.ConstantAct):
            network, label, told = self._edit_constants(kan, command)
        else:
            network, label = edits.apply_edit(kan, command, inputs, library=record.library)
        is_final_cut = isinstance(command, CutWeak) and self._sparsity != NO_SPARSITY
        self.history = self.history.copy()
        self.history.push(replace(before, label=label, sparsity=before.sparsity if is_final_cut else None))
        if is_auto and isinstance(command, Refine):
            self.record = replace(self.record, chosen_grid=command.grid_size)
            return self._adopt(network, label, how=f"on {say_size(network)}, the grid chosen by hand")
        events = [*self._adopt(network, label), *told]
        sentence = "The sparsity penalty has done its work and is switched off, so that the curves can settle."
        return [*events, *self._end_sparsity(sentence)] if is_final_cut else events

    def _edit_constants(self, network: KAN, command: constants.ConstantAct) -> tuple[KAN, str, list[Event]]:
        edge = None if isinstance(command, SnapConstants) else edits.find_edge(network, command.edge)
        edited, label, sentence = constants.apply_constant_act(network, command, edge, self.data.dataset)
        if not sentence:
            return edited, label, []
        return edited, label, [NoticeEvent(level="info", code="constants_snapped", sentence=sentence)]

    def _now_entry(self) -> Entry:
        """Return how things stand, for the history."""
        return Entry("", self.network, self._sparsity, self.record.chosen_grid)

    def _end_sparsity(self, sentence: str) -> list[Event]:
        """Switch the penalty off and say so: once weak edges are cut it would only bend what is left.

        It comes back with the undoing of the act, and with the next fresh network.
        """
        self.shelved_sparsity = self._sparsity
        return [*self._weigh(NO_SPARSITY), NoticeEvent(level="info", code="sparsity_off", sentence=sentence)]

    def _travel(self, entry: Entry | None, verb: str) -> list[Event]:
        if entry is None:
            raise Refusal(f"nothing_to_{verb}", f"There is nothing to {verb}.")
        self.record = replace(self.record, chosen_grid=entry.chosen_grid)
        events = self._adopt(entry.network, f"{verb}: {entry.label}")
        if entry.sparsity is not None:
            self.shelved_sparsity = None if verb == "undo" else self._sparsity
        return [*events, *self._weigh(entry.sparsity)]

    def _adopt(self, network: Network, reason: str, *, how: str = "from the edited network") -> list[Event]:
        """Train this network on; `how` says so of a recipe, which starts again with it."""
        # a trainer of its own, so that the one from before still stands if something goes wrong
        self._trainer = model_of(network).trained_by(self._trainer, self.data.dataset, training_spec(self.record))
        self._last = self._measure()
        if not math.isfinite(self._last.train_rmse):
            raise Refusal("not_finite", "With this change the network has no finite value on the data: choose another.")
        restarts = self._start_recipe(how) if self.record.training.optimizer == "auto" else self._wake()
        return [*self._restructured(reason), HistoryEvent(history=self.history.info()), *restarts]

    def _restructured(self, reason: str, *, fresh: bool = False) -> list[Event]:
        return self.shown.restructure(self._subject, reason, now=self._now, fresh=fresh)

    @property
    def _subject(self) -> Subject:
        return Subject(self.network, self.data, self.record)

    def _measure(self) -> StepResult:
        return measure(self.network, self.data, step=self.num_steps)

    # --- pictures

    def frame(self) -> Frame:
        """Return the network's picture now, always with the x grids; epoch and seq are 0."""
        speed = self.course.pace.measure(self._now, self.num_steps) if self.is_training else 0.0
        return self.shown.paint(self._subject, self._last, steps_per_second=speed, seconds=self.course.seconds)

    def snapshot(self) -> SnapshotEvent:
        """Return everything a page needs; `can_edit` and `viewers` are the host's to fill."""
        return SnapshotEvent(
            session_id=self.record.session_id,
            can_edit=False,
            structure=self.shown.structure(self._subject),
            training=self.record.training,
            data=self.data.info,
            status=self.status,
            history=self.history.info(),
            formula=self.shown.formula,
            losses=self.losses.points,
            functions=views.own_functions(self.record.library),
            explanation=self.explanation,
        )


def training_rests(*, goes_on: bool) -> str:
    """Return the sentence that says why there are no steps while laws are searched for."""
    return f"Training rests while the network is explained{', and goes on afterwards' if goes_on else ''}."
