"""Waves of any frequency that the points show are found."""

from __future__ import annotations

import math

import numpy as np
import pytest

from kan_core.bases.basis import FloatArray
from kan_core.symbolic import rank_candidates
from kan_core.symbolic.affine_fit import scaled_curve
from kan_core.symbolic.periodogram import FASTEST, MOST_RATES, STEP, wave_starts


def places(num_points: int, kind: str) -> FloatArray:
    """Return points within [-1, 1], (P,): even ones, drawn ones, or half of each."""
    generator = np.random.default_rng(num_points)
    drawn = np.sort(generator.uniform(-1.0, 1.0, num_points))
    if kind == "drawn":
        return drawn
    even = np.linspace(-1.0, 1.0, num_points)
    return even if kind == "even" else np.sort(np.concatenate([even[::2], drawn[::2]]))


@pytest.mark.parametrize("kind", ["even", "drawn", "mixed"])
@pytest.mark.parametrize("num_points", [64, 256])
def test_waves_up_to_half_the_fastest_come_first(kind: str, num_points: int) -> None:
    x = places(num_points, kind)
    for rate in np.linspace(1.0, math.pi / 4 * (num_points - 1), 6):
        best = rank_candidates(x, 2.0 * np.sin(rate * x + 1.1 * rate) - 3.0)[0]
        assert best.function in ("sin", "cos")
        assert best.unexplained < 1e-12
        assert best.a == pytest.approx(rate)


@pytest.mark.parametrize("noise", [0.01, 0.3])
def test_a_fast_wave_is_found_in_noise_and_in_other_units(noise: float) -> None:
    t = places(128, "mixed")
    wave = np.sin(70.0 * t + 2.0) + noise * np.random.default_rng(1).normal(size=128)
    best = rank_candidates(1e3 * t - 5e3, 1e-4 * wave)[0]
    assert best.function in ("sin", "cos")
    assert best.a == pytest.approx(0.07, rel=2e-3)
    assert abs(best.c) == pytest.approx(1e-4, rel=0.2)


def test_starts_have_the_rates_and_phases_of_the_waves_in_a_curve() -> None:
    t = places(200, "drawn")
    curve = scaled_curve(t, np.sin(31.0 * t + 0.4) + 0.5 * np.sin(90.0 * t - 2.0))
    assert curve is not None
    starts = wave_starts(curve.points)
    sines = starts[: len(starts) // 2]
    stretch = (t.max() - t.min()) / 2
    assert sines[0, 0] == pytest.approx(31.0 * stretch, abs=STEP)
    assert sines[1, 0] == pytest.approx(90.0 * stretch, abs=STEP)
    assert sines[0, 1] == pytest.approx(0.4 + 31.0 * curve.centre, abs=0.3)
    np.testing.assert_allclose(starts[len(sines) :, 1], sines[:, 1] - math.pi / 2)


def test_what_a_wave_leaves_is_least_squares() -> None:
    t = places(50, "drawn")
    curve = scaled_curve(t, np.exp(t))
    assert curve is not None
    t, z = curve.points
    rate, phase = wave_starts(curve.points)[0]
    design = np.stack([np.ones(50), np.cos(rate * t), np.sin(rate * t)])
    _, by_cos, by_sin = np.linalg.lstsq(design.T, z)[0]
    assert math.cos(phase - math.atan2(by_cos, by_sin)) == pytest.approx(1.0)


@pytest.mark.parametrize(("num_points", "most"), [(2, 2), (3, 5), (64, 188), (5000, MOST_RATES)])
def test_no_wave_is_faster_than_the_points_show(num_points: int, most: int) -> None:
    t = np.linspace(-1.0, 1.0, num_points)
    rates = wave_starts(np.stack([t, np.random.default_rng(0).normal(size=num_points)]))[:, 0]
    assert (rates <= min(STEP * most, FASTEST * math.pi / 2 * (num_points - 1))).all()
    assert len(rates) > 0
