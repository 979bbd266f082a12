"""Building laws out of laws: one after another, and side by side under a sum or a product.

A `Sheet` is a layer of formulas alone, apart from any network, in the units of what comes in and goes out. Laws are
taken apart into sheets, put together, and made a network again, so what is composed can be refitted, drawn and edited
like any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from kan_core.layer import UnivariateFunction
from kan_core.network import KAN, EdgeId, NetworkSpec
from kan_core.symbolic.edges import edge_form, edge_function
from kan_core.symbolic.library import FUNCTIONS

LINE = FUNCTIONS["x"]
# composed networks have no curves, but could have: on the coarsest of grids
GRID_SIZE = 3


@dataclass(frozen=True, slots=True)
class Term:
    """The edge function c·f(a·x + b) + d."""

    function: UnivariateFunction
    a: float = 1.0
    b: float = 0.0
    c: float = 1.0
    d: float = 0.0

    def scaled(self, scale: float, shift: float = 0.0) -> Term:
        """Return the term times `scale` plus `shift`."""
        return Term(self.function, self.a, self.b, self.c * scale, self.d * scale + shift)


PASS = Term(LINE)
NOTHING = Term(FUNCTIONS["constant"])


@dataclass(frozen=True, slots=True)
class Sheet:
    """A layer whose edges are `terms[row, source]`; `products` of its `nodes` multiply two rows each, as in `KANLayer`.

    `lone` says what rows without an edge are, where that is not the usual: 0, and 1 for a factor.
    """

    sources: int
    nodes: int
    products: int = 0
    terms: dict[tuple[int, int], Term] = field(default_factory=dict[tuple[int, int], Term])
    lone: dict[int, float] = field(default_factory=dict[int, float])

    @property
    def sums(self) -> int:
        """How many nodes add; their rows come first."""
        return self.nodes - self.products


def unfold(network: KAN) -> list[Sheet]:
    """Return the sheets of a network without curves, input and output scaling included."""
    sheets: list[Sheet] = []
    for index, layer in enumerate(network.layers):
        terms: dict[tuple[int, int], Term] = {}
        for target, source, _ in layer.live_functions():
            edge = EdgeId(layer=index, source=source, target=target)
            terms[target, source] = Term(edge_function(network, edge), *edge_form(network, edge)[1:])
        lone = {row: float(layer.lone[row]) for row in range(layer.first_factor, layer.num_targets)}
        sheets.append(Sheet(layer.num_sources, layer.num_nodes, layer.num_products, terms, lone))
    last = network.layers[-1]
    shifts, scales = network.output_shift.double().tolist(), network.output_scale.double().tolist()
    if last.num_products:
        # factors have no output scale of their own, so it comes behind
        sums = range(last.first_factor)
        behind = {
            (node, node): PASS.scaled(1.0 if node in sums else scales[node], shifts[node])
            for node in range(last.num_nodes)
        }
        return [*sheets, Sheet(last.num_nodes, last.num_nodes, 0, behind)]
    for node, shift in enumerate(shifts):
        first = min((key for key in sheets[-1].terms if key[0] == node), default=(node, 0))
        sheets[-1].terms[first] = sheets[-1].terms.get(first, NOTHING).scaled(1.0, shift)
    return sheets


def side_by_side(branches: Sequence[tuple[Sequence[Sheet], Sequence[int]]], num_inputs: int) -> list[Sheet]:
    """Return the sheets of several of one output each at once; each branch comes with the inputs that it takes.

    The shorter ones wait at their beginning: their inputs pass through.
    """
    depth = max(len(sheets) for sheets, _ in branches)
    padded = [([_passing(len(takes))] * (depth - len(sheets)) + list(sheets), takes) for sheets, takes in branches]
    joined: list[Sheet] = []
    for index in range(depth):
        here = [sheets[index] for sheets, _ in padded]
        if index == 0:
            places, sources = [list(takes) for _, takes in padded], num_inputs
        else:
            places, sources = _places([sheets[index - 1] for sheets, _ in padded])
        joined.append(_join(here, places, sources))
    return joined


def _passing(width: int) -> Sheet:
    return Sheet(width, width, 0, {(node, node): PASS for node in range(width)})


def _places(sheets: Sequence[Sheet]) -> tuple[list[list[int]], int]:
    """Return where the nodes of each of the sheets stand when they are joined, those that add first, and how many."""
    num_sums = sum(sheet.sums for sheet in sheets)
    places: list[list[int]] = []
    sums, products = 0, num_sums
    for sheet in sheets:
        places.append([*range(sums, sums + sheet.sums), *range(products, products + sheet.products)])
        sums, products = sums + sheet.sums, products + sheet.products
    return places, products


def _join(sheets: Sequence[Sheet], places: Sequence[Sequence[int]], sources: int) -> Sheet:
    """Return one sheet of several, the sources of each at its `places`."""
    num_sums, num_products = sum(sheet.sums for sheet in sheets), sum(sheet.products for sheet in sheets)
    joined = Sheet(sources, num_sums + num_products, num_products)
    sums, factors = 0, num_sums
    for sheet, takes in zip(sheets, places, strict=True):
        rows = [*range(sums, sums + sheet.sums), *range(factors, factors + 2 * sheet.products)]
        for (row, source), term in sheet.terms.items():
            joined.terms[rows[row], takes[source]] = term
        for row, value in sheet.lone.items():
            joined.lone[rows[row]] = value
        sums, factors = sums + sheet.sums, factors + 2 * sheet.products
    return joined


def added(count: int) -> Sheet:
    """Return a sheet that adds `count` nodes."""
    return Sheet(count, 1, 0, {(0, source): PASS for source in range(count)})


def multiplied() -> list[Sheet]:
    """Return sheets that multiply two nodes, with an edge behind for a scale and a shift."""
    return [Sheet(2, 1, 1, {(0, 0): PASS, (1, 1): PASS}), Sheet(1, 1, 0, {(0, 0): PASS})]


def assemble(sheets: Sequence[Sheet], inputs: Tensor) -> KAN:
    """Return the network of these sheets in float64, in the units of `inputs` (B, I), ranges fitted to them.

    Edges that only pass on what they get are locked, since others make up for their constants.
    """
    widths = (sheets[0].sources, *(sheet.nodes for sheet in sheets))
    products = (0, *(sheet.products for sheet in sheets))
    spec = NetworkSpec(widths=widths, products=products if any(products) else (), grid_size=GRID_SIZE)
    network = KAN(spec, dtype=torch.float64)
    for layer, sheet in zip(network.layers, sheets, strict=True):
        layer.pruned.fill_(True)
        for (row, source), term in sheet.terms.items():
            layer.functions[row, source] = term.function
            layer.symbolic[row, source], layer.pruned[row, source] = True, False
            with torch.no_grad():
                layer.constants[row, source] = torch.tensor((term.a, term.b, term.c, term.d), dtype=torch.float64)
            layer.locked[row, source] = term in (PASS, PASS.scaled(-1.0))
        for row, value in sheet.lone.items():
            layer.lone[row] = value
    network.is_scaled.fill_(True)
    return fit_input_ranges(network, inputs)


def unlock(network: KAN) -> KAN:
    """Return a copy without locks."""
    free = network.copy()
    for layer in free.layers:
        layer.locked.fill_(False)
    return free


def fit_input_ranges(network: KAN, inputs: Tensor) -> KAN:
    """Return a copy whose ranges hold what `inputs` (B, I) send through it; no node is rescaled."""
    fitted = network.copy()
    for layer, values in zip(fitted.layers, fitted.node_values(inputs)[:-1], strict=True):
        low, high = values.amin(dim=0), values.amax(dim=0)
        wide = high > low
        layer.low.copy_(torch.where(wide, low, low - 1.0))
        layer.high.copy_(torch.where(wide, high, high + 1.0))
    return fitted
