"""Formulas as people type them, parsed by hand and never handed to Python.

Grammar, `^` and `**` alike and binding to the right, a product sign optional between a number, a name and a bracket:

    sum     = product { ("+" | "-") product }
    product = unary { ("*" | "/" | nothing) unary }
    unary   = ("+" | "-") unary | power
    power   = atom [ superscript | ("^" | "**") unary ]
    atom    = number | name | name "(" sum { "," sum } ")" | "(" sum ")" | "√" atom

Signs may be typed or pasted: `·`, `⋅` and `×` multiply, `÷` divides, `−` and `–` subtract, ² is ^2 and π is pi, also
right beside a name. A root without brackets ends its factor, for whether √2x is √2·x or √(2x) nobody can tell.

Only variables, the constants pi and e, and the functions below exist. Evaluation is NumPy on floats. Every part without
variables is computed as it is read and has to be a finite real number within MAX_NUMBER. Neither the MathML nor the
SymPy form is ever simplified: both say what was typed, and cost no more than reading it.
"""

from __future__ import annotations

import math
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
from kan_core.mathml import presentation

MAX_LENGTH = 500
MAX_DEPTH = 40
MAX_EXPONENT = 64
MAX_NUMBER = 1e150

FloatArray = NDArray[np.float64]

_Columns = Mapping[str, FloatArray]


@dataclass(frozen=True, slots=True)
class _Function:
    """A function that formulas may call: how many arguments it takes, its values, its symbol and its name as shown."""

    num_arguments: int
    values: Callable[..., Any]
    symbol: Callable[..., Any]
    shown: str


def _step(x: Any) -> Any:
    return np.heaviside(x, 0.5)


def _bessel(x: Any, *, evaluate: bool) -> Any:
    return sp.besselj(0, x, evaluate=evaluate)


FUNCTIONS: Mapping[str, _Function] = MappingProxyType(
    {
        "sin": _Function(1, np.sin, sp.sin, "<mi>sin</mi>"),
        "cos": _Function(1, np.cos, sp.cos, "<mi>cos</mi>"),
        "tan": _Function(1, np.tan, sp.tan, "<mi>tan</mi>"),
        "arcsin": _Function(1, np.arcsin, sp.asin, "<mi>arcsin</mi>"),
        "arccos": _Function(1, np.arccos, sp.acos, "<mi>arccos</mi>"),
        "arctan": _Function(1, np.arctan, sp.atan, "<mi>arctan</mi>"),
        "asin": _Function(1, np.arcsin, sp.asin, "<mi>arcsin</mi>"),
        "acos": _Function(1, np.arccos, sp.acos, "<mi>arccos</mi>"),
        "atan": _Function(1, np.arctan, sp.atan, "<mi>arctan</mi>"),
        "sinh": _Function(1, np.sinh, sp.sinh, "<mi>sinh</mi>"),
        "cosh": _Function(1, np.cosh, sp.cosh, "<mi>cosh</mi>"),
        "tanh": _Function(1, np.tanh, sp.tanh, "<mi>tanh</mi>"),
        "exp": _Function(1, np.exp, sp.exp, "<mi>exp</mi>"),
        "log": _Function(1, np.log, sp.log, "<mi>log</mi>"),
        "ln": _Function(1, np.log, sp.log, "<mi>log</mi>"),
        "sqrt": _Function(1, np.sqrt, sp.sqrt, "<mo>√</mo>"),
        "abs": _Function(1, np.abs, sp.Abs, "<mi>abs</mi>"),
        "sign": _Function(1, np.sign, sp.sign, "<mi>sign</mi>"),
        "step": _Function(1, _step, sp.Heaviside, "<mi>Θ</mi>"),
        "min": _Function(2, np.minimum, sp.Min, "<mi>min</mi>"),
        "max": _Function(2, np.maximum, sp.Max, "<mi>max</mi>"),
        "j0": _Function(1, j0, _bessel, "<msub><mi>J</mi><mn>0</mn></msub>"),
    }
)
CONSTANTS: Mapping[str, tuple[float, Any]] = MappingProxyType(
    {"pi": (np.pi, sp.pi), "π": (np.pi, sp.pi), "e": (np.e, sp.E)}
)

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_SIGNS: Mapping[str, str] = MappingProxyType({"**": "^", "·": "*", "⋅": "*", "×": "*", "÷": "/", "−": "-", "–": "-"})
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+−–]?[0-9]+)?)"
    r"|(?P<name>π|[^\W\d⁰¹²³⁴-⁹π][^\W⁰¹²³⁴-⁹π]*)"
    r"|(?P<superscript>[⁺⁻]?[⁰¹²³⁴-⁹]+)"
    r"|(?P<sign>\*\*|[-+*/^(),·⋅×÷−–√]))"
)


@dataclass(frozen=True, slots=True)
class _Token:
    """One sign of a formula: its `text` as typed and its `sign`, in which ways of typing it are one."""

    kind: str
    text: str
    position: int

    @property
    def sign(self) -> str:
        return _SIGNS.get(self.text, self.text) if self.kind == "sign" else ""

    @property
    def starts_factor(self) -> bool:
        """Whether a product goes on here although no sign says so."""
        return self.kind in ("number", "name") or self.sign in ("(", "√")


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed formula: its `text`, its `variables` in order, those `used`, its `mathml` and what it computes.

    `mathml` is presentation MathML without the <math> element and shows the formula as typed.
    """

    text: str
    variables: tuple[str, ...]
    used: frozenset[str]
    mathml: str
    _values: Callable[[_Columns], Any]
    _symbol: Callable[[], Any]

    def evaluate(self, inputs: FloatArray) -> FloatArray:
        """Return the values (N,) at inputs (N, V), columns in the order of `variables`; NaN where there is none."""
        columns = {name: inputs[:, k] for k, name in enumerate(self.variables)}
        with np.errstate(all="ignore"):
            return np.broadcast_to(np.asarray(self._values(columns), dtype=np.float64), len(inputs)).copy()

    @property
    def sympy(self) -> Any:
        """The formula as a sympy expression, not simplified."""
        return self._symbol()


def parse_expression(text: str, variables: Sequence[str]) -> Expression:
    """Return the formula in `text` over `variables`.

    Raises ExpressionError, whose `position` points at the offending character, when it is empty or too long, does not
    parse, names an unknown variable or function, divides by 0, or has a part without variables that is no real number
    within MAX_NUMBER.
    """
    if not text.strip():
        raise ExpressionError("The formula is empty: type one such as sin(pi*x) + y^2.", 0)
    if len(text) > MAX_LENGTH:
        raise ExpressionError(
            f"A formula has at most {MAX_LENGTH} characters, received {len(text)}: shorten it.", MAX_LENGTH
        )
    parser = _Parser(text, tuple(variables))
    node = parser.parse()
    return Expression(text, tuple(variables), frozenset(parser.used), node.markup, node.values, node.symbol)


def find_names(text: str) -> list[str]:
    """Return the names in `text` that can be variables, in order of appearance.

    Functions and constants are none, nor is a name right before a bracket: that is a call, of whatever it may be.
    """
    text = text[:MAX_LENGTH]
    matches = [match for match in _TOKEN.finditer(text) if match["name"] and _is_name(match["name"])]
    found = [match["name"] for match in matches if not text.startswith("(", match.end())]
    return [name for name in dict.fromkeys(found) if name not in FUNCTIONS and name not in CONSTANTS]


def _is_name(text: str) -> bool:
    """Return whether a word begins like a name; ½ and ₁ count as letters to regular expressions."""
    return text[0].isalpha() or text[0] == "_"


# how tightly a part holds together, which decides on brackets around it
_SUM, _PRODUCT, _POWER, _ATOM = range(4)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Node:
    """A part of a formula: what it computes, its symbol, its value without variables and how it is shown.

    `constant` is None with variables. `body` is one MathML element that binds like `level`, to be read with a minus
    sign before it if `is_negative`.
    """

    values: Callable[[_Columns], Any]
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


class _Parser:
    """Recursive descent over the tokens of one formula, building its parts from the inside out.

    What has no meaning in a formula ends the tokens, its text kept: it is refused when the parser gets there, so that a
    call of an unknown name is named as such whatever stands in its brackets.
    """

    def __init__(self, text: str, variables: tuple[str, ...]) -> None:
        self.text = text
        self.variables = variables
        self.used: set[str] = set()
        self._shown: dict[str, str] = {}
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
            if match is None or (match["name"] and not _is_name(match["name"])):
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
        if token.sign not in signs:
            return None
        self._at += 1
        return token

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

    def _nested(self, part: Callable[[], _Node]) -> _Node:
        """Return what `part` reads one level further in."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            position = self._now.position
            raise ExpressionError(
                f"A formula nests at most {MAX_DEPTH} deep: simplify it at position {position + 1}.", position
            )
        node = part()
        self._depth -= 1
        return node

    def _sum(self) -> _Node:
        return self._nested(self._terms)

    def _terms(self) -> _Node:
        start = self._now.position
        node = self._product()
        total, terms = node.constant, [(False, node)]
        while sign := self._take("+", "-"):
            node = self._product()
            is_minus = sign.sign == "-"
            total = None if total is None or node.constant is None else total + (-1) ** is_minus * node.constant
            _check_constant(total, start)
            terms.append((is_minus, node))
        return terms[0][1] if len(terms) == 1 else _sum_of(terms, total)

    def _product(self) -> _Node:
        start = self._now.position
        node = self._unary()
        total, factors = node.constant, [(False, node)]
        while (sign := self._take("*", "/")) or self._now.starts_factor:
            place = self._now.position
            node = self._unary() if sign else self._power()
            is_divisor = sign is not None and sign.sign == "/"
            if is_divisor and node.constant == 0.0:
                raise ExpressionError(
                    f"A formula never divides by 0, received a divisor that is 0 at position {place + 1}: change it.",
                    place,
                )
            if total is not None:
                total = None if node.constant is None else _divided(total, node.constant, is_divisor)
            _check_constant(total, start)
            factors.append((is_divisor, node))
        return factors[0][1] if len(factors) == 1 else _product_of(factors, total)

    def _unary(self) -> _Node:
        is_negative = False
        while sign := self._take("+", "-"):
            is_negative ^= sign.sign == "-"
        node = self._power()
        return _negative(node) if is_negative else node

    def _power(self) -> _Node:
        node = self._atom()
        start = self._now.position
        if self._now.kind == "superscript":
            exponent = self._superscript()
        elif self._take("^"):
            start = self._now.position
            exponent = self._nested(self._unary)
        else:
            return node
        if exponent.constant is not None and abs(exponent.constant) > MAX_EXPONENT:
            raise ExpressionError(
                f"An exponent lies within -{MAX_EXPONENT} and {MAX_EXPONENT}, received {exponent.constant:.4g} at "
                f"position {start + 1}: choose a smaller one.",
                start,
            )
        power = _power_of(node, exponent)
        _check_constant(power.constant, start)
        return power

    def _superscript(self) -> _Node:
        token = self._now
        self._at += 1
        text = token.text.translate(_SUPERSCRIPTS)
        node = _number(_read_number(text.lstrip("+-"), token.position))
        return _negative(node) if text.startswith("-") else node

    def _atom(self) -> _Node:
        token = self._now
        if token.kind == "number":
            self._at += 1
            return _number(_read_number(re.sub("[−–]", "-", token.text), token.position))
        if token.kind == "name":
            self._at += 1
            return self._named(token)
        if self._take("("):
            node = self._sum()
            self._close()
            return node
        if self._take("√"):
            return self._nested(lambda: self._root(token.position))
        raise self._unexpected()

    def _root(self, start: int) -> _Node:
        has_brackets = self._now.sign == "("
        node = _call_of("sqrt", [self._atom()])
        _check_constant(node.constant, start)
        after = self._now
        if not has_brackets and (after.starts_factor or after.sign == "^" or after.kind == "superscript"):
            raise ExpressionError(
                f"A root without brackets ends its factor, received {after.text!r} behind one at position "
                f"{after.position + 1}: put what is under the root in brackets, as in √(2x).",
                after.position,
            )
        return node

    def _named(self, token: _Token) -> _Node:
        name = token.text
        if name in self.variables:
            self.used.add(name)
            if name not in self._shown:
                self._shown[name] = f"<mi>{name}</mi>" if len(name) == 1 else presentation(sp.Symbol(name))
            return _Node(
                values=lambda columns: columns[name],
                symbol=lambda: sp.Symbol(name),
                constant=None,
                body=self._shown[name],
                level=_ATOM,
            )
        if name in FUNCTIONS:
            return self._call(token)
        if name in CONSTANTS:
            value, symbol = CONSTANTS[name]
            shown = "e" if name == "e" else "π"
            return _leaf(value, symbol, f"<mi>{shown}</mi>", _ATOM)
        if self._now.sign == "(":
            raise ExpressionError(
                f"There is no function {name!r} (position {token.position + 1}): use one of {', '.join(FUNCTIONS)}.",
                token.position,
            )
        # names come from a request: half a surrogate pair in one would make the sentence impossible to send
        known = (", ".join(self.variables) or "none").encode(errors="backslashreplace").decode()
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
        node = _call_of(token.text, arguments)
        _check_constant(node.constant, token.position)
        return node

    def _close(self) -> None:
        if self._take(")") is None:
            raise self._unexpected()


def _check_constant(value: float | None, position: int) -> None:
    """Raise ExpressionError when a part without variables is no real number within MAX_NUMBER."""
    if value is None or abs(value) <= MAX_NUMBER:
        return
    received = "one that is not real" if math.isnan(value) else f"{value:.4g}"
    raise ExpressionError(
        f"Every number in a formula is real and within -{MAX_NUMBER:.0e} and {MAX_NUMBER:.0e}, received {received} at "
        f"position {position + 1}: change it.",
        position,
    )


def _read_number(text: str, position: int) -> float:
    value = float(text)
    _check_constant(value, position)
    if abs(value) < 1 / MAX_NUMBER and re.search("[1-9]", re.split("[eE]", text)[0]):
        raise ExpressionError(
            f"A number other than 0 is at least {1 / MAX_NUMBER:.0e} in size, received a smaller one at position "
            f"{position + 1}: change it.",
            position,
        )
    return value


def _number(value: float) -> _Node:
    symbol = sp.Integer(int(value)) if value.is_integer() and value < 1e15 else sp.Float(value)
    mantissa, _, exponent = f"{value:.15g}".partition("e")
    if not exponent:
        return _leaf(value, symbol, f"<mn>{mantissa}</mn>", _ATOM)
    power = f"<msup><mn>10</mn><mn>{str(int(exponent)).replace('-', '−')}</mn></msup>"
    if mantissa == "1":
        return _leaf(value, symbol, power, _POWER)
    return _leaf(value, symbol, f"<mrow><mn>{mantissa}</mn><mo>·</mo>{power}</mrow>", _PRODUCT)


def _leaf(value: float, symbol: Any, body: str, level: int) -> _Node:
    return _Node(
        values=lambda _columns: np.float64(value), symbol=lambda: symbol, constant=value, body=body, level=level
    )


def _negative(node: _Node) -> _Node:
    return _Node(
        values=lambda columns: -1.0 * node.values(columns),
        symbol=lambda: _opposite(node.symbol()),
        constant=None if node.constant is None else -node.constant,
        body=node.bracketed(_PRODUCT),
        level=_SUM,
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


def _sum_of(terms: list[tuple[bool, _Node]], constant: float | None) -> _Node:
    """Return the sum of terms, each with whether it is subtracted; the first one never is."""

    def values(columns: _Columns) -> Any:
        total = terms[0][1].values(columns)
        for is_minus, node in terms[1:]:
            value = node.values(columns)
            total = total - value if is_minus else total + value
        return total

    def symbol() -> Any:
        parts = [(is_minus, node.symbol()) for is_minus, node in terms]
        return sp.Add(*[_opposite(part) if is_minus else part for is_minus, part in parts], evaluate=False)

    rest = "".join(f"<mo>{'−' if is_minus else '+'}</mo>{node.bracketed(_PRODUCT)}" for is_minus, node in terms[1:])
    body = f"<mrow>{terms[0][1].markup}{rest}</mrow>"
    return _Node(values=values, symbol=symbol, constant=constant, body=body, level=_SUM)


def _product_of(factors: list[tuple[bool, _Node]], constant: float | None) -> _Node:
    """Return the product of factors, each with whether it divides; the first one never does."""

    def values(columns: _Columns) -> Any:
        total = factors[0][1].values(columns)
        for is_divisor, node in factors[1:]:
            total = _divided(total, node.values(columns), is_divisor)
        return total

    def symbol() -> Any:
        parts = [(is_divisor, node.symbol()) for is_divisor, node in factors]
        return sp.Mul(*[sp.Pow(part, -1, evaluate=False) if d else part for d, part in parts], evaluate=False)

    first = factors[0][1]
    unsigned = _Node(values=values, symbol=symbol, constant=constant, body=first.body, level=max(first.level, _PRODUCT))
    above = [unsigned if first.is_negative else first, *[node for is_divisor, node in factors[1:] if not is_divisor]]
    below = [node for is_divisor, node in factors if is_divisor]
    body = f"<mfrac>{_times(above)}{_times(below)}</mfrac>" if below else _times(above)
    return _Node(
        values=values,
        symbol=symbol,
        constant=constant,
        body=body,
        level=_PRODUCT,
        is_negative=first.is_negative,
    )


def _divided(left: Any, right: Any, is_divisor: bool) -> Any:
    return left / right if is_divisor else left * right


def _times(nodes: list[_Node]) -> str:
    """Return factors side by side, a dot between them where a number would run into what is before it."""
    if len(nodes) == 1:
        return nodes[0].markup
    shown = [node.bracketed(_PRODUCT) for node in nodes]
    signs = ["·" if re.match("(?:<m(?:row|sup|sub|frac|sqrt)>)*<mn>", one) else "&InvisibleTimes;" for one in shown[1:]]
    rest = "".join(f"<mo>{sign}</mo>{one}" for sign, one in zip(signs, shown[1:], strict=True))
    return f"<mrow>{shown[0]}{rest}</mrow>"


def _power_of(base: _Node, exponent: _Node) -> _Node:
    constant = None
    if base.constant is not None and exponent.constant is not None:
        with np.errstate(all="ignore"):
            constant = float(np.float64(base.constant) ** exponent.constant)
    return _Node(
        values=lambda columns: base.values(columns) ** exponent.values(columns),
        symbol=lambda: sp.Pow(base.symbol(), exponent.symbol(), evaluate=False),
        constant=constant,
        body=f"<msup>{base.bracketed(_ATOM)}{exponent.markup}</msup>",
        level=_POWER,
    )


def _call_of(name: str, arguments: list[_Node]) -> _Node:
    function = FUNCTIONS[name]
    constants = [argument.constant for argument in arguments if argument.constant is not None]
    constant = None
    if len(constants) == len(arguments):
        with np.errstate(all="ignore"):
            constant = float(function.values(*constants))
    shown = [argument.markup for argument in arguments]
    level = _ATOM
    if name == "exp":
        body, level = f"<msup><mi>e</mi>{shown[0]}</msup>", _POWER
    elif name == "sqrt":
        body = f"<msqrt>{shown[0]}</msqrt>"
    elif name == "abs":
        body = f"<mrow><mo>|</mo>{shown[0]}<mo>|</mo></mrow>"
    else:
        body = f"<mrow>{function.shown}{_brackets('<mo>,</mo>'.join(shown))}</mrow>"
    return _Node(
        values=lambda columns: function.values(*[argument.values(columns) for argument in arguments]),
        symbol=lambda: function.symbol(*[argument.symbol() for argument in arguments], evaluate=False),
        constant=constant,
        body=body,
        level=level,
    )


def _brackets(markup: str) -> str:
    return f"<mrow><mo>(</mo>{markup}<mo>)</mo></mrow>"
