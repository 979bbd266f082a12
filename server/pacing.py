"""When the next training step is due, and how fast steps come."""

from __future__ import annotations

from collections import deque

MAX_BACKLOG = 0.1
SPEED_WINDOW = 1.0


class Pace:
    """Spreads steps evenly over time; all times are seconds of one monotonic clock, given by the caller.

    A worker that falls behind catches up by at most 0.1 s worth of steps.
    """

    def __init__(self) -> None:
        self._due = 0.0
        self._ticks: deque[tuple[float, int]] = deque()

    def wait(self, now: float, steps_per_second: float | None) -> float:
        """Return how many seconds are left until the next step, 0 when it is due or the speed has no limit."""
        if steps_per_second is None:
            return 0.0
        return max(0.0, min(self._due - now, 1.0 / steps_per_second))

    def stepped(self, now: float, steps_per_second: float | None) -> None:
        """Note a step at `now`."""
        if steps_per_second is not None:
            self._due = max(min(self._due, now + 1.0 / steps_per_second), now - MAX_BACKLOG) + 1.0 / steps_per_second

    def measure(self, now: float, num_steps: int) -> float:
        """Return the steps a second over about the last second, given how many were done in all by `now`."""
        self._ticks.append((now, num_steps))
        while len(self._ticks) > 2 and self._ticks[1][0] <= now - SPEED_WINDOW:
            self._ticks.popleft()
        start, before = self._ticks[0]
        return (num_steps - before) / (now - start) if now > start else 0.0

    def rest(self) -> None:
        """Forget the speed: training stopped."""
        self._ticks.clear()
        self._due = 0.0
