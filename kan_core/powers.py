"""Powers as people write them, the exponent set high."""

from __future__ import annotations

import html

_HIGH = str.maketrans("0123456789-.", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻·")


def power_text(base: str, exponent: float, *, style: str = ".2f") -> str:
    """Return a power in letters alone, as G⁻⁴·⁰⁷, for sentences; `style` is how the exponent is written."""
    return f"{base}{format(exponent, style).translate(_HIGH)}"


def power_html(base: str, exponent: float, *, style: str = ".2f") -> str:
    """Return a power as HTML and Plotly show it, as G<sup>−4.07</sup>; `style` is how the exponent is written."""
    return f"{html.escape(base)}<sup>{format(exponent, style).replace('-', '−')}</sup>"
