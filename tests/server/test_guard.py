"""What holds for every request, around the smallest application."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from httpx import ASGITransport
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from server.guard import MAX_BODY, BodyLimit, SafeHeaders


async def _count(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


@pytest.fixture
def client() -> httpx.AsyncClient:
    paths = ("/api/sessions", "/api/datasets")
    app = BodyLimit(Starlette(routes=[Route(path, _count, methods=["POST"]) for path in paths]))
    return httpx.AsyncClient(transport=ASGITransport(app=app), base_url="http://localhost")


class Chunks:
    """A body whose length is not said beforehand; it counts what was taken of it."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.taken = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for _ in range(self.number):
            self.taken += 1
            yield bytes(1024)


async def test_bodies_come_through_whole_up_to_the_limit(client: httpx.AsyncClient) -> None:
    assert (await client.post("/api/sessions", content=bytes(MAX_BODY))).text == str(MAX_BODY)
    assert (await client.post("/api/sessions", content=Chunks(64))).text == str(MAX_BODY)
    assert (await client.post("/api/sessions")).text == "0"


async def test_a_body_that_says_that_it_is_larger_is_refused(client: httpx.AsyncClient) -> None:
    response = await client.post("/api/sessions", content=bytes(MAX_BODY + 1))
    assert response.status_code == 413
    sentence = "A request has at most 64 KB, received more: leave something out."
    assert response.json() == {"code": "too_large", "sentence": sentence}


async def test_a_body_that_turns_out_larger_is_read_no_further(client: httpx.AsyncClient) -> None:
    chunks = Chunks(1000)
    assert (await client.post("/api/sessions", content=chunks)).status_code == 413
    assert chunks.taken <= 66


async def test_tables_may_be_larger(client: httpx.AsyncClient) -> None:
    assert (await client.post("/api/datasets", content=bytes(MAX_BODY + 1))).text == str(MAX_BODY + 1)


async def test_a_host_that_is_no_plain_name_gets_into_no_policy() -> None:
    app = SafeHeaders(Starlette(routes=[Route("/", _count)]))
    async with httpx.AsyncClient(transport=ASGITransport(app=app), base_url="http://localhost") as client:
        response = await client.get("/", headers={"host": "localhost/; script-src *"})
    assert response.headers["content-security-policy"].endswith("connect-src 'self'")
