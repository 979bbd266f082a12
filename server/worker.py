"""A worker process: it owns sessions, trains them in fair slices and talks to its host over one socket.

Bodies: CREATE a SessionRequest, RESTORE a u8 (1 to come back paused) and a checkpoint, TABLE the id's length (u8), id
and file of a table for the next CREATE or the session itself, COMMAND, SNAPSHOT and CATALOGUE a u32 token (and the
command), which ANSWER carries back in front of what was asked for. FRAME_CREDIT allows one frame. CREATE and RESTORE
are answered by OPENED with a first checkpoint, data and status going before as events, or by REFUSED with a Problem;
EVENT, FRAME and CHECKPOINT follow as they arise.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import struct
import time

import torch
from pydantic import TypeAdapter

from kan_core.errors import KanError
from server.catalogue import build_catalogue
from server.frames import encode_frame
from server.messages import (
    Ack,
    ClientCommand,
    DataEvent,
    DoneEvent,
    ErrorEvent,
    Event,
    Inspect,
    MeasureCut,
    Pause,
    Predict,
    Residuals,
    Resync,
    StatusEvent,
    Suggest,
)
from server.refusal import Refusal
from server.rest import Problem, SessionRequest
from server.session import Session
from server.wire import Kind, Packet, encode_packet, receive_packet

SLICE = 0.01
NICENESS = 10
TOKEN = struct.Struct("<I")
COMMANDS: TypeAdapter[ClientCommand] = TypeAdapter(ClientCommand)


class Hosted:
    """A session with what is due for it; times are seconds of the monotonic clock."""

    def __init__(self, session: Session, now: float) -> None:
        self.session = session
        self.credit = False
        self.dirty = True
        self.unsaved = False
        self.next_frame = now
        self.next_checkpoint = now


class Worker:
    """Serves the sessions of one process until the host closes the socket."""

    def __init__(self, connection: socket.socket, *, frame_interval: float, checkpoint_interval: float) -> None:
        self._connection = connection
        self._frame_interval = frame_interval
        self._checkpoint_interval = checkpoint_interval
        self._hosted: dict[str, Hosted] = {}
        self._tables: dict[str, dict[str, bytes]] = {}

    def serve(self) -> None:
        """Return when the host is gone."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._connection, selectors.EVENT_READ)
            while True:
                if selector.select(self._idle_time()):
                    packet = receive_packet(self._connection)
                    if packet is None:
                        return
                    self._handle(packet)
                for session_id, hosted in list(self._hosted.items()):
                    self._give_slice(session_id, hosted)

    def _idle_time(self) -> float | None:
        now = time.monotonic()
        waits = [self._wait(hosted, now) for hosted in self._hosted.values()]
        return min((wait for wait in waits if wait is not None), default=None)

    def _wait(self, hosted: Hosted, now: float) -> float | None:
        waits = [hosted.session.wait_time(now)]
        if hosted.credit and hosted.dirty:
            waits.append(max(0.0, hosted.next_frame - now))
        if hosted.unsaved:
            waits.append(max(0.0, hosted.next_checkpoint - now))
        return min((wait for wait in waits if wait is not None), default=None)

    def _give_slice(self, session_id: str, hosted: Hosted) -> None:
        session = hosted.session
        if session.wait_time(time.monotonic()) == 0.0:
            before = session.num_steps
            self._publish(session_id, session.advance(SLICE, time.monotonic(), clock=time.monotonic))
            if session.num_steps != before:
                hosted.dirty = hosted.unsaved = True
        now = time.monotonic()
        if hosted.credit and hosted.dirty and now >= hosted.next_frame:
            hosted.credit = hosted.dirty = False
            hosted.next_frame = now + self._frame_interval
            self._send(Kind.FRAME, session_id, encode_frame(session.frame()))
        if hosted.unsaved and now >= hosted.next_checkpoint:
            self._checkpoint(session_id, hosted)

    def _checkpoint(self, session_id: str, hosted: Hosted) -> None:
        hosted.unsaved = False
        hosted.next_checkpoint = time.monotonic() + self._checkpoint_interval
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
            self._hosted.pop(packet.session_id, None)
            self._tables.pop(packet.session_id, None)
        elif (hosted := self._hosted.get(packet.session_id)) is not None:
            if packet.kind is Kind.FRAME_CREDIT:
                hosted.credit = True
            else:
                self._answer(packet, hosted)

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
                session = Session.from_bytes(packet.body[1:])
                if packet.body[0] and session.is_training:
                    session.act(Pause())
            else:
                request = SessionRequest.model_validate_json(packet.body)
                session = Session.create(
                    packet.session_id, request.data, request.network, request.training, request.seed, tables
                )
        except (Refusal, KanError) as error:
            problem = Problem(code=getattr(error, "code", "bad_session"), sentence=str(error))
            self._send(Kind.REFUSED, packet.session_id, problem.model_dump_json().encode())
            return
        self._hosted[packet.session_id] = Hosted(session, time.monotonic())
        self._publish(packet.session_id, [DataEvent(data=session.data.info), StatusEvent(status=session.status)])
        self._send(Kind.OPENED, packet.session_id, TOKEN.pack(session.num_steps) + session.to_bytes())

    def _answer(self, packet: Packet, hosted: Hosted) -> None:
        token, body = packet.body[: TOKEN.size], packet.body[TOKEN.size :]
        if packet.kind is Kind.SNAPSHOT:
            hosted.dirty = True
            event: Event = hosted.session.snapshot()
        else:
            event = self._carry_out(packet.session_id, hosted, COMMANDS.validate_json(body))
        self._send(Kind.ANSWER, packet.session_id, token + event.model_dump_json().encode())

    def _carry_out(self, session_id: str, hosted: Hosted, command: ClientCommand) -> Event:
        try:
            if isinstance(command, Inspect | Suggest | MeasureCut | Predict | Residuals):
                answer = hosted.session.query(command)
                return answer.model_copy(update={"request_id": command.request_id})
            if isinstance(command, Ack | Resync):
                raise Refusal("not_for_sessions", f"{command.type!r} is for the connection, not for the session.")
            self._publish(session_id, hosted.session.act(command))
        except Refusal as refusal:
            return ErrorEvent(code=refusal.code, sentence=refusal.sentence, request_id=command.request_id)
        hosted.dirty = True
        self._checkpoint(session_id, hosted)
        return DoneEvent(request_id=command.request_id)

    def _publish(self, session_id: str, events: list[Event]) -> None:
        for event in events:
            self._send(Kind.EVENT, session_id, event.model_dump_json().encode())

    def _send(self, kind: Kind, session_id: str, body: bytes) -> None:
        self._connection.sendall(encode_packet(Packet(kind, session_id, body)))


def main(connection: socket.socket, frame_interval: float, checkpoint_interval: float) -> None:
    """Run a niced worker with one torch thread on a connected socket until the host closes it."""
    # an interrupt from the keyboard reaches the whole group; the host closes the socket when it is time
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(NICENESS)
    torch.set_num_threads(1)
    try:
        Worker(connection, frame_interval=frame_interval, checkpoint_interval=checkpoint_interval).serve()
    except ConnectionError:
        return
