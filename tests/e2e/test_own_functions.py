"""Formulas weighed by simplicity on the page, and a function of a person's own among them."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.live import LiveServer
from tests.seen import edges, wait_for_rmse, wait_for_step

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

REQUEST = {
    "data": {
        "kind": "formula",
        "expression": "2*(x-0.3)*exp(-(x-0.3)^2)",
        "variables": [{"name": "x", "low": -2, "high": 3}],
        "num_samples": 400,
    },
    "network": {"widths": [1, 1], "grid_size": 30},
    "training": {"optimizer": "lm", "l1": 0.0, "entropy": 0.0},
}


def open_session(context: BrowserContext, server: LiveServer, *, may_edit: bool = True) -> tuple[Page, str]:
    """Return the page of a session of one curve that no function of the library is, and the session's address."""
    created = httpx.post(f"{server.url}/api/sessions", json=REQUEST, timeout=60).json()
    address = f"{server.url}/s/{created['session_id']}"
    page = context.new_page()
    page.goto(f"{address}#edit={created['edit_key']}" if may_edit else address)
    wait_for_rmse(page, 1e-3)
    return page, address


def find_formulas(page: Page) -> None:
    """Choose the curve and ask for its formulas."""
    edges(page, "learned").first.click()
    page.get_by_role("button", name="Find a formula").click()
    expect(page.get_by_role("listbox").get_by_role("option").first).to_be_visible()


def shown(page: Page) -> list[str]:
    """Return the names of the formulas in the order of the list."""
    return page.get_by_role("listbox").locator("b").all_inner_texts()


def complexities(page: Page) -> list[int]:
    """Return the complexities of the formulas in the order of the list."""
    texts = page.get_by_role("listbox").locator(".numbers").all_inner_texts()
    return [int(text.split()[-1]) for text in texts]


def test_simplicity_sorts_the_formulas_without_asking_again(context: BrowserContext, live_server: LiveServer) -> None:
    page, _ = open_session(context, live_server)
    sent: list[str] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda payload: sent.append(str(payload))))
    page.reload()
    wait_for_rmse(page, 1e-3)
    find_formulas(page)
    slider = page.get_by_role("slider", name="Simplicity")
    expect(slider).to_have_attribute("aria-valuetext", "counts ×1")
    usual = shown(page)
    slider.focus()
    page.keyboard.press("Home")
    expect(slider).to_have_attribute("aria-valuetext", "ignored")
    exact, exact_first = shown(page), complexities(page)[0]
    page.keyboard.press("End")
    expect(slider).to_have_attribute("aria-valuetext", "counts ×64")
    simple_first = complexities(page)[0]
    assert simple_first <= exact_first
    assert [sorted(names) for names in (exact, usual)] != [exact, usual]
    slider.fill("0")
    assert shown(page) == usual
    # the chosen formula, and its curve on the chart, follow the order
    expect(page.get_by_role("listbox").get_by_role("option").first).to_have_attribute("aria-selected", "true")
    assert sum('"suggest"' in one for one in sent) == 1


def test_a_function_of_ones_own_is_compared_and_becomes_the_law(
    context: BrowserContext, live_server: LiveServer
) -> None:
    page, address = open_session(context, live_server)
    find_formulas(page)
    assert "ricker" not in shown(page)
    page.get_by_text("Compare with a function of your own").click()
    name, expression = page.get_by_label("Name", exact=True), page.get_by_label("Function of x")
    name.fill("ricker")
    expression.fill("x*exp(-x^2")
    expression.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="ends too early at position 11")).to_be_visible()
    expect(expression).to_have_attribute("aria-invalid", "true")
    expression.fill("x*exp(-x^2)")
    page.get_by_role("button", name="Add this function").click()
    expect(page.get_by_role("listbox").locator("b").first).to_have_text("ricker")
    expect(page.get_by_role("button", name="Remove ricker")).to_be_enabled()
    expect(name).to_have_value("")

    # whoever comes later has it too
    guest = context.new_page()
    guest.goto(address)
    edges(guest, "learned").first.click()
    guest.get_by_role("button", name="Find a formula").click()
    expect(guest.get_by_role("listbox").locator("b").first).to_have_text("ricker")
    guest.get_by_text("Compare with a function of your own").click()
    expect(guest.get_by_role("button", name="Remove ricker")).to_be_disabled()
    guest.close()

    page.get_by_role("button", name="Make it this formula").click()
    expect(edges(page, "formula")).to_have_count(1)
    expect(page.get_by_test_id("formula")).to_have_attribute("aria-label", re.compile(r"exp\("))
    expect(page.get_by_text("closed form")).to_be_visible()
    wait_for_rmse(page, 1e-6)


def test_a_function_can_be_taken_back(context: BrowserContext, live_server: LiveServer) -> None:
    page, _ = open_session(context, live_server)
    find_formulas(page)
    page.get_by_text("Compare with a function of your own").click()
    page.get_by_label("Name", exact=True).fill("ricker")
    page.get_by_label("Function of x").fill("x*exp(-x^2)")
    page.get_by_label("Function of x").press("Enter")
    expect(page.get_by_role("listbox").locator("b").first).to_have_text("ricker")
    page.get_by_role("button", name="Remove ricker").click()
    expect(page.get_by_role("listbox").locator("b").filter(has_text="ricker")).to_have_count(0)
    expect(page.get_by_role("button", name="Remove ricker")).to_have_count(0)


def test_formulas_of_an_older_step_say_so(context: BrowserContext, live_server: LiveServer) -> None:
    created = httpx.post(f"{live_server.url}/api/sessions", json={}, timeout=60).json()
    page = context.new_page()
    page.goto(f"{live_server.url}/s/{created['session_id']}#edit={created['edit_key']}")
    wait_for_step(page, 3)
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Run", exact=True)).to_be_visible()
    find_formulas(page)
    age = page.get_by_text(re.compile(r"^\s*They are of step (\d+); training is at (\d+)\."))
    expect(age).to_have_count(0)
    page.get_by_role("button", name="Step", exact=True).click()
    expect(age).to_be_visible()
    found, present = re.findall(r"\d+", age.inner_text())
    assert int(present) == int(found) + 1
    page.get_by_role("button", name="Find again").click()
    expect(age).to_have_count(0)
    expect(page.get_by_role("listbox").get_by_role("option").first).to_be_focused()
