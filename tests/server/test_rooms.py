"""Joining, following, overflowing and leaving, with an engine in memory."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from server.engine import Checkpoint, Cursor, SessionClosed, SessionReport, Update
from server.feed import Feed
from server.mailbox import MailboxClosed
from server.messages import (
    ClientCommand,
    DoneEvent,
    Event,
    ExplanationInfo,
    Formula,
    HistoryEvent,
    HistoryInfo,
    NoticeEvent,
    Pause,
    Residuals,
    ServerEvent,
    SnapshotEvent,
    StatusEvent,
    StatusInfo,
    Step,
    TrainingEvent,
    TrainingSettings,
)
from server.refusal import Refusal
from server.rest import CatalogueInfo, SessionRequest
from server.rooms import Room, Viewer
from server.settings import Settings
from tests.server.examples import DATA, STRUCTURE

EVENTS: TypeAdapter[ServerEvent] = TypeAdapter(ServerEvent)
FORMULA = Formula(mathml="", text="", latex="", sympy="", numpy="", pytorch="", is_closed_form=False, num_curves=1)


class MemoryEngine:
    """One session whose events a test publishes; every command is done, with one event before the answer."""

    def __init__(self) -> None:
        self.feed = Feed(0)
        self.state = StatusInfo(state="running", step=0)
        self.explanation: ExplanationInfo | None = None
        self.commands: list[str] = []
        self.snapshots = asyncio.Event()
        self.snapshots.set()
        self.answers = asyncio.Event()
        self.answers.set()

    async def open(self, session_id: str, beginning: SessionRequest | Checkpoint) -> Checkpoint:
        raise Refusal("full", f"{session_id} is the one session there is: {beginning}")

    async def command(self, session_id: str, command: ClientCommand) -> Event:
        assert session_id == "s"
        self.commands.append(command.type)
        if command.type in ("run", "pause"):
            self.state = StatusInfo(state="running" if command.type == "run" else "paused", step=0)
        self.feed.publish(StatusEvent(status=self.state))
        await self.answers.wait()
        return self.feed.stamp(DoneEvent(request_id=command.request_id))

    async def snapshot(self, session_id: str) -> SnapshotEvent:
        snapshot = SnapshotEvent(
            session_id=session_id,
            can_edit=False,
            structure=STRUCTURE,
            training=TrainingSettings(),
            data=DATA,
            status=self.state,
            history=HistoryInfo(),
            formula=FORMULA,
            losses=[],
            explanation=self.explanation,
        )
        stamped = self.feed.stamp(snapshot)
        await self.snapshots.wait()
        return stamped

    async def next_update(self, session_id: str, after: Cursor) -> Update:
        assert session_id == "s"
        return await self.feed.wait(after)

    async def close(self, session_id: str) -> None:
        assert session_id == "s"
        self.feed.close()

    async def catalogue(self) -> CatalogueInfo:
        raise SessionClosed

    def list(self) -> list[SessionReport]:
        return []


@pytest.fixture
async def engine() -> MemoryEngine:
    return MemoryEngine()


def _room(engine: MemoryEngine, tmp_path: Path, **settings: object) -> Room:
    return Room("s", engine, Settings.model_validate({"data_dir": tmp_path} | settings))


async def _read(viewer: Viewer) -> ServerEvent:
    item = await viewer.mailbox.get()
    assert isinstance(item, str), item
    return EVENTS.validate_json(item)


async def test_a_viewer_gets_the_snapshot_and_then_what_comes_after_it(engine: MemoryEngine, tmp_path: Path) -> None:
    room = _room(engine, tmp_path)
    engine.feed.publish(TrainingEvent(training=TrainingSettings()))
    viewer = await room.join(can_edit=True)
    engine.feed.publish(HistoryEvent(history=HistoryInfo(undo="cut")))
    snapshot = await _read(viewer)
    assert isinstance(snapshot, SnapshotEvent)
    assert (snapshot.can_edit, snapshot.viewers, snapshot.seq) == (True, 1, 1)
    assert await _read(viewer) == HistoryEvent(history=HistoryInfo(undo="cut"), seq=2)
    await room.close(4410, "over")


async def test_what_happens_while_a_snapshot_is_awaited_comes_after_it(engine: MemoryEngine, tmp_path: Path) -> None:
    room = _room(engine, tmp_path)
    first = await room.join(can_edit=True)
    await _read(first)
    engine.snapshots.clear()
    joining = asyncio.ensure_future(room.join(can_edit=False))
    await asyncio.sleep(0)
    engine.feed.publish(HistoryEvent(history=HistoryInfo(undo="cut")))
    assert isinstance(await _read(first), HistoryEvent)
    engine.snapshots.set()
    second = await joining
    snapshot = await _read(second)
    assert isinstance(snapshot, SnapshotEvent)
    assert snapshot.seq == 0
    assert await _read(second) == HistoryEvent(history=HistoryInfo(undo="cut"), seq=1)
    await room.close(4410, "over")


async def test_an_answer_comes_after_the_events_of_its_act(engine: MemoryEngine, tmp_path: Path) -> None:
    room = _room(engine, tmp_path)
    viewer = await room.join(can_edit=True)
    await _read(viewer)
    await room.ask(viewer, Pause(request_id=5))
    assert isinstance(await _read(viewer), StatusEvent)
    assert await _read(viewer) == DoneEvent(request_id=5, seq=1)
    await room.close(4410, "over")


async def test_a_new_epoch_brings_a_snapshot_and_then_its_notice(engine: MemoryEngine, tmp_path: Path) -> None:
    room = _room(engine, tmp_path)
    viewer = await room.join(can_edit=True)
    await _read(viewer)
    notice = NoticeEvent(level="warning", code="restored", sentence="It was restored.")
    engine.feed.publish(TrainingEvent(training=TrainingSettings()))
    engine.feed.begin_epoch()
    engine.feed.publish(notice)
    snapshot = await _read(viewer)
    assert isinstance(snapshot, SnapshotEvent)
    assert (snapshot.epoch, snapshot.seq) == (1, 1)
    assert await _read(viewer) == notice.model_copy(update={"epoch": 1, "seq": 1})
    await room.close(4410, "over")


async def test_a_viewer_that_reads_too_slowly_is_closed_by_name_and_the_others_go_on(
    engine: MemoryEngine, tmp_path: Path
) -> None:
    room = _room(engine, tmp_path, event_queue=4)
    slow, quick = await room.join(can_edit=True), await room.join(can_edit=True)
    for _ in range(8):
        engine.feed.publish(TrainingEvent(training=TrainingSettings()))
        while not isinstance(await _read(quick), TrainingEvent):
            pass
    with pytest.raises(MailboxClosed, match="too slow: 4 events wait for a viewer that reads too slowly") as closed:
        await slow.mailbox.get()
    assert closed.value.code == 4408
    await room.close(4410, "over")


async def test_a_pump_that_falls_behind_starts_anew_from_a_snapshot(engine: MemoryEngine, tmp_path: Path) -> None:
    room = _room(engine, tmp_path)
    viewer = await room.join(can_edit=True)
    await _read(viewer)
    for _ in range(300):
        engine.feed.publish(TrainingEvent(training=TrainingSettings()))
    snapshot = await _read(viewer)
    assert isinstance(snapshot, SnapshotEvent)
    assert snapshot.seq == 300
    await room.close(4410, "over")


async def test_too_many_viewers_are_refused_by_name(engine: MemoryEngine, tmp_path: Path) -> None:
    room = _room(engine, tmp_path, max_viewers=1)
    await room.join(can_edit=True)
    with pytest.raises(Refusal, match="1 pages watch this session already: try again later") as refused:
        await room.join(can_edit=True)
    assert refused.value.code == "too_many_viewers"
    await room.close(4410, "over")


async def test_leaving_and_closing_twice_is_harmless(engine: MemoryEngine, tmp_path: Path) -> None:
    room = _room(engine, tmp_path)
    viewer = await room.join(can_edit=True)
    await room.leave(viewer)
    await room.leave(viewer)
    assert room.num_viewers == 0
    await room.close(4410, "over")
    await room.close(4410, "over")


async def test_a_closed_session_sends_its_viewers_away(engine: MemoryEngine, tmp_path: Path) -> None:
    room = _room(engine, tmp_path)
    viewer = await room.join(can_edit=True)
    await _read(viewer)
    engine.feed.close()
    with pytest.raises(MailboxClosed, match="the session was interrupted") as closed:
        await viewer.mailbox.get()
    assert closed.value.code == 1012
    await room.close(4410, "over")


async def test_resting_pauses_what_runs_until_somebody_comes(engine: MemoryEngine, tmp_path: Path) -> None:
    room = _room(engine, tmp_path)
    await room.rest()
    await room.rest()
    assert engine.commands == ["pause"]
    await room.join(can_edit=False)
    assert engine.commands == ["pause", "run"]
    await room.close(4410, "over")


async def test_who_comes_while_a_session_is_being_paused_finds_it_running(engine: MemoryEngine, tmp_path: Path) -> None:
    room = _room(engine, tmp_path, idle_pause=0)
    engine.answers.clear()
    room.watch_idleness()
    while not engine.commands:
        await asyncio.sleep(0)
    joining = asyncio.create_task(room.join(can_edit=True))
    while engine.commands == ["pause"]:
        await asyncio.sleep(0)
    engine.answers.set()
    await joining
    assert engine.commands == ["pause", "run"]
    assert engine.state.state == "running"
    await room.close(4410, "over")


@pytest.mark.parametrize("trains_after", [True, False])
async def test_training_that_waits_for_the_end_of_a_search_does_not_begin_unwatched(
    engine: MemoryEngine, tmp_path: Path, *, trains_after: bool
) -> None:
    room = _room(engine, tmp_path)
    engine.state = StatusInfo(state="paused", step=3)
    engine.explanation = ExplanationInfo(
        state="running", sentence="", samples="", step=3, progress=0.5, num_tried=1, laws=[], trains_after=trains_after
    )
    await room.rest()
    await room.join(can_edit=True)
    assert engine.commands == (["pause", "run"] if trains_after else [])
    await room.close(4410, "over")


async def test_steps_that_nobody_watched_are_broken_off_and_not_made_endless(
    engine: MemoryEngine, tmp_path: Path
) -> None:
    room = _room(engine, tmp_path)
    viewer = await room.join(can_edit=True)
    await room.ask(viewer, Step(count=1000))
    await room.leave(viewer)
    engine.state = StatusInfo(state="running", step=3)
    await room.rest()
    for _ in range(2):
        again = await room.join(can_edit=True)
        assert isinstance(await _read(again), SnapshotEvent)
        notice = await _read(again)
        assert isinstance(notice, NoticeEvent)
        assert notice.sentence == "The steps asked for were broken off, as nobody watched: step or run on."
        await room.leave(again)
    assert engine.commands == ["step", "pause"]
    await room.close(4410, "over")


async def test_what_befell_a_session_is_told_to_everyone_until_somebody_acts(
    engine: MemoryEngine, tmp_path: Path
) -> None:
    room = _room(engine, tmp_path)
    notice = NoticeEvent(level="warning", code="restored", sentence="It was restored.")
    room.remember(notice)
    first, second = await room.join(can_edit=True), await room.join(can_edit=False)
    for viewer in (first, second):
        assert isinstance(await _read(viewer), SnapshotEvent)
        assert await _read(viewer) == notice
    await room.ask(first, Residuals())
    third = await room.join(can_edit=False)
    assert isinstance(await _read(third), SnapshotEvent)
    assert isinstance(await _read(third), NoticeEvent)
    await room.ask(first, Pause())
    fourth = await room.join(can_edit=False)
    assert isinstance(await _read(fourth), SnapshotEvent)
    assert not isinstance(await _read(third), NoticeEvent)
    engine.feed.publish(HistoryEvent(history=HistoryInfo(undo="cut")))
    assert isinstance(await _read(fourth), HistoryEvent)
    await room.close(4410, "over")
