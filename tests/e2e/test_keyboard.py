"""The whole story without a mouse, and the keys that work from anywhere."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.seen import wait_for_step

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

MOST_TABS = 40


def focused(page: Page) -> Locator:
    """Return the element that has the keyboard."""
    return page.locator(":focus")


def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until the element has the keyboard, as somebody without a mouse does."""
    for _ in range(MOST_TABS):
        if target.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{target} was not reached with {MOST_TABS} presses of Tab")


def has_visible_focus(element: Locator) -> bool:
    """Return whether the focused element is outlined, or for an edge of the diagram its box is."""
    return element.evaluate(
        """element => {
            const box = element.querySelector(':scope > rect.box');
            if (box !== null) return parseFloat(getComputedStyle(box).strokeWidth) >= 3;
            const style = getComputedStyle(element);
            return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
        }"""
    )


def test_train_cut_find_apply_and_undo_by_keys_alone(page: Page) -> None:
    speed = page.get_by_label("Steps a second")
    tab_to(page, speed)
    page.keyboard.press("Control+a")
    page.keyboard.type("200")
    page.keyboard.press("Enter")
    wait_for_step(page, 20)

    tab_to(page, page.get_by_label("Importance below"))
    expect(page.get_by_text("12 edges would go")).to_be_visible()
    assert has_visible_focus(focused(page))
    page.keyboard.press("Tab")
    expect(focused(page)).to_have_text("Cut weak edges")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name=re.compile(r"^edge [\d.]+ cut$"))).to_have_count(12)

    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    expect(focused(page)).to_have_attribute("aria-label", re.compile("^edge 0.0.0"))
    assert has_visible_focus(focused(page))
    for _ in range(MOST_TABS):
        if " learned " in str(focused(page).get_attribute("aria-label")):
            break
        page.keyboard.press("ArrowRight")
    name = str(focused(page).get_attribute("aria-label"))[:10]
    page.keyboard.press("Enter")
    expect(focused(page)).to_have_text("Find a formula")
    assert has_visible_focus(focused(page))
    page.keyboard.press("Enter")
    expect(focused(page)).to_have_role("option")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    expect(focused(page)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    edge = page.get_by_role("button", name=re.compile(f"^{name} formula "))
    expect(edge).to_be_focused()

    page.keyboard.press("Control+z")
    expect(page.get_by_role("button", name=re.compile(f"^{name} learned "))).to_be_visible()
    page.keyboard.press("Control+z")
    expect(page.get_by_role("button", name=re.compile(r"^edge [\d.]+ cut$"))).to_have_count(0)
    page.keyboard.press("Control+Shift+Z")
    expect(page.get_by_role("button", name=re.compile(r"^edge [\d.]+ cut$"))).to_have_count(12)


def test_space_pauses_and_s_steps(page: Page) -> None:
    wait_for_step(page, 3)
    page.keyboard.press(" ")
    expect(page.get_by_role("button", name="Run", exact=True)).to_be_visible()
    before = int(page.locator("header dd").first.inner_text().split()[-1])
    page.keyboard.press("s")
    expect(page.locator("header dd").first).to_have_text(f"step {before + 1}")
    page.keyboard.press(" ")
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_visible()


def test_keys_stay_with_the_field_that_is_typed_in(page: Page) -> None:
    wait_for_step(page, 3)
    page.get_by_role("tab", name="Formula").click()
    field = page.get_by_label("f =", exact=True)
    field.fill("")
    field.press_sequentially("sin(x) ? s")
    expect(field).to_have_value("sin(x) ? s")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    field.press("Control+z")
    expect(page.locator("g.edge")).to_have_count(15)


def test_a_question_mark_lists_the_keys_and_escape_closes(page: Page) -> None:
    wait_for_step(page, 1)
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_text("One step", exact=True)).to_be_visible()
    page.keyboard.press("s")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_visible()


def test_escape_leaves_the_inspector_then_lets_the_edge_go(page: Page) -> None:
    wait_for_step(page, 1)
    edge = page.get_by_role("button", name=re.compile(r"^edge 0\.0\.0 "))
    edge.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Find a formula")).to_be_focused()
    page.keyboard.press("Escape")
    expect(edge).to_be_focused()
    expect(page.get_by_role("heading", name="Edge 0.0.0")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Edge 0.0.0")).to_be_hidden()


def test_delete_asks_before_it_severs_the_output(page: Page) -> None:
    page.get_by_role("button", name="Remove the last layer").click()
    page.get_by_role("button", name="Start a fresh network").click()
    expect(page.locator("g.edge")).to_have_count(2)
    page.get_by_role("button", name=re.compile(r"^edge 0\.0\.0 ")).focus()
    page.keyboard.press("Delete")
    expect(page.get_by_role("button", name="edge 0.0.0 cut")).to_be_visible()
    page.get_by_role("button", name=re.compile(r"^edge 0\.1\.0 ")).focus()
    page.keyboard.press("Delete")
    expect(page.get_by_role("alert")).to_contain_text("sever the output")
    expect(page.get_by_role("button", name="Cut anyway")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="edge 0.1.0 cut")).to_be_focused()
