"""Queries that wait for their turn in a worker."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from server.messages import ShortQuery


@dataclass(frozen=True, slots=True)
class Asked:
    """A query that waits, with the token that its answer carries."""

    session_id: str
    token: bytes
    query: ShortQuery


class QueryLine:
    """Queries in the order in which they came, at most `capacity`; one more is refused. Times are seconds.

    What answering took must be given back to training before the next query's turn, so that many queries take at most
    half of a worker's time from the sessions that train in it.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._waiting: deque[Asked] = deque()
        self._debt = 0.0

    def put(self, asked: Asked) -> bool:
        """Let a query wait and return True, or return False when the line is full."""
        if len(self._waiting) >= self._capacity:
            return False
        self._waiting.append(asked)
        return True

    def wait(self, *, is_training: bool) -> float | None:
        """Return the seconds that sessions must be given before the next query's turn, None when there is none."""
        if not self._waiting:
            return None
        return self._debt if is_training else 0.0

    def take(self) -> Asked:
        """Return the query whose turn it is."""
        return self._waiting.popleft()

    def spend(self, seconds: float) -> None:
        """Note how long answering took."""
        self._debt = seconds

    def give_back(self, seconds: float) -> None:
        """Note for how long sessions had the worker to themselves."""
        self._debt = max(0.0, self._debt - seconds)

    def leave(self, session_id: str) -> list[Asked]:
        """Take the session's queries out of the line and return them."""
        left = [asked for asked in self._waiting if asked.session_id == session_id]
        self._waiting = deque(asked for asked in self._waiting if asked.session_id != session_id)
        return left
