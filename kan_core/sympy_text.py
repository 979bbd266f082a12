"""Expressions as text that SymPy reads back with the names of columns as its symbols.

`sympy.sympify(text, locals={name: sympy.Symbol(name), …})` gives the expression again, whatever columns are named: a
name that SymPy has for something else stays the column's, and the constant of that name is written as a number.
"""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Collection, Sequence
from typing import Any

import sympy as sp

from kan_core.names import identifiers

# what SymPy's reader writes into the text before it evaluates it
_READER = frozenset({"Integer", "Float", "Symbol", "Function"})
DIGITS = 17


def symbol_names(names: Sequence[str], *, called: Collection[str] = ()) -> list[str]:
    """Return the names as symbols, all different.

    Those that can be symbols stay. In others signs that no symbol has become _, and v_ comes before keywords, digits
    and the functions that are `called` beside them; where another column has that name, one more _ comes behind it.
    """
    taken = _READER | set(called)
    return identifiers(names, reserved=taken, kept={name for name in names if _is_symbol(name) and name not in taken})


def functions_called(expressions: Sequence[Any]) -> set[str]:
    """Return the names of the functions in the expressions as text."""
    calls = set[str]()
    for expression in expressions:
        nameless = expression.xreplace({symbol: sp.Symbol("x") for symbol in expression.free_symbols})
        calls.update(re.findall(r"([^\W\d]\w*)\(", str(sp.sstr(nameless))))
    return calls


def sympy_text(expression: Any, *, symbols: Collection[str]) -> str:
    """Return the expression with constants in full; those that would read as one of `symbols` are numbers.

    `symbols` are all that the text is read with, also those that are not in it.
    """
    clashing = {one: sp.Float(one, DIGITS) for one in expression.atoms(sp.NumberSymbol) if str(one) in symbols}
    return str(sp.sstr(expression.xreplace(clashing)))


def _is_symbol(name: str) -> bool:
    # Python reads ſ as s
    is_normal = unicodedata.normalize("NFKC", name) == name
    return name.isidentifier() and is_normal and not keyword.iskeyword(name)
