"""Formulas as the browser draws them, from SymPy's printer without torch."""

from __future__ import annotations

import re
import unicodedata
from html import escape
from typing import Any

import sympy as sp
from sympy.printing.mathml import mathml


def presentation(expression: Any) -> str:
    """Return presentation MathML without the <math> element, curves as φ with indices.

    Names come from people's files: they go in as escaped text, never as SymPy prints them.
    """
    symbols = sorted(expression.free_symbols, key=lambda symbol: str(symbol.name))
    # ordered as the names are, so that terms stand where they would
    stand_ins = {symbol: sp.Symbol(f"v{index:04d}q") for index, symbol in enumerate(symbols)}
    markup = str(mathml(expression.xreplace(stand_ins), printer="presentation"))
    for old, new in (("&ExponentialE;", "e"), ("&dd;", "d"), ("<mo>-</mo>", "<mo>−</mo>"), ("<mn>-", "<mn>−")):
        markup = markup.replace(old, new)
    markup = re.sub(r"<mn>(−?\d{4,})\.0</mn>", r"<mn>\1</mn>", markup)
    markup = re.sub(r"<mi>phi_(\d+)_(\d+)_(\d+)</mi>", r"<msub><mi>φ</mi><mn>\1,\2,\3</mn></msub>", markup)
    return re.sub(r"<mi>v(\d{4})q</mi>", lambda found: name_markup(str(symbols[int(found[1])].name)), markup)


def name_markup(name: str) -> str:
    """Return a name as MathML: Greek letters but π as themselves, a number at its end as an index."""
    parts = re.fullmatch(r"([^\W\d_]+)_?(\d+)", name)
    if parts is None:
        return f"<mi>{escape(_letter(name))}</mi>"
    return f"<msub><mi>{escape(_letter(parts[1]))}</mi><mn>{parts[2]}</mn></msub>"


def _letter(name: str) -> str:
    if name == "pi":
        # π is the number
        return name
    try:
        return unicodedata.lookup(f"GREEK SMALL LETTER {name}") if name.isascii() and name.isalpha() else name
    except KeyError:
        return name
