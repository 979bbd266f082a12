"""The lab's processes: one kind computes points, one step after the other, the other answers questions about specs.

Bodies: LAB_POINT a u32 number and a Job, LAB_HOLD, LAB_GO and LAB_DROP nothing: they concern the job under way.
LAB_PROGRESS and LAB_RESULT carry the number back in front of a JobProgress or a result. LAB_ASK is a u32 token and a
Question, which ANSWER carries back in front of a JSON value.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import struct
import time
from collections.abc import Callable
from typing import Protocol

from server.lab.jobs import Job, JobProgress
from server.wire import Kind, Packet, WireError, encode_packet, receive_packet

PROGRESS_INTERVAL = 0.2
NICENESS = 19
# of who answers questions: people wait for it, so it goes ahead of points, and sessions' workers are not held up by it
DESK_NICENESS = 10
LAST_SECONDS = 3
NUMBER = struct.Struct("<I")


class Computation(Protocol):
    """A point being computed in small pieces."""

    @property
    def is_done(self) -> bool:
        """Whether there is a result."""
        ...

    def step(self) -> None:
        """Do one piece."""
        ...

    def progress(self) -> JobProgress:
        """Return how far it is."""
        ...

    def result(self) -> str:
        """Return the result as JSON, once it is done."""
        ...


class PointWorker:
    """Computes the points that its host sends, one at a time, and looks between steps for what the host wants.

    `begin(job)` starts a computation; `clock` is monotonic, in seconds.
    """

    def __init__(
        self,
        connection: socket.socket,
        begin: Callable[[Job], Computation],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection = connection
        self._begin = begin
        self._clock = clock
        self._computation: Computation | None = None
        self._number = 0
        self._is_held = False
        self._next_progress = 0.0

    def serve(self) -> None:
        """Return when the host has closed its side."""
        while self._take_packets():
            if self._computation is not None and not self._is_held:
                self._advance(self._computation)

    def _take_packets(self) -> bool:
        """Carry out what the host wants, waiting for it if there is nothing else to do; return False when it left."""
        while True:
            is_idle = self._computation is None or self._is_held
            if not is_idle and not select.select([self._connection], [], [], 0)[0]:
                return True
            packet = receive_packet(self._connection)
            if packet is None:
                return False
            self._obey(packet)

    def _obey(self, packet: Packet) -> None:
        if packet.kind is Kind.LAB_POINT:
            self._number = NUMBER.unpack_from(packet.body)[0]
            self._is_held = False
            self._next_progress = self._clock() + PROGRESS_INTERVAL
            self._computation = self._begin(Job.model_validate_json(packet.body[NUMBER.size :]))
        elif packet.kind is Kind.LAB_DROP:
            self._computation = None
        else:
            self._is_held = packet.kind is Kind.LAB_HOLD

    def _advance(self, computation: Computation) -> None:
        if not computation.is_done:
            computation.step()
        if computation.is_done:
            self._computation = None
            self._send(Kind.LAB_RESULT, computation.result())
        elif self._clock() >= self._next_progress:
            self._next_progress = self._clock() + PROGRESS_INTERVAL
            self._send(Kind.LAB_PROGRESS, computation.progress().model_dump_json())

    def _send(self, kind: Kind, text: str) -> None:
        body = NUMBER.pack(self._number) + text.encode()
        self._connection.sendall(encode_packet(Packet(kind, "", body)))


def answer_questions(connection: socket.socket, answer: Callable[[bytes], bytes]) -> None:
    """Answer one question after the other until the host has closed its side."""
    while (packet := receive_packet(connection)) is not None:
        token, question = packet.body[: NUMBER.size], packet.body[NUMBER.size :]
        connection.sendall(encode_packet(Packet(Kind.ANSWER, "", token + answer(question))))


def run_points(connection: socket.socket) -> None:
    """Be a process that computes points, which leaves the processor to others that want it."""
    _begin_process(NICENESS)
    if hasattr(os, "SCHED_BATCH"):
        # it never takes the processor from one who has it; where this is not allowed there is still the niceness
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    # imported here: the host names this function and must not load torch
    from server.lab.computing import begin_point, prepare

    prepare()
    with contextlib.suppress(WireError, OSError):
        PointWorker(connection, begin_point).serve()


def run_desk(connection: socket.socket) -> None:
    """Be the process that answers questions about specs and their results."""
    _begin_process(DESK_NICENESS)
    from server.lab.answers import answer

    with contextlib.suppress(WireError, OSError):
        answer_questions(connection, answer)


def _begin_process(niceness: int) -> None:
    """Leave signals that end a whole group of processes to the host, which then closes the socket."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end_soon)
    os.nice(niceness)


def _end_soon(_number: int, _frame: object) -> None:
    signal.alarm(LAST_SECONDS)
