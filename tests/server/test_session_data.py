"""How many samples of a formula are held out."""

from __future__ import annotations

import pytest

from server.messages import FormulaSource, VariableRange
from server.refusal import Refusal
from server.session_data import build_data

VARIABLES = [VariableRange(name="x")]


@pytest.mark.parametrize(("num_test", "sizes"), [(None, (80, 20)), (2, (98, 2)), (98, (2, 98))])
def test_a_fifth_or_as_many_as_are_asked_for_are_held_out(num_test: int | None, sizes: tuple[int, int]) -> None:
    source = FormulaSource(expression="x^2", variables=VARIABLES, num_samples=100, num_test=num_test)
    data = build_data(source, {}, seed=0)
    assert (len(data.dataset.train_inputs), len(data.dataset.test_inputs)) == sizes
    assert data.info.source == source


def test_samples_are_left_to_learn_from() -> None:
    source = FormulaSource(expression="x^2", variables=VARIABLES, num_samples=100, num_test=99)
    with pytest.raises(Refusal, match="received num_samples=100 and num_test=99: test with fewer"):
        build_data(source, {}, seed=0)
