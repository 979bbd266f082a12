"""What a network looks like and how far it is from its data, at any moment."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kan_core import StepResult
from server.frames import Frame
from server.model import Network
from server.models import model_of
from server.session_data import SessionData


def measure(network: Network, data: SessionData, *, step: int) -> StepResult:
    """Return where the network stands after `step` steps without doing another."""
    dataset = data.dataset
    # overflow is an answer here, not a warning
    with np.errstate(all="ignore"):
        train = model_of(network).rmse(dataset.train_inputs, dataset.train_targets, dataset.task)
        test = model_of(network).rmse(dataset.test_inputs, dataset.test_targets, dataset.task)
    return StepResult(step=step, train_rmse=train, test_rmse=test, objective=train**2)


class Painter:
    """Makes frames of a session's networks and counts how often their x grids changed."""

    def __init__(self) -> None:
        self.grid_revision = 1
        self._grids: NDArray[np.floating] | None = None

    def paint(
        self,
        network: Network,
        data: SessionData,
        stands: StepResult,
        *,
        revision: int,
        steps_per_second: float,
        seconds: float = 0.0,
    ) -> Frame:
        """Return the network's picture, always with the x grids; epoch and seq are 0."""
        picture = model_of(network).picture(data)
        if self._grids is None or not np.array_equal(self._grids, picture.grids):
            self.grid_revision += self._grids is not None
            self._grids = picture.grids
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
            seconds=seconds,
            importance=picture.importance.astype(np.float32),
            values=picture.values.astype(np.float32),
            grids=picture.grids.astype(np.float32),
            weights=None if picture.weights is None else picture.weights.astype(np.float32),
        )
