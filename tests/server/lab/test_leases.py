"""Of several processes on one database one carries a run out, the others follow it, and take over when it is silent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from server.lab import following
from server.lab.leases import LabLeases
from server.lab.store import LabStore, Origin, StoredState
from server.lab.viewer import LabViewer
from server.mailbox import MailboxClosed
from server.refusal import Refusal
from server.rooms import DELETED
from server.storage import Storage
from tests.server.lab.bench import LEASE, Bench, bench, read
from tests.server.lab.fakes import Clock, make_plan, make_result


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for news without waiting."""
    monkeypatch.setattr(following, "LOOK_INTERVAL", 0.0)


@asynccontextmanager
async def two(folder: Path, *, first: Origin = "page", second: Origin = "page") -> AsyncGenerator[tuple[Bench, Bench]]:
    """Two processes on one database whose clocks agree."""
    clock = Clock()
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(bench(folder, origin=first, clock=clock))
        yield one, await stack.enter_async_context(bench(folder, origin=second, clock=clock))


async def read_state(viewer: LabViewer) -> dict[str, Any]:
    """Return the next event that tells of a state."""
    while (event := await read(viewer))["type"] != "lab_state":
        pass
    return event


async def test_a_lease_is_had_by_one_alone_until_it_runs_out(tmp_path: Path) -> None:
    storage = Storage(f"sqlite+aiosqlite:///{tmp_path / 'test.sqlite3'}")
    await storage.open()
    clock = Clock()
    store = LabStore(storage, clock=clock)
    one, *others = (LabLeases(storage, seconds=LEASE, clock=clock) for _ in range(5))
    await store.add_run("run", "key", make_plan(), origin="page", lease=one.make())
    assert not await others[0].acquire("run")
    clock.now += 0.9 * LEASE
    assert await one.renew(["run", "none"]) == {"run": "running"}
    clock.now += 0.9 * LEASE
    assert not await others[0].acquire("run")
    assert await store.load_standing("run") == ("running", 0)
    clock.now += 0.2 * LEASE
    assert await store.load_standing("run") == ("interrupted", 0)
    assert await one.load_interrupted("page") == ["run"]
    assert sum(await asyncio.gather(*(other.acquire("run") for other in others))) == 1
    # who was silent for too long has lost it, and cannot give it away
    assert await one.renew(["run"]) == {}
    await one.release(["run"])
    assert await store.load_standing("run") == ("running", 0)
    await storage.close()


async def test_two_servers_on_one_database_do_not_compute_the_same(tmp_path: Path) -> None:
    async with two(tmp_path) as (one, other):
        made = await one.runs.start("race")
        await other.runs.carrier.beat()
        assert (len(one.queue.jobs), other.queue.jobs) == (3, [])
        await one.queue.finish()
        one.clock.now += 1.1 * LEASE
        await other.runs.carrier.beat()
        assert [job.point.seed for job in other.queue.jobs] == [1, 2]
        await one.runs.carrier.beat()
        assert one.queue.told == [("drop", made.run_id)]
        assert one.queue.jobs == []
        await one.runs.carrier.beat()
        await other.queue.finish()
        await other.queue.finish()
        assert (await one.runs.info(made.run_id, None)).state == "done"


async def test_who_carries_a_run_out_keeps_it_however_late_it_says_so_while_nobody_else_is_there(
    tmp_path: Path,
) -> None:
    async with bench(tmp_path) as one:
        await one.runs.start("race")
        one.clock.now += 5.0 * LEASE
        await one.runs.carrier.beat()
        assert (len(one.queue.jobs), one.queue.told) == (3, [])


async def test_a_server_that_is_started_after_a_kill_goes_on_once_the_lease_has_run_out(tmp_path: Path) -> None:
    async with two(tmp_path) as (one, other):
        made = await one.runs.start("race")
        summary = (await other.runs.summaries())[0]
        assert (summary.state, other.queue.jobs) == ("running", [])
        one.clock.now += LEASE
        info = await other.runs.info(made.run_id, None)
        sentence = "Interrupted: 0 of 3 points are done and kept. It goes on by itself within seconds."
        assert (info.state, info.sentence, info.seconds_left) == ("interrupted", sentence, None)
        await other.runs.carrier.beat()
        assert (await other.runs.info(made.run_id, None)).state == "running"
        assert len(other.queue.jobs) == 3


async def test_a_page_follows_a_run_of_the_command_and_its_end(tmp_path: Path) -> None:
    async with two(tmp_path, first="command") as (command, page):
        made = await command.runs.start("race")
        async with page.runs.watch(made.run_id, None) as viewer:
            assert (await read(viewer))["run"]["state"] == "running"
            await command.queue.finish()
            told = await read(viewer)
            assert (told["type"], told["num_done"], told["point"]["state"]) == ("lab_point", 1, "done")
            await command.queue.finish()
            await command.queue.finish()
            assert (await read_state(viewer))["sentence"] == "All 3 points are done."
        assert page.queue.jobs == []


async def test_laws_are_fitted_to_what_others_compute(tmp_path: Path) -> None:
    async with two(tmp_path, first="command") as (command, page):
        made = await command.runs.start("sweep")
        async with page.runs.watch(made.run_id, None) as viewer:
            await read(viewer)
            await command.queue.finish()
            while (told := await read(viewer))["type"] != "lab_fits":
                pass
            assert told["fits"][0]["exponent"] == 1.0


async def test_a_run_of_the_command_that_was_killed_is_interrupted_and_says_how_it_goes_on(tmp_path: Path) -> None:
    async with two(tmp_path, first="command") as (command, page):
        made = await command.runs.start("race")
        async with page.runs.watch(made.run_id, None) as viewer:
            await read(viewer)
            await command.queue.finish()
            assert (await read(viewer))["num_done"] == 1
            command.clock.now += LEASE
            told = await read_state(viewer)
            sentence = "Interrupted: 1 of 3 points are done and kept. The same command goes on with the rest."
            assert (told["state"], told["sentence"]) == ("interrupted", sentence)
            await page.runs.carrier.beat()
            # it is the command's own
            assert page.queue.jobs == []


async def test_of_two_commands_the_second_joins_the_run_and_takes_it_over(tmp_path: Path) -> None:
    plan = make_plan()
    async with two(tmp_path, first="command", second="command") as (one, other):
        made = await asyncio.gather(one.runs.start_only(plan), other.runs.start_only(plan))
        assert sum(run is None for run in made) == 1
        run_id = next(run.run_id for run in made if run is not None)
        first, second = (one, other) if made[0] is not None else (other, one)
        async with second.runs.watch(run_id, None) as viewer:
            assert not await second.runs.carrier.take_up(run_id)
            await first.queue.finish()
            await read(viewer)
            assert (await read(viewer))["num_done"] == 1
            first.clock.now += LEASE
            assert (await read_state(viewer))["state"] == "interrupted"
            assert await second.runs.carrier.take_up(run_id)
            assert (await read_state(viewer))["state"] == "running"
            assert [job.point.seed for job in second.queue.jobs] == [1, 2]
            # with the first gone, a third would join the second
            assert await first.runs.start_only(plan) is None


@pytest.mark.parametrize("is_alive", [True, False])
async def test_a_run_of_the_command_is_cancelled_from_the_page_by_its_edit_key(tmp_path: Path, is_alive: bool) -> None:
    async with two(tmp_path, first="command") as (command, page):
        made = await command.runs.start("race")
        await command.queue.finish()
        if not is_alive:
            command.clock.now += LEASE
        with pytest.raises(Refusal, match="Only who holds the edit link"):
            await page.runs.cancel(made.run_id, "other")
        await page.runs.cancel(made.run_id, made.edit_key)
        assert (await page.runs.info(made.run_id, None)).state == "cancelled"
        async with command.runs.watch(made.run_id, None) as viewer:
            await read(viewer)
            await command.runs.carrier.beat()
            told = await read(viewer)
            assert told["sentence"] == "Cancelled: 1 of 3 points are done and kept."
        assert command.queue.told == [("drop", made.run_id)]


async def test_a_run_of_the_command_rests_and_goes_on_from_the_page(tmp_path: Path) -> None:
    async with two(tmp_path, first="command") as (command, page):
        made = await command.runs.start("race")
        async with command.runs.watch(made.run_id, None) as viewer:
            await read(viewer)
            await page.runs.pause(made.run_id, made.edit_key)
            await command.runs.carrier.beat()
            assert (await read_state(viewer))["state"] == "paused"
            await page.runs.resume(made.run_id, made.edit_key)
            await command.runs.carrier.beat()
            assert (await read_state(viewer))["state"] == "running"
        assert command.queue.told == [("hold", made.run_id), ("release", made.run_id)]
        assert page.queue.jobs == []
        # with nobody there to go on with it, it is interrupted
        await page.runs.pause(made.run_id, made.edit_key)
        command.clock.now += LEASE
        await page.runs.resume(made.run_id, made.edit_key)
        with pytest.raises(Refusal, match="The same command goes on with the rest"):
            await page.runs.resume(made.run_id, made.edit_key)


async def test_a_deleted_run_is_carried_out_no_longer_by_anybody(tmp_path: Path) -> None:
    async with two(tmp_path, first="command") as (command, page):
        made = await command.runs.start("race")
        async with command.runs.watch(made.run_id, None) as viewer:
            await read(viewer)
            await page.runs.delete(made.run_id, made.edit_key)
            await command.runs.carrier.beat()
            with pytest.raises(MailboxClosed) as closed:
                await read_state(viewer)
            assert closed.value.code == DELETED
        assert command.queue.jobs == []


async def test_what_rests_because_results_cannot_be_written_is_not_begun_again_by_a_renewal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bench(tmp_path) as one:
        made = await one.runs.start("race")
        with monkeypatch.context() as patch:
            patch.setattr(one.store, "add_result", fail)
            await one.queue.finish()
        await one.runs.carrier.beat()
        assert (await one.runs.info(made.run_id, None)).state == "paused"
        await one.runs.resume(made.run_id, made.edit_key)
        assert one.queue.told == [("hold", made.run_id), ("release", made.run_id)]


async def test_a_point_whose_result_cannot_be_written_is_not_put_back_when_its_run_was_cancelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bench(tmp_path) as one:
        made = await one.runs.start("race")

        async def cancel_and_fail(run_id: str, _key: str, _result: str) -> bool:
            await one.runs.cancel(run_id, made.edit_key)
            return await fail()

        monkeypatch.setattr(one.store, "add_result", cancel_and_fail)
        await one.queue.finish()
        assert one.queue.jobs == []
        assert (await one.runs.info(made.run_id, None)).state == "cancelled"


@pytest.mark.parametrize("is_restarted", [False, True])
async def test_an_end_that_cannot_be_written_is_written_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_restarted: bool
) -> None:
    async with bench(tmp_path) as one:
        made = await one.runs.start("race")
        change = one.store.change_state

        async def refuse(_run_id: str, _state: StoredState, **_of: object) -> bool:
            return await fail()

        monkeypatch.setattr(one.store, "change_state", refuse)
        for _ in range(3):
            await one.queue.finish()
        assert (await one.runs.info(made.run_id, None)).state == "running"
        if not is_restarted:
            monkeypatch.setattr(one.store, "change_state", change)
            await one.runs.carrier.beat()
            assert (await one.runs.info(made.run_id, None)).state == "done"
    async with bench(tmp_path) as one:
        assert [summary.state for summary in await one.runs.summaries()] == ["done"]
        assert one.queue.jobs == []


async def test_results_of_a_run_that_another_has_are_nobodys(tmp_path: Path) -> None:
    async with two(tmp_path) as (one, other):
        made = await one.runs.start("race")
        job = one.queue.jobs[0]
        one.clock.now += LEASE
        await other.runs.carrier.beat()
        await one.runs.carrier.beat()
        await one.runs.carrier.on_result(job, make_result(job.point))
        assert await one.store.load_results(made.run_id) == {}


async def fail(*_arguments: object) -> bool:
    raise OperationalError("INSERT", None, Exception("disk full"))
