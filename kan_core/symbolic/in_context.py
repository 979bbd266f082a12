"""Judging an edge's formulas by what the whole network makes of them.

A formula that is closest to a curve is not always the one with which the network as a whole does best: the curve itself
is only as good as its neighbours, which adapt once the formula stands. Choosing by the loss after a short refit lowers
the errors of the formulas found by orders of magnitude (arXiv 2603.15250).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from kan_core.accuracy import measure_rmse
from kan_core.datasets import Dataset
from kan_core.network import KAN, EdgeId
from kan_core.symbolic.edges import fix_symbolic
from kan_core.symbolic.ranking import Candidate
from kan_core.symbolic.refit import Refit


@dataclass(frozen=True, slots=True, kw_only=True)
class InContext:
    """A candidate of an edge, the network refitted around it, and its errors on train and test samples.

    Errors are root mean squares in the units of the targets (of probabilities, for classification), infinite where the
    network has no finite value.
    """

    candidate: Candidate
    network: KAN
    train_rmse: float
    test_rmse: float


class Trial:
    """A candidate put in the place of `edge` while everything else is refitted to the train samples, one step a call.

    `network` is left alone; it and `dataset` are of one dtype. Raises EdgeError for an unknown edge or function.
    """

    def __init__(self, network: KAN, edge: EdgeId, candidate: Candidate, dataset: Dataset) -> None:
        self._candidate, self._dataset = candidate, dataset
        self._fit = Refit(fix_symbolic(network, edge, candidate), dataset)

    @property
    def is_done(self) -> bool:
        """Whether there is nothing left to refit."""
        return self._fit.is_done

    def step(self) -> None:
        """Do one step of the refit; does nothing once it is done."""
        self._fit.step()

    def result(self) -> InContext:
        """Return what came of the candidate so far."""
        fitted, dataset = self._fit.network, self._dataset
        return InContext(
            candidate=self._candidate,
            network=fitted,
            train_rmse=measure_rmse(fitted, dataset.train_inputs, dataset.train_targets, dataset.task),
            test_rmse=measure_rmse(fitted, dataset.test_inputs, dataset.test_targets, dataset.task),
        )


def in_context(network: KAN, edge: EdgeId, candidate: Candidate, dataset: Dataset) -> InContext:
    """Return what comes of `candidate` on `edge` after everything else was refitted, as `Trial` does it."""
    trial = Trial(network, edge, candidate, dataset)
    while not trial.is_done:
        trial.step()
    return trial.result()


def rank_in_context(network: KAN, edge: EdgeId, candidates: Iterable[Candidate], dataset: Dataset) -> list[InContext]:
    """Return the candidates of `edge` as `in_context` has them, the smallest train error first."""
    ranked = [in_context(network, edge, candidate, dataset) for candidate in candidates]
    return sorted(ranked, key=lambda one: one.train_rmse if math.isfinite(one.train_rmse) else math.inf)
