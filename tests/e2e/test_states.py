"""What the page says and allows when it is not all well: offline, watching only, wrong entries, waiting."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.live import LiveServer
from tests.seen import wait_for_step

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

READ_ONLY = "You are watching: ask for the edit link to take part."
OFFLINE = "Not connected: wait for the connection or try again."


def test_a_lost_connection_leaves_a_grey_picture_and_no_acts(browser: Browser, own_server: LiveServer) -> None:
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.goto(own_server.url)
    curve = page.locator("g.edge path.curve").first
    expect(curve).to_have_attribute("d", re.compile("^M"))
    page.get_by_role("button", name=re.compile(r"^edge 0\.0\.0 ")).click()
    expect(page.get_by_role("button", name="Find a formula")).to_be_enabled()
    own_server.stop()
    expect(page.get_by_text(re.compile(r"Connection lost\. Trying again in \d+ s\.|Connecting…"))).to_be_visible()
    expect(page.get_by_role("button", name="Try again")).to_be_enabled()
    expect(page.locator("main")).to_have_css("filter", "grayscale(1)")
    expect(page.get_by_text("state unknown", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_hidden()
    expect(curve).to_have_attribute("d", re.compile("^M"))
    for name in ("Step", "Reset", "Cut weak edges…", "Cut this edge", "Find a formula", "Start a fresh network"):
        expect(page.get_by_role("button", name=name, exact=True)).to_be_disabled()
    expect(page.get_by_role("complementary", name="Edge").get_by_text(OFFLINE)).to_be_visible()
    page.context.close()


def test_who_only_watches_sees_why_nothing_can_be_done(page: Page, browser: Browser) -> None:
    expect(page.locator("g.edge")).to_have_count(15)
    watcher = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    watcher.goto(page.url.split("#")[0])
    expect(watcher.get_by_role("note")).to_have_text(READ_ONLY)
    watcher.get_by_role("button", name=re.compile(r"^edge 0\.0\.0 ")).click()
    expect(watcher.get_by_role("button", name="Cut this edge")).to_be_disabled()
    watcher.get_by_role("button", name="Find a formula").click()
    expect(watcher.get_by_role("listbox").get_by_role("option").first).to_be_visible()
    expect(watcher.get_by_role("button", name="Make it this formula")).to_be_disabled()
    watcher.keyboard.press("s")
    watcher.get_by_role("button", name=re.compile(r"^edge 0\.0\.0 ")).press("Delete")
    expect(watcher.locator("g.edge.pruned")).to_have_count(0)
    watcher.context.close()


def test_wrong_numbers_are_told_beside_their_fields(page: Page) -> None:
    field = page.get_by_label("Sparsity (L1)")
    field.fill("-3")
    expect(page.get_by_text("A number from 0 to 10, please.")).to_be_visible()
    expect(field).to_have_attribute("aria-invalid", "true")
    field.fill("0,5")
    field.press("Enter")
    expect(field).to_have_value("0.5")
    nodes = page.get_by_label("Nodes in hidden layer 1")
    nodes.fill("99")
    expect(page.get_by_text("A hidden layer has 1 to 32 nodes.")).to_be_visible()
    expect(page.get_by_role("button", name="Start a fresh network")).to_be_disabled()
    nodes.fill("2")
    page.get_by_role("button", name="Start a fresh network").click()
    expect(page.locator("g.edge")).to_have_count(6)


def test_an_entry_under_way_outlives_what_happens_to_the_network(page: Page) -> None:
    page.get_by_label("Intervals").fill("15")
    page.get_by_role("button", name=re.compile(r"^edge 0\.0\.0 ")).press("Delete")
    expect(page.get_by_role("button", name="edge 0.0.0 cut")).to_be_visible()
    expect(page.get_by_label("Intervals")).to_have_value("15")
    page.get_by_role("button", name="Refine intervals 5 → 15").click()
    expect(page.get_by_role("button", name=re.compile("^Undo: refine"))).to_be_enabled()


def test_refining_offers_a_grid_size_that_keeps_the_curves(page: Page) -> None:
    expect(page.get_by_role("button", name="Refine intervals 5 → 10")).to_have_accessible_description(
        "A change of shape starts a fresh network. Refining keeps the curves; it takes a whole multiple of 5."
    )
    page.get_by_label("Intervals").fill("7")
    page.get_by_role("button", name="Refine intervals 5 → 10").click()
    expect(page.get_by_label("Intervals")).to_have_value("10")
    expect(page.get_by_role("button", name="Refine intervals 10 → 20")).to_be_enabled()


def test_notices_go_by_themselves_and_the_newest_of_a_kind_stays(page: Page) -> None:
    expect(page.locator("g.edge")).to_have_count(15)
    page.keyboard.press("Control+z")
    expect(page.get_by_text("There is nothing to undo.")).to_be_visible()
    for _ in range(3):
        page.get_by_role("button", name="Start a fresh network").click()
        expect(page.get_by_text(re.compile("A fresh network was started"))).to_have_count(1)
    expect(page.get_by_text(re.compile("A fresh network was started"))).to_be_hidden()
    expect(page.get_by_text("There is nothing to undo.")).to_be_hidden()


def test_constants_of_a_formula_are_shown_and_locked(page: Page) -> None:
    page.get_by_role("button", name=re.compile(r"^edge 0\.0\.0 ")).click()
    page.get_by_role("button", name="Find a formula").click()
    page.get_by_role("listbox").get_by_role("option").first.click()
    page.get_by_role("button", name="Make it this formula").click()
    expect(page.get_by_text("constants train on")).to_be_visible()
    inspector = page.get_by_role("complementary", name="Edge")
    expect(inspector.locator("dt")).to_have_text(["a", "b", "c", "d"])
    page.get_by_role("button", name="Lock constants").click()
    expect(page.get_by_text("constants are locked")).to_be_visible()
    page.get_by_role("button", name="Release to a curve").click()
    expect(page.get_by_role("button", name=re.compile(r"^edge 0\.0\.0 learned"))).to_be_visible()


def test_the_guide_follows_the_story(page: Page) -> None:
    step = page.locator("li[aria-current=step]")
    expect(step).to_contain_text("Let it learn")
    page.get_by_label("Steps a second").fill("200")
    page.get_by_label("Steps a second").press("Enter")
    expect(step).to_contain_text("Cut weak edges")
    page.get_by_role("button", name="Cut weak edges").click()
    expect(page.get_by_text(re.compile(r"\d+ edges would go · test RMSE"))).to_be_visible()
    expect(page.locator("g.edge.pruned")).to_have_count(0)
    page.get_by_role("button", name="Cut weak edges").click()
    expect(step).to_contain_text("Choose a curve")


def test_a_preview_of_weak_edges_can_be_put_away(page: Page) -> None:
    slider = page.get_by_label("Importance below")
    weak = page.locator("g.edge.weak")
    slider.press("End")
    expect(weak.first).to_be_visible()
    page.get_by_role("button", name="Keep them").click()
    expect(weak).to_have_count(0)
    slider.press("Home")
    expect(page.get_by_text("no edge is that weak")).to_be_visible()
    expect(page.get_by_role("button", name="Cut weak edges")).to_be_disabled()
    slider.press("End")
    slider.press("Escape")
    expect(weak).to_have_count(0)


def grandchildren(pid: int) -> list[int]:
    """Return the workers of a web process, the oldest first: they are forked by a server that is its child."""

    def children(parent: int) -> list[int]:
        of_threads = Path(f"/proc/{parent}/task").glob("*/children")
        return [int(child) for children in of_threads for child in children.read_text().split()]

    def started(worker: int) -> int:
        return int(Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()[19])

    return sorted((worker for child in children(pid) for worker in children(child)), key=started)


@pytest.mark.parametrize("own_server", [("--workers", "1")], indirect=True)
def test_a_session_whose_worker_died_says_from_where_it_goes_on(browser: Browser, own_server: LiveServer) -> None:
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.goto(own_server.url)
    curve = page.locator("g.edge path.curve").first
    expect(curve).to_have_attribute("d", re.compile("^M"))
    wait_for_step(page, 16)
    # the only session runs in the first worker; the one after it is kept warm
    os.kill(grandchildren(own_server.pid)[0], signal.SIGKILL)
    expect(page.get_by_text(re.compile(r"it was restored from step \d+"))).to_be_visible()
    before = str(curve.get_attribute("d"))
    expect(curve).not_to_have_attribute("d", before)
    page.get_by_role("button", name="Dismiss").click()
    expect(page.get_by_text(re.compile("it was restored"))).to_be_hidden()
    page.context.close()
