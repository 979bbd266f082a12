"""Which sessions there are, who may edit them and who watches them."""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace

from server.engine import Engine
from server.keeper import CheckpointKeeper
from server.messages import NoticeEvent
from server.refusal import Refusal
from server.rest import SessionCreated, SessionRequest, SessionSummary
from server.rooms import DELETED, Room
from server.settings import Settings
from server.storage import Storage, StoredSession


class Entry:
    """One session of this server, open in the engine or only stored.

    `is_from_before` until a session that was left by an earlier run of the server is opened again.
    """

    def __init__(self, stored: StoredSession, room: Room, *, is_from_before: bool = False) -> None:
        self.stored = stored
        self.room = room
        self.is_from_before = is_from_before
        self.opening = asyncio.Lock()

    def may_edit(self, key: str | None) -> bool:
        """Return whether the key is this session's edit key."""
        return key is not None and hmac.compare_digest(key.encode(), self.stored.edit_key.encode())


class Directory:
    """The sessions by id, the least recently used first; call `load` before anything else.

    A session that is only stored, as all are after a restart of the server, is opened when somebody comes for it,
    paused, and says so. At most `max_sessions` are open and `max_stored_sessions` kept: above that the least recently
    used one that nobody watches is closed, or forgotten.
    """

    def __init__(self, engine: Engine, storage: Storage, keeper: CheckpointKeeper, settings: Settings) -> None:
        self._engine = engine
        self._storage = storage
        self._keeper = keeper
        self._settings = settings
        self._entries: dict[str, Entry] = {}
        self._placing = asyncio.Lock()
        self._coming: set[str] = set()

    async def load(self) -> None:
        """Learn of the stored sessions."""
        for stored in await self._storage.load_sessions():
            self._entries[stored.session_id] = Entry(stored, self._room_of(stored.session_id), is_from_before=True)

    async def close(self) -> None:
        """Send all viewers away: the server stops."""
        await asyncio.gather(*(entry.room.close(1012, "the server stops") for entry in self._entries.values()))

    async def create(self, request: SessionRequest) -> SessionCreated:
        """Start a session; raises Refusal."""
        session_id, edit_key = secrets.token_urlsafe(8), secrets.token_urlsafe(16)
        async with self._place(session_id):
            checkpoint = await self._engine.open(session_id, request)
            await self._storage.add_session(session_id, edit_key, checkpoint)
            stored = StoredSession(
                session_id=session_id, edit_key=edit_key, title=checkpoint.title, step=checkpoint.step
            )
            entry = self._entries[session_id] = Entry(stored, self._room_of(session_id))
        entry.room.watch_idleness()
        return SessionCreated(session_id=session_id, edit_key=edit_key)

    async def find(self, session_id: str) -> Entry | None:
        """Return the session, opened in the engine, or None when there is none of this id; raises Refusal."""
        entry = self._entries.pop(session_id, None)
        if entry is None:
            return None
        self._entries[session_id] = entry
        async with entry.opening:
            if session_id not in self._open_ids():
                async with self._place(session_id):
                    await self._open(session_id, entry)
        return entry

    async def _open(self, session_id: str, entry: Entry) -> None:
        await self._keeper.flush()
        checkpoint = await self._storage.load_checkpoint(session_id)
        if checkpoint is None:
            raise Refusal("unknown_session", f"There is no session {session_id!r} any more: start a new one.")
        await self._engine.open(session_id, replace(checkpoint, epoch=checkpoint.epoch + 1, paused=True))
        if entry.is_from_before:
            entry.is_from_before = False
            sentence = f"The server was restarted: this session was restored from step {checkpoint.step} and is paused."
            entry.room.remember(NoticeEvent(level="warning", code="restored", sentence=sentence))

    async def delete(self, session_id: str, key: str | None) -> None:
        """Delete the session; raises Refusal when there is none or the key is not its edit key."""
        entry = self._entries.get(session_id)
        if entry is None:
            raise Refusal("unknown_session", f"There is no session {session_id!r}.")
        if not entry.may_edit(key):
            raise Refusal("read_only", "Only who holds the edit link may delete a session.")
        await self._forget(session_id, entry)

    def summaries(self) -> list[SessionSummary]:
        """Return what anyone may know of every session."""
        reports = {report.session_id: report for report in self._engine.list()}
        summaries: list[SessionSummary] = []
        for session_id, entry in self._entries.items():
            report = reports.get(session_id)
            summaries.append(
                SessionSummary(
                    session_id=session_id,
                    title=entry.stored.title if report is None else report.title,
                    state="paused" if report is None else report.state,
                    step=entry.stored.step if report is None else report.step,
                    viewers=entry.room.num_viewers,
                )
            )
        return summaries

    # --- bounds

    @asynccontextmanager
    async def _place(self, session_id: str) -> AsyncGenerator[None]:
        """Keep a place for a session while it is opened; raises Refusal when all open sessions are watched."""
        async with self._placing:
            await self._free_space()
            self._coming.add(session_id)
        try:
            yield
        finally:
            self._coming.discard(session_id)

    async def _free_space(self) -> None:
        """Close or forget what is too many, sessions on their way counted in."""
        taken = self._open_ids() | self._coming
        if len(taken) >= self._settings.max_sessions:
            idle = next((name for name in self._idle_ids() if name in taken), None)
            if idle is None:
                limit = self._settings.max_sessions
                raise Refusal("too_many_sessions", f"{limit} sessions are being watched, all there is room for: wait.")
            await self._close_one(idle)
        if len(self._entries.keys() | self._coming) >= self._settings.max_stored_sessions:
            idle = next(self._idle_ids(), None)
            if idle is not None:
                await self._forget(idle, self._entries[idle])

    def _idle_ids(self) -> Iterator[str]:
        """Yield the sessions that nobody watches or is about to, the least recently used first."""
        for session_id, entry in self._entries.items():
            if entry.room.num_viewers == 0 and session_id not in self._coming:
                yield session_id

    async def _close_one(self, session_id: str) -> None:
        entry = self._entries[session_id]
        async with entry.opening:
            await entry.room.rest()
            report = next((one for one in self._engine.list() if one.session_id == session_id), None)
            await self._engine.close(session_id)
            if report is not None:
                entry.stored = replace(entry.stored, title=report.title, step=report.step)

    async def _forget(self, session_id: str, entry: Entry) -> None:
        del self._entries[session_id]
        await entry.room.close(DELETED, "the session was deleted")
        await self._engine.close(session_id)
        await self._storage.delete_session(session_id)

    def _open_ids(self) -> set[str]:
        return {report.session_id for report in self._engine.list()}

    def _room_of(self, session_id: str) -> Room:
        return Room(session_id, self._engine, self._settings)
