"""The stream of one session on the host's side: it numbers events and frames and keeps the newest of them."""

from __future__ import annotations

import struct
from collections import deque
from typing import TypeVar

from server.engine import Cursor, Position, Published, SessionClosed, Update
from server.messages import Event, NoticeEvent
from server.pulse import Pulse

CAPACITY = 256
EPOCH_OFFSET = 8
_EPOCH_AND_SEQ = struct.Struct("<2I")
AnyEvent = TypeVar("AnyEvent", bound=Event)


class Feed:
    """The newest 256 events of a session in order and its newest frame.

    Events are numbered from 1 in every epoch; frames are numbered through, so that an acknowledgement of a frame of
    an earlier epoch names no later one.
    """

    def __init__(self, epoch: int) -> None:
        self.position = Position(epoch, 0)
        self._forgotten = self.position
        self._events: deque[Published] = deque()
        self._frame = b""
        self._frame_number = 0
        self._changed = Pulse()
        self._closed = False

    def publish(self, event: Event) -> None:
        """Number the event and keep it, forgetting the oldest one beyond 256."""
        self.position = Position(self.position.epoch, self.position.seq + 1)
        stamped = self.stamp(event)
        self._events.append(Published(self.position, stamped.model_dump_json(), isinstance(event, NoticeEvent)))
        if len(self._events) > CAPACITY:
            self._forgotten = self._events.popleft().position
        self._changed.beat()

    def put_frame(self, frame: bytes) -> None:
        """Number the frame and keep it in place of the one before."""
        self._frame_number += 1
        stamped = bytearray(frame)
        _EPOCH_AND_SEQ.pack_into(stamped, EPOCH_OFFSET, self.position.epoch, self._frame_number)
        self._frame = bytes(stamped)
        self._changed.beat()

    def stamp(self, event: AnyEvent) -> AnyEvent:
        """Return the event with the newest position: how answers are numbered."""
        return event.model_copy(update={"epoch": self.position.epoch, "seq": self.position.seq})

    def begin_epoch(self) -> None:
        """Start the next epoch: what was published before is void."""
        self.position = self._forgotten = Position(self.position.epoch + 1, 0)
        self._events.clear()
        self._frame = b""
        self._changed.beat()

    def close(self) -> None:
        """End everyone's waiting with SessionClosed; closing twice is harmless."""
        self._closed = True
        self._changed.beat()

    async def wait(self, after: Cursor) -> Update:
        """Return what came after the cursor, waiting for it; raises SessionClosed."""
        while True:
            if self._closed:
                raise SessionClosed
            if self.position > after.position or (self._frame and self._frame_number > after.frame):
                return self._collect(after)
            await self._changed.wait()

    def _collect(self, after: Cursor) -> Update:
        return Update(
            events=tuple(event for event in self._events if event.position > after.position),
            frame=self._frame if self._frame and self._frame_number > after.frame else None,
            cursor=Cursor(position=self.position, frame=self._frame_number),
            is_complete=after.position >= self._forgotten,
        )
