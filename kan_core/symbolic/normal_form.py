"""One way of writing a network of formulas out of the many that compute the same.

Constants of symbolic edges are redundant in several ways. c·(a x + b)² has one too many, the offsets d of a sum count
only together, and the unit of a hidden node is free: n → α n + β, undone by the edges that leave it. Here each of these
freedoms is used up to make a constant 1 or 0, its convention:

    edge        a = ±1 of powers, log and |x|, b = 0 of exp, a = 1 and b = 0 of x; where arguments of powers would be
                very small or large a is another power of 10⁶
    sum         d = 0 but for one edge; the output's shift goes there too
    hidden node a = 1 and b = 0 of the first edge that leaves it and has them, else one edge that arrives has c = 1,
                or, where straight edges alone leave it for other sums, one of these
    product     one edge of every factor but one has c = 1

Next to curves and locked formulas a node stays as it is. All of it is in original units.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from kan_core.network import KAN, EdgeId
from kan_core.symbolic.argument_units import Extents, size_of
from kan_core.symbolic.edges import edge_form, edge_function
from kan_core.symbolic.library import FUNCTIONS, Shape, SymbolicFunction
from kan_core.symbolic.nice_numbers import SAME, best_form
from kan_core.symbolic.rewriting import NAMES, A, B, C, D, carry_ghost, drop_input_shift, set_constant, simplest

# constants and node values beyond these, or below their inverses, are not made
BOUNDS = {torch.float32: 1e15, torch.float64: 1e100}
# a share within which a constant may be a nice number when it decides which of the others is 1
ROUGHLY = 0.01
_SCALED = (Shape.EXPONENTIAL, Shape.WAVE, Shape.BUMP, Shape.ANY)
_SHIFTED = (Shape.POWER, Shape.KINK, Shape.WAVE, Shape.BUMP, Shape.ANY)
_QUARTERS = {
    "sin": (("sin", 1), ("cos", 1), ("sin", -1), ("cos", -1)),
    "cos": (("cos", 1), ("sin", -1), ("cos", -1), ("sin", 1)),
}

Convention = tuple[EdgeId, str]


def normal_form(network: KAN, inputs: Tensor | None = None) -> KAN:
    """Return a network that computes the same, to rounding, with redundant constants of formulas at 0 or 1.

    Held constants and locked formulas keep their values, and what leads out of a function's domain, or out of what
    floats hold, is left undone. `inputs` (B, I) are those on which that counts; left out, it is the nodes' ranges.
    Where they leave a domain as it is, which the network then continues by a constant, the two may differ.
    """
    forms = Forms(network, inputs)
    # what one node does to its edges, the next one may have to put right
    for _ in range(len(network.layers) + 1):
        forms.normalize()
    return forms.written()


def conventions(network: KAN) -> frozenset[Convention]:
    """Return the constants, by edge and name, that the others can make up for: `normal_form` makes them 0 or 1."""
    forms = Forms(network)
    forms.normalize(apply=False)
    return frozenset(forms.conventions)


class Forms:
    """The formulas of a network in original units while they are rewritten; `network` itself is left alone."""

    def __init__(self, network: KAN, inputs: Tensor | None = None) -> None:
        self._network = network
        self._extents = Extents(network, inputs)
        self._bound = BOUNDS[network.dtype]
        self._layers = network.layers
        self._values: dict[EdgeId, list[float]] = {}
        self._functions: dict[EdgeId, SymbolicFunction] = {}
        self._held: dict[EdgeId, list[bool]] = {}
        self._locked: set[EdgeId] = set()
        for edge in network.edges():
            if network.kind(edge) == "symbolic":
                layer = network.check_edge(edge)
                self._values[edge] = list(edge_form(network, edge)[1:])
                self._functions[edge] = edge_function(network, edge)
                self._held[edge] = layer.held[edge.target, edge.source].tolist()
                if bool(layer.locked[edge.target, edge.source]):
                    self._locked.add(edge)
        self._shift = network.output_shift.double().tolist()
        self._scale = network.output_scale.double().tolist()
        self._lone = [layer.lone.double().tolist() for layer in self._layers]
        # what became of nodes (n → α n + β) and of rows (s → α s), for edges that are cut
        self._nodes: dict[tuple[int, int], tuple[float, float]] = {}
        self._rows: dict[tuple[int, int], float] = {}
        self.conventions: set[Convention] = set()

    def normalize(self, *, apply: bool = True) -> None:
        """Go once through the network from the inputs on and note its conventions; with `apply` make them 0 or 1."""
        self.conventions = set()
        self._apply = apply
        for index, layer in enumerate(self._layers):
            for edge in self._symbolic(index):
                self._simplify(edge)
            for row in range(layer.num_targets):
                self._gather(index, row)
            for node in range(layer.num_nodes):
                self._balance_product(index, node)
                if index < len(self._layers) - 1:
                    self._choose_unit(index, node)

    # --- parts of the network -----------------------------------------------------------------------------------------

    def _symbolic(self, index: int) -> list[EdgeId]:
        """Return the live formulas of a layer that are not locked."""
        return [one for one in self._values if one.layer == index and one not in self._locked]

    def _into(self, index: int, row: int) -> list[EdgeId] | None:
        """Return the edges of a row, None unless they are formulas that may change, one at least."""
        layer = self._layers[index]
        live = [source for source in range(layer.num_sources) if not layer.pruned[row, source]]
        return self._free([EdgeId(layer=index, source=source, target=row) for source in live])

    def _out_of(self, index: int, node: int) -> list[EdgeId] | None:
        """Return the edges that leave a node for layer `index`, None unless they are formulas that may change."""
        layer = self._layers[index]
        live = [row for row in range(layer.num_targets) if not layer.pruned[row, node]]
        return self._free([EdgeId(layer=index, source=node, target=row) for row in live])

    def _free(self, edges: list[EdgeId]) -> list[EdgeId] | None:
        free = all(edge in self._values and edge not in self._locked for edge in edges)
        return edges if edges and free else None

    def _is_far(self, size: float) -> bool:
        """Return whether a number is so large or small that products of it may be none any more."""
        return size != 0.0 and not 1.0 / self._bound <= abs(size) <= self._bound

    def _note(self, edge: EdgeId, *places: int) -> None:
        self.conventions |= {(edge, NAMES[place]) for place in places}

    def _change(self, new: dict[EdgeId, list[float]], functions: dict[EdgeId, SymbolicFunction] | None = None) -> bool:
        """Take over new constants, and functions, unless a held one would move or one were no number."""
        if not self._apply:
            return False
        for edge, values in new.items():
            if not all(map(math.isfinite, values)):
                return False
            for place, (old, now) in enumerate(zip(self._values[edge], values, strict=True)):
                if self._held[edge][place] and abs(now - old) > SAME * abs(old):
                    return False
                if place in (A, C) and self._is_far(now) and not self._is_far(old):
                    return False
        turned = {} if functions is None else functions
        if any(any(self._held[edge][: C + 1]) for edge in turned):
            return False
        for edge, values in new.items():
            # what stays to rounding stays to the last bit
            self._values[edge] = [
                old if abs(now - old) <= 4e-16 * abs(old) else now
                for old, now in zip(self._values[edge], values, strict=True)
            ]
        self._functions |= turned
        return True

    # --- edges --------------------------------------------------------------------------------------------------------

    def _simplify(self, edge: EdgeId) -> None:
        """Use up the freedom of one edge by itself."""
        function = self._functions[edge]
        match function.shape:
            case Shape.CONSTANT:
                self._note(edge, A, B, C)
            case Shape.LINEAR:
                self._note(edge, A, B)
            case Shape.POWER | Shape.KINK:
                self._note(edge, A)
            case Shape.EXPONENTIAL:
                self._note(edge, B)
            case _:
                pass
        values = simplest(function, self._values[edge], self._extents.of(edge.layer, edge.source))
        if values != self._values[edge]:
            self._change({edge: values})
        if function.name in _QUARTERS and not self._held[edge][B]:
            self._turn(edge)

    def _turn(self, edge: EdgeId, carrier: EdgeId | None = None) -> None:
        """Take quarter turns out of a wave's phase, its b or the d of `carrier`, an edge that feeds it alone."""
        owner, place = (edge, B) if carrier is None else (carrier, D)
        phase = self._values[owner][place]
        quarters = round(phase / (math.pi / 2.0)) if abs(phase) < 1e6 else 0
        if quarters == 0:
            return
        name, sign = _QUARTERS[self._functions[edge].name][quarters % 4]
        new = {edge: list(self._values[edge])}
        new.setdefault(owner, list(self._values[owner]))
        new[edge][C] *= sign
        left = phase - quarters * (math.pi / 2.0)
        new[owner][place] = 0.0 if abs(left) < 4e-16 * abs(phase) else left
        self._change(new, {edge: FUNCTIONS[name]} if name != self._functions[edge].name else None)

    # --- sums ---------------------------------------------------------------------------------------------------------

    def _gather(self, index: int, row: int) -> None:
        """Put all offsets of a row into one place; a curve in the row has a constant of its own, and keeps it."""
        layer = self._layers[index]
        edges = [edge for edge in self._symbolic(index) if edge.target == row]
        if bool(layer.spline_mask()[row].any()):
            for edge in edges:
                self._note(edge, D)
            return
        carrier = self._carrier(index, row)
        if carrier is None:
            return
        new = {edge: list(self._values[edge]) for edge in edges}
        for edge in edges:
            if edge != carrier:
                self._note(edge, D)
                if not self._held[edge][D]:
                    new[carrier][D] += new[edge][D]
                    new[edge][D] = 0.0
        is_output = index == len(self._layers) - 1 and row < layer.first_factor
        if is_output:
            new[carrier][D] += self._shift[row]
        if self._change(new) and is_output:
            self._shift[row] = 0.0

    def _carrier(self, index: int, row: int) -> EdgeId | None:
        """Return the edge of a row whose offset stands for all, one that is not held if there is any."""

        def rank(edge: EdgeId) -> tuple[bool, bool, EdgeId]:
            return self._held[edge][D], self._functions[edge].shape is not Shape.CONSTANT, edge

        return min((one for one in self._symbolic(index) if one.target == row), key=rank, default=None)

    # --- hidden nodes -------------------------------------------------------------------------------------------------

    def _choose_unit(self, index: int, node: int) -> None:
        """Use up a hidden node's scale and shift, the node being fed by layer `index`."""
        outs = self._out_of(index + 1, node)
        rows = self._layers[index].rows_of(node)
        first, is_product = rows[0], len(rows) > 1
        ins = self._into(index, first)
        if outs is None:
            return
        if is_product:
            ins = next((found for row in reversed(rows) if (found := self._into(index, row)) is not None), None)
        if ins is None:
            return
        scaled = next((one for one in outs if self._functions[one].shape in _SCALED), None)
        self._choose_scale(index, node, ins, outs, scaled, is_product=is_product)
        if is_product:
            return
        carrier = self._carrier(index, first)
        if carrier is None:
            return
        shifted = [one for one in outs if self._functions[one].shape in _SHIFTED]
        if shifted:
            chosen = scaled if scaled in shifted else shifted[0]
            assert chosen is not None
            self._note(chosen, B)
            a, b, _, _ = self._values[chosen]
            self._transform(index, node, 1.0, b / a if a else 0.0)
            if outs == [chosen] and self._functions[chosen].name in _QUARTERS and self._values[chosen][A] == 1.0:
                self._turn(chosen, carrier)
        else:
            self._note(carrier, D)
            self._transform(index, node, 1.0, -self._values[carrier][D])

    def _choose_scale(
        self, index: int, node: int, ins: list[EdgeId], outs: list[EdgeId], scaled: EdgeId | None, *, is_product: bool
    ) -> None:
        shapes = {self._functions[one].shape for one in outs} - {Shape.CONSTANT}
        if scaled is not None:
            self._note(scaled, A)
            factor = self._values[scaled][A]
            if self._functions[scaled].parity and sum(factor * self._values[one][C] for one in ins) < 0:
                factor = -factor
        elif shapes == {Shape.LINEAR} and not is_product and not self._reaches_product(outs):
            chosen = next(one for one in outs if self._functions[one].shape is Shape.LINEAR)
            self._note(chosen, C)
            factor = self._values[chosen][A] * self._values[chosen][C]
        elif shapes:
            chosen = self._reference(ins)
            self._note(chosen, C)
            size = self._values[chosen][C]
            # a function with a domain on one side says which sign its argument has
            one_sided = any(self._functions[one].parity == 0 and self._functions[one].name != "x" for one in outs)
            factor = 1.0 / (abs(size) if one_sided else size) if size else 1.0
        else:
            return
        if factor:
            self._transform(index, node, factor, 0.0)

    def _reaches_product(self, edges: list[EdgeId]) -> bool:
        """Return whether some of the edges lead to a factor, whose scale is better carried on."""
        return any(one.target >= self._layers[one.layer].first_factor for one in edges)

    def _reference(self, edges: list[EdgeId]) -> EdgeId:
        """Return the edge of a sum by whose c the others are best divided: the one after which most are nice."""

        def length(edge: EdgeId) -> tuple[bool, float, EdgeId]:
            unit = self._values[edge][C]
            if not unit:
                return True, math.inf, edge
            forms = [
                best_form(self._values[one][C] / unit, ROUGHLY * abs(self._values[one][C] / unit)) for one in edges
            ]
            return abs(unit) != 1.0, sum(30.0 if form is None else form.bits for form in forms), edge

        return min(edges, key=length)

    def _transform(self, index: int, node: int, factor: float, shift: float) -> None:
        """Change a hidden node's unit, n → factor · n + shift; only a node that adds may be shifted."""
        if (factor, shift) == (1.0, 0.0):
            return
        rows = self._layers[index].rows_of(node)
        fed = [edges for row in rows if (edges := self._into(index, row)) is not None]
        outs = self._out_of(index + 1, node)
        assert outs is not None
        new: dict[EdgeId, list[float]] = {}
        for edge in fed[-1]:
            a, b, c, d = self._values[edge]
            new[edge] = [a, b, factor * c, factor * d]
        if shift:
            carrier = self._carrier(index, rows[0])
            assert carrier is not None
            moved = new[carrier][D] + shift
            new[carrier][D] = 0.0 if abs(moved) <= 4e-16 * abs(shift) else moved
        for edge in outs:
            a, b, c, d = self._values[edge]
            left = b - a / factor * shift
            new[edge] = [a / factor, 0.0 if abs(left) <= 4e-16 * abs(b) else left, c, d]
        extent = self._extents.transformed(index + 1, node, factor, shift)
        if self._is_far(size_of(extent)) and not self._is_far(size_of(self._extents.of(index + 1, node))):
            return
        new |= {edge: simplest(self._functions[edge], new[edge], extent) for edge in outs}
        if self._change(new):
            self._extents.transform(index + 1, node, factor, shift)
            row = fed[-1][0].target
            self._rows[index, row] = self._rows.get((index, row), 1.0) * factor
            old_factor, old_shift = self._nodes.get((index + 1, node), (1.0, 0.0))
            self._nodes[index + 1, node] = (old_factor * factor, factor * old_shift + shift)

    # --- products -----------------------------------------------------------------------------------------------------

    def _balance_product(self, index: int, node: int) -> None:
        """Give all but one factor of a product an edge with c = 1, and a hidden product's last one if it can be."""
        layer = self._layers[index]
        rows = layer.rows_of(node)
        if len(rows) == 1:
            return
        free = [edges for row in rows if (edges := self._into(index, row)) is not None]
        if not free:
            return
        # the factor that carries the scale: without formulas to scale the other one keeps its own
        taker = free[-1]
        if index == len(self._layers) - 1 and self._scale_row(taker, self._scale[node]):
            self._scale[node] = 1.0
        for row in rows:
            if bool(layer.pruned[row].all()) and self._scale_row(taker, self._lone[index][row]):
                self._lone[index][row] = 1.0
        if len(free) == 2:
            reference = self._reference(free[0])
            self._note(reference, C)
            size = self._values[reference][C]
            if size and size != 1.0:
                self._exchange(free[0], taker, 1.0 / size)

    def _scale_row(self, edges: list[EdgeId], factor: float) -> bool:
        if factor == 1.0:
            return False
        new = {edge: [a, b, factor * c, factor * d] for edge in edges for a, b, c, d in [self._values[edge]]}
        if self._change(new):
            place = edges[0].layer, edges[0].target
            self._rows[place] = self._rows.get(place, 1.0) * factor
            return True
        return False

    def _exchange(self, given: list[EdgeId], taken: list[EdgeId], factor: float) -> None:
        """Multiply one factor of a product and divide the other one, both or none."""
        before = {edge: list(self._values[edge]) for edge in given}
        rows = dict(self._rows)
        if self._scale_row(given, factor) and not self._scale_row(taken, 1.0 / factor):
            self._values |= before
            self._rows = rows

    # --- the network --------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def written(self) -> KAN:
        """Return a copy of the network with the formulas as they are now."""
        new = self._network.copy()
        for source in range(new.widths[0]):
            drop_input_shift(new, self._network, source)
        new.output_shift.copy_(torch.tensor(self._shift, dtype=torch.float64))
        new.output_scale.copy_(torch.tensor(self._scale, dtype=torch.float64))
        for layer, lone in zip(new.layers, self._lone, strict=True):
            layer.lone.copy_(torch.tensor(lone, dtype=torch.float64))
        for edge, values in self._values.items():
            new.check_edge(edge).functions[edge.target, edge.source] = self._functions[edge]
            for place, (old, now) in enumerate(zip(edge_form(new, edge)[1:], values, strict=True)):
                if now != old:
                    set_constant(new, edge, NAMES[place], now)
        self._carry_ghosts(new)
        return new

    def _carry_ghosts(self, new: KAN) -> None:
        """Let edges that are cut follow the units of the nodes next to them."""
        for (index, row), factor in self._rows.items():
            layer = new.layers[index]
            cut = layer.pruned[row]
            layer.coefficients[row, cut] *= factor
            layer.base_weights[row, cut] *= factor
            layer.constants[row, cut, 2:] *= factor
        for (index, node), (factor, shift) in self._nodes.items():
            layer, old = new.layers[index], self._network.layers[index]
            ends = sorted(factor * float(end[node]) + shift for end in (old.low, old.high))
            layer.low[node], layer.high[node] = ends
            for row in layer.pruned[:, node].nonzero().ravel().tolist():
                carry_ghost(layer, old, (row, node), factor, shift)
