"""Checks of arguments that specs share."""

from __future__ import annotations

import math

from kan_core.errors import SpecError


def check_integer(name: str, value: object, *, low: int, high: int) -> int:
    """Return `value` when it is an integer within [low, high]; raises SpecError otherwise."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise SpecError(
            f"{name} is an integer from {low} to {high}, received {name}={value!r}: choose one in that range"
        )
    return value


def check_number(name: str, value: float, *, low: float, high: float, above: bool = False) -> float:
    """Return `value` as a float within [low, high] (above `low` if `above`); raises SpecError otherwise."""
    inside = low < value <= high if above else low <= value <= high
    if not math.isfinite(value) or not inside:
        bound = "above" if above else "from"
        raise SpecError(
            f"{name} is a number {bound} {low:g} to {high:g}, received {name}={value!r}: choose one in that range"
        )
    return float(value)


def check_choice(name: str, value: str, choices: tuple[str, ...]) -> str:
    """Return `value` when it is one of `choices`; raises SpecError otherwise."""
    if value not in choices:
        raise SpecError(f"{name} is one of {', '.join(choices)}, received {name}={value!r}: choose one of these")
    return value
