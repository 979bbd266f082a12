"""The stack machine that runs `Program`s, compiled.

Shape legend: D values on the stack, P points.

Points lie next to each other, and an instruction is carried out for all of them before the next one. Compiled code is
cached on disk by numba and releases the GIL.
"""

from __future__ import annotations

import math

from numba import njit

from kan_core.bases.basis import FloatArray, IndexArray
from kan_core.symbolic.programs import (
    ABS,
    ADD,
    ADD_NUMBER,
    ARCCOS,
    ARCSIN,
    ARCTAN,
    ARCTANH,
    COS,
    COSH,
    DIVIDE,
    EXP,
    FIRST_JOINING,
    INTEGER_POWER,
    LOG,
    MAXIMUM,
    MINIMUM,
    MULTIPLY,
    NUMBER,
    POWER,
    REAL_POWER,
    SCALE,
    SIGN,
    SIN,
    SINH,
    SQRT,
    TAN,
    TANH,
    VARIABLE,
)


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def run_program(
    instructions: IndexArray, numbers: FloatArray, x: FloatArray, values: FloatArray, slopes: FloatArray
) -> None:
    """Write f(x), x (P,), to values[0] and f'(x) to slopes[0]; both are (D, P), all used as a stack.

    NaN where there is no value.
    """
    top = -1
    for step in range(instructions.size):
        instruction, number = instructions[step], numbers[step]
        if instruction in (VARIABLE, NUMBER):
            top += 1
            is_variable = instruction == VARIABLE
            value, slope = values[top], slopes[top]
            for p in range(x.size):
                value[p] = x[p] if is_variable else number
                slope[p] = 1.0 if is_variable else 0.0
        elif instruction < FIRST_JOINING:
            _change(instruction, number, values[top], slopes[top], x.size)
        else:
            top -= 1
            _join(instruction, values[top], slopes[top], values[top + 1], slopes[top + 1], x.size)


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _integer_power(base: float, exponent: int) -> float:
    left = abs(exponent)
    power, square = 1.0, base
    while left:
        if left & 1:
            power *= square
        square *= square
        left >>= 1
    return power if exponent >= 0 else 1.0 / power


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _change(instruction: int, number: float, value: FloatArray, slope: FloatArray, size: int) -> None:
    """Replace value (P,) by a function of it and slope (P,) by that function's slope times it."""
    if instruction == ADD_NUMBER:
        for p in range(size):
            value[p] += number
    elif instruction == SCALE:
        for p in range(size):
            value[p] *= number
            slope[p] *= number
    elif instruction == INTEGER_POWER:
        exponent = int(number)
        for p in range(size):
            slope[p] *= number * _integer_power(value[p], exponent - 1)
            value[p] = _integer_power(value[p], exponent)
    elif instruction == REAL_POWER:
        for p in range(size):
            slope[p] *= number * value[p] ** (number - 1.0)
            value[p] = value[p] ** number
    elif instruction == SQRT:
        for p in range(size):
            value[p] = math.sqrt(value[p])
            slope[p] *= 0.5 / value[p]
    elif instruction == EXP:
        for p in range(size):
            value[p] = math.exp(value[p])
            slope[p] *= value[p]
    elif instruction == LOG:
        for p in range(size):
            slope[p] /= value[p]
            value[p] = math.log(value[p])
    elif instruction == SIN:
        for p in range(size):
            slope[p] *= math.cos(value[p])
            value[p] = math.sin(value[p])
    elif instruction == COS:
        for p in range(size):
            slope[p] *= -math.sin(value[p])
            value[p] = math.cos(value[p])
    elif instruction == TAN:
        for p in range(size):
            value[p] = math.tan(value[p])
            slope[p] *= 1.0 + value[p] * value[p]
    else:
        _change_rarely(instruction, value, slope, size)


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _change_rarely(instruction: int, value: FloatArray, slope: FloatArray, size: int) -> None:
    """Do as `_change` for the other functions, whose slopes cost little beside their values."""
    if instruction == ARCSIN:
        for p in range(size):
            slope[p] /= math.sqrt((1.0 - value[p]) * (1.0 + value[p]))
            value[p] = math.asin(value[p])
    elif instruction == ARCCOS:
        for p in range(size):
            slope[p] /= -math.sqrt((1.0 - value[p]) * (1.0 + value[p]))
            value[p] = math.acos(value[p])
    elif instruction == ARCTAN:
        for p in range(size):
            slope[p] /= 1.0 + value[p] * value[p]
            value[p] = math.atan(value[p])
    elif instruction == ARCTANH:
        for p in range(size):
            slope[p] /= (1.0 - value[p]) * (1.0 + value[p])
            value[p] = math.atanh(value[p])
    elif instruction == SINH:
        for p in range(size):
            slope[p] *= math.cosh(value[p])
            value[p] = math.sinh(value[p])
    elif instruction == COSH:
        for p in range(size):
            slope[p] *= math.sinh(value[p])
            value[p] = math.cosh(value[p])
    elif instruction == TANH:
        for p in range(size):
            value[p] = math.tanh(value[p])
            slope[p] *= (1.0 - value[p]) * (1.0 + value[p])
    elif instruction == ABS:
        for p in range(size):
            slope[p] = slope[p] if value[p] > 0.0 else -slope[p] if value[p] < 0.0 else 0.0
            value[p] = abs(value[p])
    elif instruction == SIGN:
        for p in range(size):
            slope[p] = 0.0
            value[p] = 1.0 if value[p] > 0.0 else -1.0 if value[p] < 0.0 else value[p]
    else:
        for p in range(size):
            slope[p] = 0.0
            value[p] = 1.0 if value[p] > 0.0 else 0.0 if value[p] < 0.0 else 0.5 + value[p]


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _join(
    instruction: int,
    value: FloatArray,
    slope: FloatArray,
    other: FloatArray,
    other_slope: FloatArray,
    size: int,
) -> None:
    """Replace value and slope (P,) by those of value ∘ other."""
    if instruction == ADD:
        for p in range(size):
            value[p] += other[p]
            slope[p] += other_slope[p]
    elif instruction == MULTIPLY:
        for p in range(size):
            slope[p] = slope[p] * other[p] + value[p] * other_slope[p]
            value[p] *= other[p]
    elif instruction == DIVIDE:
        for p in range(size):
            value[p] /= other[p]
            slope[p] = (slope[p] - value[p] * other_slope[p]) / other[p]
    elif instruction == POWER:
        for p in range(size):
            power = value[p] ** other[p]
            along = other[p] * value[p] ** (other[p] - 1.0) * slope[p]
            slope[p] = along + (power * math.log(value[p]) * other_slope[p] if other_slope[p] != 0.0 else 0.0)
            value[p] = power
    elif instruction in (MINIMUM, MAXIMUM):
        sign = 1.0 if instruction == MINIMUM else -1.0
        for p in range(size):
            if sign * other[p] < sign * value[p] or other[p] != other[p]:
                value[p], slope[p] = other[p], other_slope[p]
