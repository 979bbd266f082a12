"""What holds for every request: who may send it, how large it may be, and what a browser may do with the answer."""

from __future__ import annotations

import re
import socket

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.origins import known_host, same_origin
from server.rest import Problem
from server.settings import Settings

FOREIGN_ORIGIN = 4403
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
MAX_BODY = 65_536
# tables are larger; their route counts for itself
UPLOADS = "/api/datasets"
PLAIN_HOST = re.compile(r"[A-Za-z0-9.:\[\]-]+")
# Plotly and Svelte set inline styles; nobody sets an inline script
POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; connect-src 'self'"
)


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


class BodyLimit:
    """Refuses bodies above 64 KiB, uploads of tables aside, before anything parses them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its whole body, or answer it with 413 as soon as it is too large."""
        if scope["type"] != "http" or scope["method"] in SAFE_METHODS or scope["path"] == UPLOADS:
            await self._app(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", "")
        body = None if length.isdecimal() and int(length) > MAX_BODY else await _read_body(receive)
        if body is None:
            sentence = f"A request has at most {MAX_BODY // 1024} KB, received more: leave something out."
            problem = Problem(code="too_large", sentence=sentence)
            await JSONResponse(problem.model_dump(exclude_none=True), 413)(scope, receive, send)
            return
        is_read = False

        async def replay() -> Message:
            nonlocal is_read
            if is_read:
                return await receive()
            is_read = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, replay, send)


async def _read_body(receive: Receive) -> bytes | None:
    """Return the body, or None once it is larger than it may be. A client that leaves sent what it had sent."""
    body = bytearray()
    more = True
    while more and len(body) <= MAX_BODY:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(body) if len(body) <= MAX_BODY else None


class SafeHeaders:
    """Tells browsers to run nothing but this server's own scripts and to talk to nobody else."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and add to the answer's headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = _policy(Headers(scope=scope).get("host", ""))
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "no-referrer"
            await send(message)

        await self._app(scope, receive, send_safely)


def _policy(host: str) -> str:
    """Return the policy for pages of this host; not every browser takes 'self' to mean websockets too."""
    return f"{POLICY} ws://{host} wss://{host}" if PLAIN_HOST.fullmatch(host) else POLICY
