"""Compiled loops of a KAN layer that NumPy has no single call for.

Shape legend: B samples, I sources, S rows of sums, K basis functions.

Samples are the last axis of every array and lie next to each other, so that the compiler works on whole vectors of
them; products of matrices are left to BLAS. Arrays are C-contiguous and of one floating type. Compiled code is cached
on disk by numba and releases the GIL.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from kan_core.bases.basis import FloatArray
from kan_core.bases.vector_math import exp


@njit(cache=True, nogil=True, error_model="numpy")
def place(x: FloatArray, low: FloatArray, high: FloatArray, domain: FloatArray, inner: FloatArray) -> bool:
    """Write u(x), each source's range from `low` to `high` (I,) mapped to [-1, 1], to `domain` (I, B).

    `inner` (I, B) becomes the same kept within [-1, 1]; return whether any of it lay outside. NaN stays NaN.
    """
    one = x.dtype.type(1.0)
    outside = 0
    for i in range(x.shape[0]):
        ends, share = low[i] + high[i], one / (high[i] - low[i])
        for b in range(x.shape[1]):
            u = (x[i, b] + x[i, b] - ends) * share
            domain[i, b] = u
            inner[i, b] = min(max(u, -one), one) if u == u else u
            outside += (u > one) | (u < -one)
    return outside > 0


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
def follow_rows(
    weights: FloatArray, scales: FloatArray, slopes: FloatArray, deltas: FloatArray, source_deltas: FloatArray
) -> None:
    """Write Σ_s δ_sb Σ_k w_ski F'_kib to `source_deltas` (I, B).

    F' are `slopes` (K + 1, I, B) times `scales` (K + 1, I); `weights` (S, K + 1, I), `deltas` (S, B). For few rows:
    many go through `follow_pulls`.
    """
    source_deltas[:] = 0.0
    for i in range(weights.shape[2]):
        into = source_deltas[i]
        for s in range(weights.shape[0]):
            delta = deltas[s]
            for k in range(weights.shape[1]):
                weight, slope = weights[s, k, i] * scales[k, i], slopes[k, i]
                for b in range(into.size):
                    into[b] += weight * delta[b] * slope[b]


@njit(cache=True, nogil=True, error_model="numpy")
def follow_pulls(pulls: FloatArray, scales: FloatArray, slopes: FloatArray, source_deltas: FloatArray) -> None:
    """Write Σ_k p_kib F'_kib to `source_deltas` (I, B) for `pulls` (K + 1, I, B); the rest as in `follow_rows`."""
    source_deltas[:] = 0.0
    for i in range(slopes.shape[1]):
        into = source_deltas[i]
        for k in range(slopes.shape[0]):
            scale, pull, slope = scales[k, i], pulls[k, i], slopes[k, i]
            for b in range(into.size):
                into[b] += scale * pull[b] * slope[b]


@njit(cache=True, nogil=True, error_model="numpy")
def mean_squared_error(outputs: FloatArray, targets: FloatArray) -> float:
    """Return the mean of (output - target)² for outputs and targets (O, B), in float64."""
    total = 0.0
    for o in range(outputs.shape[0]):
        for b in range(outputs.shape[1]):
            # float() would leave a float32 what it is
            error = np.float64(outputs[o, b]) - np.float64(targets[o, b])
            total += error * error
    return total / outputs.size


@njit(cache=True, nogil=True, error_model="numpy")
def root_mean_squared_error(outputs: FloatArray, targets: FloatArray, scale: FloatArray) -> float:
    """Return the root of the mean of ((output - target)·scale)² for outputs (O, B) and `scale` (O,), in float64.

    The scales' size is put back after the root: very large or small numbers have no square.
    """
    largest = np.float64(np.max(np.abs(scale)))
    total = 0.0
    for o in range(outputs.shape[0]):
        share = np.float64(scale[o]) / largest
        for b in range(outputs.shape[1]):
            error = (np.float64(outputs[o, b]) - np.float64(targets[o, b])) * share
            total += error * error
    return largest * np.sqrt(total / outputs.size)
