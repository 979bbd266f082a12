"""What was planted comes first as often as it can be told."""

from __future__ import annotations

import numpy as np
import pytest

from kan_core.symbolic import FUNCTIONS
from kan_core.symbolic.library import Shape
from tests.kan_core.symbolic.planted_for_tests import (
    NOISES,
    WANTED,
    closest_rival,
    is_first,
    is_identifiable,
    measure,
    plant,
)


@pytest.mark.slow
def test_planted_functions_come_first() -> None:
    counts = np.zeros((len(NOISES), 3), dtype=np.int64)
    for index, function in enumerate(FUNCTIONS.values()):
        if function.shape is not Shape.CONSTANT:
            counts += measure(function, np.random.default_rng([1, index]), cases=2, points=256)[0]
    right, known, cases = counts.T
    assert (right >= np.array(WANTED) * known).all(), counts
    # the rule leaves enough over to mean something
    assert (known >= np.array([0.98, 0.8, 0.5]) * cases).all(), counts


@pytest.mark.parametrize("name", ["sin", "exp", "x^3", "gaussian", "abs"])
@pytest.mark.parametrize("noise", NOISES)
def test_clear_cases_come_first(name: str, noise: float) -> None:
    generator = np.random.default_rng(5)
    curve = plant(FUNCTIONS[name], generator, points=512)
    assert is_first(curve, curve.with_noise(noise, generator))


def test_identifiable_is_what_no_shorter_formula_does_as_well() -> None:
    # a hyperbolic sine far out is an exponential, and a sine of many turns is nothing else
    sinh = plant(FUNCTIONS["sinh"], np.random.default_rng(0), points=64)
    far = type(sinh)(function=FUNCTIONS["sinh"], low=8.0, high=12.0, x=sinh.x, y=np.sinh(np.linspace(8.0, 12.0, 64)))
    assert not is_identifiable(closest_rival(far), 0.01, 64)
    wave = type(sinh)(function=FUNCTIONS["sin"], low=-9.0, high=9.0, x=sinh.x, y=np.sin(np.linspace(-9.0, 9.0, 64)))
    assert is_identifiable(closest_rival(wave), 0.05, 64)
