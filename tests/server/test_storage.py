"""What the database keeps over a restart and what it forgets."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from server.storage import Storage, StoredSession


def _url(folder: Path) -> str:
    return f"sqlite+aiosqlite:///{folder / 'test.sqlite3'}"


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncGenerator[Storage]:
    storage = Storage(_url(tmp_path))
    await storage.open()
    yield storage
    await storage.close()


async def test_sessions_come_back_after_a_restart_with_their_newest_checkpoint(
    storage: Storage, tmp_path: Path
) -> None:
    await storage.add_session("one", "key")
    await storage.add_session("two", "other")
    await storage.save_checkpoint("one", epoch=0, step=5, checkpoint=b"old")
    await storage.save_checkpoint("one", epoch=1, step=9, checkpoint=b"new")
    await storage.close()
    again = Storage(_url(tmp_path))
    await again.open()
    assert await again.load_sessions() == [
        StoredSession(session_id="one", edit_key="key", epoch=1, step=9, checkpoint=b"new"),
        StoredSession(session_id="two", edit_key="other", epoch=0, step=0, checkpoint=None),
    ]
    await again.close()


async def test_a_checkpoint_of_a_deleted_session_brings_nothing_back(storage: Storage) -> None:
    await storage.add_session("one", "key")
    await storage.log_command("one", "{}", keep=3)
    await storage.delete_session("one")
    await storage.delete_session("one")
    assert not await storage.save_checkpoint("one", epoch=0, step=1, checkpoint=b"late")
    assert await storage.load_sessions() == []
    assert await storage.load_commands("one") == []


async def test_the_log_keeps_each_sessions_newest_commands_in_order(storage: Storage) -> None:
    await storage.add_session("one", "key")
    await storage.add_session("two", "key")
    await storage.log_command("two", "other", keep=2)
    for text in ("a", "b", "c"):
        await storage.log_command("one", text, keep=2)
    assert await storage.load_commands("one") == ["b", "c"]
    assert await storage.load_commands("two") == ["other"]


async def test_tables_are_kept_up_to_the_limit(storage: Storage) -> None:
    assert await storage.add_table("a", b"x,y", limit=1)
    assert not await storage.add_table("b", b"z", limit=1)
    assert await storage.load_table("a") == b"x,y"
    assert await storage.load_table("b") is None


async def test_closing_twice_is_harmless(storage: Storage) -> None:
    await storage.close()
    await storage.close()
