"""Answers in the making in a worker, and whose turn it is."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from kan_core.errors import KanError
from server.messages import ErrorEvent, Event
from server.refusal import Refusal
from server.works import Work

Made = TypeVar("Made")
log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Working:
    """A work with who waits for it; `due` is when to advance it next, in seconds of the worker's clock."""

    session_id: str
    token: bytes
    request_id: int | None
    work: Work
    due: float = 0.0


class WorkLine:
    """At most `capacity` works that take turns; one more is refused. Times are seconds.

    Of those that keep a process busy at most `max_processes` are at it, in the order in which they came.
    """

    def __init__(self, capacity: int, *, max_processes: int) -> None:
        self._capacity, self._max_processes = capacity, max_processes
        self._waiting: deque[Working] = deque()

    def put(self, working: Working) -> bool:
        """Let a work have turns and return True, or return False when the line is full."""
        if len(self._waiting) >= self._capacity:
            return False
        self._waiting.append(working)
        return True

    def wait(self, now: float) -> float | None:
        """Return the seconds until the next turn, None when there is none."""
        return min((max(0.0, working.due - now) for working in self._active()), default=None)

    def take(self, now: float) -> Working | None:
        """Take out the work whose turn it is, None when none is due."""
        working = next((one for one in self._active() if one.due <= now), None)
        if working is not None:
            self._waiting.remove(working)
        return working

    def put_back(self, working: Working, now: float) -> None:
        """Let a work that had its turn wait for the next."""
        working.due = now + working.work.wait()
        if working.work.has_process:
            # who has a process keeps it
            self._waiting.appendleft(working)
        else:
            self._waiting.append(working)

    def advance(self, seconds: float, clock: Callable[[], float]) -> tuple[Working, Event] | None:
        """Let the work whose turn it is go on for at most `seconds` and one bit more, and return it once it is done.

        It comes with its answer, or with what went wrong.
        """
        start = clock()
        working = self.take(start)
        if working is None:
            return None
        event = guarded(lambda: _work_on(working.work, start + seconds, clock))
        if event is None:
            self.put_back(working, clock())
            return None
        working.work.close()
        return working, event.model_copy(update={"request_id": working.request_id})

    def leave(self, session_id: str | None = None) -> list[Working]:
        """Take out and close the works of a session, or all of them, and return them."""
        left = [one for one in self._waiting if session_id in (None, one.session_id)]
        self._waiting = deque(one for one in self._waiting if one not in left)
        for one in left:
            one.work.close()
        return left

    def _active(self) -> list[Working]:
        with_process = [one for one in self._waiting if one.work.has_process][: self._max_processes]
        return [one for one in self._waiting if not one.work.has_process or one in with_process]


def _work_on(work: Work, end: float, clock: Callable[[], float]) -> Event | None:
    while (event := work.advance()) is None and work.wait() == 0.0 and clock() < end:
        pass
    return event


def guarded(make: Callable[[], Made]) -> Made | ErrorEvent:
    """Return what `make` returns, or why it does not."""
    try:
        return make()
    except Refusal as refusal:
        return ErrorEvent(code=refusal.code, sentence=refusal.sentence)
    except KanError as error:
        return ErrorEvent(code="bad_request", sentence=str(error))
    except Exception:
        log.exception("a long query failed")
        return ErrorEvent(code="unexpected", sentence="Something unexpected went wrong with this question: ask again.")
