"""Discoveries in a real worker: so many and no more, and none that outlives its session or its worker."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from server.worker import MAX_DISCOVERIES
from tests.server.conftest import LiveApp, run_app
from tests.server.processes import discovering_pids, is_alive

pytestmark = pytest.mark.slow
PATIENCE = 60.0
PRODUCT = {
    "data": {"kind": "formula", "expression": "sin(x*y) + x", "variables": [{"name": "x"}, {"name": "y"}]},
    "training": {"steps_per_second": 1},
}


async def settled(is_so: Callable[[], bool]) -> None:
    """Return once it is so."""
    end = time.monotonic() + PATIENCE
    while not await asyncio.to_thread(is_so):
        assert time.monotonic() < end
        await asyncio.sleep(0.1)


def worker_of(app: LiveApp, sessions: list[str]) -> int:
    """Return the one process that has all these sessions."""
    return next(pid for pid, hosted in app.engine.worker_pids().items() if sorted(hosted) == sorted(sessions))


async def test_a_worker_has_room_for_so_many_and_leaves_none_behind(tmp_path: Path) -> None:
    async with run_app(tmp_path, workers=1) as app:
        sessions = [await app.create(PRODUCT) for _ in range(MAX_DISCOVERIES + 1)]
        worker = worker_of(app, [session_id for session_id, _ in sessions])
        started: list[list[int]] = []
        for session_id, key in sessions[:MAX_DISCOVERIES]:
            others = {pid for pids in started for pid in pids}
            async with app.page(session_id, key) as page:
                assert (await page.ask({"type": "discover", "seconds": 600}))["type"] == "done"
                again = await page.ask({"type": "discover", "seconds": 600})
                assert again["sentence"].startswith("A search for laws is at work already")
                await settled(lambda others=others: len(set(discovering_pids(worker)) - others) >= 2)
            started.append(sorted(set(discovering_pids(worker)) - others))
        last, key = sessions[-1]
        async with app.page(last, key) as page:
            refused = await page.ask({"type": "discover", "seconds": 600})
            assert (refused["code"], refused["sentence"]) == (
                "busy",
                "2 other sessions discover laws here now, all there is room for: wait some minutes, or explain the "
                "network.",
            )
            await page.send({"type": "discover", "seconds": 0.5})
            assert (await page.event("error"))["code"] == "bad_message"

        first, key = sessions[0]
        deleted = await app.client.delete(f"/api/sessions/{first}", params={"key": key})
        assert deleted.status_code == 204, deleted.text
        await settled(lambda: not any(map(is_alive, started[0])))
        assert all(map(is_alive, started[1]))
        async with app.page(*sessions[-1]) as page:
            assert (await page.ask({"type": "discover", "seconds": 600}))["type"] == "done"
            await settled(lambda: len(discovering_pids(worker)) >= 4)
        started[0] = sorted(set(discovering_pids(worker)) - set(started[1]))

        # a worker that is killed cannot end them: they notice that nobody reads what they report
        session_id, _ = sessions[1]
        async with app.page(session_id) as page:
            await page.event("snapshot", epoch=0)
            os.kill(worker, signal.SIGKILL)
            snapshot = await page.event("snapshot", epoch=1)
            assert (snapshot["explanation"]["kind"], snapshot["explanation"]["state"]) == ("discover", "lost")
        await settled(lambda: not any(is_alive(pid) for pids in started for pid in pids))


async def test_a_server_that_stops_leaves_none_behind(tmp_path: Path) -> None:
    async with run_app(tmp_path, workers=1) as app:
        session_id, key = await app.create(PRODUCT)
        worker = worker_of(app, [session_id])
        async with app.page(session_id, key) as page:
            assert (await page.ask({"type": "discover", "seconds": 600}))["type"] == "done"
            await settled(lambda: len(discovering_pids(worker)) >= 2)
        pids = discovering_pids(worker)
    assert not any(map(is_alive, pids))
