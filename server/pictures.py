"""What a network looks like and how far it is from its data, at any moment."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from kan_core import KAN, StepResult, edge_importance, sample_edge_curves
from kan_core.pruning import rmse
from server.frames import Frame
from server.session_data import SessionData

NUM_POINTS = 64


def measure(network: KAN, data: SessionData, *, step: int) -> StepResult:
    """Return where the network stands after `step` steps without doing another."""
    dataset = data.dataset
    # overflow is an answer here, not a warning
    with np.errstate(all="ignore"):
        train = rmse(network, dataset.train_inputs, dataset.train_targets, task=dataset.task)
        test = rmse(network, dataset.test_inputs, dataset.test_targets, task=dataset.task)
    return StepResult(step=step, train_rmse=train, test_rmse=test, objective=train**2)


class Painter:
    """Makes frames of a session's networks and counts how often their x grids changed."""

    def __init__(self) -> None:
        self.grid_revision = 1
        self._grids: NDArray[np.floating] | None = None

    def paint(
        self, network: KAN, data: SessionData, stands: StepResult, *, revision: int, steps_per_second: float
    ) -> Frame:
        """Return the network's picture, always with the x grids; epoch and seq are 0."""
        curves = sample_edge_curves(network, num_points=NUM_POINTS)
        if self._grids is None or not np.array_equal(self._grids, curves.grids):
            self.grid_revision += self._grids is not None
            self._grids = curves.grids
        scores = edge_importance(network, data.weighed_inputs)
        importance = torch.cat([score.ravel() for score in scores]).numpy()
        return Frame(
            epoch=0,
            seq=0,
            revision=revision,
            grid_revision=self.grid_revision,
            step=stands.step,
            train_rmse=stands.train_rmse,
            test_rmse=stands.test_rmse,
            objective=stands.objective,
            steps_per_second=steps_per_second,
            importance=importance.astype(np.float32),
            values=curves.values.astype(np.float32),
            grids=curves.grids.astype(np.float32),
        )
