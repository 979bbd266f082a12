"""The recipe behind the optimizer "auto": several starts, coarse to fine, a check on held-out samples, a last polish.

    starts      short fits on a coarse grid; those with the smallest validation error go on      (`kan_core.starts`)
    refinement  finer grids by knot insertion, as long as the validation error falls             (`kan_core.refinement`)
    polish      the same network on all training samples, taken back if that made it worse

Sparsity weights act in every stage, after the first steps of each, so that neither a finer grid nor the polish brings
back what they took away. A structure that was made by hand is kept: cut, symbolic or locked edges mean a single start.
"""

from __future__ import annotations

import enum

from kan_core.datasets import Dataset
from kan_core.fitting import Fit, calibrate, hold_out, mean_error
from kan_core.network import KAN
from kan_core.refinement import Finals
from kan_core.starts import Judge, Starts, coarse_size, has_structure, say_size

POLISH_STEPS = 50
POLISHED = 0.001
# what the polish may cost on the samples that were held out before; it learns from them, so this is already lenient
POLISH_TOLERANCE = 1.05


class Stage(enum.Enum):
    """What the recipe is at."""

    STARTS = "starts"
    REFINEMENT = "refinement"
    POLISH = "polish"
    DONE = "done"


class Recipe:
    """Trains `network`, which has its scaling already, on `dataset`, one small piece a step.

    Both are in float64; the network is left alone. Every choice follows from `seed`. `grids` are the grid sizes to go
    through, coarsest first; when left out the first is a divisor of the network's own (`starts.coarse_size`) and the
    last is found by validation. Test samples are never looked at.
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
        self._polish: Fit | None = None
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
        if self.stage is Stage.POLISH:
            return self._step_polish()
        return ""

    def _coarsest(self, network: KAN) -> int | None:
        """Return the size that starts are made on, None for the network's own."""
        if has_structure(network) or not self._judge.is_held_out:
            return None
        return coarse_size(network.spec.grid_size) if self._grids is None else self._grids[0]

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
            self.stage = Stage.POLISH
        return sentence

    def _step_polish(self) -> str:
        """Begin, do or end the polish; without held-out samples the network has seen all samples before."""
        sentence = ""
        if self._polish is None:
            if not self._judge.is_held_out:
                return self._finish("")
            self._before = self.network
            self._polish = Fit(self.network, self._whole, is_formed=True, l1=self._l1, entropy=self._entropy)
            sentence = f"Final polish on all training data ({len(self._dataset.train_inputs)} samples)."
        elif len(self._polish.losses) >= POLISH_STEPS or self._polish.has_settled(POLISHED):
            return self._end_polish(self._polish)
        self._polish.step()
        self.network, self.objective = self._polish.network, self._polish.objective
        return sentence

    def _end_polish(self, polish: Fit) -> str:
        before, after = self._judge.error(self._before), self._judge.error(polish.network)
        if after <= POLISH_TOLERANCE * before:
            return self._finish("")
        self.network = self._before
        return self._finish(f" The polish is taken back: it raised the error from {before:.2g} to {after:.2g}.")

    def _finish(self, remark: str) -> str:
        self.stage = Stage.DONE
        judge = Judge(self._whole, self._dataset.train_inputs, is_held_out=False)
        error = judge.error(self.network)
        if self._dataset.task == "regression" and error >= mean_error(self._dataset):
            self.network = calibrate(self.network, self._dataset)
            error = judge.error(self.network)
        return f"Done: {say_size(self.network)}, training error {error:.2g}.{remark}"
