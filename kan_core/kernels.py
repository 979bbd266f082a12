"""Compiled contractions of a KAN layer, shared by autograd, the trainer and Levenberg-Marquardt.

Shape legend: B samples, I sources, J targets, K basis functions, W window.

They know basis functions only as windows (`BasisRows`), so they serve every family. All arrays are C-contiguous and of
one floating type. Compiled code is cached on disk by numba and releases the GIL.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from kan_core.bases.basis import FloatArray, IndexArray


@njit(cache=True, nogil=True, error_model="numpy")
def contract(
    starts: IndexArray,
    values: FloatArray,
    base: FloatArray,
    coefficients: FloatArray,
    base_weights: FloatArray,
    outputs: FloatArray,
) -> None:
    """Add Σ_i φ_ji(x_bi) to `outputs` (B, J).

    `starts` (B, I), `values` (B, I, W), `base` (B, I) are b(x), `coefficients` (J, I, K), `base_weights` (J, I).
    """
    num_samples, num_sources, window = values.shape
    num_targets = outputs.shape[1]
    for b in range(num_samples):
        for i in range(num_sources):
            start = starts[b, i]
            b_value = base[b, i]
            for j in range(num_targets):
                total = base_weights[j, i] * b_value
                for w in range(window):
                    total += coefficients[j, i, start + w] * values[b, i, w]
                outputs[b, j] += total


@njit(cache=True, nogil=True, error_model="numpy")
def contract_edges(
    starts: IndexArray,
    values: FloatArray,
    base: FloatArray,
    coefficients: FloatArray,
    base_weights: FloatArray,
    outputs: FloatArray,
) -> None:
    """Write φ_ji(x_bi) for every edge to `outputs` (B, J, I); the other shapes as in `contract`."""
    num_samples, num_sources, window = values.shape
    num_targets = outputs.shape[1]
    for b in range(num_samples):
        for i in range(num_sources):
            start = starts[b, i]
            for j in range(num_targets):
                total = base_weights[j, i] * base[b, i]
                for w in range(window):
                    total += coefficients[j, i, start + w] * values[b, i, w]
                outputs[b, j, i] = total


@njit(cache=True, nogil=True, error_model="numpy")
def contract_backward(
    starts: IndexArray,
    values: FloatArray,
    base: FloatArray,
    deltas: FloatArray,
    coefficient_gradient: FloatArray,
    base_gradient: FloatArray,
) -> None:
    """Add the loss' gradient to `coefficient_gradient` (J, I, K) and `base_gradient` (J, I).

    `deltas` (B, J) are the loss' derivatives with respect to the layer's outputs; the other shapes as in `contract`.
    """
    num_samples, num_sources, window = values.shape
    num_targets = deltas.shape[1]
    for b in range(num_samples):
        for i in range(num_sources):
            start = starts[b, i]
            b_value = base[b, i]
            for j in range(num_targets):
                delta = deltas[b, j]
                base_gradient[j, i] += delta * b_value
                for w in range(window):
                    coefficient_gradient[j, i, start + w] += delta * values[b, i, w]


@njit(cache=True, nogil=True, error_model="numpy")
def edge_slopes(
    starts: IndexArray,
    derivatives: FloatArray,
    base_derivatives: FloatArray,
    coefficients: FloatArray,
    base_weights: FloatArray,
    scale: FloatArray,
    slopes: FloatArray,
) -> None:
    """Write φ'_ji(x_bi) to `slopes` (B, J, I).

    `derivatives` (B, I, W) are dB_k/du, `scale` (I,) is du/dx, `base_derivatives` (B, I) are b'(x).
    """
    num_samples, num_sources, window = derivatives.shape
    num_targets = slopes.shape[1]
    for b in range(num_samples):
        for i in range(num_sources):
            start = starts[b, i]
            per_x = scale[i]
            for j in range(num_targets):
                slope = base_weights[j, i] * base_derivatives[b, i]
                for w in range(window):
                    slope += coefficients[j, i, start + w] * derivatives[b, i, w] * per_x
                slopes[b, j, i] = slope


@njit(cache=True, nogil=True, error_model="numpy")
def silu(x: FloatArray, values: FloatArray, derivatives: FloatArray) -> None:
    """Write x·σ(x) and its derivative for x (B, I)."""
    one = x.dtype.type(1.0)
    for b in range(x.shape[0]):
        for i in range(x.shape[1]):
            point = x[b, i]
            sigmoid = one / (one + np.exp(-point))
            values[b, i] = point * sigmoid
            derivatives[b, i] = sigmoid * (one + point * (one - sigmoid))


@njit(cache=True, nogil=True, error_model="numpy")
def backpropagate(
    starts: IndexArray,
    derivatives: FloatArray,
    base_derivatives: FloatArray,
    coefficients: FloatArray,
    base_weights: FloatArray,
    scale: FloatArray,
    deltas: FloatArray,
    source_deltas: FloatArray,
) -> None:
    """Add Σ_j δ_bj φ'_ji(x_bi) to `source_deltas` (B, I); the other shapes as in `edge_slopes`, `deltas` (B, J)."""
    num_samples, num_sources, window = derivatives.shape
    num_targets = deltas.shape[1]
    for b in range(num_samples):
        for i in range(num_sources):
            start = starts[b, i]
            total = source_deltas[b, i]
            for j in range(num_targets):
                along = coefficients[j, i, start] * derivatives[b, i, 0]
                for w in range(1, window):
                    along += coefficients[j, i, start + w] * derivatives[b, i, w]
                total += deltas[b, j] * (along * scale[i] + base_weights[j, i] * base_derivatives[b, i])
            source_deltas[b, i] = total


@njit(cache=True, nogil=True, error_model="numpy")
def fill_jacobian(
    starts: IndexArray,
    values: FloatArray,
    base: FloatArray,
    sensitivities: FloatArray,
    coefficient_columns: IndexArray,
    base_columns: IndexArray,
    jacobian: FloatArray,
) -> None:
    """Write a layer's columns of the Jacobian (B·O, P), O outputs, P free parameters; its other columns stay.

    `sensitivities` (B, O, J) are ∂output_o/∂y_j. `coefficient_columns` (J, I, K) and `base_columns` (J, I) give each
    parameter's column, negative for one that is not free. An edge is linear in its parameters, so the derivative is the
    sensitivity times the basis row.
    """
    num_samples, num_sources, window = values.shape
    num_outputs = sensitivities.shape[1]
    num_targets = sensitivities.shape[2]
    for b in range(num_samples):
        for o in range(num_outputs):
            row = jacobian[b * num_outputs + o]
            for j in range(num_targets):
                sensitivity = sensitivities[b, o, j]
                for i in range(num_sources):
                    column = base_columns[j, i]
                    if column >= 0:
                        row[column] = sensitivity * base[b, i]
                    start = starts[b, i]
                    if coefficient_columns[j, i, 0] >= 0:
                        for w in range(window):
                            row[coefficient_columns[j, i, start + w]] = sensitivity * values[b, i, w]


@njit(cache=True, nogil=True, error_model="numpy")
def feature_moments(
    starts: IndexArray, values: FloatArray, base: FloatArray, sums: FloatArray, products: FloatArray
) -> None:
    """Write the sums (I, K + 1) and products (I, K + 1, K + 1) over samples of a source's features B_0 … B_{K-1}, b."""
    num_samples, num_sources, window = values.shape
    last = sums.shape[1] - 1
    sums[:] = 0.0
    products[:] = 0.0
    for b in range(num_samples):
        for i in range(num_sources):
            start = starts[b, i]
            b_value = base[b, i]
            for w in range(window):
                value = values[b, i, w]
                sums[i, start + w] += value
                for v in range(window):
                    products[i, start + w, start + v] += value * values[b, i, v]
                products[i, start + w, last] += value * b_value
            sums[i, last] += b_value
            products[i, last, last] += b_value * b_value
    for i in range(num_sources):
        for k in range(last):
            products[i, last, k] = products[i, k, last]
