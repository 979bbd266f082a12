"""What a session answers, on a real network."""

from __future__ import annotations

import numpy as np
import pytest

from server.messages import (
    CandidatesEvent,
    CutMeasuredEvent,
    EdgeRef,
    Inspect,
    InspectionEvent,
    MeasureCut,
    NetworkSettings,
    Predict,
    PredictionEvent,
    Residuals,
    ResidualsEvent,
    Suggest,
)
from server.refusal import Refusal
from server.session import Session

EDGE = EdgeRef(layer=0, source=1, target=1)


def small() -> Session:
    return Session.create("s", network=NetworkSettings(widths=[2, 2, 1]))


def test_an_edge_is_the_sum_of_its_pieces() -> None:
    event = small().query(Inspect(edge=EDGE))
    assert isinstance(event, InspectionEvent)
    np.testing.assert_allclose(np.sum(event.basis_curves, axis=0), event.y, atol=1e-12)
    assert sum(event.histogram_counts) == 1000
    assert (len(event.basis_curves), len(event.grid), event.kind) == (9, 6, "spline")


def test_candidates_come_with_their_curves() -> None:
    event = small().query(Suggest(edge=EDGE))
    assert isinstance(event, CandidatesEvent)
    assert 10 < len(event.candidates) <= 80
    assert {len(one.curve) for one in event.candidates} == {len(event.x)}


def test_measuring_a_cut_changes_nothing() -> None:
    session = small()
    before = session.snapshot()
    event = session.query(MeasureCut(edges=[EdgeRef(layer=1, source=k, target=0) for k in (0, 1)]))
    assert isinstance(event, CutMeasuredEvent)
    assert event.severs_output
    assert event.step == before.status.step
    assert session.snapshot() == before


def test_a_surface_stands_beside_the_truth() -> None:
    event = small().query(Predict(x_input=0, y_input=1, resolution=5))
    assert isinstance(event, PredictionEvent)
    assert event.truth is not None
    x, y = np.meshgrid(event.x, event.y)
    np.testing.assert_allclose(event.truth, np.exp(np.sin(np.pi * x) + y**2))
    assert np.shape(event.network) == (5, 5)


def test_an_input_that_the_data_lack_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        small().query(Predict(x_input=3))
    assert refused.value.sentence == "The data have 2 inputs, counted from 0, received x_input=3: choose one."


def test_residuals_are_of_at_most_500_samples() -> None:
    event = small().query(Residuals())
    assert isinstance(event, ResidualsEvent)
    assert (len(event.targets), len(event.predictions)) == (500, 500)
