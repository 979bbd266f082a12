"""Runs the web application on a listening socket."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from server.app import create_app
from server.settings import Settings


class Server(uvicorn.Server):
    """A web server that calls `on_start` once it answers."""

    def __init__(self, config: uvicorn.Config, on_start: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_start = on_start

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start and say so; a start that fails is not announced."""
        await super().startup(sockets)
        if self.started:
            self._on_start()


def make_server(app: FastAPI, settings: Settings, *, on_start: Callable[[], None] = lambda: None) -> Server:
    """Return the web server of an application; it calls `on_start` once it answers.

    Frames are small and come often: compressing them would cost the event loop more than it saves the network. What is
    open when the server is asked to stop has five seconds to end.
    """
    config = uvicorn.Config(
        app,
        ws="websockets-sansio",
        ws_max_size=settings.max_message_bytes,
        ws_per_message_deflate=False,
        ws_ping_interval=settings.ping_interval,
        ws_ping_timeout=settings.ping_timeout,
        timeout_graceful_shutdown=5,
        log_level="warning",
    )
    return Server(config, on_start)


def run(settings: Settings, listener: socket.socket, *, on_start: Callable[[], None] = lambda: None) -> None:
    """Serve until a signal comes, having called `on_start` once the server answers."""
    # uvicorn raises the signals that ended it once more when it is done, which is then no failure
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _ignore)
    make_server(create_app(settings), settings, on_start=on_start).run(sockets=[listener])


def _ignore(_number: int, _frame: object) -> None:
    """Do nothing, unlike SIG_IGN, which child processes would inherit."""
