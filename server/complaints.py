"""What is wrong with a message, in one sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

MAX_SHOWN = 60


# the values are of any type: they are what somebody sent
def describe_invalid(complaints: Sequence[Mapping[str, Any]]) -> str:
    """Return the first of pydantic's complaints: the field, what it must be and what was received."""
    first = complaints[0]
    place = ".".join(str(part) for part in first["loc"] if part != "body") or "the message"
    received = repr(first["input"])
    if len(received) > MAX_SHOWN:
        received = received[: MAX_SHOWN - 1] + "…"
    return f"{place}: {first['msg'].rstrip('.')}, received {received}."
