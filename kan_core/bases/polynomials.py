"""Families of polynomials by a three-term recursion, for all points of a row at once.

Shape legend: P points, K functions, of degree 0 to K - 1.

`steps` (K, 3) hold a family: row 0 is the constant function's value in its first place, and row n > 0 the numbers
(a, b, c) of p_n = (a u + b) p_{n-1} - c p_{n-2}. On [-1, 1] the recursion of orthogonal polynomials is stable in this
direction (W. Gautschi, Orthogonal Polynomials: Computation and Approximation, 2004, section 1.3).
"""

from __future__ import annotations

import numpy as np
import torch
from numba import njit
from torch import Tensor

from kan_core.bases.basis import FloatArray
from kan_core.bases.graph import GraphArray


def rescaled(steps: FloatArray, factors: FloatArray) -> FloatArray:
    """Return the steps (K, 3) of f_n p_n for the factors f (K,) of a family's functions p_n."""
    changed = steps.copy()
    changed[0, 0] *= factors[0]
    changed[1:, :2] *= (factors[1:] / factors[:-1])[:, None]
    changed[2:, 2] *= factors[2:] / factors[:-2]
    return changed


def recursion_values(u: Tensor, steps: FloatArray) -> Tensor:
    """Return p_n(u), shape (..., K), differentiable by torch."""
    rows = [torch.full_like(u, float(steps[0, 0]))]
    for n, (a, b, c) in enumerate(steps[1:].tolist(), start=1):
        row = (a * u + b) * rows[-1]
        rows.append(row - c * rows[n - 2] if n > 1 else row)
    return torch.stack(rows, dim=-1)


def recursion_graph(u: GraphArray, steps: FloatArray) -> GraphArray:
    """Return p_n(u), shape (..., K), in a graph, for u (..., 1)."""
    rows = [u * 0.0 + float(steps[0, 0])]
    for n, (a, b, c) in enumerate(steps[1:].tolist(), start=1):
        row = (u * a + b) * rows[-1]
        rows.append(row - rows[n - 2] * c if n > 1 else row)
    return rows[0].beside(*rows[1:])


def recursion_source(steps: FloatArray) -> list[str]:
    """Return Python statements that make `rows`, the list of p_n(u)."""
    return [
        f"steps = {steps.tolist()!r}",
        "rows = [steps[0][0] + 0.0 * u]",
        "for a, b, c in steps[1:]:",
        "    rows.append((a * u + b) * rows[-1] - (c * rows[-2] if len(rows) > 1 else 0.0))",
    ]


@njit(cache=True, nogil=True, error_model="numpy")
def fill_recursion(u: FloatArray, steps: FloatArray, values: FloatArray) -> None:
    """Write p_n(u) to `values` (K, P) for u (P,); `steps` (K, 3) have the type of u."""
    zero = u.dtype.type(0.0)
    for n in range(values.shape[0]):
        a, b, c = steps[n, 0], steps[n, 1], steps[n, 2]
        row = values[n]
        if n == 0:
            for p in range(u.size):
                # 0 u is NaN where u is
                row[p] = a + zero * u[p]
        elif n == 1:
            before = values[0]
            for p in range(u.size):
                row[p] = (a * u[p] + b) * before[p]
        else:
            before, first = values[n - 1], values[n - 2]
            for p in range(u.size):
                row[p] = (a * u[p] + b) * before[p] - c * first[p]


def fill_recursion_slopes(u: FloatArray, steps: FloatArray, slopes: FloatArray) -> None:
    """Write derivatives to `slopes` (K, P), whose own recursion begins at p_1' with `steps` (K - 1, 3)."""
    np.multiply(u, u.dtype.type(0.0), out=slopes[0])
    fill_recursion(u, steps, slopes[1:])
