"""A burst passes, then the rate holds."""

from __future__ import annotations

from server.rate_limit import TokenBucket


def test_a_burst_passes_and_then_the_rate_holds() -> None:
    bucket = TokenBucket(rate=2.0, burst=3, now=0.0)
    passed = [bucket.take(now) for now in (0.0, 0.0, 0.0, 0.0, 0.25, 0.5, 0.5)]
    assert passed == [True, True, True, False, False, True, False]


def test_silence_never_saves_up_more_than_the_burst() -> None:
    bucket = TokenBucket(rate=10.0, burst=2, now=0.0)
    assert [bucket.take(1000.0) for _ in range(3)] == [True, True, False]
