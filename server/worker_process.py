"""One worker process as its host sees it: start it, send to it, await its answers, notice its death."""

from __future__ import annotations

import asyncio
import multiprocessing
import socket
import struct
import time
from collections.abc import Awaitable, Callable
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess

from server.settings import Settings
from server.wire import Kind, Packet, WireError, encode_packet, read_packet

STOP_TIMEOUT = 3.0
TOKEN = struct.Struct("<I")


class WorkerDied(Exception):
    """The process ended before it answered."""


def make_context() -> BaseContext:
    """Return how processes start: forked from one that has imported torch, or anew where that cannot be."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["server.worker"])
    return context


def run_worker(connection: socket.socket, frame_interval: float, checkpoint_interval: float) -> None:
    """Be a worker process."""
    # imported here: the host names this function and must not load torch
    from server.worker import main

    main(connection, frame_interval, checkpoint_interval)


class WorkerProcess:
    """A running worker; `on_packet` takes what is no answer, `on_death` is called once when the stream ends."""

    def __init__(self, process: BaseProcess, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer
        self._answers: dict[int, asyncio.Future[bytes]] = {}
        self._last_token = 0
        self._turn = asyncio.Lock()
        self._bulk = asyncio.Lock()
        self._reading: asyncio.Task[None] | None = None
        self._started = time.monotonic()

    @classmethod
    async def start(cls, context: BaseContext, settings: Settings) -> WorkerProcess:
        """Start a process that runs sessions and connect to it."""
        return await cls.launch(context, run_worker, 1 / settings.frames_per_second, settings.checkpoint_interval)

    @classmethod
    async def launch(cls, context: BaseContext, target: Callable[..., object], *args: object) -> WorkerProcess:
        """Start a process that calls `target` with its end of a socket and `args`, and connect to it."""
        beginning = asyncio.create_task(cls._connect(context, target, *args))
        try:
            return await asyncio.shield(beginning)
        except asyncio.CancelledError:
            # half a start cannot be taken back: it is waited out, and what came of it ended
            worker = await beginning
            worker.kill()
            await worker.stop()
            raise

    @classmethod
    async def _connect(cls, context: BaseContext, target: Callable[..., object], *args: object) -> WorkerProcess:
        ours, theirs = socket.socketpair()
        # BaseContext.Process is there in every context, but its type is known only to each
        process: BaseProcess = context.Process(target=target, args=(theirs, *args), daemon=True)  # pyright: ignore[reportAttributeAccessIssue]
        try:
            await asyncio.to_thread(process.start)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        ours.setblocking(False)
        reader, writer = await asyncio.open_connection(sock=ours, limit=2**20)
        return cls(process, reader, writer)

    @property
    def pid(self) -> int | None:
        """The process id."""
        return self._process.pid

    @property
    def age(self) -> float:
        """Seconds since the process was started."""
        return time.monotonic() - self._started

    def listen(self, on_packet: Callable[[Packet], None], on_death: Callable[[WorkerProcess], None]) -> None:
        """Begin to read."""
        self._reading = asyncio.create_task(self._read(on_packet, on_death))

    async def _read(self, on_packet: Callable[[Packet], None], on_death: Callable[[WorkerProcess], None]) -> None:
        try:
            while (packet := await read_packet(self._reader)) is not None:
                if packet.kind is Kind.ANSWER:
                    self._resolve(packet.body)
                else:
                    on_packet(packet)
        except (WireError, OSError):
            pass
        self._writer.close()
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(WorkerDied())
        self._answers.clear()
        on_death(self)

    def _resolve(self, body: bytes) -> None:
        answer = self._answers.pop(TOKEN.unpack_from(body)[0], None)
        if answer is not None and not answer.done():
            answer.set_result(body[TOKEN.size :])

    def send(self, packet: Packet) -> None:
        """Send a packet; to a dead process it is lost, and `on_death` follows."""
        if not self._writer.is_closing():
            self._writer.write(encode_packet(packet))

    async def send_bulk(self, load: Callable[[], Awaitable[Packet | None]]) -> bool:
        """Send the large packet that `load` brings and return True once most of it is gone, False if it brings none.

        One such packet is on its way at a time and the next is loaded only then: that bounds what waits in memory.
        Raises WorkerDied.
        """
        async with self._bulk:
            try:
                # whoever sent the one before may have given up while it was on its way
                await self._writer.drain()
                if (packet := await load()) is None:
                    return False
                self.send(packet)
                await self._writer.drain()
            except OSError as error:
                raise WorkerDied from error
        return True

    async def ask(self, kind: Kind, session_id: str, body: bytes = b"") -> bytes:
        """Send a packet with a token and return the body of its answer; raises WorkerDied."""
        return await self._begin(kind, session_id, body)

    async def ask_in_turn(self, kind: Kind, session_id: str, body: bytes = b"") -> bytes:
        """Like `ask`, but only one such question is with the process at a time; raises WorkerDied.

        Who gives up while waiting leaves the line. A question that was sent holds it until it is answered, whether or
        not anyone still wants to know.
        """
        await self._turn.acquire()
        try:
            answer = self._begin(kind, session_id, body)
        except WorkerDied:
            self._turn.release()
            raise
        answer.add_done_callback(self._end_turn)
        return await asyncio.shield(answer)

    def _end_turn(self, answer: asyncio.Future[bytes]) -> None:
        self._turn.release()
        if not answer.cancelled():
            # nobody may be left to whom the death of the process is news
            answer.exception()

    def _begin(self, kind: Kind, session_id: str, body: bytes) -> asyncio.Future[bytes]:
        if self._writer.is_closing():
            raise WorkerDied
        self._last_token = (self._last_token + 1) % 2**32
        token = self._last_token
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._answers[token] = answer
        answer.add_done_callback(lambda _: self._answers.pop(token, None))
        self.send(Packet(kind, session_id, TOKEN.pack(token) + body))
        return answer

    def kill(self) -> None:
        """End the process at once, whatever it does; `on_death` follows."""
        self._process.kill()

    async def stop(self) -> None:
        """End the process, by force if it does not go within three seconds; stopping twice is harmless.

        What it still has to send when it sees its host leave is read.
        """
        if self._reading is not None and not self._reading.done() and not self._writer.is_closing():
            self._writer.write_eof()
            await asyncio.wait([self._reading], timeout=STOP_TIMEOUT)
            self._reading.cancel()
        self._writer.close()
        await asyncio.to_thread(self._process.join, STOP_TIMEOUT)
        if self._process.is_alive():
            self._process.kill()
            await asyncio.to_thread(self._process.join)
