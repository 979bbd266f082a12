"""What waits for one who watches a run: events in order, and of the progress only the newest."""

from __future__ import annotations

import asyncio
from collections import deque

from server.lab.messages import LabProgressEvent
from server.mailbox import MailboxClosed
from server.messages import Message
from server.rooms import TOO_SLOW


class LabViewer:
    """A bounded queue of events and one slot for progress, which a newer one replaces.

    Who lets more than `capacity` events wait is sent away: coming back brings the whole run.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._events: deque[str] = deque()
        self._progress: str | None = None
        self._closed: tuple[int, str] | None = None
        self._ready = asyncio.Event()

    def put(self, event: Message) -> None:
        """Queue an event; ignored after close."""
        if self._closed is not None:
            return
        if isinstance(event, LabProgressEvent):
            self._progress = event.model_dump_json()
        elif len(self._events) >= self._capacity:
            self.close(TOO_SLOW, "too slow: come back")
        else:
            self._events.append(event.model_dump_json())
        self._ready.set()

    def close(self, code: int, reason: str) -> None:
        """Drop what waits and end the reader with MailboxClosed; only the first close counts."""
        if self._closed is None:
            self._closed = (code, reason)
            self._events.clear()
            self._progress = None
            self._ready.set()

    async def get(self) -> str:
        """Return the next event as JSON, or the newest progress when none waits; raises MailboxClosed once closed."""
        while True:
            if self._closed is not None:
                raise MailboxClosed(*self._closed)
            if self._events:
                return self._events.popleft()
            if self._progress is not None:
                text, self._progress = self._progress, None
                return text
            self._ready.clear()
            await self._ready.wait()
