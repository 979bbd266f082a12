"""Walking a SymPy expression from the inside out, for languages that SymPy does not write or not as we need it.

A `Writer` says what numbers, names, sums, products, powers and calls are in its language; `write` puts an expression
together of them. Roots and quotients are told apart from other powers, since most languages have a sign for them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

import sympy as sp

from kan_core.errors import ExportError

Part = TypeVar("Part")

# how tightly a piece of text holds together, which decides on brackets around it
SUM, PRODUCT, POWER, ATOM = range(4)

# the functions that writers know, by SymPy's class names
CALLS: Mapping[str, str] = MappingProxyType(
    {
        **{name: name for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "exp", "log", "sign", "erf")},
        **{name: name for name in ("asin", "acos", "atan", "asinh", "acosh", "atanh")},
        "Abs": "abs",
        "Heaviside": "step",
        "Min": "min",
        "Max": "max",
    }
)


class Writer(Protocol[Part]):
    """What the parts of an expression are in one language; `language` is what people call it."""

    language: str

    def number(self, value: float) -> Part:
        """Return a number."""
        ...

    def symbol(self, name: str) -> Part:
        """Return a variable."""
        ...

    def add(self, terms: Sequence[Part]) -> Part:
        """Return a sum of two terms or more."""
        ...

    def multiply(self, factors: Sequence[Part]) -> Part:
        """Return a product of two factors or more."""
        ...

    def divide(self, left: Part, right: Part) -> Part:
        """Return a quotient."""
        ...

    def negate(self, part: Part) -> Part:
        """Return the part with a minus sign."""
        ...

    def power(self, base: Part, exponent: Part) -> Part:
        """Return a power."""
        ...

    def call(self, name: str, arguments: Sequence[Part]) -> Part | None:
        """Return one of `CALLS`, `sqrt`, or `j0`, applied; None when the language has no such function."""
        ...


def write(expression: Any, writer: Writer[Part]) -> Part:
    """Return the expression in the writer's language; raises ExportError for a function that it does not have."""
    if isinstance(expression, sp.Symbol):
        return writer.symbol(str(expression.name))
    if expression.is_Rational and not expression.is_Integer:
        return writer.divide(writer.number(float(expression.p)), writer.number(float(expression.q)))
    if expression.is_number and not expression.has(sp.Function):
        value = complex(expression.evalf(20))
        if value.imag == 0.0:
            return writer.number(value.real)
    if isinstance(expression, sp.Add):
        return writer.add([write(term, writer) for term in expression.as_ordered_terms()])
    if isinstance(expression, sp.Mul):
        return _write_product(expression, writer)
    if isinstance(expression, sp.Pow):
        return _write_power(expression, writer)
    return _write_call(expression, writer)


def _write_product(expression: Any, writer: Writer[Part]) -> Part:
    if expression.args[0] == -1:
        return writer.negate(write(-expression, writer))
    above: list[Any] = []
    below: list[Any] = []
    for factor in expression.as_ordered_factors():
        if isinstance(factor, sp.Pow) and factor.exp.is_number and factor.exp.is_negative:
            below.append(factor.base**-factor.exp)
        else:
            above.append(factor)
    top = _product_of(above, writer)
    return writer.divide(top, _product_of(below, writer)) if below else top


def _product_of(factors: Sequence[Any], writer: Writer[Part]) -> Part:
    parts = [write(factor, writer) for factor in factors]
    return writer.number(1.0) if not parts else parts[0] if len(parts) == 1 else writer.multiply(parts)


def _write_power(expression: Any, writer: Writer[Part]) -> Part:
    base, exponent = expression.base, expression.exp
    if exponent.is_number and exponent.is_negative:
        return writer.divide(writer.number(1.0), write(base**-exponent, writer))
    if exponent == sp.Rational(1, 2):
        return _called("sqrt", [write(base, writer)], writer)
    return writer.power(write(base, writer), write(exponent, writer))


def _write_call(expression: Any, writer: Writer[Part]) -> Part:
    name = type(expression).__name__
    if name == "besselj" and expression.args[0] == 0:
        return _called("j0", [write(expression.args[1], writer)], writer)
    arguments = expression.args[:1] if name == "Heaviside" else expression.args
    if name in ("Min", "Max"):
        arguments = sorted(arguments, key=sp.default_sort_key)
    return _called(CALLS.get(name, name), [write(argument, writer) for argument in arguments], writer)


def _called(name: str, arguments: Sequence[Part], writer: Writer[Part]) -> Part:
    part = writer.call(name, arguments)
    if part is None:
        raise ExportError(
            f"a formula for {writer.language} uses functions that it has, received {name!r}: "
            "choose another formula for the edge, or another format"
        )
    return part


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of a formula as text, and how tightly it holds together."""

    text: str
    level: int = ATOM

    def within(self, level: int) -> str:
        """Return the text, in brackets if it binds less tightly than `level`."""
        return self.text if self.level >= level else f"({self.text})"


class TextWriter:
    """Sums, products and powers as most languages write them; `power_sign` is ** or ^."""

    language = "text"
    power_sign = "**"

    def number(self, value: float) -> Text:
        """Return a number in full, a negative one as loosely bound as its sign."""
        text = str(int(value)) if value.is_integer() and abs(value) < 1e15 else self.fraction(value)
        return Text(text, SUM if value < 0 else ATOM)

    def fraction(self, value: float) -> str:
        """Return a number that is no integer."""
        return repr(value)

    def symbol(self, name: str) -> Text:
        """Return a variable by its name."""
        return Text(name)

    def add(self, terms: Sequence[Text]) -> Text:
        """Return terms side by side, each of those after the first in brackets if it begins with a sign."""
        shown = [terms[0].text, *[one.within(PRODUCT) if one.text.startswith("-") else one.text for one in terms[1:]]]
        return Text(" + ".join(shown), SUM)

    def multiply(self, factors: Sequence[Text]) -> Text:
        """Return factors side by side."""
        return Text(" * ".join(one.within(PRODUCT) for one in factors), PRODUCT)

    def divide(self, left: Text, right: Text) -> Text:
        """Return a quotient."""
        return Text(f"{left.within(PRODUCT)} / {right.within(POWER)}", PRODUCT)

    def negate(self, part: Text) -> Text:
        """Return the part with a minus sign, which binds less tightly than a power."""
        return Text(f"-{part.within(PRODUCT)}", SUM)

    def power(self, base: Text, exponent: Text) -> Text:
        """Return a power; both languages read a chain of them in their own order, so it is always in brackets."""
        return Text(f"{base.within(ATOM)}{self.power_sign}{exponent.within(ATOM)}", POWER)
