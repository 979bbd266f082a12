"""Formulas for spreadsheets.

Each output is one cell's formula over the cells of a row of inputs, so no column name can be mistaken for a function,
a cell or a unit. Excel reads a minus before a power as part of its base and chains of powers from the left; both are
put in brackets. Excel itself keeps 15 digits of a number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sympy.core.function import AppliedUndef

from kan_core.errors import ExportError
from kan_core.writing import ATOM, SUM, Text, TextWriter, write

# what Excel allows in one cell
MAX_LENGTH = 8192

_NAMES: Mapping[str, str] = MappingProxyType({"log": "LN", "erf": "ERF"})
_PLAIN = ("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh")
_MORE = ("exp", "sqrt", "abs", "sign", "min", "max")


def excel_formulas(
    expressions: Sequence[Any], *, input_names: Sequence[str], cells: Sequence[str] | None = None
) -> list[str]:
    """Return a cell's formula for each expression, beginning with =.

    `cells` are those of the inputs, in their order; left out, they are A2, B2, … below a row of names. Raises
    ExportError when a curve remains, a function has no name in Excel, or a formula is too long for a cell.
    """
    places = [f"{column_letters(index)}2" for index in range(len(input_names))] if cells is None else list(cells)
    if len(places) != len(input_names):
        raise ExportError(
            f"cells has a cell for each of {len(input_names)} inputs, received {tuple(places)}: name every cell"
        )
    writer = _ExcelWriter(dict(zip(input_names, places, strict=True)))
    return [_formula(expression, writer) for expression in expressions]


def column_letters(index: int) -> str:
    """Return the letters of a spreadsheet's column, counted from 0: A, B, …, Z, AA, …"""
    letters = ""
    number = index + 1
    while number > 0:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _formula(expression: Any, writer: _ExcelWriter) -> str:
    curves = sorted(type(curve).__name__ for curve in expression.atoms(AppliedUndef))
    if curves:
        raise ExportError(
            f"a spreadsheet's formula has no curves, received {len(set(curves))} of them, {curves[0]} among these: "
            "find formulas for them first"
        )
    text = f"={write(expression, writer).text}"
    if len(text) > MAX_LENGTH:
        raise ExportError(
            f"a spreadsheet's cell holds {MAX_LENGTH} characters, received a formula of {len(text)}: cut edges first"
        )
    return text


class _ExcelWriter(TextWriter):
    """Excel's English names; `cells` are those of the variables."""

    language = "Excel"
    power_sign = "^"

    def __init__(self, cells: Mapping[str, str]) -> None:
        self._cells = cells

    def fraction(self, value: float) -> str:
        """Return a number that is no integer, its exponent with a capital E."""
        return repr(value).upper()

    def symbol(self, name: str) -> Text:
        """Return the variable's cell."""
        return Text(self._cells[name])

    def negate(self, part: Text) -> Text:
        """Return the part with a minus sign, in brackets: a minus binds more tightly than a power here."""
        return Text(f"-{part.within(ATOM)}", SUM)

    def power(self, base: Text, exponent: Text) -> Text:
        """Return a power in brackets."""
        return Text(f"({super().power(base, exponent).text})")

    def call(self, name: str, arguments: Sequence[Text]) -> Text | None:
        """Return Excel's function, applied; None when it has none."""
        inside = ",".join(argument.text for argument in arguments)
        if name == "step":
            return Text(f"((1 + SIGN({inside})) / 2)")
        if name == "j0":
            return Text(f"BESSELJ({inside},0)")
        known = name.upper() if name in (*_PLAIN, *_MORE) else _NAMES.get(name)
        return None if known is None else Text(f"{known}({inside})")
