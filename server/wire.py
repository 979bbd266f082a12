"""Messages between the host and a worker process: a kind, a session id and a body, with their length in front.

Layout, little-endian: u32 length of what follows, u8 kind, u8 length of the id, the id in ASCII, the body. One socket
pair joins the two; the end of the stream is the death of the other side.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from dataclasses import dataclass
from enum import IntEnum

MAX_BYTES = 256 * 2**20
_LENGTH = struct.Struct("<I")
_HEAD = struct.Struct("<2B")


class WireError(ConnectionError):
    """The stream broke off inside a message or holds no message of ours."""


class Kind(IntEnum):
    """What a packet is; those up to LAB_ASK go to the worker, the rest come from it. LAB_… are the lab's processes'."""

    CREATE = 0
    COMMAND = 1
    SNAPSHOT = 2
    FRAME_CREDIT = 3
    CLOSE = 4
    RESTORE = 5
    TABLE = 6
    CATALOGUE = 7
    LAB_POINT = 8
    LAB_HOLD = 9
    LAB_GO = 10
    LAB_DROP = 11
    LAB_ASK = 12
    OPENED = 16
    EVENT = 17
    ANSWER = 18
    FRAME = 19
    CHECKPOINT = 20
    REFUSED = 21
    LAB_PROGRESS = 22
    LAB_RESULT = 23


@dataclass(frozen=True, slots=True)
class Packet:
    """One message about one session."""

    kind: Kind
    session_id: str
    body: bytes = b""


def encode_packet(packet: Packet) -> bytes:
    """Return the packet's bytes with their length in front; raises WireError above 256 MiB."""
    name = packet.session_id.encode("ascii")
    length = _HEAD.size + len(name) + len(packet.body)
    if length > MAX_BYTES:
        raise WireError(f"a packet has at most {MAX_BYTES} bytes, received length={length}: send less at once")
    return _LENGTH.pack(length) + _HEAD.pack(packet.kind, len(name)) + name + packet.body


async def read_packet(reader: asyncio.StreamReader) -> Packet | None:
    """Return the next packet, or None at the end of the stream; raises WireError when it ends inside a packet."""
    try:
        head = await reader.readexactly(_LENGTH.size)
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise WireError("the stream ended inside a packet: the other side died") from error
        return None
    length = _check_length(_LENGTH.unpack(head)[0])
    try:
        return decode_packet(await reader.readexactly(length))
    except asyncio.IncompleteReadError as error:
        raise WireError("the stream ended inside a packet: the other side died") from error


def receive_packet(connection: socket.socket) -> Packet | None:
    """Return the next packet of a blocking socket, or None when the other side has closed it between packets."""
    head = _receive(connection, _LENGTH.size)
    if not head:
        return None
    if len(head) < _LENGTH.size:
        raise WireError("the stream ended inside a packet: the other side died")
    length = _check_length(_LENGTH.unpack(head)[0])
    payload = _receive(connection, length)
    if len(payload) < length:
        raise WireError("the stream ended inside a packet: the other side died")
    return decode_packet(payload)


def decode_packet(payload: bytes) -> Packet:
    """Return the packet of what follows the length; raises WireError for anything else."""
    try:
        kind, name_length = _HEAD.unpack_from(payload)
        end = _HEAD.size + name_length
        if end > len(payload):
            raise WireError(f"a packet holds its session id, received {len(payload)} bytes for length {end}")
        return Packet(Kind(kind), payload[_HEAD.size : end].decode("ascii"), payload[end:])
    except (struct.error, ValueError) as error:
        raise WireError(f"not a packet of this protocol: {error}") from error


def _check_length(length: int) -> int:
    if not _HEAD.size <= length <= MAX_BYTES:
        raise WireError(f"a packet has {_HEAD.size} to {MAX_BYTES} bytes, received length={length}")
    return length


def _receive(connection: socket.socket, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        part = connection.recv(min(size - len(parts), 2**20))
        if not part:
            break
        parts += part
    return bytes(parts)
