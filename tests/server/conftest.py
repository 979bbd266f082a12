"""A server on a real socket with real workers, and pages that talk to it."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect

from server.app import create_app
from server.local import LocalEngine
from server.serving import make_server
from server.settings import Settings

FRAME_FIELDS = struct.Struct("<10I")


@dataclass(frozen=True)
class FrameHead:
    """What the tests ask of a frame."""

    epoch: int
    seq: int
    step: int


class Page:
    """A page's connection: it acknowledges every frame that it reads."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def read(self) -> dict[str, Any] | FrameHead:
        message = await self.connection.recv()
        if isinstance(message, str):
            return json.loads(message)
        fields = FRAME_FIELDS.unpack_from(message)
        await self.send({"type": "ack", "seq": fields[3]})
        return FrameHead(epoch=fields[2], seq=fields[3], step=fields[6])

    async def send(self, command: Mapping[str, object] | str) -> None:
        await self.connection.send(command if isinstance(command, str) else json.dumps(command))

    async def event(self, kind: str, **fields: object) -> dict[str, Any]:
        """Return the next event of a type that has these values."""
        while True:
            item = await self.read()
            if not isinstance(item, FrameHead) and item["type"] == kind and fields.items() <= item.items():
                return item

    async def frame(self) -> FrameHead:
        """Return the next frame."""
        while True:
            item = await self.read()
            if isinstance(item, FrameHead):
                return item

    async def ask(self, command: Mapping[str, object]) -> dict[str, Any]:
        """Send a command and return its answer."""
        await self.send({**command, "request_id": 7})
        while True:
            item = await self.read()
            if not isinstance(item, FrameHead) and item["request_id"] == 7:
                return item


class LiveApp:
    """A server on a free port of this machine, in this process."""

    def __init__(self, settings: Settings) -> None:
        self.app = create_app(settings)
        self.server = make_server(self.app, settings)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.client = httpx.AsyncClient(base_url=f"http://{self.address}", timeout=60)

    @property
    def engine(self) -> LocalEngine:
        return self.app.state.engine

    async def create(self, request: Mapping[str, object] | None = None) -> tuple[str, str]:
        """Start a session and return its id and edit key."""
        response = await self.client.post("/api/sessions", json=request or {})
        assert response.status_code == 201, response.text
        return response.json()["session_id"], response.json()["edit_key"]

    @asynccontextmanager
    async def page(self, session_id: str, key: str = "", **options: Any) -> AsyncGenerator[Page]:
        address = f"ws://{self.address}/ws/sessions/{session_id}?key={key}"
        async with connect(address, compression=None, max_size=None, close_timeout=1, **options) as connection:
            yield Page(connection)


@asynccontextmanager
async def run_app(data_dir: Path, **settings: Any) -> AsyncGenerator[LiveApp]:
    """Serve until the block is left."""
    app = LiveApp(Settings.model_validate({"data_dir": data_dir, "workers": 2} | settings))
    serving = asyncio.create_task(app.server.serve(sockets=[app.listener]))
    try:
        await app.client.get("/api/health")
        yield app
    finally:
        await app.client.aclose()
        app.server.should_exit = True
        await serving
        app.listener.close()


@pytest.fixture
async def app(tmp_path: Path) -> AsyncGenerator[LiveApp]:
    """A server with two workers for one test."""
    async with run_app(tmp_path) as running:
        yield running
