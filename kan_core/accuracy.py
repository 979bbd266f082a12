"""How far a network is from targets.

Shape legend: B samples, I inputs, J outputs.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from kan_core.bases.basis import FloatArray
from kan_core.network import KAN


@torch.no_grad()
def measure_errors(network: KAN, inputs: Tensor, targets: Tensor, task: str) -> FloatArray:
    """Return the size of the error at every one of inputs (B, I) and targets (B, J), in the units of the targets.

    For the task "classification" it is that of the probability.
    """
    outputs = network(inputs)
    if task == "classification":
        outputs = torch.sigmoid(outputs)
    return (outputs.double() - targets.double()).abs().numpy()


def measure_rmse(network: KAN, inputs: Tensor, targets: Tensor, task: str) -> float:
    """Return the root mean square error at inputs (B, I) in the units of targets (B, J), of probabilities if classes.

    It is infinite when an output is not a finite number.
    """
    return root_mean_square(measure_errors(network, inputs, targets, task))


def root_mean_square(errors: FloatArray) -> float:
    """Return the root of the mean of the squares of sizes of errors, infinite when one of them is not finite."""
    largest = float(errors.max())
    if not math.isfinite(largest):
        return math.inf
    # very large or small numbers have no square
    return largest * float(np.sqrt(np.square(errors / largest).mean())) if largest > 0 else 0.0
