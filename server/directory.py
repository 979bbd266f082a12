"""Which sessions there are, who may edit them and who watches them."""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections.abc import Mapping

from server.engine import Checkpoint, Engine
from server.messages import ClientCommand, CsvSource, SetData
from server.refusal import Refusal
from server.rest import SessionCreated, SessionRequest, SessionSummary
from server.rooms import DELETED, Room
from server.settings import Settings
from server.storage import Storage, StoredSession


class Entry:
    """One session of this server, open in the engine or only stored."""

    def __init__(self, stored: StoredSession, room: Room) -> None:
        self.stored = stored
        self.room = room
        self.opening = asyncio.Lock()
        self.is_open = False

    def may_edit(self, key: str | None) -> bool:
        """Return whether the key is this session's edit key."""
        return key is not None and hmac.compare_digest(key.encode(), self.stored.edit_key.encode())


class Directory:
    """The sessions by id; call `load` before anything else.

    Sessions of an earlier run of the server are opened, paused, when somebody comes for them.
    """

    def __init__(self, engine: Engine, storage: Storage, settings: Settings) -> None:
        self._engine = engine
        self._storage = storage
        self._settings = settings
        self._entries: dict[str, Entry] = {}

    async def load(self) -> None:
        """Learn of the stored sessions."""
        for stored in await self._storage.load_sessions():
            self._entries[stored.session_id] = Entry(stored, self._make_room(stored.session_id))

    async def close(self) -> None:
        """Send all viewers away: the server stops."""
        await asyncio.gather(*(entry.room.close(1012, "the server stops") for entry in self._entries.values()))

    async def create(self, request: SessionRequest) -> SessionCreated:
        """Start a session; raises Refusal."""
        if len(self._entries) >= self._settings.max_sessions:
            raise Refusal("too_many_sessions", f"This server keeps {self._settings.max_sessions} sessions: delete one.")
        session_id, edit_key = secrets.token_urlsafe(8), secrets.token_urlsafe(16)
        checkpoint = await self._engine.open(session_id, request, await self._load_tables(request.data))
        await self._storage.add_session(session_id, edit_key)
        await self._storage.save_checkpoint(
            session_id, epoch=checkpoint.epoch, step=checkpoint.step, checkpoint=checkpoint.content
        )
        stored = StoredSession(
            session_id=session_id, edit_key=edit_key, epoch=checkpoint.epoch, step=checkpoint.step, checkpoint=None
        )
        entry = self._entries[session_id] = Entry(stored, self._make_room(session_id))
        entry.is_open = True
        entry.room.watch_idleness()
        return SessionCreated(session_id=session_id, edit_key=edit_key)

    async def find(self, session_id: str) -> Entry | None:
        """Return the session, opened in the engine, or None when there is none of this id; raises Refusal."""
        entry = self._entries.get(session_id)
        if entry is None:
            return None
        async with entry.opening:
            if not entry.is_open:
                await self._open(entry)
        return entry

    async def _open(self, entry: Entry) -> None:
        stored = entry.stored
        if stored.checkpoint is None:
            raise Refusal("lost", "This session ended before its first checkpoint: start a new one.")
        checkpoint = Checkpoint(epoch=stored.epoch + 1, step=stored.step, content=stored.checkpoint, paused=True)
        await self._engine.open(stored.session_id, checkpoint, {})
        entry.is_open = True

    async def delete(self, session_id: str, key: str | None) -> None:
        """Delete the session; raises Refusal when there is none or the key is not its edit key."""
        entry = self._entries.get(session_id)
        if entry is None:
            raise Refusal("unknown_session", f"There is no session {session_id!r}.")
        if not entry.may_edit(key):
            raise Refusal("read_only", "Only who holds the edit link may delete a session.")
        del self._entries[session_id]
        await entry.room.close(DELETED, "the session was deleted")
        await self._engine.close(session_id)
        await self._storage.delete_session(session_id)

    def summaries(self) -> list[SessionSummary]:
        """Return what anyone may know of every session, the oldest first."""
        open_sessions = {report.session_id: report for report in self._engine.list()}
        summaries: list[SessionSummary] = []
        for session_id, entry in self._entries.items():
            report = open_sessions.get(session_id)
            summaries.append(
                SessionSummary(
                    session_id=session_id,
                    title="" if report is None else report.title,
                    state="paused" if report is None else report.state,
                    step=entry.stored.step if report is None else report.step,
                    viewers=entry.room.num_viewers,
                )
            )
        return summaries

    async def tables_for(self, command: ClientCommand) -> Mapping[str, bytes]:
        """Return the uploaded tables that the command names."""
        return await self._load_tables(command.source if isinstance(command, SetData) else None)

    async def _load_tables(self, source: object) -> Mapping[str, bytes]:
        if not isinstance(source, CsvSource):
            return {}
        content = await self._storage.load_table(source.dataset_id)
        return {} if content is None else {source.dataset_id: content}

    def _make_room(self, session_id: str) -> Room:
        return Room(session_id, self._engine, self._settings)
