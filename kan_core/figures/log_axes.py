"""Logarithmic axes that can be read: where they end, and a handful of numbers to go by.

Left alone, Plotly writes either every digit between two powers of ten or next to none. Here an axis has powers of ten
where it is long enough for three of them, else also 2 and 5 times those, else every digit.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from kan_core.powers import power_text

# across there is less room, as numbers lie side by side
MAX_TICKS, MAX_ACROSS = 7, 5
FEWEST_TICKS = 3
# of the axis, left free at either end
MARGIN = 0.06
# an axis of one value alone, in powers of ten
NARROWEST = 0.5


def log_axis(values: Iterable[float], *, ticks: Sequence[float] = (), max_ticks: int = MAX_TICKS) -> dict[str, Any]:
    """Return Plotly's settings of a logarithmic axis around positive values, with `ticks` at some of them if given.

    There are at most `max_ticks` others. Numbers that are not positive and finite have no place on it. Of no values at
    all it goes from 0.001 to 1.
    """
    low, high = _ends(values)
    chosen = list(ticks) if ticks else _choose_ticks(low, high, max_ticks)
    if ticks:
        chosen = _thin(sorted(chosen), high - low)
    return {
        "type": "log",
        "tickangle": 0,
        "range": [low, high],
        "tickmode": "array",
        "tickvals": chosen,
        "ticktext": _say_all(chosen),
    }


def _ends(values: Iterable[float]) -> tuple[float, float]:
    """Return the ends of the axis as powers of ten."""
    logs = [math.log10(value) for value in values if math.isfinite(value) and value > 0]
    if not logs:
        return -3.0, 0.0
    low, high = min(logs), max(logs)
    missing = max(0.0, NARROWEST - (high - low)) / 2
    margin = MARGIN * (high - low)
    return low - missing - margin, high + missing + margin


def _choose_ticks(low: float, high: float, max_ticks: int) -> list[float]:
    """Return the fewest of powers of ten, those with 2 and 5, or all digits, that are enough."""
    powers = [power for power in range(math.floor(low), math.ceil(high) + 1) if low <= power <= high]
    stride = math.ceil(len(powers) / max_ticks) if powers else 1
    # the strides are counted from 1, so that axes side by side have the same powers
    found = [10.0**power for power in powers if power % stride == 0]
    for digits in ((1, 2, 5), range(1, 10)):
        if len(found) >= FEWEST_TICKS:
            break
        every = (digit * 10.0**power for power in range(math.floor(low), math.ceil(high) + 1) for digit in digits)
        found = [value for value in every if low <= math.log10(value) <= high]
    return found if len(found) <= max_ticks else found[:: math.ceil(len(found) / max_ticks)]


def _thin(values: list[float], length: float) -> list[float]:
    """Return the values that are far enough from each other to be written, the first always."""
    apart, kept = length / 12, values[:1]
    for value in values[1:]:
        if math.log10(value / kept[-1]) >= apart:
            kept.append(value)
    return kept


def _say_all(values: Sequence[float]) -> list[str]:
    """Return numbers in one style: in full where all are short so, else by powers of ten."""
    if all(1e-3 <= value < 1e6 for value in values):
        return [f"{value:g}" if value < 1000 else f"{value:,.0f}" for value in values]
    return [_say_power(value) for value in values]


def _say_power(value: float) -> str:
    """Return a number as in 10⁻³ or 2·10⁻³."""
    power = math.floor(math.log10(value) + 1e-9)
    digit = f"{value / 10.0**power:g}"
    told = power_text("10", power, style=".0f")
    return told if digit == "1" else f"{digit}·{told}"
