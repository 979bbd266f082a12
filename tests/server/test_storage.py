"""What the database keeps over a restart and what it forgets."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from sqlalchemy.exc import DatabaseError, OperationalError

from server.engine import Checkpoint
from server.storage import Storage, StoredSession, try_database


def _url(folder: Path) -> str:
    return f"sqlite+aiosqlite:///{folder / 'test.sqlite3'}"


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncGenerator[Storage]:
    storage = Storage(_url(tmp_path))
    await storage.open()
    yield storage
    await storage.close()


def _checkpoint(step: int, *, epoch: int = 0, dataset_id: str | None = None) -> Checkpoint:
    return Checkpoint(epoch=epoch, step=step, title="x·y", dataset_id=dataset_id, content=b"%d" % step)


async def test_sessions_come_back_after_a_restart_with_their_newest_checkpoint(
    storage: Storage, tmp_path: Path
) -> None:
    await storage.add_session("one", "key", _checkpoint(0))
    await storage.add_session("two", "other", _checkpoint(3))
    await storage.save_checkpoint("one", _checkpoint(5))
    await storage.save_checkpoint("one", _checkpoint(9, epoch=1, dataset_id="table"))
    await storage.close()
    again = Storage(_url(tmp_path))
    await again.open()
    # the least recently used comes first
    assert await again.load_sessions() == [
        StoredSession(session_id="two", edit_key="other", title="x·y", step=3),
        StoredSession(session_id="one", edit_key="key", title="x·y", step=9),
    ]
    assert await again.load_checkpoint("one") == _checkpoint(9, epoch=1, dataset_id="table")
    await again.close()


async def test_a_checkpoint_of_a_deleted_session_brings_nothing_back(storage: Storage) -> None:
    await storage.add_session("one", "key", _checkpoint(0))
    await storage.log_command("one", "{}", keep=3)
    await storage.delete_session("one")
    await storage.delete_session("one")
    assert not await storage.save_checkpoint("one", _checkpoint(1))
    assert await storage.load_sessions() == []
    assert await storage.load_checkpoint("one") is None
    assert await storage.load_commands("one") == []


async def test_the_log_keeps_each_sessions_newest_commands_in_order(storage: Storage) -> None:
    await storage.add_session("one", "key", _checkpoint(0))
    await storage.add_session("two", "key", _checkpoint(0))
    await storage.log_command("two", "other", keep=2)
    for text in ("a", "b", "c"):
        await storage.log_command("one", text, keep=2)
    assert await storage.load_commands("one") == ["b", "c"]
    assert await storage.load_commands("two") == ["other"]


async def test_the_oldest_table_that_no_session_learns_from_makes_room(storage: Storage) -> None:
    await storage.add_session("one", "key", _checkpoint(0, dataset_id="a"))
    await storage.add_session("two", "key", _checkpoint(0))
    for name in ("a", "b", "c"):
        assert await storage.add_table(name, name.encode(), limit=2)
    assert [await storage.load_table(name) for name in ("a", "b", "c")] == [b"a", None, b"c"]


async def test_a_table_is_refused_when_sessions_learn_from_all_that_are_kept(storage: Storage) -> None:
    assert await storage.add_table("a", b"x,y", limit=1)
    await storage.add_session("one", "key", _checkpoint(0, dataset_id="a"))
    assert not await storage.add_table("b", b"z", limit=1)
    assert await storage.load_table("a") == b"x,y"
    assert await storage.load_table("b") is None
    await storage.delete_session("one")
    assert await storage.add_table("b", b"z", limit=1)
    assert await storage.load_table("a") is None


def test_a_database_that_cannot_be_opened_is_complained_about(tmp_path: Path) -> None:
    try_database(_url(tmp_path))
    with pytest.raises(OperationalError, match="unable to open database file"):
        try_database(_url(tmp_path / "missing"))
    (tmp_path / "test.sqlite3").write_text("This is no database at all, and longer than a page's head: " * 20)
    with pytest.raises(DatabaseError, match="file is not a database"):
        try_database(_url(tmp_path))


async def test_closing_twice_is_harmless(storage: Storage) -> None:
    await storage.close()
    await storage.close()
