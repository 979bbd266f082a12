"""Adam (D. P. Kingma and J. Ba, arXiv 1412.6980, algorithm 1) on one flat vector."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from kan_core.bases.basis import FloatArray

DECAY_MEAN = 0.9
DECAY_SQUARE = 0.999
EPSILON = 1e-8


@dataclass(slots=True)
class AdamState:
    """Running means of the gradient and of its square (P,), and the number of steps taken."""

    mean: FloatArray
    square: FloatArray
    num_steps: int = 0


def adam_init(parameters: FloatArray) -> AdamState:
    """Return the state before the first step."""
    return AdamState(np.zeros_like(parameters), np.zeros_like(parameters))


def adam_step(parameters: FloatArray, gradient: FloatArray, state: AdamState, *, learning_rate: float) -> FloatArray:
    """Return the next parameters (P,) and advance `state`."""
    state.num_steps += 1
    first = learning_rate / (1.0 - DECAY_MEAN**state.num_steps)
    second = 1.0 / (1.0 - DECAY_SQUARE**state.num_steps)
    updated = np.empty_like(parameters)
    _update(parameters, gradient, state.mean, state.square, first, second, updated)
    return updated


@njit(cache=True, nogil=True, error_model="numpy")
def _update(
    parameters: FloatArray,
    gradient: FloatArray,
    mean: FloatArray,
    square: FloatArray,
    first: float,
    second: float,
    updated: FloatArray,
) -> None:
    for p in range(parameters.size):
        mean[p] += (1.0 - DECAY_MEAN) * (gradient[p] - mean[p])
        square[p] += (1.0 - DECAY_SQUARE) * (gradient[p] * gradient[p] - square[p])
        updated[p] = parameters[p] - first * mean[p] / (np.sqrt(second * square[p]) + EPSILON)
