"""Taking constants of formulas for the nice numbers that they are, as long as held-out samples do not object."""

from __future__ import annotations

import enum
import math
import time
from dataclasses import dataclass

import torch

from kan_core.datasets import Dataset
from kan_core.network import KAN, EdgeId
from kan_core.symbolic.constants import Constant, can_hold, constants_of, hold_conventions, snap_constant
from kan_core.symbolic.held_out import HeldOut, judged_normal_form
from kan_core.symbolic.nice_numbers import NiceForm
from kan_core.symbolic.refit import refit

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

    It is brought into normal form and trained to its minimum, unless held-out samples object to that. Then, the
    shortest form first, constants are held at the nice number that they are within three standard errors of, one at a
    time, and the others fitted anew; a constant is let go when the loss on the test samples rises by more than twice
    the standard error of the paired difference. Constants that were held before stay. After `seconds` no other is
    tried.
    """
    deadline = time.monotonic() + seconds
    data = dataset.to_dtype(torch.float64)
    start = _start(network.copy().to(torch.float64), data)
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


def _start(given: KAN, dataset: Dataset) -> KAN:
    """Return the network in normal form and at its minimum, or short of what held-out samples object to."""
    judge = HeldOut(given, dataset)
    # as it comes its nodes are of sizes that steps are made for
    near = refit_fully(given, dataset)
    formed = hold_conventions(judged_normal_form(near if judge.allows(near) else given, dataset))
    fitted = refit_fully(formed, dataset)
    return fitted if judge.allows(fitted) else formed


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
