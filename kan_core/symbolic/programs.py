"""Functions of x as short programs for a stack machine, which compiled code runs over many points at once.

A program is data: one compiled kernel runs them all, a function that somebody types needs no compiler of its own, and
nothing that was typed is ever handed to Python. Derivatives come along by the chain rule, instruction by instruction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import sympy as sp

from kan_core.bases.basis import FloatArray, IndexArray
from kan_core.errors import ExpressionError

VARIABLE, NUMBER = 0, 1
# what changes the value on top of the stack
ADD_NUMBER, SCALE, INTEGER_POWER, REAL_POWER = 2, 3, 4, 5
SQRT, EXP, LOG, SIN, COS, TAN = 6, 7, 8, 9, 10, 11
ARCSIN, ARCCOS, ARCTAN, SINH, COSH, TANH, ARCTANH = 12, 13, 14, 15, 16, 17, 18
ABS, SIGN, STEP = 19, 20, 21
# what joins the upper two values
ADD, MULTIPLY, DIVIDE, POWER, MINIMUM, MAXIMUM = 32, 33, 34, 35, 36, 37
FIRST_JOINING = ADD

MAX_STACK = 24
MAX_INTEGER_POWER = 64
_SINGLE: Mapping[Any, int] = MappingProxyType(
    {
        sp.exp: EXP,
        sp.log: LOG,
        sp.sin: SIN,
        sp.cos: COS,
        sp.tan: TAN,
        sp.asin: ARCSIN,
        sp.acos: ARCCOS,
        sp.atan: ARCTAN,
        sp.sinh: SINH,
        sp.cosh: COSH,
        sp.tanh: TANH,
        sp.atanh: ARCTANH,
        sp.Abs: ABS,
        sp.sign: SIGN,
        sp.Heaviside: STEP,
    }
)


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """Instructions (N,) with a number each (N,), and how many values the stack holds at most."""

    instructions: IndexArray
    numbers: FloatArray
    depth: int


def program_of(expression: Any, variable: Any) -> Program:
    """Return the program that computes a SymPy expression in `variable`.

    Raises ExpressionError for a function that programs do not have, and for one that nests too deep.
    """
    steps: list[tuple[int, float]] = []
    _write(expression, variable, steps.append)
    height = depth = 0
    for instruction, _ in steps:
        height += 1 if instruction in (VARIABLE, NUMBER) else -1 if instruction >= FIRST_JOINING else 0
        depth = max(depth, height)
    if depth > MAX_STACK:
        raise ExpressionError(f"A function holds at most {MAX_STACK} values at once, received {depth}: simplify it.")
    instructions, numbers = zip(*steps, strict=True)
    return Program(np.array(instructions, dtype=np.int64), np.array(numbers, dtype=np.float64), depth)


def _write(expression: Any, variable: Any, write: Callable[[tuple[int, float]], None]) -> None:
    if variable not in expression.free_symbols:
        write((NUMBER, _number(expression)))
    elif expression == variable:
        write((VARIABLE, 0.0))
    elif expression.is_Add or expression.is_Mul:
        _write_joined(expression, variable, write)
    elif expression.is_Pow:
        _write_power(expression, variable, write)
    elif isinstance(expression, sp.Min | sp.Max):
        _write_all(expression.args, MINIMUM if isinstance(expression, sp.Min) else MAXIMUM, variable, write)
    elif expression.func in _SINGLE:
        _write(expression.args[0], variable, write)
        write((_SINGLE[expression.func], 0.0))
    else:
        name = "j0" if expression.func is sp.besselj else expression.func.__name__
        raise ExpressionError(
            f"A library function is made of elementary functions, and {name} is none: leave it out, or learn from "
            "samples of it."
        )


def _write_joined(expression: Any, variable: Any, write: Callable[[tuple[int, float]], None]) -> None:
    """Write a sum or product: what has the variable first, then the number that all else comes to."""
    moving: list[Any] = [part for part in expression.args if variable in part.free_symbols]
    still = [part for part in expression.args if variable not in part.free_symbols]
    numbers = [_number(part) for part in still]
    if expression.is_Add:
        _write_all(moving, ADD, variable, write)
        if numbers:
            write((ADD_NUMBER, float(np.sum(numbers))))
        return
    above = [part for part in moving if not _is_divisor(part)]
    below: list[Any] = [sp.Pow(part.base, -part.exp, evaluate=False) for part in moving if _is_divisor(part)]
    if above:
        _write_all(above, MULTIPLY, variable, write)
    else:
        write((NUMBER, 1.0))
    for part in below:
        _write(part.base if part.exp == 1 else part, variable, write)
        write((DIVIDE, 0.0))
    if numbers:
        write((SCALE, float(np.prod(numbers))))


def _is_divisor(part: Any) -> bool:
    return bool(part.is_Pow and part.exp.is_Number and part.exp.is_negative)


def _write_all(parts: Any, joining: int, variable: Any, write: Callable[[tuple[int, float]], None]) -> None:
    for index, part in enumerate(parts):
        _write(part, variable, write)
        if index:
            write((joining, 0.0))


def _write_power(expression: Any, variable: Any, write: Callable[[tuple[int, float]], None]) -> None:
    base, exponent = expression.base, expression.exp
    if base == sp.E:
        _write(exponent, variable, write)
        write((EXP, 0.0))
        return
    _write(base, variable, write)
    if variable in exponent.free_symbols:
        _write(exponent, variable, write)
        write((POWER, 0.0))
        return
    number = _number(exponent)
    if 2 * number in (1.0, -1.0, 3.0, -3.0):
        write((SQRT, 0.0))
        number *= 2
    if number == 1.0:
        return
    is_whole = number.is_integer() and abs(number) <= MAX_INTEGER_POWER
    write((INTEGER_POWER if is_whole else REAL_POWER, number))


def _number(expression: Any) -> float:
    """Return the real number that an expression without variables is."""
    value = complex(expression.evalf())
    if value.imag != 0.0 or not np.isfinite(value.real):
        raise ExpressionError(f"Every number in a function is real and finite, received {expression}: change it.")
    return value.real
