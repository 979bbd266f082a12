"""A point is kept once, and what is kept outlives a restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from server.lab.messages import LabRunSummary
from server.lab.store import LabStore
from server.storage import Storage
from tests.server.lab.fakes import make_plan

PLAN = make_plan()


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncGenerator[Storage]:
    storage = Storage(f"sqlite+aiosqlite:///{tmp_path / 'test.sqlite3'}")
    await storage.open()
    yield storage
    await storage.close()


async def test_a_point_of_a_run_is_kept_once(storage: Storage) -> None:
    store = LabStore(storage)
    await store.add_run("one", "key", PLAN, origin="page")
    assert await store.add_result("one", "a", "first")
    assert not await store.add_result("one", "a", "second")
    assert await store.add_result("one", "b", "other")
    assert await store.load_results("one") == {"a": "first", "b": "other"}
    assert await store.load_results("one", keys=["b", "c"]) == {"b": "other"}


async def test_a_point_of_a_run_that_is_not_there_is_not_kept(storage: Storage) -> None:
    store = LabStore(storage)
    assert not await store.add_result("none", "a", "first")
    assert await store.load_results("none") == {}


async def test_runs_of_one_spec_share_it_and_come_back_after_a_restart(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'test.sqlite3'}"
    storage = Storage(url)
    await storage.open()
    store = LabStore(storage)
    first = await store.add_run("one", "key", PLAN, origin="page")
    second = await store.add_run("two", "other", PLAN, origin="command")
    assert await store.change_state("one", "paused", of=("running",))
    await store.add_result("two", "a", "result")
    await storage.close()
    again = Storage(url)
    await again.open()
    store = LabStore(again)
    assert [run.run_id for run in await store.load_runs_of(PLAN.digest)] == ["two", "one"]
    assert await store.load_runs_of("nothing") == []
    loaded = await store.load_run("one")
    assert loaded is not None
    assert (loaded.edit_key, loaded.state, loaded.origin, loaded.plan) == ("key", "paused", "page", PLAN)
    assert await store.load_run("three") is None
    assert await store.load_run("two") == second
    assert [await store.count_runs("page"), await store.count_runs("command")] == [1, 1]
    summary = LabRunSummary(
        run_id="two",
        title="A race",
        kind="race",
        digest=PLAN.digest,
        state="interrupted",
        num_points=3,
        num_done=1,
        created=second.created,
    )
    changed = {"run_id": "one", "state": "paused", "num_done": 0, "created": first.created}
    assert await store.load_summaries() == [summary, summary.model_copy(update=changed)]
    await again.close()


async def test_many_who_run_the_same_spec_at_once_share_it(storage: Storage) -> None:
    store = LabStore(storage)
    await asyncio.gather(*(store.add_run(f"run{k}", "key", PLAN, origin="page") for k in range(8)))
    assert len(await store.load_runs_of(PLAN.digest)) == 8


async def test_a_deleted_run_takes_its_points_along_and_its_spec_with_the_last(storage: Storage) -> None:
    store = LabStore(storage)
    await store.add_run("one", "key", PLAN, origin="page")
    await store.add_run("two", "key", PLAN, origin="page")
    await store.add_result("one", "a", "result")
    await store.delete_run("one")
    await store.delete_run("one")
    assert await store.load_results("one") == {}
    assert [run.run_id for run in await store.load_runs_of(PLAN.digest)] == ["two"]
    await store.delete_run("two")
    assert await store.load_summaries() == []
    # with its spec gone, the same one may come back
    await store.add_run("three", "key", PLAN, origin="page")
