"""Discoveries run in processes of their own, and leave none behind."""

from __future__ import annotations

import io
import os
import pickle
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from kan_core import Dataset, Discovery
from kan_core.discovery import process, worker
from kan_core.discovery.reports import LENGTH, Job, Report
from kan_core.discovery.shapes import Shape, wide_shape
from kan_core.discovery.verdict import best_law, verdict
from kan_core.errors import DataError, SpecError
from kan_core.fitting import hold_out
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


LINES, BENT, PRODUCT, LARGE = ((2, 1), ()), ((2, 1, 1), ()), ((2, 2, 1), (0, 1, 0)), wide_shape(2)


def said_of(error: float, network_errors: dict[Shape, float]) -> str:
    (law,) = laws((6, 2.0 * error))
    errors = {shape: 2.0 * one for shape, one in network_errors.items()}
    return verdict(law, target="z", spread=2.0, network_errors=errors, num_held_out=200)


@pytest.mark.parametrize(
    ("error", "network_errors", "beginning"),
    [
        (1e-12, {}, "The law is exact"),
        (
            0.011,
            {BENT: 0.3, PRODUCT: 0.0105, LARGE: 0.011},
            "The law leaves 0.011 of the spread of z on samples that were held out, as much as networks of curves do, "
            "of 2 shapes up to [2, 5, 1]: what is left looks like noise.",
        ),
        (0.011, {BENT: 0.0001}, "No simple law was found: the closest formula leaves 0.011 of the spread of z"),
        (1.0, {BENT: 1.01, PRODUCT: 1.0, LARGE: 1.2}, "No law: nothing in these inputs tells z"),
        (
            1e-8,
            {BENT: 0.3, PRODUCT: 0.01, LARGE: 1e-3},
            "The law leaves 1e-08 of the spread of z on samples that were held out and is closer than networks",
        ),
    ],
)
def test_what_is_said_of_a_law_is_what_its_error_says(
    error: float, network_errors: dict[Shape, float], beginning: str
) -> None:
    assert said_of(error, network_errors).startswith(beginning)


@pytest.mark.parametrize("error", [1e-8, 0.27, 0.42, 0.95, 1.0])
@pytest.mark.parametrize(
    "shapes", [(), (LINES,), (LARGE,), (LINES, BENT, PRODUCT), (BENT, LARGE)], ids=lambda shapes: str(len(shapes))
)
def test_nothing_is_said_of_noise_before_networks_of_several_shapes_were_trained(
    error: float, shapes: tuple[Shape, ...]
) -> None:
    said = said_of(error, dict.fromkeys(shapes, error))
    assert said.startswith("The search ended before networks of several shapes could tell what is left from noise: ")
    assert f"leaves {error:.2g} of the spread of z" in said
    assert said.endswith("; give it more seconds.")


def test_a_large_network_that_is_worse_than_the_law_is_no_sign_of_noise() -> None:
    said = said_of(0.3, {BENT: 0.5, PRODUCT: 0.3, LARGE: 0.6})
    assert "looks like noise" not in said
    assert said.endswith("they cannot tell whether what is left is noise.")


# --- with processes that end before their time


def over(discovery: Discovery) -> Discovery:
    """Return the discovery once it is over."""
    with discovery:
        discovery.wait()
    return discovery


def test_processes_that_crash_are_not_called_lack_of_time(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    complaint = "import sys; print('first', file=sys.stderr); sys.exit('no such library.')"
    monkeypatch.setattr(worker, "COMMAND", (sys.executable, "-S", "-c", complaint))
    discovery = over(Discovery(line(), seconds=600.0, processes=2))
    assert discovery.is_broken_off
    assert discovery.conclusion(None) == (
        "The search broke off, since all its processes ended before their time: "
        "process 1 ended with exit status 1: no such library; process 2 ended with exit status 1: no such library."
    )
    assert "first\nno such library." in caplog.text
    assert children() == set()


@pytest.mark.slow
def test_a_process_that_is_killed_is_noted_and_the_others_go_on() -> None:
    data = CATALOGUE["exp_sin"].sample(seed=0)
    with Discovery(data, seconds=600.0, processes=2) as discovery:
        first, second = discovery.pids
        while not discovery.laws:
            discovery.wait(0.1)
        os.kill(first, signal.SIGKILL)
        while not discovery.losses:
            discovery.wait(0.1)
        assert not discovery.is_done
        assert discovery.activities[0] == "broken off"
        note = "1 of 2 processes ended before their time: process 1 was ended by SIGKILL, as when memory runs out."
        assert discovery.conclusion(discovery.laws[0]).endswith(note)
        os.kill(second, signal.SIGTERM)
        discovery.wait()
    assert discovery.is_broken_off
    said = discovery.conclusion(discovery.laws[0])
    assert said.startswith("The search broke off, since all its processes ended before their time: process 1 was ended")
    assert "process 2 was ended by SIGTERM. " in said


# --- how long it takes


def test_its_time_counts_from_when_a_process_has_loaded_and_ends_soon_after(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("kan_core.discover.time.monotonic", lambda: now[0])
    told: list[Report] = []

    def read(_worker: worker.Worker) -> list[Report]:
        return [told.pop()] if told else []

    monkeypatch.setattr(worker, "COMMAND", (sys.executable, "-S", "-c", "import sys; sys.stdin.read()"))
    monkeypatch.setattr(worker.Worker, "read", read)
    with Discovery(line(), seconds=5.0, processes=1) as discovery:
        now[0] += 60.0
        discovery.poll()
        assert (discovery.elapsed, discovery.progress, discovery.has_loaded) == (0.0, 0.0, False)
        told.append(Report(laws=[], findings=[], activity="starting", network_errors={}, is_done=False))
        discovery.poll()
        assert discovery.has_loaded
        now[0] += 6.9
        discovery.poll()
        assert not discovery.is_done
        now[0] += 0.2
        discovery.poll()
        assert discovery.is_done
        assert discovery.elapsed == pytest.approx(7.1)
        assert not discovery.is_broken_off


def test_processes_that_never_load_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]

    def read(_worker: worker.Worker) -> list[Report]:
        return []

    monkeypatch.setattr("kan_core.discover.time.monotonic", lambda: now[0])
    monkeypatch.setattr(worker.Worker, "read", read)
    with Discovery(line(), seconds=5.0, processes=1) as discovery:
        now[0] += 121.0
        discovery.poll()
        assert discovery.is_done
        assert discovery.conclusion(None).endswith("process 1 had not loaded after 120 s.")


class Told(io.BytesIO):
    """An output that has its messages read back."""

    def reports(self) -> list[Report]:
        found: list[Report] = []
        self.seek(0)
        while head := self.read(LENGTH.size):
            found.append(pickle.loads(self.read(LENGTH.unpack(head)[0])))
        return found


def test_laws_are_told_as_soon_as_they_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "INTERVAL", 1e9)
    split = hold_out(line(), seed=0)
    assert split is not None
    output = Told()
    process.run(Job(dataset=split, seed=0, divides_first=False, seconds=600.0), output)
    first, *others, last = output.reports()
    # the mean comes with the news that time begins, before the line is found
    assert (first.activity, [law[1] for law in first.laws]) == ("starting", [0])
    assert [[law[1] for law in report.laws] for report in others if report.laws][:1] == [[1]]
    assert last.is_done


@pytest.mark.parametrize(("niceness", "ends"), [(0, 3), (5, 8), (10, 13), (12, 15), (13, 15), (14, 15), (15, 16)])
def test_a_process_yields_but_sinks_no_lower_than_it_has_to(niceness: int, ends: int) -> None:
    assert niceness + process.steps_down(niceness) == ends


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_seeds_out_of_bounds_are_refused(seed: int) -> None:
    with pytest.raises(SpecError, match=r"^seed is an integer from 0 to 4294967295, received seed="):
        Discovery(line(), seed=seed)
