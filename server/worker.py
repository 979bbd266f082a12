"""A worker process: it owns sessions, trains them in fair slices and talks to its host over one socket.

Bodies: CREATE a SessionRequest, RESTORE a u8 (1 to come back paused) and a checkpoint, TABLE the id's length (u8), id
and file of a table for the next CREATE or the session itself, COMMAND, SNAPSHOT and CATALOGUE a u32 token (and the
command), which ANSWER carries back in front of what was asked for. FRAME_CREDIT allows one frame. CREATE and RESTORE
are answered by OPENED with a first checkpoint, data and status going before as events, or by REFUSED with a Problem;
EVENT, FRAME and CHECKPOINT follow as they arise. Acts and snapshots are answered at once,
queries when their turn comes, and those that take long once they are done.
"""

from __future__ import annotations

import logging
import os
import selectors
import signal
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import replace

import torch
from pydantic import TypeAdapter, ValidationError
from threadpoolctl import threadpool_limits

from kan_core.errors import KanError
from server.catalogue import build_catalogue
from server.complaints import describe_invalid
from server.frames import encode_frame
from server.messages import (
    Ack,
    ClientCommand,
    DataEvent,
    Discover,
    DoneEvent,
    EdgeRef,
    ErrorEvent,
    Event,
    ExplanationEvent,
    LongQuery,
    Pause,
    Resync,
    ShortQuery,
    StatusEvent,
    StatusInfo,
    Step,
    Suggest,
)
from server.query_line import Asked, QueryLine
from server.refusal import Refusal
from server.rest import Problem, SessionRequest
from server.session import Session
from server.wire import Kind, Packet, encode_packet, receive_packet
from server.work_line import Working, WorkLine, guarded

SLICE = 0.01
MAX_PACKETS = 16
MAX_QUERIES = 64
MAX_WORKS = 16
MAX_PROCESSES = 2
MAX_DISCOVERIES = 2
LAST_SECONDS = 3
NICENESS = 10
TOKEN = struct.Struct("<I")
UNEXPECTED = "Something unexpected went wrong here; the session is paused: undo the last act, or run on."
log = logging.getLogger(__name__)
COMMANDS: TypeAdapter[ClientCommand] = TypeAdapter(ClientCommand)


class Hosted:
    """A session with what is due for it; times are seconds of the monotonic clock.

    It has no turn before `next_turn`, while it makes up for a turn that took longer than its share.
    """

    def __init__(self, session: Session, now: float) -> None:
        self.session = session
        self.credit = False
        self.dirty = True
        self.unsaved = False
        self.next_turn = now
        self.next_frame = now
        self.next_checkpoint = now


class Worker:
    """Serves the sessions of one process until the host closes the socket; `clock` is monotonic, in seconds."""

    def __init__(
        self,
        connection: socket.socket,
        *,
        frame_interval: float,
        checkpoint_interval: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection = connection
        self._frame_interval = frame_interval
        self._checkpoint_interval = checkpoint_interval
        self._clock = clock
        self._hosted: dict[str, Hosted] = {}
        self._tables: dict[str, dict[str, bytes]] = {}
        self._queries = QueryLine(MAX_QUERIES)
        self._works = WorkLine(MAX_WORKS, max_processes=MAX_PROCESSES)

    def greet(self) -> None:
        """Handle the host's first packet, which asks for the catalogue: pages' menus need not wait for a warm-up."""
        packet = receive_packet(self._connection)
        if packet is not None:
            self._handle(packet)

    def serve(self) -> None:
        """Return when the host has closed its side, after a last checkpoint of every session."""
        try:
            self._serve()
        finally:
            self._works.leave()
            for hosted in self._hosted.values():
                hosted.session.close()

    def _serve(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._connection, selectors.EVENT_READ)
            while self._rest(selector):
                for session_id, hosted in list(self._hosted.items()):
                    if session_id in self._hosted:
                        self._give_slice(session_id, hosted)
                    if not self._receive(selector):
                        return
                self._answer_query()
                self._advance_work()

    def _rest(self, selector: selectors.BaseSelector) -> bool:
        """Wait until something is to be done, handle what came and return whether the host is still there."""
        start = self._clock()
        selector.select(self._idle_time())
        self._queries.give_back(self._clock() - start)
        return self._receive(selector)

    def _receive(self, selector: selectors.BaseSelector) -> bool:
        """Handle what waits, at most 16 packets; return whether the host is still there."""
        for _ in range(MAX_PACKETS):
            if not selector.select(0.0):
                return True
            packet = receive_packet(self._connection)
            if packet is None:
                self._save_all()
                return False
            self._handle(packet)
        return True

    def _idle_time(self) -> float | None:
        now = self._clock()
        waits = [self._wait(hosted, now) for hosted in self._hosted.values()]
        waits.append(self._queries.wait(is_training=self._is_training()))
        waits.append(self._works.wait(now))
        return min((wait for wait in waits if wait is not None), default=None)

    def _is_training(self) -> bool:
        return any(hosted.session.is_busy for hosted in self._hosted.values())

    def _wait(self, hosted: Hosted, now: float) -> float | None:
        waits = [self._turn_wait(hosted, now)]
        if hosted.credit and hosted.dirty:
            waits.append(max(0.0, hosted.next_frame - now))
        if hosted.unsaved:
            waits.append(max(0.0, hosted.next_checkpoint - now))
        return min((wait for wait in waits if wait is not None), default=None)

    def _turn_wait(self, hosted: Hosted, now: float) -> float | None:
        """Return the seconds until the session is to be advanced, None while it rests."""
        wait = hosted.session.wait_time(now)
        return None if wait is None else max(wait, hosted.next_turn - now)

    def _give_slice(self, session_id: str, hosted: Hosted) -> None:
        start = self._clock()
        try:
            self._serve_session(session_id, hosted)
        except ConnectionError:
            raise
        except Exception:
            # a fault of one session must not take the others of this process with it
            log.exception("session %s is paused after an unexpected error", session_id)
            self._suspend(session_id, hosted)
        self._queries.give_back(self._clock() - start)

    def _suspend(self, session_id: str, hosted: Hosted) -> ErrorEvent:
        """Pause a session in which something went wrong that nobody foresaw, and say so."""
        status = StatusInfo(state="paused", step=hosted.session.num_steps, sentence=UNEXPECTED)
        hosted.session.close()
        hosted.session.resume(status)
        hosted.dirty = hosted.unsaved = False
        event = ErrorEvent(code="unexpected", sentence=UNEXPECTED)
        explanation = hosted.session.explanation
        told = [] if explanation is None else [ExplanationEvent(explanation=explanation)]
        self._publish(session_id, [*told, StatusEvent(status=status)])
        return event

    def _serve_session(self, session_id: str, hosted: Hosted) -> None:
        session = hosted.session
        start = self._clock()
        if self._turn_wait(hosted, start) == 0.0:
            before, laws = session.num_steps, session.laws.last_id
            self._publish(session_id, session.advance(SLICE, start, clock=self._clock))
            if session.laws.is_searching:
                # a piece of a search may take many slices: every other session that is busy gets as much time
                took, others = self._clock() - start, sum(one.session.is_busy for one in self._hosted.values()) - 1
                hosted.next_turn = self._clock() + max(0.0, took - SLICE) * others
            if session.num_steps != before:
                hosted.dirty = hosted.unsaved = True
            hosted.unsaved = hosted.unsaved or session.laws.last_id != laws
        now = self._clock()
        if hosted.credit and hosted.dirty and now >= hosted.next_frame:
            hosted.credit = hosted.dirty = False
            hosted.next_frame = now + self._frame_interval
            self._send(
                Kind.FRAME, session_id, encode_frame(replace(session.frame(), sampled_ms=time.time_ns() // 1_000_000))
            )
        if hosted.unsaved and now >= hosted.next_checkpoint:
            self._checkpoint(session_id, hosted)

    def _save_all(self) -> None:
        for session_id, hosted in self._hosted.items():
            if hosted.unsaved:
                self._checkpoint(session_id, hosted)

    def _checkpoint(self, session_id: str, hosted: Hosted) -> None:
        hosted.unsaved = False
        hosted.next_checkpoint = self._clock() + self._checkpoint_interval
        step = TOKEN.pack(hosted.session.num_steps)
        self._send(Kind.CHECKPOINT, session_id, step + hosted.session.to_bytes())

    def _handle(self, packet: Packet) -> None:
        if packet.kind is Kind.TABLE:
            self._add_table(packet)
        elif packet.kind is Kind.CATALOGUE:
            self._send(Kind.ANSWER, "", packet.body + build_catalogue().model_dump_json().encode())
        elif packet.kind in (Kind.CREATE, Kind.RESTORE):
            self._open(packet)
        elif packet.kind is Kind.CLOSE:
            self._close(packet.session_id)
        elif packet.kind is Kind.FRAME_CREDIT:
            if packet.session_id in self._hosted:
                self._hosted[packet.session_id].credit = True
        else:
            self._take_question(packet)

    def _add_table(self, packet: Packet) -> None:
        end = 1 + packet.body[0]
        dataset_id, content = packet.body[1:end].decode("ascii"), packet.body[end:]
        hosted = self._hosted.get(packet.session_id)
        if hosted is None:
            self._tables.setdefault(packet.session_id, {})[dataset_id] = content
        else:
            hosted.session.add_table(dataset_id, content)

    def _open(self, packet: Packet) -> None:
        tables = self._tables.pop(packet.session_id, None)
        try:
            if packet.kind is Kind.RESTORE:
                session = Session.from_bytes(packet.body[1:], tables)
                if packet.body[0] and session.is_training:
                    session.act(Pause())
            else:
                request = SessionRequest.model_validate_json(packet.body)
                session = Session.create(
                    packet.session_id,
                    request.data,
                    request.network,
                    request.training,
                    request.seed,
                    tables,
                    data_seed=request.data_seed,
                )
                if request.paused:
                    session.act(Pause())
        except Refusal as refusal:
            self._refuse(packet, Problem(code=refusal.code, sentence=refusal.sentence, position=refusal.position))
            return
        except KanError as error:
            self._refuse(packet, Problem(code="bad_session", sentence=str(error)))
            return
        except Exception:
            log.exception("session %s could not be opened", packet.session_id)
            self._refuse(
                packet, Problem(code="unexpected", sentence="Something unexpected went wrong: try other data.")
            )
            return
        self._hosted[packet.session_id] = Hosted(session, self._clock())
        self._publish(packet.session_id, [DataEvent(data=session.data.info), StatusEvent(status=session.status)])
        self._send(Kind.OPENED, packet.session_id, TOKEN.pack(session.num_steps) + session.to_bytes())

    def _refuse(self, packet: Packet, problem: Problem) -> None:
        self._send(Kind.REFUSED, packet.session_id, problem.model_dump_json().encode())

    def _close(self, session_id: str) -> None:
        hosted = self._hosted.pop(session_id, None)
        if hosted is not None:
            hosted.session.close()
        self._tables.pop(session_id, None)
        for asked in self._queries.leave(session_id):
            self._answer(session_id, asked.token, _closed(session_id, asked.query.request_id))
        for working in self._works.leave(session_id):
            self._answer(session_id, working.token, _closed(session_id, working.request_id))

    # --- answers: each question that came has exactly one

    def _answer(self, session_id: str, token: bytes, event: Event) -> None:
        self._send(Kind.ANSWER, session_id, token + event.model_dump_json().encode())

    def _take_question(self, packet: Packet) -> None:
        """Answer an act or a snapshot at once; let a query wait for its turn."""
        session_id, token, body = packet.session_id, packet.body[: TOKEN.size], packet.body[TOKEN.size :]
        hosted = self._hosted.get(session_id)
        try:
            command = COMMANDS.validate_json(body) if packet.kind is Kind.COMMAND else None
        except ValidationError as error:
            self._answer(session_id, token, ErrorEvent(code="bad_message", sentence=describe_invalid(error.errors())))
            return
        if hosted is None:
            self._answer(session_id, token, _closed(session_id, None if command is None else command.request_id))
        elif isinstance(command, LongQuery):
            self._begin_work(session_id, hosted, token, command)
        elif not isinstance(command, ShortQuery):
            self._answer(session_id, token, self._find_answer(session_id, hosted, command))
        elif not self._queries.put(Asked(session_id, token, command)):
            sentence = f"{MAX_QUERIES} questions wait for their answers here, all there is room for: ask again later."
            self._answer(session_id, token, ErrorEvent(code="busy", sentence=sentence, request_id=command.request_id))

    def _answer_query(self) -> None:
        """Answer the next query if its turn has come."""
        if self._queries.wait(is_training=self._is_training()) != 0.0:
            return
        asked = self._queries.take()
        start = self._clock()
        answer = self._find_answer(asked.session_id, self._hosted[asked.session_id], asked.query)
        self._queries.spend(self._clock() - start)
        self._answer(asked.session_id, asked.token, answer)

    def _begin_work(self, session_id: str, hosted: Hosted, token: bytes, command: LongQuery) -> None:
        """Let a long query have its turns, or answer why not."""
        work = guarded(lambda: hosted.session.begin(command))
        if isinstance(work, ErrorEvent):
            self._answer(session_id, token, work.model_copy(update={"request_id": command.request_id}))
        elif not self._works.put(Working(session_id, token, command.request_id, work)):
            sentence = f"{MAX_WORKS} long questions are being answered here, all there is room for: ask again later."
            self._answer(session_id, token, ErrorEvent(code="busy", sentence=sentence, request_id=command.request_id))

    def _advance_work(self) -> None:
        """Give a slice to the long query whose turn it is, and answer it when that is done."""
        made = self._works.advance(SLICE, self._clock)
        if made is not None:
            working, event = made
            self._answer(working.session_id, working.token, event)

    def _find_answer(self, session_id: str, hosted: Hosted, command: ClientCommand | None) -> Event:
        """Return the answer to a command, or to the wish for a snapshot when there is none."""
        try:
            if command is None:
                hosted.dirty = True
                return hosted.session.snapshot()
            return self._carry_out(session_id, hosted, command)
        except ConnectionError:
            raise
        except Exception:
            log.exception("session %s is paused after an unexpected error", session_id)
            event = self._suspend(session_id, hosted)
            return event if command is None else event.model_copy(update={"request_id": command.request_id})

    def _carry_out(self, session_id: str, hosted: Hosted, command: ClientCommand) -> Event:
        try:
            if isinstance(command, ShortQuery):
                answer = hosted.session.query(command)
                return answer.model_copy(update={"request_id": command.request_id})
            if isinstance(command, Ack | Resync | LongQuery):
                raise Refusal("not_for_sessions", f"{command.type!r} is for the connection, not for the session.")
            if isinstance(command, Discover):
                self._check_discoveries(hosted)
            self._publish(session_id, hosted.session.act(command))
        except Refusal as refusal:
            return ErrorEvent(code=refusal.code, sentence=refusal.sentence, request_id=command.request_id)
        hosted.dirty = True
        self._checkpoint(session_id, hosted)
        return DoneEvent(request_id=command.request_id)

    def _check_discoveries(self, asking: Hosted) -> None:
        """Raise Refusal with code busy when other sessions have all the discoveries that there is room for."""
        others = sum(one.session.laws.is_beside for one in self._hosted.values() if one is not asking)
        if others >= MAX_DISCOVERIES:
            raise Refusal(
                "busy",
                f"{others} other sessions discover laws here now, all there is room for: wait some minutes, or explain "
                "the network.",
            )

    def _publish(self, session_id: str, events: list[Event]) -> None:
        for event in events:
            self._send(Kind.EVENT, session_id, event.model_dump_json().encode())

    def _send(self, kind: Kind, session_id: str, body: bytes) -> None:
        self._connection.sendall(encode_packet(Packet(kind, session_id, body)))


def _closed(session_id: str, request_id: int | None) -> ErrorEvent:
    sentence = f"The session {session_id!r} was closed: open it again."
    return ErrorEvent(code="closed", sentence=sentence, request_id=request_id)


def warm_up() -> None:
    """Load what a first session needs (compiled kernels above all), so that the first page need not wait for it."""
    session = Session.create("warm-up")
    session.advance(0.0, 0.0)
    session.act(Step())
    session.advance(1.0, 0.0)
    session.frame()
    session.query(Suggest(edge=EdgeRef(layer=0, source=0, target=0)))
    session.to_bytes()


def limit_threads() -> None:
    """Let torch, NumPy and SciPy use one thread each in this process.

    Small matrices gain nothing from more: threads that wait for each other spin, and take the cores from other workers.
    """
    torch.set_num_threads(1)
    threadpool_limits(1)


def _end_soon(_number: int, _frame: object) -> None:
    signal.alarm(LAST_SECONDS)


def main(connection: socket.socket, frame_interval: float, checkpoint_interval: float) -> None:
    """Run a niced worker with one thread for torch and NumPy on a connected socket until the host closes it.

    Signals that end a whole group of processes are the host's to act on; it then closes the socket. Should it not, the
    worker ends three seconds after being asked to.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end_soon)
    limit_threads()
    worker = Worker(connection, frame_interval=frame_interval, checkpoint_interval=checkpoint_interval)
    try:
        worker.greet()
        os.nice(NICENESS)
        warm_up()
        worker.serve()
    except ConnectionError:
        return
