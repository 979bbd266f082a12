"""The whole network as a formula.

    y = output_shift + output_scale · Σ φ(…)

Symbolic edges enter as c·f(a·x + b) + d, curves as applied functions φ named by layer, source and target. The
expression has every constant in full, as π or a fraction where it is one to rounding, and equals what the network
computes; `kan_core.formula_display` makes it readable.

In original units variables are the columns of the data. In scaled ones they have no dimension: those that the layers
see, x_scaled = (x - input_shift) / input_scale, and of the outputs y_scaled = (y - output_shift) / output_scale. The
curves φ of the two differ by the same scalings.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp

from kan_core.errors import ExportError
from kan_core.latex import latex_expression
from kan_core.layer import KANLayer
from kan_core.names import identifiers, latex_names, unique
from kan_core.network import KAN, EdgeId
from kan_core.symbolic.edges import edge_form, edge_function
from kan_core.symbolic.nice_numbers import number

EdgeTerm = Callable[[EdgeId, Any], Any]
UNITS = ("original", "scaled")


@dataclass(frozen=True, slots=True)
class NetworkFormula:
    """A network as sympy `expressions`, one an output, in `units` "original" or "scaled".

    `input_names` are the variables of the expressions, `output_names` what they give. In scaled units
    `input_definitions` are the variables by the data's columns and `output_definitions` the data's outputs by
    `output_names`; in original units both are empty. `curves` are the edges that remain curves; without any the formula
    is closed. `expression`, `latex` and `python` are those of the first output.
    """

    expressions: tuple[sp.Expr, ...]
    input_names: tuple[str, ...]
    output_names: tuple[str, ...]
    curves: tuple[EdgeId, ...]
    units: str = "original"
    input_definitions: tuple[sp.Expr, ...] = ()
    output_definitions: tuple[sp.Expr, ...] = ()

    @property
    def expression(self) -> sp.Expr:
        """The first output's expression, constants in full."""
        return self.expressions[0]

    @property
    def latex(self) -> str:
        """The first output in LaTeX."""
        shown = dict(zip(self.input_names, latex_names(self.input_names), strict=True))
        return latex_expression(self.expression, names=shown)

    @property
    def python(self) -> str:
        """The first output as a Python expression of the `math` module and, for curves, functions phi_l_s_t.

        Names that Python or this expression keep for themselves change.
        """
        names = identifiers(self.input_names, reserved={"math", *dir(builtins)})
        symbols = {sp.Symbol(old): sp.Symbol(new) for old, new in zip(self.input_names, names, strict=True)}
        return str(sp.pycode(self.expression.xreplace(symbols), allow_unknown_functions=True))

    @property
    def is_closed_form(self) -> bool:
        """Whether no curve remains."""
        return not self.curves


def network_formula(
    network: KAN,
    *,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
    units: str = "original",
) -> NetworkFormula:
    """Return the formula of `network`; inputs are named x1, x2, … and outputs y, or y1, y2, … unless names are given.

    With `units` "scaled" its variables are named after the columns with _scaled behind. Raises ExportError when there
    are not as many names as columns, or for other units.
    """
    inputs = column_names(input_names, network.widths[0], "input_names", "x")
    outputs = column_names(output_names, network.widths[-1], "output_names", "y")
    curves = tuple(edge for edge in network.edges() if network.kind(edge) == "spline")
    if check_units(units) == "original":
        expressions = build_expressions(network, inputs, exact_term(network))
        return NetworkFormula(tuple(expressions), inputs, outputs, curves)
    variables = unique([f"{name}_scaled" for name in inputs], taken=inputs)
    results = unique([f"{name}_scaled" for name in outputs], taken=outputs)
    expressions = build_expressions(network, variables, exact_term(network, units=units), units=units)
    ins = zip(inputs, network.input_shift.double().tolist(), network.input_scale.double().tolist(), strict=True)
    outs = zip(results, network.output_shift.double().tolist(), network.output_scale.double().tolist(), strict=True)
    return NetworkFormula(
        tuple(expressions),
        variables,
        results,
        curves,
        units=units,
        input_definitions=tuple((sp.Symbol(x) - sp.Float(shift, 17)) / sp.Float(scale, 17) for x, shift, scale in ins),
        output_definitions=tuple(sp.Float(shift, 17) + sp.Float(scale, 17) * sp.Symbol(y) for y, shift, scale in outs),
    )


def check_units(units: str) -> str:
    """Return `units` when they are "original" or "scaled"; raises ExportError otherwise."""
    if units not in UNITS:
        raise ExportError(f"units are original or scaled, received units={units!r}: choose one of these")
    return units


def build_expressions(
    network: KAN, input_names: Sequence[str], term: EdgeTerm, *, units: str = "original"
) -> list[sp.Expr]:
    """Return each output's expression, with `term(edge, x)` standing for φ of a live edge, all in `units`."""
    nodes: list[Any] = [sp.Symbol(name) for name in input_names]
    edges = [edge for edge in network.edges() if network.kind(edge) != "pruned"]
    for index, layer in enumerate(network.layers):
        sums: list[list[Any]] = [[] for _ in range(layer.num_targets)]
        for edge in edges:
            if edge.layer == index:
                sums[edge.target].append(term(edge, nodes[edge.source]))
        is_unit = index < len(network.layers) - 1 or units == "scaled"
        scales = None if is_unit else network.output_scale.double().tolist()
        nodes = [_node(layer, node, sums, None if scales is None else scales[node]) for node in range(layer.num_nodes)]
    if units == "scaled":
        return nodes
    shifts = network.output_shift.double().tolist()
    return [sp.Add(number(shift), node) for shift, node in zip(shifts, nodes, strict=True)]


def _node(layer: KANLayer, node: int, sums: list[list[Any]], output_scale: float | None) -> Any:
    """Return what a node computes of its rows' terms; a product takes the output scale that its factors do not have."""
    rows = layer.rows_of(node)
    if len(rows) == 1:
        return sp.Add(*sums[rows[0]])
    lone = layer.lone.double().tolist()
    factors = [sp.Add(*sums[row]) if sums[row] else number(lone[row]) for row in rows]
    scale = 1.0 if output_scale is None else output_scale
    return sp.Mul(number(scale), *factors)


def exact_term(network: KAN, *, units: str = "original") -> EdgeTerm:
    """Return the term of an edge with its constants in full; nice numbers stand for the floats that they are."""

    def term(edge: EdgeId, x: Any) -> Any:
        if network.kind(edge) == "spline":
            return curve_function(edge)(x)
        _, *constants = form_in(network, edge, units)
        a, b, c, d = (number(value) for value in constants)
        return c * edge_function(network, edge).sympy_value(a * x + b) + d

    return term


def form_in(network: KAN, edge: EdgeId, units: str) -> tuple[str, float, float, float, float]:
    """Return function name and a, b, c, d of a symbolic edge in `units`; raises EdgeError for other kinds."""
    if units == "original":
        return edge_form(network, edge)
    layer = network.check_edge(edge)
    a, b, c, d = layer.constants[edge.target, edge.source].detach().double().tolist()
    return layer.functions[edge.target, edge.source].name, a, b, c, d


def curve_function(edge: EdgeId) -> Any:
    """Return the applied-function symbol of a curve, phi_layer_source_target."""
    return sp.Function(f"phi_{edge.layer}_{edge.source}_{edge.target}")


def column_names(given: Sequence[str] | None, count: int, field: str, letter: str) -> tuple[str, ...]:
    """Return the names given for `count` columns, or else x1, x2, … and y, or y1, y2, …

    `letter` is x or y, `field` what the argument is called. Raises ExportError when names and columns do not match.
    """
    if given is None:
        return (letter,) if letter == "y" and count == 1 else tuple(f"{letter}{k + 1}" for k in range(count))
    if len(given) != count:
        raise ExportError(f"{field} has a name for each of {count} columns, received {tuple(given)}: name every column")
    return tuple(given)
