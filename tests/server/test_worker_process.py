"""A worker's host talks to a worker that the test plays."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import socket
from collections.abc import AsyncGenerator
from dataclasses import dataclass

import pytest

from server.wire import Kind, Packet, encode_packet, read_packet
from server.worker_process import WorkerDied, WorkerProcess


@dataclass(frozen=True)
class Wire:
    """Both ends of the socket: the host's, and the one that a worker would have."""

    worker: WorkerProcess
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    died: asyncio.Event

    async def read(self) -> tuple[Kind, bytes]:
        packet = await read_packet(self.reader)
        assert packet is not None
        return packet.kind, packet.body

    def answer(self, question: bytes, text: bytes) -> None:
        self.writer.write(encode_packet(Packet(Kind.ANSWER, "s", question[:4] + text)))

    async def die(self) -> None:
        self.writer.close()
        await self.died.wait()


@pytest.fixture
async def wire() -> AsyncGenerator[Wire]:
    ours, theirs = socket.socketpair()
    host_reader, host_writer = await asyncio.open_connection(sock=ours)
    reader, writer = await asyncio.open_connection(sock=theirs)
    died = asyncio.Event()
    worker = WorkerProcess(multiprocessing.Process(), host_reader, host_writer)
    worker.listen(lambda _: None, lambda _: died.set())
    made = Wire(worker, reader, writer, died)
    yield made
    await made.die()
    for end in (writer, host_writer):
        # an end that was sent what it never read is reset
        with contextlib.suppress(ConnectionError):
            await end.wait_closed()


async def test_one_question_in_turn_is_with_the_worker_at_a_time_and_others_pass(wire: Wire) -> None:
    first = asyncio.ensure_future(wire.worker.ask_in_turn(Kind.COMMAND, "s", b"first"))
    second = asyncio.ensure_future(wire.worker.ask_in_turn(Kind.COMMAND, "s", b"second"))
    _, asked = await wire.read()
    assert asked[4:] == b"first"
    act = asyncio.ensure_future(wire.worker.ask(Kind.COMMAND, "s", b"act"))
    _, urgent = await wire.read()
    assert urgent[4:] == b"act"
    wire.answer(urgent, b"done")
    assert await act == b"done"
    wire.answer(asked, b"one")
    assert await first == b"one"
    _, asked = await wire.read()
    assert asked[4:] == b"second"
    wire.answer(asked, b"two")
    assert await second == b"two"


async def test_who_gives_up_leaves_the_line_but_what_was_sent_holds_it(wire: Wire) -> None:
    asking = [asyncio.ensure_future(wire.worker.ask_in_turn(Kind.COMMAND, "s", b"%d" % k)) for k in range(4)]
    _, asked = await wire.read()
    for one in asking[:3]:
        one.cancel()
    await asyncio.wait(asking[:3])
    wire.worker.send(Packet(Kind.CLOSE, "s"))
    # nothing came in between: the line is held by a question that nobody waits for any more
    assert await wire.read() == (Kind.CLOSE, b"")
    wire.answer(asked, b"for nobody")
    _, asked = await wire.read()
    assert asked[4:] == b"3"
    wire.answer(asked, b"three")
    assert await asking[3] == b"three"


async def test_the_death_of_the_worker_ends_the_whole_line(wire: Wire) -> None:
    asking = [asyncio.ensure_future(wire.worker.ask_in_turn(Kind.COMMAND, "s")) for _ in range(3)]
    asking.append(asyncio.ensure_future(wire.worker.ask(Kind.SNAPSHOT, "s")))
    await wire.read()
    asking[0].cancel()
    await wire.die()
    results = await asyncio.gather(*asking, return_exceptions=True)
    assert [type(result) for result in results] == [asyncio.CancelledError, WorkerDied, WorkerDied, WorkerDied]
    with pytest.raises(WorkerDied):
        await wire.worker.ask_in_turn(Kind.COMMAND, "s")


async def test_one_large_packet_is_loaded_and_sent_at_a_time(wire: Wire) -> None:
    loaded: list[int] = []

    async def send(number: int) -> bool:
        async def load() -> Packet | None:
            loaded.append(number)
            return Packet(Kind.TABLE, "s", bytes(5_000_000)) if number < 3 else None

        return await wire.worker.send_bulk(load)

    sending = [asyncio.ensure_future(send(number)) for number in range(4)]
    while not loaded:
        await asyncio.sleep(0)
    # what is on its way stays so when nobody waits for it any more
    sending[0].cancel()
    for _ in range(10):
        await asyncio.sleep(0)
    assert loaded == [0]
    for _ in range(3):
        assert await wire.read() == (Kind.TABLE, bytes(5_000_000))
    assert [await one for one in sending[1:]] == [True, True, False]
    assert loaded == [0, 1, 2, 3]


async def test_a_large_packet_to_a_worker_that_dies_is_lost_by_name(wire: Wire) -> None:
    async def load() -> Packet | None:
        return Packet(Kind.TABLE, "s", bytes(5_000_000))

    sending = asyncio.ensure_future(wire.worker.send_bulk(load))
    await wire.reader.readexactly(4)
    await wire.die()
    with pytest.raises(WorkerDied):
        await sending


async def test_a_start_that_is_given_up_leaves_no_process_and_no_open_socket() -> None:
    # socket.recv waits for a host that never sends anything
    starting = asyncio.create_task(
        WorkerProcess.launch(multiprocessing.get_context("spawn"), socket.SocketType.recv, 1)
    )
    await asyncio.sleep(0)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert multiprocessing.active_children() == []
