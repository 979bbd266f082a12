"""One fit of the recipe: a network, the samples it learns from, and the samples that judge it.

Shape legend: B samples, I inputs, J outputs.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from kan_core.bases.basis import FloatArray
from kan_core.datasets import Dataset
from kan_core.grids import fit_ranges
from kan_core.network import KAN
from kan_core.optimizers.lbfgs import LBFGSState, lbfgs_step
from kan_core.optimizers.levenberg_marquardt import LevenbergMarquardtState, is_affordable, levenberg_marquardt_step
from kan_core.optimizers.objective import NetworkObjective
from kan_core.optimizers.smoothing import SmoothedObjective, curve_widths

HELD_OUT = 0.2
# fewer samples than this are all needed to learn from
FEWEST_TO_SPLIT = 20
RANGE_CHECK_INTERVAL = 10
# ends of a range that are nearer than this share of its width to where they should be stay, while a fit is under way
RANGE_TOLERANCE = 0.15
# a step of L-BFGS knows one direction where one of Levenberg-Marquardt knows all
LBFGS_STEPS = 10
# before the outputs have a shape, edges have no share in it, and a penalty can hold the network at a constant
SPARSITY_DELAY = 5
PATIENCE = 8
MOVE_COST = 100.0
SMALLEST_SHARE = 1e-6
NUM_SLOPES = 30


class Fit:
    """Trains a copy of `network` on the train samples of `dataset`, judged by its test samples, one step a call.

    A step is one of Levenberg-Marquardt where that is affordable, otherwise `LBFGS_STEPS` of L-BFGS. Hidden ranges
    follow what `inputs` (B, I), the train inputs when left out, send there. A network that `is_formed` has curves to
    stay as smooth as they are (`smoothing.curve_widths`). All are in float64.
    """

    def __init__(
        self,
        network: KAN,
        dataset: Dataset,
        *,
        inputs: Tensor | None = None,
        l1: float = 0.0,
        entropy: float = 0.0,
        is_formed: bool = False,
    ) -> None:
        self.dataset = dataset
        self.l1, self.entropy = l1, entropy
        self.losses: list[float] = []
        self._inputs = dataset.train_inputs if inputs is None else inputs
        self._lm, self._lbfgs = LevenbergMarquardtState(), LBFGSState()
        self._is_moving = True
        self._moved_at = 0
        self._widths: list[FloatArray] | None = None
        self._adopt(network)
        if is_formed:
            self._widths = curve_widths(network, loss=self.objective)
            self._adopt(network)

    @property
    def network(self) -> KAN:
        """The network as it stands."""
        return self._objective.network

    @property
    def uses_lm(self) -> bool:
        """Whether steps are those of Levenberg-Marquardt."""
        return is_affordable(self._objective.num_parameters, self.dataset.train_targets.numel())

    @property
    def objective(self) -> float:
        """The loss that steps lower, sparsity included."""
        return self._objective.loss(self._objective.parameters)

    def step(self) -> None:
        """Do one step."""
        is_due = len(self.losses) >= SPARSITY_DELAY
        self._objective.l1, self._objective.entropy = (self.l1, self.entropy) if is_due else (0.0, 0.0)
        self._smoothed.weigh()
        parameters = self._objective.parameters
        if not len(parameters):
            self._is_moving = False
        elif self.uses_lm:
            parameters, _, self._lm = levenberg_marquardt_step(self._smoothed, parameters, self._lm)
            self._is_moving = self._lm.accepted
        else:
            for _ in range(LBFGS_STEPS):
                parameters, _, self._lbfgs = lbfgs_step(self._smoothed, parameters, self._lbfgs)
            self._is_moving = self._lbfgs.accepted
        self._objective.set_parameters(parameters)
        self.losses.append(self.objective)
        if len(self.losses) % RANGE_CHECK_INTERVAL == 0 and self._has_left_ranges():
            self.follow_nodes(tolerance=RANGE_TOLERANCE)

    def has_settled(self, decrease: float) -> bool:
        """Return whether no step lowers the loss, or the last few together not by the share `decrease`."""
        if not self._is_moving:
            return True
        is_early = len(self.losses) - max(self._moved_at, SPARSITY_DELAY) <= PATIENCE
        return not is_early and self.losses[-1 - PATIENCE] - self.losses[-1] < decrease * abs(self.losses[-1])

    def follow_nodes(self, *, tolerance: float) -> None:
        """Fit the hidden ranges to what arrives there, unless the grid cannot carry the curves along at all.

        Beyond its range a curve is straight. What a move costs at first is soon won back, since samples that arrive
        out there, where data are thin anyway, are then within reach of a curve that bends.
        """
        moved = fit_ranges(self.network, self._inputs, tolerance=tolerance)
        before, smoothed, loss = self._objective, self._smoothed, self.objective
        self._adopt(moved)
        if self.objective <= MOVE_COST * loss:
            self._lm, self._lbfgs = replace(self._lm, growth=2.0), LBFGSState()
            self._moved_at = len(self.losses)
        else:
            self._objective, self._smoothed = before, smoothed

    def _has_left_ranges(self) -> bool:
        for layer, values in zip(self.network.layers[1:], self._objective.train_nodes()[1:-1], strict=True):
            low, high = layer.low.numpy(), layer.high.numpy()
            least, most = values.min(axis=1), values.max(axis=1)
            if bool(((least < low) | (most > high) | (most - least < 0.5 * (high - low))).any()):
                return True
        return False

    def _adopt(self, network: KAN) -> None:
        penalty = (self._objective.l1, self._objective.entropy) if self.losses else (0.0, 0.0)
        self._objective = NetworkObjective(network.copy(), self.dataset, l1=penalty[0], entropy=penalty[1])
        num_residuals = self.dataset.train_targets.numel()
        self._smoothed = SmoothedObjective(self._objective, num_residuals=num_residuals, widths=self._widths)


def mean_error(dataset: Dataset) -> float:
    """Return the root mean square error on the training samples of predicting each target's mean."""
    targets = dataset.train_targets.double()
    deviations = targets - targets.mean(dim=0)
    largest = float(deviations.abs().max())
    return largest * float((deviations / largest).square().mean().sqrt()) if largest > 0 else 0.0


@torch.no_grad()
def calibrate(network: KAN, dataset: Dataset) -> KAN:
    """Return a copy whose outputs are scaled and shifted to fit the training targets best, so no worse than their mean.

    For classes the outputs are log-odds, and best is the smallest error of the probabilities. Output scales stay
    positive, if by a millionth of the targets' spread.
    """
    calibrated = network.copy()
    outputs, targets = network(dataset.train_inputs).double(), dataset.train_targets.double()
    fit = _fit_log_odds if dataset.task == "classification" else _fit_values
    slope, shift = fit(outputs, targets)
    calibrated.output_scale.mul_(slope)
    calibrated.output_shift.copy_(slope * network.output_shift.double() + shift)
    return calibrated


def _fit_values(outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Return slopes and shifts (J,) by least squares."""
    deviations, wanted = outputs - outputs.mean(dim=0), targets - targets.mean(dim=0)
    power = deviations.square().mean(dim=0)
    floor = SMALLEST_SHARE * wanted.square().mean(dim=0).sqrt() / power.sqrt()
    slope = torch.maximum((deviations * wanted).mean(dim=0) / power, floor)
    slope = torch.where(torch.isfinite(slope) & (slope > 0), slope, SMALLEST_SHARE * torch.ones_like(slope))
    return slope, targets.mean(dim=0) - slope * outputs.mean(dim=0)


def _fit_log_odds(outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Return slopes, of some down to nearly 0, and shifts (J,) that make the error of the probabilities smallest."""
    slopes, shifts = [], []
    for values, wanted in zip(outputs.unbind(1), targets.unbind(1), strict=True):
        spread = float(values.std()) or 1.0
        odds = torch.special.logit(wanted.mean(), eps=SMALLEST_SHARE)
        found: list[tuple[float, float, float]] = []
        for slope in np.geomspace(SMALLEST_SHARE, 1.0, NUM_SLOPES).tolist():
            scaled = slope / spread * (values - values.mean())
            error = float((torch.sigmoid(scaled + odds) - wanted).square().mean())
            found.append((error, slope / spread, float(odds - slope / spread * values.mean())))
        _, slope, shift = min(found)
        slopes.append(slope)
        shifts.append(shift)
    return torch.tensor(slopes, dtype=torch.float64), torch.tensor(shifts, dtype=torch.float64)


def hold_out(dataset: Dataset, *, seed: int) -> Dataset | None:
    """Return the training samples alone, `HELD_OUT` of them, drawn with `seed`, as the ones that test.

    None when there are too few to spare any.
    """
    num_samples = len(dataset.train_inputs)
    if num_samples < FEWEST_TO_SPLIT:
        return None
    order = torch.from_numpy(np.random.default_rng(seed).permutation(num_samples))
    num_held = round(HELD_OUT * num_samples)
    return choose_samples(dataset, order[num_held:], order[:num_held])


def choose_samples(dataset: Dataset, train: Tensor, test: Tensor) -> Dataset:
    """Return the training samples of two sets of indices as those to train on and those to test."""
    return replace(
        dataset,
        train_inputs=dataset.train_inputs[train],
        train_targets=dataset.train_targets[train],
        test_inputs=dataset.train_inputs[test],
        test_targets=dataset.train_targets[test],
    )
