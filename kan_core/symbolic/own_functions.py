"""Libraries that people add functions of their own to."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np
import sympy as sp

from kan_core._checks import check_integer
from kan_core.bases.basis import FloatArray
from kan_core.errors import ExpressionError, KanError, SpecError
from kan_core.expressions import parse_expression
from kan_core.symbolic.affine_fit import FREE_CONSTANTS, fit_affine
from kan_core.symbolic.domains import FunctionValues, check_domain, find_domain, has_hole
from kan_core.symbolic.library import FUNCTIONS, Shape, SymbolicFunction
from kan_core.symbolic.program_forms import torch_values
from kan_core.symbolic.program_kernels import run_program
from kan_core.symbolic.programs import NUMBER, VARIABLE, Program, program_of

MAX_NAME = 32
MAX_COMPLEXITY = 100
MAX_OWN_FUNCTIONS = 50
# how far the numbers that decide about a function's shape may be off
SAME = 1e-9
# a function that has no value at 0 alone, such as sin(x)/x, is taken so far beside
BESIDE = 1e-8
_TYPED = MappingProxyType({"Abs": "abs", "Max": "max", "Min": "min", "Heaviside": "step", "E": "e"})


class Library(Mapping[str, SymbolicFunction]):
    """Functions by name that a ranking tries: the built-in ones, then a person's own, none of which ever change.

    Adding or removing gives a new library, so that sessions that share a process never see one another's functions.
    """

    def __init__(self, own: Iterable[SymbolicFunction] = ()) -> None:
        self._own = tuple(own)
        self._all = {**FUNCTIONS, **{function.name: function for function in self._own}}

    def __getitem__(self, name: str) -> SymbolicFunction:
        return self._all[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def __hash__(self) -> int:
        return hash(tuple(self._all))

    @property
    def own(self) -> tuple[SymbolicFunction, ...]:
        """The functions that were added, in the order in which they were."""
        return self._own

    def add_function(
        self,
        name: str,
        expression: str | sp.Expr,
        *,
        complexity: int | None = None,
        domain: tuple[float, float] | None = None,
    ) -> Library:
        """Return a library with one more function, f of x; its formula then is c·f(a·x + b) + d.

        `expression` is text as in `parse_expression`, or a SymPy expression, with x as its only variable. `complexity`
        is 1 and one more for each operation unless given, `domain` the widest interval around 0, or nearest to it,
        where f has finite values. Raises SpecError for a name, complexity or domain that does not do, and
        ExpressionError for an expression that does not.
        """
        if not name.isidentifier() or len(name) > MAX_NAME:
            raise SpecError(
                f"A function's name is made of letters, digits and _, begins with a letter and has at most {MAX_NAME} "
                f"characters, received name={name!r}: choose another."
            )
        if name in self:
            raise SpecError(f"There is a function of that name already, received name={name!r}: choose another.")
        if len(self._own) >= MAX_OWN_FUNCTIONS:
            raise SpecError(f"A library has at most {MAX_OWN_FUNCTIONS} functions of your own: remove one first.")
        return Library([*self._own, own_function(name, expression, complexity=complexity, domain=domain)])

    def remove_function(self, name: str) -> Library:
        """Return the library without that function of a person's own; raises SpecError when there is none."""
        if all(function.name != name for function in self._own):
            known = ", ".join(function.name for function in self._own) or "none yet"
            raise SpecError(f"Only your own functions can be removed ({known}), received name={name!r}: name one.")
        return Library([function for function in self._own if function.name != name])


BUILT_IN = Library()


def own_function(
    name: str,
    expression: str | sp.Expr,
    *,
    complexity: int | None = None,
    domain: tuple[float, float] | None = None,
) -> SymbolicFunction:
    """Return the function of a person's own; see `Library.add_function`."""
    x = sp.Symbol("x")
    parsed = _read(expression, x)
    program = program_of(parsed, x)
    if has_hole(_values(program)):
        program = program_of(parsed.xreplace({x: x + BESIDE}), x)
    values = _values(program)
    low, high = find_domain(values) if domain is None else check_domain(values, domain)
    points = np.linspace(max(low, min(-3.0, high - 6.0)), min(high, max(3.0, low + 6.0)), 61)[1:-1]
    parity = _parity(values, low, high)
    if complexity is None:
        complexity = min(1 + _count_operations(program), MAX_COMPLEXITY)
    return SymbolicFunction(
        name=name,
        complexity=check_integer("complexity", complexity, low=1, high=MAX_COMPLEXITY),
        shape=_shape(values, points, low, high),
        torch_value=lambda t: torch_values(program, t),
        numpy_value=lambda t: values(t)[0],
        numpy_derivative=lambda t: values(t)[1],
        sympy_value=lambda argument: parsed.xreplace({x: argument}),
        low=low,
        high=high,
        family=_family(points, values(points)[0]),
        parity=parity,
        own_program=program,
        expression=expression if isinstance(expression, str) else _typed(expression),
    )


def describe_function(function: SymbolicFunction) -> dict[str, Any]:
    """Return a function of a person's own as JSON, from which `restore_function` makes it again."""
    return {
        "name": function.name,
        "expression": function.expression,
        "complexity": function.complexity,
        "low": function.low if math.isfinite(function.low) else None,
        "high": function.high if math.isfinite(function.high) else None,
    }


def restore_function(described: Mapping[str, Any]) -> SymbolicFunction:
    """Return the function that `describe_function` described; raises KanError or KeyError for anything else."""
    low = -math.inf if described["low"] is None else float(described["low"])
    high = math.inf if described["high"] is None else float(described["high"])
    return _restored(described["name"], described["expression"], described["complexity"], (low, high))


# a session's history holds the same functions many times, and functions never change
@lru_cache(maxsize=256)
def _restored(name: str, expression: str, complexity: int, domain: tuple[float, float]) -> SymbolicFunction:
    return own_function(name, expression, complexity=complexity, domain=domain)


def _read(expression: str | sp.Expr, x: Any) -> Any:
    """Return the expression in SymPy's symbol x."""
    if isinstance(expression, str):
        parsed = parse_expression(expression, ["x"]).sympy
    else:
        others = sorted(str(symbol) for symbol in expression.free_symbols if str(symbol) != "x")
        if others:
            raise ExpressionError(f"A function has x as its only variable, received {', '.join(others)}: use x.")
        # what cannot be typed again could not be saved either
        try:
            parsed = parse_expression(_typed(expression), ["x"]).sympy
        except KanError as error:
            raise ExpressionError(f"A function is one that could be typed: {error}") from error
    if x not in parsed.free_symbols:
        raise ExpressionError(f"A function depends on x, received {expression}: put x in it.")
    return parsed


def _typed(expression: sp.Expr) -> str:
    """Return a SymPy expression as a person types it."""
    return re.sub(r"\b(Abs|Max|Min|Heaviside|E)\b", lambda name: _TYPED[name[0]], str(sp.sstr(expression)))


def _values(program: Program) -> FunctionValues:
    """Return a function from x of any shape to f(x) and f'(x) of that shape, in float64 unless x is float32."""

    def values(x: FloatArray) -> tuple[FloatArray, FloatArray]:
        flat = np.ascontiguousarray(x, dtype=np.float64).ravel()
        stack, slopes = np.empty((program.depth, flat.size)), np.empty((program.depth, flat.size))
        run_program(program.instructions, program.numbers, flat, stack, slopes)
        return stack[0].reshape(x.shape).astype(x.dtype), slopes[0].reshape(x.shape).astype(x.dtype)

    return values


def _family(points: FloatArray, f: FloatArray) -> str:
    """Return the family of the simplest function of the library that is f at `points` (P,), or else nothing."""
    for function in sorted(FUNCTIONS.values(), key=lambda one: (one.complexity, len(FREE_CONSTANTS[one.shape]))):
        fit = fit_affine(function, points, f)
        if fit is not None and fit.unexplained < SAME**2:
            return function.family or function.name
    return ""


def _count_operations(program: Program) -> int:
    return sum(instruction not in (VARIABLE, NUMBER) for instruction in program.instructions.tolist())


def _parity(values: FunctionValues, low: float, high: float) -> int:
    if low != -high:
        return 0
    points = np.linspace(0.01, min(high, 3.0), 40)
    right, left = values(points)[0], values(-points)[0]
    size = 10 * max(SAME, BESIDE) * float(np.abs(right).max())
    return next((sign for sign in (1, -1) if float(np.abs(left - sign * right).max()) <= size), 0)


def _shape(values: FunctionValues, points: FloatArray, low: float, high: float) -> Shape:
    """Return which constants of c·f(a·x + b) + d the others already give, from f and f' at `points` (P,)."""
    f, slope = values(points)
    if not np.isfinite(slope).all():
        return Shape.ANY
    if _is_among(f, points):
        return Shape.LINEAR
    is_whole = math.isinf(high) and (math.isinf(low) or 0.0 <= low < 1e-6)
    if is_whole and _is_among(points * slope, f):
        return Shape.POWER
    if low < -40.0 and high > 40.0 and _is_among(slope, f):
        return Shape.EXPONENTIAL
    return Shape.ANY


def _is_among(wanted: FloatArray, f: FloatArray) -> bool:
    """Return whether wanted (P,) is α·f + β."""
    design = np.column_stack([f, np.ones_like(f)])
    solution: FloatArray = np.linalg.lstsq(design, wanted, rcond=None)[0]
    return float(np.abs(design @ solution - wanted).max()) <= SAME * max(float(np.abs(wanted).max()), 1e-300)
