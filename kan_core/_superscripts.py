"""Powers in plain text."""

from __future__ import annotations

_RAISED = str.maketrans("-.0123456789", "⁻·⁰¹²³⁴⁵⁶⁷⁸⁹")


def raised(exponent: float) -> str:
    """Return an exponent above the line, an integer in full and others to two places, as in ⁻⁴·⁰⁷."""
    return (str(exponent) if isinstance(exponent, int) else f"{exponent:.2f}").translate(_RAISED)
