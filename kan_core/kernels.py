"""Compiled contractions of a KAN layer, shared by autograd, the trainer and Levenberg-Marquardt.

Shape legend: B samples, I sources, J targets, K basis functions, W window.

They know basis functions only as windows (`BasisRows`), so they serve every family. All arrays are C-contiguous and of
one floating type. Compiled code is cached on disk by numba and releases the GIL. Positions are counted without sign,
since a signed index makes the compiler provide for one that counts from the end.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from kan_core.bases.basis import FloatArray, IndexArray

ONE = np.uint64(1)


@njit(cache=True, nogil=True, error_model="numpy")
def _shape_of(windows: FloatArray) -> tuple[np.uint64, np.uint64, np.uint64]:
    """Return B, I and W without sign."""
    return np.uint64(windows.shape[0]), np.uint64(windows.shape[1]), np.uint64(windows.shape[2])


@njit(cache=True, nogil=True, error_model="numpy")
def contract(
    starts: IndexArray, values: FloatArray, base: FloatArray, weights: FloatArray, outputs: FloatArray
) -> None:
    """Add Σ_i φ_ji(x_bi) to `outputs` (B, J).

    `starts` (B, I), `values` (B, I, W), `base` (B, I) are b(x), `weights` (J, I, K + 1) coefficients, then w.
    """
    num_samples, num_sources, window = _shape_of(values)
    num_targets, size = np.uint64(outputs.shape[1]), np.uint64(weights.shape[2])
    flat, given = weights.reshape(-1), values.reshape(-1)
    for b in range(num_samples):
        for i in range(num_sources):
            point = (b * num_sources + i) * window
            first = i * size + np.uint64(starts[b, i])
            b_value = base[b, i]
            for j in range(num_targets):
                row = j * num_sources * size
                total = flat[row + (i + ONE) * size - ONE] * b_value
                for w in range(window):
                    total += flat[row + first + w] * given[point + w]
                outputs[b, j] += total


@njit(cache=True, nogil=True, error_model="numpy")
def contract_edges(
    starts: IndexArray, values: FloatArray, base: FloatArray, weights: FloatArray, outputs: FloatArray
) -> None:
    """Write φ_ji(x_bi) for every edge to `outputs` (B, J, I); the other shapes as in `contract`."""
    num_samples, num_sources, window = values.shape
    num_targets = outputs.shape[1]
    last = weights.shape[2] - 1
    for b in range(num_samples):
        for i in range(num_sources):
            start = starts[b, i]
            for j in range(num_targets):
                total = weights[j, i, last] * base[b, i]
                for w in range(window):
                    total += weights[j, i, start + w] * values[b, i, w]
                outputs[b, j, i] = total


@njit(cache=True, nogil=True, error_model="numpy")
def contract_backward(
    starts: IndexArray, values: FloatArray, base: FloatArray, deltas: FloatArray, gradient: FloatArray
) -> None:
    """Add the loss' gradient to `gradient` (J, I, K + 1), coefficients, then w.

    `deltas` (B, J) are the loss' derivatives with respect to the layer's outputs; the other shapes as in `contract`.
    """
    num_samples, num_sources, window = _shape_of(values)
    num_targets, size = np.uint64(deltas.shape[1]), np.uint64(gradient.shape[2])
    flat, given = gradient.reshape(-1), values.reshape(-1)
    for b in range(num_samples):
        for i in range(num_sources):
            point = (b * num_sources + i) * window
            first = i * size + np.uint64(starts[b, i])
            b_value = base[b, i]
            for j in range(num_targets):
                delta = deltas[b, j]
                row = j * num_sources * size
                flat[row + (i + ONE) * size - ONE] += delta * b_value
                for w in range(window):
                    flat[row + first + w] += delta * given[point + w]


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
def to_domain(x: FloatArray, low: FloatArray, high: FloatArray, domain: FloatArray) -> None:
    """Write u(x) to `domain` (B, I): each source's range from `low` to `high` (I,) mapped to [-1, 1]."""
    for b in range(x.shape[0]):
        for i in range(x.shape[1]):
            domain[b, i] = (x[b, i] + x[b, i] - (low[i] + high[i])) / (high[i] - low[i])


@njit(cache=True, nogil=True, error_model="numpy")
def backpropagate(
    starts: IndexArray,
    derivatives: FloatArray,
    base_derivatives: FloatArray,
    weights: FloatArray,
    scale: FloatArray,
    deltas: FloatArray,
    source_deltas: FloatArray,
) -> None:
    """Write Σ_j δ_bj φ'_ji(x_bi) to `source_deltas` (B, I).

    `derivatives` (B, I, W) are dB_k/du, `scale` (I,) is du/dx, `base_derivatives` (B, I) are b'(x), `deltas` (B, J);
    `weights` as in `contract`.
    """
    num_samples, num_sources, window = _shape_of(derivatives)
    num_targets, size = np.uint64(deltas.shape[1]), np.uint64(weights.shape[2])
    flat, given = weights.reshape(-1), derivatives.reshape(-1)
    for b in range(num_samples):
        for i in range(num_sources):
            point = (b * num_sources + i) * window
            first = i * size + np.uint64(starts[b, i])
            total = source_deltas.dtype.type(0.0)
            for j in range(num_targets):
                row = j * num_sources * size
                along = source_deltas.dtype.type(0.0)
                for w in range(window):
                    along += flat[row + first + w] * given[point + w]
                slope = along * scale[i] + flat[row + (i + ONE) * size - ONE] * base_derivatives[b, i]
                total += deltas[b, j] * slope
            source_deltas[b, i] = total


@njit(cache=True, nogil=True, error_model="numpy")
def spread_windows(starts: IndexArray, values: FloatArray, base: FloatArray, features: FloatArray) -> None:
    """Write all basis functions, zeros included, and then b(x) to `features` (B, I, K + 1); shapes as in `contract`."""
    num_samples, num_sources, window = _shape_of(values)
    size = np.uint64(features.shape[2])
    flat, given, firsts, of_base = features.reshape(-1), values.reshape(-1), starts.reshape(-1), base.reshape(-1)
    flat[:] = 0.0
    for n in range(num_samples * num_sources):
        first = n * size + np.uint64(firsts[n])
        for w in range(window):
            flat[first + w] = given[n * window + w]
        flat[(n + ONE) * size - ONE] = of_base[n]


@njit(cache=True, nogil=True, error_model="numpy")
def follow_windows(
    starts: IndexArray,
    derivatives: FloatArray,
    base_derivatives: FloatArray,
    pulls: FloatArray,
    scale: FloatArray,
    source_deltas: FloatArray,
) -> None:
    """Write Σ_k p_bik dB_k/dx + p_biK b'(x) to `source_deltas` (B, I), the pulls p (B, I, K + 1) on every feature."""
    num_samples, num_sources, window = _shape_of(derivatives)
    size = np.uint64(pulls.shape[2])
    flat, given = pulls.reshape(-1), derivatives.reshape(-1)
    for b in range(num_samples):
        for i in range(num_sources):
            n = b * num_sources + i
            first = n * size + np.uint64(starts[b, i])
            along = source_deltas.dtype.type(0.0)
            for w in range(window):
                along += flat[first + w] * given[n * window + w]
            source_deltas[b, i] = along * scale[i] + flat[(n + ONE) * size - ONE] * base_derivatives[b, i]


@njit(cache=True, nogil=True, error_model="numpy")
def edge_variances(
    starts: IndexArray,
    values: FloatArray,
    base: FloatArray,
    weights: FloatArray,
    means: FloatArray,
    variances: FloatArray,
) -> None:
    """Write mean and variance over samples of every φ_ji to `means` and `variances` (J, I); shapes as in `contract`."""
    num_samples, num_sources, window = values.shape
    last = weights.shape[2] - 1
    for j in range(weights.shape[0]):
        for i in range(num_sources):
            mean, spread = 0.0, 0.0
            for b in range(num_samples):
                start = starts[b, i]
                output = float(weights[j, i, last] * base[b, i])
                for w in range(window):
                    output += float(weights[j, i, start + w] * values[b, i, w])
                # Welford's update: no cancellation when the mean is large
                change = output - mean
                mean += change / (b + 1)
                spread += change * (output - mean)
            means[j, i], variances[j, i] = mean, spread / num_samples


@njit(cache=True, nogil=True, error_model="numpy")
def pull_spreads(
    starts: IndexArray,
    values: FloatArray,
    derivatives: FloatArray,
    base: FloatArray,
    base_derivatives: FloatArray,
    weights: FloatArray,
    scale: FloatArray,
    means: FloatArray,
    pulls: FloatArray,
    gradient: FloatArray,
    source_deltas: FloatArray,
) -> None:
    """Add the gradient of ½ Σ_ji pull_ji var(φ_ji) to `gradient` (J, I, K + 1) and `source_deltas` (B, I).

    `means` and `pulls` are (J, I); the other shapes as in `contract` and `backpropagate`.
    """
    num_samples, num_sources, window = values.shape
    last = weights.shape[2] - 1
    number = source_deltas.dtype.type
    for b in range(num_samples):
        for i in range(num_sources):
            start = starts[b, i]
            for j in range(weights.shape[0]):
                output = weights[j, i, last] * base[b, i]
                slope = number(0.0)
                for w in range(window):
                    output += weights[j, i, start + w] * values[b, i, w]
                    slope += weights[j, i, start + w] * derivatives[b, i, w]
                delta = number(pulls[j, i] * (output - means[j, i]) / num_samples)
                gradient[j, i, last] += delta * base[b, i]
                for w in range(window):
                    gradient[j, i, start + w] += delta * values[b, i, w]
                source_deltas[b, i] += delta * (slope * scale[i] + weights[j, i, last] * base_derivatives[b, i])


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


@njit(cache=True, nogil=True, error_model="numpy")
def mean_squared_error(outputs: FloatArray, targets: FloatArray, scale: FloatArray) -> float:
    """Return the mean of ((output - target)·scale)² for outputs (B, O) and `scale` (O,), summed in float64."""
    total = 0.0
    for b in range(outputs.shape[0]):
        for o in range(outputs.shape[1]):
            error = float((outputs[b, o] - targets[b, o]) * scale[o])
            total += error * error
    return total / outputs.size
