"""Formulas as one line of text that has one meaning: powers as ^, products as ·, and names told from all else.

Names come from people's files. Those that are identifiers stand as they are; others, and those that would look like a
constant of the same formula, stand in quotes: "a-b"^2, not a-b^2.
"""

from __future__ import annotations

import re
from typing import Any

import sympy as sp
from sympy.printing.precedence import PRECEDENCE
from sympy.printing.str import StrPrinter

_CONSTANTS = {sp.pi: "π", sp.E: "e"}


def plain_text(expression: Any) -> str:
    """Return one line of text, powers as ^, products as · and names that are no identifiers in quotes."""
    return str(_Printer(expression).doprint(expression))


def plain_number(text: str) -> str:
    """Return a number as SymPy prints it, without what no digit is lost by: 1.7e18 for 1.7e+18, 4899 for 4899.0."""
    mantissa, mark, exponent = text.partition("e")
    if mark or re.fullmatch(r"-?\d{4,}\.0?", mantissa):
        mantissa = re.sub(r"\.0?$", "", mantissa)
    return f"{mantissa}{mark}{exponent.removeprefix('+')}"


class _Printer(StrPrinter):
    """SymPy's printer of code with the signs that people write; what is printed already is never changed."""

    def __init__(self, expression: Any) -> None:
        super().__init__({"full_prec": False})
        self._taken = {_CONSTANTS.get(one, str(one)) for one in expression.atoms(sp.NumberSymbol)}

    def _print_Symbol(self, expr: Any) -> str:
        name = str(expr.name)
        if name.isidentifier() and name not in self._taken:
            return name
        # as in the file that the name may come from
        return '"' + name.replace('"', '""') + '"'

    def _print_Pi(self, expr: Any) -> Any:
        return _CONSTANTS[expr]

    def _print_Exp1(self, expr: Any) -> Any:
        return _CONSTANTS[expr]

    def _print_Float(self, expr: Any) -> str:
        return plain_number(str(super()._print_Float(expr)))

    def _print_Pow(self, expr: Any, rational: bool = False) -> str:
        if not rational and expr.exp == sp.S.Half:
            return f"sqrt({self._print(expr.base)})"
        if _is_below(expr):
            return f"1/{self._within(1 / expr, 'Mul')}"
        return f"{self._within(expr.base, 'Pow')}^{self._within(expr.exp, 'Pow')}"

    def _print_Mul(self, expr: Any) -> str:
        coefficient, rest = expr.as_coeff_Mul()
        size = abs(coefficient)
        numerator, denominator = (size.p, size.q) if size.is_Rational else (size, 1)
        above = [] if numerator == 1 else [self._print(numerator)]
        below = [] if denominator == 1 else [self._print(denominator)]
        for factor in rest.as_ordered_factors():
            if _is_below(factor):
                below.append(self._within(1 / factor, "Mul"))
            elif factor is not sp.S.One:
                above.append(self._within(factor, "Mul"))
        text = ("-" if coefficient < 0 else "") + ("·".join(above) or "1")
        if not below:
            return text
        return f"{text}/{below[0]}" if len(below) == 1 else f"{text}/({'·'.join(below)})"

    def _within(self, item: Any, whole: str) -> str:
        """Return a part of a product or a power, in parentheses where it binds no closer than the whole."""
        return str(self.parenthesize(item, PRECEDENCE[whole], strict=False))


def _is_below(factor: Any) -> bool:
    """Return whether a factor is written below the line of a fraction."""
    return bool(factor.is_Pow and factor.exp.is_number and factor.exp.is_negative)
