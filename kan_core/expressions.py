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

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import sympy as sp

from kan_core.errors import ExpressionError
from kan_core.expression_nodes import (
    ATOM,
    CONSTANTS,
    FUNCTIONS,
    MAX_NUMBER,
    Columns,
    ExpressionNode,
    FloatArray,
    call_of,
    check_constant,
    divided,
    leaf_node,
    negative_of,
    number_node,
    power_of,
    product_of,
    read_number,
    sum_of,
)
from kan_core.mathml import presentation

__all__ = ["CONSTANTS", "FUNCTIONS", "MAX_LENGTH", "MAX_NUMBER", "Expression", "find_names", "parse_expression"]

MAX_LENGTH = 500
MAX_DEPTH = 40
MAX_EXPONENT = 64

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
    _values: Callable[[Columns], Any]
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

    def parse(self) -> ExpressionNode:
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

    def _nested(self, part: Callable[[], ExpressionNode]) -> ExpressionNode:
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

    def _sum(self) -> ExpressionNode:
        return self._nested(self._terms)

    def _terms(self) -> ExpressionNode:
        start = self._now.position
        node = self._product()
        total, terms = node.constant, [(False, node)]
        while sign := self._take("+", "-"):
            node = self._product()
            is_minus = sign.sign == "-"
            total = None if total is None or node.constant is None else total + (-1) ** is_minus * node.constant
            check_constant(total, start)
            terms.append((is_minus, node))
        return terms[0][1] if len(terms) == 1 else sum_of(terms, total)

    def _product(self) -> ExpressionNode:
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
                total = None if node.constant is None else divided(total, node.constant, is_divisor)
            check_constant(total, start)
            factors.append((is_divisor, node))
        return factors[0][1] if len(factors) == 1 else product_of(factors, total)

    def _unary(self) -> ExpressionNode:
        is_negative = False
        while sign := self._take("+", "-"):
            is_negative ^= sign.sign == "-"
        node = self._power()
        return negative_of(node) if is_negative else node

    def _power(self) -> ExpressionNode:
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
        power = power_of(node, exponent)
        check_constant(power.constant, start)
        return power

    def _superscript(self) -> ExpressionNode:
        token = self._now
        self._at += 1
        text = token.text.translate(_SUPERSCRIPTS)
        node = number_node(read_number(text.lstrip("+-"), token.position))
        return negative_of(node) if text.startswith("-") else node

    def _atom(self) -> ExpressionNode:
        token = self._now
        if token.kind == "number":
            self._at += 1
            return number_node(read_number(re.sub("[−–]", "-", token.text), token.position))
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

    def _root(self, start: int) -> ExpressionNode:
        has_brackets = self._now.sign == "("
        node = call_of("sqrt", [self._atom()])
        check_constant(node.constant, start)
        after = self._now
        if not has_brackets and (after.starts_factor or after.sign == "^" or after.kind == "superscript"):
            raise ExpressionError(
                f"A root without brackets ends its factor, received {after.text!r} behind one at position "
                f"{after.position + 1}: put what is under the root in brackets, as in √(2x).",
                after.position,
            )
        return node

    def _named(self, token: _Token) -> ExpressionNode:
        name = token.text
        if name in self.variables:
            self.used.add(name)
            if name not in self._shown:
                self._shown[name] = f"<mi>{name}</mi>" if len(name) == 1 else presentation(sp.Symbol(name))
            return ExpressionNode(
                values=lambda columns: columns[name],
                symbol=lambda: sp.Symbol(name),
                constant=None,
                body=self._shown[name],
                level=ATOM,
            )
        if name in FUNCTIONS:
            return self._call(token)
        if name in CONSTANTS:
            value, symbol = CONSTANTS[name]
            shown = "e" if name == "e" else "π"
            return leaf_node(value, symbol, f"<mi>{shown}</mi>", ATOM)
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

    def _call(self, token: _Token) -> ExpressionNode:
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
        node = call_of(token.text, arguments)
        check_constant(node.constant, token.position)
        return node

    def _close(self) -> None:
        if self._take(")") is None:
            raise self._unexpected()
