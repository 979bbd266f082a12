"""Replacing an edge's curve by a formula, and back."""

from __future__ import annotations

import sys

import torch
from torch import Tensor

from kan_core._checks import check_samples
from kan_core.bases.basis import FloatArray
from kan_core.errors import EdgeError
from kan_core.layer import KANLayer, UnivariateFunction
from kan_core.least_squares import fit_coefficients
from kan_core.network import KAN, EdgeId
from kan_core.symbolic.library import FUNCTIONS, SymbolicFunction
from kan_core.symbolic.own_functions import BUILT_IN, Library
from kan_core.symbolic.ranking import Candidate, rank_candidates

CURVE_POINTS = 64


def edge_curve(network: KAN, edge: EdgeId, inputs: Tensor) -> tuple[FloatArray, FloatArray]:
    """Return φ of `edge` in original units at 64 even points of the interval its data take, both (64,), float64.

    `inputs` (B, I) are the data; a cut edge gives its ghost. Raises EdgeError for an unknown edge and DataError for
    inputs that are none or not finite.
    """
    layer = network.check_edge(edge)
    check_samples("inputs", inputs)
    nodes = network.node_values(inputs)[edge.layer][:, edge.source]
    low, high = float(nodes.min()), float(nodes.max())
    if high <= low:
        low, high = float(layer.low[edge.source]), float(layer.high[edge.source])
    points = torch.zeros(CURVE_POINTS, layer.num_sources, dtype=network.dtype)
    points[:, edge.source] = torch.linspace(low, high, CURVE_POINTS, dtype=network.dtype)
    with torch.no_grad():
        values = layer.edge_outputs(points, ghosts=True)[:, edge.target, edge.source]
    x, y = points[:, edge.source].double().numpy(), values.double().numpy()
    x_scale, x_shift, y_scale = edge_units(network, edge)
    return x * x_scale + x_shift, y * y_scale


def suggest_symbolic(
    network: KAN, edge: EdgeId, inputs: Tensor, *, limit: int = 10, library: Library = BUILT_IN, weight: float = 1.0
) -> list[Candidate]:
    """Return at most `limit` formulas for the curve of `edge` over `inputs` (B, I), best first, in original units.

    `library` holds the functions to try and `weight` says how much simplicity counts, as in `rank_candidates`.
    """
    x, y = edge_curve(network, edge, inputs)
    return rank_candidates(x, y, functions=library.values(), weight=weight)[:limit]


def fix_symbolic(network: KAN, edge: EdgeId, candidate: Candidate) -> KAN:
    """Return a copy in which `edge` is the candidate's formula, its constants trainable.

    Raises EdgeError for an unknown edge or function.
    """
    function = candidate.definition
    fixed = network.copy()
    layer = fixed.check_edge(edge)
    x_scale, x_shift, y_scale = edge_units(network, edge)
    constants = (
        candidate.a * x_scale,
        candidate.b + candidate.a * x_shift,
        candidate.c / y_scale,
        candidate.d / y_scale,
    )
    position = (edge.target, edge.source)
    with torch.no_grad():
        layer.constants[position] = torch.tensor(constants, dtype=layer.low.dtype)
    layer.symbolic[position] = True
    layer.pruned[position] = False
    layer.locked[position] = False
    layer.held[position] = False
    layer.functions[position] = function
    return fixed


def edge_form(network: KAN, edge: EdgeId) -> tuple[str, float, float, float, float]:
    """Return function name and a, b, c, d of a symbolic edge in original units; raises EdgeError for other kinds."""
    layer = _symbolic_layer(network, edge)
    a, b, c, d = layer.constants[edge.target, edge.source].detach().double().tolist()
    x_scale, x_shift, y_scale = edge_units(network, edge)
    a = a / x_scale
    shifted = b - a * x_shift
    # what is left of two numbers that cancel is their rounding
    b = 0.0 if abs(shifted) <= 4.0 * sys.float_info.epsilon * abs(b) else shifted
    return layer.functions[edge.target, edge.source].name, a, b, c * y_scale, d * y_scale


def edge_function(network: KAN, edge: EdgeId) -> SymbolicFunction:
    """Return the function f of a symbolic edge; raises EdgeError for other kinds."""
    return definition_of(_symbolic_layer(network, edge).functions[edge.target, edge.source])


def definition_of(function: UnivariateFunction) -> SymbolicFunction:
    """Return what the library, or a person, defined a layer's function as."""
    return function if isinstance(function, SymbolicFunction) else FUNCTIONS[function.name]


@torch.no_grad()
def off_domain_edges(network: KAN, inputs: Tensor, *, only: EdgeId | None = None) -> list[EdgeId]:
    """Return the live symbolic edges whose argument leaves their function's domain at some of `inputs` (B, I).

    There the network takes the value at the domain's edge, and its formula has none. With `only` other edges are not
    looked at.
    """
    nodes = network.node_values(inputs)
    found: list[EdgeId] = []
    for index, layer in enumerate(network.layers):
        for target, source, function in layer.live_functions():
            edge = EdgeId(layer=index, source=source, target=target)
            a, b = layer.constants[target, source, :2].tolist()
            argument = (a * nodes[index][:, source] + b).numpy()
            if (only is None or edge == only) and not bool(definition_of(function).contains(argument[None])[0]):
                found.append(edge)
    return found


def lock_symbolic(network: KAN, edge: EdgeId, *, locked: bool = True) -> KAN:
    """Return a copy in which training leaves the constants of a symbolic edge alone, or not any more."""
    _symbolic_layer(network, edge)
    copy = network.copy()
    copy.check_edge(edge).locked[edge.target, edge.source] = locked
    return copy


@torch.no_grad()
def release_symbolic(network: KAN, edge: EdgeId) -> KAN:
    """Return a copy in which a symbolic edge is a curve again, the closest to its formula on the node's range."""
    _symbolic_layer(network, edge)
    released = network.copy()
    layer = released.check_edge(edge)
    position = (edge.target, edge.source)
    low, high = layer.low[edge.source].double(), layer.high[edge.source].double()

    def formula(u: Tensor) -> Tensor:
        x = (low + high) / 2 + u * (high - low) / 2
        return layer.symbolic_output(edge.target, edge.source, x.to(layer.low.dtype)).double()

    basis, part = layer.edge_basis(edge.target, edge.source)
    layer.coefficients[position][part] = fit_coefficients(basis, formula).to(layer.low.dtype)
    layer.base_weights[position] = 0.0
    layer.symbolic[position] = False
    layer.locked[position] = False
    layer.held[position] = False
    del layer.functions[position]
    return released


def _symbolic_layer(network: KAN, edge: EdgeId) -> KANLayer:
    layer = network.check_edge(edge)
    if network.kind(edge) != "symbolic":
        raise EdgeError(
            f"only a symbolic edge has constants, received edge={edge} which is {network.kind(edge)}: fix it first"
        )
    return layer


def edge_units(network: KAN, edge: EdgeId) -> tuple[float, float, float]:
    """Return (x scale, x shift, y scale) such that original = internal · scale + shift.

    Factors of an output that multiplies have no unit of their own: the output's belongs to their product.
    """
    x_scale, x_shift, y_scale = 1.0, 0.0, 1.0
    if edge.layer == 0:
        x_scale = float(network.input_scale[edge.source])
        x_shift = float(network.input_shift[edge.source])
    layer = network.layers[edge.layer]
    if edge.layer == len(network.layers) - 1 and edge.target < layer.first_factor:
        y_scale = float(network.output_scale[edge.target])
    return x_scale, x_shift, y_scale
