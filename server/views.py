"""A network as the messages that show it."""

from __future__ import annotations

import math

import sympy as sp

from kan_core import KAN, EdgeId, edge_family, network_formula
from kan_core.bases import parts_of
from kan_core.export import numpy_source, sympy_source
from kan_core.formula_display import DisplayFormula, display_formula, edge_label
from kan_core.layer import KANLayer
from kan_core.mathml import presentation
from kan_core.memory import training_bytes
from kan_core.pruning import connected_edges
from kan_core.symbolic import Library
from kan_core.symbolic.edges import edge_form, off_domain_edges
from kan_core.torch_source import pytorch_source
from server.messages import (
    EdgeInfo,
    EdgeKind,
    EdgeRef,
    Formula,
    FormulaUnits,
    NetworkSettings,
    OwnFunction,
    Structure,
    SymbolicForm,
)
from server.session_data import SessionData

MAX_PATHS = 80
MAX_CHECKED_SAMPLES = 1000


def edge_ref(edge: EdgeId) -> EdgeRef:
    """Return the edge as messages name it."""
    return EdgeRef(layer=edge.layer, source=edge.source, target=edge.target)


def edge_kind(network: KAN, edge: EdgeId) -> EdgeKind:
    """Return what the edge is."""
    kind = network.kind(edge)
    if kind == "pruned":
        return "pruned"
    return "symbolic" if kind == "symbolic" else "spline"


def symbolic_form(network: KAN, edge: EdgeId) -> SymbolicForm | None:
    """Return a symbolic edge's function and constants in the units of its curve, None for another kind."""
    if network.kind(edge) != "symbolic":
        return None
    function, a, b, c, d = edge_form(network, edge)
    return SymbolicForm(function=function, a=a, b=b, c=c, d=d)


def network_settings(network: KAN) -> NetworkSettings:
    """Return the settings that a network of this shape has."""
    spec = network.spec
    return NetworkSettings.model_validate(
        {
            "widths": list(spec.widths),
            "products": list(spec.products),
            "basis": spec.basis,
            "grid_size": spec.grid_size,
            "order": spec.order,
            "knots": spec.knots,
            "alpha": spec.alpha,
            "beta": spec.beta,
            "base": spec.base,
            "initialization": spec.initialization,
        }
    )


def structure(network: KAN, data: SessionData, *, revision: int, seed: int, optimizer: str) -> Structure:
    """Return the network's shape and what every edge is, and the memory that training it by `optimizer` takes."""
    return Structure(
        revision=revision,
        network=network_settings(network),
        seed=seed,
        input_names=data.info.input_names,
        output_names=data.info.output_names,
        edges=[_edge_info(network, edge, data) for edge in network.edges()],
        num_parameters=network.num_parameters,
        num_bytes=training_bytes(network, data.dataset, optimizer=optimizer),
    )


def outline(network: KAN) -> tuple[object, ...]:
    """Return what `structure` tells of a network but for the constants of its formulas, to be compared cheaply."""
    return network.spec, *(_layer_outline(layer) for layer in network.layers)


def _layer_outline(layer: KANLayer) -> tuple[object, ...]:
    masks = (layer.family, layer.symbolic, layer.pruned, layer.locked)
    return (
        *((part.name, part.num_functions) for part in parts_of(layer.bases[0])),
        *(mask.numpy().tobytes() for mask in masks),
        *((place, function.name) for place, function in sorted(layer.functions.items())),
    )


def _edge_info(network: KAN, edge: EdgeId, data: SessionData) -> EdgeInfo:
    kind = edge_kind(network, edge)
    form = symbolic_form(network, edge)
    label = label_mathml = None
    if form is not None:
        name = data.info.input_names[edge.source] if edge.layer == 0 else "x"
        label, label_mathml = edge_label(network, edge, name)
    return EdgeInfo(
        layer=edge.layer,
        source=edge.source,
        target=edge.target,
        kind=kind,
        basis=edge_family(network, edge),
        form=form,
        locked=bool(network.check_edge(edge).locked[edge.target, edge.source]),
        label=label,
        label_mathml=label_mathml,
    )


def count_paths(network: KAN) -> int:
    """Return over how many paths of live edges the inputs reach the outputs: what a written formula grows with."""
    counts = [1] * network.widths[0]
    live = connected_edges(network)
    for index, layer in enumerate(network.layers):
        rows = [0] * layer.num_targets
        for edge in live:
            if edge.layer == index:
                rows[edge.target] += counts[edge.source]
        counts = [math.prod(rows[row] for row in layer.rows_of(node)) for node in range(layer.num_nodes)]
    return sum(counts)


def formula(network: KAN, data: SessionData) -> Formula:
    """Return the network as a formula for reading and for copying, in original units.

    Written out, a formula grows with the number of paths; beyond 80 of them one sentence says so instead.
    """
    names = data.info.input_names
    num_curves = sum(network.kind(edge) == "spline" for edge in network.edges())
    paths = count_paths(network)
    mathml, text, latex, full = _unwritten(paths) if paths > MAX_PATHS else _written(network, data)
    outside = off_domain_edges(network, data.dataset.train_inputs[:MAX_CHECKED_SAMPLES])
    return Formula(
        mathml=mathml,
        text=text,
        latex=latex,
        sympy=full,
        numpy=numpy_source(network, input_names=names),
        pytorch=pytorch_source(network, input_names=names),
        is_closed_form=num_curves == 0,
        num_curves=num_curves,
        caution=_caution(outside) if outside else None,
    )


def _caution(outside: list[EdgeId]) -> str:
    edges = "edge " + str(outside[0]) if len(outside) == 1 else "edges " + ", ".join(map(str, outside))
    return f"On some of the data the function of {edges} has no value there: the network takes the nearest it has."


def _written(network: KAN, data: SessionData) -> tuple[str, str, str, str]:
    """Return MathML, text and LaTeX for reading, and SymPy with all constants known exactly or in full."""
    shown, full = written_formula(network, data)
    names = data.info.input_names
    return shown.mathml, shown.text, shown.latex, sympy_source(full, input_names=names)


def written_formula(
    network: KAN, data: SessionData, units: FormulaUnits = "original"
) -> tuple[DisplayFormula, list[sp.Expr]]:
    """Return the formula for reading, and its expressions with all constants known exactly or in full."""
    names, outputs = data.info.input_names, data.info.output_names
    is_logit = data.info.task == "classification"
    inputs = data.dataset.train_inputs[:MAX_CHECKED_SAMPLES]
    shown = display_formula(network, inputs, input_names=names, output_names=outputs, logit=is_logit, units=units)
    exact = network_formula(network, input_names=names, output_names=outputs, units=units).expressions
    full = [
        precise if readable.has(sp.Float) else readable
        for readable, precise in zip(shown.expressions, exact, strict=True)
    ]
    return shown, full


def unwritten_sentence(network: KAN) -> str | None:
    """Return why the network is not written as a formula, None when it is."""
    paths = count_paths(network)
    return _unwritten(paths)[1] if paths > MAX_PATHS else None


def _unwritten(paths: int) -> tuple[str, str, str, str]:
    text = f"A sum over {paths} paths of curves: cut edges until at most {MAX_PATHS} are left to read it as a formula."
    return "", text, rf"\text{{{text}}}", f"# {text}"


def own_functions(library: Library) -> list[OwnFunction]:
    """Return the functions that were added to a library, each as it reads."""
    x = sp.Symbol("x")
    return [
        OwnFunction(
            name=function.name,
            expression=function.expression,
            mathml=f"<math>{presentation(function.sympy_value(x))}</math>",
            complexity=function.complexity,
        )
        for function in library.own
    ]
