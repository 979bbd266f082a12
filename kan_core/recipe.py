"""The recipe behind the optimizer "auto": several starts, coarse to fine, a check on held-out samples, a last polish.

    starts      short fits on a coarse grid; those with the smallest validation error go on      (`kan_core.starts`)
    refinement  finer grids by knot insertion, as long as the validation error falls             (`kan_core.refinement`)
    polish      the same network on all training samples, for as many steps as the validation error would still fall

Sparsity weights act in every stage, after the first steps of each, so that neither a finer grid nor the polish brings
back what they took away. A structure that was made by hand is kept: cut, symbolic or locked edges mean a single start.
"""

from __future__ import annotations

import enum
from dataclasses import replace

from kan_core.datasets import Dataset
from kan_core.fitting import RANGE_TOLERANCE, Fit, calibrate, hold_out, mean_error
from kan_core.grids import fit_ranges
from kan_core.network import KAN
from kan_core.refinement import Finals
from kan_core.starts import Judge, Starts, coarse_size, has_structure, say_size

POLISH_STEPS = 50
POLISHED = 0.001
# a rehearsal whose validation error has not been at its smallest for so many steps is over
PATIENCE = 10
# half of the errors are under this share of the mean's: what is left is not noise
CLEAN = 0.01
# hidden ranges are put right at the end if the error grows no more than so many times
RANGE_COST = 1.01


class Stage(enum.Enum):
    """What the recipe is at."""

    STARTS = "starts"
    REFINEMENT = "refinement"
    REHEARSAL = "rehearsal"
    POLISH = "polish"
    DONE = "done"


class Recipe:
    """Trains `network`, which has its scaling already, on `dataset`, one small piece a step.

    Both are in float64; the network is left alone. Every choice follows from `seed`. `grids` are the grid sizes to go
    through, coarsest first; when left out the first is a divisor of the network's own (`starts.coarse_size`) and the
    last is found by validation. Test samples are never looked at. Raises SpecError for a size that the family has not.
    """

    def __init__(
        self,
        network: KAN,
        dataset: Dataset,
        *,
        seed: int = 0,
        l1: float = 0.0,
        entropy: float = 0.0,
        grids: tuple[int, ...] | None = None,
    ) -> None:
        for size in grids or ():
            # raises SpecError where the family has no such size
            replace(network.spec, grid_size=size)
        self.stage = Stage.STARTS
        self.network = network
        self._dataset, self._l1, self._entropy, self._grids = dataset, l1, entropy, grids
        split = hold_out(dataset, seed=seed)
        everything = Dataset(
            train_inputs=dataset.train_inputs,
            train_targets=dataset.train_targets,
            test_inputs=dataset.train_inputs,
            test_targets=dataset.train_targets,
            task=dataset.task,
        )
        self._judge = Judge(everything if split is None else split, dataset.train_inputs, is_held_out=split is not None)
        self._whole = everything
        self._starts = Starts(network, self._judge, seed=seed, coarse=self._coarsest(network), l1=l1, entropy=entropy)
        self._finals: Finals | None = None
        self._rehearsal: Rehearsal | None = None
        self._polish: Fit | None = None
        self._num_polish_steps = 0
        self._validation_error = 0.0
        self.objective = 0.0

    @property
    def is_done(self) -> bool:
        """Whether there is nothing more to do."""
        return self.stage is Stage.DONE

    def step(self) -> str:
        """Do one small piece of the recipe and return what there is to say, mostly nothing."""
        if self.stage is Stage.STARTS:
            return self._step_starts()
        if self.stage is Stage.REFINEMENT:
            return self._step_refinement()
        if self.stage is Stage.REHEARSAL:
            return self._step_rehearsal()
        if self.stage is Stage.POLISH:
            return self._step_polish()
        return ""

    def stop(self) -> None:
        """End here, with the network of the smallest error so far by what the recipe judges by.

        That is the error on held-out samples, where there are any. The polish learns from those too: in it the network
        as it stands is the best.
        """
        if self.stage not in (Stage.POLISH, Stage.DONE):
            refined = [] if self._finals is None else self._finals.candidates
            self.network = min([*self._starts.candidates, *refined, self.network], key=self._judge.error)
        self.stage = Stage.DONE

    def _coarsest(self, network: KAN) -> int | None:
        """Return the size that starts are made on, None for the network's own."""
        if self._grids is not None:
            return self._grids[0]
        if has_structure(network) or not self._judge.is_held_out:
            return None
        return coarse_size(network.spec.grid_size)

    def _step_starts(self) -> str:
        starts = self._starts
        sentence = starts.step()
        self.network, self.objective = starts.network, starts.objective
        if starts.is_done:
            self._finals = Finals(starts.finalists, self._judge, grids=self._grids, l1=self._l1, entropy=self._entropy)
            self.stage, self.objective = Stage.REFINEMENT, self._finals.current.objective
        return sentence

    def _step_refinement(self) -> str:
        finals = self._finals
        assert finals is not None
        sentence = finals.step()
        self.network, self.objective = finals.current.network, finals.current.objective
        if finals.is_done:
            self.stage, self._validation_error = Stage.REHEARSAL, finals.current.error
        return sentence

    def _step_rehearsal(self) -> str:
        """Find out for how long training on would still lower the validation error.

        Where most samples are met already there is no noise to fit: the error is that of the few in gaps of the data,
        which the polish closes.
        """
        if not self._judge.is_held_out:
            return self._finish("")
        if self._rehearsal is None and self._judge.middle_error(self.network) < CLEAN * mean_error(self._dataset):
            return self._begin_polish(POLISH_STEPS)
        if self._rehearsal is None:
            self._learnt = self.network
            fit = Fit(
                self.network,
                self._judge.dataset,
                inputs=self._judge.inputs,
                is_formed=True,
                l1=self._l1,
                entropy=self._entropy,
            )
            self._rehearsal = Rehearsal(fit, self._judge)
            self.objective = fit.objective
            return ""
        rehearsal = self._rehearsal
        if not rehearsal.is_over:
            rehearsal.step()
            self.network, self.objective = rehearsal.fit.network, rehearsal.fit.objective
            return ""
        self.network = self._learnt
        if rehearsal.num_steps == 0:
            return self._finish(" More training would raise the validation error.")
        return self._begin_polish(rehearsal.num_steps)

    def _begin_polish(self, num_steps: int) -> str:
        self.stage, self._num_polish_steps = Stage.POLISH, num_steps
        self._polish = Fit(self.network, self._whole, is_formed=True, l1=self._l1, entropy=self._entropy)
        self.objective = self._polish.objective
        return f"Final polish on all training data ({len(self._dataset.train_inputs)} samples)."

    def _step_polish(self) -> str:
        """Do or end the polish."""
        polish = self._polish
        assert polish is not None
        if len(polish.losses) >= self._num_polish_steps or polish.has_settled(POLISHED):
            return self._finish("")
        polish.step()
        self.network, self.objective = polish.network, polish.objective
        return ""

    def _finish(self, remark: str) -> str:
        self.stage = Stage.DONE
        self.network = self._with_ranges(self.network)
        judge = Judge(self._whole, self._dataset.train_inputs, is_held_out=False)
        error = judge.error(self.network)
        if error >= mean_error(self._dataset):
            self.network = calibrate(self.network, self._dataset)
            error = judge.error(self.network)
        return f"Done: {say_size(self.network)}, training error {error:.2g}.{remark}{self._warning()}"

    def _warning(self) -> str:
        """Return what to say when held-out samples are met no better than by their mean."""
        mean = mean_error(self._dataset)
        if not self._judge.is_held_out or self._validation_error < mean:
            return ""
        return (
            f" The validation error of {self._validation_error:.2g} is no better than the mean's {mean:.2g}: "
            "what was learnt holds nowhere else. Try more samples, a smaller network or other inputs."
        )

    def _with_ranges(self, network: KAN) -> KAN:
        """Return the network with hidden ranges that hold what arrives, or as it is where that would cost accuracy."""
        moved = fit_ranges(network, self._dataset.train_inputs, tolerance=RANGE_TOLERANCE)
        judge = Judge(self._whole, self._dataset.train_inputs, is_held_out=False)
        return moved if judge.error(moved) <= RANGE_COST * judge.error(network) else network


class Rehearsal:
    """Trains on without the held-out samples, to learn after how many steps their error is smallest.

    What more training does on all samples cannot be judged by samples it has seen. With few and noisy ones it fits
    their noise; the same training without the held-out ones shows from when on.
    """

    def __init__(self, fit: Fit, judge: Judge) -> None:
        self.fit = fit
        self.num_steps = 0
        self._judge = judge
        self._least = judge.error(fit.network)

    @property
    def is_over(self) -> bool:
        """Whether enough steps are done."""
        num_steps = len(self.fit.losses)
        is_past = num_steps - self.num_steps >= PATIENCE
        return is_past or num_steps >= POLISH_STEPS or self.fit.has_settled(POLISHED)

    def step(self) -> None:
        """Do one step."""
        self.fit.step()
        error = self._judge.error(self.fit.network)
        if error < self._least:
            self._least, self.num_steps = error, len(self.fit.losses)
