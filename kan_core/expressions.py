"""Formulas as people type them, parsed by hand and never handed to Python.

Grammar, `^` and `**` alike and binding to the right, a product sign optional between a number, a name and a bracket:

    sum     = product { ("+" | "-") product }
    product = unary { ("*" | "·" | "/" | nothing) unary }
    unary   = ("+" | "-") unary | power
    power   = atom [ ("^" | "**") unary ]
    atom    = number | name | name "(" sum { "," sum } ")" | "(" sum ")"

Only variables, the constants pi and e, and the functions below exist. Evaluation is NumPy on floats.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray
from scipy.special import j0

from kan_core.errors import ExpressionError

MAX_LENGTH = 500
MAX_DEPTH = 40
MAX_EXPONENT = 64
MAX_NUMBER = 1e150

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Function:
    """A function that formulas may call: how many arguments it takes, its values and its symbol."""

    num_arguments: int
    values: Callable[..., Any]
    symbol: Callable[..., Any]


def _step(x: Any) -> Any:
    return np.heaviside(x, 0.5)


def _bessel(x: Any) -> Any:
    return sp.besselj(0, x)


FUNCTIONS: Mapping[str, _Function] = MappingProxyType(
    {
        "sin": _Function(1, np.sin, sp.sin),
        "cos": _Function(1, np.cos, sp.cos),
        "tan": _Function(1, np.tan, sp.tan),
        "arcsin": _Function(1, np.arcsin, sp.asin),
        "arccos": _Function(1, np.arccos, sp.acos),
        "arctan": _Function(1, np.arctan, sp.atan),
        "asin": _Function(1, np.arcsin, sp.asin),
        "acos": _Function(1, np.arccos, sp.acos),
        "atan": _Function(1, np.arctan, sp.atan),
        "sinh": _Function(1, np.sinh, sp.sinh),
        "cosh": _Function(1, np.cosh, sp.cosh),
        "tanh": _Function(1, np.tanh, sp.tanh),
        "exp": _Function(1, np.exp, sp.exp),
        "log": _Function(1, np.log, sp.log),
        "ln": _Function(1, np.log, sp.log),
        "sqrt": _Function(1, np.sqrt, sp.sqrt),
        "abs": _Function(1, np.abs, sp.Abs),
        "sign": _Function(1, np.sign, sp.sign),
        "step": _Function(1, _step, sp.Heaviside),
        "min": _Function(2, np.minimum, sp.Min),
        "max": _Function(2, np.maximum, sp.Max),
        "j0": _Function(1, j0, _bessel),
    }
)
CONSTANTS: Mapping[str, tuple[float, Any]] = MappingProxyType(
    {"pi": (np.pi, sp.pi), "π": (np.pi, sp.pi), "e": (np.e, sp.E)}
)

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[^\W\d]\w*)|(?P<sign>\*\*|[-+*/^(),·−]))"
)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    position: int


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed formula: its `text`, its `variables` in order, and what it computes."""

    text: str
    variables: tuple[str, ...]
    used: frozenset[str]
    _values: Callable[[Mapping[str, FloatArray]], Any]
    _symbol: Callable[[], Any]

    def evaluate(self, inputs: FloatArray) -> FloatArray:
        """Return the values (N,) at inputs (N, V), columns in the order of `variables`; NaN where there is none."""
        columns = {name: inputs[:, k] for k, name in enumerate(self.variables)}
        with np.errstate(all="ignore"):
            return np.broadcast_to(np.asarray(self._values(columns), dtype=np.float64), len(inputs)).copy()

    @property
    def sympy(self) -> Any:
        """The formula as a sympy expression."""
        return self._symbol()


def parse_expression(text: str, variables: Sequence[str]) -> Expression:
    """Return the formula in `text` over `variables`.

    Raises ExpressionError, whose `position` points at the offending character, when it is empty or too long, does not
    parse, or names an unknown variable or function.
    """
    if not text.strip():
        raise ExpressionError("The formula is empty: type one such as sin(pi*x) + y^2.", 0)
    if len(text) > MAX_LENGTH:
        raise ExpressionError(
            f"A formula has at most {MAX_LENGTH} characters, received {len(text)}: shorten it.", MAX_LENGTH
        )
    parser = _Parser(text, tuple(variables))
    values, symbol = parser.parse()
    return Expression(text, tuple(variables), frozenset(parser.used), values, symbol)


def find_names(text: str) -> list[str]:
    """Return the names in `text` that can be variables, in order of appearance.

    Functions and constants are none, nor is a name right before a bracket: that is a call, of whatever it may be.
    """
    text = text[:MAX_LENGTH]
    found = [match["name"] for match in _TOKEN.finditer(text) if match["name"] and text[match.end() :][:1] != "("]
    return [name for name in dict.fromkeys(found) if name not in FUNCTIONS and name not in CONSTANTS]


_Node = tuple[Callable[[Mapping[str, FloatArray]], Any], Callable[[], Any]]


class _Parser:
    """Recursive descent over the tokens of one formula, building closures for values and for symbols.

    What has no meaning in a formula ends the tokens, its text kept: it is refused when the parser gets there, so that a
    call of an unknown name is named as such whatever stands in its brackets.
    """

    def __init__(self, text: str, variables: tuple[str, ...]) -> None:
        self.text = text
        self.variables = variables
        self.used: set[str] = set()
        self._tokens = self._read()
        self._at = 0
        self._depth = 0

    def parse(self) -> _Node:
        """Return the whole formula."""
        node = self._sum()
        if self._now.kind != "end" or self._now.text:
            raise self._unexpected()
        return node

    def _read(self) -> list[_Token]:
        tokens: list[_Token] = []
        position, end = 0, len(self.text.rstrip())
        while position < end:
            match = _TOKEN.match(self.text, position)
            if match is None:
                break
            kind = str(match.lastgroup)
            tokens.append(_Token(kind, match[kind], match.start(kind)))
            position = match.end()
        while position < end and self.text[position].isspace():
            position += 1
        return [*tokens, _Token("end", self.text[position:end], position)]

    @property
    def _now(self) -> _Token:
        return self._tokens[self._at]

    def _take(self, *signs: str) -> _Token | None:
        token = self._now
        if token.kind == "sign" and token.text in signs:
            self._at += 1
            return token
        return None

    def _unexpected(self) -> ExpressionError:
        token = self._now
        if token.kind == "end" and token.text:
            return ExpressionError(
                f"The character {token.text[0]!r} at position {token.position + 1} has no meaning in a formula: "
                "use numbers, variables, functions and + - * / ^ ( ).",
                token.position,
            )
        what = "ends too early" if token.kind == "end" else f"does not go on with {token.text!r}"
        return ExpressionError(
            f"The formula {what} at position {token.position + 1}: check brackets and signs.", token.position
        )

    def _sum(self) -> _Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ExpressionError(
                f"A formula nests at most {MAX_DEPTH} deep: simplify it at position {self._now.position + 1}.",
                self._now.position,
            )
        node = self._product()
        while sign := self._take("+", "-", "−"):
            node = _combine("+" if sign.text == "+" else "-", node, self._product())
        self._depth -= 1
        return node

    def _product(self) -> _Node:
        node = self._unary()
        while True:
            if sign := self._take("*", "·", "/"):
                node = _combine("/" if sign.text == "/" else "*", node, self._unary())
            elif self._now.kind in ("number", "name") or self._now.text == "(":
                node = _combine("*", node, self._power())
            else:
                return node

    def _unary(self) -> _Node:
        negative = False
        while sign := self._take("+", "-", "−"):
            negative ^= sign.text != "+"
        node = self._power()
        return _combine("*", _number(-1.0, sp.Integer(-1)), node) if negative else node

    def _power(self) -> _Node:
        node = self._atom()
        if self._take("^", "**") is None:
            return node
        start = self._now.position
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ExpressionError(f"A formula nests at most {MAX_DEPTH} deep: simplify it.", start)
        exponent = self._unary()
        self._depth -= 1
        value = _constant_value(exponent)
        if value is not None and not abs(value) <= MAX_EXPONENT:
            raise ExpressionError(
                f"An exponent lies within -{MAX_EXPONENT} and {MAX_EXPONENT}, received {value:.4g} at position "
                f"{start + 1}: choose a smaller one.",
                start,
            )
        power = _combine("^", node, exponent)
        size = _constant_value(power)
        if size is not None and not abs(size) < MAX_NUMBER:
            raise ExpressionError(f"The number at position {start + 1} is too large or not real.", start)
        return power

    def _atom(self) -> _Node:
        token = self._now
        if token.kind == "number":
            self._at += 1
            value = float(token.text)
            return _number(
                value, sp.Integer(int(value)) if value.is_integer() and value < 1e15 else sp.Float(token.text)
            )
        if token.kind == "name":
            self._at += 1
            return self._named(token)
        if self._take("("):
            node = self._sum()
            self._close()
            return node
        raise self._unexpected()

    def _named(self, token: _Token) -> _Node:
        name = token.text
        if name in self.variables:
            self.used.add(name)
            return (lambda columns: columns[name]), (lambda: sp.Symbol(name))
        if name in FUNCTIONS:
            return self._call(token)
        if name in CONSTANTS:
            return _number(*CONSTANTS[name])
        if self._now.text == "(":
            raise ExpressionError(
                f"There is no function {name!r} (position {token.position + 1}): use one of {', '.join(FUNCTIONS)}.",
                token.position,
            )
        known = ", ".join(self.variables) or "none"
        raise ExpressionError(
            f"There is no variable {name!r} (position {token.position + 1}): the variables are {known}.", token.position
        )

    def _call(self, token: _Token) -> _Node:
        if self._take("(") is None:
            raise ExpressionError(
                f"The function {token.text!r} at position {token.position + 1} needs its argument in brackets.",
                token.position,
            )
        arguments = [self._sum()]
        while self._take(","):
            arguments.append(self._sum())
        self._close()
        function = FUNCTIONS[token.text]
        if len(arguments) != function.num_arguments:
            raise ExpressionError(
                f"The function {token.text!r} at position {token.position + 1} takes {function.num_arguments} "
                f"argument(s), received {len(arguments)}.",
                token.position,
            )
        return (
            lambda columns: function.values(*[values(columns) for values, _ in arguments]),
            lambda: function.symbol(*[symbol() for _, symbol in arguments]),
        )

    def _close(self) -> None:
        if self._take(")") is None:
            raise self._unexpected()


def _number(value: float, symbol: Any) -> _Node:
    return (lambda _columns: np.float64(value)), (lambda: symbol)


def _constant_value(node: _Node) -> float | None:
    """Return the value of a formula without variables, else None."""
    try:
        with np.errstate(all="ignore"):
            return float(node[0]({}))
    except KeyError:
        return None


def _combine(sign: str, left: _Node, right: _Node) -> _Node:
    (left_values, left_symbol), (right_values, right_symbol) = left, right
    if sign == "+":
        return (lambda c: left_values(c) + right_values(c)), (lambda: left_symbol() + right_symbol())
    if sign == "-":
        return (lambda c: left_values(c) - right_values(c)), (lambda: left_symbol() - right_symbol())
    if sign == "*":
        return (lambda c: left_values(c) * right_values(c)), (lambda: left_symbol() * right_symbol())
    if sign == "/":
        return (lambda c: left_values(c) / right_values(c)), (lambda: left_symbol() / right_symbol())
    return (lambda c: left_values(c) ** right_values(c)), (lambda: left_symbol() ** right_symbol())
