"""Logarithmic axes have a handful of ticks, whatever they reach over, and say them shortly."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kan_core.figures.log_axes import MAX_TICKS, log_axis


@given(st.lists(st.floats(1e-16, 1e12), min_size=1, max_size=5))
def test_every_axis_has_a_handful_of_ticks_within_its_ends(values: list[float]) -> None:
    axis = log_axis(values)
    low, high = axis["range"]
    assert all(low < math.log10(value) < high for value in values)
    assert 2 <= len(axis["tickvals"]) <= MAX_TICKS
    assert axis["tickvals"] == sorted(set(axis["tickvals"]))
    assert all(low <= math.log10(tick) <= high for tick in axis["tickvals"])
    assert len(set(axis["ticktext"])) == len(axis["tickvals"])
    assert max(map(len, axis["ticktext"])) <= 7


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ((2e-9, 0.3), ["10⁻⁸", "10⁻⁶", "10⁻⁴", "10⁻²"]),
        ((2e-5, 0.03), ["10⁻⁴", "10⁻³", "10⁻²"]),
        ((0.02, 0.4), ["0.02", "0.05", "0.1", "0.2"]),
        ((60, 700), ["100", "200", "500"]),
        ((3e-5, 4e-5), ["2·10⁻⁵", "3·10⁻⁵", "4·10⁻⁵", "5·10⁻⁵", "6·10⁻⁵"]),
        ((800, 90_000), ["1,000", "10,000", "100,000"]),
    ],
)
def test_ticks_are_powers_of_ten_where_there_is_room_for_three(values: tuple[float, float], told: list[str]) -> None:
    assert log_axis(values)["ticktext"] == told


def test_an_axis_of_nothing_and_of_what_has_no_place_is_whole() -> None:
    assert log_axis([]) == log_axis([0.0, math.inf, math.nan, -1.0])
    assert log_axis([])["range"] == [-3.0, 0.0]


def test_values_of_a_sweep_are_its_ticks_as_far_as_they_have_room() -> None:
    assert log_axis([5, 10, 50], ticks=[10, 5, 50])["ticktext"] == ["5", "10", "50"]
    crowded = log_axis([1, 1000], ticks=[1, 2, 3, 100, 101, 1000])["tickvals"]
    assert crowded == [1, 2, 100, 1000]
