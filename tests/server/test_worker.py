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

from server.catalogue import build_catalogue
from server.messages import (
    DoneEvent,
    ErrorEvent,
    Event,
    Residuals,
    ResidualsEvent,
    ServerEvent,
    SnapshotEvent,
    StatusInfo,
)
from server.query_line import Asked, QueryLine
from server.rest import CatalogueInfo
from server.session import Session
from server.wire import Kind, Packet, encode_packet, receive_packet
from server.worker import MAX_QUERIES, Worker, limit_threads, main

pytestmark = pytest.mark.slow
EVENTS: TypeAdapter[ServerEvent] = TypeAdapter(ServerEvent)
EDGE = '{"layer":0,"source":0,"target":0}'


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
    host.process.join(60)
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


def test_what_sessions_are_made_of_is_told_before_anything_is_warmed_up() -> None:
    ours, theirs = socket.socketpair()
    ours.settimeout(60)
    worker = Worker(theirs, frame_interval=0.0, checkpoint_interval=0.0)
    with ours, theirs:
        ours.sendall(encode_packet(Packet(Kind.CATALOGUE, "", struct.pack("<I", 7))))
        worker.greet()
        packet = receive_packet(ours)
        assert packet is not None
        assert packet.body[:4] == struct.pack("<I", 7)
        assert CatalogueInfo.model_validate_json(packet.body[4:]) == build_catalogue()
        ours.shutdown(socket.SHUT_WR)
        worker.greet()
        worker.serve()


def test_training_gets_the_time_that_a_query_took_before_the_next_one() -> None:
    line = QueryLine(2)
    first, second = Asked("one", b"1", Residuals()), Asked("two", b"2", Residuals())
    assert line.wait(is_training=True) is None
    assert line.put(first)
    assert line.put(second)
    assert not line.put(first)
    assert line.wait(is_training=True) == 0.0
    assert line.take() is first
    line.spend(0.5)
    assert (line.wait(is_training=True), line.wait(is_training=False)) == (0.5, 0.0)
    line.give_back(0.25)
    assert line.wait(is_training=True) == 0.25
    line.give_back(0.5)
    assert line.wait(is_training=True) == 0.0
    assert line.take() is second


def test_the_queries_of_a_closed_session_leave_the_line() -> None:
    line = QueryLine(3)
    asked = [Asked(name, b"", Residuals()) for name in ("one", "two", "one")]
    assert all(line.put(one) for one in asked)
    assert line.leave("one") == [asked[0], asked[2]]
    assert line.take() is asked[1]
    assert line.wait(is_training=False) is None


class Clock:
    """A clock that stands still until somebody says how long something took."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@contextmanager
def run_worker(clock: Clock) -> Generator[socket.socket]:
    """Yield the host's end of a worker in a thread of this process whose time is the clock's."""
    ours, theirs = socket.socketpair()
    ours.settimeout(60)
    worker = Worker(theirs, frame_interval=0.0, checkpoint_interval=1e6, clock=clock)
    thread = threading.Thread(target=worker.serve)
    thread.start()
    with ours, theirs:
        yield ours
        ours.shutdown(socket.SHUT_WR)
        thread.join(60)
        assert not thread.is_alive()


def _command(session_id: str, token: int, text: str) -> bytes:
    return encode_packet(Packet(Kind.COMMAND, session_id, struct.pack("<I", token) + text.encode()))


def test_many_queries_leave_half_the_time_to_training_and_let_acts_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, done = Clock(), list[str]()

    def query(_session: Session, _command: object) -> Event:
        done.append("query")
        clock.now += 0.4
        return ResidualsEvent(targets=[], predictions=[])

    def advance(_session: Session, seconds: float, _now: float, **_clock: Any) -> list[Event]:
        done.append("slice")
        clock.now += seconds
        return []

    monkeypatch.setattr(Session, "query", query)
    monkeypatch.setattr(Session, "advance", advance)
    with run_worker(clock) as host:
        for session_id in ("trains", "asked"):
            host.sendall(encode_packet(Packet(Kind.CREATE, session_id, b'{"training":{"steps_per_second":null}}')))
            _receive(host, Kind.OPENED, session_id, b"")
        asked = [
            _command("asked", token, f'{{"type":"suggest","edge":{EDGE},"request_id":{token}}}') for token in range(9)
        ]
        host.sendall(b"".join(asked) + _command("asked", 9, '{"type":"undo","request_id":9}'))
        answers: list[int] = []
        while len(answers) < 10:
            body = _receive(host, Kind.ANSWER, "asked", b"")
            answers.append(struct.unpack_from("<I", body)[0])
            assert EVENTS.validate_json(body[4:]).request_id == answers[-1]
    # each is answered once, and the act had not to wait for what was asked before it
    assert sorted(answers) == list(range(10))
    assert answers.index(9) <= 1
    turns = "".join(one[0] for one in done).strip("s").split("q")[1:-1]
    assert len(turns) == 8
    # a slice takes a hundredth of a second, a query forty
    assert min(map(len, turns)) >= 39


def test_too_many_queries_and_those_of_a_closed_session_are_answered_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()

    def query(_session: Session, _command: object) -> Event:
        clock.now += 1e6
        return ResidualsEvent(targets=[], predictions=[])

    monkeypatch.setattr(Session, "query", query)
    with run_worker(clock) as host:
        host.sendall(encode_packet(Packet(Kind.CREATE, "s", b"{}")))
        _receive(host, Kind.OPENED, "s", b"")
        # the first is answered, and for a million seconds no other
        for token in range(MAX_QUERIES + 2):
            host.sendall(_command("s", token, '{"type":"residuals"}'))
            if token == 0:
                assert _receive(host, Kind.ANSWER, "s", b"")[:4] == bytes(4)
        assert b'"code":"busy"' in _receive(host, Kind.ANSWER, "s", struct.pack("<I", MAX_QUERIES + 1))
        host.sendall(encode_packet(Packet(Kind.CLOSE, "s")))
        for token in range(1, MAX_QUERIES + 1):
            answer = _receive(host, Kind.ANSWER, "s", b"")
            assert answer[:4] == struct.pack("<I", token)
            assert b'"code":"closed"' in answer
        host.sendall(_command("s", 1000, '{"type":"residuals","request_id":5}'))
        late = EVENTS.validate_json(_receive(host, Kind.ANSWER, "s", b"")[4:])
        assert late == ErrorEvent(code="closed", sentence="The session 's' was closed: open it again.", request_id=5)


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
        thread.join(60)
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


def test_a_search_that_takes_long_leaves_other_sessions_their_share(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, done = Clock(), list[str]()
    advance = Session.advance

    def counted(session: Session, seconds: float, now: float, **_clock: Any) -> list[Event]:
        done.append(session.record.session_id)
        if session.laws.is_searching:
            clock.now += 0.4
            return []
        clock.now += seconds
        return advance(session, 0.0, now)

    monkeypatch.setattr(Session, "advance", counted)
    with run_worker(clock) as host:
        for session_id in ("searches", "trains"):
            host.sendall(encode_packet(Packet(Kind.CREATE, session_id, b'{"training":{"steps_per_second":null}}')))
            _receive(host, Kind.OPENED, session_id, b"")
        host.sendall(_command("searches", 1, '{"type":"explain","request_id":1}'))
        _receive(host, Kind.ANSWER, "searches", b'"type":"done"')
        began = len(done)
        while done[began:].count("searches") < 6:
            host.sendall(_command("trains", 2, '{"type":"pause"}') + _command("trains", 3, '{"type":"run"}'))
            _receive(host, Kind.ANSWER, "trains", b"")
            _receive(host, Kind.ANSWER, "trains", b"")
        told = list(done[began:])
    first, last = told.index("searches"), len(told) - told[::-1].index("searches")
    # before the first piece it trained
    turns = "".join(one[0] for one in told[first:last]).strip("s").split("s")[1:]
    # pieces that came before the search began are not among them
    assert len(turns) >= 2
    # a slice takes a hundredth of a second, a piece of the search forty
    assert min(map(len, turns)) >= 38
