"""Caches hold no more bytes than they may, and what they hold is what was computed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from kan_core import KAN, Dataset, NetworkSpec, Trainer, TrainingSpec
from kan_core.bases.basis import FloatArray
from kan_core.caches import keep_bytes
from kan_core.least_squares import MAX_KEPT_BYTES, pseudoinverse
from kan_core.optimizers import smoothing
from tests.kan_core.problems_for_tests import exp_sin_dataset


def test_the_oldest_results_go_first() -> None:
    calls: list[int] = []

    @keep_bytes(3 * 80)
    def ten(number: int) -> FloatArray:
        calls.append(number)
        return np.full(10, float(number))

    for number in (1, 2, 3, 1, 4, 1, 2):
        assert ten(number)[0] == number
    # 4 puts 2 out, since 1 was asked for again in between
    assert calls == [1, 2, 3, 4, 2]
    assert ten.num_bytes == 3 * 80


def test_a_result_that_is_too_large_is_given_but_not_kept() -> None:
    calls: list[int] = []

    @keep_bytes(100)
    def zeros(size: int) -> FloatArray:
        calls.append(size)
        return np.zeros(size)

    assert [len(zeros(size)) for size in (10, 13, 13, 10)] == [10, 13, 13, 10]
    assert calls == [10, 13, 13]
    assert zeros.num_bytes == 80


def test_threads_may_share_a_cache() -> None:
    @keep_bytes(5 * 80)
    def ten(number: int) -> FloatArray:
        return np.full(10, float(number))

    numbers = [n % 9 for n in range(500)]
    with ThreadPoolExecutor(4) as pool:
        found = [float(result[0]) for result in pool.map(ten, numbers)]
    assert found == numbers
    assert ten.num_bytes <= 5 * 80


@pytest.mark.slow
@pytest.mark.parametrize("fields", [{"knots": "adaptive", "grid_size": 200}, {"basis": "gaussian", "grid_size": 150}])
def test_fine_grids_fill_no_cache_beyond_its_bound(fields: dict[str, object]) -> None:
    data: Dataset = exp_sin_dataset(num_samples=300)
    spec = NetworkSpec(widths=(2, 6, 1), **fields)  # pyright: ignore[reportArgumentType]
    before = pseudoinverse.num_bytes
    Trainer(KAN(spec), data, TrainingSpec(optimizer="auto")).step()
    # sources whose knots follow what arrives have a basis each, and leave no matrix behind
    assert pseudoinverse.num_bytes - before <= (0 if spec.knots == "adaptive" else MAX_KEPT_BYTES)
    assert smoothing.roughness.num_bytes <= smoothing.MAX_KEPT_BYTES
