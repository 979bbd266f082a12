"""From samples to a law with nobody watching: several processes, different seeds and ways, one list of laws."""

from __future__ import annotations

import math
import os
import time
from dataclasses import replace
from types import TracebackType

import torch

from kan_core._checks import check_integer, check_number
from kan_core.datasets import Dataset
from kan_core.discovery.reports import Job, Report, unpack_law
from kan_core.discovery.shapes import Shape
from kan_core.discovery.verdict import verdict
from kan_core.discovery.worker import Worker
from kan_core.errors import DataError
from kan_core.fitting import FEWEST_TO_SPLIT, hold_out
from kan_core.symbolic.laws import Law, pareto_front
from kan_core.symbolic.own_functions import BUILT_IN, Library, describe_function
from kan_core.symbolic.search import EXACT

SECONDS = 30.0
LEAST_SECONDS = 1.0
MOST_SECONDS = 86_400.0
MOST_PROCESSES = 64
MOST_SEED = 2**32 - 1
# for how long after its time a process may still work on its last piece; what it found before has been reported
GRACE = 2.0
# for how long processes may load on a busy machine
MOST_LOADING = 120.0
WAIT = 0.05


class Discovery:
    """A search for the law behind the training samples of `dataset`, which starts at once, in processes of its own.

    A fifth of the training samples, drawn with `seed`, is held out to judge; test samples are not looked at. It takes
    `seconds` at most, counted from when the first process has loaded, and two more for the last piece of work; less
    when a law is exact (relative error under 1e-9 on the held-out samples). `processes` is one a core unless given; the
    first climbs from small shapes to larger, the second takes the problem apart first, others do the same with other
    seeds. Use it in a `with`, or call `close`. No method waits but `wait`.

    Raises DataError for a classification, several outputs, too few samples or targets that are all the same, and
    SpecError for settings out of bounds.
    """

    def __init__(
        self,
        dataset: Dataset,
        *,
        seconds: float = SECONDS,
        seed: int = 0,
        processes: int | None = None,
        library: Library = BUILT_IN,
    ) -> None:
        self.seconds = check_seconds(seconds)
        count = os.cpu_count() or 1 if processes is None else processes
        count = check_integer("processes", count, low=1, high=MOST_PROCESSES)
        seed = check_integer("seed", seed, low=0, high=MOST_SEED)
        self.split = split_for_discovery(dataset, seed=seed)
        self.laws: list[Law] = []
        self.findings: list[str] = []
        self.activities: list[str] = [""] * count
        self.network_errors: dict[Shape, float] = {}
        self.losses: list[str] = []
        self._spread = float(self.split.test_targets.std(correction=0))
        self._made = time.monotonic()
        self._start: float | None = None
        self._ended_after: float | None = None
        own = [describe_function(function) for function in library.own]
        self._processes: list[Worker] = []
        try:
            for place in range(count):
                job = Job(
                    dataset=self.split,
                    seed=seed + place,
                    divides_first=place % 2 == 1,
                    seconds=self.seconds,
                    own_functions=own,
                )
                self._processes.append(Worker(place + 1, job))
        except BaseException:
            # those that did start are not left behind
            self.close()
            raise

    def __enter__(self) -> Discovery:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def elapsed(self) -> float:
        """The seconds from when the first process had loaded to now, or to the end; 0 before."""
        if self._ended_after is not None:
            return self._ended_after
        return 0.0 if self._start is None else time.monotonic() - self._start

    @property
    def progress(self) -> float:
        """The share of the time that is gone, 1 when it is done."""
        return 1.0 if self.is_done else min(self.elapsed / max(self.seconds, 1e-9), 0.999)

    @property
    def is_done(self) -> bool:
        """Whether no process works any more."""
        return self._ended_after is not None

    @property
    def is_exact(self) -> bool:
        """Whether a law was found whose held-out error is that of the arithmetic."""
        return any(law.test_rmse <= EXACT * self._spread for law in self.laws)

    @property
    def pids(self) -> list[int]:
        """The ids of its processes."""
        return [worker.pid for worker in self._processes]

    @property
    def has_loaded(self) -> bool:
        """Whether a process has loaded, so that time counts."""
        return self._start is not None

    @property
    def is_broken_off(self) -> bool:
        """Whether all processes ended before their time."""
        return len(self.losses) == len(self._processes)

    @property
    def loss(self) -> str:
        """What became of processes that ended before their time in a sentence, empty when none did."""
        if not self.losses:
            return ""
        how = "; ".join(self.losses)
        if self.is_broken_off:
            return f"The search broke off, since all its processes ended before their time: {how}."
        return f"{len(self.losses)} of {len(self._processes)} processes ended before their time: {how}."

    def conclusion(self, law: Law | None) -> str:
        """Return how it ended in words: how far `law` of it is to be believed, and what processes were lost."""
        if law is not None:
            said = verdict(
                law,
                target=(self.split.output_names or ("y",))[0],
                spread=self._spread or 1.0,
                network_errors=self.network_errors,
                num_held_out=len(self.split.test_inputs),
            )
        elif self.is_broken_off:
            return self.loss
        else:
            said = "Nothing was found in this time, not even a mean: give it more seconds."
        return " ".join(filter(None, (self.loss, said) if self.is_broken_off else (said, self.loss)))

    def poll(self) -> bool:
        """Take what the processes found since and return whether there is anything new; ends what is over."""
        if self.is_done:
            return False
        is_new = is_over = False
        for place, worker in enumerate(self._processes):
            for report in worker.read():
                is_new = True
                self._take(place, report)
                # one that found an exact law has made it simpler by its end
                is_over = is_over or (report.is_done and self.is_exact)
            if worker.loss and worker.loss not in self.losses:
                is_new = True
                self.losses.append(worker.loss)
                self.activities[place] = "broken off"
        if is_over or self._is_late() or not any(one.is_alive for one in self._processes):
            self.close()
            return True
        return is_new

    def _is_late(self) -> bool:
        if self._start is not None:
            return self.elapsed > self.seconds + GRACE
        if time.monotonic() - self._made <= MOST_LOADING:
            return False
        self.losses = [
            f"process {number} had not loaded after {MOST_LOADING:g} s" for number in range(1, len(self._processes) + 1)
        ]
        return True

    def wait(self, seconds: float | None = None) -> None:
        """Return when it is done, or after `seconds` if that is sooner."""
        end = None if seconds is None else time.monotonic() + seconds
        while not self.is_done and (end is None or time.monotonic() < end):
            self.poll()
            time.sleep(WAIT)

    def close(self) -> None:
        """End all processes; what was found stays. Closing twice is harmless."""
        if self._ended_after is None:
            self._ended_after = self.elapsed
        for worker in self._processes:
            worker.close()

    def _take(self, place: int, report: Report) -> None:
        if self._start is None:
            self._start = time.monotonic()
        self.laws = pareto_front(
            [*self.laws, *(unpack_law(law, self.split) for law in report.laws if not self._is_known(law))]
        )
        self.activities[place] = "" if report.is_done else report.activity
        self.findings += [finding for finding in report.findings if finding not in self.findings]
        for shape, error in report.network_errors.items():
            self.network_errors[shape] = min(error, self.network_errors.get(shape, math.inf))

    def _is_known(self, packed: tuple[bytes, int, float, float]) -> bool:
        """Return whether a law that is as simple and as close is there, so that this one need not be unpacked."""
        _, complexity, _, test_rmse = packed
        return any(law.complexity <= complexity and law.test_rmse <= test_rmse for law in self.laws)


def check_seconds(seconds: float) -> float:
    """Return `seconds` when a discovery can take so many at most; raises SpecError otherwise."""
    return check_number("seconds", seconds, low=LEAST_SECONDS, high=MOST_SECONDS)


def split_for_discovery(dataset: Dataset, *, seed: int) -> Dataset:
    """Return the training samples of `dataset` in float64, a fifth of them held out; raises DataError as above."""
    if dataset.task != "regression":
        raise DataError("Discover looks for a law of numbers, received a classification: choose another target.")
    if dataset.num_outputs != 1:
        raise DataError(f"Discover looks for one law, received {dataset.num_outputs} outputs: choose one target.")
    exact = replace(
        dataset,
        train_inputs=dataset.train_inputs.to(torch.float64),
        train_targets=dataset.train_targets.to(torch.float64),
        test_inputs=dataset.test_inputs.to(torch.float64),
        test_targets=dataset.test_targets.to(torch.float64),
    )
    split = hold_out(exact, seed=seed)
    if split is None:
        raise DataError(
            f"Discover needs {FEWEST_TO_SPLIT} samples, received {len(dataset.train_inputs)}: add more rows."
        )
    if float(exact.train_targets.std()) == 0.0:
        raise DataError("Discover needs a target that changes, received one value in all rows: choose another target.")
    return split
