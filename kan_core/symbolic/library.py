"""The functions that an edge can be replaced by.

Each is f in c·f(a·x + b) + d. Arguments outside its domain are moved to the domain's edge, so values stay finite while
training moves a and b; a fit never leaves the domain on its own data. Complexities follow pykan's list
(github.com/KindXiaoming/pykan, MIT) where it has the function.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np
import sympy as sp
import torch
from numpy.typing import NDArray
from torch import Tensor

from kan_core.bases.basis import FloatArray
from kan_core.symbolic.programs import Program, program_of

SMALLEST = 1e-9


class Shape(enum.Enum):
    """Which of the four constants a function really has, and so where a fit begins.

    CONSTANT has d, LINEAR c and d. POWER is homogeneous: scaling its argument is scaling c (or shifting d, for log), so
    a stays ±1; KINK is the same with a break that must be met. EXPONENTIAL: shifting the argument is scaling c, so b
    stays 0. WAVE and BUMP have all four, the first with many turns on a range, the second with one feature; ANY has all
    four and may be like either.
    """

    CONSTANT = "constant"
    LINEAR = "linear"
    POWER = "power"
    KINK = "kink"
    EXPONENTIAL = "exponential"
    WAVE = "wave"
    BUMP = "bump"
    ANY = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolicFunction:
    """A library function; `low` and `high` bound the arguments it is defined on.

    `family` names functions that are one another up to a, b, c, d (sine and cosine), of which a ranking keeps one.
    `parity` is 1 for an even function, -1 for an odd one and 0 for others and for those that have a domain on one side.
    `expression` is what a person typed for a function of their own, which brings its program, and empty for others.
    """

    name: str
    complexity: int
    shape: Shape
    torch_value: Callable[[Tensor], Tensor]
    numpy_value: Callable[[FloatArray], FloatArray]
    numpy_derivative: Callable[[FloatArray], FloatArray]
    sympy_value: Callable[[Any], Any]
    low: float = -math.inf
    high: float = math.inf
    family: str = ""
    parity: int = 0
    expression: str = ""
    own_program: Program | None = None

    def value(self, x: Tensor) -> Tensor:
        """Return f(x), differentiable by torch, for x of any shape."""
        return self.torch_value(x if self._is_everywhere else x.clamp(self.low, self.high))

    def value_and_derivative(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return f(x) and f'(x), for x of any shape; beyond the domain the derivative is 0."""
        if self._is_everywhere:
            return self.numpy_value(x), self.numpy_derivative(x)
        inside = np.clip(x, self.low, self.high)
        derivative = np.where(inside == x, self.numpy_derivative(inside), 0.0).astype(x.dtype)
        return self.numpy_value(inside), derivative

    @property
    def program(self) -> Program:
        """The instructions by which compiled code computes f."""
        return _program(self) if self.own_program is None else self.own_program

    def contains(self, x: FloatArray) -> NDArray[np.bool_]:
        """Return for each row of arguments (S, P) whether all lie in the domain, (S,)."""
        inside: NDArray[np.bool_] = np.logical_and(x >= self.low, x <= self.high)
        return np.all(inside, axis=-1)

    @property
    def _is_everywhere(self) -> bool:
        return math.isinf(self.low) and math.isinf(self.high)


@lru_cache(maxsize=1024)
def _program(function: SymbolicFunction) -> Program:
    x = sp.Symbol("x", real=True)
    return program_of(function.sympy_value(x), x)


def _power(name: str, exponent: float, complexity: int, *, exact: sp.Expr) -> SymbolicFunction:
    positive = not float(exponent).is_integer() or exponent < 0
    return SymbolicFunction(
        name=name,
        complexity=complexity,
        shape=Shape.POWER,
        torch_value=lambda x: x**exponent,
        numpy_value=lambda x: x**exponent,
        numpy_derivative=lambda x: exponent * x ** (exponent - 1),
        sympy_value=lambda x: x**exact,
        low=SMALLEST if positive else -math.inf,
        parity=0 if positive else 1 - 2 * (int(exponent) % 2),
    )


def _sech_square(x: FloatArray) -> FloatArray:
    return 1.0 - np.tanh(x) ** 2


def _sigmoid(x: FloatArray) -> FloatArray:
    return 0.5 * (1.0 + np.tanh(0.5 * x))


_INSIDE = 1.0 - SMALLEST

_ALL = (
    SymbolicFunction(
        name="constant",
        complexity=0,
        shape=Shape.CONSTANT,
        torch_value=torch.zeros_like,
        numpy_value=np.zeros_like,
        numpy_derivative=np.zeros_like,
        sympy_value=lambda _: sp.Integer(0),
    ),
    SymbolicFunction(
        name="x",
        complexity=1,
        shape=Shape.LINEAR,
        torch_value=lambda x: x,
        numpy_value=lambda x: x,
        numpy_derivative=np.ones_like,
        sympy_value=lambda x: x,
    ),
    _power("x^2", 2, 2, exact=sp.Integer(2)),
    _power("x^3", 3, 3, exact=sp.Integer(3)),
    _power("x^4", 4, 3, exact=sp.Integer(4)),
    _power("x^5", 5, 3, exact=sp.Integer(5)),
    _power("1/x", -1, 2, exact=sp.Integer(-1)),
    _power("1/x^2", -2, 2, exact=sp.Integer(-2)),
    _power("1/x^3", -3, 3, exact=sp.Integer(-3)),
    _power("1/x^4", -4, 4, exact=sp.Integer(-4)),
    _power("sqrt", 0.5, 2, exact=sp.Rational(1, 2)),
    _power("1/sqrt", -0.5, 2, exact=sp.Rational(-1, 2)),
    _power("x^1.5", 1.5, 4, exact=sp.Rational(3, 2)),
    SymbolicFunction(
        name="log",
        complexity=2,
        shape=Shape.POWER,
        torch_value=torch.log,
        numpy_value=np.log,
        numpy_derivative=lambda x: 1.0 / x,
        sympy_value=sp.log,
        low=SMALLEST,
    ),
    SymbolicFunction(
        name="abs",
        parity=1,
        complexity=3,
        shape=Shape.KINK,
        torch_value=torch.abs,
        numpy_value=np.abs,
        numpy_derivative=np.sign,
        sympy_value=sp.Abs,
    ),
    SymbolicFunction(
        name="sign",
        parity=-1,
        complexity=3,
        shape=Shape.KINK,
        torch_value=torch.sign,
        numpy_value=np.sign,
        numpy_derivative=np.zeros_like,
        sympy_value=sp.sign,
    ),
    SymbolicFunction(
        name="exp",
        complexity=2,
        shape=Shape.EXPONENTIAL,
        torch_value=torch.exp,
        numpy_value=np.exp,
        numpy_derivative=np.exp,
        sympy_value=sp.exp,
        high=80.0,
    ),
    SymbolicFunction(
        name="sin",
        parity=-1,
        complexity=2,
        shape=Shape.WAVE,
        torch_value=torch.sin,
        numpy_value=np.sin,
        numpy_derivative=np.cos,
        sympy_value=sp.sin,
        family="sin",
    ),
    SymbolicFunction(
        name="cos",
        parity=1,
        complexity=2,
        shape=Shape.WAVE,
        torch_value=torch.cos,
        numpy_value=np.cos,
        numpy_derivative=lambda x: -np.sin(x),
        sympy_value=sp.cos,
        family="sin",
    ),
    SymbolicFunction(
        name="tan",
        parity=-1,
        complexity=3,
        shape=Shape.BUMP,
        torch_value=torch.tan,
        numpy_value=np.tan,
        numpy_derivative=lambda x: 1.0 + np.tan(x) ** 2,
        sympy_value=sp.tan,
        low=-math.pi / 2 + 1e-3,
        high=math.pi / 2 - 1e-3,
    ),
    SymbolicFunction(
        name="tanh",
        parity=-1,
        complexity=3,
        shape=Shape.BUMP,
        torch_value=torch.tanh,
        numpy_value=np.tanh,
        numpy_derivative=_sech_square,
        sympy_value=sp.tanh,
        family="tanh",
    ),
    SymbolicFunction(
        name="sigmoid",
        complexity=3,
        shape=Shape.BUMP,
        torch_value=torch.sigmoid,
        numpy_value=_sigmoid,
        numpy_derivative=lambda x: _sigmoid(x) * (1.0 - _sigmoid(x)),
        sympy_value=lambda x: 1 / (1 + sp.exp(-x)),
        family="tanh",
    ),
    SymbolicFunction(
        name="gaussian",
        parity=1,
        complexity=3,
        shape=Shape.BUMP,
        torch_value=lambda x: torch.exp(-(x**2)),
        numpy_value=lambda x: np.exp(-(x**2)),
        numpy_derivative=lambda x: -2.0 * x * np.exp(-(x**2)),
        sympy_value=lambda x: sp.exp(-(x**2)),
    ),
    SymbolicFunction(
        name="lorentzian",
        parity=1,
        complexity=3,
        shape=Shape.BUMP,
        torch_value=lambda x: 1.0 / (1.0 + x**2),
        numpy_value=lambda x: 1.0 / (1.0 + x**2),
        numpy_derivative=lambda x: -2.0 * x / (1.0 + x**2) ** 2,
        sympy_value=lambda x: 1 / (1 + x**2),
    ),
    SymbolicFunction(
        name="sinh",
        parity=-1,
        complexity=3,
        shape=Shape.BUMP,
        torch_value=torch.sinh,
        numpy_value=np.sinh,
        numpy_derivative=np.cosh,
        sympy_value=sp.sinh,
        low=-80.0,
        high=80.0,
    ),
    SymbolicFunction(
        name="cosh",
        parity=1,
        complexity=3,
        shape=Shape.BUMP,
        torch_value=torch.cosh,
        numpy_value=np.cosh,
        numpy_derivative=np.sinh,
        sympy_value=sp.cosh,
        low=-80.0,
        high=80.0,
    ),
    SymbolicFunction(
        name="arcsin",
        parity=-1,
        complexity=4,
        shape=Shape.BUMP,
        torch_value=torch.arcsin,
        numpy_value=np.arcsin,
        numpy_derivative=lambda x: 1.0 / np.sqrt(1.0 - x**2),
        sympy_value=sp.asin,
        family="arcsin",
        low=-_INSIDE,
        high=_INSIDE,
    ),
    SymbolicFunction(
        name="arccos",
        complexity=4,
        shape=Shape.BUMP,
        torch_value=torch.arccos,
        numpy_value=np.arccos,
        numpy_derivative=lambda x: -1.0 / np.sqrt(1.0 - x**2),
        sympy_value=sp.acos,
        family="arcsin",
        low=-_INSIDE,
        high=_INSIDE,
    ),
    SymbolicFunction(
        name="arctan",
        parity=-1,
        complexity=4,
        shape=Shape.BUMP,
        torch_value=torch.arctan,
        numpy_value=np.arctan,
        numpy_derivative=lambda x: 1.0 / (1.0 + x**2),
        sympy_value=sp.atan,
    ),
    SymbolicFunction(
        name="arctanh",
        parity=-1,
        complexity=4,
        shape=Shape.BUMP,
        torch_value=torch.arctanh,
        numpy_value=np.arctanh,
        numpy_derivative=lambda x: 1.0 / (1.0 - x**2),
        sympy_value=sp.atanh,
        low=-_INSIDE,
        high=_INSIDE,
    ),
)

FUNCTIONS: Mapping[str, SymbolicFunction] = MappingProxyType({function.name: function for function in _ALL})
