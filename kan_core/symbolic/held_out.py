"""Whether held-out samples object to a network that came of another one.

Shape legend: B samples, J outputs.
"""

from __future__ import annotations

import math

import numpy as np
import torch

from kan_core.bases.basis import FloatArray
from kan_core.datasets import Dataset
from kan_core.network import KAN
from kan_core.symbolic.constants import ROUNDING
from kan_core.symbolic.normal_form import normal_form

# standard errors by which the mean of the held-out losses may rise
NOISE = 2.0


def judged_normal_form(network: KAN, dataset: Dataset) -> KAN:
    """Return the normal form on the samples of `dataset`, or the network itself where held-out ones object to it.

    Network and dataset are in float64.
    """
    formed = normal_form(network, torch.cat([dataset.train_inputs, dataset.test_inputs]))
    return formed if HeldOut(network, dataset).allows(formed) else network


class HeldOut:
    """Judges networks by their losses on the test samples, beside those of the network at the start."""

    def __init__(self, network: KAN, dataset: Dataset) -> None:
        self._dataset = dataset
        # in one unit for all networks: a product's may be carried by its factors
        self._scale = network.output_scale.clone()
        self._losses = self._measure(network)
        scaled = dataset.test_targets / self._scale
        self._floor = (ROUNDING * float(scaled.std(dim=0, correction=0).max())) ** 2

    @torch.no_grad()
    def _measure(self, network: KAN) -> FloatArray:
        """Return the loss of each test sample: squared errors of scaled targets, or cross-entropies."""
        outputs, targets = network(self._dataset.test_inputs), self._dataset.test_targets
        if self._dataset.task == "classification":
            losses = torch.nn.functional.binary_cross_entropy_with_logits(outputs, targets, reduction="none")
        else:
            losses = ((outputs - targets) / self._scale).square()
        return losses.mean(dim=1).numpy()

    def allows(self, network: KAN) -> bool:
        """Return whether the losses are no higher than those at the start, to within noise or to rounding."""
        losses = self._measure(network)
        if not np.isfinite(losses).all():
            return False
        if self._dataset.task == "regression" and float(losses.mean()) <= self._floor:
            return True
        if not np.isfinite(self._losses).all():
            return True
        rise = losses - self._losses
        # what rounding adds to errors raises their squares by as much as these are large
        rounding = 2.0 * math.sqrt(self._floor * float(self._losses.mean()))
        return float(rise.mean()) <= NOISE * float(rise.std()) / math.sqrt(len(rise)) + rounding
