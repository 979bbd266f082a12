"""The network as source code that needs nothing of this library.

Each edge becomes a term, each node a sum or a product, in the order they are computed; curves that remain bring the
functions of their family and their coefficients along. Constants are written in full, so the code computes what the
network computes.
"""

from __future__ import annotations

import keyword
import math
import re
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import sympy as sp

from kan_core.bases.basis import Basis, end_slopes
from kan_core.errors import ExportError
from kan_core.network import KAN, EdgeId
from kan_core.symbolic.edges import edge_form, edge_function, edge_units
from kan_core.symbolic.library import SymbolicFunction
from kan_core.symbolic.program_forms import source_of

# {x} is the argument, {m} the module; those not named here are the module's function of the same name
_TEMPLATES: Mapping[str, str] = MappingProxyType(
    {
        "constant": "0.0 * {x}",
        "x": "{x}",
        "x^2": "{x} ** 2",
        "x^3": "{x} ** 3",
        "x^4": "{x} ** 4",
        "x^5": "{x} ** 5",
        "1/x": "1 / {x}",
        "1/x^2": "1 / {x} ** 2",
        "1/x^3": "1 / {x} ** 3",
        "1/x^4": "1 / {x} ** 4",
        "1/sqrt": "1 / {m}.sqrt({x})",
        "x^1.5": "{x} ** 1.5",
        "sigmoid": "1 / (1 + {m}.exp(-{x}))",
        "gaussian": "{m}.exp(-({x} ** 2))",
        "lorentzian": "1 / (1 + {x} ** 2)",
    }
)

_CURVE = '''
def curve(x, low, high, basis, coefficients, end_slopes, base_weight):
    """Return base_weight * {base} plus the sum of `coefficients` times `basis`, linear outside [low, high]."""
    u = (2 * x - (low + high)) / (high - low)
    inner = u.clip(-1.0, 1.0)
    value = sum(c * row for c, row in zip(coefficients, basis(inner)))
    beyond = u - inner
    value = value + {m}.where(beyond < 0, end_slopes[0] * beyond, end_slopes[1] * beyond)
    return value + base_weight * ({base})
'''
_BASES = MappingProxyType({"silu": "x / (1 + {m}.exp(-x))", "identity": "x", "none": "0.0"})


def numpy_source(network: KAN, *, input_names: Sequence[str]) -> str:
    """Return a Python module with `predict(...)`, arrays in, an array out (a tuple for several outputs)."""
    return _source(network, input_names, module="np", header="import numpy as np\n")


def pytorch_source(network: KAN, *, input_names: Sequence[str]) -> str:
    """Return a Python module with `predict(...)`, float tensors in, a tensor out (a tuple for several outputs)."""
    return _source(network, input_names, module="torch", header="import torch\n")


def sympy_source(expressions: Sequence[Any], *, input_names: Sequence[str]) -> str:
    """Return a line for each expression that `sympy.sympify` reads back; names that SymPy gives a meaning change."""
    names = identifiers(input_names, reserved=dir(sp))
    symbols = {sp.Symbol(old): sp.Symbol(new) for old, new in zip(input_names, names, strict=True)}
    return "\n".join(str(sp.sstr(expression.xreplace(symbols))) for expression in expressions)


def identifiers(names: Sequence[str], *, reserved: Collection[str] = ()) -> list[str]:
    """Return the names as Python identifiers, all different and none of them `reserved`."""
    chosen: list[str] = []
    for name in names:
        candidate = re.sub(r"[^0-9A-Za-z_]", "_", name)
        is_ours = re.fullmatch(r"n\d+_\d+|phi_\d+_\d+_\d+|basis_\d+", candidate) is not None
        if not candidate.isidentifier() or keyword.iskeyword(candidate) or is_ours or candidate in reserved:
            candidate = f"v_{candidate}"
        while candidate in chosen:
            candidate += "_"
        chosen.append(candidate)
    return chosen


def _source(network: KAN, input_names: Sequence[str], *, module: str, header: str) -> str:
    if len(input_names) != network.widths[0]:
        raise ExportError(
            f"input_names has a name for each of {network.widths[0]} inputs, received {tuple(input_names)}: "
            "name every input"
        )
    names = identifiers(input_names, reserved={"np", "torch", "curve", "predict"})
    live = {edge for edge in network.edges() if network.kind(edge) != "pruned"}
    families = _Families()
    lines = [f"    {name} = np.asarray({name}, dtype=float)" for name in names] if module == "np" else []
    nodes = names
    for index, layer in enumerate(network.layers):
        is_output = index == len(network.layers) - 1
        sums = [f"n{index + 1}_{node}" for node in range(layer.num_nodes)]
        for node, name in enumerate(sums):
            terms = [
                [_edge_source(network, edge, nodes[edge.source], module, families) for edge in edges]
                for edges in (_edges_into(network, live, index, row) for row in layer.rows_of(node))
            ]
            if len(terms) > 1:
                lone = layer.lone.double().tolist()
                terms = [row or [repr(lone[k])] for k, row in zip(layer.rows_of(node), terms, strict=True)]
            if is_output or any((edge.layer, edge.source) == (index + 1, node) for edge in live):
                lines.append(f"    {name} = {_node_source(network, node, terms, is_output) or f'0.0 * {names[0]}'}")
        nodes = sums
    result = nodes[0] if len(nodes) == 1 else f"({', '.join(nodes)})"
    base = _BASES[network.spec.base].format(m=module)
    parts = [header, _CURVE.replace("{base}", base).replace("{m}", module), *families.source(module)]
    parts = parts if families.bases else [header]
    return "\n".join([*parts, "", f"def predict({', '.join(names)}):", *lines, f"    return {result}", ""])


class _Families:
    """The bases of the curves written so far, in the order of their numbers."""

    def __init__(self) -> None:
        self.bases: list[Basis] = []

    def name(self, basis: Basis) -> str:
        """Return the name of the function that computes `basis`."""
        if basis not in self.bases:
            self.bases.append(basis)
        return f"basis_{self.bases.index(basis)}"

    def source(self, module: str) -> list[str]:
        """Return the functions' definitions."""
        return [
            "\n".join(
                [
                    f"\ndef {self.name(basis)}(u):",
                    f'    """Return the {basis.title} at u within [-1, 1], one after the other."""',
                    *[f"    {line}" for line in basis.source(module)],
                    "    return rows",
                ]
            )
            for basis in self.bases
        ]


def _edges_into(network: KAN, live: Collection[EdgeId], index: int, row: int) -> list[EdgeId]:
    return [edge for edge in network.edges() if edge in live and (edge.layer, edge.target) == (index, row)]


def _node_source(network: KAN, node: int, terms: list[list[str]], is_output: bool) -> str:
    """Return what a node computes of its rows' terms, in original units for an output."""
    sums = [" + ".join(row) for row in terms]
    shift = [repr(float(network.output_shift[node]))] if is_output else []
    if len(sums) == 1:
        return " + ".join([*terms[0], *shift])
    product = " * ".join(f"({total})" for total in sums)
    scale = float(network.output_scale[node]) if is_output else 1.0
    return " + ".join([product if scale == 1.0 else f"{scale!r} * {product}", *shift])


def _edge_source(network: KAN, edge: EdgeId, x: str, module: str, families: _Families) -> str:
    if network.kind(edge) == "symbolic":
        name, a, b, c, d = edge_form(network, edge)
        function = edge_function(network, edge)
        argument = _within(f"({a!r} * {x} + {b!r})", function, module)
        if function.expression:
            return f"{c!r} * {source_of(function.program, argument, module)} + {d!r}"
        value = _TEMPLATES.get(name, "{m}." + name + "({x})").format(x=argument, m=module)
        return f"{c!r} * ({value}) + {d!r}"
    layer = network.check_edge(edge)
    basis, place = layer.edge_basis(edge.target, edge.source)
    scale, shift, out = edge_units(network, edge)
    low, high = float(layer.low[edge.source]), float(layer.high[edge.source])
    coefficients = layer.coefficients[edge.target, edge.source, place].detach().double()
    slopes = tuple((end_slopes(basis) @ coefficients.numpy()).tolist())
    weight = float(layer.base_weights[edge.target, edge.source].detach())
    inner = x if (scale, shift) == (1.0, 0.0) else f"({x} - {shift!r}) / {scale!r}"
    numbers = f"{coefficients.tolist()!r}, {slopes!r}, {weight!r}"
    call = f"curve({inner}, {low!r}, {high!r}, {families.name(basis)}, {numbers})"
    return call if out == 1.0 else f"{out!r} * {call}"


def _within(argument: str, function: SymbolicFunction, module: str) -> str:
    """Return the argument held within the function's domain, as the network holds it."""
    low, high = (None if math.isinf(end) else end for end in (function.low, function.high))
    if low is None and high is None:
        return argument
    clip = "clip" if module == "np" else "clamp"
    return f"{module}.{clip}({argument}, {low!r}, {high!r})"
