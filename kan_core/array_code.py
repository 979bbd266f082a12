"""Functions of one variable as Python code on arrays, for NumPy and for torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import sympy as sp

from kan_core.symbolic.library import SymbolicFunction
from kan_core.symbolic.program_forms import source_of
from kan_core.writing import PRODUCT, Text, TextWriter, write

# NumPy and torch name most functions alike; these are the others
_NAMES: Mapping[str, str] = MappingProxyType(
    {name: f"arc{name[1:]}" for name in ("asin", "acos", "atan", "asinh", "acosh", "atanh")}
)
_PLAIN = ("sin", "cos", "tan", "sinh", "cosh", "tanh", "exp", "log", "sqrt", "abs", "sign")
_BEYOND: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "np": {"erf": "scipy.special.erf", "j0": "scipy.special.j0"},
        "torch": {"erf": "torch.special.erf", "j0": "torch.special.bessel_j0"},
    }
)


class ArrayWriter(TextWriter):
    """Python code on arrays of `module`, "np" or "torch", that stand for every name by `x`."""

    power_sign = " ** "

    def __init__(self, module: str, x: str) -> None:
        self.language = {"np": "NumPy", "torch": "PyTorch"}[module]
        self._module = module
        self._x = x

    def symbol(self, name: str) -> Text:  # noqa: ARG002
        """Return the one variable."""
        return Text(self._x)

    def call(self, name: str, arguments: Sequence[Text]) -> Text | None:
        """Return a call of the module's function, None when it has none."""
        first, *rest = (argument.text for argument in arguments)
        if name == "step":
            return Text(f"0.5 * (1.0 + {self._module}.sign({first}))", PRODUCT)
        if name in ("min", "max"):
            sign = "<" if name == "min" else ">"
            for other in rest:
                # numbers are no tensors, which minimum and maximum ask for
                first = f"{self._module}.where(({first}) {sign} ({other}), {first}, {other})"
            return Text(first)
        if name in _PLAIN or name in _NAMES:
            return Text(f"{self._module}.{_NAMES.get(name, name)}({first})")
        known = _BEYOND[self._module].get(name)
        return None if known is None else Text(f"{known}({first})")


def function_code(function: SymbolicFunction, x: str, module: str) -> str:
    """Return f(x) as an expression of Python; `x` is a name, `module` "np" or "torch".

    It is made of the function's SymPy form, so functions of people's own have it too. Raises ExportError when the
    module lacks a function that is used.
    """
    t = sp.Symbol("t")
    expression: Any = function.sympy_value(t)
    code = write(expression, ArrayWriter(module, x))
    return code.text if expression.has(t) else f"{code.text} + 0.0 * {x}"


def formula_code(function: SymbolicFunction, x: str, module: str) -> str:
    """Return f(x) as an expression of Python; `x` is a name, `module` "np" or "torch".

    Functions of people's own are written step by step, as the network computes them, with what fills their holes.
    """
    return source_of(function.program, x, module) if function.expression else function_code(function, x, module)
