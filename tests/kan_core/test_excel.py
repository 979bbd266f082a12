"""Spreadsheet formulas, evaluated by a spreadsheet's rules."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from kan_core import EdgeId, network_formula
from kan_core.errors import ExportError
from kan_core.excel import column_letters, excel_formulas
from kan_core.symbolic import FUNCTIONS
from tests.kan_core.networks_for_tests import (
    AWKWARD_NAMES,
    assert_equal_to,
    random_law,
    random_network,
    shifted_dataset,
    within_domain,
)

DATA = shifted_dataset()
INPUTS = DATA.test_inputs[:5]
NAMES = st.lists(st.sampled_from(AWKWARD_NAMES), min_size=2, max_size=2, unique=True)


def calculate(formula: str, cells: dict[str, float]) -> float:
    """Return the value that a spreadsheet program shows for a formula."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import formulas

        compiled: Any = formulas.Parser().ast(formula)[1].compile()
        return float(np.asarray(compiled(*(cells[name] for name in compiled.inputs)), dtype=float).ravel()[0])


@pytest.mark.slow
@settings(max_examples=15)
@given(seed=st.integers(0, 10_000), names=NAMES)
def test_a_spreadsheet_computes_what_the_network_computes(seed: int, names: list[str]) -> None:
    network = random_law(seed, data=DATA)
    (text,) = excel_formulas(network_formula(network, input_names=names).expressions, input_names=names)
    assert_equal_to(network, INPUTS, [calculate(text, {"A2": row[0], "B2": row[1]}) for row in INPUTS.tolist()])


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_has_a_name_in_a_spreadsheet(function: str) -> None:
    network = random_network(7, data=DATA, closed=True, functions=("x",))
    network = within_domain(
        network, EdgeId(layer=0, source=0, target=0), function, DATA.train_inputs, np.random.default_rng(0)
    )
    (text,) = excel_formulas(network_formula(network).expressions, input_names=["x1", "x2"], cells=["$C$7", "D9"])
    values = [calculate(text, {"C7": row[0], "D9": row[1]}) for row in INPUTS.tolist()]
    assert_equal_to(network, INPUTS, values)


@pytest.mark.parametrize(
    "expression",
    ["-x**2", "(-x)**3", "2**(-x**2)", "x**(x**2)", "-(x**2)*y", "y - x**2", "-(x + y)**2", "y - x/(x*y)"],
)
def test_signs_and_powers_keep_their_order(expression: str) -> None:
    wanted: Any = sp.sympify(expression)
    (text,) = excel_formulas([wanted], input_names=["x", "y"])
    expected = float(wanted.subs({"x": 1.7, "y": 0.6}))
    assert calculate(text, {"A2": 1.7, "B2": 0.6}) == pytest.approx(expected, rel=1e-12)


def test_columns_are_counted_as_spreadsheets_do() -> None:
    assert [column_letters(index) for index in (0, 25, 26, 51, 52, 701, 702)] == [
        *("A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"),
    ]


def test_what_a_cell_cannot_hold_is_refused() -> None:
    x = sp.Symbol("x")
    curve: Any = sp.Function("phi_0_0_0")
    with pytest.raises(ExportError, match="a spreadsheet's formula has no curves, received 1 of them, phi_0_0_0"):
        excel_formulas([curve(x) + 1], input_names=["x"])
    with pytest.raises(ExportError, match="a spreadsheet's cell holds 8192 characters, received a formula of"):
        excel_formulas([sp.Add(*[sp.Float(k) * sp.sin(k * x) for k in range(1, 1000)])], input_names=["x"])
    with pytest.raises(ExportError, match="a formula for Excel uses functions that it has, received 'gamma'"):
        excel_formulas([sp.gamma(x)], input_names=["x"])
    with pytest.raises(ExportError, match="cells has a cell for each of 1 inputs"):
        excel_formulas([x], input_names=["x"], cells=["A1", "B1"])
