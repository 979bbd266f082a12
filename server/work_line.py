"""Answers in the making in a worker, and whose turn it is."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from server.works import Work


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
