"""What families of local bumps share: where bumps of several widths stand, and the functions 1 and u beside them.

Shape legend: P points, M bumps, K functions.

A bump is one shape moved to a centre and scaled to a width. Bumps of one width are no sums of narrower ones, so a finer
basis keeps the old bumps and adds narrower ones at the points that are new. `coarser` are the grid sizes that a basis
went through: each divides the next, and the last one divides the present `grid_size`.

Nor are the functions 1 and u sums of bumps (the best sums of Gaussian ones miss them by 7 percent), while a network
moves constants between edges and a straight line is the commonest law; so both come first in every such family.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from numba import njit
from torch import Tensor

from kan_core.bases.basis import FloatArray
from kan_core.bases.graph import GraphArray
from kan_core.errors import SpecError

# the functions 1 and u
NUM_LINEAR = 2


class Bumps(NamedTuple):
    """The centres (M,) of bumps and the inverse of their widths (M,), by which the distance to a centre is scaled."""

    centres: FloatArray
    per_u: FloatArray

    def astype(self, dtype: type[np.floating]) -> Bumps:
        """Return the same bumps in another type of numbers."""
        return Bumps(self.centres.astype(dtype), self.per_u.astype(dtype))

    def distances(self, u: Tensor) -> Tensor:
        """Return the distances of u to the centres in widths, shape (..., M)."""
        return (u.unsqueeze(-1) - torch.from_numpy(self.centres).to(u.dtype)) * torch.from_numpy(self.per_u).to(u.dtype)


def check_coarser(coarser: tuple[int, ...], grid_size: int) -> None:
    """Raise SpecError unless the grid sizes in `coarser` rise and each divides the next, the last one `grid_size`."""
    sizes = (*coarser, grid_size)
    if any(low < 1 or low >= high or high % low for low, high in pairwise(sizes)):
        raise SpecError(
            f"coarser are rising grid sizes that divide each other and grid_size={grid_size}, "
            f"received coarser={coarser}: leave them out for bumps of one width"
        )


def coarser_than(grid_size: int, now: int, coarser: tuple[int, ...]) -> tuple[int, ...]:
    """Return `coarser` for a basis of another size: the present sizes for a whole multiple, otherwise none."""
    if grid_size == now:
        return coarser
    return (*coarser, now) if grid_size % now == 0 else ()


def refined(first: FloatArray, sizes: tuple[int, ...], width: float) -> Bumps:
    """Return bumps at the centres `first` and at the points that each later size of `sizes` adds to the grid.

    A bump's width is `width` times the spacing 2 / G of its size.
    """
    centres, per_u = [first], [np.full(len(first), sizes[0] / (2.0 * width))]
    for before, size in pairwise(sizes):
        places = np.arange(size + 1)
        added = places[places % (size // before) > 0]
        centres.append(added * (2.0 / size) - 1.0)
        per_u.append(np.full(len(added), size / (2.0 * width)))
    return Bumps(np.concatenate(centres), np.concatenate(per_u))


def with_linear(u: Tensor, bumps: Tensor) -> Tensor:
    """Return 1, u and the bumps (..., M) as functions (..., K)."""
    line = u.unsqueeze(-1)
    return torch.cat([torch.ones_like(line), line, bumps], dim=-1)


def graph_distances(u: GraphArray, bumps: Bumps) -> GraphArray:
    """Return the distances of u (..., 1) to the centres in widths, shape (..., M), in a graph."""
    return (u - bumps.centres) * bumps.per_u


def graph_with_linear(u: GraphArray, bumps: GraphArray) -> GraphArray:
    """Return 1, u and the bumps (..., M) as functions (..., K) in a graph."""
    return (u * 0.0 + 1.0).beside(u, bumps)


def bump_source(bumps: Bumps, shape: str) -> list[str]:
    """Return Python statements that make `rows`, 1, u and the bumps; `shape` is a bump as an expression in t."""
    pairs = list(zip(bumps.centres.tolist(), bumps.per_u.tolist(), strict=True))
    return [
        "rows = [1.0 + 0.0 * u, u]",
        f"for centre, per_u in {pairs!r}:",
        "    t = (u - centre) * per_u",
        f"    rows.append({shape})",
    ]


@njit(cache=True, nogil=True, error_model="numpy")
def fill_linear(u: FloatArray, values: FloatArray) -> None:
    """Write 1 and u to the first two rows of `values` (K, P)."""
    number = u.dtype.type
    for p in range(u.size):
        # 0 u is NaN where u is
        values[0, p] = number(1.0) + number(0.0) * u[p]
        values[1, p] = u[p]


@njit(cache=True, nogil=True, error_model="numpy")
def fill_linear_slopes(u: FloatArray, slopes: FloatArray) -> None:
    """Write the derivatives of 1 and u to the first two rows of `slopes` (K, P)."""
    number = u.dtype.type
    for p in range(u.size):
        nothing = number(0.0) * u[p]
        slopes[0, p] = nothing
        slopes[1, p] = number(1.0) + nothing
