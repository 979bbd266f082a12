"""B-splines of order 0 to 5, on uniform knots or on knots that follow the data.

Values by the Cox-de Boor recursion and derivatives as differences of the functions one order lower (C. de Boor, A
Practical Guide to Splines, 1978, ch. X; L. Piegl and W. Tiller, The NURBS Book, algorithm A2.2). Cubic splines on few
uniform knots, the usual ones, are differences of cubed ramps for all functions at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
import torch
from numba import njit
from torch import Tensor

from kan_core._checks import check_integer
from kan_core.bases.basis import Basis, FloatArray, Setting
from kan_core.bases.graph import GraphArray
from kan_core.errors import SpecError

MAX_ORDER = 5
MAX_GRID_SIZE = 1000
# up to so many functions it is faster to compute all of them for many points at once than the few that are not zero
MAX_RAMPS, MAX_DENSE = 20, 40
# as many points as stay in the nearest cache from one degree to the next
NUM_TOGETHER = 512
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
        object.__setattr__(self, "grid_size", check_integer("grid_size", self.grid_size, low=1, high=MAX_GRID_SIZE))
        object.__setattr__(self, "order", check_integer("order", self.order, low=0, high=MAX_ORDER))
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
        knots = torch.from_numpy(_domain_knots(self)).to(u)
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
        elif self.num_functions <= MAX_DENSE:
            _fill_dense(u, _domain_knots(self), self.grid_size, self.order, values)
        else:
            _fill_local(u, _domain_knots(self), self.grid_size, self.order, self.is_uniform, values)

    def fill_slopes(self, u: FloatArray, slopes: FloatArray) -> None:
        """Write dB_k/du to `slopes` (K, P) for u (P,) within [-1, 1]; order 0 has none, and its jumps do not count."""
        if self.order == 0:
            slopes[:] = u * u.dtype.type(0.0)
        elif self._has_ramps:
            _fill_cubic_slopes(u, self.grid_size, slopes)
        elif self.num_functions <= MAX_DENSE:
            _fill_dense_slopes(u, _domain_knots(self), self.grid_size, self.order, slopes)
        else:
            _fill_local_slopes(u, _domain_knots(self), self.grid_size, self.order, self.is_uniform, slopes)

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
        (arXiv 2404.19756, section 2.4; its grid_eps is the even share). Samples that are not finite do not count, and
        without any other the breaks stay even.
        """
        even = np.linspace(-1.0, 1.0, self.grid_size + 1)
        within = np.clip(u[np.isfinite(u)], -1.0, 1.0).astype(np.float64)
        if not within.size:
            return BSplineBasis(self.grid_size, self.order)
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

    def graph_values(self, u: GraphArray) -> GraphArray:
        """Return B_k(u), shape (..., K), in a graph by the recursion over all knots."""
        knots, order = _domain_knots(self), self.order
        starts, ends = (
            knots[order : order + self.grid_size].copy(),
            knots[order + 1 : order + self.grid_size + 1].copy(),
        )
        starts[0], ends[-1] = -np.inf, np.inf
        functions = u.between(starts, ends)
        if order:
            zeros = u * np.zeros(order)
            functions = zeros.beside(functions, zeros)
        for degree in range(1, order + 1):
            rise = (u - knots[:-degree]) / (knots[degree:] - knots[:-degree])
            fall = rise * -1.0 + 1.0
            number = len(knots) - degree - 1
            left, right = list(range(number)), list(range(1, number + 1))
            functions = rise.pick(left) * functions.pick(left) + fall.pick(right) * functions.pick(right)
        return functions

    def settings(self) -> dict[str, Setting]:
        """Return what `make_basis` needs to make this basis again."""
        given: dict[str, Setting] = {"name": self.name, "grid_size": self.grid_size, "order": self.order}
        return given if self.is_uniform else {**given, "breaks": list(self.breaks)}

    def describe(self) -> str:
        """Return one sentence for a person who chooses a family."""
        return "Piecewise polynomials joined smoothly at the grid points: each coefficient moves the curve only nearby."


@lru_cache(maxsize=64)
def _domain_knots(basis: BSplineBasis) -> FloatArray:
    return basis.knots(-1.0, 1.0)


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
def _fill_degree(
    points: FloatArray, knots: FloatArray, grid_size: int, order: int, degree: int, values: FloatArray, start: int
) -> None:
    """Write the functions of a degree up to the order that live on the domain to the last G + degree rows of `values`.

    The columns from `start` are written. Each degree is made in place of the one below it: function k needs k and k + 1
    of that, and comes before k + 1.
    """
    number = points.dtype.type
    zero, one, last, end = number(0.0), number(1.0), grid_size + order - 1, start + points.size
    for k in range(order, last + 1):
        # the last interval has its right end
        low, high = number(knots[k]), number(knots[k + 1] if k < last else np.inf)
        row = values[k, start:end]
        for p in range(points.size):
            inside = one if (points[p] >= low) & (points[p] < high) else zero
            row[p] = inside + zero * points[p]
    for d in range(1, degree + 1):
        for k in range(order - d, last + 1):
            left, right = number(knots[k]), number(knots[k + d + 1])
            per_rise, per_fall = number(1.0 / (knots[k + d] - knots[k])), number(0.0)
            if k < last:
                per_fall = number(1.0 / (knots[k + d + 1] - knots[k + 1]))
            row, following = values[k, start:end], values[min(k + 1, last), start:end]
            if k == order - d:
                for p in range(points.size):
                    row[p] = (right - points[p]) * per_fall * following[p]
            else:
                for p in range(points.size):
                    rise, fall = (points[p] - left) * per_rise, (right - points[p]) * per_fall
                    row[p] = rise * row[p] + fall * following[p]


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_dense(u: FloatArray, knots: FloatArray, grid_size: int, order: int, values: FloatArray) -> None:
    for start in range(0, u.size, NUM_TOGETHER):
        _fill_degree(u[start : start + NUM_TOGETHER], knots, grid_size, order, order, values, start)


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_dense_slopes(u: FloatArray, knots: FloatArray, grid_size: int, order: int, slopes: FloatArray) -> None:
    """Write differences of the functions one degree lower, again in place."""
    number = u.dtype.type
    last = grid_size + order - 1
    for start in range(0, u.size, NUM_TOGETHER):
        end = min(start + NUM_TOGETHER, u.size)
        _fill_degree(u[start:end], knots, grid_size, order, order - 1, slopes, start)
        for k in range(last + 1):
            rise, fall = number(order / (knots[k + order] - knots[k])), number(0.0)
            if k < last:
                fall = number(order / (knots[k + order + 1] - knots[k + 1]))
            row, following = slopes[k, start:end], slopes[min(k + 1, last), start:end]
            if k == 0:
                for p in range(end - start):
                    row[p] = -fall * following[p]
            else:
                for p in range(end - start):
                    row[p] = rise * row[p] - fall * following[p]


@njit(cache=True, nogil=True, error_model="numpy")
def _find_cell(point: float, knots: FloatArray, grid_size: int, order: int, is_uniform: bool) -> int:
    """Return which interval a point lies in, 0 to G - 1."""
    if is_uniform:
        cell = min(int((point + 1.0) * (grid_size / 2.0)), grid_size - 1)
        # rounding can put a point beside a knot on its other side
        if point < knots[order + cell]:
            return max(cell - 1, 0)
        return min(cell + 1, grid_size - 1) if point >= knots[order + cell + 1] else cell
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
    window[0] = 1.0
    here = cell + order
    for d in range(1, degree + 1):
        saved = 0.0
        for r in range(d):
            right, left = knots[here + r + 1], knots[here + r + 1 - d]
            part = window[r] / (right - left)
            window[r] = saved + (right - point) * part
            saved = (point - left) * part
        window[d] = saved


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_local(
    u: FloatArray, knots: FloatArray, grid_size: int, order: int, is_uniform: bool, values: FloatArray
) -> None:
    """Write only the k + 1 functions that are not zero at a point, in float64, which narrow intervals need."""
    number = u.dtype.type
    window = np.empty(order + 1)
    values[:] = number(0.0)
    for p in range(u.size):
        if u[p] != u[p]:
            values[:, p] = u[p]
            continue
        point = np.float64(u[p])
        cell = _find_cell(point, knots, grid_size, order, is_uniform)
        _fill_window(point, knots, cell, order, order, window)
        for w in range(order + 1):
            values[cell + w, p] = number(window[w])


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_local_slopes(
    u: FloatArray, knots: FloatArray, grid_size: int, order: int, is_uniform: bool, slopes: FloatArray
) -> None:
    number = u.dtype.type
    window = np.empty(order + 1)
    slopes[:] = number(0.0)
    for p in range(u.size):
        if u[p] != u[p]:
            slopes[:, p] = u[p]
            continue
        point = np.float64(u[p])
        cell = _find_cell(point, knots, grid_size, order, is_uniform)
        _fill_window(point, knots, cell, order, order - 1, window)
        previous = 0.0
        for w in range(order + 1):
            following = 0.0
            if w < order:
                left = cell + w + 1
                following = window[w] * order / (knots[left + order] - knots[left])
            slopes[cell + w, p] = number(previous - following)
            previous = following
