"""Laws taken apart and put together compute what they should."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kan_core.discovery.composition import Sheet, Term, added, assemble, multiplied, side_by_side, unfold
from kan_core.symbolic.laws import complexity_of
from kan_core.symbolic.library import FUNCTIONS
from tests.kan_core.networks_for_tests import random_network, shifted_dataset

DATA = shifted_dataset()
X = DATA.train_inputs


def assert_same(one: torch.Tensor, other: torch.Tensor) -> None:
    torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10 * float(other.abs().max()))


@given(seed=st.integers(0, 200))
def test_a_network_of_formulas_survives_being_taken_apart(seed: int) -> None:
    network = random_network(seed, data=DATA, closed=True)
    with torch.no_grad():
        assert_same(assemble(unfold(network), X)(X), network(X))


@given(seeds=st.tuples(st.integers(0, 60), st.integers(0, 60)))
def test_laws_side_by_side_add_and_multiply(seeds: tuple[int, int]) -> None:
    one, other = (random_network(seed, data=DATA, closed=True) for seed in seeds)
    if one.widths[-1] > 1 or other.widths[-1] > 1:
        return
    # the second takes the inputs the other way round
    both = side_by_side([(unfold(one), (0, 1)), (unfold(other), (1, 0))], 2)
    with torch.no_grad():
        values = one(X), other(X.flip(1))
        assert_same(assemble([*both, added(2)], X)(X), values[0] + values[1])
        assert_same(assemble([*both, *multiplied()], X)(X), values[0] * values[1])


def test_waiting_costs_no_complexity() -> None:
    square = Sheet(1, 1, 0, {(0, 0): Term(FUNCTIONS["x^2"])})
    sine = Sheet(1, 1, 0, {(0, 0): Term(FUNCTIONS["sin"])})
    both = assemble([*side_by_side([([square], (0,)), ([square, sine], (1,))], 2), added(2)], X)
    assert complexity_of(both) == 2 + 2 + 2
    with torch.no_grad():
        assert_same(both(X), X[:, :1] ** 2 + torch.sin(X[:, 1:] ** 2))


def test_the_ranges_hold_what_arrives() -> None:
    network = assemble(
        [Sheet(2, 1, 0, {(0, 0): Term(FUNCTIONS["x^2"])}), Sheet(1, 1, 0, {(0, 0): Term(FUNCTIONS["x"])})], X
    )
    assert float(network.layers[1].low) == pytest.approx(float(X[:, 0].min()) ** 2)
    assert float(network.layers[1].high) == pytest.approx(float(X[:, 0].max()) ** 2)
