"""The page at the sizes of a laptop, a tablet and a phone: nothing overlaps, nothing is cut off."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, FloatRect, Locator, Page, expect

from tests.live import LiveServer

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

PHONE, TABLET, LAPTOP = (390, 844), (1024, 768), (1440, 900)


@pytest.fixture(params=[PHONE, TABLET, LAPTOP], ids=["phone", "tablet", "laptop"])
def sized(request: pytest.FixtureRequest, browser: Browser, live_server: LiveServer) -> Iterator[Page]:
    """A fresh session at one of the sizes; phone and tablet are touched, not clicked."""
    width, height = request.param
    context = browser.new_context(viewport={"width": width, "height": height}, has_touch=width < LAPTOP[0])
    page = context.new_page()
    page.goto(live_server.url)
    expect(page.locator("g.edge")).to_have_count(15)
    yield page
    context.close()


@pytest.fixture
def phone(browser: Browser, live_server: LiveServer) -> Iterator[Page]:
    """A fresh session on a phone."""
    context = browser.new_context(viewport={"width": PHONE[0], "height": PHONE[1]}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(live_server.url)
    expect(page.locator("g.edge")).to_have_count(15)
    yield page
    context.close()


def box(locator: Locator) -> FloatRect:
    """Return where the element lies; it must be on the page."""
    rect = locator.bounding_box()
    assert rect is not None
    return rect


def overlap(left: FloatRect, right: FloatRect) -> bool:
    """Return whether two boxes share more than a hair."""
    return (
        left["x"] + left["width"] > right["x"] + 1
        and right["x"] + right["width"] > left["x"] + 1
        and left["y"] + left["height"] > right["y"] + 1
        and right["y"] + right["height"] > left["y"] + 1
    )


def test_nothing_scrolls_sideways(sized: Page) -> None:
    assert sized.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_page_itself_scrolls_on_a_phone_alone(sized: Page) -> None:
    sized.get_by_role("button", name="Matrix", exact=True).click()
    expect(sized.locator("g.frame")).to_have_count(2)
    is_phone = sized.evaluate("innerWidth") == PHONE[0]
    assert sized.evaluate("document.documentElement.scrollHeight > innerHeight") == is_phone


def test_parts_of_the_header_stand_beside_each_other(sized: Page) -> None:
    parts = [*sized.locator("header").first.locator("button:visible, dl > div, h1, .live").all()]
    boxes = [box(part) for part in parts]
    width = sized.evaluate("innerWidth")
    assert all(rect["x"] >= 0 and rect["x"] + rect["width"] <= width for rect in boxes)
    assert not [(i, j) for i in range(len(boxes)) for j in range(i) if overlap(boxes[i], boxes[j])]


def test_curves_keep_apart_and_lie_inside_the_diagram(sized: Page) -> None:
    room = box(sized.get_by_role("group", name="The network", exact=True))
    boxes = [box(rect) for rect in sized.locator("g.edge rect.hit").all()]
    assert len(boxes) == 15
    assert min(rect["width"] for rect in boxes) >= 24
    for rect in boxes:
        assert room["x"] <= rect["x"]
        assert rect["x"] + rect["width"] <= room["x"] + room["width"]
        assert room["y"] <= rect["y"]
        assert rect["y"] + rect["height"] <= room["y"] + room["height"]
    assert not [(i, j) for i in range(15) for j in range(i) if overlap(boxes[i], boxes[j])]


def test_fingers_find_large_targets(phone: Page) -> None:
    phone.get_by_role("button", name=re.compile(r"^edge 0\.0\.0 ")).tap()
    expect(phone.get_by_role("heading", name="Edge 0.0.0")).to_be_visible()
    small = [button for button in phone.locator("button:visible, select:visible").all() if box(button)["height"] < 40]
    assert [button.inner_text() for button in small] == []


def test_the_inspector_rises_as_a_sheet_and_closes(phone: Page) -> None:
    phone.get_by_role("button", name=re.compile(r"^edge 0\.0\.0 ")).tap()
    sheet = phone.get_by_role("complementary", name="Edge")
    expect(sheet).to_be_in_viewport()
    phone.get_by_role("button", name="Find a formula").tap()
    expect(phone.get_by_role("listbox").get_by_role("option").first).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    sheet.get_by_role("button", name="Close").tap()
    expect(sheet).to_be_hidden()


def test_settings_open_as_a_drawer_where_there_is_no_room(sized: Page) -> None:
    field = sized.get_by_label("Steps a second")
    if sized.evaluate("innerWidth") > 1180:
        expect(field).to_be_in_viewport()
        return
    expect(field).to_be_hidden()
    sized.get_by_role("button", name="Settings").click()
    expect(sized.get_by_role("complementary", name="Settings").get_by_role("button", name="Close")).to_be_focused()
    field.scroll_into_view_if_needed()
    expect(field).to_be_in_viewport()
    sized.keyboard.press("Escape")
    expect(field).to_be_hidden()
    expect(sized.get_by_role("button", name="Settings")).to_be_focused()


def test_run_controls_stay_on_a_scrolled_phone(phone: Page) -> None:
    phone.get_by_role("tab", name="Residuals").scroll_into_view_if_needed()
    phone.mouse.wheel(0, 3000)
    pause = phone.get_by_role("button", name="Pause")
    expect(pause).to_be_in_viewport()
    phone.get_by_role("button", name="Share and more").tap()
    expect(phone.get_by_role("button", name="New seed")).to_be_visible()
    expect(phone.get_by_role("button", name="Copy link to edit")).to_be_visible()


def test_a_long_formula_scrolls_inside_its_box(sized: Page) -> None:
    formula = sized.get_by_test_id("formula")
    expect(formula).to_be_visible()
    assert formula.evaluate("element => element.scrollWidth > element.clientWidth")
    assert formula.evaluate("element => getComputedStyle(element).overflowX") == "auto"
