"""The recipe's second stage: finer and finer grids, until the error on held-out samples says stop."""

from __future__ import annotations

import math

import torch

from kan_core.errors import SpecError
from kan_core.fitting import Fit
from kan_core.grids import refine
from kan_core.network import KAN
from kan_core.starts import Judge, say_size

TRAIN_STEPS = 100
SETTLED = 0.01
# a finer grid has to lower the error at least to this share of what it was
IMPROVEMENT = 0.95
# a few samples in gaps of the data can carry the whole error; while the middle one falls to this share of what it was,
# curves still gain nearly everywhere, and the next grid is looked at before the verdict
LOOK_AHEAD = 0.5
# relative to the spread of the targets, what double precision leaves of a sum of curves
ROUNDING = 1e-10
SAMPLES_PER_PARAMETER = 2.0
# ranges drift while curves form; before they are trained to the end they are put right, as the effective resolution of
# a hidden grid is that of the part of it that is in use
RANGE_TOLERANCE = 0.005
# the first grid and the next one
GRIDS_OF_FINALISTS = 2


class Finals:
    """Refines several networks once, then only the one with the smallest error, by the rules of `Refinement`.

    `networks` are given by the names that sentences call them, best first.
    Of deep networks the error on the coarse grid does not yet tell who is good: curves with a fold that the grid
    blurs lead there, and fall behind on the next. On exp(½(sin π(x₁²+x₂²) + sin π(x₃²+x₄²))) with [4,4,2,1] and seeds
    2 and 100, the best of three at 5 intervals ended at test errors of 4e-4 and 2e-4, the best at 10 intervals at
    2e-6 and 2e-5.
    """

    def __init__(
        self, networks: dict[str, KAN], judge: Judge, *, l1: float, entropy: float, grids: tuple[int, ...] | None
    ) -> None:
        self._judge = judge
        self._all = {
            name: Refinement(network, judge, l1=l1, entropy=entropy, grids=grids) for name, network in networks.items()
        }
        self._waiting = list(self._all)
        self._chosen = self._all[self._waiting[0]] if len(self._all) == 1 else None

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to refine."""
        return self._chosen is not None and self._chosen.is_done

    @property
    def current(self) -> Refinement:
        """The refinement under way."""
        return self._chosen or self._all[self._waiting[0]]

    @property
    def candidates(self) -> list[KAN]:
        """The networks that may still be the best: of every refinement the kept one and the one in training."""
        under_way = list(self._all.values()) if self._chosen is None else [self._chosen]
        return [network for refinement in under_way for network in refinement.candidates]

    def step(self) -> str:
        """Do one step and return what there is to say."""
        current = self.current
        sentence = current.step()
        if self._chosen is not None or not sentence:
            return sentence
        sentence = f"{self._waiting[0]}: {sentence}"
        if current.is_done or current.num_grids > GRIDS_OF_FINALISTS:
            self._waiting.pop(0)
        return sentence if self._waiting else f"{sentence} {self._choose()}"

    def _choose(self) -> str:
        name, chosen = min(self._all.items(), key=_error_of)
        self._chosen, self._all = chosen, {}
        return f"{name} is ahead now ({self._judge.name} {chosen.error:.2g}) and goes on alone."


class Refinement:
    """Trains a network on its grid, then on finer ones, and keeps the last that lowered the judge's error.

    Without `grids` the size doubles: knot insertion keeps the curves exactly, so that each grid begins where the one
    before ended, give or take what it costs to put hidden ranges right, which its first steps win back. A size that is
    no multiple of the one before begins with the nearest curves in least squares, whose error is of the order of what
    the coarser grid left over anyway. What is kept is always the network with the smallest error of all.
    """

    def __init__(self, network: KAN, judge: Judge, *, l1: float, entropy: float, grids: tuple[int, ...] | None) -> None:
        self.is_done = False
        self.num_grids = 1
        self._judge, self._penalty, self._grids = judge, (l1, entropy), grids
        self._kept: tuple[float, KAN] | None = None
        self._middle = math.inf
        self._is_exact = ROUNDING * _spread(judge)
        self._fit = self._make_fit(network)

    @property
    def network(self) -> KAN:
        """The network in training, or the one that was kept when all is done."""
        return self._kept[1] if self.is_done and self._kept is not None else self._fit.network

    @property
    def candidates(self) -> list[KAN]:
        """The network that is kept, once there is one, and the one in training."""
        return [*([] if self._kept is None else [self._kept[1]]), self._fit.network]

    @property
    def error(self) -> float:
        """The smallest error so far, infinite before the end of the first grid."""
        return math.inf if self._kept is None else self._kept[0]

    @property
    def objective(self) -> float:
        """What the fit under way minimises."""
        return self._fit.objective

    def step(self) -> str:
        """Do one step and return what there is to say."""
        if len(self._fit.losses) < TRAIN_STEPS and not self._fit.has_settled(SETTLED):
            self._fit.step()
            return ""
        network, kept = self._fit.network, self._kept
        error, middle = self._judge.error(network), self._judge.middle_error(network)
        is_worse = kept is not None and not error < IMPROVEMENT * kept[0]
        is_hopeful = middle < LOOK_AHEAD * self._middle
        self._middle = middle
        if kept is not None and is_worse and not is_hopeful:
            return self._stop(self._say_worse(kept, error))
        told = self._tell(kept, error)
        if not is_worse:
            self._kept = (error, network)
        reason = self._reason_to_stop(error)
        if reason and kept is not None and is_worse:
            reason = self._say_worse(kept, error)
        return self._stop(reason) if reason else self._refine(told)

    def _tell(self, kept: tuple[float, KAN] | None, error: float) -> str:
        if kept is None:
            return f"the {self._judge.name} was {error:.2g}"
        if error < IMPROVEMENT * kept[0]:
            return f"the {self._judge.name} fell from {kept[0]:.2g} to {error:.2g}"
        return f"the {self._judge.name} went from {kept[0]:.2g} to {error:.2g} by few samples, most came nearer"

    def _refine(self, told: str) -> str:
        coarse = self._fit.network
        size = self._next_size()
        assert size is not None
        self._fit = self._make_fit(refine(coarse, size))
        self._fit.follow_nodes(tolerance=RANGE_TOLERANCE)
        self.num_grids += 1
        old = coarse.spec.grid_size
        return f"Refined from {say_size(coarse)} to {say_size(coarse, size)}: at {old} {told}."

    def _make_fit(self, network: KAN) -> Fit:
        l1, entropy = self._penalty
        judge = self._judge
        return Fit(network, judge.dataset, inputs=judge.inputs, l1=l1, entropy=entropy, is_formed=True)

    def _next_size(self) -> int | None:
        size = self._fit.network.spec.grid_size
        if self._grids is None:
            return 2 * size
        return next((finer for finer in self._grids if finer > size), None)

    def _reason_to_stop(self, error: float) -> str:
        """Return why there is no finer grid to try, empty when there is."""
        network = self._fit.network
        size = self._next_size()
        if not any(bool(layer.spline_mask().any()) for layer in network.layers):
            return "no curve is left to refine"
        if not self._judge.is_held_out:
            return f"{len(self._judge.dataset.train_inputs)} samples are too few to hold some out as a check"
        if not math.isfinite(error):
            return "the errors are no longer finite numbers"
        if size is None:
            return "none of the grids asked for is finer"
        if error <= self._is_exact:
            return f"the {self._judge.name} of {error:.1g} is as small as rounding lets it be"
        try:
            return self._reason_not_to_grow(refine(network, size))
        except SpecError:
            return "it is the finest that the family has"

    def _reason_not_to_grow(self, finer: KAN) -> str:
        num_residuals = self._judge.dataset.train_targets.numel()
        if self._grids is None and SAMPLES_PER_PARAMETER * finer.num_parameters > num_residuals:
            told = say_size(finer)
            return f"{told} would make {finer.num_parameters} parameters, too many for {num_residuals} samples"
        if self._fit.uses_lm and not self._make_fit(finer).uses_lm:
            return f"with {say_size(finer)} a step of Levenberg-Marquardt takes too long to watch"
        return ""

    def _say_worse(self, kept: tuple[float, KAN], error: float) -> str:
        went = "rose" if error > kept[0] else "only fell"
        size = self._fit.network.spec.grid_size
        return f"at {size} the {self._judge.name} {went} from {kept[0]:.2g} to {error:.2g}"

    def _stop(self, reason: str) -> str:
        self.is_done = True
        return f"Refinement stops at {say_size(self.network)}: {reason}."


def _error_of(named: tuple[str, Refinement]) -> float:
    return named[1].error


def _spread(judge: Judge) -> float:
    """Return the largest size of the targets, which squares of tiny or huge ones do not spoil."""
    targets = judge.dataset.train_targets
    return float((targets - targets.mean(dim=0)).abs().amax().to(torch.float64))
