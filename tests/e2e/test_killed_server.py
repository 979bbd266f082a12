"""A server killed without warning: whoever comes back finds the session where its last checkpoint left it."""

from __future__ import annotations

import re
import signal

import pytest
from playwright.sync_api import Browser, expect

from tests.live import LiveServer
from tests.seen import wait_for_step

pytestmark = pytest.mark.e2e


def test_sessions_outlive_a_kill_of_the_whole_server(browser: Browser, own_server: LiveServer) -> None:
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.goto(own_server.url)
    curve = page.locator("g.edge path.curve").first
    expect(curve).to_have_attribute("d", re.compile("^M"))
    wait_for_step(page, 16)
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Run", exact=True)).to_be_visible()
    page.wait_for_timeout(2_500)
    before, address = curve.get_attribute("d"), page.url
    own_server.stop(signal.SIGKILL)
    own_server.start()
    page.goto(address)
    again = page.locator("g.edge path.curve").first
    expect(again).to_have_attribute("d", before or "")
    page.context.close()
