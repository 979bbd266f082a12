"""Events keep their numbers, the newest frame wins, and what is forgotten is said to be."""

from __future__ import annotations

import asyncio
import struct

import pytest

from server.engine import Cursor, Position, SessionClosed
from server.feed import CAPACITY, Feed
from server.messages import DoneEvent, NoticeEvent, ViewersEvent

FRAME = bytes(64)


async def test_events_are_numbered_in_order_and_collected_after_a_cursor() -> None:
    feed = Feed(2)
    for count in range(3):
        feed.publish(ViewersEvent(count=count))
    update = await feed.wait(Cursor(position=Position(2, 1)))
    assert [event.position for event in update.events] == [Position(2, 2), Position(2, 3)]
    assert update.events[0].text == ViewersEvent(epoch=2, seq=2, count=1).model_dump_json()
    assert update.cursor == Cursor(position=Position(2, 3))
    assert update.is_complete


async def test_waiting_ends_with_the_next_event() -> None:
    feed = Feed(0)
    waiting = asyncio.ensure_future(feed.wait(Cursor()))
    await asyncio.sleep(0)
    assert not waiting.done()
    feed.publish(NoticeEvent(level="info", code="hello", sentence="Hello."))
    (event,) = (await waiting).events
    assert event.is_notice


async def test_only_the_newest_frame_is_kept_and_it_is_stamped() -> None:
    feed = Feed(3)
    feed.put_frame(FRAME)
    feed.put_frame(FRAME)
    update = await feed.wait(Cursor(position=Position(3, 0)))
    assert update.frame is not None
    assert struct.unpack_from("<2I", update.frame, 8) == (3, 2)
    assert update.cursor.frame == 2


async def test_frames_are_numbered_through_while_epochs_change() -> None:
    feed = Feed(0)
    feed.put_frame(FRAME)
    feed.begin_epoch()
    feed.put_frame(FRAME)
    update = await feed.wait(Cursor())
    assert update.frame is not None
    assert struct.unpack_from("<2I", update.frame, 8) == (1, 2)


async def test_a_frame_of_an_earlier_epoch_is_not_handed_out() -> None:
    feed = Feed(0)
    feed.put_frame(FRAME)
    feed.begin_epoch()
    assert (await feed.wait(Cursor())).frame is None


async def test_what_was_forgotten_is_said_to_be_missing() -> None:
    feed = Feed(0)
    for count in range(CAPACITY + 1):
        feed.publish(ViewersEvent(count=count))
    assert not (await feed.wait(Cursor())).is_complete
    update = await feed.wait(Cursor(position=Position(0, 1)))
    assert update.is_complete
    assert len(update.events) == CAPACITY


async def test_a_cursor_of_an_earlier_epoch_misses_events() -> None:
    feed = Feed(0)
    feed.publish(ViewersEvent(count=1))
    feed.begin_epoch()
    feed.publish(ViewersEvent(count=2))
    assert not (await feed.wait(Cursor(position=Position(0, 1)))).is_complete


async def test_answers_carry_the_newest_number() -> None:
    feed = Feed(1)
    feed.publish(ViewersEvent(count=1))
    assert feed.stamp(DoneEvent(request_id=4)) == DoneEvent(epoch=1, seq=1, request_id=4)


async def test_closing_ends_the_waiting_and_closing_twice_is_harmless() -> None:
    feed = Feed(0)
    waiting = asyncio.ensure_future(feed.wait(Cursor()))
    await asyncio.sleep(0)
    feed.close()
    feed.close()
    with pytest.raises(SessionClosed):
        await waiting
    with pytest.raises(SessionClosed):
        await feed.wait(Cursor())
