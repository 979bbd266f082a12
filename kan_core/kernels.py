"""Compiled loops of a KAN layer that NumPy has no single call for.

Shape legend: B samples, I sources, S rows of sums, K basis functions.

Samples are the last axis of every array and lie next to each other, so that the compiler works on whole vectors of
them; products of matrices are left to BLAS. Arrays are C-contiguous and of one floating type. Compiled code is cached
on disk by numba and releases the GIL.
"""

from __future__ import annotations

from numba import njit

from kan_core.bases.basis import FloatArray
from kan_core.bases.vector_math import exp


@njit(cache=True, nogil=True, error_model="numpy")
def to_domain(x: FloatArray, low: FloatArray, high: FloatArray, domain: FloatArray) -> None:
    """Write u(x) to `domain` (I, B): each source's range from `low` to `high` (I,) mapped to [-1, 1]."""
    for i in range(x.shape[0]):
        ends, share = low[i] + high[i], x.dtype.type(1.0) / (high[i] - low[i])
        for b in range(x.shape[1]):
            domain[i, b] = (x[i, b] + x[i, b] - ends) * share


@njit(cache=True, nogil=True, error_model="numpy")
def silu(x: FloatArray, values: FloatArray) -> None:
    """Write x·σ(x) to `values` (I, B)."""
    one = x.dtype.type(1.0)
    for i in range(x.shape[0]):
        for b in range(x.shape[1]):
            values[i, b] = x[i, b] / (one + exp(-x[i, b]))


@njit(cache=True, nogil=True, error_model="numpy")
def silu_slopes(x: FloatArray, slopes: FloatArray) -> None:
    """Write the derivative of x·σ(x) to `slopes` (I, B)."""
    one = x.dtype.type(1.0)
    for i in range(x.shape[0]):
        for b in range(x.shape[1]):
            sigmoid = one / (one + exp(-x[i, b]))
            slopes[i, b] = sigmoid * (one + x[i, b] * (one - sigmoid))


@njit(cache=True, nogil=True, error_model="numpy")
def follow_rows(weights: FloatArray, slopes: FloatArray, deltas: FloatArray, source_deltas: FloatArray) -> None:
    """Add Σ_s δ_sb Σ_k w_ski F'_kib to `source_deltas` (I, B).

    `weights` (S, K + 1, I), `slopes` (K + 1, I, B), `deltas` (S, B). For few rows; many go through `follow_pulls`.
    """
    for s in range(weights.shape[0]):
        for k in range(weights.shape[1]):
            for i in range(weights.shape[2]):
                weight = weights[s, k, i]
                for b in range(deltas.shape[1]):
                    source_deltas[i, b] += weight * deltas[s, b] * slopes[k, i, b]


@njit(cache=True, nogil=True, error_model="numpy")
def follow_pulls(pulls: FloatArray, slopes: FloatArray, source_deltas: FloatArray) -> None:
    """Add Σ_k p_kib F'_kib to `source_deltas` (I, B) for `pulls` and `slopes` (K + 1, I, B)."""
    for k in range(slopes.shape[0]):
        for i in range(slopes.shape[1]):
            for b in range(slopes.shape[2]):
                source_deltas[i, b] += pulls[k, i, b] * slopes[k, i, b]


@njit(cache=True, nogil=True, error_model="numpy")
def mean_squared_error(outputs: FloatArray, targets: FloatArray, scale: FloatArray) -> float:
    """Return the mean of ((output - target)·scale)² for outputs (O, B) and `scale` (O,), summed in float64."""
    total = 0.0
    for o in range(outputs.shape[0]):
        for b in range(outputs.shape[1]):
            error = float((outputs[o, b] - targets[o, b]) * scale[o])
            total += error * error
    return total / outputs.size
