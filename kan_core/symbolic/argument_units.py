"""Units of the arguments of powers, and the ranges that arguments run through.

Powers, log and |x| leave open by what their argument is scaled. 1 reads best; but a function with an end at 0 has its
end at 1e-9, above which columns in SI units often do not reach, and far from 1 powers leave the numbers that floats
and least squares can deal with. There the unit is a power of 10⁶.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from kan_core.network import KAN
from kan_core.symbolic.library import SymbolicFunction

# 1 first, then those nearest to it
UNITS = tuple(10.0 ** (6 * sign * step) for step in range(21) for sign in ((1, -1) if step else (1,)))
# how far above the end of its domain a function's least argument stays, as samples may come that lie beyond it
CLEAR = 100.0
# the least that arguments may reach where some are beyond the domain's end anyway
LEAST_REACH = 1e-3
# values of powers stay below this, and above its inverse
MOST = 1e15

Extent = tuple[float, float]


def unit_of(function: SymbolicFunction, a: float, b: float, extent: Extent) -> float | None:
    """Return which |a| the function is best written with: 1, another power of 10⁶, or None for the one it has.

    `extent` is what x runs through. What lies in the function's domain by a·x + b stays there with the new a and b.
    """
    sign = 1.0 if function.parity else math.copysign(1.0, a)
    low, high = sorted(sign * (x + b / a) for x in extent)
    size = max(abs(low), abs(high))
    if not (math.isfinite(size) and size > 0.0):
        return 1.0
    is_bounded = math.isfinite(function.low)
    is_inside = is_bounded and abs(a) * low >= function.low
    if is_bounded and not is_inside and is_unit(a):
        # an extent that reaches beyond the end says little about where arguments are
        return None
    for unit in UNITS:
        if is_inside and unit * low < CLEAR * function.low:
            continue
        if is_bounded and not is_inside and unit * size < LEAST_REACH:
            continue
        if function.name == "log" or 1.0 / MOST <= abs(value_at(function, unit * size)) <= MOST:
            return unit
    return None


def is_unit(a: float) -> bool:
    """Return whether |a| is a unit other than 1."""
    return any(math.isclose(abs(a), unit, rel_tol=1e-9) for unit in UNITS[1:])


def value_at(function: SymbolicFunction, base: float) -> float:
    """Return f(base) in full, infinite where it is too large for a float."""
    try:
        return float(function.sympy_value(1.0 * base))
    except (OverflowError, ZeroDivisionError):
        return math.inf


def stays_below(top: float, extent: Extent, a: float, b: float) -> bool:
    """Return whether exp(a·x) keeps within its domain, which ends at `top`, and above 0 as exp(a·x + b) does."""
    now, new = (max(a * x + shift for x in extent) for shift in (b, 0.0))
    return not math.isfinite(new) or abs(new) <= max(top, abs(now)) if now <= top else True


class Extents:
    """What the nodes of a network run through while their units are changed; inputs in original units.

    It is what `inputs` (B, I) send through the network, or without any the ranges of its nodes.
    """

    @torch.no_grad()
    def __init__(self, network: KAN, inputs: Tensor | None) -> None:
        self._extents: dict[tuple[int, int], Extent] = {}
        nodes = None if inputs is None or not len(inputs) else network.node_values(inputs)
        for index, layer in enumerate(network.layers):
            lows, highs = layer.low.double(), layer.high.double()
            if nodes is not None and bool(nodes[index].isfinite().all()):
                lows, highs = nodes[index].double().amin(dim=0), nodes[index].double().amax(dim=0)
            if index == 0:
                scale, shift = network.input_scale.double(), network.input_shift.double()
                lows, highs = lows * scale + shift, highs * scale + shift
            for node, (low, high) in enumerate(zip(lows.tolist(), highs.tolist(), strict=True)):
                self._extents[index, node] = (low, high)

    def of(self, index: int, node: int) -> Extent:
        """Return what the node that layer `index` reads runs through."""
        return self._extents[index, node]

    def transformed(self, index: int, node: int, factor: float, shift: float) -> Extent:
        """Return what it would run through in another unit."""
        low, high = sorted(factor * end + shift for end in self._extents[index, node])
        return low, high

    def transform(self, index: int, node: int, factor: float, shift: float) -> None:
        """Take another unit for a node, n → factor · n + shift."""
        self._extents[index, node] = self.transformed(index, node, factor, shift)


def size_of(extent: Extent) -> float:
    """Return the largest absolute value of an extent."""
    return max(map(abs, extent))
