"""Asks the process that answers questions about specs: the web process loads no torch."""

from __future__ import annotations

import asyncio
import json
from multiprocessing.context import BaseContext
from typing import Any

from server.lab.process import run_desk
from server.lab.questions import Question
from server.refusal import Refusal
from server.wire import Kind, Packet
from server.worker_process import WorkerDied, WorkerProcess, make_context

IDLE_SECONDS = 120.0
# no question takes nearly as long, not even on a machine that is busy with much else
TIMEOUT = 300.0


class LabDesk:
    """A process that is started for a first question, and ends when there has been none for two minutes."""

    def __init__(self) -> None:
        self._context: BaseContext | None = None
        self._process: WorkerProcess | None = None
        self._starting = asyncio.Lock()
        self._num_asking = 0
        self._ending: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, question: Question) -> Any:
        """Return the answer as JSON values; raises Refusal with one sentence when there is none."""
        self._num_asking += 1
        if self._ending is not None:
            self._ending.cancel()
            self._ending = None
        try:
            told = json.loads(await self._ask(question.model_dump_json().encode()))
        finally:
            self._num_asking -= 1
            if self._num_asking == 0:
                self._ending = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._end_idle)
        if "sentence" in told:
            raise Refusal("bad_spec", told["sentence"])
        return told["value"]

    async def stop(self) -> None:
        """End the process; stopping twice is harmless."""
        if self._ending is not None:
            self._ending.cancel()
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            await process.stop()
        await asyncio.gather(*self._tasks)

    async def _ask(self, body: bytes) -> bytes:
        process = await self._find_process()
        try:
            async with asyncio.timeout(TIMEOUT):
                return await process.ask(Kind.LAB_ASK, "", body)
        except TimeoutError as error:
            process.kill()
            sentence = f"That took longer than {TIMEOUT:g} seconds: make the spec smaller."
            raise Refusal("bad_spec", sentence) from error
        except WorkerDied as error:
            raise Refusal("worker_died", "The process that reads specs ended: try again.") from error

    async def _find_process(self) -> WorkerProcess:
        async with self._starting:
            if self._process is None:
                if self._context is None:
                    self._context = make_context()
                self._process = process = await WorkerProcess.launch(self._context, run_desk)
                process.listen(_ignore, self._on_death)
            return self._process

    def _on_death(self, process: WorkerProcess) -> None:
        if self._process is process:
            self._process = None

    def _end_idle(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            task = asyncio.create_task(process.stop())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)


def _ignore(_packet: Packet) -> None:
    """Do nothing: the process only answers."""
