"""What holds for every family of basis functions."""

from __future__ import annotations

import json
from typing import cast

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kan_core.bases import BASES, Basis, BSplineBasis, PiecewiseLinearBasis, make_basis
from kan_core.bases.basis import FloatArray, Setting
from kan_core.errors import SpecError
from tests.kan_core.bases.families_for_tests import compiled, families

POINTS = st.lists(st.one_of(st.floats(-1, 1), st.floats(-50, 50), st.sampled_from([-1.0, 1.0])), min_size=1, max_size=9)
# no knot or centre lies at one of these
BETWEEN = np.linspace(-0.999, 0.9987, 601)


def reference_slopes(basis: Basis, u: FloatArray) -> FloatArray:
    """Return the derivatives of the torch reference, (len(u), K)."""
    # one copy of the points for each function, whose sum has all derivatives as its gradient
    points = torch.from_numpy(u).repeat(basis.num_functions, 1).requires_grad_()
    total = basis.values(points).diagonal(dim1=0, dim2=2).sum()
    return torch.autograd.grad(total, points)[0].T.numpy()


@given(basis=families(), points=POINTS)
def test_compiled_values_are_the_reference_everywhere(basis: Basis, points: list[float]) -> None:
    u = np.array(points)
    expected = basis.values(torch.from_numpy(u)).numpy()
    assert expected.shape == (len(points), basis.num_functions)
    np.testing.assert_allclose(compiled(basis, u), expected, rtol=1e-10, atol=1e-12)


@given(basis=families(), points=POINTS)
def test_compiled_slopes_are_the_references_derivatives(basis: Basis, points: list[float]) -> None:
    u = np.array(points)
    np.testing.assert_allclose(compiled(basis, u, slopes=True), reference_slopes(basis, u), rtol=1e-9, atol=1e-10)


@given(basis=families())
def test_slopes_at_all_marked_points_take_the_references_side(basis: Basis) -> None:
    u = basis.grid(-1.0, 1.0)
    np.testing.assert_allclose(compiled(basis, u, slopes=True), reference_slopes(basis, u), rtol=1e-9, atol=1e-10)


@given(basis=families(40), shift=st.floats(-1e-3, 1e-3))
def test_in_float32_values_and_slopes_are_as_near_as_the_numbers_allow(basis: Basis, shift: float) -> None:
    u = (BETWEEN + shift)[::3].astype(np.float32)
    if isinstance(basis, BSplineBasis | PiecewiseLinearBasis):
        # rounding may put a point beside a jump on its other side
        knots = basis.grid(-1.0, 1.0)
        u = u[np.abs(u[:, None] - knots).min(axis=1) > 1e-5]
    exact, exact_slopes = compiled(basis, u.astype(np.float64)), compiled(basis, u.astype(np.float64), slopes=True)
    values, slopes = compiled(basis, u), compiled(basis, u, slopes=True)
    assert values.dtype == slopes.dtype == np.float32
    # a rounding of u moves values by the slope
    steepest = np.abs(exact_slopes).max(initial=1.0)
    np.testing.assert_allclose(values, exact, rtol=0, atol=1e-6 * steepest)
    np.testing.assert_allclose(slopes, exact_slopes, rtol=0, atol=2e-5 * steepest)


@given(basis=families(), sign=st.sampled_from([-1.0, 1.0]))
def test_outside_the_domain_functions_continue_linearly(basis: Basis, sign: float) -> None:
    u = sign * np.array([1.0, 1.5, 2.0, 4.0])
    for values in (compiled(basis, u), basis.values(torch.from_numpy(u)).numpy()):
        edge, near, mid, far = values
        np.testing.assert_allclose(mid - edge, 2.0 * (near - edge), rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(far - edge, 6.0 * (near - edge), rtol=1e-9, atol=1e-9)
    slopes = compiled(basis, u, slopes=True)
    np.testing.assert_array_equal(slopes, np.broadcast_to(slopes[0], slopes.shape))


@given(basis=families(), dtype=st.sampled_from([np.float32, np.float64]))
def test_nan_stays_nan_and_leaves_other_points_alone(basis: Basis, dtype: type[np.floating]) -> None:
    u = np.array([0.3, np.nan, -2.0, np.nan], dtype=dtype)
    for slopes in (False, True):
        found = compiled(basis, u, slopes=slopes)
        assert np.isnan(found[[1, 3]]).all()
        # as many points, since vector and scalar loops round differently
        others = compiled(basis, np.array([0.3, 0.0, -2.0, 0.0], dtype=dtype), slopes=slopes)
        np.testing.assert_array_equal(found[[0, 2]], others[[0, 2]])
    assert bool(torch.isnan(basis.values(torch.from_numpy(u))[[1, 3]]).all())


def test_no_points_are_no_columns() -> None:
    for name in BASES:
        assert compiled(make_basis(name), np.empty(0)).shape == (0, make_basis(name).num_functions)


@given(basis=families(12), multiple=st.integers(1, 3))
def test_a_whole_multiple_of_the_size_contains_the_old_functions(basis: Basis, multiple: int) -> None:
    finer = basis.resized(basis.grid_size * multiple)
    assert finer.grid_size == basis.grid_size * multiple
    old, new = (each.values(torch.from_numpy(BETWEEN)).numpy() for each in (basis, finer))
    coefficients = np.linalg.lstsq(new, old, rcond=None)[0]
    np.testing.assert_allclose(new @ coefficients, old, rtol=0, atol=1e-10)
    if multiple == 1:
        assert finer == basis


@given(basis=families(20), size=st.integers(1, 20))
def test_any_other_size_is_a_basis_of_the_same_family(basis: Basis, size: int) -> None:
    resized = basis.resized(size)
    assert (type(resized), resized.grid_size) == (type(basis), size)


@given(basis=families(30))
def test_constants_and_straight_lines_are_curves_of_every_family(basis: Basis) -> None:
    values = basis.values(torch.from_numpy(BETWEEN)).numpy()
    for target, met in ((np.ones_like(BETWEEN), True), (BETWEEN, basis.name != "fourier")):
        coefficients = np.linalg.lstsq(values, target, rcond=None)[0]
        if met and not (isinstance(basis, BSplineBasis) and basis.order == 0 and target is BETWEEN):
            np.testing.assert_allclose(values @ coefficients, target, rtol=0, atol=1e-10)


@pytest.mark.parametrize(("harmonics", "tolerance"), [(5, 3e-4), (10, 1e-7), (20, 1e-10)])
def test_half_periods_meet_a_straight_line_exponentially_fast(harmonics: int, tolerance: float) -> None:
    values = make_basis("fourier", grid_size=harmonics).values(torch.from_numpy(BETWEEN)).numpy()
    coefficients = np.linalg.lstsq(values, BETWEEN, rcond=None)[0]
    np.testing.assert_allclose(values @ coefficients, BETWEEN, rtol=0, atol=tolerance)


@given(basis=families())
def test_settings_make_the_basis_again_through_json(basis: Basis) -> None:
    settings = cast("dict[str, Setting]", json.loads(json.dumps(basis.settings())))
    again = make_basis(**settings)  # pyright: ignore[reportArgumentType] -- the name is a string
    assert again == basis
    assert hash(again) == hash(basis)


@given(basis=families(), num_sources=st.integers(1, 100))
def test_a_new_layer_has_a_positive_spread_for_every_coefficient(basis: Basis, num_sources: int) -> None:
    std = basis.initial_std(num_sources)
    assert std.shape == (basis.num_functions,)
    assert ((std > 0.0) & (std <= 1.0)).all()


@given(basis=families())
def test_marked_points_rise_from_end_to_end(basis: Basis) -> None:
    grid = basis.grid(-3.0, 5.0)
    np.testing.assert_allclose(grid[[0, -1]], [-3.0, 5.0])
    assert (np.diff(grid) > 0.0).all()


@pytest.mark.parametrize("name", BASES)
def test_every_family_says_what_it_is(name: str) -> None:
    basis = make_basis(name)
    assert basis.name == name
    assert basis.title
    assert basis.size_word in {"intervals", "degree", "harmonics"}
    assert basis.describe().count(".") == 1
    assert basis.describe().endswith(".")


@pytest.mark.parametrize("name", BASES)
def test_every_family_ignores_the_settings_of_others(name: str) -> None:
    basis = make_basis(name, grid_size=4, order=2, alpha=0.5, beta=1.0, breaks=[], coarser=[2])
    assert (basis.name, basis.grid_size) == (name, 4)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        *[(name, {"grid_size": 0}, r"grid_size is an integer from 1 to \d+, received grid_size=0") for name in BASES],
        ("bspline", {"grid_size": 1001}, "grid_size is an integer from 1 to 1000, received grid_size=1001"),
        ("bspline", {"order": 6}, "order is an integer from 0 to 5, received order=6: choose one in that range"),
        ("bspline", {"grid_size": 2, "breaks": [-1, 1, 1]}, r"breaks are grid_size \+ 1 = 3 rising numbers from -1 to"),
        ("bspline", {"grid_size": 2, "breaks": [-1, 1]}, r"received breaks=\(-1, 1\): leave them out for an even grid"),
        ("linear", {"grid_size": 1001}, "grid_size is an integer from 1 to 1000"),
        ("chebyshev", {"grid_size": 101}, "grid_size is an integer from 1 to 100"),
        ("jacobi", {"grid_size": 101}, "grid_size is an integer from 1 to 100"),
        ("jacobi", {"alpha": -1.0}, "alpha is a number above -1 to 10, received alpha=-1.0: choose one in that range"),
        ("jacobi", {"beta": 10.5}, "beta is a number above -1 to 10, received beta=10.5"),
        ("jacobi", {"beta": float("nan")}, "beta is a number above -1 to 10, received beta=nan"),
        ("fourier", {"grid_size": 101}, "grid_size is an integer from 1 to 100"),
        ("gaussian", {"grid_size": 1001}, "grid_size is an integer from 1 to 1000"),
        ("gaussian", {"grid_size": 6, "coarser": [4]}, r"divide each other and grid_size=6, received coarser=\(4,\)"),
        (
            "gaussian",
            {"grid_size": 6, "coarser": [6]},
            r"received coarser=\(6,\): leave them out for bumps of",
        ),
        ("gaussian", {"grid_size": 6, "coarser": [0]}, r"coarser are rising grid sizes"),
        ("mexican_hat", {"grid_size": 513}, "grid_size is an integer from 1 to 512"),
        ("relu", {"order": 0}, "order is an integer from 1 to 5, received order=0"),
        ("relu", {"grid_size": 8, "coarser": [2, 2]}, r"received coarser=\(2, 2\)"),
    ],
)
def test_settings_out_of_bounds_are_refused(name: str, arguments: dict[str, object], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        make_basis(name, **arguments)


def test_an_unknown_family_is_refused() -> None:
    message = "basis is one of bspline, linear, .*, relu, received basis='wavelet': choose one of these"
    with pytest.raises(SpecError, match=message):
        make_basis("wavelet")
