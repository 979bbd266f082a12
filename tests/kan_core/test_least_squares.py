"""Best coefficients: the equations of a band against singular values, and curves carried to other ranges."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from kan_core.bases import BASES, Basis, BSplineBasis, make_basis
from kan_core.grids import carry_coefficients
from kan_core.least_squares import (
    EXACT,
    best_coefficients,
    constant_one,
    fit_points,
    is_banded,
    point_values,
    pseudoinverse,
)

CROWDED = np.linspace(-1.0, 1.0, 500) ** 9
BANDED = [BSplineBasis(120, 3), BSplineBasis(20, 3).adapted(CROWDED), BSplineBasis(9, 5).adapted(np.zeros(3))]


@pytest.mark.parametrize("basis", [*BANDED, BSplineBasis(1, 0).adapted(CROWDED), BSplineBasis(150, 2).adapted(CROWDED)])
def test_a_band_gives_what_singular_values_give(basis: BSplineBasis) -> None:
    assert is_banded(basis)
    values = torch.randn(8 * basis.num_functions, 70, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    expected = pseudoinverse(basis, len(values), EXACT) @ values
    found = best_coefficients(basis, values, rtol=EXACT)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-9 * float(expected.abs().max()))


@pytest.mark.parametrize("family", BASES)
@pytest.mark.parametrize("grid_size", [6, 130])
def test_point_values_are_the_reference(family: str, grid_size: int) -> None:
    basis = make_basis(family, grid_size=min(grid_size, 100 if family in ("chebyshev", "jacobi", "fourier") else 130))
    u = torch.linspace(-1.3, 1.2, 50, dtype=torch.float64)
    torch.testing.assert_close(point_values(basis, u), basis.values(u), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("basis", [*BANDED, BSplineBasis(5, 3), make_basis("gaussian", grid_size=5)])
def test_the_constant_one_is_one(basis: Basis) -> None:
    values = basis.values(fit_points(200)) @ constant_one(basis)
    torch.testing.assert_close(values, torch.ones(200, dtype=torch.float64), rtol=0, atol=1e-10)


def test_fine_splines_are_carried_to_another_range() -> None:
    old, new = BSplineBasis(150, 3), BSplineBasis(150, 3).adapted(CROWDED)
    u = torch.linspace(-1.0, 1.0, 300, dtype=torch.float64)
    wave = best_coefficients(old, torch.sin(3.0 * fit_points(8 * old.num_functions)).unsqueeze(1), rtol=EXACT).T
    carried = carry_coefficients(wave, old, new, old=(-1.0, 1.0), new=(-0.8, 0.9))
    x = 0.05 + 0.85 * u
    torch.testing.assert_close(new.values(u) @ carried[0], torch.sin(3.0 * x), rtol=0, atol=1e-5)
