"""Rewriting one edge, or what reads one input, so that the network computes the same; all in original units."""

from __future__ import annotations

import math

import torch

from kan_core.errors import EdgeError
from kan_core.layer import KANLayer
from kan_core.least_squares import fit_coefficients
from kan_core.network import KAN, EdgeId
from kan_core.symbolic.argument_units import is_unit, stays_below, unit_of, value_at
from kan_core.symbolic.edges import edge_form, edge_units
from kan_core.symbolic.library import Shape, SymbolicFunction

NAMES = ("a", "b", "c", "d")
A, B, C, D = range(4)
# input shifts beyond so many scales stay: without them formulas would work far from zero
MAX_SHIFT = 1e3


@torch.no_grad()
def set_constant(network: KAN, edge: EdgeId, name: str, value: float) -> None:
    """Set a constant of a symbolic edge, in original units, in place; the edge's others keep theirs.

    Raises EdgeError for a name that is none.
    """
    if name not in NAMES:
        raise EdgeError(f"a constant is one of {', '.join(NAMES)}, received name={name!r}: choose one of these")
    layer = network.check_edge(edge)
    constants = layer.constants[edge.target, edge.source]
    x_scale, x_shift, y_scale = edge_units(network, edge)
    a, b = edge_form(network, edge)[1:3]
    match name:
        case "a":
            constants[A], constants[B] = value * x_scale, b + value * x_shift
        case "b":
            constants[B] = value + a * x_shift
        case "c":
            constants[C] = value / y_scale
        case _:
            constants[D] = value / y_scale


def simplest(function: SymbolicFunction, values: list[float], extent: tuple[float, float] = (-1.0, 1.0)) -> list[float]:
    """Return a, b, c, d of the same c·f(a·x + b) + d with as many of them 0 or 1 as f alone allows.

    `extent` is what x runs through: an argument that lies in f's domain there stays in it, if need be by an a that is
    another power of 10⁶, or by constants that stay. So do those of a person's own function, whose f(a·x) is no c·f(x).
    """
    a, b, c, d = values
    if a == 0.0:
        return values
    match function.shape:
        case _ if function.expression:
            return _upright(function, values)
        case Shape.LINEAR:
            return [1.0, 0.0, c * a, d + c * b]
        case Shape.EXPONENTIAL:
            # beyond 300 the factor would soon be no number
            may_move = abs(b) < 300.0 and stays_below(function.high, extent, a, b)
            return [a, 0.0, c * math.exp(b), d] if may_move else values
        case Shape.KINK:
            size = abs(a)
            sign = math.copysign(1.0, a)
            return [1.0, b / a, c * size if function.name == "abs" else c * sign, d]
        case Shape.POWER:
            unit = unit_of(function, a, b, extent)
            return values if unit is None else _power_in(function, values, unit)
        case _:
            return _upright(function, values)


def _upright(function: SymbolicFunction, values: list[float]) -> list[float]:
    """Return the constants with a positive a where the function is even or odd."""
    a, b, c, d = values
    return [-a, -b if b else 0.0, c * function.parity, d] if function.parity and a < 0 else values


def _power_in(function: SymbolicFunction, values: list[float], unit: float) -> list[float]:
    """Return the constants of a power or a log with `unit` for a, or -unit where the sign matters."""
    a, b, c, d = values
    factor = abs(a) / unit
    if function.name == "log":
        return [math.copysign(unit, a), b / factor, c, d + c * math.log(factor)]
    if function.parity:
        signed = a / unit
        return [unit, b / signed, c * value_at(function, signed), d]
    return [math.copysign(unit, a), b / factor, c * value_at(function, factor), d]


def without_unit(function: SymbolicFunction, values: list[float]) -> list[float]:
    """Return a, b, c, d of the same curve with ±1 for an a that is another power of 10⁶, for reading.

    What a network computes with has that unit for a reason; see `unit_of`.
    """
    if function.expression or function.shape is not Shape.POWER or not is_unit(values[0]):
        return values
    plain = _power_in(function, values, 1.0)
    return plain if all(map(math.isfinite, plain)) and (plain[C] != 0.0 or values[C] == 0.0) else values


def carry_ghost(layer: KANLayer, old: KANLayer, place: tuple[int, int], factor: float, shift: float) -> None:
    """Make a cut edge read its source, n' = factor · n + shift, as it did before, as closely as its grid can."""
    row, node = place
    if bool(layer.symbolic[place]):
        layer.constants[row, node, B] -= layer.constants[row, node, A] * (shift / factor)
        layer.constants[row, node, A] /= factor
        return
    low, high = float(layer.low[node]), float(layer.high[node])
    alone = old.one_edge(row, node)
    basis, part = layer.edge_basis(row, node)

    def curve(u: torch.Tensor) -> torch.Tensor:
        nodes = ((low + high) / 2 + u * (high - low) / 2 - shift) / factor
        return alone.edge_outputs(nodes.to(alone.low.dtype)[:, None], ghosts=True)[:, 0, 0].double()

    size = layer.coefficients.new_tensor(1.0)
    layer.coefficients[row, node, part] = (fit_coefficients(basis, curve) * size).to(layer.low.dtype)
    layer.base_weights[row, node] = 0.0


def can_drop_input_shift(network: KAN, source: int) -> bool:
    """Return whether an input's shift is 0 or can be made so: formulas alone read it, and it is no huge one."""
    layer = network.layers[0]
    shift = float(network.input_shift[source]) / float(network.input_scale[source])
    has_curves = bool(layer.spline_mask()[:, source].any())
    return shift == 0.0 or (not bool(layer.pruned[:, source].all()) and not has_curves and abs(shift) <= MAX_SHIFT)


@torch.no_grad()
def drop_input_shift(new: KAN, old: KAN, source: int) -> None:
    """Make one input's shift 0 in place, so that an edge's b is its own in all units, where that can be.

    `old` is the network as it was, which `new` still computes.
    """
    layer = new.layers[0]
    shift = float(new.input_shift[source]) / float(new.input_scale[source])
    if shift == 0.0 or not can_drop_input_shift(new, source):
        return
    live = ~layer.pruned[:, source]
    edges = [EdgeId(layer=0, source=source, target=row) for row in live.nonzero().ravel().tolist()]
    shifts = {edge: edge_form(new, edge)[2] for edge in edges}
    new.input_shift[source] = 0.0
    for edge, b in shifts.items():
        layer.constants[edge.target, source, B] = b
    layer.low[source] += shift
    layer.high[source] += shift
    for row in layer.pruned[:, source].nonzero().ravel().tolist():
        carry_ghost(layer, old.layers[0], (row, source), 1.0, shift)
