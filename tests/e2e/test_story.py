"""The main story in a real browser: watch, cut, turn curves into formulas, read the law."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.live import LiveServer
from tests.seen import edges, wait_for_rmse, wait_for_step

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def set_speed(page: Page, steps_per_second: str) -> None:
    """Type another pace; empty is as fast as it goes."""
    field = page.get_by_label("Steps a second")
    field.fill(steps_per_second)
    field.press("Enter")


def test_without_a_click_a_network_is_learning(page: Page) -> None:
    curve = page.locator("g.edge path.curve").first
    expect(curve).to_have_attribute("d", re.compile("^M"))
    expect(page.locator("g.edge")).to_have_count(15)
    first = curve.get_attribute("d")
    expect(curve).not_to_have_attribute("d", str(first))
    expect(page.get_by_role("button", name="Pause")).to_be_enabled()


@pytest.mark.parametrize("seed", range(10))
def test_from_curves_to_the_exact_law(context: BrowserContext, live_server: LiveServer, seed: int) -> None:
    created = httpx.post(f"{live_server.url}/api/sessions", json={"seed": seed}, timeout=60).json()
    page = context.new_page()
    page.goto(f"{live_server.url}/s/{created['session_id']}#edit={created['edit_key']}")
    set_speed(page, "200")
    wait_for_step(page, 20)
    page.get_by_label("Importance below").focus()
    expect(page.get_by_text(re.compile(r"12 edges would go.*test RMSE"))).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("would be cut$"))).to_have_count(12)
    page.get_by_role("button", name="Cut weak edges").click()
    expect(edges(page, "cut")).to_have_count(12)
    expect(page.get_by_label("Sparsity (L1)")).to_have_value("0")
    while edges(page, "learned").count() > 0:
        # while the network settles after a cut or a formula, its curves are on their way
        wait_for_rmse(page, 0.01)
        left = edges(page, "learned").count()
        edges(page, "learned").first.click()
        page.get_by_role("button", name="Find a formula").click()
        expect(page.get_by_role("listbox").get_by_role("option").first).to_be_visible()
        page.get_by_role("button", name="Make it this formula").click()
        expect(edges(page, "learned")).to_have_count(left - 1)
    formula = page.get_by_test_id("formula")
    expect(formula).to_have_attribute("aria-label", "f = exp(y^2 + sin(π·x))")
    expect(page.get_by_text("closed form")).to_be_visible()
    wait_for_rmse(page, 1e-6)
    page.get_by_role("button", name="LaTeX").click()
    assert "e^{y^{2} + " in page.evaluate("navigator.clipboard.readText()")


def test_cut_restore_undo_redo(page: Page) -> None:
    wait_for_step(page, 3)
    page.get_by_role("button", name="Pause").click()
    name = re.compile(r"^edge 0\.1\.2 ")
    page.get_by_role("button", name=name).click()
    expect(page.get_by_text(re.compile("train RMSE .* → "))).to_be_visible()
    page.get_by_role("button", name="Cut this edge").click()
    expect(page.get_by_role("button", name="edge 0.1.2 cut")).to_be_visible()
    page.get_by_role("button", name="Restore this edge").click()
    expect(page.get_by_role("button", name=re.compile(r"^edge 0\.1\.2 learned"))).to_be_visible()
    page.get_by_role("button", name="Undo: restore edge 0.1.2").click()
    expect(page.get_by_role("button", name="edge 0.1.2 cut")).to_be_visible()
    page.keyboard.press("Control+z")
    expect(page.get_by_role("button", name=re.compile(r"^edge 0\.1\.2 learned"))).to_be_visible()
    page.keyboard.press("Control+Shift+Z")
    expect(page.get_by_role("button", name="edge 0.1.2 cut")).to_be_visible()


def test_severing_the_output_asks_first(page: Page) -> None:
    page.get_by_role("button", name="Remove the last layer").click()
    page.get_by_role("button", name="Start a fresh network").click()
    expect(page.locator("g.edge")).to_have_count(2)
    for edge in ("0.0.0", "0.1.0"):
        page.get_by_role("button", name=re.compile(f"^edge {edge} ")).click()
        page.get_by_role("button", name="Cut this edge").click()
    expect(page.get_by_text("Cutting it would sever the output. Cut anyway?")).to_be_visible()
    page.get_by_role("button", name="Cut anyway").click()
    expect(edges(page, "cut")).to_have_count(2)


def test_keyboard_alone_finds_opens_and_cuts(page: Page) -> None:
    wait_for_step(page, 3)
    page.get_by_role("button", name=re.compile(r"^edge 0\.0\.0 ")).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Edge 0.1.0")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowDown")
    focused = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert focused.startswith("edge 1.")
    page.keyboard.press("Delete")
    expect(page.get_by_role("button", name=f"{focused[:10]} cut")).to_be_visible()


def test_others_watch_but_do_not_touch(page: Page, browser: Browser) -> None:
    wait_for_step(page, 3)
    expect(page.get_by_text("only you")).to_be_visible()
    watcher = browser.new_context().new_page()
    watcher.goto(page.url.split("#")[0])
    expect(watcher.locator("g.edge")).to_have_count(15)
    expect(watcher.get_by_role("button", name="Pause")).to_be_disabled()
    expect(watcher.get_by_text("2 here")).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    expect(watcher.get_by_role("button", name="Run")).to_be_visible()
    watcher.context.close()


def test_the_link_to_edit_pasted_over_the_one_to_watch_lets_one_take_part(page: Page, browser: Browser) -> None:
    wait_for_step(page, 3)
    watcher = browser.new_context().new_page()
    watcher.goto(page.url.split("#")[0])
    expect(watcher.get_by_role("button", name="Pause")).to_be_disabled()
    watcher.goto(page.url)
    watcher.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Run")).to_be_visible()
    watcher.go_back()
    expect(watcher.get_by_role("button", name="Run")).to_be_disabled()
    watcher.context.close()


def test_reload_comes_back_to_the_same_session(page: Page) -> None:
    wait_for_step(page, 5)
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Run")).to_be_visible()
    url, step = page.url, page.locator("header dd").first.inner_text()
    page.reload()
    expect(page.locator("header dd").first).to_have_text(step)
    assert page.url == url


def test_a_restarted_server_is_found_again(browser: Browser, own_server: LiveServer) -> None:
    page = browser.new_context().new_page()
    page.goto(own_server.url)
    wait_for_step(page, 12)
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Run")).to_be_visible()
    step = page.locator("header dd").first.inner_text()
    own_server.stop()
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    own_server.start()
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("button", name="Try again")).to_be_hidden()
    expect(page.get_by_role("button", name="Run")).to_be_enabled()
    expect(page.locator("header dd").first).to_have_text(step)
    page.context.close()


def test_an_unknown_session_offers_a_new_one(page: Page, live_server: LiveServer) -> None:
    page.goto(f"{live_server.url}/s/nothing-here")
    page.get_by_role("button", name="Start a new session").click()
    expect(page.locator("g.edge")).to_have_count(15)
