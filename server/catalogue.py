"""What sessions can be made of: ready problems, functions for edges, families of basis functions, bounds."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import sympy as sp

from kan_core.bases import BASES, BSplineBasis, has_order, make_basis
from kan_core.expressions import parse_expression
from kan_core.mathml import presentation
from kan_core.problems import CATALOGUE, Problem
from kan_core.symbolic import FUNCTIONS
from kan_core.tables import MAX_BYTES, MAX_COLUMNS, MAX_ROWS
from server.messages import MAX_EDGES, MAX_LAYERS, MAX_SAMPLES, MAX_UNITS, MAX_WEIGHTS, MAX_WIDTH, ActivationName
from server.refining import takes_any_size
from server.rest import (
    CatalogueActivation,
    CatalogueBasis,
    CatalogueFunction,
    CatalogueInfo,
    CatalogueProblem,
    Limits,
)

ACTIVATION_TITLES: Mapping[ActivationName, str] = MappingProxyType(
    {
        "relu": "ReLU",
        "leaky_relu": "LeakyReLU",
        "gelu": "GELU",
        "silu": "SiLU",
        "tanh": "tanh",
        "sigmoid": "sigmoid",
    }
)


def build_catalogue() -> CatalogueInfo:
    """Return everything that menus are filled from."""
    x = sp.Symbol("x")
    return CatalogueInfo(
        problems=[_describe_problem(problem) for problem in CATALOGUE.values()],
        functions=[
            CatalogueFunction(
                name=name,
                mathml=f"<math>{presentation(function.sympy_value(x))}</math>",
                complexity=function.complexity,
            )
            for name, function in FUNCTIONS.items()
        ],
        bases=[_describe_basis(name) for name in BASES],
        activations=[CatalogueActivation(name=name, title=title) for name, title in ACTIVATION_TITLES.items()],
        limits=Limits(
            max_width=MAX_WIDTH,
            max_layers=MAX_LAYERS,
            max_edges=MAX_EDGES,
            max_units=MAX_UNITS,
            max_weights=MAX_WEIGHTS,
            max_samples=MAX_SAMPLES,
            max_csv_bytes=MAX_BYTES,
            max_csv_rows=MAX_ROWS,
            max_csv_columns=MAX_COLUMNS,
        ),
    )


def _describe_problem(problem: Problem) -> CatalogueProblem:
    names = list(problem.ranges)
    truth = None if problem.expression is None else parse_expression(problem.expression, names)
    return CatalogueProblem(
        name=problem.name,
        title=problem.title,
        description=problem.description,
        truth=None if truth is None else truth.text,
        truth_mathml=None if truth is None else f"<math>{truth.mathml}</math>",
        widths=[len(names), *problem.hidden, 1],
        task="regression" if problem.points is None else "classification",
        input_names=names,
    )


def _describe_basis(name: str) -> CatalogueBasis:
    basis = make_basis(name)
    settings = basis.settings()
    return CatalogueBasis(
        name=name,
        title=basis.title,
        sentence=basis.describe(),
        size_word=basis.size_word,
        has_order=has_order(name),
        has_knots=isinstance(basis, BSplineBasis),
        has_exponents="alpha" in settings,
        takes_any_size=takes_any_size(basis),
    )
