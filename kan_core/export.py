"""The network as source code that needs nothing of this library.

Each edge becomes one line, each node a sum, in the order they are computed; curves that remain bring a small B-spline
evaluation and their coefficients along. Constants are written in full, so the code computes what the network computes.
"""

from __future__ import annotations

import keyword
import math
import re
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import sympy as sp

from kan_core.errors import ExportError
from kan_core.network import KAN, EdgeId
from kan_core.symbolic.edges import edge_form, edge_units
from kan_core.symbolic.library import FUNCTIONS, SymbolicFunction

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

_NUMPY_SPLINE = '''
def spline(x, low, high, order, coefficients, base_weight):
    """Return base_weight * {base} plus the B-spline of `coefficients` on a uniform grid, linear outside."""
    size = len(coefficients) - order
    u = (np.asarray(x, dtype=float) - low) * size / (high - low)
    inner = np.clip(u, 0.0, size)
    cell = np.minimum(np.floor(inner), size - 1).astype(int)
    t = inner - cell
    rows, slopes = [np.ones_like(t)], [np.zeros_like(t)]
    for degree in range(1, order + 1):
        slopes = [-rows[0]] + [rows[r - 1] - rows[r] for r in range(1, degree)] + [rows[-1]]
        rows = [
            ((t + degree - r) * rows[r - 1] if r > 0 else 0.0) / degree
            + ((r + 1 - t) * rows[r] if r < degree else 0.0) / degree
            for r in range(degree + 1)
        ]
    c = np.asarray(coefficients)
    value = sum(c[cell + r] * (rows[r] + slopes[r] * (u - inner)) for r in range(order + 1))
    return value + base_weight * {base}
'''

_TORCH_SPLINE = '''
def spline(x, low, high, order, coefficients, base_weight):
    """Return base_weight * {base} plus the B-spline of `coefficients` on a uniform grid, linear outside."""
    size = len(coefficients) - order
    u = (x - low) * size / (high - low)
    inner = u.clamp(0.0, size)
    cell = inner.detach().floor().clamp(max=size - 1).long()
    t = inner - cell
    rows, slopes = [torch.ones_like(t)], [torch.zeros_like(t)]
    for degree in range(1, order + 1):
        slopes = [-rows[0]] + [rows[r - 1] - rows[r] for r in range(1, degree)] + [rows[-1]]
        rows = [
            ((t + degree - r) * rows[r - 1] if r > 0 else 0.0) / degree
            + ((r + 1 - t) * rows[r] if r < degree else 0.0) / degree
            for r in range(degree + 1)
        ]
    c = torch.tensor(coefficients, dtype=x.dtype)
    value = sum(c[cell + r] * (rows[r] + slopes[r] * (u - inner)) for r in range(order + 1))
    return value + base_weight * {base}
'''
_BASES = MappingProxyType({"silu": "x / (1 + {m}.exp(-x))", "identity": "x", "none": "0.0"})


def numpy_source(network: KAN, *, input_names: Sequence[str]) -> str:
    """Return a Python module with `predict(...)`, arrays in, an array out (a tuple for several outputs)."""
    return _source(network, input_names, module="np", header="import numpy as np\n", spline=_NUMPY_SPLINE)


def pytorch_source(network: KAN, *, input_names: Sequence[str]) -> str:
    """Return a Python module with `predict(...)`, float tensors in, a tensor out (a tuple for several outputs)."""
    return _source(network, input_names, module="torch", header="import torch\n", spline=_TORCH_SPLINE)


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
        is_ours = re.fullmatch(r"n\d+_\d+|phi_\d+_\d+_\d+", candidate) is not None
        if not candidate.isidentifier() or keyword.iskeyword(candidate) or is_ours or candidate in reserved:
            candidate = f"v_{candidate}"
        while candidate in chosen:
            candidate += "_"
        chosen.append(candidate)
    return chosen


def _source(network: KAN, input_names: Sequence[str], *, module: str, header: str, spline: str) -> str:
    if len(input_names) != network.widths[0]:
        raise ExportError(
            f"input_names has a name for each of {network.widths[0]} inputs, received {tuple(input_names)}: "
            "name every input"
        )
    names = identifiers(input_names, reserved={"np", "torch", "spline", "predict"})
    live = [edge for edge in network.edges() if network.kind(edge) != "pruned"]
    lines: list[str] = []
    nodes = names
    for index, width in enumerate(network.widths[1:]):
        sums = [f"n{index + 1}_{target}" for target in range(width)]
        for target in range(width):
            is_output = index == len(network.layers) - 1
            if not is_output and all((edge.layer, edge.source) != (index + 1, target) for edge in live):
                continue
            terms = [
                _edge_source(network, edge, nodes[edge.source], module)
                for edge in live
                if (edge.layer, edge.target) == (index, target)
            ]
            if is_output:
                terms.append(repr(float(network.output_shift[target])))
            lines.append(f"    {sums[target]} = {' + '.join(terms) or f'0.0 * {names[0]}'}")
        nodes = sums
    result = nodes[0] if len(nodes) == 1 else f"({', '.join(nodes)})"
    curves = any(network.kind(edge) == "spline" for edge in live)
    base = _BASES[network.spec.base].format(m=module)
    parts = [header, spline.replace("{base}", base), ""] if curves else [header, ""]
    return "\n".join([*parts, f"def predict({', '.join(names)}):", *lines, f"    return {result}", ""])


def _edge_source(network: KAN, edge: EdgeId, x: str, module: str) -> str:
    if network.kind(edge) == "symbolic":
        name, a, b, c, d = edge_form(network, edge)
        argument = _within(f"({a!r} * {x} + {b!r})", FUNCTIONS[name], module)
        value = _TEMPLATES.get(name, "{m}." + name + "({x})").format(x=argument, m=module)
        return f"{c!r} * ({value}) + {d!r}"
    layer = network.check_edge(edge)
    scale, shift, out = edge_units(network, edge)
    low, high = float(layer.low[edge.source]), float(layer.high[edge.source])
    coefficients = layer.coefficients[edge.target, edge.source].detach().double().tolist()
    weight = float(layer.base_weights[edge.target, edge.source].detach())
    inner = x if (scale, shift) == (1.0, 0.0) else f"({x} - {shift!r}) / {scale!r}"
    call = f"spline({inner}, {low!r}, {high!r}, {network.spec.order}, {coefficients!r}, {weight!r})"
    return call if out == 1.0 else f"{out!r} * {call}"


def _within(argument: str, function: SymbolicFunction, module: str) -> str:
    """Return the argument held within the function's domain, as the network holds it."""
    low, high = (None if math.isinf(end) else end for end in (function.low, function.high))
    if low is None and high is None:
        return argument
    clip = "clip" if module == "np" else "clamp"
    return f"{module}.{clip}({argument}, {low!r}, {high!r})"
