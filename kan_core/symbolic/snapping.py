"""Taking constants of formulas for the nice numbers that they are, as long as held-out samples do not object."""

from __future__ import annotations

import enum
import math
import time
from dataclasses import dataclass

import numpy as np
import torch

from kan_core.bases.basis import FloatArray
from kan_core.datasets import Dataset
from kan_core.network import KAN, EdgeId
from kan_core.symbolic.constants import ROUNDING, Constant, can_hold, constants_of, hold_conventions, snap_constant
from kan_core.symbolic.nice_numbers import NiceForm
from kan_core.symbolic.normal_form import normal_form
from kan_core.symbolic.refit import refit

# standard errors by which the mean of the held-out losses may rise
NOISE = 2.0
# enough for a network that was trained; a bare formula takes some more to reach its minimum
REFIT_STEPS = 40
SETTLED = 1e-6


class Verdict(enum.Enum):
    """What became of a constant."""

    SNAPPED = "snapped"
    NO_NICE_NUMBER = "no nice number lies within its error"
    LOSS_ROSE = "the held-out loss rose"
    MOVES_WITH_A = "it moves with a, which is free"
    NO_TIME = "the time was over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snap:
    """What became of one constant, with the form it was held at, or at which the held-out loss rose."""

    constant: Constant
    verdict: Verdict
    form: NiceForm | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapping:
    """A network in normal form with nice constants held, and what became of every constant that was free."""

    network: KAN
    snaps: tuple[Snap, ...]

    @property
    def snapped(self) -> tuple[Snap, ...]:
        """Those that are held now."""
        return tuple(one for one in self.snaps if one.verdict is Verdict.SNAPPED)


def snap_constants(network: KAN, dataset: Dataset) -> tuple[KAN, tuple[Snap, ...]]:
    """Return the network of `find_snaps` and what was snapped in it."""
    found = find_snaps(network, dataset)
    return found.network, found.snapped


def find_snaps(network: KAN, dataset: Dataset, *, seconds: float = math.inf) -> Snapping:
    """Return a network, in float64, whose constants are nice numbers wherever that costs nothing, the rest refitted.

    It is brought into normal form and trained to its minimum. Then, the shortest form first, constants are held at
    the nice number that they are within three standard errors of, one at a time, and the others fitted anew; a
    constant is let go when the loss on the test samples rises by more than twice the standard error of the paired
    difference. Constants that were held before stay. After `seconds` no other is tried.
    """
    deadline = time.monotonic() + seconds
    data = dataset.to_dtype(torch.float64)
    start = refit_fully(hold_conventions(normal_form(network.copy().to(torch.float64))), data)
    judge = HeldOut(start, data)
    present, refused = start, dict[tuple[EdgeId, str], list[Snap]]()
    snapped: list[Snap] = []
    while True:
        proposal = _next_proposal(_open_constants(present, data), refused)
        if proposal is None or proposal.form is None or time.monotonic() > deadline:
            break
        tried = refit_fully(snap_constant(present, proposal.edge, proposal.name, value=proposal.form.value), data)
        if judge.allows(tried):
            present = tried
            snapped.append(Snap(constant=proposal, verdict=Verdict.SNAPPED, form=proposal.form))
        else:
            place = proposal.edge, proposal.name
            refused.setdefault(place, []).append(Snap(constant=proposal, verdict=Verdict.LOSS_ROSE, form=proposal.form))
    left = [one for one in constants_of(present, data) if not (one.is_snapped or one.is_locked)]
    others = [_left_free(present, one, refused.get((one.edge, one.name), [])) for one in left]
    return Snapping(network=present, snaps=(*snapped, *others))


def refit_fully(network: KAN, dataset: Dataset) -> KAN:
    """Return a copy at the minimum nearby, as errors of constants take it to be."""
    return refit(network, dataset, max_steps=REFIT_STEPS, settled=SETTLED)


def _open_constants(network: KAN, dataset: Dataset) -> list[Constant]:
    """Return the constants that may be held as the network stands."""
    free = (one for one in constants_of(network, dataset) if not (one.is_snapped or one.is_locked))
    return [one for one in free if can_hold(network, one.edge, one.name)]


def _next_proposal(constants: list[Constant], refused: dict[tuple[EdgeId, str], list[Snap]]) -> Constant | None:
    """Return the free constant whose form is the shortest of those that were not refused."""
    open_ones = [
        one
        for one in constants
        if one.form is not None
        and all(
            snap.form is None or snap.form.value != one.form.value for snap in refused.get((one.edge, one.name), [])
        )
    ]
    return min(open_ones, key=lambda one: (one.form.bits if one.form else math.inf, one.edge, one.name), default=None)


def _left_free(network: KAN, constant: Constant, refusals: list[Snap]) -> Snap:
    if constant.form is not None and not can_hold(network, constant.edge, constant.name):
        return Snap(constant=constant, verdict=Verdict.MOVES_WITH_A, form=constant.form)
    if constant.form is not None and all(snap.form != constant.form for snap in refusals):
        return Snap(constant=constant, verdict=Verdict.NO_TIME)
    if refusals:
        return Snap(constant=constant, verdict=Verdict.LOSS_ROSE, form=refusals[-1].form)
    return Snap(constant=constant, verdict=Verdict.NO_NICE_NUMBER)


class HeldOut:
    """Judges networks by their losses on the test samples, beside those of the network at the start."""

    def __init__(self, network: KAN, dataset: Dataset) -> None:
        self._dataset = dataset
        self._losses = self._measure(network)
        scaled = dataset.test_targets / network.output_scale
        self._floor = (ROUNDING * float(scaled.std(dim=0, correction=0).max())) ** 2

    @torch.no_grad()
    def _measure(self, network: KAN) -> FloatArray:
        """Return the loss of each test sample: squared errors of scaled targets, or cross-entropies."""
        outputs, targets = network(self._dataset.test_inputs), self._dataset.test_targets
        if self._dataset.task == "classification":
            losses = torch.nn.functional.binary_cross_entropy_with_logits(outputs, targets, reduction="none")
        else:
            losses = ((outputs - targets) / network.output_scale).square()
        return losses.mean(dim=1).numpy()

    def allows(self, network: KAN) -> bool:
        """Return whether the losses are no higher than those at the start, to within noise or to rounding."""
        losses = self._measure(network)
        if not np.isfinite(losses).all():
            return False
        if self._dataset.task == "regression" and float(losses.mean()) <= self._floor:
            return True
        rise = losses - self._losses
        return float(rise.mean()) <= NOISE * float(rise.std()) / math.sqrt(len(rise))
