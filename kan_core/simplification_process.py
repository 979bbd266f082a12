"""The process in which SymPy simplifies: an expression comes in pickled, the simplest form found goes out pickled.

Its input and output are files of the process that started it, which trusts what it wrote itself.
"""

from __future__ import annotations

import pickle
import signal
import sys
from collections.abc import Callable
from typing import Any

import sympy as sp


def _expanded(expression: Any) -> Any:
    return sp.simplify(sp.expand(expression))


_WAYS: tuple[Callable[[Any], Any], ...] = (
    sp.simplify,
    sp.factor_terms,
    sp.powsimp,
    sp.trigsimp,
    _expanded,
)


def simplest_form(expression: Any) -> Any:
    """Return the form of fewest operations that SymPy finds."""
    return min((expression, *(way(expression) for way in _WAYS)), key=sp.count_ops)


def main(seconds: int) -> None:
    """Simplify what comes in; end after so many seconds even if whoever asked is gone and cannot end it."""
    if hasattr(signal, "alarm"):
        signal.alarm(seconds)
    pickle.dump(simplest_form(pickle.load(sys.stdin.buffer)), sys.stdout.buffer)


if __name__ == "__main__":
    main(int(sys.argv[1]))
