"""Deaths, restarts, crowds and pages that do not read."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from tests.server.conftest import LiveApp, Page, run_app

pytestmark = pytest.mark.slow
EDGE = {"layer": 0, "source": 0, "target": 0}


def _kill_worker(app: LiveApp, session_id: str) -> None:
    pid = next(pid for pid, sessions in app.engine.worker_pids().items() if session_id in sessions)
    os.kill(pid, signal.SIGKILL)


async def _next_epoch(page: Page, epoch: int) -> str:
    """Return the sentence of the notice that follows the snapshot of this epoch."""
    await page.event("snapshot", epoch=epoch)
    notice = await page.event("notice", epoch=epoch, code="restored")
    while (await page.frame()).epoch != epoch:
        pass
    return notice["sentence"]


async def test_a_session_outlives_kill_9_of_its_worker_while_it_trains(app: LiveApp) -> None:
    session_id, key = await app.create()
    async with app.page(session_id, key) as page, app.page(session_id) as guest:
        assert (await page.ask({"type": "prune", "edges": [EDGE]}))["type"] == "done"
        while (step := (await page.frame()).step) < 5:
            pass
        _kill_worker(app, session_id)
        sentence = await _next_epoch(page, 1)
        assert "it was restored from step" in sentence
        restored = int(sentence.rstrip(".").rsplit(" ", 1)[1])
        # checkpoints are written every second, at ten steps a second
        assert restored >= step - 15
        assert await _next_epoch(guest, 1) == sentence
        while (await page.frame()).step <= step:
            pass
        await page.send({"type": "resync"})
        snapshot = await page.event("snapshot")
        assert snapshot["structure"]["edges"][0]["kind"] == "pruned"
        assert snapshot["history"]["undo"] is not None


async def test_a_perceptron_outlives_kill_9_of_its_worker_while_it_trains(app: LiveApp) -> None:
    network = {"model": "mlp", "widths": [2, 4, 3, 1], "activation": ["tanh", "gelu"]}
    session_id, key = await app.create({"network": network, "paused": True})
    async with app.page(session_id, key) as page:
        snapshot = await page.event("snapshot")
        assert (snapshot["status"]["state"], snapshot["status"]["step"]) == ("paused", 0)
        assert (await page.ask({"type": "refine", "grid_size": 10}))["code"] == "not_for_perceptrons"
        assert (await page.ask({"type": "run"}))["type"] == "done"
        while (step := (await page.frame()).step) < 5:
            pass
        _kill_worker(app, session_id)
        assert "it was restored from step" in await _next_epoch(page, 1)
        while (await page.frame()).step <= step:
            pass
        await page.send({"type": "resync"})
        snapshot = await page.event("snapshot")
        assert snapshot["structure"]["network"] == {**network, "output_tanh": False}
        assert snapshot["losses"][-1]["seconds"] > 0


async def test_a_session_whose_worker_ends_twice_within_a_minute_is_paused(app: LiveApp) -> None:
    session_id, key = await app.create()
    async with app.page(session_id, key) as page:
        await page.frame()
        _kill_worker(app, session_id)
        await _next_epoch(page, 1)
        _kill_worker(app, session_id)
        assert "paused, as that was the second time" in await _next_epoch(page, 2)
        await page.send({"type": "resync"})
        assert (await page.event("snapshot"))["status"]["state"] == "paused"


async def test_the_other_sessions_of_a_dead_worker_come_back_too(tmp_path: Path) -> None:
    async with run_app(tmp_path, workers=1) as app:
        (one, one_key), (two, two_key) = await app.create(), await app.create()
        async with app.page(one, one_key) as first, app.page(two, two_key) as second:
            await asyncio.gather(first.frame(), second.frame())
            _kill_worker(app, one)
            await asyncio.gather(_next_epoch(first, 1), _next_epoch(second, 1))


async def test_an_act_under_way_when_the_worker_dies_is_answered_by_name(app: LiveApp) -> None:
    session_id, key = await app.create()
    async with app.page(session_id, key) as page:
        await page.event("snapshot")
        pid = next(pid for pid, sessions in app.engine.worker_pids().items() if session_id in sessions)
        os.kill(pid, signal.SIGSTOP)
        await page.send({"type": "pause", "request_id": 4})
        # the command has left this process once a second one is refused by the same connection
        await page.send("nonsense")
        await page.event("error", code="bad_message")
        os.kill(pid, signal.SIGKILL)
        answer = await page.event("error", request_id=4)
        assert answer["code"] == "worker_died"


async def test_twenty_sessions_train_at_once(app: LiveApp) -> None:
    created = await asyncio.gather(*(app.create({"seed": seed}) for seed in range(20)))

    async def watch(session_id: str, key: str) -> None:
        async with app.page(session_id, key) as page:
            first = await page.frame()
            while (await page.frame()).step <= first.step:
                pass

    await asyncio.gather(*(watch(*one) for one in created))
    listed = (await app.client.get("/api/sessions")).json()["sessions"]
    assert {one["session_id"] for one in listed} == {session_id for session_id, _ in created}
    assert {one["title"] for one in listed} == {"exp(sin(πx) + y²)"}


async def test_a_restart_of_the_server_brings_sessions_back_paused(tmp_path: Path) -> None:
    async with run_app(tmp_path) as app:
        session_id, key = await app.create()
        async with app.page(session_id, key) as page:
            assert (await page.ask({"type": "prune", "edges": [EDGE]}))["type"] == "done"
            step = (await page.frame()).step
    async with run_app(tmp_path) as app:
        summary = (await app.client.get(f"/api/sessions/{session_id}")).json()
        assert (summary["title"], summary["state"]) == ("exp(sin(πx) + y²)", "paused")
        assert summary["step"] >= step
        async with app.page(session_id, key) as page:
            snapshot = await page.event("snapshot", epoch=1, can_edit=True)
            assert snapshot["status"] == {"state": "paused", "step": summary["step"], "sentence": ""}
            assert snapshot["structure"]["edges"][0]["kind"] == "pruned"
            restored = f"The server was restarted: this session was restored from step {summary['step']} and is paused."
            assert (await page.event("notice", code="restored"))["sentence"] == restored
            async with app.page(session_id) as guest:
                assert (await guest.event("notice", code="restored"))["sentence"] == restored
            assert (await page.frame()).step == summary["step"]
            assert (await page.ask({"type": "undo"}))["type"] == "done"
            assert (await page.ask({"type": "run"}))["type"] == "done"
            while (await page.frame()).step <= summary["step"]:
                pass


async def _open_deaf_page(app: LiveApp, session_id: str) -> socket.socket:
    """Return a socket on which a page was opened, and from which nothing is ever read."""
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.setblocking(False)
    host, port = app.address.split(":")
    loop = asyncio.get_running_loop()
    await loop.sock_connect(deaf, (host, int(port)))
    head = (
        f"GET /ws/sessions/{session_id} HTTP/1.1\r\nHost: {app.address}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    await loop.sock_sendall(deaf, head.encode())
    return deaf


async def test_a_viewer_that_never_reads_holds_nobody_up_and_is_sent_away(tmp_path: Path) -> None:
    async with run_app(tmp_path, ping_interval=0.2, ping_timeout=0.5, send_timeout=0.5) as app:
        session_id, key = await app.create()
        async with app.page(session_id, key) as page:
            await page.event("snapshot")
            deaf = await _open_deaf_page(app, session_id)
            await page.event("viewers", count=2)
            step = (await page.frame()).step
            await page.event("viewers", count=1)
            while (await page.frame()).step <= step:
                pass
            deaf.close()


async def test_a_viewer_that_asks_and_never_reads_is_closed(tmp_path: Path) -> None:
    async with run_app(tmp_path, send_timeout=0.2, command_burst=10_000) as app:
        session_id, key = await app.create()
        async with app.page(session_id, key) as page, app.page(session_id) as slow:
            await slow.event("snapshot")
            slow.connection.transport.pause_reading()  # pyright: ignore[reportAttributeAccessIssue]
            # answers of some hundred kilobytes fill what the kernel holds for a reader that does not come
            while (await app.client.get(f"/api/sessions/{session_id}")).json()["viewers"] == 2:
                await slow.send({"type": "predict", "y_input": 1, "resolution": 80})
            slow.connection.transport.abort()
            await page.frame()


async def test_a_session_nobody_watches_pauses_and_runs_on_when_somebody_comes(tmp_path: Path) -> None:
    async with run_app(tmp_path, idle_pause=0.0) as app:
        session_id, _ = await app.create()
        async with app.page(session_id) as page:
            await page.frame()
        while (await app.client.get(f"/api/sessions/{session_id}")).json()["state"] != "paused":
            pass
        async with app.page(session_id) as page:
            assert (await page.event("snapshot"))["status"]["state"] == "running"


async def test_a_session_that_was_paused_by_hand_stays_paused(tmp_path: Path) -> None:
    async with run_app(tmp_path, idle_pause=0.0) as app:
        session_id, key = await app.create()
        async with app.page(session_id, key) as page:
            assert (await page.ask({"type": "pause"}))["type"] == "done"
        async with app.page(session_id, key) as page:
            assert (await page.event("snapshot"))["status"]["state"] == "paused"


async def test_unwatched_sessions_make_room_and_come_back(tmp_path: Path) -> None:
    async with run_app(tmp_path, max_sessions=1) as app:
        first, first_key = await app.create()
        second, _ = await app.create()
        async with app.page(second) as watched:
            await watched.event("snapshot")
            async with app.page(first, first_key) as page:
                with pytest.raises(ConnectionClosed) as closed:
                    await page.event("snapshot")
                assert closed.value.rcvd is not None
                assert closed.value.rcvd.code == 1013
        async with app.page(first, first_key) as page:
            snapshot = await page.event("snapshot")
            assert (snapshot["session_id"], snapshot["epoch"]) == (first, 1)
            assert snapshot["can_edit"]


async def test_the_least_recently_used_session_is_forgotten_when_too_many_are_kept(tmp_path: Path) -> None:
    async with run_app(tmp_path, max_stored_sessions=2) as app:
        created = [(await app.create())[0] for _ in range(3)]
        listed = (await app.client.get("/api/sessions")).json()["sessions"]
        assert [one["session_id"] for one in listed] == created[1:]
