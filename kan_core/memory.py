"""How much memory training a network on a dataset takes at most.

Shape legend: B samples, I sources, K basis functions, P parameters.
"""

from __future__ import annotations

from kan_core.datasets import Dataset
from kan_core.features import BLOCK_BYTES, MAX_KEPT_BYTES
from kan_core.network import KAN

# the parameters, their gradient, what an optimizer remembers, and trial points; L-BFGS remembers most, 20 pairs
VECTORS = 48
# curvature, its damped copy and its factor
MATRICES = 3
NUMBER = 8


def training_bytes(network: KAN, dataset: Dataset, *, optimizer: str = "lm") -> int:
    """Return a bound in bytes: samples, node values, basis functions at them, and what the optimizer needs.

    Basis functions and their derivatives are kept up to a fixed size a layer and computed again beyond it, so memory
    grows with samples no faster than the data themselves.
    """
    num_train, num_test = len(dataset.train_inputs), len(dataset.test_inputs)
    columns = dataset.num_inputs + dataset.num_outputs
    total = NUMBER * (num_train + num_test) * 2 * columns
    for layer in network.layers:
        features = NUMBER * (layer.num_functions + 1) * layer.num_sources
        total += sum(min(2 * features * count, MAX_KEPT_BYTES) for count in (num_train, num_test)) + BLOCK_BYTES
        total += NUMBER * (num_train + num_test) * (layer.num_targets + 2 * layer.num_nodes)
    size = network.num_parameters
    total += NUMBER * VECTORS * size
    if optimizer != "adam" and optimizer != "lbfgs":
        total += NUMBER * MATRICES * size**2 + BLOCK_BYTES
    return total
