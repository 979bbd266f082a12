"""Constants of a formula on the page: their errors, snapped to π, unsnapped, and taken back."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.live import LiveServer
from tests.seen import edges, wait_for_rmse

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

REQUEST = {
    "data": {
        "kind": "formula",
        "expression": "1.2173*sin(pi*x) + 2",
        "variables": [{"name": "x", "low": -1, "high": 2}],
        "num_samples": 800,
        "noise": 0.01,
    },
    "network": {"widths": [1, 1], "grid_size": 12},
    "training": {"optimizer": "lm", "l1": 0.0, "entropy": 0.0},
}


def open_formula(context: BrowserContext, server: LiveServer) -> Page:
    """Return the page of a session whose only edge is a sine, its constants fitted."""
    created = httpx.post(f"{server.url}/api/sessions", json=REQUEST, timeout=60).json()
    page = context.new_page()
    page.goto(f"{server.url}/s/{created['session_id']}#edit={created['edit_key']}")
    wait_for_rmse(page, 0.02)
    edges(page, "learned").first.click()
    page.get_by_role("button", name="Find a formula").click()
    page.get_by_role("listbox").get_by_role("option").filter(has_text="sin").first.click()
    page.get_by_role("button", name="Make it this formula").click()
    expect(page.get_by_text("constants train on")).to_be_visible()
    return page


def test_a_constant_is_snapped_to_pi_and_unsnapped(context: BrowserContext, live_server: LiveServer) -> None:
    page = open_formula(context, live_server)
    constants = page.get_by_role("complementary", name="Edge").locator("dl")
    slope = constants.locator("div", has=page.locator("dt", has_text=re.compile("^a$"))).locator("dd")
    expect(slope).to_contain_text(re.compile(r"-?3\.1\d+\s+± \d"))
    page.get_by_role("button", name=re.compile("^Snap a to -?π$")).click()
    expect(slope).to_contain_text("π")
    expect(slope).not_to_contain_text("±")
    expect(page.get_by_test_id("formula")).to_have_attribute("aria-label", re.compile(r"π·x"))
    page.get_by_role("button", name="Unsnap a").click()
    expect(slope).to_contain_text("±")
    page.keyboard.press("Control+z")
    expect(page.get_by_role("button", name="Unsnap a")).to_be_visible()


def test_all_constants_are_snapped_that_may_be(context: BrowserContext, live_server: LiveServer) -> None:
    page = open_formula(context, live_server)
    page.get_by_role("button", name="Snap constants").click()
    expect(
        page.get_by_text(re.compile(r"^Snapped .*a of 0\.0\.0 = π.* No nice number lies within the error of c"))
    ).to_be_visible()
    expect(page.get_by_test_id("formula")).to_have_attribute(
        "aria-label", re.compile(r"^f = 1\.21\d?·sin\(π·x\) \+ 2$")
    )
    page.keyboard.press("Control+z")
    expect(page.get_by_role("button", name="Unsnap a")).to_have_count(0)
    page.keyboard.press("Control+Shift+z")
    expect(page.get_by_role("button", name="Unsnap a")).to_be_visible()
