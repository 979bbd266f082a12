"""Newest frame wins, events keep their order, credit is one frame."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from server.frames import FLAG_GRIDS, FLAG_NODES, HEADER, Frame, encode_frame
from server.mailbox import Mailbox, MailboxClosed, MailboxOverflow, strip_grids


def _frame(seq: int, *, grid_revision: int = 1, epoch: int = 0, grids: bool = True) -> bytes:
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    return encode_frame(
        Frame(
            epoch=epoch,
            seq=seq,
            revision=0,
            grid_revision=grid_revision,
            step=seq,
            train_rmse=1.0,
            test_rmse=1.0,
            objective=1.0,
            steps_per_second=1.0,
            importance=np.ones(2, dtype=np.float32),
            values=values,
            grids=np.zeros((1, 3), dtype=np.float32) if grids else None,
        )
    )


def _flags(frame: str | bytes) -> int:
    assert isinstance(frame, bytes)
    return frame[4]


async def test_events_keep_their_order_and_pass_frames() -> None:
    mailbox = Mailbox(4)
    mailbox.put_frame(_frame(1))
    mailbox.put_event("a")
    mailbox.put_event("b")
    assert [await mailbox.get() for _ in range(3)] == ["a", "b", _frame(1)]


async def test_a_newer_frame_replaces_an_unsent_one() -> None:
    mailbox = Mailbox(4)
    mailbox.put_frame(_frame(1))
    mailbox.put_frame(_frame(2))
    assert await mailbox.get() == _frame(2)


async def test_a_frame_waits_for_the_acknowledgement_of_the_one_before_and_events_do_not() -> None:
    mailbox = Mailbox(4)
    mailbox.put_frame(_frame(1))
    await mailbox.get()
    mailbox.put_frame(_frame(2))
    mailbox.acknowledge(7)
    waiting = asyncio.ensure_future(mailbox.get())
    await asyncio.sleep(0)
    assert mailbox.awaits_ack
    assert not waiting.done()
    mailbox.put_event("a")
    assert await waiting == "a"
    mailbox.acknowledge(1)
    assert await mailbox.get() == strip_grids(_frame(2))


async def test_grids_come_again_when_they_change_after_a_restore_and_after_a_resync() -> None:
    mailbox = Mailbox(4)
    flags: list[int] = []
    for frame in (_frame(1), _frame(2), _frame(3, grid_revision=2), _frame(4, grid_revision=2, epoch=1)):
        mailbox.put_frame(frame)
        flags.append(_flags(await mailbox.get()))
        mailbox.acknowledge(frame[12])
    mailbox.forget_grids()
    mailbox.put_frame(_frame(5, grid_revision=2, epoch=1))
    flags.append(_flags(await mailbox.get()))
    assert flags == [FLAG_GRIDS, 0, FLAG_GRIDS, FLAG_GRIDS, FLAG_GRIDS]


def test_a_stripped_frame_holds_everything_but_the_grids() -> None:
    stripped, whole = strip_grids(_frame(1)), _frame(1)
    assert stripped[8:] == whole[8 : len(whole) - 12]
    assert stripped[4] == 0


async def test_overflow_is_an_error_that_says_why() -> None:
    mailbox = Mailbox(1)
    mailbox.put_event("a")
    with pytest.raises(MailboxOverflow, match="1 events wait for a viewer that reads too slowly"):
        mailbox.put_event("b")


async def test_the_first_close_counts_and_what_comes_after_is_ignored() -> None:
    mailbox = Mailbox(1)
    mailbox.close(4408, "too slow")
    mailbox.close(4410, "deleted")
    mailbox.put_event("a")
    mailbox.put_frame(_frame(1))
    with pytest.raises(MailboxClosed, match="too slow") as closed:
        await mailbox.get()
    assert closed.value.code == 4408


def test_the_grids_of_a_perceptron_are_left_out_behind_its_weights_and_curves() -> None:
    curves = np.arange(9, dtype=np.float32).reshape(3, 3)
    weights = np.array([2.0, -1.0], dtype=np.float32)
    frame = encode_frame(
        Frame(
            epoch=0,
            seq=1,
            revision=0,
            grid_revision=1,
            step=1,
            seconds=0.5,
            train_rmse=1.0,
            test_rmse=1.0,
            objective=1.0,
            steps_per_second=1.0,
            importance=np.ones(2, dtype=np.float32),
            weights=weights,
            values=curves,
            grids=curves + 1,
        )
    )
    stripped = strip_grids(frame)
    assert len(frame) - len(stripped) == curves.nbytes
    assert _flags(stripped) == FLAG_NODES
    assert stripped[64:] == np.ones(2, dtype=np.float32).tobytes() + weights.tobytes() + curves.tobytes()
    assert HEADER.unpack_from(stripped)[7:10] == (2, 3, 3)
    assert HEADER.unpack_from(stripped)[-1] == 0.5
