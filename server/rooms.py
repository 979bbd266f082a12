"""Who watches a session: each viewer has a mailbox, and one pump a room fills them all from the engine."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from server.engine import Cursor, Engine, Position, Published, SessionClosed, Update
from server.mailbox import Mailbox, MailboxOverflow
from server.messages import (
    ClientCommand,
    ErrorEvent,
    Event,
    NoticeEvent,
    Pause,
    Query,
    Run,
    SnapshotEvent,
    Step,
    ViewersEvent,
)
from server.pulse import Pulse
from server.refusal import Refusal
from server.settings import Settings

DELETED = 4410
TOO_SLOW = 4408
FAILED = 1011
INTERRUPTED = 1012
log = logging.getLogger(__name__)


class Viewer:
    """One connected page. Until its snapshot came, events wait in `backlog`."""

    def __init__(self, *, can_edit: bool, capacity: int) -> None:
        self.can_edit = can_edit
        self.mailbox = Mailbox(capacity)
        self._capacity = capacity
        self._since: Position | None = None
        self._backlog: list[Published] = []

    def begin(self, snapshot: SnapshotEvent, num_viewers: int) -> None:
        """Send the snapshot and whatever came after it was taken."""
        self._since = Position(snapshot.epoch, snapshot.seq)
        self.mailbox.forget_grids()
        personal = snapshot.model_copy(update={"can_edit": self.can_edit, "viewers": num_viewers})
        self.put(personal)
        backlog, self._backlog = self._backlog, []
        for published in backlog:
            self.offer(published)

    def await_snapshot(self) -> None:
        """Hold events back until the next snapshot."""
        self._since = None

    def offer(self, published: Published) -> None:
        """Send an event unless a snapshot held it already; notices are in no snapshot."""
        if self._since is None:
            self._backlog.append(published)
            if len(self._backlog) > self._capacity:
                self.mailbox.close(TOO_SLOW, "too slow: the snapshot does not keep up with the events")
        elif published.position > self._since or published.is_notice:
            self._put_text(published.text)

    def offer_frame(self, frame: bytes) -> None:
        """Keep a frame as the newest, unless a snapshot is to come first."""
        if self._since is not None:
            self.mailbox.put_frame(frame)

    def put(self, event: Event) -> None:
        """Send an event to this viewer alone."""
        self._put_text(event.model_dump_json())

    def _put_text(self, text: str) -> None:
        try:
            self.mailbox.put_event(text)
        except MailboxOverflow as error:
            self.mailbox.close(TOO_SLOW, f"too slow: {error}")


class Room:
    """The viewers of one session.

    The pump runs from the first viewer's coming to the last one's leaving. A session whose last viewer left is paused
    after `idle_pause` seconds, and runs on when somebody comes back, unless it was to do a number of steps. What
    befell it while nobody watched is told to everyone who comes, until somebody acts.
    """

    def __init__(self, session_id: str, engine: Engine, settings: Settings) -> None:
        self.session_id = session_id
        self._engine = engine
        self._settings = settings
        self._viewers: set[Viewer] = set()
        self._position = Position()
        self._moved = Pulse()
        self._pump: asyncio.Task[None] | None = None
        self._idle: asyncio.Task[None] | None = None
        self._paused_by_idleness = False
        self._counts_steps = False
        self._news: NoticeEvent | None = None

    @property
    def num_viewers(self) -> int:
        """How many pages watch."""
        return len(self._viewers)

    async def join(self, *, can_edit: bool) -> Viewer:
        """Add a viewer and send it a snapshot; raises SessionClosed, or Refusal with code too_many_viewers."""
        if self.num_viewers >= self._settings.max_viewers:
            limit = self._settings.max_viewers
            raise Refusal("too_many_viewers", f"{limit} pages watch this session already: try again later.")
        viewer = Viewer(can_edit=can_edit, capacity=self._settings.event_queue)
        self._viewers.add(viewer)
        try:
            await self._resume()
            await self.resync(viewer)
        except BaseException:
            await self.leave(viewer)
            raise
        if self._news is not None:
            self.tell(viewer, self._news)
        self._announce_viewers(besides=viewer)
        return viewer

    def remember(self, news: NoticeEvent) -> None:
        """Tell everyone who comes, until somebody acts on the session."""
        self._news = news

    async def resync(self, viewer: Viewer) -> None:
        """Send the viewer a full snapshot and go on from there; raises SessionClosed."""
        viewer.await_snapshot()
        snapshot = await self._engine.snapshot(self.session_id)
        if self._pump is None and self._viewers:
            self._position = Position(snapshot.epoch, snapshot.seq)
            self._pump = asyncio.create_task(self._run_pump())
        viewer.begin(snapshot, self.num_viewers)

    async def leave(self, viewer: Viewer) -> None:
        """Forget the viewer; leaving twice is harmless."""
        if viewer not in self._viewers:
            return
        self._viewers.discard(viewer)
        self._announce_viewers()
        if not self._viewers:
            await self._stop_pump()
            self.watch_idleness()

    async def ask(self, viewer: Viewer, command: ClientCommand) -> Event:
        """Carry out a viewer's command, send it the answer and return it; raises SessionClosed."""
        answer = await self._engine.command(self.session_id, command)
        if not isinstance(command, Query) and not isinstance(answer, ErrorEvent):
            self._note(command)
        while self._pump is not None and self._position < Position(answer.epoch, answer.seq):
            # events that the act caused come before its answer
            await self._moved.wait()
        viewer.put(answer)
        return answer

    def _note(self, act: ClientCommand) -> None:
        self._news = None
        if isinstance(act, Run | Pause | Step):
            self._counts_steps = isinstance(act, Step)

    def tell(self, viewer: Viewer, event: Event) -> None:
        """Send one viewer an event that is not the session's, numbered as the newest of all events."""
        viewer.put(event.model_copy(update={"epoch": self._position.epoch, "seq": self._position.seq}))

    async def close(self, code: int, reason: str) -> None:
        """Send everyone away; closing twice is harmless."""
        self._send_away(code, reason)
        self._viewers.clear()
        await self._stop_pump()
        await _cancel(self._idle)
        self._idle = None

    # --- the pump

    async def _run_pump(self) -> None:
        cursor = Cursor(position=self._position)
        try:
            while True:
                update = await self._engine.next_update(self.session_id, cursor)
                is_new_epoch = update.cursor.position.epoch != cursor.position.epoch
                cursor = update.cursor
                await self._dispatch(update, anew=is_new_epoch or not update.is_complete)
        except SessionClosed:
            self._send_away(INTERRUPTED, "the session was interrupted")
        except Exception:
            log.exception("the pump of session %s failed", self.session_id)
            self._send_away(FAILED, "the server failed to follow the session")

    def _send_away(self, code: int, reason: str) -> None:
        for viewer in self._viewers:
            viewer.mailbox.close(code, reason)

    async def _dispatch(self, update: Update, *, anew: bool) -> None:
        for viewer in self._viewers:
            if anew:
                viewer.await_snapshot()
            for published in update.events:
                viewer.offer(published)
            if update.frame is not None:
                viewer.offer_frame(update.frame)
        if anew:
            snapshot = await self._engine.snapshot(self.session_id)
            for viewer in self._viewers:
                viewer.begin(snapshot, self.num_viewers)
        self._position = update.cursor.position
        self._moved.beat()

    async def _stop_pump(self) -> None:
        pump, self._pump = self._pump, None
        self._moved.beat()
        await _cancel(pump)

    def _announce_viewers(self, *, besides: Viewer | None = None) -> None:
        for viewer in self._viewers:
            if viewer is not besides:
                self.tell(viewer, ViewersEvent(count=self.num_viewers))

    # --- idleness

    def watch_idleness(self) -> None:
        """Pause the session if nobody comes within `idle_pause` seconds."""
        if not self._viewers and self._idle is None:
            self._idle = asyncio.create_task(self._pause_when_idle())

    async def rest(self) -> None:
        """Pause the session now, until somebody comes."""
        await _cancel(self._idle)
        self._idle = None
        with contextlib.suppress(SessionClosed):
            snapshot = await self._engine.snapshot(self.session_id)
            explanation = snapshot.explanation
            if snapshot.status.state != "running" and not (explanation is not None and explanation.trains_after):
                return
            # first, since whoever comes meanwhile breaks this off and has to know
            self._paused_by_idleness = not self._counts_steps
            await self._engine.command(self.session_id, Pause())
            if self._paused_by_idleness:
                return
            # how many steps are left only the worker knows, and running on without an end is not what was asked for
            sentence = "The steps asked for were broken off, as nobody watched: step or run on."
            self.remember(NoticeEvent(level="info", code="steps_broken_off", sentence=sentence))

    async def _pause_when_idle(self) -> None:
        await asyncio.sleep(self._settings.idle_pause)
        await self.rest()

    async def _resume(self) -> None:
        await _cancel(self._idle)
        self._idle = None
        if self._paused_by_idleness:
            self._paused_by_idleness = False
            await self._engine.command(self.session_id, Run())


async def _cancel(task: asyncio.Task[None] | None) -> None:
    if task is not None and task is not asyncio.current_task():
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
