"""Families of all kinds and sizes for tests, and what the compiled loops make of them."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from kan_core.bases import (
    Basis,
    BSplineBasis,
    ChebyshevBasis,
    FourierBasis,
    GaussianBasis,
    JacobiBasis,
    MexicanHatBasis,
    PiecewiseLinearBasis,
    ReluBasis,
)
from kan_core.bases.basis import FloatArray
from kan_core.features import FeatureMaker


def compiled(basis: Basis, u: FloatArray, *, slopes: bool = False) -> FloatArray:
    """Return the compiled values or slopes, (len(u), K), as a layer computes them."""
    ends = np.ones(1, dtype=u.dtype)
    maker = FeatureMaker((basis,), "none", -ends, ends, 1)
    block = maker.make(np.ascontiguousarray(u)[None])
    return (maker.make_slopes(block) if slopes else block.values)[:-1, 0].T


@st.composite
def splines(draw: st.DrawFn, max_size: int) -> BSplineBasis:
    """Draw B-splines on even breaks or on others."""
    grid_size, order = draw(st.integers(1, max_size)), draw(st.integers(0, 5))
    if draw(st.booleans()):
        return BSplineBasis(grid_size, order)
    widths = np.array(draw(st.lists(st.floats(0.2, 1.0), min_size=grid_size, max_size=grid_size)))
    inner = -1.0 + 2.0 * np.cumsum(widths)[:-1] / widths.sum()
    return BSplineBasis(grid_size, order, (-1.0, *inner.tolist(), 1.0))


@st.composite
def refined_sizes(draw: st.DrawFn, max_size: int) -> tuple[int, tuple[int, ...]]:
    """Draw a grid size and the sizes that it was refined from."""
    sizes = [draw(st.integers(1, max_size))]
    for multiple in draw(st.lists(st.integers(2, 3), max_size=2)):
        if sizes[-1] * multiple <= max_size:
            sizes.append(sizes[-1] * multiple)
    return sizes[-1], tuple(sizes[:-1])


@st.composite
def rectifiers(draw: st.DrawFn, max_size: int) -> ReluBasis:
    """Draw squared-ReLU bumps of one width or several."""
    grid_size, coarser = draw(refined_sizes(max_size))
    return ReluBasis(grid_size, draw(st.integers(1, 5)), coarser)


def families(max_size: int = 60) -> st.SearchStrategy[Basis]:
    """Return a strategy for bases of any family."""
    sizes, exponents = st.integers(1, max_size), st.floats(-0.9, 10.0)
    return st.one_of(
        splines(max_size),
        st.builds(PiecewiseLinearBasis, sizes),
        st.builds(ChebyshevBasis, sizes),
        st.builds(JacobiBasis, sizes, exponents, exponents),
        st.builds(JacobiBasis, sizes),
        st.builds(FourierBasis, sizes),
        refined_sizes(max_size).map(lambda drawn: GaussianBasis(*drawn)),
        st.builds(MexicanHatBasis, sizes),
        rectifiers(max_size),
    )
