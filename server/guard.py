"""Turns away what pages of other sites send, before any route sees it."""

from __future__ import annotations

import socket

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from server.origins import known_host, same_origin
from server.rest import Problem
from server.settings import Settings

FOREIGN_ORIGIN = 4403
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


class Guard:
    """Refuses requests for a foreign host, and websockets and changes that a foreign origin asks for."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        own = socket.gethostname().lower()
        names = [settings.host, *settings.allowed_hosts, own, f"{own}.local"]
        self._names = frozenset(name.lower() for name in names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it with 400 or 403; a websocket is refused before it is accepted."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        problem = self._find_problem(scope)
        if problem is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": FOREIGN_ORIGIN, "reason": problem.code})
        else:
            status = 400 if problem.code == "foreign_host" else 403
            await JSONResponse(problem.model_dump(exclude_none=True), status)(scope, receive, send)

    def _find_problem(self, scope: Scope) -> Problem | None:
        headers = Headers(scope=scope)
        host, origin = headers.get("host"), headers.get("origin")
        if not known_host(host, self._names):
            remedy = "name it in KANOSCOPE_ALLOWED_HOSTS if it is this server's"
            return Problem(code="foreign_host", sentence=f"This server is not known as {host}: {remedy}.")
        if scope["type"] == "http" and scope["method"] in SAFE_METHODS:
            return None
        if not same_origin(origin, host):
            return Problem(code="foreign_origin", sentence=f"Pages of {origin} may not use this server: open its own.")
        return None
