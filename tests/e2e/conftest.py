"""A real server with real workers and a real Chromium for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.live import LiveServer, open_chromium

# how long a machine may take, busy as it may be; a page that is right is there much sooner
PATIENCE = 60_000
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="package")
def live_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """One server shared by the tests that leave it standing."""
    server = LiveServer(tmp_path_factory.mktemp("shared-server"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def own_server(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[LiveServer]:
    """A server for one test alone, which may kill and restart it, and give it arguments as the parameter."""
    server = LiveServer(tmp_path, arguments=getattr(request, "param", ()))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One Chromium; it is closed before tests of other folders need an event loop of their own."""
    with open_chromium() as chromium:
        yield chromium


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A fresh browser profile at laptop size that fails the test on any uncaught error of the page."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(PATIENCE)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    errors: list[str] = []
    context.on("weberror", lambda error: errors.append(str(getattr(error.error, "stack", error.error))))
    yield context
    context.close()
    assert errors == []


@pytest.fixture
def page(context: BrowserContext, live_server: LiveServer) -> Page:
    """The page of a fresh session, opened as a newcomer opens it."""
    page = context.new_page()
    page.goto(live_server.url)
    return page
