"""What waits for one viewer: events in order, and of the frames only the newest."""

from __future__ import annotations

import asyncio
import struct
from collections import deque

from server.frames import FLAG_GRIDS, FLAG_NODES, FLAGS_OFFSET, HEADER

GRID_REVISION_OFFSET = 20
EDGES_OFFSET = 28
SEQ_OFFSET = 12
_U32 = struct.Struct("<I")
_COUNTS = struct.Struct("<3I")


class MailboxOverflow(Exception):
    """The viewer reads too slowly: more events wait than its mailbox holds."""


class MailboxClosed(Exception):
    """Nothing comes any more; `code` and `reason` are those of the websocket's close."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Mailbox:
    """A bounded queue of event texts and one slot for a frame.

    A newer frame replaces an unsent one. A frame is handed out only while the viewer has credit: one frame may be
    unacknowledged. Events never wait for frames. At most `capacity` events wait; one more raises MailboxOverflow.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._events: deque[str] = deque()
        self._frame: bytes | None = None
        self._awaited: int | None = None
        self._grid_revision: tuple[int, int] | None = None
        self._closed: tuple[int, str] | None = None
        self._ready = asyncio.Event()

    @property
    def awaits_ack(self) -> bool:
        """Whether a frame was handed out that the viewer has not painted yet."""
        return self._awaited is not None

    def put_event(self, text: str) -> None:
        """Queue an event; ignored after close. Raises MailboxOverflow when `capacity` events wait already."""
        if self._closed is not None:
            return
        if len(self._events) >= self._capacity:
            raise MailboxOverflow(f"{len(self._events)} events wait for a viewer that reads too slowly")
        self._events.append(text)
        self._ready.set()

    def put_frame(self, frame: bytes) -> None:
        """Keep the frame as the newest one; ignored after close."""
        if self._closed is None:
            self._frame = frame
            self._ready.set()

    def acknowledge(self, seq: int) -> None:
        """Give credit for the next frame if `seq` is the frame that was handed out; anything else changes nothing."""
        if seq == self._awaited:
            self._awaited = None
            self._ready.set()

    def forget_grids(self) -> None:
        """Send x grids with the next frame: the viewer asked for everything anew. Its credit returns too."""
        self._grid_revision = None
        self._awaited = None
        self._ready.set()

    def close(self, code: int, reason: str) -> None:
        """Drop what waits and end the reader with MailboxClosed; only the first close counts."""
        if self._closed is None:
            self._closed = (code, reason)
            self._events.clear()
            self._frame = None
            self._ready.set()

    async def get(self) -> str | bytes:
        """Return the next event, or the newest frame when no event waits; raises MailboxClosed once closed."""
        while True:
            if self._closed is not None:
                raise MailboxClosed(*self._closed)
            if self._events:
                return self._events.popleft()
            if self._frame is not None and self._awaited is None:
                return self._take_frame(self._frame)
            self._ready.clear()
            await self._ready.wait()

    def _take_frame(self, frame: bytes) -> bytes:
        self._frame = None
        self._awaited = _read(frame, SEQ_OFFSET)
        if not _read(frame, FLAGS_OFFSET) & FLAG_GRIDS:
            return frame
        revision = (_read(frame, 8), _read(frame, GRID_REVISION_OFFSET))
        if revision == self._grid_revision:
            return strip_grids(frame)
        self._grid_revision = revision
        return frame


def strip_grids(frame: bytes) -> bytes:
    """Return the frame without its x grids: the tail cut off and the flag cleared; N is left as it was."""
    num_edges, num_points, num_nodes = _COUNTS.unpack_from(frame, EDGES_OFFSET)
    has_weights = _read(frame, FLAGS_OFFSET) & FLAG_NODES
    numbers = 2 * num_edges + num_nodes * num_points if has_weights else num_edges * (1 + num_points)
    end = HEADER.size + 4 * numbers
    stripped = bytearray(frame[:end])
    _U32.pack_into(stripped, FLAGS_OFFSET, _read(frame, FLAGS_OFFSET) & ~FLAG_GRIDS)
    return bytes(stripped)


def _read(frame: bytes, offset: int) -> int:
    return _U32.unpack_from(frame, offset)[0]
