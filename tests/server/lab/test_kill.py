"""Whatever is killed and however often, every point of a run is there once in the end."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

from tests.server.lab.examples import timed
from tests.server.processes import wait_for_group

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
# the next server goes on with a run once the lease of the killed one has run out
LEASE = {"KANOSCOPE_LAB_LEASE": "2"}
NUM_POINTS, NUM_KILLS, POINTS_BETWEEN = 200, 5, 10


class Served:
    """A server in a process group of its own."""

    def __init__(self, folder: Path, port: int) -> None:
        self._port = port
        self.process = subprocess.Popen(
            [sys.executable, "-m", "server.cli", "--port", str(port), "--no-browser", "--workers", "1"],
            env=os.environ | {"KANOSCOPE_DATA_DIR": str(folder), "KANOSCOPE_LAB_PROCESSES": "2"} | LEASE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline().startswith(b"Kanoscope serves")
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=300)

    def get(self, path: str) -> Any:
        return self.client.get(path).json()

    def wait_for(self, run_id: str, num_done: int) -> dict[str, Any]:
        """Return the points of a run that are done, by their keys, as soon as they are so many.

        They are told by events: asking over and over would take the processor from those who compute.
        """
        done: dict[str, Any] = {}
        with connect(f"ws://127.0.0.1:{self._port}/ws/lab/{run_id}", max_size=None) as socket:
            for text in socket:
                event = json.loads(text)
                if event["type"] == "lab_run":
                    done = {point["key"]: point for point in event["run"]["points"] if point["state"] == "done"}
                elif event["type"] == "lab_point":
                    done[event["point"]["key"]] = event["point"]
                if len(done) >= num_done:
                    return done
        raise AssertionError(f"the server told of {len(done)} points, {num_done} were waited for")

    def close(self) -> None:
        self.client.close()
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@contextmanager
def serve(folder: Path) -> Generator[Served]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    served = Served(folder, port)
    try:
        yield served
    finally:
        served.close()


def start_run(served: Served, num_points: int, seconds: float) -> str:
    """Return the id of a run of so many points, of so many processor seconds each."""
    return served.client.post("/api/lab/runs", json={"toml": timed(num_points, seconds)}).json()["run_id"]


def check_stored(folder: Path, run_id: str, done: dict[str, Any], num_points: int) -> None:
    """Check that every point is done, and stored once."""
    assert {point["outcome"] for point in done.values()} == {"ok"}
    database = sqlite3.connect(folder / "kanoscope.sqlite3")
    keys = [key for (key,) in database.execute("SELECT key FROM lab_points WHERE run_id = ?", (run_id,))]
    database.close()
    assert len(keys) == len(set(keys)) == num_points
    assert set(keys) == set(done)


def test_after_five_kills_of_the_server_amid_a_sweep_every_point_is_there_once(tmp_path: Path) -> None:
    run_id, before = "", dict[str, Any]()
    for kill in range(NUM_KILLS):
        with serve(tmp_path) as served:
            run_id = run_id or start_run(served, NUM_POINTS, 0.05)
            done = served.wait_for(run_id, len(before) + POINTS_BETWEEN)
            # the web process alone, which takes nobody along
            served.process.kill()
            served.process.wait()
            wait_for_group(served.process.pid)
        assert len(done) < NUM_POINTS, f"it was over before kill {kill + 1}"
        # what was kept before is as it was
        assert done.items() >= before.items()
        before = done
    with serve(tmp_path) as served:
        last = served.wait_for(run_id, NUM_POINTS)
        assert served.get("/api/lab/runs")["runs"][0]["num_done"] == NUM_POINTS
    assert last.items() >= before.items()
    check_stored(tmp_path, run_id, last, NUM_POINTS)


def test_after_a_kill_of_all_processes_at_once_a_run_goes_on(tmp_path: Path) -> None:
    with serve(tmp_path) as served:
        run_id = start_run(served, 12, 0.1)
        first = served.wait_for(run_id, 3)
        assert len(first) < 12
        os.killpg(served.process.pid, signal.SIGKILL)
    with serve(tmp_path) as served:
        last = served.wait_for(run_id, 12)
    assert last.items() >= first.items()
    check_stored(tmp_path, run_id, last, 12)
