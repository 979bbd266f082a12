"""What the web side asks of whatever runs the sessions: worker processes here, a cluster elsewhere.

An engine is pulled, never pushes: whoever watches a session asks for the next update after what it has. That is also
the credit for frames, so a session that nobody watches samples none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from server.messages import ClientCommand, Event, SessionState, SnapshotEvent
from server.rest import CatalogueInfo, SessionRequest


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a session's stream of events; a higher epoch is later whatever the seq."""

    epoch: int = 0
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Published:
    """An event for all viewers as JSON; `is_notice` for a notice, which no snapshot holds."""

    position: Position
    text: str
    is_notice: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """What a watcher has: all events up to `position` and the frame numbered `frame`."""

    position: Position = Position()
    frame: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What came after a cursor; `is_complete` is false when events in between are no longer kept."""

    events: tuple[Published, ...]
    frame: bytes | None
    cursor: Cursor
    is_complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A session as bytes, written after `step` steps in `epoch`.

    `title` says what it learns and `dataset_id` from which uploaded table, if any. Opened again it is paused if
    `paused`, else as it was.
    """

    epoch: int
    step: int
    title: str
    dataset_id: str | None
    content: bytes
    paused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionReport:
    """What an engine knows of an open session without asking it."""

    session_id: str
    title: str
    state: SessionState
    step: int


class SessionClosed(Exception):
    """The session is not open here, or was closed while one waited for it."""


class Engine(Protocol):
    """Runs sessions. The calls that name an open session may raise SessionClosed."""

    async def open(self, session_id: str, beginning: SessionRequest | Checkpoint) -> Checkpoint:
        """Start a session or bring one back and return its first checkpoint; raises Refusal."""
        ...

    async def command(self, session_id: str, command: ClientCommand) -> Event:
        """Carry out a command and return its answer, an ErrorEvent for a refusal."""
        ...

    async def snapshot(self, session_id: str) -> SnapshotEvent:
        """Return everything a page needs; its epoch and seq say up to which event."""
        ...

    async def next_update(self, session_id: str, after: Cursor) -> Update:
        """Return what came after the cursor, waiting until something has."""
        ...

    async def close(self, session_id: str) -> None:
        """Forget the session; closing twice is harmless."""
        ...

    async def catalogue(self) -> CatalogueInfo:
        """Return what sessions can be made of."""
        ...

    def list(self) -> list[SessionReport]:
        """Return the open sessions."""
        ...
