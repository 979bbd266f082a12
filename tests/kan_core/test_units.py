"""Formulas in the data's own units and without any."""

from __future__ import annotations

from typing import Any

import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from kan_core import EdgeId, fix_symbolic, network_formula
from kan_core.errors import ExportError
from kan_core.formula_display import curve_values, display_formula, evaluate
from kan_core.symbolic import Candidate
from tests.kan_core.networks_for_tests import AWKWARD_NAMES, assert_equal_to, random_network, shifted_dataset

DATA = shifted_dataset()
INPUTS = DATA.test_inputs
COLUMNS = list(INPUTS.numpy().T)
NAMES = st.lists(st.sampled_from(AWKWARD_NAMES), min_size=2, max_size=2, unique=True)


@given(seed=st.integers(0, 10_000), names=NAMES)
def test_scaled_formulas_and_their_definitions_are_the_network(seed: int, names: list[str]) -> None:
    network = random_network(seed, data=DATA)
    formula = network_formula(network, input_names=names, output_names=["out"], units="scaled")
    assert set(formula.input_names).isdisjoint(names)
    originals = [sp.Symbol(name) for name in names]
    scaled = [evaluate(one, originals, COLUMNS, {}) for one in formula.input_definitions]
    variables = [sp.Symbol(name) for name in formula.input_names]
    result = evaluate(formula.expression, variables, scaled, curve_values(network, units="scaled"))
    (output,) = formula.output_definitions
    assert_equal_to(network, INPUTS, evaluate(output, [sp.Symbol(formula.output_names[0])], [result], {}))


def test_units_by_hand() -> None:
    network = random_network(0, data=DATA, closed=True)
    edge = EdgeId(layer=0, source=0, target=0)
    network = fix_symbolic(
        network, edge, Candidate(function="sin", a=2.0, b=0.5, c=1.0, d=0.0, r2=1.0, complexity=1, score=0.0)
    )
    scale, shift = float(network.input_scale[0]), float(network.input_shift[0])
    wave = sp.Wild("w")
    arguments = []
    for units in ("original", "scaled"):
        expression: Any = network_formula(network, units=units).expression
        name = "x1" if units == "original" else "x1_scaled"
        sines = [one for one in expression.find(sp.sin(wave)) if one.free_symbols == {sp.Symbol(name)}]
        arguments.append([float(one.args[0].coeff(sp.Symbol(name))) for one in sines])
    assert 2.0 in [pytest.approx(value, rel=1e-12) for value in arguments[0]]
    assert 2.0 * scale in [pytest.approx(value, rel=1e-12) for value in arguments[1]]
    assert (scale, shift) != (1.0, 0.0)


def test_the_readable_formula_says_what_its_variables_are() -> None:
    network = random_network(1, data=DATA, closed=True, functions=("x",))
    shown = display_formula(network, INPUTS, input_names=["x", "time"], output_names=["f"], units="scaled")
    first, *definitions = shown.text.splitlines()
    assert first.startswith("f_scaled = ")
    assert [line.split(" = ")[0] for line in definitions] == ["x_scaled", "time_scaled", "f"]
    assert r"\mathrm{time\_scaled} = " in shown.latex
    assert "<mi>x_scaled</mi>" in shown.mathml


def test_other_units_are_refused() -> None:
    with pytest.raises(ExportError, match="units are original or scaled, received units='SI'"):
        network_formula(random_network(0, data=DATA), units="SI")
