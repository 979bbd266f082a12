"""What is told of a point stays small however long it was trained."""

from __future__ import annotations

import pytest

from server.lab.live import point_done
from tests.server.lab.fakes import make_plan, make_result

POINT = make_plan().points[0]


@pytest.mark.parametrize("size", [2, 3, 40])
@pytest.mark.parametrize("length", [0, 1, 2, 39, 40, 41, 79, 200])
def test_a_thin_curve_keeps_its_ends(length: int, size: int) -> None:
    curve = [[step, step / 10, 1.0 / (1 + step)] for step in range(length)]
    point = point_done(POINT, make_result(POINT, curve=curve), curve_size=size)
    steps = [place.step for place in point.curve]
    assert len(steps) <= size
    assert steps == sorted(set(steps))
    assert steps[:1] == list(range(length))[:1]
    assert steps[-1:] == list(range(length))[-1:]


def test_an_error_that_is_no_number_is_none() -> None:
    point = point_done(POINT, make_result(POINT, test_rmse=None, outcome="diverged"), curve_size=40)
    assert (point.state, point.outcome, point.test_rmse, point.steps) == ("done", "diverged", None, 4)
