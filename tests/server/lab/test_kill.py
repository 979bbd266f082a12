"""Whatever is killed and however often, every point of a run is there once in the end."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.server.lab.examples import timed
from tests.server.processes import group_pids

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
NUM_POINTS = 24


class Served:
    """A server in a process group of its own."""

    def __init__(self, folder: Path, port: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "server.cli", "--port", str(port), "--no-browser", "--workers", "1"],
            env=os.environ | {"KANOSCOPE_DATA_DIR": str(folder), "KANOSCOPE_LAB_PROCESSES": "2"},
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline().startswith(b"Kanoscope serves")
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=300)

    def get(self, path: str) -> Any:
        return self.client.get(path).json()

    def wait_for(self, run_id: str, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Return the run once the condition holds."""
        while not condition(info := self.get(f"/api/lab/runs/{run_id}")):
            pass
        return info

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


def test_after_kill_9_of_the_server_every_point_is_there_once(tmp_path: Path) -> None:
    with serve(tmp_path) as served:
        made = served.client.post("/api/lab/runs", json={"toml": timed(NUM_POINTS, 0.1)}).json()
        run_id = made["run_id"]
        first = served.wait_for(run_id, lambda info: info["num_done"] >= 3)
        assert first["num_done"] < NUM_POINTS
        os.killpg(served.process.pid, signal.SIGKILL)
    with serve(tmp_path) as served:
        second = served.wait_for(run_id, lambda info: info["num_done"] >= first["num_done"] + 3)
        assert second["num_done"] < NUM_POINTS
        # of this one the web process alone, whose processes have to notice
        served.process.kill()
        served.process.wait()
        while group_pids(served.process.pid):
            pass
    with serve(tmp_path) as served:
        last = served.wait_for(run_id, lambda info: info["state"] == "done")
        assert (last["num_done"], last["num_failed"]) == (NUM_POINTS, 0)
        assert served.get("/api/lab/runs")["runs"][0]["num_done"] == NUM_POINTS
        before = {point["key"]: point for point in second["points"] if point["state"] == "done"}
        # what was kept before is as it was
        assert {point["key"]: point for point in last["points"] if point["key"] in before} == before
    database = sqlite3.connect(tmp_path / "kanoscope.sqlite3")
    keys = [key for (key,) in database.execute("SELECT key FROM lab_points WHERE run_id = ?", (run_id,))]
    database.close()
    assert len(keys) == len(set(keys)) == NUM_POINTS
    assert set(keys) == {point["key"] for point in last["points"]}
