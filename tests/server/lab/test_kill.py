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

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
NUM_POINTS, NUM_KILLS, POINTS_BETWEEN = 200, 5, 20


class Served:
    """A server in a process group of its own."""

    def __init__(self, folder: Path, port: int) -> None:
        self._port = port
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

    def wait_for(self, run_id: str, num_done: int) -> dict[str, Any]:
        """Return a run once so many of its points are done; asking over and over would hold them up."""
        with connect(f"ws://127.0.0.1:{self._port}/ws/lab/{run_id}", max_size=None) as socket:
            for text in socket:
                event = json.loads(text)
                if event["type"] in ("lab_run", "lab_point") and event.get("run", event)["num_done"] >= num_done:
                    break
        return self.get(f"/api/lab/runs/{run_id}")

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


def done_points(info: dict[str, Any]) -> dict[str, Any]:
    """Return the points of a run that are done, by their keys."""
    return {point["key"]: point for point in info["points"] if point["state"] == "done"}


def check_stored(folder: Path, run_id: str, info: dict[str, Any]) -> None:
    """Check that every point of a run that is done is stored once."""
    assert (info["num_done"], info["num_failed"]) == (info["num_points"], 0)
    database = sqlite3.connect(folder / "kanoscope.sqlite3")
    keys = [key for (key,) in database.execute("SELECT key FROM lab_points WHERE run_id = ?", (run_id,))]
    database.close()
    assert len(keys) == len(set(keys)) == info["num_points"]
    assert set(keys) == {point["key"] for point in info["points"]}


def test_after_five_kills_of_the_server_amid_a_sweep_every_point_is_there_once(tmp_path: Path) -> None:
    run_id, before = "", dict[str, Any]()
    for kill in range(NUM_KILLS):
        with serve(tmp_path) as served:
            run_id = run_id or start_run(served, NUM_POINTS, 0.1)
            info = served.wait_for(run_id, len(before) + POINTS_BETWEEN)
            assert info["num_done"] < NUM_POINTS, f"it was over before kill {kill + 1}"
            # what was kept before is as it was
            assert done_points(info).items() >= before.items()
            before = done_points(info)
            # the web process alone, which takes nobody along
            served.process.kill()
            served.process.wait()
            wait_for_group(served.process.pid)
    with serve(tmp_path) as served:
        last = served.wait_for(run_id, NUM_POINTS)
        assert served.get("/api/lab/runs")["runs"][0]["num_done"] == NUM_POINTS
    assert done_points(last).items() >= before.items()
    check_stored(tmp_path, run_id, last)


def test_after_a_kill_of_all_processes_at_once_a_run_goes_on(tmp_path: Path) -> None:
    with serve(tmp_path) as served:
        run_id = start_run(served, 12, 0.1)
        first = served.wait_for(run_id, 3)
        assert first["num_done"] < 12
        os.killpg(served.process.pid, signal.SIGKILL)
    with serve(tmp_path) as served:
        last = served.wait_for(run_id, 12)
    assert done_points(last).items() >= done_points(first).items()
    check_stored(tmp_path, run_id, last)
