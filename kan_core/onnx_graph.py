"""Arrays of an ONNX graph that is being written, and formulas in it.

Operations are those of the ONNX operator set 17 that its common runtime has for float32 and float64 alike. Those it
has for float32 only are made of others: the arc tangent of a float64 is the one in float32 and a correction,

    atan x = y + atan((x cos y - sin y) / (cos y + x sin y)),

whose argument is so small that it is its own arc tangent.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kan_core.errors import ExportError

OPSET = 17
# models of this version of the format are read by runtimes from 2022 on
IR_VERSION = 8

# for float32 alone the runtime has these as well
_SINGLE: Mapping[str, str] = MappingProxyType(
    {name: name.capitalize() for name in ("tan", "asin", "acos", "atan", "sinh", "cosh", "asinh", "acosh", "atanh")}
)
_SAME: Mapping[str, str] = MappingProxyType(
    {name: name.capitalize() for name in ("sin", "cos", "exp", "log", "sqrt", "abs", "sign", "tanh")}
)


def load_onnx() -> Any:
    """Return the package onnx; raises ExportError when it is not installed."""
    try:
        return importlib.import_module("onnx")
    except ImportError as error:
        raise ExportError(
            "an ONNX file needs the package onnx, which is not installed: run pip install 'kanoscope[onnx]'"
        ) from error


class Graph:
    """The nodes and constants written so far, for numbers of `dtype`, float32 or float64."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self.onnx = load_onnx()
        self.dtype = dtype
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    @property
    def type(self) -> int:
        """ONNX's number for the type of all arrays."""
        return int(self.onnx.helper.np_dtype_to_tensor_dtype(self.dtype))

    def constant(self, values: Any, *, dtype: Any = None) -> str:
        """Return the name of a new constant."""
        name = f"constant_{len(self.constants)}"
        array = np.asarray(values, dtype=self.dtype if dtype is None else dtype)
        self.constants.append(self.onnx.numpy_helper.from_array(array, name))
        return name

    def add(self, operator: str, *inputs: str, result: str | None = None, **attributes: Any) -> Array:
        """Return what an operator makes of its inputs."""
        name = f"value_{len(self.nodes)}" if result is None else result
        self.nodes.append(self.onnx.helper.make_node(operator, list(inputs), [name], **attributes))
        return Array(self, name)


class Array:
    """An array of a graph by its `name`; see `kan_core.bases.graph.GraphArray`."""

    def __init__(self, graph: Graph, name: str) -> None:
        self.graph = graph
        self.name = name

    def _with(self, operator: str, other: Any) -> Array:
        name = other.name if isinstance(other, Array) else self.graph.constant(other)
        return self.graph.add(operator, self.name, name)

    def __add__(self, other: Any) -> Array:
        return self._with("Add", other)

    def __sub__(self, other: Any) -> Array:
        return self._with("Sub", other)

    def __mul__(self, other: Any) -> Array:
        return self._with("Mul", other)

    def __truediv__(self, other: Any) -> Array:
        return self._with("Div", other)

    def power(self, other: Any) -> Array:
        """Return the array to a power."""
        return self._with("Pow", other)

    def times_matrix(self, matrix: NDArray[Any]) -> Array:
        """Return the product with a constant matrix."""
        return self._with("MatMul", matrix)

    def reversed_from(self, number: float) -> Array:
        """Return number - array."""
        return self * -1.0 + number

    def at_least(self, bound: Any) -> Array:
        """Return the larger one of the array and a bound."""
        return self._with("Max", bound)

    def at_most(self, bound: Any) -> Array:
        """Return the smaller one of the array and a bound."""
        return self._with("Min", bound)

    def within(self, low: float, high: float) -> Array:
        """Return the array held within finite or infinite bounds."""
        held = self if math.isinf(low) else self.at_least(low)
        return held if math.isinf(high) else held.at_most(high)

    def between(self, low: NDArray[Any], high: NDArray[Any]) -> Array:
        """Return 1 where low ≤ array < high and 0 elsewhere."""
        above, below = self._with("GreaterOrEqual", low), self._with("Less", high)
        inside = self.graph.add("And", above.name, below.name)
        return self.graph.add("Cast", inside.name, to=self.graph.type)

    def pick(self, indices: Sequence[int]) -> Array:
        """Return the numbers at these places of the last axis."""
        places = self.graph.constant(indices, dtype=np.int64)
        return self.graph.add("Gather", self.name, places, axis=-1)

    def beside(self, *others: Any) -> Array:
        """Return arrays joined along the last axis."""
        return self.graph.add("Concat", self.name, *[other.name for other in others], axis=-1)

    def reshaped(self, *shape: int) -> Array:
        """Return the numbers in another shape; one of its entries may be -1."""
        return self.graph.add("Reshape", self.name, self.graph.constant(shape, dtype=np.int64))

    def apply(self, name: str) -> Array:
        """Return a function of the array by the name that `kan_core.writing` gives it; KeyError for an unknown one."""
        if name in _SAME:
            return self.graph.add(_SAME[name], self.name)
        if name in _SINGLE and self.graph.dtype == np.float32:
            return self.graph.add(_SINGLE[name], self.name)
        return _MADE[name](self)

    def cast(self, dtype: Any) -> Array:
        """Return the array in another type of numbers."""
        return self.graph.add("Cast", self.name, to=int(self.graph.onnx.helper.np_dtype_to_tensor_dtype(dtype)))


def _arctan(x: Array) -> Array:
    rough = x.graph.add("Atan", x.cast(np.dtype(np.float32)).name).cast(x.graph.dtype)
    sine, cosine = rough.apply("sin"), rough.apply("cos")
    return rough + (x * cosine - sine) / (cosine + x * sine)


def _arcsin(x: Array) -> Array:
    # at the ends the root is no more than tiny, not 0
    return _arctan(x / (x.reversed_from(1.0) * (x + 1.0)).at_least(1e-300).apply("sqrt"))


def _sinh(x: Array) -> Array:
    # of small x the two exponentials cancel
    small = x.at_least(-0.5).at_most(0.5)
    square = small * small
    series = square * (1.0 / 156.0) + 1.0
    for divisor in (110.0, 72.0, 42.0, 20.0, 6.0):
        series = square * series * (1.0 / divisor) + 1.0
    direct = (x.apply("exp") - (x * -1.0).apply("exp")) * 0.5
    return _choose(x.apply("abs"), 0.5, small * series, direct)


def _choose(size: Array, bound: float, below: Array, above: Array) -> Array:
    """Return `below` where the size is less than the bound, and `above` elsewhere."""
    graph = size.graph
    is_below = graph.add("Less", size.name, graph.constant(bound))
    return graph.add("Where", is_below.name, below.name, above.name)


def _arctanh(x: Array) -> Array:
    # log((1 + x) / (1 - x)) loses what small x add to 1
    small = x.at_least(-0.1).at_most(0.1)
    square = small * small
    series = square * 0.0 + 1.0 / 15.0
    for divisor in (13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0):
        series = square * series + 1.0 / divisor
    held = x.at_least(-1.0).at_most(1.0)
    direct = ((held + 1.0) / held.reversed_from(1.0)).apply("log") * 0.5
    return _choose(x.apply("abs"), 0.1, small * series, direct)


_MADE: Mapping[str, Callable[[Array], Array]] = MappingProxyType(
    {
        "tan": lambda x: x.apply("sin") / x.apply("cos"),
        "atan": _arctan,
        "asin": _arcsin,
        "acos": lambda x: _arcsin(x).reversed_from(math.pi / 2.0),
        "sinh": _sinh,
        "cosh": lambda x: (x.apply("exp") + (x * -1.0).apply("exp")) * 0.5,
        "asinh": lambda x: ((x.apply("abs") + (x * x + 1.0).apply("sqrt")).apply("log")) * x.apply("sign"),
        "acosh": lambda x: (x + (x * x - 1.0).apply("sqrt")).apply("log"),
        "atanh": _arctanh,
        "step": lambda x: x.apply("sign") * 0.5 + 0.5,
    }
)


class GraphWriter:
    """Formulas of one variable `x` in its graph."""

    language = "ONNX"

    def __init__(self, x: Array) -> None:
        self._x = x

    def number(self, value: float) -> Array:
        """Return a number as a constant."""
        return Array(self._x.graph, self._x.graph.constant(value))

    def symbol(self, name: str) -> Array:  # noqa: ARG002
        """Return the one variable."""
        return self._x

    def add(self, terms: Sequence[Array]) -> Array:
        """Return a sum."""
        total = terms[0]
        for term in terms[1:]:
            total = total + term
        return total

    def multiply(self, factors: Sequence[Array]) -> Array:
        """Return a product."""
        total = factors[0]
        for factor in factors[1:]:
            total = total * factor
        return total

    def divide(self, left: Array, right: Array) -> Array:
        """Return a quotient."""
        return left / right

    def negate(self, part: Array) -> Array:
        """Return the part with a minus sign."""
        return part * -1.0

    def power(self, base: Array, exponent: Array) -> Array:
        """Return a power."""
        return base.power(exponent)

    def call(self, name: str, arguments: Sequence[Array]) -> Array | None:
        """Return a function, applied; None when there is none."""
        first, *rest = arguments
        if name in ("min", "max"):
            for other in rest:
                first = first.at_most(other) if name == "min" else first.at_least(other)
            return first
        return first.apply(name) if name in _SAME or name in _MADE else None
