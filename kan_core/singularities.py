"""Where a formula has no finite value: poles and places outside a function's domain, edge by edge.

Shape legend: B samples, I inputs.

A symbolic edge is f(a·x + b) of one node x, so its SymPy form is searched for what can go wrong (a divisor that is 0, a
root or logarithm of something negative, a tangent's pole, an arc's argument beyond 1) and the places are found
numerically over the range that x takes on the data and a quarter of it beyond.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize_scalar
from torch import Tensor

from kan_core.formula import column_names
from kan_core.network import KAN, EdgeId
from kan_core.symbolic.edges import edge_form, edge_function, edge_units

# how far beyond the data is near, as a share of their range
NEAR = 0.25
NUM_POINTS = 2001
# what counts as 0 beside the largest value
ZERO = 1e-10
MAX_FOUND = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Singularity:
    """Where the function of `edge` has no finite value.

    `low` to `high` is in the original units of the edge's source, one point for a pole. `input_name` is the input that
    the edge leaves, or None for a hidden node. `data_low` to `data_high` is what the source takes on the data, and
    `is_inside` says whether the place lies in that, rather than near it.
    """

    edge: EdgeId
    input_name: str | None
    function: str
    is_pole: bool
    low: float
    high: float
    data_low: float
    data_high: float

    @property
    def is_inside(self) -> bool:
        """Whether data lie on both sides of the place, or in it."""
        return self.low <= self.data_high and self.high >= self.data_low


def find_singularities(
    network: KAN, inputs: Tensor, *, input_names: Sequence[str] | None = None
) -> tuple[Singularity, ...]:
    """Return the singularities of all live symbolic edges within and near what `inputs` (B, I) reach."""
    names = column_names(input_names, network.widths[0], "input_names", "x")
    nodes = network.trace(inputs).node_values
    found: list[Singularity] = []
    for edge in network.edges():
        if network.kind(edge) != "symbolic":
            continue
        scale, shift, _ = edge_units(network, edge)
        x = nodes[edge.layer][:, edge.source].double().numpy() * scale + shift
        x = x[np.isfinite(x)]
        if not x.size:
            continue
        low, high = float(x.min()), float(x.max())
        function, a, b, *_ = edge_form(network, edge)
        found += [
            Singularity(
                edge=edge,
                input_name=names[edge.source] if edge.layer == 0 else None,
                function=function,
                is_pole=start == end,
                low=start,
                high=end,
                data_low=low,
                data_high=high,
            )
            for start, end in singular_places(edge_function(network, edge).sympy_value, a, b, low, high)
        ]
    return tuple(found)


def singular_places(
    function: Callable[[Any], Any], a: float, b: float, low: float, high: float
) -> list[tuple[float, float]]:
    """Return where function(a·x + b) has no finite value for x in [low, high] and near it, as intervals of x in order.

    A pole is an interval of one point. At most 8 are returned.
    """
    margin = NEAR * (high - low) if high > low else NEAR * max(abs(low), 1.0)
    x = np.linspace(low - margin, high + margin, NUM_POINTS)
    t = sp.Symbol("t", real=True)
    places: list[tuple[float, float]] = []
    for is_pole, condition in _conditions(function(t)):
        value = sp.lambdify(t, condition, ["numpy", "scipy"])

        def at(point: Any, value: Any = value) -> Any:
            with np.errstate(all="ignore"):
                return np.real(value(a * np.asarray(point, dtype=float) + b)) + 0.0 * np.asarray(point, dtype=float)

        places += _zeros(at, x) if is_pole else _negative_parts(at, x)
    return _joined(places)[:MAX_FOUND]


def _conditions(expression: Any) -> list[tuple[bool, Any]]:
    """Return what goes wrong: (True, h) where h = 0 is a pole, (False, h) where there is no value for h < 0."""
    found: list[tuple[bool, Any]] = []
    for part in sp.preorder_traversal(expression):
        inner: Any = part.args[0] if part.args else None
        if isinstance(part, sp.Pow):
            base, exponent = part.base, part.exp
            if exponent.is_number and exponent.is_negative:
                found.append((True, base))
            if not (exponent.is_integer or base.is_positive):
                found.append((False, base))
        elif isinstance(part, sp.log):
            found += [(True, inner), (False, inner)]
        elif isinstance(part, sp.tan | sp.sec):
            found.append((True, sp.cos(inner)))
        elif isinstance(part, sp.asin | sp.acos):
            found.append((False, 1 - inner**2))
        elif isinstance(part, sp.atanh):
            found += [(True, 1 - inner**2), (False, 1 - inner**2)]
        elif isinstance(part, sp.acosh):
            found.append((False, inner - 1))
    return [(is_pole, condition) for is_pole, condition in found if condition.free_symbols]


def _zeros(at: Callable[[Any], Any], x: NDArray[np.float64]) -> list[tuple[float, float]]:
    """Return where a function is 0 at one point, crossing or only touching it."""
    values = at(x)
    size = np.abs(values)
    largest = float(np.nanmax(size, initial=0.0))
    crossings = np.flatnonzero(np.sign(values[:-1]) * np.sign(values[1:]) < 0)
    zeros = [_root(at, float(x[k]), float(x[k + 1])) for k in crossings.tolist()]
    zeros += x[values == 0.0].tolist()
    dips = np.flatnonzero((size[1:-1] < size[:-2]) & (size[1:-1] < size[2:])) + 1

    def size_at(point: float) -> float:
        return abs(float(at(point)))

    for k in dips.tolist():
        lowest: Any = minimize_scalar(size_at, bounds=(x[k - 1], x[k + 1]), method="bounded")
        if lowest.fun <= ZERO * largest:
            zeros.append(float(lowest.x))
    width = float(x[1] - x[0])
    kept: list[float] = []
    for zero in sorted(zeros):
        if not kept or zero - kept[-1] > width:
            kept.append(zero)
    return [(zero, zero) for zero in kept]


def _root(at: Callable[[Any], Any], left: float, right: float) -> float:
    found: Any = brentq(at, left, right, xtol=1e-14)
    return float(found)


def _negative_parts(at: Callable[[Any], Any], x: NDArray[np.float64]) -> list[tuple[float, float]]:
    """Return the intervals on which a function is negative, their inner ends refined."""
    negative = at(x) < 0.0
    changes = np.flatnonzero(negative[:-1] != negative[1:])
    ends = [float(x[0])] if negative[0] else []
    for k in changes.tolist():
        left, right = float(x[k]), float(x[k + 1])
        is_bracket = bool(np.isfinite([at(left), at(right)]).all())
        ends.append(_root(at, left, right) if is_bracket else (left if negative[k] else right))
    ends += [float(x[-1])] if negative[-1] else []
    return [(start, end) for start, end in zip(ends[::2], ends[1::2], strict=True) if end > start]


def _joined(places: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the places in order, a pole at an interval's end as part of it, and each once."""
    kept: list[tuple[float, float]] = []
    for start, end in sorted(places):
        slack = 1e-9 * (abs(start) + abs(end) + 1.0)
        if kept and start <= kept[-1][1] + slack:
            kept[-1] = (kept[-1][0], max(kept[-1][1], end))
        else:
            kept.append((start, end))
    return kept
