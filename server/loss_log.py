"""The losses over the steps, thinned so that a session of any length stays small."""

from __future__ import annotations

from collections.abc import Iterable

from server.messages import LossPoint

MAX_POINTS = 2000
MAX_POINTS_PER_EVENT = 10


class LossLog:
    """At most 2000 points; when full, every second one of them goes. Not more than 10 join at a time."""

    def __init__(self, points: Iterable[LossPoint] = ()) -> None:
        self.points: list[LossPoint] = list(points)
        self._pending: list[LossPoint] = []

    def add(self, point: LossPoint) -> None:
        """Note a point for the next `take`."""
        self._pending.append(point)

    def take(self) -> list[LossPoint]:
        """Return the points noted since the last call, thinned to 10 with the newest among them, and keep them."""
        stride = -(-len(self._pending) // MAX_POINTS_PER_EVENT)
        taken = self._pending[::-1][:: max(stride, 1)][::-1]
        self._pending = []
        self.points.extend(taken)
        if len(self.points) > MAX_POINTS:
            self.points = self.points[-1::-2][::-1]
        return taken
