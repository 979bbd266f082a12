"""Adam (D. P. Kingma and J. Ba, arXiv 1412.6980, algorithm 1) on one flat vector."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from kan_core.bases.basis import FloatArray, IndexArray

DECAY_MEAN = 0.9
DECAY_SQUARE = 0.999
EPSILON = 1e-8
# how many steps of a new state the gradients from before an edit count for
CARRIED_STEPS = 10


@dataclass(slots=True)
class AdamState:
    """Running means of the gradient and of its square (P,), and the number of steps taken.

    `scales` (P,) are the lengths in which each parameter is measured: a step changes it by about the learning rate
    times its scale.
    """

    mean: FloatArray
    square: FloatArray
    scales: FloatArray
    num_steps: int = 0


def adam_init(parameters: FloatArray, *, scales: FloatArray | None = None) -> AdamState:
    """Return the state before the first step; `scales` are 1 when left out."""
    chosen = np.ones_like(parameters) if scales is None else scales
    return AdamState(np.zeros_like(parameters), np.zeros_like(parameters), chosen)


def adam_carry(state: AdamState, groups: IndexArray, *, into: AdamState, into_groups: IndexArray) -> AdamState:
    """Return the new state `into` with the gradient's size, but not its direction, as `state` knew it before an edit.

    A state that knows nothing begins with steps as long as the learning rate in every parameter, all at once, which
    throws away what was learnt. Parameters have no counterparts across an edit, so each takes the largest mean square
    of its group: `groups` (P,) and `into_groups` (P',) number them, those without one take the largest of all. Steps
    are short at first and soon follow what gradients are from now on.
    """
    usual = state.square / max(1.0 - DECAY_SQUARE**state.num_steps, EPSILON)
    largest = float(usual.max(initial=0.0))
    if largest == 0.0:
        return into
    square = np.full_like(into.square, largest)
    for group in np.unique(into_groups):
        of_group = float(usual[groups == group].max(initial=0.0))
        square[into_groups == group] = of_group if of_group > 0.0 else largest
    square *= 1.0 - DECAY_SQUARE**CARRIED_STEPS
    return AdamState(into.mean, square, into.scales, CARRIED_STEPS)


def adam_step(parameters: FloatArray, gradient: FloatArray, state: AdamState, *, learning_rate: float) -> FloatArray:
    """Return the next parameters (P,) and advance `state`."""
    state.num_steps += 1
    first = learning_rate / (1.0 - DECAY_MEAN**state.num_steps)
    second = 1.0 / (1.0 - DECAY_SQUARE**state.num_steps)
    updated = np.empty_like(parameters)
    _update(parameters, gradient, state.mean, state.square, state.scales, first, second, updated)
    return updated


@njit(cache=True, nogil=True, error_model="numpy")
def _update(
    parameters: FloatArray,
    gradient: FloatArray,
    mean: FloatArray,
    square: FloatArray,
    scales: FloatArray,
    first: float,
    second: float,
    updated: FloatArray,
) -> None:
    for p in range(parameters.size):
        slope = scales[p] * gradient[p]
        mean[p] += (1.0 - DECAY_MEAN) * (slope - mean[p])
        square[p] += (1.0 - DECAY_SQUARE) * (slope * slope - square[p])
        updated[p] = parameters[p] - scales[p] * (first * mean[p] / (np.sqrt(second * square[p]) + EPSILON))
