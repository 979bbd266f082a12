"""A process of a discovery as the one that started it sees it: what it reported, and how it ended."""

from __future__ import annotations

import logging
import os
import pickle
import signal
import subprocess
import sys
import tempfile

from kan_core.discovery.reports import LENGTH, Job, Report

COMMAND = (sys.executable, "-m", "kan_core.discovery.process")
# how much of what a process complained of is logged, in bytes, and told, in characters
LOGGED = 4000
TOLD = 200
# seconds for a process that has closed its output to be gone
TO_END = 1.0

log = logging.getLogger(__name__)


class Worker:
    """A process with its job, and what it reported. `number` is what it is called."""

    def __init__(self, number: int, job: Job) -> None:
        self._number = number
        # files and no pipes: nobody waits until the process has loaded what it needs to read, nor reads its complaints
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115
        with tempfile.TemporaryFile() as given:
            pickle.dump(job, given)
            given.seek(0)
            self._process = subprocess.Popen(COMMAND, stdin=given, stdout=subprocess.PIPE, stderr=self._complaints)
        assert self._process.stdout is not None
        self._output = self._process.stdout
        os.set_blocking(self._output.fileno(), False)
        self._buffer = b""
        self._is_over = False
        self.loss = ""
        self.is_done = False

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether reports may still come."""
        return not self._is_over

    def read(self) -> list[Report]:
        """Return the reports that came since; one that ended before it was done says how in `loss`."""
        was_alive = self.is_alive
        while not self._is_over:
            chunk = self._output.read(1 << 20)
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
        self.is_done = self.is_done or any(report.is_done for report in reports)
        if was_alive and self._is_over and not self.is_done:
            self.loss = self._say_loss()
        return reports

    def _say_loss(self) -> str:
        """Return how the process ended, and log what it complained of."""
        try:
            status = self._process.wait(TO_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        size = self._complaints.seek(0, os.SEEK_END)
        self._complaints.seek(max(size - LOGGED, 0))
        complaint = self._complaints.read().decode(errors="replace").strip()
        log.warning("process %d of a discovery ended with status %d: %s", self._number, status, complaint)
        if status < 0:
            hint = ", as when memory runs out" if -status == signal.SIGKILL else ""
            return f"process {self._number} was ended by {signal.Signals(-status).name}{hint}"
        last = complaint.splitlines()[-1][:TOLD].rstrip(".") if complaint else ""
        return f"process {self._number} ended with exit status {status}" + (f": {last}" if last else "")

    def close(self) -> None:
        """Kill the process; closing twice is harmless."""
        self._is_over = True
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._output.close()
        self._complaints.close()
