"""The page and its files, and what browsers are told about them."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from httpx import ASGITransport

from server.app import create_app
from server.pages import STATIC
from server.settings import Settings


@pytest.fixture
def client(tmp_path: Path) -> httpx.AsyncClient:
    app = create_app(Settings.model_validate({"data_dir": tmp_path}))
    return httpx.AsyncClient(transport=ASGITransport(app=app), base_url="http://localhost:8000")


@pytest.mark.parametrize("path", ["/%00", "/" + "a" * 400, "/nothing", "/../app.py", "/%2e%2e/app.py", "/assets"])
async def test_what_is_no_file_of_the_build_is_not_found(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(path)
    assert (response.status_code, response.text) == (404, "There is no such page.\n")


async def test_browsers_run_nothing_but_the_scripts_of_the_build(client: httpx.AsyncClient) -> None:
    response = await client.get("/")
    policy = dict(part.strip().split(" ", 1) for part in response.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["script-src"] == "'self'"
    assert policy["connect-src"] == "'self' ws://localhost:8000 wss://localhost:8000"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["object-src"] == "'none'"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"


def test_the_page_has_no_inline_script() -> None:
    page = STATIC / "index.html"
    if not page.is_file():
        pytest.skip("the page was not built")
    text = page.read_text()
    assert text.count("<script") == text.count('<script type="module" crossorigin src=')
