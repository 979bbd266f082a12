"""Packets over a real socket pair, whole, broken and foreign."""

from __future__ import annotations

import asyncio
import socket
import threading

import pytest

from server.wire import Kind, Packet, WireError, encode_packet, read_packet, receive_packet

PACKETS = [Packet(Kind.FRAME, "abc", bytes(range(256)) * 4000), Packet(Kind.CLOSE, ""), Packet(Kind.EVENT, "x", b"{}")]


async def _read_all(data: bytes) -> list[Packet | None]:
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    packets = [await read_packet(reader)]
    while packets[-1] is not None:
        packets.append(await read_packet(reader))
    return packets


async def test_streams_give_back_every_packet_and_then_the_end() -> None:
    assert await _read_all(b"".join(map(encode_packet, PACKETS))) == [*PACKETS, None]


def test_sockets_give_back_every_packet_and_then_the_end() -> None:
    ours, theirs = socket.socketpair()
    with ours:

        def send() -> None:
            with theirs:
                theirs.sendall(b"".join(map(encode_packet, PACKETS)))

        sender = threading.Thread(target=send)
        sender.start()
        received = [receive_packet(ours) for _ in range(len(PACKETS) + 1)]
        sender.join()
    assert received == [*PACKETS, None]


@pytest.mark.parametrize("kept", [2, 5, 7])
async def test_a_stream_that_ends_inside_a_packet_is_a_death(kept: int) -> None:
    data = encode_packet(PACKETS[2])[:kept]
    with pytest.raises(WireError, match="the stream ended inside a packet"):
        await _read_all(data)
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            theirs.sendall(data)
        with pytest.raises(WireError, match="the stream ended inside a packet"):
            receive_packet(ours)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"\x01\x00\x00\x00\x00", "received length=1"),
        (b"\xff\xff\xff\xff", "received length=4294967295"),
        (b"\x02\x00\x00\x00\x63\x00", "99 is not a valid Kind"),
        (b"\x02\x00\x00\x00\x00\x05", "a packet holds its session id"),
    ],
)
async def test_what_is_no_packet_is_refused(data: bytes, sentence: str) -> None:
    with pytest.raises(WireError, match=sentence):
        await _read_all(data)
