"""The network as source code that needs nothing of this library, and its formula for SymPy.

Each edge becomes a term, each node a sum or a product, in the order they are computed; curves that remain bring the
functions of their family and their coefficients along. Constants are written in full, so the code computes what the
network computes. `kan_core.torch_source` has the module for torch.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import sympy as sp

from kan_core.array_code import formula_code
from kan_core.bases.basis import Basis, end_slopes
from kan_core.errors import ExportError
from kan_core.names import identifiers
from kan_core.network import KAN, EdgeId
from kan_core.symbolic.edges import edge_form, edge_function, edge_units
from kan_core.symbolic.library import SymbolicFunction

_CURVE = '''
def curve(x, low, high, basis, coefficients, end_slopes, base_weight):
    """Return base_weight * {base} plus the sum of `coefficients` times `basis`, linear outside [low, high]."""
    u = (2 * x - (low + high)) / (high - low)
    inner = u.clip(-1.0, 1.0)
    value = sum(c * row for c, row in zip(coefficients, basis(inner)))
    beyond = u - inner
    value = value + np.where(beyond < 0, end_slopes[0] * beyond, end_slopes[1] * beyond)
    return value + base_weight * ({base})
'''
BASE_CODE: Mapping[str, str] = MappingProxyType({"silu": "x / (1 + {m}.exp(-x))", "identity": "x", "none": "0.0"})


def numpy_source(network: KAN, *, input_names: Sequence[str]) -> str:
    """Return a Python module with `predict(...)`, arrays in, an array out (a tuple for several outputs).

    Names that Python keeps for itself change. Raises ExportError when there are not as many names as inputs.
    """
    names = check_names(input_names, network.widths[0], reserved={"np", "scipy", "curve", "predict", *dir(builtins)})
    families = Families("np")
    lines = [f"    {name} = np.asarray({name}, dtype=float)" for name in names]
    nodes = names
    for index, layer in enumerate(network.layers):
        sums = [f"n{index + 1}_{node}" for node in range(layer.num_nodes)]
        for node, name in enumerate(sums):
            terms = [
                [_edge_source(network, edge, nodes[edge.source], families) for edge in row]
                for row in edges_into(network, index, node)
            ]
            if is_needed(network, index, node):
                lines.append(f"    {name} = {_node_source(network, index, node, terms) or f'0.0 * {names[0]}'}")
        nodes = sums
    result = nodes[0] if len(nodes) == 1 else f"({', '.join(nodes)})"
    body = "\n".join(["", f"def predict({', '.join(names)}):", *lines, f"    return {result}", ""])
    parts = ["import numpy as np\n"] + (["import scipy.special\n"] if "scipy." in body else [])
    if families.bases:
        parts += [_CURVE.replace("{base}", BASE_CODE[network.spec.base].format(m="np")), *families.source()]
    return "\n".join([*parts, body])


def sympy_source(expressions: Sequence[Any], *, input_names: Sequence[str]) -> str:
    """Return a line for each expression that `sympy.sympify` reads back; names that SymPy gives a meaning change."""
    symbols = {sp.Symbol(old): sp.Symbol(new) for old, new in zip(input_names, sympy_names(input_names), strict=True)}
    return "\n".join(str(sp.sstr(expression.xreplace(symbols))) for expression in expressions)


def sympy_names(input_names: Sequence[str]) -> list[str]:
    """Return the names as `sympy_source` writes them: identifiers to which `sympy.sympify` gives no meaning."""
    return identifiers(input_names, reserved={*dir(sp), *dir(builtins)})


def check_names(input_names: Sequence[str], num_inputs: int, *, reserved: Collection[str]) -> list[str]:
    """Return the names as identifiers; raises ExportError when there are not as many as inputs."""
    if len(input_names) != num_inputs:
        raise ExportError(
            f"input_names has a name for each of {num_inputs} inputs, received {tuple(input_names)}: name every input"
        )
    return identifiers(input_names, reserved=reserved)


def edges_into(network: KAN, index: int, node: int) -> list[list[EdgeId]]:
    """Return the live edges of layer `index` that lead to a node, those of each of its rows."""
    layer = network.layers[index]
    edges = [
        [EdgeId(layer=index, source=source, target=row) for source in range(layer.num_sources)]
        for row in layer.rows_of(node)
    ]
    return [[edge for edge in row if network.kind(edge) != "pruned"] for row in edges]


def is_needed(network: KAN, index: int, node: int) -> bool:
    """Return whether a node of layer `index` + 1 is an output or has a live edge that leaves it."""
    if index == len(network.layers) - 1:
        return True
    return not bool(network.layers[index + 1].pruned[:, node].all())


class Families:
    """The bases of the curves written so far, in the order of their numbers, as functions of `module`."""

    def __init__(self, module: str) -> None:
        self.bases: list[Basis] = []
        self._module = module

    def number(self, basis: Basis) -> int:
        """Return the number of `basis`, which is that of the function that computes it."""
        if basis not in self.bases:
            self.bases.append(basis)
        return self.bases.index(basis)

    def source(self, result: str = "rows") -> list[str]:
        """Return the functions' definitions, each of which makes `rows` and returns `result`."""
        return [
            "\n".join(
                [
                    f"\ndef basis_{number}(u):",
                    f'    """Return the {basis.title} at u within [-1, 1], one after the other."""',
                    *[f"    {line}" for line in basis.source(self._module)],
                    f"    return {result}",
                ]
            )
            for number, basis in enumerate(self.bases)
        ]


def _node_source(network: KAN, index: int, node: int, terms: list[list[str]]) -> str:
    """Return what a node computes of its rows' terms, in original units for an output."""
    is_output = index == len(network.layers) - 1
    sums = [" + ".join(row) for row in terms]
    shift = [repr(float(network.output_shift[node]))] if is_output else []
    if len(sums) == 1:
        return " + ".join([*terms[0], *shift])
    layer = network.layers[index]
    lone = layer.lone.double().tolist()
    factors = [total or repr(lone[row]) for row, total in zip(layer.rows_of(node), sums, strict=True)]
    product = " * ".join(f"({factor})" for factor in factors)
    scale = float(network.output_scale[node]) if is_output else 1.0
    return " + ".join([product if scale == 1.0 else f"{scale!r} * {product}", *shift])


def _edge_source(network: KAN, edge: EdgeId, x: str, families: Families) -> str:
    if network.kind(edge) == "symbolic":
        _, a, b, c, d = edge_form(network, edge)
        function = edge_function(network, edge)
        argument = _within(f"({a!r} * {x} + {b!r})", function)
        return f"{c!r} * ({formula_code(function, argument, 'np')}) + {d!r}"
    layer = network.check_edge(edge)
    basis, place = layer.edge_basis(edge.target, edge.source)
    scale, shift, out = edge_units(network, edge)
    low, high = float(layer.low[edge.source]), float(layer.high[edge.source])
    coefficients = layer.coefficients[edge.target, edge.source, place].detach().double()
    slopes = tuple((end_slopes(basis) @ coefficients.numpy()).tolist())
    weight = float(layer.base_weights[edge.target, edge.source].detach())
    inner = x if (scale, shift) == (1.0, 0.0) else f"({x} - {shift!r}) / {scale!r}"
    numbers = f"{coefficients.tolist()!r}, {slopes!r}, {weight!r}"
    call = f"curve({inner}, {low!r}, {high!r}, basis_{families.number(basis)}, {numbers})"
    return call if out == 1.0 else f"{out!r} * {call}"


def _within(argument: str, function: SymbolicFunction) -> str:
    """Return the argument held within the function's domain, as the network holds it."""
    low, high = (None if math.isinf(end) else end for end in (function.low, function.high))
    if low is None and high is None:
        return argument
    return f"np.clip({argument}, {low!r}, {high!r})"
