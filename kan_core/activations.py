"""The fixed nonlinearities σ of perceptrons: value and derivative, and torch's own module.

Shape legend: any shape in, the same out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from scipy.special import erf
from torch import nn

from kan_core.bases.basis import FloatArray

# value and derivative at z
Activation = Callable[[FloatArray], tuple[FloatArray, FloatArray]]
LEAK = 0.01


def _relu(z: FloatArray) -> tuple[FloatArray, FloatArray]:
    return np.maximum(z, 0.0), (z > 0).astype(z.dtype)


def _leaky_relu(z: FloatArray) -> tuple[FloatArray, FloatArray]:
    return np.where(z > 0, z, LEAK * z), np.where(z > 0, 1.0, LEAK).astype(z.dtype)


def _sigmoid(z: FloatArray) -> tuple[FloatArray, FloatArray]:
    value = 0.5 * (1.0 + np.tanh(0.5 * z))
    return value, value * (1.0 - value)


def _silu(z: FloatArray) -> tuple[FloatArray, FloatArray]:
    sigmoid = 0.5 * (1.0 + np.tanh(0.5 * z))
    return z * sigmoid, sigmoid * (1.0 + z * (1.0 - sigmoid))


def _tanh(z: FloatArray) -> tuple[FloatArray, FloatArray]:
    value = np.tanh(z)
    return value, 1.0 - value * value


def _gelu(z: FloatArray) -> tuple[FloatArray, FloatArray]:
    """z Φ(z) with Φ the normal distribution (D. Hendrycks and K. Gimpel, arXiv 1606.08415)."""
    share = 0.5 * (1.0 + erf(z / math.sqrt(2.0)))
    return z * share, share + z * np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)


ACTIVATIONS: Mapping[str, tuple[Activation, Callable[[], nn.Module]]] = MappingProxyType(
    {
        "relu": (_relu, nn.ReLU),
        "leaky_relu": (_leaky_relu, lambda: nn.LeakyReLU(LEAK)),
        "gelu": (_gelu, nn.GELU),
        "silu": (_silu, nn.SiLU),
        "tanh": (_tanh, nn.Tanh),
        "sigmoid": (_sigmoid, nn.Sigmoid),
    }
)
