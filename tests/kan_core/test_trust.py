"""What is said of a formula is true of it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import sympy as sp
import torch
from hypothesis import given
from hypothesis import strategies as st

from kan_core import KAN, Candidate, Dataset, EdgeId, NetworkSpec, fit_normalization, fit_ranges, fix_symbolic
from kan_core.errors import ExportError
from kan_core.singularities import singular_places
from kan_core.symbolic import FUNCTIONS
from kan_core.trust import deviation, formula_report
from tests.kan_core.networks_for_tests import random_network, shifted_dataset, values_of
from tests.kan_core.problems_for_tests import moons_dataset

DATA = shifted_dataset()


def edge(layer: int, source: int, target: int) -> EdgeId:
    return EdgeId(layer=layer, source=source, target=target)


def one_layer(function: str, a: float, b: float, *, data: Dataset = DATA) -> KAN:
    """Return a [2, 1] network of c·f(a·x1 + b) + x2."""
    spec = NetworkSpec(widths=(2, 1))
    network = fit_normalization(KAN(spec, dtype=torch.float64), data)
    network = fit_ranges(network, data.train_inputs)
    made = Candidate(function=function, a=a, b=b, c=1.0, d=0.0, r2=1.0, complexity=1, score=0.0)
    network = fix_symbolic(network, edge(0, 0, 0), made)
    return fix_symbolic(network, edge(0, 1, 0), replace(made, function="x", a=1.0, b=0.0))


@pytest.mark.slow
@given(seed=st.integers(0, 10_000))
def test_exact_formulas_are_at_the_network_and_tame_ones_have_no_singularity_on_the_data(seed: int) -> None:
    network = random_network(seed, data=DATA)
    report = formula_report(network, DATA)
    scale = max(1.0, float(np.abs(values_of(network, DATA.train_inputs)).max()))
    assert report.against_network.maximum <= 1e-9 * scale
    assert report.against_network_held_out.rmse <= 1e-9 * scale
    assert (report.against_network.num_rows, report.against_network.num_undefined) == (60, 0)
    expected = values_of(network, DATA.test_inputs) - DATA.test_targets[:, 0].numpy()
    assert report.held_out.rmse == pytest.approx(float(np.sqrt((expected**2).mean())), rel=1e-6)
    assert report.held_out.maximum == pytest.approx(float(np.abs(expected).max()), rel=1e-6)
    assert not any(one.is_inside for one in report.singularities)
    assert report.num_curves == sum(network.kind(one) == "spline" for one in network.edges())


def test_rounded_constants_show_as_an_error_against_the_network() -> None:
    network = one_layer("x", 1.0, 0.0)
    x1, x2 = sp.symbols("x1 x2")
    exact = formula_report(network, DATA)
    rounded: Any = exact.num_curves + x1 + x2 + float(network.output_shift[0]) + sp.Rational(1, 100)
    assert formula_report(network, DATA, expressions=[rounded]).against_network.maximum == pytest.approx(0.01, abs=1e-9)
    with pytest.raises(ExportError, match="expressions has one for each of 1 outputs, received 2"):
        formula_report(network, DATA, expressions=[rounded, rounded])


def test_a_pole_on_the_data_is_named_with_its_input() -> None:
    middle = float(DATA.train_inputs[:, 0].mean())
    report = formula_report(one_layer("1/x", 2.0, -2.0 * middle), DATA)
    (found,) = report.singularities
    assert (found.edge, found.input_name, found.function) == (edge(0, 0, 0), "x1", "1/x")
    assert (found.is_pole, found.is_inside) == (True, True)
    assert found.low == found.high == pytest.approx(middle, abs=1e-9)
    assert (found.data_low, found.data_high) == pytest.approx(
        (float(DATA.train_inputs[:, 0].min()), float(DATA.train_inputs[:, 0].max()))
    )


def test_where_a_formula_has_no_value_rows_are_counted_and_the_interval_is_given() -> None:
    middle = float(DATA.train_inputs[:, 0].mean())
    report = formula_report(one_layer("sqrt", 1.0, -middle), DATA)
    (found,) = report.singularities
    assert (found.is_pole, found.is_inside) == (False, True)
    assert found.high == pytest.approx(middle, abs=1e-9)
    below = int((DATA.train_inputs[:, 0] < middle).sum())
    assert report.against_network.num_undefined == below
    assert math.isfinite(report.against_network.rmse)


def test_what_is_near_and_what_is_far() -> None:
    low, high = (float(f(DATA.train_inputs[:, 0])) for f in (torch.min, torch.max))
    width = high - low
    near = formula_report(one_layer("1/x", 1.0, -(high + 0.2 * width)), DATA).singularities
    far = formula_report(one_layer("1/x", 1.0, -(high + 0.3 * width)), DATA).singularities
    assert [one.is_inside for one in near] == [False]
    assert far == ()


def test_ranges_and_rows_outside_them() -> None:
    wide = Dataset(
        train_inputs=DATA.train_inputs,
        train_targets=DATA.train_targets,
        test_inputs=torch.cat([DATA.test_inputs, 10.0 * DATA.test_inputs[:3]]),
        test_targets=torch.cat([DATA.test_targets, DATA.test_targets[:3]]),
        input_names=("α", "sin"),
    )
    first, second = formula_report(one_layer("x", 1.0, 0.0), wide).ranges
    assert (first.name, second.name) == ("α", "sin")
    assert (first.low, first.high) == (float(DATA.train_inputs[:, 0].min()), float(DATA.train_inputs[:, 0].max()))
    strays = (DATA.test_inputs[:, 1] < second.low) | (DATA.test_inputs[:, 1] > second.high)
    assert second.num_outside == 3 + int(strays.sum())


def test_classes_are_judged_by_probabilities() -> None:
    data = moons_dataset()
    report = formula_report(one_layer("x", 1.0, 0.0, data=data), data)
    assert 0.0 < report.held_out.maximum <= 1.0


@pytest.mark.parametrize(
    ("function", "low", "high", "expected"),
    [
        ("1/x", -1.0, 1.0, [(0.0, 0.0)]),
        ("1/x^2", -1.0, 1.0, [(0.0, 0.0)]),
        ("1/x^4", -0.9, 1.3, [(0.0, 0.0)]),
        ("log", 0.0, 1.0, [(-0.25, 0.0)]),
        ("sqrt", -1.0, 1.0, [(-1.5, 0.0)]),
        ("1/sqrt", 0.0, 4.0, [(-1.0, 0.0)]),
        ("x^1.5", 1.0, 2.0, []),
        ("tan", 0.0, 4.0, [(math.pi / 2, math.pi / 2), (3 * math.pi / 2, 3 * math.pi / 2)]),
        ("arcsin", 0.0, 2.0, [(1.0, 2.5)]),
        ("arctanh", -0.9, 0.9, [(-1.35, -1.0), (1.0, 1.35)]),
        ("lorentzian", -5.0, 5.0, []),
        ("sigmoid", -5.0, 5.0, []),
        ("gaussian", -5.0, 5.0, []),
        ("exp", -5.0, 5.0, []),
    ],
)
def test_singular_places_of_library_functions(
    function: str, low: float, high: float, expected: list[tuple[float, float]]
) -> None:
    # the argument is x - 3
    found = singular_places(FUNCTIONS[function].sympy_value, 1.0, -3.0, low + 3.0, high + 3.0)
    np.testing.assert_allclose(np.reshape(found, (-1, 2)), np.reshape(expected, (-1, 2)) + 3.0, atol=1e-6)


def test_singular_places_of_functions_of_ones_own() -> None:
    found = singular_places(lambda t: 1 / (t**2 - 2) + sp.log(t + 1), 1.0, 0.0, -1.0, 2.0)
    np.testing.assert_allclose(found, [(-1.75, -1.0), (math.sqrt(2), math.sqrt(2))], atol=1e-9)


def test_nothing_to_compare_is_no_number() -> None:
    nothing = deviation(np.full((3, 1), np.nan), np.zeros((3, 1)))
    assert math.isnan(nothing.rmse)
    assert nothing.num_undefined == 3
