"""Checks of what a spec of the lab holds; each raises SpecError with one sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

from kan_core._checks import check_integer, check_row
from kan_core.errors import KanError, SpecError

MAX_TEXT = 400


def check_text(name: str, value: object, *, largest: int = MAX_TEXT) -> str:
    """Return a text of one line that is not empty."""
    if not isinstance(value, str) or not value.strip() or len(value) > largest or not value.isprintable():
        shown = repr(value) if len(repr(value)) <= 80 else f"{repr(value)[:80]}…"
        raise SpecError(f"{name} is one line of 1 to {largest} characters, received {shown}: give another")
    return value


def check_integers(name: str, values: object, *, low: int, high: int) -> tuple[int, ...]:
    """Return different integers within bounds."""
    row = check_row(name, values)
    checked = tuple(check_integer(f"{name}[{index}]", one, low=low, high=high) for index, one in enumerate(row))
    twice = [one for one, count in Counter(checked).items() if count > 1]
    if twice:
        raise SpecError(f"{name} are all different, received {twice[0]} more than once: leave it out")
    return checked


def check_names(kind: str, names: Sequence[str]) -> None:
    """Refuse no names at all, and a name that two have."""
    if not names:
        raise SpecError(f"{kind} are at least one, received none: add one")
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise SpecError(f"{kind} have different names, received {twice[0]!r} more than once: rename one")


def check_flag(name: str, value: object) -> None:
    """Refuse anything but true and false."""
    if not isinstance(value, bool):
        raise SpecError(f"{name} is true or false, received {name}={value!r}: choose one")


@contextmanager
def said_of(owner: str) -> Generator[None]:
    """Put the name of what is wrong before the sentence that says it."""
    try:
        yield
    except KanError as error:
        raise SpecError(f"{owner}: {error}") from error


def set_values(owner: object, names: Sequence[str]) -> dict[str, Any]:
    """Return the fields that are set, tuples as lists."""
    values = {name: getattr(owner, name) for name in names}
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in values.items() if value is not None
    }
