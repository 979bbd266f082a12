"""Formulas in LaTeX, such that what is written has one meaning.

SymPy's printer with the signs of ISO 80000-2: ln, arcsin and artanh rather than log, asin and atanh, sgn, a power of a
function behind its name, and curves as φ with the indices layer, source, target.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import sympy as sp
from sympy.printing.latex import LatexPrinter

from kan_core.names import latex_names


def latex_expression(expression: Any, *, names: Mapping[str, str] | None = None) -> str:
    """Return the expression in LaTeX; `names` are those of its symbols, by default each symbol's own escaped."""
    symbols = sorted(expression.free_symbols, key=lambda symbol: str(symbol.name))
    shown = latex_names([symbol.name for symbol in symbols])
    if names is not None:
        shown = [names.get(symbol.name, latex) for symbol, latex in zip(symbols, shown, strict=True)]
    settings = {
        "ln_notation": True,
        "inv_trig_style": "full",
        "symbol_names": dict(zip(symbols, shown, strict=True)),
    }
    return str(_Printer(settings).doprint(expression))


def latex_equations(
    outputs: Sequence[str], expressions: Sequence[sp.Expr], *, names: Mapping[str, str] | None = None
) -> str:
    """Return `output = expression` for each output, one below the other; all names are in LaTeX already."""
    lines = [f"{name} = {latex_expression(one, names=names)}" for name, one in zip(outputs, expressions, strict=True)]
    return r" \\ ".join(lines)


class _Printer(LatexPrinter):
    """SymPy's printer, in which every power of a function stands behind the function's name."""

    def _print_log(self, expr: Any, exp: str | None = None) -> str:
        return self._call(r"\ln", expr, exp)

    def _print_Float(self, expr: Any) -> str:
        return re.sub(r"^(-?\d{4,})\.0$", r"\1", str(super()._print_Float(expr)))

    def _print_sign(self, expr: Any, exp: str | None = None) -> str:
        return self._call(r"\operatorname{sgn}", expr, exp)

    def _print_Heaviside(self, expr: Any, exp: str | None = None) -> str:
        return self._call(r"\Theta", expr, exp)

    def _print_Function(self, expr: Any, exp: str | None = None) -> str:
        curve = re.fullmatch(r"phi_(\d+)_(\d+)_(\d+)", type(expr).__name__)
        if curve is None:
            return str(super()._print_Function(expr, exp))
        return self._call(rf"\varphi_{{{','.join(curve.groups())}}}", expr, exp)

    def _call(self, name: str, expr: Any, exp: str | None) -> str:
        power = "" if exp is None else f"^{{{exp}}}"
        arguments = ", ".join(str(self._print(argument)) for argument in expr.args[:1])
        return rf"{name}{power}{{\left({arguments} \right)}}"
