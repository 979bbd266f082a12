"""From the data to a law with nobody watching: started, followed, put on the diagram and taken back."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.live import LiveServer
from tests.seen import edges, wait_for_step

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(180)]

ENOUGH = 90_000
LINE = {
    "data": {"kind": "formula", "expression": "2*x + 1", "variables": [{"name": "x"}], "num_samples": 100},
    "training": {"optimizer": "lm"},
}


def open_session(context: BrowserContext, server: LiveServer, request: object) -> tuple[Page, str]:
    """Return the page of a session of one's own, and its address for those who watch."""
    created = httpx.post(f"{server.url}/api/sessions", json=request, timeout=60).json()
    address = f"{server.url}/s/{created['session_id']}"
    page = context.new_page()
    page.goto(f"{address}#edit={created['edit_key']}")
    return page, address


def discover(page: Page, *, seconds: int) -> None:
    """Start the search in its tab."""
    page.get_by_role("tab", name="Law").click()
    page.get_by_label("Seconds to discover within").fill(str(seconds))
    page.get_by_role("button", name="Discover", exact=True).click()


def test_the_law_of_the_default_problem_is_discovered_restored_and_taken_back(page: Page) -> None:
    wait_for_step(page, 1)
    panel = page.get_by_role("region", name="The law behind the network")
    status = panel.get_by_role("status")
    discover(page, seconds=80)
    expect(status).to_contain_text("Starting")
    expect(page.get_by_role("progressbar", name="How much of the time is gone")).to_be_visible()
    expect(page.get_by_role("button", name="Explain this network")).to_have_count(0)
    # the session trains on meanwhile
    step = int(page.locator("header dd").first.inner_text().split()[-1])
    wait_for_step(page, step + 1)
    expect(panel.get_by_text(re.compile(r"\d+ s of 80 s"))).to_be_visible()
    expect(page.get_by_role("list", name="What each process is at")).to_contain_text(re.compile(r"Process \d: \w+"))
    laws = page.get_by_role("list", name="Laws, simplest first")
    expect(laws.get_by_role("listitem").first).to_be_visible()
    expect(status).to_contain_text(re.compile(r"The law is exact on \d+ samples"), timeout=ENOUGH)
    expect(page.get_by_role("list", name="What each process is at")).to_have_count(0)
    best = laws.get_by_role("listitem").filter(has_text="best ·")
    expect(best).to_have_count(1)
    expect(best.get_by_role("button", name=re.compile(r"law \d+: f = .*sin\("))).to_have_attribute(
        "aria-pressed", "true"
    )

    widths = page.get_by_label(re.compile(r"^Nodes in hidden layer \d"))
    shape = [field.input_value() for field in widths.all()]
    lines = edges(page, "").count()
    best.get_by_role("button", name="to the diagram").click()
    expect(status).to_contain_text(re.compile(r"Law \d+ is on the diagram"))
    expect(edges(page, "learned")).to_have_count(0)
    expect(edges(page, "formula").first).to_be_visible()
    assert edges(page, "").count() != lines
    assert [field.input_value() for field in widths.all()] != shape
    expect(page.get_by_text("closed form")).to_be_visible()
    page.get_by_role("button", name=re.compile(r"Undo: law \d+ of the search")).click()
    expect(edges(page, "")).to_have_count(lines)
    assert [field.input_value() for field in widths.all()] == shape


def test_it_is_cancelled_at_once(context: BrowserContext, live_server: LiveServer) -> None:
    page, address = open_session(context, live_server, LINE)
    wait_for_step(page, 1)
    discover(page, seconds=600)
    status = page.get_by_role("region", name="The law behind the network").get_by_role("status")
    expect(status).to_contain_text("Starting")
    # whoever watches may not
    guest = context.new_page()
    guest.goto(address)
    guest.get_by_role("tab", name="Law").click()
    expect(guest.get_by_role("button", name="Cancel the search")).to_be_disabled()
    guest.close()
    page.get_by_role("button", name="Cancel the search").click()
    expect(status).to_contain_text("The search was cancelled", timeout=2000)
    expect(page.get_by_role("button", name="Discover", exact=True)).to_be_enabled()


def test_what_cannot_be_discovered_is_said(context: BrowserContext, live_server: LiveServer) -> None:
    page, _ = open_session(context, live_server, {"data": {"kind": "catalogue", "name": "moons"}})
    wait_for_step(page, 1)
    page.get_by_role("tab", name="Law").click()
    button = page.get_by_role("button", name="Discover", exact=True)
    page.get_by_label("Seconds to discover within").fill("0")
    expect(button).to_be_disabled()
    expect(page.get_by_text("A number from 1 to 600, please.")).to_be_visible()
    page.get_by_label("Seconds to discover within").fill("5")
    button.click()
    expect(page.get_by_text("Discover looks for a law of numbers, received a classification")).to_be_visible()


@pytest.mark.parametrize("size", [(1440, 900), (1024, 768), (390, 844)])
def test_the_panel_fits_every_screen(context: BrowserContext, live_server: LiveServer, size: tuple[int, int]) -> None:
    page, _ = open_session(context, live_server, LINE)
    page.set_viewport_size({"width": size[0], "height": size[1]})
    wait_for_step(page, 1)
    page.get_by_role("tab", name="Law").click()
    button = page.get_by_role("button", name="Discover", exact=True)
    button.scroll_into_view_if_needed()
    for part in (button, page.get_by_label("Seconds to discover within")):
        box = part.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= size[0]
    page.get_by_label("Seconds to discover within").fill("60")
    page.keyboard.press("Enter")
    laws = page.get_by_role("list", name="Laws, simplest first")
    expect(laws.get_by_role("listitem").filter(has_text="best ·")).to_be_visible(timeout=ENOUGH)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    laws.get_by_role("button", name="to the diagram").last.focus()
    page.keyboard.press("Enter")
    expect(edges(page, "learned")).to_have_count(0)
