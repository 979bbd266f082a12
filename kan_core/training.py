"""Training a network step by step, with outcomes as values.

Shape legend: B samples, P free parameters.
"""

from __future__ import annotations

import enum
import math
import sys
import time
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import torch

from kan_core._checks import check_choice, check_integer, check_number, check_row
from kan_core.accuracy import measure_rmse
from kan_core.bases.basis import FloatArray
from kan_core.datasets import Dataset
from kan_core.errors import SpecError
from kan_core.grids import HIDDEN_MARGIN, fit_normalization, fit_ranges, is_normalized
from kan_core.network import KAN
from kan_core.optimizers.adam import AdamState, adam_carry, adam_init, adam_step
from kan_core.optimizers.lbfgs import LBFGSState, lbfgs_step
from kan_core.optimizers.levenberg_marquardt import LevenbergMarquardtState, is_affordable, levenberg_marquardt_step
from kan_core.optimizers.objective import NetworkObjective
from kan_core.recipe import Recipe

OPTIMIZERS = ("adam", "lbfgs", "lm", "auto")
RANGE_CHECK_INTERVAL = 10
# below what separates a range that has to move from the one it moves to, so that whatever is noticed is mended
RANGE_TOLERANCE = 1.5 * HIDDEN_MARGIN
NARROWEST_RANGE = 4e-3
# what a move of ranges may cost, relative to the objective: curves that a grid cannot carry over stay where they are
MOVE_COST = 1.0
# before the outputs have a shape, edges have no share in it, and a penalty can hold the network at a constant
SPARSITY_DELAY = 5
FINEST_GRID = 1000


class Outcome(enum.Enum):
    """How a step ended."""

    OK = "ok"
    CONVERGED = "converged"
    DIVERGED = "diverged"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSpec:
    """How to train.

    `optimizer` is "adam", "lbfgs", "lm" (Levenberg-Marquardt) or "auto", which starts several times, refines the grid
    and stops by itself (`kan_core.recipe`); `grids` are its grid sizes from coarse to fine, which it chooses when left
    out. `learning_rate` and `batch_size` (None: all samples) are Adam's. `l1` and `entropy` weigh the sparsity penalty
    (`kan_core.regularization`), 1e-3 to 1e-1 being usual; it begins after five steps, when the outputs have a shape
    that edges can share in. `seed` orders the batches, and draws the starts and held-out samples of "auto". Raises
    SpecError when a field is out of bounds.
    """

    optimizer: str = "adam"
    learning_rate: float = 0.02
    batch_size: int | None = None
    seed: int = 0
    l1: float = 0.0
    entropy: float = 0.0
    grids: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        check_choice("optimizer", self.optimizer, OPTIMIZERS)
        check_number("learning_rate", self.learning_rate, low=0.0, high=10.0, above=True)
        check_number("l1", self.l1, low=0.0, high=100.0)
        check_number("entropy", self.entropy, low=0.0, high=100.0)
        object.__setattr__(self, "seed", check_integer("seed", self.seed, low=0, high=2**63 - 1))
        if self.batch_size is not None:
            check_integer("batch_size", self.batch_size, low=1, high=2**31)
        if self.grids is not None:
            object.__setattr__(self, "grids", _check_grids(self.grids))


def _check_grids(given: object) -> tuple[int, ...]:
    row = check_row("grids", given)
    grids = tuple(check_integer(f"grids[{index}]", size, low=1, high=FINEST_GRID) for index, size in enumerate(row))
    if not grids or any(finer <= coarser for coarser, finer in pairwise(grids)):
        raise SpecError(f"grids is a row of growing sizes, received {grids=}: name each size once, coarsest first")
    return grids


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """Where the network stands after a step.

    `step` counts from 1; `train_rmse` and `test_rmse` are in original units (of probabilities, for classification);
    `objective` is what the optimizer minimises. `sentence` says what a person should know, and is mostly empty.
    """

    step: int
    train_rmse: float
    test_rmse: float
    objective: float
    outcome: Outcome = Outcome.OK
    sentence: str = ""


class Trainer:
    """Trains a copy of `network` on `dataset`, one optimizer step (one piece of the recipe, for "auto") a call.

    The copy is in the wider dtype of network and data, float64 for all but "adam". When the network has no scaling
    yet, input and output scaling and node ranges are fitted to the training data first; afterwards the ranges of
    hidden nodes follow what arrives there. `measuring_seconds` are those of the processor that went into errors to
    tell, not into training. Raises DataError when the dataset's columns are not the network's.
    """

    def __init__(self, network: KAN, dataset: Dataset, spec: TrainingSpec | None = None) -> None:
        self.spec = TrainingSpec() if spec is None else spec
        self.dataset = dataset
        self.num_steps = 0
        self.measuring_seconds = 0.0
        self._generator = np.random.default_rng(self.spec.seed)
        if not is_normalized(network):
            # in the wider dtype first: a narrow one cannot hold inputs that lie far from zero
            wider = network.copy().to(torch.promote_types(network.dtype, dataset.train_inputs.dtype))
            network = fit_ranges(fit_normalization(wider, dataset), dataset.train_inputs)
        self._range_check_interval = RANGE_CHECK_INTERVAL
        self._adopt(network)

    @property
    def network(self) -> KAN:
        """The network as it stands; copy it before keeping it, since the next step changes it."""
        return self._objective.network if self._recipe is None else self._recipe.network

    def step(self) -> StepResult:
        """Do one optimizer step; a step that is no longer finite is taken back and reported as DIVERGED."""
        # overflow is an outcome here, not a warning
        with np.errstate(all="ignore"):
            return self._step() if self._recipe is None else self._step_recipe(self._recipe)

    def _step(self) -> StepResult:
        before = self._objective.parameters
        self.num_steps += 1
        self._weigh_sparsity()
        loss, sentence, moved = self._advance(before)
        train_rmse, test_rmse = self.rmse()
        if not all(map(math.isfinite, (loss, train_rmse, test_rmse))):
            return self._take_back()
        self._last_finite = self._objective.parameters
        if self.num_steps % self._range_check_interval == 0 and self._follow_nodes():
            train_rmse, test_rmse = self.rmse()
        return StepResult(
            step=self.num_steps,
            train_rmse=train_rmse,
            test_rmse=test_rmse,
            objective=loss,
            outcome=Outcome.OK if moved else Outcome.CONVERGED,
            sentence=sentence,
        )

    def rmse(self) -> tuple[float, float]:
        """Return the present root mean square errors on train and test samples, as in `StepResult`.

        A test error beyond all numbers, of samples far from what was learnt, is the largest number: it says nothing
        about how training goes.
        """
        began = time.process_time()
        with np.errstate(all="ignore"):
            train, test = self._objective.rmse() if self._recipe is None else self._measure(self._recipe.network)
        self.measuring_seconds += time.process_time() - began
        return train, test if math.isfinite(test) else sys.float_info.max

    def stop_recipe(self) -> bool:
        """End the recipe with the best network it has so far; return False where none is under way."""
        if self._recipe is None or self._recipe.is_done:
            return False
        with np.errstate(all="ignore"):
            self._recipe.stop()
        return True

    def _measure(self, network: KAN) -> tuple[float, float]:
        data = self.dataset
        return (
            measure_rmse(network, data.train_inputs, data.train_targets, data.task),
            measure_rmse(network, data.test_inputs, data.test_targets, data.task),
        )

    def set_spec(self, spec: TrainingSpec) -> bool:
        """Train on by other settings, from the same parameters; return whether the optimizer begins anew for that.

        It does when it is another one, and the recipe does when something changes that it uses.
        """
        before, self.spec = self.spec, spec
        used = replace(before, learning_rate=spec.learning_rate, batch_size=spec.batch_size)
        begins_anew = spec.optimizer != before.optimizer or (spec.optimizer == "auto" and spec != used)
        if begins_anew:
            self._adopt(self.network)
        return begins_anew

    def replace_network(self, network: KAN) -> None:
        """Train a copy of `network` from now on.

        What the optimizer remembered of the old one is dropped, but for how large Adam's gradients are.
        """
        self._range_check_interval = RANGE_CHECK_INTERVAL
        before, adam = self._objective, self._adam
        self._adopt(network)
        layers = self._objective.parameter_layers
        self._adam = adam_carry(adam, before.parameter_layers, into=self._adam, into_groups=layers)

    def _adopt(self, network: KAN) -> None:
        dtype = torch.promote_types(network.dtype, self.dataset.train_inputs.dtype)
        if self.spec.optimizer != "adam":
            dtype = torch.float64
        adopted, data = network.copy().to(dtype), self.dataset.to_dtype(dtype)
        spec = self.spec
        self._recipe = None
        if spec.optimizer == "auto":
            self._recipe = Recipe(
                adopted.copy(), data, seed=spec.seed, l1=spec.l1, entropy=spec.entropy, grids=spec.grids
            )
        self._objective = NetworkObjective(adopted, data)
        self._weigh_sparsity()
        self._last_finite = self._objective.parameters
        self._reset_optimizer()

    def _weigh_sparsity(self) -> None:
        is_due = self.num_steps > SPARSITY_DELAY
        self._objective.l1, self._objective.entropy = (self.spec.l1, self.spec.entropy) if is_due else (0.0, 0.0)

    def _reset_optimizer(self) -> None:
        self._adam: AdamState = adam_init(self._objective.parameters, scales=self._objective.parameter_scales())
        self._lbfgs = LBFGSState()
        self._lm = LevenbergMarquardtState()

    def _step_recipe(self, recipe: Recipe) -> StepResult:
        self.num_steps += 1
        sentence = recipe.step()
        train_rmse, test_rmse = self.rmse()
        return StepResult(
            step=self.num_steps,
            train_rmse=train_rmse,
            test_rmse=test_rmse,
            objective=recipe.objective,
            outcome=Outcome.CONVERGED if recipe.is_done else Outcome.OK,
            sentence=sentence,
        )

    def _advance(self, parameters: FloatArray) -> tuple[float, str, bool]:
        """Return the loss after one step, a sentence, and whether the step got anywhere."""
        if self._objective.num_parameters == 0:
            return (
                self._objective.loss(parameters),
                "Nothing is left to train: every edge is cut, or its constants are held.",
                False,
            )
        if self.spec.optimizer == "adam":
            return self._advance_adam(parameters), "", True
        if self.spec.optimizer == "lm" and self._is_lm_affordable():
            parameters, loss, self._lm = levenberg_marquardt_step(self._objective, parameters, self._lm)
            self._objective.set_parameters(parameters)
            return loss, "", self._lm.accepted
        parameters, loss, self._lbfgs = lbfgs_step(self._objective, parameters, self._lbfgs)
        self._objective.set_parameters(parameters)
        return loss, self._fallback_sentence(), self._lbfgs.accepted

    def _advance_adam(self, parameters: FloatArray) -> float:
        batch = None
        if self.spec.batch_size is not None and self.spec.batch_size < len(self.dataset.train_inputs):
            batch = self._generator.choice(len(self.dataset.train_inputs), self.spec.batch_size, replace=False)
        loss, gradient = self._objective.loss_and_gradient(parameters, batch=batch)
        self._objective.set_parameters(
            adam_step(parameters, gradient, self._adam, learning_rate=self.spec.learning_rate)
        )
        return loss

    def _is_lm_affordable(self) -> bool:
        return is_affordable(self._objective.num_parameters, self.dataset.train_targets.numel())

    def _fallback_sentence(self) -> str:
        if self.spec.optimizer != "lm":
            return ""
        return (
            f"A step of Levenberg-Marquardt with {self._objective.num_parameters} parameters on "
            f"{len(self.dataset.train_inputs)} samples takes too long to watch: L-BFGS trains instead."
        )

    def _take_back(self) -> StepResult:
        self._objective.set_parameters(self._last_finite)
        self._reset_optimizer()
        train_rmse, test_rmse = self.rmse()
        return StepResult(
            step=self.num_steps,
            train_rmse=train_rmse,
            test_rmse=test_rmse,
            objective=self._objective.loss(self._last_finite),
            outcome=Outcome.DIVERGED,
            sentence=f"Training diverged at step {self.num_steps}; the network from before that step is kept. "
            "Lower the learning rate or start again.",
        )

    def _follow_nodes(self) -> bool:
        """Rescale hidden nodes whose values left their range by more than its margin or fill less than half of it."""
        network = self._objective.network
        nodes = self._objective.train_nodes()
        for layer, values in zip(network.layers[1:], nodes[1:-1], strict=True):
            low, high = layer.low.numpy(), layer.high.numpy()
            slack = HIDDEN_MARGIN * (high - low)
            least, most = values.min(axis=1), values.max(axis=1)
            outside = (least < low - slack) | (most > high + slack)
            sparse = (most - least < 0.5 * (high - low)) & (high - low > NARROWEST_RANGE)
            if bool((outside | sparse).any()):
                return self._move_ranges(fit_ranges(network, self.dataset.train_inputs, tolerance=RANGE_TOLERANCE))
        return False

    def _move_ranges(self, network: KAN) -> bool:
        """Go on with the same function on other ranges, keeping what the optimizer knows of the scale of things.

        Return False, leaving all as it was, when the new grids cannot carry the function.
        """
        before, adam, lbfgs, lm = self._objective, self._adam, self._lbfgs, self._lm
        self._adopt(network)
        self._adam, self._lm = adam, replace(lm, growth=2.0)
        if self._objective.loss(self._objective.parameters) <= (1.0 + MOVE_COST) * before.loss(before.parameters):
            return True
        self._objective, self._last_finite = before, before.parameters
        self._lbfgs, self._lm = lbfgs, lm
        # it will be refused again for a while, and trying takes as long as many steps
        self._range_check_interval *= 2
        return False
