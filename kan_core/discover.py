"""From samples to a law with nobody watching: several processes, different seeds and ways, one list of laws."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from types import TracebackType

import torch

from kan_core._checks import check_integer, check_number
from kan_core.datasets import Dataset
from kan_core.discovery.reports import LENGTH, Job, Report, unpack_law
from kan_core.errors import DataError
from kan_core.fitting import FEWEST_TO_SPLIT, hold_out
from kan_core.symbolic.laws import Law, pareto_front
from kan_core.symbolic.own_functions import BUILT_IN, Library, describe_function
from kan_core.symbolic.search import EXACT

SECONDS = 30.0
LEAST_SECONDS = 1.0
MOST_SECONDS = 86_400.0
MOST_PROCESSES = 64
# for how long after its time a process may still work on its last piece
GRACE = 10.0
WAIT = 0.05


class Discovery:
    """A search for the law behind the training samples of `dataset`, which starts at once, in processes of its own.

    A fifth of the training samples, drawn with `seed`, is held out to judge; test samples are not looked at. It takes
    `seconds` at most, less when a law is exact (relative error under 1e-9 on the held-out samples). `processes` is one
    a core unless given; the first climbs from small shapes to larger, the second takes the problem apart first, others
    do the same with other seeds. Use it in a `with`, or call `close`. No method waits but `wait`.

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
        self.seconds = check_number("seconds", seconds, low=LEAST_SECONDS, high=MOST_SECONDS)
        count = os.cpu_count() or 1 if processes is None else processes
        count = check_integer("processes", count, low=1, high=MOST_PROCESSES)
        self.split = split_for_discovery(dataset, seed=seed)
        self.laws: list[Law] = []
        self.findings: list[str] = []
        self.activities: list[str] = [""] * count
        self.network_error = float("inf")
        self._spread = float(self.split.test_targets.std(correction=0))
        self._start = time.monotonic()
        self._ended_after: float | None = None
        own = [describe_function(function) for function in library.own]
        self._processes = [
            _Worker(
                Job(
                    dataset=self.split,
                    seed=seed + place,
                    divides_first=place % 2 == 1,
                    seconds=self.seconds,
                    own_functions=own,
                )
            )
            for place in range(count)
        ]

    def __enter__(self) -> Discovery:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def elapsed(self) -> float:
        """The seconds from the start to now, or to the end."""
        return time.monotonic() - self._start if self._ended_after is None else self._ended_after

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
        if is_over or self.elapsed > self.seconds + GRACE or not any(one.is_alive for one in self._processes):
            self.close()
            return True
        return is_new

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
        self.laws = pareto_front([*self.laws, *(unpack_law(law, self.split) for law in report.laws)])
        self.activities[place] = "" if report.is_done else report.activity
        self.findings += [finding for finding in report.findings if finding not in self.findings]
        self.network_error = min(self.network_error, report.network_error)


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


class _Worker:
    """A process with its job, and what it reported."""

    def __init__(self, job: Job) -> None:
        # a file and no pipe: nobody waits until the process has loaded what it needs to read it
        with tempfile.TemporaryFile() as given:
            pickle.dump(job, given)
            given.seek(0)
            self._process = subprocess.Popen(
                [sys.executable, "-m", "kan_core.discovery.process"],
                stdin=given,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        assert self._process.stdout is not None
        self._output = self._process.stdout
        os.set_blocking(self._output.fileno(), False)
        self._buffer = b""
        self._is_over = False

    @property
    def is_alive(self) -> bool:
        """Whether reports may still come."""
        return not self._is_over

    def read(self) -> list[Report]:
        """Return the reports that came since."""
        while not self._is_over:
            chunk = self._output.read(1 << 20) if not self._output.closed else b""
            if chunk is None:
                break
            if not chunk:
                self._is_over = True
            self._buffer += chunk
        reports: list[Report] = []
        while len(self._buffer) >= LENGTH.size:
            end = LENGTH.size + LENGTH.unpack_from(self._buffer)[0]
            if len(self._buffer) < end:
                break
            # written by the process that was started above
            reports.append(pickle.loads(self._buffer[LENGTH.size : end]))
            self._buffer = self._buffer[end:]
        return reports

    def close(self) -> None:
        """Kill the process."""
        self._is_over = True
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._output.close()
