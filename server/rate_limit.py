"""How often one viewer may speak."""

from __future__ import annotations


class TokenBucket:
    """Lets `burst` messages through at once and `rate` a second in the long run; times are given by the caller."""

    def __init__(self, *, rate: float, burst: int, now: float) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._tokens = float(burst)
        self._filled = now

    def take(self, now: float) -> bool:
        """Return whether a message at `now` (seconds of a monotonic clock) may pass, and count it if so."""
        self._tokens = min(self._burst, self._tokens + (now - self._filled) * self._rate)
        self._filled = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True
