"""A function of which no more than a line or a parabola is used does not come before these."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.interpolate import BSpline

from kan_core.bases.basis import FloatArray
from kan_core.symbolic import FUNCTIONS, rank_candidates
from kan_core.symbolic.fine_tuning import FREE, ROUNDING, fine_tuning, parabola_basis

ORDER = 3
T = np.linspace(-1.0, 1.0, 64)


def fitted_curve(values: FloatArray, t: FloatArray, *, grid_size: int, at: FloatArray) -> FloatArray:
    """Return at points `at` (P,) the cubic spline of `grid_size` intervals on [-1, 1] that fits values (B,) at t."""
    width = 2.0 / grid_size
    knots = -1.0 + width * np.arange(-ORDER, grid_size + ORDER + 1)
    design = BSpline.design_matrix(t, knots, ORDER).toarray()
    normal = design.T @ design + 1e-9 * np.eye(design.shape[1])
    spline = BSpline(knots, np.linalg.solve(normal, design.T @ values), ORDER)
    return np.asarray(spline(at))


def first_of(power: int, noise: float, seed: int) -> str:
    """Return the function that comes first for a spline fitted to noisy samples of a line or parabola, in any units."""
    generator = np.random.default_rng([seed, power])
    grid_size = int(generator.choice([3, 5, 8, 12, 20, 40]))
    t = generator.uniform(-1.0, 1.0, max(int(generator.choice([200, 500, 1000, 3000])), 25 * grid_size))
    values = (t - generator.uniform(-1.0, 1.0)) ** power
    values = values + noise * values.std() * generator.normal(size=len(t))
    # points as a person sees them, or half of them as the samples lie
    at = T if seed % 2 else np.unique(np.concatenate([T, np.quantile(t, np.linspace(0.0, 1.0, 64))]))
    curve = fitted_curve(values, t, grid_size=grid_size, at=at)
    scales, shifts = 10.0 ** generator.uniform(-4, 4, 2), 10.0 ** generator.uniform(-4, 4, 2)
    ranked = rank_candidates(scales[0] * (at + shifts[0]), scales[1] * (shifts[1] - curve))
    return ranked[0].function


@pytest.mark.slow
@pytest.mark.parametrize(("power", "noise"), [(1, 0.0), (1, 1e-4), (1, 0.01), (1, 0.2), (2, 0.0), (2, 0.02)])
def test_lines_and_parabolas_come_first(power: int, noise: float) -> None:
    first = [first_of(power, noise, seed) for seed in range(100)]
    assert first.count({1: "x", 2: "x^2"}[power]) >= 99, {name: first.count(name) for name in first}


@pytest.mark.parametrize("noise", [0.0, 0.01, 0.1])
def test_a_line_comes_first_for_a_few(noise: float) -> None:
    assert [first_of(1, noise, seed) for seed in range(1000, 1006)] == ["x"] * 6


@pytest.mark.parametrize("noise", [1e-6, 1e-3])
def test_a_cubic_wiggle_makes_a_line_no_other_function(noise: float) -> None:
    # it is what an odd function leaves beside its inflection, and few turns say little about it
    wiggle = T**3 - 0.6 * T + 0.05 * np.sin(6.0 * T)
    assert rank_candidates(T, T + noise * wiggle)[0].function == "x"
    assert rank_candidates(T, T**2 + noise * wiggle)[0].function == "x^2"


@pytest.mark.parametrize(("name", "extent"), [("sin", 0.2), ("tanh", 0.1), ("exp", 0.1), ("cos", 0.3)])
def test_a_short_stretch_of_a_function_is_known_where_the_data_show_it(name: str, extent: float) -> None:
    assert rank_candidates(T, FUNCTIONS[name].numpy_value(extent * (T + 1.2)))[0].function == name


@pytest.mark.parametrize(
    ("name", "middle", "power"), [("exp", 0.3, 1.0), ("sin", 1.0, 1.0), ("sin", 0.0, 2.0), ("cos", 0.0, 2.0)]
)
def test_bits_grow_as_the_stretch_gets_short(name: str, middle: float, power: float) -> None:
    basis = parabola_basis(T)
    function = FUNCTIONS[name]
    bits = [fine_tuning(function, function.numpy_value(middle + h * T), basis) for h in (0.08, 0.04, 0.02)]
    # a bit for every halving, and another where the stretch has to lie at a certain place
    assert np.diff(bits) == pytest.approx([power, power], abs=0.05)


def test_lines_and_whole_features_take_no_more_bits() -> None:
    basis = parabola_basis(T)
    assert fine_tuning(FUNCTIONS["x"], T + 1e6, basis) == 0.0
    assert fine_tuning(FUNCTIONS["x^2"], T**2, basis) < 1.1
    assert fine_tuning(FUNCTIONS["sin"], np.sin(9.0 * T), basis) < 0.2
    assert fine_tuning(FUNCTIONS["sin"], np.zeros(64), basis) == 0.0
    assert fine_tuning(FUNCTIONS["exp"], np.full(64, np.inf), basis) == 0.0


def test_a_parabola_far_from_its_vertex_takes_bits_as_a_line_does_not() -> None:
    bits = fine_tuning(FUNCTIONS["x^2"], (T + 100.0) ** 2, parabola_basis(T))
    # beside a line of slope 200 there is T²
    assert bits == pytest.approx(math.log2(200.0 * T.std() / (T**2).std()) - FREE, abs=0.01)
    assert fine_tuning(FUNCTIONS["x^2"], (T + 1e9) ** 2, parabola_basis(T)) < -0.5 * math.log2(ROUNDING) + 8
