"""The lab on a real socket, with real processes."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import os
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from server.lab.queue import LocalJobQueue
from server.lab.runs import LabRuns
from tests.server.conftest import LiveApp, run_app
from tests.server.lab.examples import FAILING, LONG, RACE, SWEEP

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture
async def app(tmp_path: Path) -> AsyncGenerator[LiveApp]:
    """A server with one worker and two processes for the lab."""
    async with run_app(tmp_path, workers=1, lab_processes=2) as running:
        running.client.timeout = 300.0
        yield running


class Watch:
    """A page that watches a run."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def event(self, kind: str, **fields: object) -> dict[str, Any]:
        """Return the next event of a type that has these values."""
        while True:
            event = json.loads(await self._connection.recv())
            if event["type"] == kind and fields.items() <= event.items():
                return event


@asynccontextmanager
async def watch(app: LiveApp, run: dict[str, str], key: str = "") -> AsyncGenerator[Watch]:
    address = f"ws://{app.address}/ws/lab/{run['run_id']}?key={key}"
    async with connect(address, compression=None, max_size=None, ping_timeout=None) as connection:
        yield Watch(connection)


async def _start(app: LiveApp, toml: str) -> dict[str, str]:
    response = await app.client.post("/api/lab/runs", json={"toml": toml})
    assert response.status_code == 201, response.text
    return response.json()


async def _act(app: LiveApp, run: dict[str, str], act: str, key: str | None = None) -> int:
    address = f"/api/lab/runs/{run['run_id']}/{act}"
    return (await app.client.post(address, params={"key": run["edit_key"] if key is None else key})).status_code


async def _info(app: LiveApp, run: dict[str, str]) -> dict[str, Any]:
    return (await app.client.get(f"/api/lab/runs/{run['run_id']}")).json()


async def test_a_sweep_is_run_watched_and_exported_and_a_point_of_it_opened(app: LiveApp) -> None:
    check = (await app.client.post("/api/lab/check", json={"toml": SWEEP})).json()
    assert (check["ok"], check["num_points"], check["kind"], check["processes"]) == (True, 12, "scaling", 2)
    run = await _start(app, SWEEP)
    async with watch(app, run, run["edit_key"]) as page:
        first = (await page.event("lab_run"))["run"]
        assert (first["can_edit"], first["num_points"], first["toml"]) == (True, 12, check["toml"])
        told = await page.event("lab_state", state="done")
        assert told["sentence"] == "All 12 points are done."
    info = await _info(app, run)
    assert (info["num_done"], info["num_failed"], info["can_edit"]) == (12, 0, False)
    assert {point["state"] for point in info["points"]} == {"done"}
    assert [fit["variable"] for fit in info["fits"]] == ["grid_size"]
    await _check_exports(app, run, info)
    opened = await app.client.post(f"/api/lab/runs/{run['run_id']}/open", json={"key": info["points"][1]["key"]})
    assert opened.status_code == 201, opened.text
    async with app.page(opened.json()["session_id"], opened.json()["edit_key"]) as session:
        snapshot = await session.event("snapshot")
        assert snapshot["structure"]["network"]["grid_size"] == info["points"][1]["value"]
        assert (snapshot["data"]["num_train"], snapshot["data"]["num_test"]) == (60, 20)


async def _check_exports(app: LiveApp, run: dict[str, str], info: dict[str, Any]) -> None:
    base = f"/api/lab/runs/{run['run_id']}"
    table = await app.client.get(f"{base}/export.csv")
    assert table.headers["content-disposition"] == 'attachment; filename="small-sweep.csv"'
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert [float(row["test_rmse"]) for row in rows] == [point["test_rmse"] for point in info["points"]]
    whole = (await app.client.get(f"{base}/export.json")).json()
    assert (len(whole["points"]), whole["fits"]) == (12, info["fits"])
    assert (await app.client.get(f"{base}/export.toml")).text == info["toml"]
    report = (await app.client.get(f"{base}/export.html")).text
    assert info["digest"] in report
    assert (await app.client.get(f"{base}/export.pdf")).status_code == 422
    figures = (await app.client.get(f"{base}/figures")).json()
    assert figures["scaling"]["data"]


async def test_points_that_fail_say_why_and_the_rest_go_on(app: LiveApp) -> None:
    run = await _start(app, FAILING)
    async with watch(app, run) as page:
        told = await page.event("lab_state", state="done")
        assert told["sentence"] == "All 4 points are done; 2 failed, and say why."
    points = (await _info(app, run))["points"]
    assert {(point["problem"], point["outcome"]) for point in points} >= {("bad", "failed")}
    assert all("no finite real value" in point["sentence"] for point in points if point["problem"] == "bad")
    assert all(point["test_rmse"] is not None for point in points if point["problem"] == "good")


async def test_a_run_rests_goes_on_and_is_cancelled_between_steps(app: LiveApp) -> None:
    run = await _start(app, LONG)
    async with watch(app, run) as page:
        before = {one["key"]: one["step"] for one in (await page.event("lab_progress"))["running"]}
        assert await _act(app, run, "pause", "wrong") == 403
        assert await _act(app, run, "pause") == 204
        await page.event("lab_state", state="paused")
        assert await _act(app, run, "resume") == 204
        await page.event("lab_state", state="running")
        key = next(iter(before))
        after = 0
        while after <= before[key]:
            running = (await page.event("lab_progress"))["running"]
            after = max([one["step"] for one in running if one["key"] == key], default=0)
        assert await _act(app, run, "cancel") == 204
        told = await page.event("lab_state", state="cancelled")
        assert told["sentence"] == "Cancelled: 0 of 4 points are done and kept."
    assert await _act(app, run, "resume") == 409
    # the processes take up the next run at once
    async with watch(app, await _start(app, RACE)) as page:
        await page.event("lab_state", state="done")


async def test_a_point_whose_process_is_killed_is_computed_again(app: LiveApp) -> None:
    runs: LabRuns = app.app.state.lab_runs
    queue = runs.queue
    assert isinstance(queue, LocalJobQueue)
    run = await _start(app, LONG)
    async with watch(app, run) as page:
        last = (await page.event("lab_progress"))["running"][0]
        key = last["key"]
        while last["key"] != key or last["seconds"] < 2.0:
            last = (await page.event("lab_progress"))["running"][0]
        killed = queue.process_ids()
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        again = last
        # who begins anew tells so a fifth of a second later; how many steps that are is a matter of the machine
        while again["key"] != key or again["seconds"] >= 2.0:
            again = (await page.event("lab_progress"))["running"][0]
        assert not set(queue.process_ids()) & set(killed)
        assert (await _info(app, run))["num_failed"] == 0
        assert await _act(app, run, "cancel") == 204


async def test_a_deleted_run_is_gone(app: LiveApp) -> None:
    run = await _start(app, LONG)
    address = f"/api/lab/runs/{run['run_id']}"
    async with watch(app, run) as page:
        await page.event("lab_run")
        assert (await app.client.delete(address)).status_code == 403
        assert (await app.client.delete(address, params={"key": run["edit_key"]})).status_code == 204
        with pytest.raises(ConnectionClosed) as closed:
            await page.event("lab_state")
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4410
    assert (await app.client.get(address)).status_code == 404
    assert (await app.client.get("/api/lab/runs")).json() == {"runs": []}
    with pytest.raises(ConnectionClosed) as closed:
        async with watch(app, run) as page:
            await page.event("lab_run")
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4404


async def test_two_runs_are_set_side_by_side(app: LiveApp) -> None:
    runs: list[dict[str, str]] = []
    for toml in (RACE, RACE.replace("num_train = 40", "num_train = 50")):
        runs.append(await _start(app, toml))
        async with watch(app, runs[-1]) as page:
            await page.event("lab_state", state="done")
    address = f"/api/lab/runs/{runs[0]['run_id']}/compare"
    found = (await app.client.get(f"{address}/{runs[1]['run_id']}")).json()
    assert [found[side]["run_id"] for side in ("first", "second")] == [run["run_id"] for run in runs]
    assert [found[side]["state"] for side in ("first", "second")] == ["done", "done"]
    assert found["differences"] == ["num_train is 40 in the first and 50 in the second."]
    assert len(found["makers"]) == 2
    assert len(found["places"]) == 4
    assert all(place["ratio"] > 0.0 for place in found["places"])
    unknown = await app.client.get(f"{address}/none")
    assert (unknown.status_code, unknown.json()["sentence"]) == (404, "There is no run 'none'.")


async def test_ready_specs_are_listed_and_bad_ones_refused(app: LiveApp) -> None:
    # a text that is right is as long as it may be for the command
    longest = f"{RACE}#{'-' * (50_000 - len(RACE) - 1)}"
    ready, bad, longest_check, large = await asyncio.gather(
        app.client.get("/api/lab/ready"),
        app.client.post("/api/lab/runs", json={"toml": "titel = 3"}),
        app.client.post("/api/lab/check", json={"toml": longest}),
        app.client.post("/api/lab/check", json={"toml": f"{longest}-"}),
    )
    assert [one["name"] for one in ready.json()["specs"]] == ["which-basis", "kan-or-mlp", "how-they-scale"]
    assert bad.status_code == 422
    assert "did you mean title?" in bad.json()["sentence"]
    assert longest_check.json()["ok"]
    assert large.json()["sentence"] == "A spec has at most 50,000 characters, received 50,001: shorten it."
