"""Discoveries run in processes of their own, and leave none behind."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from kan_core import Dataset, Discovery
from kan_core.discovery.verdict import best_law, verdict
from kan_core.errors import DataError, SpecError
from kan_core.problems import CATALOGUE, sample_expression
from kan_core.symbolic.laws import Law
from kan_core.symbolic.own_functions import BUILT_IN


def line(num_samples: int = 100) -> Dataset:
    return sample_expression("2*x + 1", {"x": (-1, 1)}, num_train=num_samples, num_test=10)


def children() -> set[int]:
    """Return the processes of discoveries that this one started."""
    found: set[int] = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            command = (folder / "cmdline").read_text()
        except (OSError, IndexError, ValueError):
            continue
        if parent == os.getpid() and "kan_core.discovery.process" in command:
            found.add(int(folder.name))
    return found


@pytest.mark.slow
def test_an_exact_law_ends_the_search_and_its_processes() -> None:
    data = line()
    before = {name: tensor.clone() for name, tensor in vars_of(data).items()}
    with Discovery(data, seconds=600.0, processes=2) as discovery:
        assert len(children()) == 2
        discovery.wait()
    assert discovery.is_exact
    assert discovery.elapsed < 600.0
    assert [law.complexity for law in discovery.laws] == [0, 1]
    assert discovery.laws[-1].test_rmse < 1e-12
    assert children() == set()
    assert all(torch.equal(tensor, vars_of(data)[name]) for name, tensor in before.items())


def vars_of(data: Dataset) -> dict[str, torch.Tensor]:
    return {name: getattr(data, name) for name in ("train_inputs", "train_targets", "test_inputs", "test_targets")}


@pytest.mark.slow
def test_closing_ends_the_processes_at_once_and_keeps_what_was_found() -> None:
    data = CATALOGUE["exp_sin"].sample(seed=0)
    discovery = Discovery(data, seconds=600.0, processes=2)
    while not discovery.laws:
        discovery.wait(0.1)
    discovery.close()
    assert children() == set()
    assert discovery.is_done
    assert discovery.laws[0].complexity == 0
    elapsed = discovery.elapsed
    time.sleep(0.01)
    assert discovery.elapsed == elapsed
    assert not discovery.poll()
    discovery.close()


@pytest.mark.slow
def test_functions_of_a_persons_own_take_part() -> None:
    library = BUILT_IN.add_function("ricker", "(1 - x^2)*exp(-x^2/2)")
    data = sample_expression("(1 - (3*x)^2)*exp(-(3*x)^2/2)", {"x": (-1, 1)}, num_train=300, num_test=10)
    with Discovery(data, seconds=600.0, processes=1, library=library) as discovery:
        discovery.wait()
    layers = discovery.laws[-1].network.layers
    assert discovery.is_exact
    assert [function.name for layer in layers for *_, function in layer.live_functions()] == ["ricker"]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (line(19), "Discover needs 20 samples, received 19: add more rows."),
        (
            CATALOGUE["moons"].sample(seed=0),
            "Discover looks for a law of numbers, received a classification: choose another target.",
        ),
        (
            replace(line(), train_targets=torch.ones(100, 1, dtype=torch.float64)),
            "Discover needs a target that changes, received one value in all rows: choose another target.",
        ),
        (
            replace(
                line(),
                train_targets=torch.rand(100, 2, dtype=torch.float64),
                test_targets=torch.rand(10, 2, dtype=torch.float64),
                output_names=None,
            ),
            "Discover looks for one law, received 2 outputs: choose one target.",
        ),
    ],
)
def test_what_has_no_law_to_look_for_is_refused(data: Dataset, sentence: str) -> None:
    with pytest.raises(DataError, match="^" + sentence.replace(".", r"\.") + "$"):
        Discovery(data)


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf")])
def test_times_out_of_bounds_are_refused(seconds: float) -> None:
    with pytest.raises(SpecError, match="seconds"):
        Discovery(line(), seconds=seconds)


def laws(*pairs: tuple[int, float]) -> list[Law]:
    from kan_core import KAN

    network = KAN()
    return [Law(network=network, complexity=size, train_rmse=error, test_rmse=error) for size, error in pairs]


def test_the_best_law_is_not_the_last_per_cent() -> None:
    assert best_law(laws((0, 1.0), (6, 0.0101), (30, 0.01005)), num_held_out=200, spread=1.0) == 1
    assert best_law(laws((0, 1.0), (6, 1e-3), (8, 1e-12), (30, 1e-16)), num_held_out=200, spread=1.0) == 2
    assert best_law(laws((0, 1.0), (9, 0.99)), num_held_out=200, spread=1.0) == 0


@pytest.mark.parametrize(
    ("error", "network_error", "beginning"),
    [
        (1e-12, 1e-5, "The law is exact"),
        (0.011, 0.010, "The law leaves 0.011 of the spread of z"),
        (0.011, 0.0001, "No simple law was found: the closest formula leaves 0.011 of the spread of z"),
        (1.0, 1.01, "No law: nothing in these inputs tells z"),
    ],
)
def test_what_is_said_of_a_law_is_what_its_error_says(error: float, network_error: float, beginning: str) -> None:
    (law,) = laws((6, 2.0 * error))
    said = verdict(law, target="z", spread=2.0, network_error=2.0 * network_error, num_held_out=200)
    assert said.startswith(beginning)
