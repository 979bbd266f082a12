"""What is wrong with a message, in one sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

MAX_SHOWN = 60


# the values are of any type: they are what somebody sent
def describe_invalid(complaints: Sequence[Mapping[str, Any]]) -> str:
    """Return the first of pydantic's complaints: the field, what it must be and what was received."""
    first = complaints[0]
    received = _shorten(repr(first["input"]))
    if first["type"] == "json_invalid":
        return f"A message is JSON, received {received}."
    if first["type"] == "union_tag_not_found":
        return f"A message has a type, received {received}."
    if first["type"] == "union_tag_invalid" and not first["loc"]:
        return f"There is no command of type {_shorten(first['ctx']['tag'])!r}."
    place = ".".join(str(part) for part in first["loc"] if part != "body") or "the message"
    return f"{place}: {first['msg'].rstrip('.')}, received {received}."


def _shorten(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"
