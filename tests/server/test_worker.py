"""A real worker process over a real socket."""

from __future__ import annotations

import multiprocessing
import socket
import struct
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from pydantic import TypeAdapter
from threadpoolctl import threadpool_info, threadpool_limits

from server.messages import DoneEvent, ErrorEvent, Event, ServerEvent, SnapshotEvent, StatusInfo
from server.session import Session
from server.wire import Kind, Packet, encode_packet, receive_packet
from server.worker import Worker, limit_threads, main

pytestmark = pytest.mark.slow
EVENTS: TypeAdapter[ServerEvent] = TypeAdapter(ServerEvent)


class Host:
    """The host's end of one worker."""

    def __init__(self, *, checkpoint_interval: float = 0.0) -> None:
        context = multiprocessing.get_context("spawn")
        self.socket, theirs = socket.socketpair()
        self.socket.settimeout(60)
        self.process = context.Process(target=main, args=(theirs, 0.0, checkpoint_interval), daemon=True)
        self.process.start()
        theirs.close()

    def send(self, kind: Kind, body: bytes = b"", *, session_id: str = "s") -> None:
        self.socket.sendall(encode_packet(Packet(kind, session_id, body)))

    def receive(self, kind: Kind) -> bytes:
        while (packet := receive_packet(self.socket)) is not None:
            if packet.kind is kind:
                return packet.body
        raise AssertionError(f"the worker ended before it sent {kind.name}")

    def ask(self, command: bytes) -> ServerEvent:
        self.send(Kind.COMMAND, struct.pack("<I", 7) + command)
        body = self.receive(Kind.ANSWER)
        assert body[:4] == struct.pack("<I", 7)
        return EVENTS.validate_json(body[4:])

    def snapshot(self) -> SnapshotEvent:
        self.send(Kind.SNAPSHOT, struct.pack("<I", 1))
        event = EVENTS.validate_json(self.receive(Kind.ANSWER)[4:])
        assert isinstance(event, SnapshotEvent)
        return event


@contextmanager
def run_host(*, checkpoint_interval: float = 0.0) -> Generator[Host]:
    """Yield a host, and see to it that its worker ends without complaint."""
    host = Host(checkpoint_interval=checkpoint_interval)
    yield host
    host.socket.close()
    host.process.join(10)
    assert host.process.exitcode == 0


@pytest.fixture
def host() -> Generator[Host]:
    with run_host() as running:
        yield running


def test_a_session_trains_sends_frames_on_credit_and_answers(host: Host) -> None:
    host.send(Kind.CREATE, b"{}")
    host.receive(Kind.OPENED)
    host.send(Kind.FRAME_CREDIT)
    first = host.receive(Kind.FRAME)
    host.send(Kind.FRAME_CREDIT)
    assert first[24:28] < host.receive(Kind.FRAME)[24:28]
    assert host.ask(b'{"type":"pause","request_id":3}') == DoneEvent(request_id=3)
    refused = host.ask(b'{"type":"undo","request_id":4}')
    assert isinstance(refused, ErrorEvent)
    assert refused.request_id == 4


def test_a_session_goes_on_from_its_checkpoint(host: Host) -> None:
    host.send(Kind.CREATE, b"{}")
    host.receive(Kind.OPENED)
    host.ask(b'{"type":"pause"}')
    host.ask(b'{"type":"step","count":1}')
    checkpoint = host.receive(Kind.CHECKPOINT)
    before = host.snapshot()
    assert before.status.step >= 1
    host.send(Kind.CLOSE)
    host.send(Kind.RESTORE, b"\0" + checkpoint[4:])
    assert host.receive(Kind.OPENED)[:4] == checkpoint[:4]
    after = host.snapshot()
    # a live session writes its formula anew at a pace, a restored one at once
    assert after.model_copy(update={"formula": before.formula}) == before


def test_a_bad_request_is_refused_by_name(host: Host) -> None:
    host.send(Kind.CREATE, b'{"data":{"kind":"catalogue","name":"none"}}')
    assert b'"code":"unknown_problem"' in host.receive(Kind.REFUSED)


def test_the_end_of_the_host_is_answered_by_a_last_checkpoint() -> None:
    with run_host(checkpoint_interval=1e6) as host:
        host.send(Kind.CREATE, b"{}")
        host.receive(Kind.OPENED)
        first = struct.unpack_from("<I", host.receive(Kind.CHECKPOINT))[0]
        step = first
        while step <= first:
            host.send(Kind.FRAME_CREDIT)
            step = struct.unpack_from("<I", host.receive(Kind.FRAME), 24)[0]
        # steps were done since the newest checkpoint, and the next one is due in a million seconds
        host.socket.shutdown(socket.SHUT_WR)
        assert struct.unpack_from("<I", host.receive(Kind.CHECKPOINT))[0] >= step


def test_a_session_comes_back_paused_when_asked_to(host: Host) -> None:
    host.send(Kind.CREATE, b"{}")
    content = host.receive(Kind.OPENED)[4:]
    host.send(Kind.CLOSE)
    host.send(Kind.RESTORE, b"\1" + content)
    host.receive(Kind.OPENED)
    assert host.snapshot().status == StatusInfo(state="paused", step=0)


def test_bytes_that_are_no_checkpoint_are_refused(host: Host) -> None:
    host.send(Kind.RESTORE, b"\0" + b"nonsense")
    assert b'"code":"bad_session"' in host.receive(Kind.REFUSED)


def test_a_fault_in_one_session_pauses_it_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    advance = Session.advance

    def fail_for_bad(session: Session, seconds: float, now: float, **clock: Any) -> list[Event]:
        if session.record.session_id == "bad":
            raise ZeroDivisionError("a fault nobody foresaw")
        return advance(session, seconds, now, **clock)

    monkeypatch.setattr(Session, "advance", fail_for_bad)
    ours, theirs = socket.socketpair()
    ours.settimeout(60)
    worker = Worker(theirs, frame_interval=0.0, checkpoint_interval=0.0)
    thread = threading.Thread(target=worker.serve)
    thread.start()
    with ours, theirs:
        for session_id in ("bad", "good"):
            ours.sendall(encode_packet(Packet(Kind.CREATE, session_id, b"{}")))
        sentence = _receive(ours, Kind.EVENT, "bad", b'"state":"paused"')
        assert b"Something unexpected went wrong here; the session is paused" in sentence
        _receive(ours, Kind.EVENT, "good", b'"type":"losses"')
        ours.sendall(encode_packet(Packet(Kind.COMMAND, "bad", bytes(4) + b'{"type":"undo","request_id":2}')))
        assert b'"code":"nothing_to_undo"' in _receive(ours, Kind.ANSWER, "bad", b"")
        ours.shutdown(socket.SHUT_WR)
        thread.join(10)
        assert not thread.is_alive()


def _receive(connection: socket.socket, kind: Kind, session_id: str, part: bytes) -> bytes:
    while (packet := receive_packet(connection)) is not None:
        if packet.kind is kind and packet.session_id == session_id and part in packet.body:
            return packet.body
    raise AssertionError(f"the worker ended before it sent {kind.name} with {part!r}")


def test_a_worker_computes_on_one_thread() -> None:
    with threadpool_limits(2):
        limit_threads()
        pools = threadpool_info()
        assert {pool["num_threads"] for pool in pools} == {1}
        assert {"blas", "openmp"} <= {pool["user_api"] for pool in pools}
        assert torch.get_num_threads() == 1
