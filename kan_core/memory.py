"""How much memory training a network on a dataset takes at most.

Shape legend: B samples, I sources, S rows of sums, J nodes, K basis functions, O outputs, P parameters.
"""

from __future__ import annotations

import torch

from kan_core.datasets import Dataset
from kan_core.features import BLOCK_BYTES, MAX_KEPT_BYTES
from kan_core.layer import KANLayer
from kan_core.least_squares import MANY_FUNCTIONS, POINTS_PER_FUNCTION, is_banded
from kan_core.least_squares import MAX_KEPT_BYTES as MAX_MATRIX_BYTES
from kan_core.network import KAN
from kan_core.optimizers.levenberg_marquardt import is_affordable

# vectors of all parameters: the network's, their places, the gradient, what an optimizer remembers, trial points;
# L-BFGS remembers 20 pairs
VECTORS = {"adam": 16, "lbfgs": 56, "lm": 24}
# curvature, that of the samples at hand, its damped copy and its factor, one more with a penalty
MATRICES = 5
# features, their slopes and two products of either with weights
BLOCKS = 4
# the function values at the points of a fit, what singular values are made of, and two matrices that are kept
FIT_MATRICES, KEPT_MATRICES = 3, 2
# the objective that trains and the one on moved ranges; the recipe's finalists
NUM_OBJECTIVES = {"adam": 2, "lbfgs": 2, "lm": 2, "auto": 4}
NUMBER = 8


def training_bytes(network: KAN, dataset: Dataset, *, optimizer: str = "lm") -> int:
    """Return a bound in bytes of what training adds to network and dataset, at the network's present grid.

    Basis functions and their derivatives are kept up to a fixed size a layer and computed again beyond it, so memory
    grows with samples no faster than the data and node values themselves. Levenberg-Marquardt counts only where it is
    not left to L-BFGS.
    """
    dtype = torch.promote_types(network.dtype, dataset.train_inputs.dtype) if optimizer == "adam" else torch.float64
    number = dtype.itemsize
    num_train, num_test = len(dataset.train_inputs), len(dataset.test_inputs)
    columns = dataset.num_inputs + dataset.num_outputs
    of_samples = number * (num_train + num_test) * columns
    for layer in network.layers:
        of_samples += _kept(layer, num_train, number, with_slopes=True) + _kept(layer, num_test, number)
        of_samples += number * (num_train + num_test) * (layer.num_targets + layer.num_nodes)
    # deltas of two layers, and samples in another type or order on their way
    passing = number * num_train * 2 * max(layer.num_targets + layer.num_sources for layer in network.layers)
    passing += number * (num_train + num_test) * columns
    total = NUM_OBJECTIVES[optimizer] * of_samples + passing
    total += BLOCKS * max(_block(layer, max(num_train, num_test), number) for layer in network.layers)
    size = network.num_parameters
    uses_lm = optimizer in ("lm", "auto") and is_affordable(size, dataset.train_targets.numel())
    places = sum((layer.num_functions + 5) * layer.base_weights.numel() for layer in network.layers)
    total += NUMBER * VECTORS["adam" if optimizer == "adam" else "lm" if uses_lm else "lbfgs"] * places
    if uses_lm:
        total += NUMBER * MATRICES * size**2 + _sensitivities(network, dataset)
    return total + _fits(network)


def _kept(layer: KANLayer, num_samples: int, number: int, *, with_slopes: bool = False) -> int:
    """Return what the features of samples take while they are kept, with their slopes or without."""
    features = number * (layer.num_functions + 1) * layer.num_sources * num_samples
    if 2 * features > MAX_KEPT_BYTES:
        return 0
    return features * 2 if with_slopes else features


def _block(layer: KANLayer, num_samples: int, number: int) -> int:
    """Return what one number for each feature, or each edge if these are more, takes of a block of samples."""
    one = number * max(layer.num_functions + 1, layer.num_targets) * layer.num_sources
    return min(max(BLOCK_BYTES, 64 * one), one * num_samples)


def _sensitivities(network: KAN, dataset: Dataset) -> int:
    """Return what the derivatives of outputs by sums, and a block of those by parameters, take."""
    num_outputs, num_samples = dataset.num_outputs, len(dataset.train_inputs)
    rows = sum(layer.num_targets for layer in network.layers) + max(network.widths)
    row = NUMBER * network.num_parameters * num_outputs
    block = min(max(BLOCK_BYTES, 64 * row), row * num_samples)
    return NUMBER * num_outputs * num_samples * rows + 2 * block


def _fits(network: KAN) -> int:
    """Return what it takes to carry curves to other ranges, and what is kept of it for the next time."""
    bases = {basis for layer in network.layers for basis in layer.bases}
    sizes = {basis: NUMBER * POINTS_PER_FUNCTION * basis.num_functions**2 for basis in bases}
    kept = sum(KEPT_MATRICES * size for basis, size in sizes.items() if not is_banded(basis))
    work = max(size * (1 if is_banded(basis) else FIT_MATRICES) for basis, size in sizes.items())
    if max(basis.num_functions for basis in bases) <= MANY_FUNCTIONS:
        # arrays of all knots, for each degree
        work *= 2
    return min(kept, MAX_MATRIX_BYTES) + work
