"""The law behind a network: formulas compared in the network, a search for laws, and a formula simplified."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.live import LiveServer
from tests.seen import NUMBER, edges, read_number, wait_for_rmse, wait_for_step

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

FAST = {"optimizer": "lm", "steps_per_second": None}
NESTED = {"data": {"kind": "catalogue", "name": "nested_4"}, "network": {"widths": [4, 5, 2, 1]}, "training": FAST}
WAVES = {
    "data": {
        "kind": "formula",
        "expression": "sin(x)*cos(x) + y",
        "variables": [{"name": "x", "low": -2, "high": 2}, {"name": "y", "low": -1, "high": 1}],
        "num_samples": 400,
    },
    "network": {"widths": [2, 1], "grid_size": 12},
    "training": {"optimizer": "lm", "l1": 0.0, "entropy": 0.0},
}


def open_session(context: BrowserContext, server: LiveServer, request: object) -> tuple[Page, str]:
    """Return the page of a session of one's own, and its address for those who watch."""
    created = httpx.post(f"{server.url}/api/sessions", json=request, timeout=60).json()
    address = f"{server.url}/s/{created['session_id']}"
    page = context.new_page()
    page.goto(f"{address}#edit={created['edit_key']}")
    return page, address


def explain(page: Page) -> None:
    """Start the search in its tab."""
    page.get_by_role("tab", name="Law").click()
    page.get_by_role("button", name="Explain this network").click()


def test_formulas_are_compared_in_the_network(page: Page) -> None:
    wait_for_rmse(page, 0.2)
    edges(page, "learned").first.click()
    page.get_by_role("button", name="Find a formula").click()
    options = page.get_by_role("listbox").get_by_role("option")
    expect(options.first).to_be_visible()
    order = page.get_by_label("Sort by")
    expect(order).to_have_count(0)
    frames = page.locator("header dd").first
    page.get_by_role("button", name="Compare in the network").click()
    expect(page.get_by_text("10 formulas compared in the network")).to_be_attached()
    numbers = page.get_by_role("listbox").locator(".network")
    expect(numbers).to_have_count(10)
    expect(frames).to_be_visible()
    for text in options.all_inner_texts():
        assert re.search(r"R² [\d.]+ · complexity \d+", text)
        assert re.search(rf"in the network: (RMSE train {NUMBER}, test {NUMBER}|no finite value)", text)
    order.select_option(label="train error in the network")
    errors = [
        read_number(found[1])
        for text in numbers.all_inner_texts()
        if (found := re.search(r"RMSE train ([^,]+),", text)) is not None
    ]
    assert errors == sorted(errors)
    assert len(errors) > 1
    # another edge has formulas of its own
    edges(page, "learned").nth(1).click()
    page.get_by_role("button", name="Find a formula").click()
    expect(options.first).to_be_visible()
    expect(numbers).to_have_count(0)


def test_the_law_of_the_default_problem_is_found_restored_and_taken_back(page: Page, context: BrowserContext) -> None:
    wait_for_rmse(page, 0.03)
    explain(page)
    status = page.get_by_role("region", name="The law behind the network").get_by_role("status")
    expect(status).to_contain_text("The search is done")
    laws = page.get_by_role("list", name="Laws, simplest first")
    law = laws.get_by_role("button", name=re.compile(r"law \d+: f = .*sin\("))
    expect(law.last).to_be_visible()
    expect(laws.get_by_role("listitem").last).to_contain_text(re.compile(r"complexity \d+ · RMSE: held out"))
    points = page.get_by_role("img", name="Held-out error of the laws over their complexity").locator(".point")
    expect(points).to_have_count(laws.get_by_role("listitem").count())
    # a point of the chart is its law in the list
    page.locator(".nsewdrag").scroll_into_view_if_needed()
    box = points.last.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2 + 20, box["y"] + 20)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    chosen = laws.locator('[aria-pressed="true"]')
    expect(chosen).to_be_focused()

    # whoever comes now sees it too
    address = page.url.split("#")[0]
    guest = context.new_page()
    guest.goto(address)
    guest.get_by_role("tab", name="Law").click()
    expect(guest.get_by_role("list", name="Laws, simplest first").get_by_role("listitem")).to_have_count(
        laws.get_by_role("listitem").count()
    )
    expect(guest.get_by_role("button", name="Explain it again")).to_be_disabled()
    guest.close()

    num_curves = edges(page, "learned").count()
    assert num_curves > 0
    laws.get_by_role("button", name="to the diagram").last.click()
    expect(edges(page, "learned")).to_have_count(0)
    expect(edges(page, "formula").first).to_be_visible()
    expect(status).to_contain_text(re.compile(r"Law \d+ is on the diagram"))
    expect(page.get_by_text("closed form")).to_be_visible()
    page.get_by_role("button", name=re.compile(r"Undo: law \d+ of the search")).click()
    expect(edges(page, "learned")).to_have_count(num_curves)


def test_a_search_is_cancelled_and_training_goes_on(context: BrowserContext, live_server: LiveServer) -> None:
    page, _ = open_session(context, live_server, NESTED)
    wait_for_step(page, 3)
    explain(page)
    expect(page.get_by_role("progressbar", name="How much of the search is done")).to_be_visible()
    status = page.get_by_role("region", name="The law behind the network").get_by_role("status")
    expect(status).to_contain_text("Looking for laws in the network as it was after step")
    expect(page.get_by_text("Training rests while the network is explained, and goes on afterwards.")).to_be_visible()
    expect(page.get_by_text(re.compile(r"[1-9]\d* formulas? tried, \d+ % done"))).to_be_visible()
    step = int(page.locator("header dd").first.inner_text().split()[-1])
    page.get_by_role("button", name="Cancel the search").click()
    expect(status).to_contain_text("The search was cancelled")
    expect(page.get_by_role("button", name="Explain it again")).to_be_enabled()
    wait_for_step(page, step + 1)


def test_a_formula_is_simplified_copied_and_shown_as_it_was(context: BrowserContext, live_server: LiveServer) -> None:
    page, _ = open_session(context, live_server, WAVES)
    wait_for_rmse(page, 1e-3)
    explain(page)
    laws = page.get_by_role("list", name="Laws, simplest first")
    laws.get_by_role("button", name="to the diagram").last.click()
    expect(page.get_by_text("closed form")).to_be_visible()
    page.keyboard.press("Space")
    formula = page.get_by_test_id("formula")
    before = formula.get_attribute("aria-label")
    page.get_by_role("button", name="Simplify").click()
    outcome = page.get_by_text(re.compile("Simplified from|Nothing simpler was found|Simplifying took longer"))
    expect(outcome).to_be_visible()
    form = page.get_by_label("Form", exact=True)
    if "Simplified" in outcome.inner_text():
        simple = formula.get_attribute("aria-label")
        assert simple != before
        page.get_by_role("button", name="SymPy").click()
        expect(page.get_by_text("Copied as SymPy")).to_be_attached()
        short = page.evaluate("() => navigator.clipboard.readText()")
        form.select_option(label="as found")
        assert formula.get_attribute("aria-label") != simple
        page.get_by_role("button", name="SymPy").click()
        page.wait_for_function(
            "async short => (await navigator.clipboard.readText()) !== short", arg=short, timeout=5000
        )
        form.select_option(label="simplified")
        assert formula.get_attribute("aria-label") == simple
    else:
        expect(form).to_have_count(0)


@pytest.mark.parametrize("size", [(1440, 900), (1024, 768), (390, 844)])
def test_the_panel_fits_every_screen(context: BrowserContext, live_server: LiveServer, size: tuple[int, int]) -> None:
    page, _ = open_session(context, live_server, {"training": FAST})
    page.set_viewport_size({"width": size[0], "height": size[1]})
    wait_for_rmse(page, 0.05)
    explain(page)
    # until then laws come and go
    expect(page.get_by_role("button", name="Explain it again")).to_be_visible(timeout=60_000)
    laws = page.get_by_role("list", name="Laws, simplest first")
    restore = laws.get_by_role("button", name="to the diagram").last
    restore.scroll_into_view_if_needed()
    box = restore.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= size[0]
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    restore.focus()
    page.keyboard.press("Enter")
    expect(edges(page, "learned")).to_have_count(0)
