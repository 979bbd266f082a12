"""Programs carried out by torch, so that training can differentiate them, and written out as source."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch import Tensor

from kan_core.symbolic import programs as p
from kan_core.symbolic.programs import Program

_CHANGES: Mapping[int, Callable[[Tensor], Tensor]] = MappingProxyType(
    {
        p.SQRT: torch.sqrt,
        p.EXP: torch.exp,
        p.LOG: torch.log,
        p.SIN: torch.sin,
        p.COS: torch.cos,
        p.TAN: torch.tan,
        p.ARCSIN: torch.arcsin,
        p.ARCCOS: torch.arccos,
        p.ARCTAN: torch.arctan,
        p.SINH: torch.sinh,
        p.COSH: torch.cosh,
        p.TANH: torch.tanh,
        p.ARCTANH: torch.arctanh,
        p.ABS: torch.abs,
        p.SIGN: torch.sign,
        p.STEP: lambda x: (1.0 + torch.sign(x)) / 2.0,
    }
)
_JOINS: Mapping[int, Callable[[Tensor, Tensor], Tensor]] = MappingProxyType(
    {
        p.ADD: torch.add,
        p.MULTIPLY: torch.mul,
        p.DIVIDE: torch.div,
        p.POWER: torch.pow,
        p.MINIMUM: torch.minimum,
        p.MAXIMUM: torch.maximum,
    }
)
_SIGNS = MappingProxyType({p.ADD: "+", p.MULTIPLY: "*", p.DIVIDE: "/", p.POWER: "**"})
_NAMES = MappingProxyType({p.MINIMUM: "minimum", p.MAXIMUM: "maximum"})


def torch_values(program: Program, x: Tensor) -> Tensor:
    """Return f(x), differentiable by torch, for x of any shape; NaN where there is no value."""
    stack: list[Tensor] = []
    for instruction, number in zip(program.instructions.tolist(), program.numbers.tolist(), strict=True):
        if instruction == p.VARIABLE:
            stack.append(x)
        elif instruction == p.NUMBER:
            stack.append(torch.full_like(x, number))
        elif instruction >= p.FIRST_JOINING:
            other = stack.pop()
            stack[-1] = _JOINS[instruction](stack[-1], other)
        elif instruction == p.ADD_NUMBER:
            stack[-1] = stack[-1] + number
        elif instruction == p.SCALE:
            stack[-1] = stack[-1] * number
        elif instruction in (p.INTEGER_POWER, p.REAL_POWER):
            stack[-1] = stack[-1] ** number
        else:
            stack[-1] = _CHANGES[instruction](stack[-1])
    return stack[0]


def source_of(program: Program, x: str, module: str) -> str:
    """Return the program as one Python expression of the expression `x`, its functions those of `module`.

    `module` is "np" or "torch", which give them the same names.
    """
    stack: list[str] = []
    for instruction, number in zip(program.instructions.tolist(), program.numbers.tolist(), strict=True):
        if instruction == p.VARIABLE:
            stack.append(x)
        elif instruction == p.NUMBER:
            # not a bare number, which torch's functions would refuse
            stack.append(f"({number!r} + 0.0 * {x})")
        elif instruction in _NAMES:
            other = stack.pop()
            stack[-1] = f"{module}.{_NAMES[instruction]}({stack[-1]}, {other})"
        elif instruction >= p.FIRST_JOINING:
            other = stack.pop()
            stack[-1] = f"({stack[-1]} {_SIGNS[instruction]} {other})"
        elif instruction == p.ADD_NUMBER:
            stack[-1] = f"({stack[-1]} + {number!r})"
        elif instruction == p.SCALE:
            stack[-1] = f"({number!r} * {stack[-1]})"
        elif instruction in (p.INTEGER_POWER, p.REAL_POWER):
            stack[-1] = f"{stack[-1]} ** {number!r}" if stack[-1].endswith(")") else f"({stack[-1]}) ** {number!r}"
            stack[-1] = f"({stack[-1]})"
        elif instruction == p.STEP:
            stack[-1] = f"((1.0 + {module}.sign({stack[-1]})) / 2.0)"
        else:
            stack[-1] = f"{module}.{_CHANGES[instruction].__name__}({stack[-1]})"
    return stack[0]
