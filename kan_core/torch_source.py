"""The network as a file of Python that needs nothing but torch: a module whose parameters can be trained on.

Every live edge becomes a module of its own, a `Curve` or a `Formula`, and `forward` is written out node by node, in the
network's own units between its input and its output scaling. Numbers are float64 in full.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import nn

from kan_core.array_code import formula_code
from kan_core.bases.basis import end_slopes
from kan_core.export import BASE_CODE, Families, check_names, edges_into, is_needed
from kan_core.formula import column_names
from kan_core.network import KAN, EdgeId
from kan_core.symbolic.edges import edge_function
from kan_core.symbolic.library import SymbolicFunction

SCALINGS = ("input_shift", "input_scale", "output_shift", "output_scale")
_CURVE = '''

class Curve(nn.Module):
    """base_weight * b(x) plus coefficients times basis functions of x, which go on linearly outside [low, high]."""

    def __init__(self, basis, slopes, low, high, coefficients, base_weight):
        super().__init__()
        self.basis = basis
        self.coefficients = nn.Parameter(numbers(coefficients))
        self.base_weight = nn.Parameter(numbers(base_weight))
        self.register_buffer("slopes", numbers(slopes))
        self.register_buffer("domain", numbers([low, high]))

    def forward(self, x):
        low, high = self.domain
        u = (2 * x - (low + high)) / (high - low)
        inner = u.clamp(-1.0, 1.0)
        beyond = (u - inner).unsqueeze(-1)
        functions = self.basis(inner) + beyond * torch.where(beyond < 0, self.slopes[0], self.slopes[1])
        return functions @ self.coefficients + self.base_weight * ({base})
'''
_FORMULA = '''

class Formula(nn.Module):
    """c * f(a * x + b) + d, the argument held within [low, high]; held constants are not trained."""

    def __init__(self, function, low, high, constants, held):
        super().__init__()
        self.function = function
        self.low, self.high = low, high
        self.constants = nn.Parameter(numbers(constants), requires_grad=not all(held))
        self.register_buffer("held", torch.tensor(held))

    def forward(self, x):
        a, b, c, d = torch.where(self.held, self.constants.detach(), self.constants)
        return c * self.function((a * x + b).clamp(self.low, self.high)) + d
'''


def pytorch_source(network: KAN, *, input_names: Sequence[str], output_names: Sequence[str] | None = None) -> str:
    """Return a Python file with the torch module `Network` and `predict(...)`, tensors in, a tensor out.

    `predict` takes a float tensor for each input and gives one, or a tuple of them for several outputs. Names that
    Python keeps for itself change. Raises ExportError when there are not as many names as columns.
    """
    reserved = {"torch", "nn", "numbers", "network", "predict", "Curve", "Formula", "Network", *dir(builtins)}
    arguments = check_names(input_names, network.widths[0], reserved=reserved)
    outputs = column_names(output_names, network.widths[-1], "output_names", "y")
    writer = _Edges(network)
    forward = _forward(network, writer)
    parts = [head_source("Kolmogorov-Arnold network", "Coefficients and constants", input_names, outputs)]
    if writer.families.bases:
        parts += [f"\n{one}" for one in writer.families.source("torch.stack(rows, dim=-1)")]
        parts += [_slopes(number, end_slopes(basis)) for number, basis in enumerate(writer.families.bases)]
        parts.append(_CURVE.replace("{base}", BASE_CODE[network.spec.base].format(m="torch")))
    if writer.functions:
        parts += [_function(number, name) for number, name in enumerate(writer.functions)]
        parts.append(_FORMULA)
    parts.append(_network(network, writer.lines, forward))
    parts.append(predict_source(arguments, len(outputs)))
    return "\n".join(parts)


def head_source(kind: str, parameters: str, inputs: Sequence[str], outputs: Sequence[str]) -> str:
    """Return how the file of a `kind` of network begins, whose `parameters` are trained; it has `numbers(...)`."""
    return f'''"""A {kind}, written by Kanoscope. It needs nothing but torch.

`Network()` is a torch module from inputs (..., {len(inputs)}) to outputs (..., {len(outputs)}), columns in the order of
INPUT_NAMES and OUTPUT_NAMES. {parameters} are its parameters, in float64, to be used as they are or to be
trained on. `predict` takes and gives columns, without gradients.
"""

import torch
from torch import nn

INPUT_NAMES = {list(inputs)!r}
OUTPUT_NAMES = {list(outputs)!r}


def numbers(values):
    return torch.tensor(values, dtype=torch.float64)
'''


class _Edges:
    """The live edges as lines of a ModuleDict, with the families and functions that they use."""

    def __init__(self, network: KAN) -> None:
        self.families = Families("torch")
        self.functions: list[SymbolicFunction] = []
        self.lines: list[str] = []
        self._network = network

    def add(self, edge: EdgeId, x: str) -> str:
        """Return what calls the edge on the node named `x`."""
        made = self._formula(edge) if self._network.kind(edge) == "symbolic" else self._curve(edge)
        name = f"{edge.layer}_{edge.source}_{edge.target}"
        self.lines.append(f'                "{name}": {made},')
        return f'edge["{name}"]({x})'

    def _formula(self, edge: EdgeId) -> str:
        layer = self._network.check_edge(edge)
        function = edge_function(self._network, edge)
        if function not in self.functions:
            self.functions.append(function)
        low, high = (f'float("{end}")' if math.isinf(end) else repr(end) for end in (function.low, function.high))
        constants = layer.constants[edge.target, edge.source].detach().double().tolist()
        held = (layer.held[edge.target, edge.source] | layer.locked[edge.target, edge.source]).tolist()
        return f"Formula(function_{self.functions.index(function)}, {low}, {high}, {constants!r}, {held!r})"

    def _curve(self, edge: EdgeId) -> str:
        layer = self._network.check_edge(edge)
        basis, place = layer.edge_basis(edge.target, edge.source)
        number = self.families.number(basis)
        low, high = float(layer.low[edge.source]), float(layer.high[edge.source])
        coefficients = layer.coefficients[edge.target, edge.source, place].detach().double().tolist()
        weight = float(layer.base_weights[edge.target, edge.source].detach())
        return f"Curve(basis_{number}, slopes_{number}, {low!r}, {high!r}, {coefficients!r}, {weight!r})"


def _forward(network: KAN, writer: _Edges) -> list[str]:
    """Return the lines that compute every node that is needed, from `z`, the scaled inputs (..., I)."""
    nodes = [f"n0_{node}" for node in range(network.widths[0])]
    zero = f"0.0 * {nodes[0]}"
    lines = [f"        {', '.join(nodes)}{',' if len(nodes) == 1 else ''} = z.unbind(-1)"]
    for index, layer in enumerate(network.layers):
        names = [f"n{index + 1}_{node}" for node in range(layer.num_nodes)]
        for node, name in enumerate(names):
            if not is_needed(network, index, node):
                continue
            rows = [[writer.add(edge, nodes[edge.source]) for edge in row] for row in edges_into(network, index, node)]
            sums = [" + ".join(row) for row in rows]
            if len(sums) == 1:
                lines.append(f"        {name} = {sums[0] or zero}")
            else:
                lone = layer.lone.double().tolist()
                factors = [
                    total or f"{lone[row]!r} + {zero}" for row, total in zip(layer.rows_of(node), sums, strict=True)
                ]
                lines.append(f"        {name} = {' * '.join(f'({factor})' for factor in factors)}")
        nodes = names
    return [*lines, f"        s = torch.stack([{', '.join(nodes)}], dim=-1)"]


def _slopes(number: int, slopes: Any) -> str:
    return f"\n# of the basis functions at -1 and at 1\nslopes_{number} = {np.asarray(slopes).tolist()!r}"


def _function(number: int, function: SymbolicFunction) -> str:
    return f"\n\ndef function_{number}(x):\n    return {formula_code(function, 'x', 'torch')}"


def _network(network: KAN, edges: list[str], forward: list[str]) -> str:
    return "\n".join(
        [
            "\n\nclass Network(nn.Module):",
            '    """The network; its edges are named by layer, source and target, counted from 0."""',
            "",
            "    def __init__(self):",
            "        super().__init__()",
            *scaling_lines(network),
            "        self.edge = nn.ModuleDict(",
            "            {",
            *edges,
            "            }",
            "        )",
            "",
            "    def forward(self, x):",
            "        edge = self.edge",
            "        z = (x - self.input_shift) / self.input_scale",
            *forward,
            "        return self.output_shift + self.output_scale * s",
        ]
    )


def scaling_lines(network: nn.Module) -> list[str]:
    """Return the lines of a module's constructor that keep the scalings of a network's inputs and outputs."""
    return [
        f'        self.register_buffer("{name}", numbers({network.get_buffer(name).double().tolist()!r}))'
        for name in SCALINGS
    ]


def predict_source(arguments: Sequence[str], num_outputs: int) -> str:
    """Return how the file of a network ends: the network of its `Network()`, and `predict(...)`."""
    columns = ", ".join(arguments)
    result = "[..., 0]" if num_outputs == 1 else ".unbind(-1)"
    return "\n".join(
        [
            "\n\nnetwork = Network()",
            "",
            "",
            "@torch.no_grad()",
            f"def predict({columns}):",
            f"    columns = torch.broadcast_tensors({columns})",
            f"    return network(torch.stack(columns, dim=-1)){result}",
            "",
        ]
    )
