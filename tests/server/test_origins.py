"""Foreign pages are told from our own."""

from __future__ import annotations

import pytest

from server.origins import same_origin


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        (None, "127.0.0.1:8000"),
        ("http://127.0.0.1:8000", "127.0.0.1:8000"),
        ("http://LOCALHOST:8000", "localhost:8000"),
        ("https://kan.example", "kan.example"),
        ("http://[::1]:8000", "[::1]:8000"),
    ],
)
def test_own_pages_pass(origin: str | None, host: str) -> None:
    assert same_origin(origin, host)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://evil.example", "127.0.0.1:8000"),
        ("http://127.0.0.1:9000", "127.0.0.1:8000"),
        ("http://127.0.0.1.evil.example:8000", "127.0.0.1:8000"),
        ("http://127.0.0.1:8000@evil.example", "127.0.0.1:8000"),
        ("null", "127.0.0.1:8000"),
        ("file://127.0.0.1:8000", "127.0.0.1:8000"),
        ("http://127.0.0.1:port", "127.0.0.1:8000"),
        ("http://127.0.0.1:8000", None),
    ],
)
def test_foreign_and_broken_origins_do_not(origin: str, host: str | None) -> None:
    assert not same_origin(origin, host)
