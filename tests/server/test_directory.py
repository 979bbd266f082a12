"""Places for sessions are kept while they are opened, with an engine in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from server.directory import Directory
from server.engine import Checkpoint, Cursor, SessionClosed, SessionReport, Update
from server.keeper import CheckpointKeeper
from server.messages import ClientCommand, Event, SnapshotEvent
from server.refusal import Refusal
from server.rest import CatalogueInfo, SessionRequest
from server.settings import Settings
from server.storage import Storage


class SlowEngine:
    """Sessions that are open once the test says so, and that know nothing else."""

    def __init__(self) -> None:
        self.may_open = asyncio.Event()
        self.asked: list[str] = []
        self.opened: list[str] = []

    async def open(self, session_id: str, beginning: SessionRequest | Checkpoint) -> Checkpoint:
        self.asked.append(session_id)
        await self.may_open.wait()
        if isinstance(beginning, SessionRequest) and beginning.seed == 13:
            raise Refusal("bad_session", "Thirteen brings bad luck.")
        self.opened.append(session_id)
        return Checkpoint(epoch=0, step=0, title="a line", dataset_id=None, content=b"")

    async def command(self, session_id: str, command: ClientCommand) -> Event:
        raise SessionClosed(session_id, command)

    async def snapshot(self, session_id: str) -> SnapshotEvent:
        raise SessionClosed(session_id)

    async def next_update(self, session_id: str, after: Cursor) -> Update:
        raise SessionClosed(session_id, after)

    async def close(self, session_id: str) -> None:
        if session_id in self.opened:
            self.opened.remove(session_id)

    async def catalogue(self) -> CatalogueInfo:
        raise SessionClosed

    def list(self) -> list[SessionReport]:
        return [SessionReport(session_id=one, title="a line", state="paused", step=0) for one in self.opened]


@pytest.fixture
async def engine() -> SlowEngine:
    return SlowEngine()


@pytest.fixture
async def directory(engine: SlowEngine, tmp_path: Path) -> AsyncGenerator[Directory]:
    settings = Settings.model_validate({"data_dir": tmp_path, "max_sessions": 2, "max_stored_sessions": 2})
    storage = Storage(settings.database)
    await storage.open()
    directory = Directory(engine, storage, CheckpointKeeper(storage), settings)
    yield directory
    await directory.close()
    await storage.close()


async def test_sessions_on_their_way_take_places(engine: SlowEngine, directory: Directory) -> None:
    creating = [asyncio.ensure_future(directory.create(SessionRequest(seed=seed))) for seed in range(4)]
    # two are refused although none is open yet
    for late in creating[2:]:
        with pytest.raises(Refusal, match="2 sessions are being watched, all there is room for") as refused:
            await late
        assert refused.value.code == "too_many_sessions"
    engine.may_open.set()
    created = [await one for one in creating[:2]]
    assert [one.session_id for one in created] == engine.opened == engine.asked
    # nobody watches them, so the oldest makes room
    third = await directory.create(SessionRequest())
    assert engine.opened == [created[1].session_id, third.session_id]
    assert [one.session_id for one in directory.summaries()] == engine.opened


async def test_a_session_that_could_not_be_made_gives_its_place_back(engine: SlowEngine, directory: Directory) -> None:
    engine.may_open.set()
    for _ in range(3):
        with pytest.raises(Refusal, match="Thirteen"):
            await directory.create(SessionRequest(seed=13))
    await asyncio.gather(directory.create(SessionRequest()), directory.create(SessionRequest()))
    assert len(engine.opened) == 2
