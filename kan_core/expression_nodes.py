"""The parts that a typed formula is made of: what each computes, its symbol, and how it is shown.

Parts are built from the inside out. Nothing is simplified, neither in MathML nor in SymPy, so that building costs no
more than reading; parts without variables carry their value, which has to be a finite real number within MAX_NUMBER.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray
from scipy.special import j0

from kan_core.errors import ExpressionError

MAX_NUMBER = 1e150

FloatArray = NDArray[np.float64]
Columns = Mapping[str, FloatArray]


@dataclass(frozen=True, slots=True)
class ExpressionFunction:
    """A function that formulas may call: how many arguments it takes, its values, its symbol and its name as shown."""

    num_arguments: int
    values: Callable[..., Any]
    symbol: Callable[..., Any]
    shown: str


def _step(x: Any) -> Any:
    return np.heaviside(x, 0.5)


def _bessel(x: Any, *, evaluate: bool) -> Any:
    return sp.besselj(0, x, evaluate=evaluate)


FUNCTIONS: Mapping[str, ExpressionFunction] = MappingProxyType(
    {
        "sin": ExpressionFunction(1, np.sin, sp.sin, "<mi>sin</mi>"),
        "cos": ExpressionFunction(1, np.cos, sp.cos, "<mi>cos</mi>"),
        "tan": ExpressionFunction(1, np.tan, sp.tan, "<mi>tan</mi>"),
        "arcsin": ExpressionFunction(1, np.arcsin, sp.asin, "<mi>arcsin</mi>"),
        "arccos": ExpressionFunction(1, np.arccos, sp.acos, "<mi>arccos</mi>"),
        "arctan": ExpressionFunction(1, np.arctan, sp.atan, "<mi>arctan</mi>"),
        "asin": ExpressionFunction(1, np.arcsin, sp.asin, "<mi>arcsin</mi>"),
        "acos": ExpressionFunction(1, np.arccos, sp.acos, "<mi>arccos</mi>"),
        "atan": ExpressionFunction(1, np.arctan, sp.atan, "<mi>arctan</mi>"),
        "sinh": ExpressionFunction(1, np.sinh, sp.sinh, "<mi>sinh</mi>"),
        "cosh": ExpressionFunction(1, np.cosh, sp.cosh, "<mi>cosh</mi>"),
        "tanh": ExpressionFunction(1, np.tanh, sp.tanh, "<mi>tanh</mi>"),
        "exp": ExpressionFunction(1, np.exp, sp.exp, "<mi>exp</mi>"),
        "log": ExpressionFunction(1, np.log, sp.log, "<mi>log</mi>"),
        "ln": ExpressionFunction(1, np.log, sp.log, "<mi>log</mi>"),
        "sqrt": ExpressionFunction(1, np.sqrt, sp.sqrt, "<mo>√</mo>"),
        "abs": ExpressionFunction(1, np.abs, sp.Abs, "<mi>abs</mi>"),
        "sign": ExpressionFunction(1, np.sign, sp.sign, "<mi>sign</mi>"),
        "step": ExpressionFunction(1, _step, sp.Heaviside, "<mi>Θ</mi>"),
        "min": ExpressionFunction(2, np.minimum, sp.Min, "<mi>min</mi>"),
        "max": ExpressionFunction(2, np.maximum, sp.Max, "<mi>max</mi>"),
        "j0": ExpressionFunction(1, j0, _bessel, "<msub><mi>J</mi><mn>0</mn></msub>"),
    }
)
CONSTANTS: Mapping[str, tuple[float, Any]] = MappingProxyType(
    {"pi": (np.pi, sp.pi), "π": (np.pi, sp.pi), "e": (np.e, sp.E)}
)

# how tightly a part holds together, which decides on brackets around it
SUM, PRODUCT, POWER, ATOM = range(4)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpressionNode:
    """A part of a formula: what it computes, its symbol, its value without variables and how it is shown.

    `constant` is None with variables. `body` is one MathML element that binds like `level`, to be read with a minus
    sign before it if `is_negative`.
    """

    values: Callable[[Columns], Any]
    symbol: Callable[[], Any]
    constant: float | None
    body: str
    level: int
    is_negative: bool = False

    @property
    def markup(self) -> str:
        """The whole part as one MathML element."""
        return f"<mrow><mo>−</mo>{self.body}</mrow>" if self.is_negative else self.body

    def bracketed(self, level: int) -> str:
        """Return the markup, in brackets if it binds less tightly than `level`."""
        return self.markup if self.level >= level and not self.is_negative else _brackets(self.markup)


def check_constant(value: float | None, position: int) -> None:
    """Raise ExpressionError when a part without variables is no real number within MAX_NUMBER."""
    if value is None or abs(value) <= MAX_NUMBER:
        return
    received = "one that is not real" if math.isnan(value) else f"{value:.4g}"
    raise ExpressionError(
        f"Every number in a formula is real and within -{MAX_NUMBER:.0e} and {MAX_NUMBER:.0e}, received {received} at "
        f"position {position + 1}: change it.",
        position,
    )


def read_number(text: str, position: int) -> float:
    """Return the number that is written; raises ExpressionError when it is too large or too small."""
    value = float(text)
    check_constant(value, position)
    if abs(value) < 1 / MAX_NUMBER and re.search("[1-9]", re.split("[eE]", text)[0]):
        raise ExpressionError(
            f"A number other than 0 is at least {1 / MAX_NUMBER:.0e} in size, received a smaller one at position "
            f"{position + 1}: change it.",
            position,
        )
    return value


def number_node(value: float) -> ExpressionNode:
    """Return a number as a part."""
    symbol = sp.Integer(int(value)) if value.is_integer() and value < 1e15 else sp.Float(value)
    mantissa, _, exponent = f"{value:.15g}".partition("e")
    if not exponent:
        return leaf_node(value, symbol, f"<mn>{mantissa}</mn>", ATOM)
    power = f"<msup><mn>10</mn><mn>{str(int(exponent)).replace('-', '−')}</mn></msup>"
    if mantissa == "1":
        return leaf_node(value, symbol, power, POWER)
    return leaf_node(value, symbol, f"<mrow><mn>{mantissa}</mn><mo>·</mo>{power}</mrow>", PRODUCT)


def leaf_node(value: float, symbol: Any, body: str, level: int) -> ExpressionNode:
    """Return a constant as a part that is shown as `body`."""
    return ExpressionNode(
        values=lambda _columns: np.float64(value), symbol=lambda: symbol, constant=value, body=body, level=level
    )


def negative_of(node: ExpressionNode) -> ExpressionNode:
    """Return the part with a minus sign before it."""
    return ExpressionNode(
        values=lambda columns: -1.0 * node.values(columns),
        symbol=lambda: _opposite(node.symbol()),
        constant=None if node.constant is None else -node.constant,
        body=node.bracketed(PRODUCT),
        level=SUM,
        is_negative=True,
    )


def _opposite(symbol: Any) -> Any:
    """Return -symbol, carried into sums and numbers: SymPy's printers lose the brackets of -(x + 1) not simplified."""
    if symbol.is_Add:
        return sp.Add(*[_opposite(term) for term in symbol.args], evaluate=False)
    if symbol.is_Number:
        return -symbol
    factors = sp.Mul.make_args(symbol)
    return sp.Mul(*(factors[1:] if factors[0] == -1 else (-1, *factors)), evaluate=False)


def sum_of(terms: list[tuple[bool, ExpressionNode]], constant: float | None) -> ExpressionNode:
    """Return the sum of terms, each with whether it is subtracted; the first one never is."""

    def values(columns: Columns) -> Any:
        total = terms[0][1].values(columns)
        for is_minus, node in terms[1:]:
            value = node.values(columns)
            total = total - value if is_minus else total + value
        return total

    def symbol() -> Any:
        parts = [(is_minus, node.symbol()) for is_minus, node in terms]
        return sp.Add(*[_opposite(part) if is_minus else part for is_minus, part in parts], evaluate=False)

    rest = "".join(f"<mo>{'−' if is_minus else '+'}</mo>{node.bracketed(PRODUCT)}" for is_minus, node in terms[1:])
    body = f"<mrow>{terms[0][1].markup}{rest}</mrow>"
    return ExpressionNode(values=values, symbol=symbol, constant=constant, body=body, level=SUM)


def product_of(factors: list[tuple[bool, ExpressionNode]], constant: float | None) -> ExpressionNode:
    """Return the product of factors, each with whether it divides; the first one never does."""

    def values(columns: Columns) -> Any:
        total = factors[0][1].values(columns)
        for is_divisor, node in factors[1:]:
            total = divided(total, node.values(columns), is_divisor)
        return total

    def symbol() -> Any:
        parts = [(is_divisor, node.symbol()) for is_divisor, node in factors]
        return sp.Mul(*[sp.Pow(part, -1, evaluate=False) if d else part for d, part in parts], evaluate=False)

    first = factors[0][1]
    unsigned = ExpressionNode(
        values=values, symbol=symbol, constant=constant, body=first.body, level=max(first.level, PRODUCT)
    )
    above = [unsigned if first.is_negative else first, *[node for is_divisor, node in factors[1:] if not is_divisor]]
    below = [node for is_divisor, node in factors if is_divisor]
    body = f"<mfrac>{_times(above)}{_times(below)}</mfrac>" if below else _times(above)
    return ExpressionNode(
        values=values,
        symbol=symbol,
        constant=constant,
        body=body,
        level=PRODUCT,
        is_negative=first.is_negative,
    )


def divided(left: Any, right: Any, is_divisor: bool) -> Any:
    """Return left / right for a divisor, else left · right."""
    return left / right if is_divisor else left * right


def _times(nodes: list[ExpressionNode]) -> str:
    """Return factors side by side, a dot between them where a number would run into what is before it."""
    if len(nodes) == 1:
        return nodes[0].markup
    shown = [node.bracketed(PRODUCT) for node in nodes]
    signs = ["·" if re.match("(?:<m(?:row|sup|sub|frac|sqrt)>)*<mn>", one) else "&InvisibleTimes;" for one in shown[1:]]
    rest = "".join(f"<mo>{sign}</mo>{one}" for sign, one in zip(signs, shown[1:], strict=True))
    return f"<mrow>{shown[0]}{rest}</mrow>"


def power_of(base: ExpressionNode, exponent: ExpressionNode) -> ExpressionNode:
    """Return the base to the exponent."""
    constant = None
    if base.constant is not None and exponent.constant is not None:
        with np.errstate(all="ignore"):
            constant = float(np.float64(base.constant) ** exponent.constant)
    return ExpressionNode(
        values=lambda columns: base.values(columns) ** exponent.values(columns),
        symbol=lambda: sp.Pow(base.symbol(), exponent.symbol(), evaluate=False),
        constant=constant,
        body=f"<msup>{base.bracketed(ATOM)}{exponent.markup}</msup>",
        level=POWER,
    )


def call_of(name: str, arguments: list[ExpressionNode]) -> ExpressionNode:
    """Return the function of that name, applied."""
    function = FUNCTIONS[name]
    constants = [argument.constant for argument in arguments if argument.constant is not None]
    constant = None
    if len(constants) == len(arguments):
        with np.errstate(all="ignore"):
            constant = float(function.values(*constants))
    shown = [argument.markup for argument in arguments]
    level = ATOM
    if name == "exp":
        body, level = f"<msup><mi>e</mi>{shown[0]}</msup>", POWER
    elif name == "sqrt":
        body = f"<msqrt>{shown[0]}</msqrt>"
    elif name == "abs":
        body = f"<mrow><mo>|</mo>{shown[0]}<mo>|</mo></mrow>"
    else:
        body = f"<mrow>{function.shown}{_brackets('<mo>,</mo>'.join(shown))}</mrow>"
    return ExpressionNode(
        values=lambda columns: function.values(*[argument.values(columns) for argument in arguments]),
        symbol=lambda: function.symbol(*[argument.symbol() for argument in arguments], evaluate=False),
        constant=constant,
        body=body,
        level=level,
    )


def _brackets(markup: str) -> str:
    return f"<mrow><mo>(</mo>{markup}<mo>)</mo></mrow>"
