"""A real worker process over a real socket."""

from __future__ import annotations

import multiprocessing
import socket
import struct
from collections.abc import Generator

import pytest
from pydantic import TypeAdapter

from server.messages import DoneEvent, ErrorEvent, ServerEvent, SnapshotEvent
from server.wire import Kind, Packet, encode_packet, receive_packet
from server.worker import main

pytestmark = pytest.mark.slow
EVENTS: TypeAdapter[ServerEvent] = TypeAdapter(ServerEvent)


class Host:
    """The host's end of one worker."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.socket, theirs = socket.socketpair()
        self.socket.settimeout(60)
        self.process = context.Process(target=main, args=(theirs, 0.0, 0.0), daemon=True)
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


@pytest.fixture
def host() -> Generator[Host]:
    host = Host()
    yield host
    host.socket.close()
    host.process.join(10)
    assert host.process.exitcode == 0


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
