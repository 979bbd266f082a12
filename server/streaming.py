"""The websocket of one viewer: commands come in, events and frames go out."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from pydantic import TypeAdapter, ValidationError

from server.complaints import describe_invalid
from server.directory import Directory, Entry
from server.engine import SessionClosed
from server.mailbox import MailboxClosed
from server.messages import (
    Ack,
    ClientCommand,
    ErrorEvent,
    Query,
    Resync,
)
from server.rate_limit import TokenBucket
from server.refusal import Refusal
from server.rooms import INTERRUPTED, TOO_SLOW, Viewer
from server.settings import Settings
from server.storage import Storage

UNKNOWN_SESSION = 4404
TOO_MANY = 4429
TRY_LATER = 1013
PASSING = ("too_many_sessions", "too_many_viewers", "worker_died")
# a close frame holds 123 bytes of UTF-8
MAX_REASON = 40
MAX_PENDING = 32
# a page asks for up to five things at once
MAX_QUERIES = 8
COMMANDS: TypeAdapter[ClientCommand] = TypeAdapter(ClientCommand)
log = logging.getLogger(__name__)
router = APIRouter()


@router.websocket("/ws/sessions/{session_id}")
async def stream(websocket: WebSocket, session_id: str, key: str | None = None) -> None:
    """Let a page watch a session, and act on it when it brings the edit key."""
    await websocket.accept()
    directory: Directory = websocket.app.state.directory
    try:
        entry = await directory.find(session_id)
        if entry is None:
            await websocket.close(UNKNOWN_SESSION, "unknown session")
            return
        viewer = await entry.room.join(can_edit=entry.may_edit(key))
    except SessionClosed:
        await websocket.close(INTERRUPTED, "the session was interrupted")
        return
    except Refusal as refusal:
        code = TRY_LATER if refusal.code in PASSING else UNKNOWN_SESSION
        await websocket.close(code, refusal.sentence[:MAX_REASON])
        return
    try:
        await Connection(websocket, entry, viewer).run()
    finally:
        await entry.room.leave(viewer)


class Connection:
    """One viewer's connection; `run` returns when either side has ended it."""

    def __init__(self, websocket: WebSocket, entry: Entry, viewer: Viewer) -> None:
        self._websocket = websocket
        self._entry = entry
        self._viewer = viewer
        self._storage: Storage = websocket.app.state.storage
        self._settings: Settings = websocket.app.state.settings
        rate, burst, now = self._settings.commands_per_second, self._settings.command_burst, time.monotonic()
        self._commands = TokenBucket(rate=rate, burst=burst, now=now)
        self._refusals = TokenBucket(rate=rate, burst=burst, now=now)
        self._acks = TokenBucket(rate=4 * self._settings.frames_per_second, burst=burst, now=now)
        self._pending: set[asyncio.Task[None]] = set()
        self._queries: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Send and receive until the page leaves or its mailbox closes."""
        tasks = [asyncio.create_task(self._send()), asyncio.create_task(self._receive())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*tasks, *self._pending):
                task.cancel()
            results = await asyncio.gather(*tasks, *self._pending, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                log.error("a connection failed", exc_info=result)

    # --- out

    async def _send(self) -> None:
        # a page that is gone, or reads nothing for so long that not even the reason for closing can be sent
        with contextlib.suppress(WebSocketDisconnect, TimeoutError):
            try:
                while True:
                    await self._send_one(await self._viewer.mailbox.get())
            except MailboxClosed as closed:
                await self._close(closed.code, closed.reason)
            except TimeoutError:
                await self._close(TOO_SLOW, "too slow: nothing was read for a while")

    async def _close(self, code: int, reason: str) -> None:
        async with asyncio.timeout(1.0):
            await self._websocket.close(code, reason[:MAX_REASON])

    async def _send_one(self, item: str | bytes) -> None:
        async with asyncio.timeout(self._settings.send_timeout):
            if isinstance(item, str):
                await self._websocket.send_text(item)
            else:
                await self._websocket.send_bytes(item)

    # --- in

    async def _receive(self) -> None:
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            self._take(message.get("text"))

    def _take(self, text: str | None) -> None:
        now = time.monotonic()
        try:
            command = COMMANDS.validate_json(text or "")
        except ValidationError as error:
            if self._passes(self._commands, now):
                self._refuse("bad_message", describe_invalid(error.errors(include_url=False)))
            return
        if isinstance(command, Ack):
            if self._passes(self._acks, now):
                self._viewer.mailbox.acknowledge(command.seq)
        elif self._passes(self._commands, now):
            self._begin(command)

    def _passes(self, bucket: TokenBucket, now: float) -> bool:
        """Return whether the message may pass; one that may not is refused by name, many of them end the connection."""
        if bucket.take(now):
            return True
        if self._refusals.take(now):
            rate = self._settings.commands_per_second
            self._refuse("too_many_commands", f"A page may send {rate:g} commands a second: send fewer.")
        else:
            self._viewer.mailbox.close(TOO_MANY, "too many commands")
        return False

    def _refuse(self, code: str, sentence: str, request_id: int | None = None) -> None:
        self._entry.room.tell(self._viewer, ErrorEvent(code=code, sentence=sentence, request_id=request_id))

    def _begin(self, command: ClientCommand) -> None:
        if not isinstance(command, Resync | Query) and not self._viewer.can_edit:
            sentence = "This link is for watching: open the edit link to change the session."
            self._refuse("read_only", sentence, command.request_id)
        elif len(self._pending) >= MAX_PENDING:
            self._refuse("busy", f"{MAX_PENDING} commands wait for their answers: wait for one.", command.request_id)
        elif isinstance(command, Query) and len(self._queries) >= MAX_QUERIES:
            sentence = f"{MAX_QUERIES} questions of this page wait for their answers: wait for one."
            self._refuse("busy", sentence, command.request_id)
        else:
            self._keep(asyncio.create_task(self._carry_out(command)), is_query=isinstance(command, Query))

    def _keep(self, task: asyncio.Task[None], *, is_query: bool) -> None:
        for tasks in (self._pending, self._queries) if is_query else (self._pending,):
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    async def _carry_out(self, command: ClientCommand) -> None:
        room = self._entry.room
        try:
            if isinstance(command, Resync):
                await room.resync(self._viewer)
                return
            answer = await room.ask(self._viewer, command)
        except SessionClosed:
            return
        if not isinstance(command, Query) and not isinstance(answer, ErrorEvent):
            await self._storage.log_command(
                room.session_id, command.model_dump_json(), keep=self._settings.max_log_entries
            )
