"""The recipe's first stage: several short fits on a coarse grid, of which the best goes on.

What start a network needs cannot be told beforehand. A start that fails has folded: its outer curve grew a hump before
the inner curves had put the samples in order, so that samples with different targets meet at the same hidden value, on
either side of the fold, and no small step takes them apart. That happens the more easily the finer the grid (to 11, 16,
20 and 32 of 40 starts of [2,1,1] on exp(sin(πx) + y²) with 5, 10, 20 and 50 intervals), which is why starts are coarse;
those that fold show it within twenty steps of Levenberg-Marquardt, which is why they are short.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from kan_core.accuracy import measure_errors, measure_rmse
from kan_core.datasets import Dataset
from kan_core.families import edge_family, swap_basis
from kan_core.fitting import Fit, mean_error
from kan_core.grids import fit_ranges, refine
from kan_core.network import KAN

# of a network with one hidden layer; every further one is another place to fold
NUM_STARTS = 5
STARTS_PER_LAYER = 3
MAX_STARTS = 11
START_STEPS = 30
# the best few tell apart only after a while
NUM_FINALISTS = 3
FINAL_STEPS = 100
MAX_START_SAMPLES = 2000
COARSE_GRID = 5
# a start that settles slower than this share over some steps has shown what it can do
SETTLED = 0.01
# a start so many times worse than the best that improves by less than STUCK over some steps is abandoned
HOPELESS = 3.0
STUCK = 0.2
# the error, as a share of that of the mean, under which a network goes on alone
TRAINED = 0.01
# how much of its error a network may gain by a coarser grid
COARSENING = 0.1


@dataclass(frozen=True, slots=True)
class Judge:
    """What decides between networks: their error on samples that no fit sees, or on all where none could be spared.

    `dataset` has the samples of fits as train samples, those that decide as test samples. `inputs` (B, I) are both
    together: ranges are fitted to them, as inputs tell nothing about targets.
    """

    dataset: Dataset
    inputs: Tensor
    is_held_out: bool

    @property
    def name(self) -> str:
        """What the error is called."""
        return "validation error" if self.is_held_out else "training error"

    def error(self, network: KAN) -> float:
        """Return the root mean square error in original units, infinite where it is not a number."""
        data = self.dataset
        return measure_rmse(network, data.test_inputs, data.test_targets, data.task)

    def middle_error(self, network: KAN) -> float:
        """Return the size that half of the errors stay below."""
        data = self.dataset
        return float(np.median(measure_errors(network, data.test_inputs, data.test_targets, data.task)))


class Starts:
    """Fits the given network, then fresh ones of its shape, and keeps the best.

    A network with cut, symbolic or locked edges has a structure that no fresh one would have: it is the only start, and
    so is one that is `TRAINED` already.
    """

    def __init__(self, given: KAN, judge: Judge, *, seed: int, l1: float, entropy: float, coarse: int | None) -> None:
        self.is_done = False
        self._given, self._judge, self._seed = given, judge, seed
        self._penalty = (l1, entropy)
        self._coarse = coarse
        self.num_starts = 1 if self._is_trained() else count_starts(given)
        self._dataset = _choose_few(judge.dataset, seed)
        self._index = 0
        self._fit: Fit | None = None
        self._ended: list[_Ended] = []
        self._finals: list[_Ended] = []

    @property
    def network(self) -> KAN:
        """The start under way, or the best that has ended."""
        if self._fit is not None:
            return self._fit.network
        return self._ended[0].fit.network if self._ended else self._given

    @property
    def candidates(self) -> list[KAN]:
        """The best few that have ended and the start under way; before there is any, the given network."""
        under_way = [self._fit] if self._fit is not None else []
        return [fit.network for fit in [*(one.fit for one in self._ended), *under_way]] or [self._given]

    @property
    def finalists(self) -> dict[str, KAN]:
        """The starts to refine by name, best first: the best one, of deep networks the best few (`Finals`)."""
        is_worth_it = len(self._given.layers) > 2 and self._ended[0].fit.uses_lm
        num = NUM_FINALISTS if is_worth_it else 1
        return {f"Start {one.index + 1}": one.fit.network for one in self._ended[:num]}

    @property
    def objective(self) -> float:
        """What the start under way minimises, or what the best that has ended came to."""
        fit = self._fit or (self._ended[0].fit if self._ended else None)
        return 0.0 if fit is None else fit.objective

    def step(self) -> str:
        """Do one step of one start and return what there is to say."""
        if self._index == self.num_starts:
            return self._step_finals()
        if self._fit is not None and self._is_over(self._fit):
            return self._end(self._fit)
        fit, sentence = (self._fit, "") if self._fit is not None else self._begin()
        fit.step()
        return sentence

    def _step_finals(self) -> str:
        """Let the finalists go on, one after the other, and say who is best when none can."""
        while self._finals and _is_final(self._finals[0].fit):
            self._finals.pop(0)
        if self._finals:
            self._fit = self._finals[0].fit
            self._fit.step()
            return ""
        self._ended = [replace(one, error=self._judge.error(one.fit.network)) for one in self._ended]
        self._ended.sort(key=_error_of)
        self.is_done, self._fit = True, None
        return self._announce_best()

    def _is_trained(self) -> bool:
        """Return whether the given network is so good already that fresh curves would only get in its way."""
        data = self._judge.dataset
        return data.task == "regression" and self._judge.error(self._given) < TRAINED * mean_error(data)

    def _begin(self) -> tuple[Fit, str]:
        network = self._given if self._index == 0 else self._fresh()
        if self._coarse is not None:
            network = self._coarsen(network, self._coarse)
        l1, entropy = self._penalty
        self._fit = Fit(network, self._dataset, inputs=self._judge.inputs, l1=l1, entropy=entropy)
        origin = "the network as it is" if self._index == 0 else "fresh curves"
        return self._fit, f"{self._name()}: {origin}, on {say_size(network)}."

    def _fresh(self) -> KAN:
        given = self._given
        entropy = np.random.SeedSequence((self._seed, self._index)).generate_state(1)
        generator = torch.Generator().manual_seed(int(entropy[0]))
        size = given.spec.grid_size if self._coarse is None else self._coarse
        fresh = KAN(replace(given.spec, grid_size=size), generator=generator, dtype=given.dtype)
        for edge in given.edges():
            family = edge_family(given, edge)
            if family != fresh.spec.basis:
                fresh = swap_basis(fresh, edge, family)
        for name in ("input_shift", "input_scale", "output_shift", "output_scale", "is_scaled"):
            getattr(fresh, name).copy_(getattr(given, name))
        return fit_ranges(fresh, self._judge.inputs)

    def _coarsen(self, network: KAN, size: int) -> KAN:
        """Return the network on a coarser grid, or as it is when it would lose what it has learnt."""
        coarse = refine(network, size)
        kept = self._judge.error(coarse) <= (1.0 + COARSENING) * self._judge.error(network)
        return coarse if kept else network

    def _is_over(self, fit: Fit) -> bool:
        num_steps = len(fit.losses)
        return num_steps >= START_STEPS or fit.has_settled(SETTLED) or self._is_hopeless(fit)

    def _is_hopeless(self, fit: Fit) -> bool:
        return bool(self._ended) and fit.has_settled(STUCK) and self._is_far(self._judge.error(fit.network))

    def _is_far(self, error: float) -> bool:
        return bool(self._ended) and not error <= HOPELESS * self._ended[0].error

    def _end(self, fit: Fit) -> str:
        error, name = self._judge.error(fit.network), self._judge.name
        sentence = f"{self._name()} reaches a {name} of {error:.2g} in {len(fit.losses)} steps."
        if self._is_far(error):
            sentence = f"{self._name()} is stuck at a {name} of {error:.2g}: it is abandoned."
        self._ended = sorted([*self._ended, _Ended(error, self._index, fit)], key=_error_of)[:NUM_FINALISTS]
        self._index += 1
        self._fit = None
        if self._index == self.num_starts:
            self._finals = [one for one in self._ended if not self._is_far(one.error) and not _is_final(one.fit)]
            if len(self._finals) > 1:
                sentence += f" Starts {_say_numbers(self._finals)} are ahead and go on for a while."
        return sentence

    def _name(self) -> str:
        return f"Start {self._index + 1} of {self.num_starts}"

    def _announce_best(self) -> str:
        if len(self.finalists) > 1:
            return f"Starts {_say_numbers(self._ended)} were the best; which goes on is seen on a finer grid."
        best = self._ended[0]
        if self.num_starts == 1:
            return f"The start is made ({self._judge.name} {best.error:.2g}); training goes on."
        return f"Start {best.index + 1} was the best ({self._judge.name} {best.error:.2g}); it goes on."


@dataclass(frozen=True, slots=True)
class _Ended:
    """A start that has had its steps: its error then, its number from 0, its fit."""

    error: float
    index: int
    fit: Fit


def _error_of(ended: _Ended) -> float:
    return ended.error


def _say_numbers(starts: list[_Ended]) -> str:
    *others, last = sorted(one.index + 1 for one in starts)
    return f"{', '.join(map(str, others))} and {last}"


def _is_final(fit: Fit) -> bool:
    return len(fit.losses) >= FINAL_STEPS or fit.has_settled(SETTLED)


def has_structure(network: KAN) -> bool:
    """Return whether some edge is cut, symbolic or locked."""
    return any(bool((layer.pruned | layer.symbolic | layer.locked).any()) for layer in network.layers)


def count_starts(network: KAN) -> int:
    """Return how many starts a network is given: one where others would lose a structure or end at the same minimum."""
    num_hidden = len(network.layers) - 1
    if num_hidden == 0 or has_structure(network):
        return 1
    return min(NUM_STARTS + STARTS_PER_LAYER * (num_hidden - 1), MAX_STARTS)


def coarse_size(grid_size: int) -> int:
    """Return the largest divisor from 2 to `COARSE_GRID`, of which refinement can lead back, else `COARSE_GRID`."""
    divisors = (size for size in range(COARSE_GRID, 1, -1) if grid_size % size == 0)
    return next(divisors, min(grid_size, COARSE_GRID))


def say_size(network: KAN, size: int | None = None) -> str:
    """Return the network's grid size, or another one of its family, in words: "20 intervals", "degree 20"."""
    word = network.layers[0].bases[0].size_word
    number = network.spec.grid_size if size is None else size
    if word == "degree":
        return f"degree {number}"
    return f"{number} {word.removesuffix('s') if number == 1 else word}"


def _choose_few(dataset: Dataset, seed: int) -> Dataset:
    """Return the dataset with no more train samples than short fits need."""
    num_samples = len(dataset.train_inputs)
    if num_samples <= MAX_START_SAMPLES:
        return dataset
    chosen = torch.from_numpy(np.random.default_rng(seed).choice(num_samples, MAX_START_SAMPLES, replace=False))
    return replace(dataset, train_inputs=dataset.train_inputs[chosen], train_targets=dataset.train_targets[chosen])
