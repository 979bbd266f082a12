"""Elementary functions of the compiled loops against those in longer numbers."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from kan_core.bases.basis import FloatArray
from kan_core.bases.vector_math import cos_quarter, exp, sin_quarter


@njit(cache=True, fastmath={"contract"})
def exps(x: FloatArray) -> FloatArray:
    """Return exp of each number."""
    found = np.empty_like(x)
    for n in range(x.size):
        found[n] = exp(x[n])
    return found


@njit(cache=True)
def waves(u: FloatArray) -> FloatArray:
    """Return cos and sin of π u / 2 of each number."""
    found = np.empty((2, u.size))
    for n in range(u.size):
        found[0, n], found[1, n] = cos_quarter(u[n]), sin_quarter(u[n])
    return found


@pytest.mark.parametrize(("dtype", "low", "high"), [(np.float32, -87, 88), (np.float64, -708, 709)])
def test_exp_is_within_two_units_in_the_last_place(dtype: type[np.floating], low: float, high: float) -> None:
    x = np.concatenate([np.linspace(low, high, 20_001), np.linspace(-1.0, 1.0, 5_001)]).astype(dtype)
    exact = np.exp(x.astype(np.longdouble))
    units = np.abs(exps(x) - exact) / np.spacing(exact.astype(dtype))
    assert float(units.max()) <= 2.0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_exp_keeps_nan_and_stays_finite_beyond_its_range(dtype: type[np.floating]) -> None:
    # as many as make a whole vector, and some more
    x = np.array([np.nan, -1e30, -np.inf, 1e30, np.inf, 0.0] * 7, dtype=dtype)
    found = exps(x).reshape(7, 6)
    np.testing.assert_array_equal(found, np.broadcast_to(found[0], found.shape))
    assert np.isnan(found[0, 0])
    assert (found[0, 1:3] < 1e-37).all()
    assert (found[0, 3:5] > 1e37).all()
    assert np.isfinite(found[0, 1:]).all()
    assert found[0, 5] == 1.0


def test_exp_outside_compiled_code_is_numpys() -> None:
    assert exp(1.0) == np.exp(1.0)


def test_waves_of_a_quarter_turn_are_exact_to_a_few_units() -> None:
    u = np.linspace(-1.0, 1.0, 10_001)
    angles = u.astype(np.longdouble) * (np.longdouble("3.14159265358979323846264338327950288") / 2)
    np.testing.assert_allclose(waves(u)[0], np.cos(angles).astype(np.float64), rtol=0, atol=5e-16)
    np.testing.assert_allclose(waves(u)[1], np.sin(angles).astype(np.float64), rtol=0, atol=5e-16)
    assert np.isnan(waves(np.array([np.nan]))).all()
