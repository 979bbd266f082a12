"""Writes checkpoints to the database behind everyone's back: of each session the newest, one after the other."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from sqlalchemy.exc import SQLAlchemyError

from server.engine import Checkpoint
from server.pulse import Pulse
from server.storage import Storage

log = logging.getLogger(__name__)


class CheckpointKeeper:
    """At most one checkpoint a session waits; a newer one takes its place. Call `start` first and `stop` last."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._waiting: dict[str, Checkpoint] = {}
        self._came = Pulse()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to write."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Write what waits and end; stopping twice is harmless."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self.flush()

    def put(self, session_id: str, checkpoint: Checkpoint) -> None:
        """Keep this checkpoint soon."""
        self._waiting[session_id] = checkpoint
        self._came.beat()

    async def _run(self) -> None:
        while True:
            await self.flush()
            if not self._waiting:
                await self._came.wait()

    async def flush(self) -> None:
        """Write what waits now."""
        for session_id, checkpoint in list(self._waiting.items()):
            try:
                await self._storage.save_checkpoint(session_id, checkpoint)
            except SQLAlchemyError:
                log.exception("the checkpoint of session %s was not written", session_id)
            if self._waiting.get(session_id) is checkpoint:
                del self._waiting[session_id]
