"""How far scaled outputs are from targets: mean squared error, or cross-entropy of logits.

Shape legend: B samples, O outputs.
"""

from __future__ import annotations

import numpy as np

from kan_core import kernels
from kan_core.bases.basis import FloatArray

SMALLEST_CURVATURE = 1e-8


def data_loss(task: str, outputs: FloatArray, targets: FloatArray) -> float:
    """Return the loss of outputs and targets (O, B) for the task "regression" or "classification"."""
    if task == "regression":
        return kernels.mean_squared_error(outputs, targets)
    # log(1 + e^-|z|) + max(z, 0) - z t never overflows
    return float((np.logaddexp(0.0, outputs) - outputs * targets).mean())


def loss_deltas(task: str, outputs: FloatArray, targets: FloatArray) -> FloatArray:
    """Return the derivatives of the loss with respect to the outputs (O, B)."""
    if task == "regression":
        return (2.0 / outputs.size) * (outputs - targets)
    return (sigmoid(outputs) - targets) / outputs.dtype.type(outputs.size)


def loss_curvature(task: str, outputs: FloatArray) -> FloatArray:
    """Return the second derivatives of the loss with respect to each output (O, B), kept off 0."""
    if task == "regression":
        return np.full(outputs.shape, 2.0 / outputs.size)
    probability = sigmoid(outputs.astype(np.float64))
    return np.maximum(probability * (1 - probability), SMALLEST_CURVATURE) / outputs.size


def root_mean_error(task: str, outputs: FloatArray, targets: FloatArray, scale: FloatArray) -> float:
    """Return the root mean square error in units of the targets, `scale` (O,) being theirs, or of probabilities."""
    if task == "regression":
        return kernels.root_mean_squared_error(outputs, targets, scale)
    return float(np.sqrt(np.square(sigmoid(outputs) - targets).mean(dtype=np.float64)))


def sigmoid(z: FloatArray) -> FloatArray:
    """Return 1 / (1 + e^-z), which never overflows."""
    return 0.5 * (1.0 + np.tanh(0.5 * z))
