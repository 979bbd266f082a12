"""Formulas as the browser draws them, from SymPy's printer without torch."""

from __future__ import annotations

import re
from typing import Any

from sympy.printing.mathml import mathml


def presentation(expression: Any) -> str:
    """Return presentation MathML without the <math> element, curves as φ with indices."""
    markup = str(mathml(expression, printer="presentation"))
    for old, new in (("&ExponentialE;", "e"), ("&dd;", "d"), ("<mo>-</mo>", "<mo>−</mo>"), ("<mn>-", "<mn>−")):
        markup = markup.replace(old, new)
    return re.sub(r"<mi>phi_(\d+)_(\d+)_(\d+)</mi>", r"<msub><mi>φ</mi><mn>\1,\2,\3</mn></msub>", markup)
