"""B-splines of order 0 to 5, on uniform knots or on knots that follow the data.

Values by the Cox-de Boor recursion and derivatives as differences of the functions one order lower (C. de Boor, A
Practical Guide to Splines, 1978, ch. X; L. Piegl and W. Tiller, The NURBS Book, algorithm A2.2). Cubic splines on few
uniform knots, the usual ones, are differences of cubed ramps for all functions at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numba import njit
from torch import Tensor

from kan_core._checks import check_integer
from kan_core.bases.basis import Basis, FloatArray, Setting
from kan_core.errors import SpecError

MAX_ORDER = 5
MAX_GRID_SIZE = 1000
# up to here all functions at once are faster than the four that are not zero
MAX_RAMPS = 20
# how much of the grid stays even, so that no interval is left without width
EVEN_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class BSplineBasis(Basis):
    """G + k B-splines of order k (the polynomial degree) on G intervals of [-1, 1].

    `breaks` are the G + 1 points between the intervals, from -1 to 1, or empty for equal intervals. The 2k outer knots
    continue the grid beyond the domain, evenly by the width of the outermost interval, so the functions sum to 1 on all
    of [-1, 1]. Raises SpecError when `grid_size` or `order` is out of bounds or the breaks do not rise from -1 to 1.
    """

    grid_size: int = 5
    order: int = 3
    breaks: tuple[float, ...] = ()

    name = "bspline"
    title = "B-splines"
    size_word = "intervals"

    def __post_init__(self) -> None:
        check_integer("grid_size", self.grid_size, low=1, high=MAX_GRID_SIZE)
        check_integer("order", self.order, low=0, high=MAX_ORDER)
        if self.breaks and not _rises_over_domain(self.breaks, self.grid_size):
            raise SpecError(
                f"breaks are grid_size + 1 = {self.grid_size + 1} rising numbers from -1 to 1, "
                f"received breaks={self.breaks}: leave them out for an even grid"
            )

    @property
    def num_functions(self) -> int:
        """K = G + k."""
        return self.grid_size + self.order

    @property
    def is_uniform(self) -> bool:
        """Whether all intervals are equal."""
        return not self.breaks

    def inner_values(self, u: Tensor) -> Tensor:
        """Return B_k(u), shape (..., K), by the recursion over all knots."""
        knots = torch.from_numpy(self.knots(-1.0, 1.0)).to(u)
        inner = knots[self.order : self.order + self.grid_size + 1]
        cell = torch.bucketize(u.detach(), inner[1:-1], right=True) + self.order
        functions = (cell.unsqueeze(-1) == torch.arange(len(knots) - 1, device=u.device)).to(u.dtype)
        for degree in range(1, self.order + 1):
            width = knots[degree:] - knots[:-degree]
            rise = (u.unsqueeze(-1) - knots[:-degree]) / width
            functions = rise[..., :-1] * functions[..., :-1] + (1.0 - rise[..., 1:]) * functions[..., 1:]
        return functions

    def fill(self, u: FloatArray, values: FloatArray) -> None:
        """Write B_k(u) to `values` (K, P) for u (P,) within [-1, 1]."""
        if self._has_ramps:
            _fill_cubic(u, self.grid_size, values)
        else:
            _fill(u, self.knots(-1.0, 1.0).astype(u.dtype), self.grid_size, self.order, self.is_uniform, values)

    def fill_slopes(self, u: FloatArray, slopes: FloatArray) -> None:
        """Write dB_k/du to `slopes` (K, P) for u (P,) within [-1, 1]."""
        if self._has_ramps:
            _fill_cubic_slopes(u, self.grid_size, slopes)
        else:
            _fill_slopes(u, self.knots(-1.0, 1.0).astype(u.dtype), self.grid_size, self.order, self.is_uniform, slopes)

    @property
    def _has_ramps(self) -> bool:
        return self.order == 3 and self.is_uniform and self.num_functions <= MAX_RAMPS

    def initial_std(self, num_sources: int) -> FloatArray:
        """Return (n_in (K + 1))^-1.75 for every coefficient, the power law of arXiv 2509.03417."""
        return np.full(self.num_functions, (num_sources * (self.num_functions + 1)) ** -1.75)

    def grid(self, low: float, high: float) -> FloatArray:
        """Return the G + 1 points between the intervals on [low, high]."""
        breaks = np.array(self.breaks) if self.breaks else np.linspace(-1.0, 1.0, self.grid_size + 1)
        return low + (breaks + 1.0) * ((high - low) / 2.0)

    def knots(self, low: float, high: float) -> FloatArray:
        """Return the G + 2k + 1 knots on the range [low, high]."""
        grid, steps = self.grid(low, high), np.arange(1, self.order + 1)
        before = grid[0] - steps[::-1] * (grid[1] - grid[0])
        after = grid[-1] + steps * (grid[-1] - grid[-2])
        return np.concatenate([before, grid, after])

    def resized(self, grid_size: int) -> BSplineBasis:
        """Return the same order on another number of intervals; a whole multiple divides each interval evenly."""
        if self.is_uniform:
            return BSplineBasis(grid_size, self.order)
        places = np.linspace(0.0, self.grid_size, grid_size + 1)
        breaks = np.interp(places, np.arange(self.grid_size + 1), self.breaks)
        return BSplineBasis(grid_size, self.order, tuple(breaks.tolist()))

    def adapted(self, u: FloatArray) -> BSplineBasis:
        """Return the same size with breaks that follow samples u (P,): near their quantiles, a fifth even.

        Every interval then holds about as many samples, which is how the reference implementation of KAN places grids
        (arXiv 2404.19756, section 2.4; its grid_eps is the even share).
        """
        even = np.linspace(-1.0, 1.0, self.grid_size + 1)
        within = np.clip(u, -1.0, 1.0).astype(np.float64)
        quantiles = np.quantile(within, np.linspace(0.0, 1.0, self.grid_size + 1))
        quantiles[0], quantiles[-1] = -1.0, 1.0
        breaks = EVEN_SHARE * even + (1.0 - EVEN_SHARE) * quantiles
        return BSplineBasis(self.grid_size, self.order, tuple(breaks.tolist()))

    def source(self, module: str) -> list[str]:  # noqa: ARG002
        """Return the recursion over all knots as Python."""
        first, last = self.order, self.order + self.grid_size - 1
        return [
            f"knots = {self.knots(-1.0, 1.0).tolist()!r}",
            "rows = [0.0 * u for _ in knots[1:]]",
            f"for i in range({first}, {last + 1}):",
            f"    rows[i] = 1.0 * ((u >= knots[i]) & ((u < knots[i + 1]) | (i == {last})))",
            f"for degree in range(1, {self.order + 1}):",
            "    rows = [",
            "        (u - knots[i]) / (knots[i + degree] - knots[i]) * rows[i]",
            "        + (knots[i + degree + 1] - u) / (knots[i + degree + 1] - knots[i + 1]) * rows[i + 1]",
            "        for i in range(len(rows) - 1)",
            "    ]",
        ]

    def settings(self) -> dict[str, Setting]:
        """Return what `make_basis` needs to make this basis again."""
        given: dict[str, Setting] = {"name": self.name, "grid_size": self.grid_size, "order": self.order}
        return given if self.is_uniform else {**given, "breaks": list(self.breaks)}

    def describe(self) -> str:
        """Return one sentence for a person who chooses a family."""
        return "Piecewise polynomials joined smoothly at the grid points: each coefficient moves the curve only nearby."


def _rises_over_domain(breaks: tuple[float, ...], grid_size: int) -> bool:
    rises = all(left < right for left, right in pairwise(breaks))
    return rises and len(breaks) == grid_size + 1 and breaks[0] == -1.0 and breaks[-1] == 1.0


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_cubic(u: FloatArray, grid_size: int, values: FloatArray) -> None:
    """B_k = (max(2 - |t|, 0)³ - 4 max(1 - |t|, 0)³) / 6 with t the distance from its middle in intervals."""
    number = u.dtype.type
    per_u, zero, one, two = number(grid_size / 2.0), number(0.0), number(1.0), number(2.0)
    sixth, two_thirds = number(1.0 / 6.0), number(2.0 / 3.0)
    for k in range(values.shape[0]):
        middle = number(k - 1)
        row = values[k]
        for p in range(u.size):
            distance = abs((u[p] + one) * per_u - middle)
            outer, inner = max(two - distance, zero), max(one - distance, zero)
            row[p] = outer * outer * outer * sixth - inner * inner * inner * two_thirds


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_cubic_slopes(u: FloatArray, grid_size: int, slopes: FloatArray) -> None:
    number = u.dtype.type
    per_u, zero, one, two = number(grid_size / 2.0), number(0.0), number(1.0), number(2.0)
    of_outer, of_inner = number(-0.25 * grid_size), number(grid_size)
    for k in range(slopes.shape[0]):
        middle = number(k - 1)
        row = slopes[k]
        for p in range(u.size):
            t = (u[p] + one) * per_u - middle
            distance = abs(t)
            outer, inner = max(two - distance, zero), max(one - distance, zero)
            slope = of_outer * outer * outer + of_inner * inner * inner
            row[p] = slope if t > zero else -slope


@njit(cache=True, nogil=True, error_model="numpy")
def _find_cell(point: float, knots: FloatArray, grid_size: int, order: int, is_uniform: bool) -> int:
    """Return which interval a point lies in, 0 to G - 1; NaN gives 0."""
    if is_uniform:
        position = (point - knots[order]) / (knots[order + 1] - knots[order])
        cell = int(position) if position >= 0.0 else 0
        return min(cell, grid_size - 1)
    low, high = 0, grid_size
    while high - low > 1:
        middle = (low + high) // 2
        if point >= knots[order + middle]:
            low = middle
        else:
            high = middle
    return low


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_window(point: float, knots: FloatArray, cell: int, order: int, degree: int, window: FloatArray) -> None:
    """Write the `degree` + 1 functions of that degree which are not zero in a cell to `window`."""
    number = knots.dtype.type
    # what compares with itself is not NaN
    window[0] = number(1.0) if point == point else point
    here = cell + order
    for d in range(1, degree + 1):
        saved = number(0.0)
        for r in range(d):
            right, left = knots[here + r + 1], knots[here + r + 1 - d]
            part = window[r] / (right - left)
            window[r] = saved + (right - point) * part
            saved = (point - left) * part
        window[d] = saved


@njit(cache=True, nogil=True, error_model="numpy")
def _fill(u: FloatArray, knots: FloatArray, grid_size: int, order: int, is_uniform: bool, values: FloatArray) -> None:
    window = np.empty(order + 1, dtype=u.dtype)
    values[:] = u.dtype.type(0.0)
    for p in range(u.size):
        cell = _find_cell(u[p], knots, grid_size, order, is_uniform)
        _fill_window(u[p], knots, cell, order, order, window)
        for w in range(order + 1):
            values[cell + w, p] = window[w]


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_slopes(
    u: FloatArray, knots: FloatArray, grid_size: int, order: int, is_uniform: bool, slopes: FloatArray
) -> None:
    number = u.dtype.type
    window = np.empty(order + 1, dtype=u.dtype)
    slopes[:] = number(0.0)
    if order == 0:
        return
    for p in range(u.size):
        cell = _find_cell(u[p], knots, grid_size, order, is_uniform)
        _fill_window(u[p], knots, cell, order, order - 1, window)
        previous = number(0.0)
        for w in range(order + 1):
            following = number(0.0)
            if w < order:
                left = cell + w + 1
                following = window[w] * number(order) / (knots[left + order] - knots[left])
            slopes[cell + w, p] = previous - following
            previous = following
