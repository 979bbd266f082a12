"""The page at the sizes of a laptop, a tablet and a phone: nothing overlaps, nothing is cut off."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
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


@pytest.mark.parametrize("width", [360, 340, 320])
def test_nothing_scrolls_sideways_on_the_smallest_phones(phone: Page, width: int) -> None:
    phone.set_viewport_size({"width": width, "height": 640})
    assert phone.evaluate("[document.documentElement.scrollWidth, innerWidth]") == [width, width]


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


def test_what_is_told_of_an_edge_under_the_mouse_lies_over_no_name(page: Page) -> None:
    expect(page.locator("g.edge")).to_have_count(15)
    page.get_by_role("button", name=re.compile(r"^edge 0\.0\.0 ")).hover()
    told = page.get_by_text(re.compile(r"^edge 0\.0\.0 learned curve"))
    expect(told).to_be_visible()
    names = [box(name) for name in page.locator("svg text.name").all()]
    assert len(names) == 3
    assert not any(overlap(box(told), name) for name in names)
    before = box(page.get_by_role("group", name="The network", exact=True))
    page.mouse.move(5, 5)
    expect(told).to_have_count(0)
    assert box(page.get_by_role("group", name="The network", exact=True)) == before


def test_the_longest_title_of_a_family_is_not_cut_off(sized: Page) -> None:
    sized.get_by_role("button", name=re.compile(r"^edge 0\.0\.0 ")).click()
    menu = sized.get_by_label("Family", exact=True)
    expect(menu).to_be_visible()
    needed = menu.evaluate(
        """menu => {
            const free = menu.cloneNode(true);
            free.style.cssText = 'position: absolute; width: auto';
            menu.parentElement.append(free);
            const { width } = free.getBoundingClientRect();
            free.remove();
            return width;
        }"""
    )
    assert box(menu)["width"] >= needed > 100


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


def test_formulas_are_compared_on_a_phone_without_scrolling(phone: Page) -> None:
    phone.get_by_role("button", name=re.compile(r"^edge 0\.0\.0 ")).tap()
    sheet = phone.get_by_role("complementary", name="Edge")
    phone.get_by_role("button", name="Find a formula").tap()
    rows = phone.get_by_role("listbox").get_by_role("option")
    expect(rows.nth(2)).to_be_visible()
    expect(sheet.get_by_text("residual")).to_be_in_viewport()
    chart, apply = (
        box(sheet.get_by_role("img", name="Edge 0.0.0")),
        box(phone.get_by_role("button", name="Make it this formula")),
    )
    assert chart["y"] > box(sheet)["y"]
    assert apply["y"] + apply["height"] <= PHONE[1]
    for row in (rows.nth(index) for index in range(3)):
        assert box(row)["y"] >= chart["y"] + chart["height"]
        assert box(row)["y"] + box(row)["height"] <= apply["y"]


LONG_NAMES = tuple(f"a_name_of_an_input_number_{index:02d}" for index in range(12))
SHORT_NAMES = ("a", "b", "c", "d")


@pytest.mark.parametrize(
    ("names", "hidden"), [(SHORT_NAMES[:2], (20, 20)), (SHORT_NAMES, (20, 12)), (LONG_NAMES, (5,))]
)
def test_a_wide_network_can_be_seen_whole(
    sized: Page, live_server: LiveServer, names: tuple[str, ...], hidden: tuple[int, ...]
) -> None:
    variables = [{"name": name, "low": -1, "high": 1} for name in names]
    source = {"kind": "formula", "expression": "+".join(names), "variables": variables, "noise": 0, "num_samples": 50}
    network = {"widths": [len(names), *hidden, 1]}
    body = {"data": source, "network": network, "seed": 0}
    created = httpx.post(f"{live_server.url}/api/sessions", json=body, timeout=60).json()
    sized.goto(f"{live_server.url}/s/{created['session_id']}#edit={created['edit_key']}")
    room = sized.locator(".scroll")
    names_shown = sized.locator("svg text.name")
    expect(names_shown).to_have_count(len(names) + 1)
    larger = sized.get_by_text(re.compile("^Larger than its frame"))
    if sized.evaluate("innerWidth") > PHONE[0]:
        expect(larger).to_be_hidden()
        assert room.evaluate("room => room.scrollWidth <= room.clientWidth && room.scrollHeight <= room.clientHeight")
    assert len(set(names_shown.all_text_contents())) == len(names) + 1
    assert box(names_shown.first)["x"] >= box(room)["x"]

    sized.get_by_role("button", name="Diagram", exact=True).click()
    expect(larger).to_be_visible()
    expect(names_shown.last).to_be_in_viewport()
    expect(sized.locator(".shadow")).to_have_count(2)


def test_what_is_said_of_a_formula_too_long_to_read_is_wrapped(phone: Page) -> None:
    phone.get_by_role("button", name="Settings").click()
    phone.get_by_role("button", name="Add a layer").click()
    phone.get_by_label("Nodes in hidden layer 1").fill("20")
    phone.get_by_label("Nodes in hidden layer 2").fill("20")
    phone.get_by_role("button", name="Start a fresh network").click()
    formula = phone.get_by_test_id("formula")
    expect(formula).to_contain_text("800 paths")
    assert formula.evaluate("element => element.scrollWidth <= element.clientWidth")


def test_settings_open_as_a_drawer_where_there_is_no_room(sized: Page) -> None:
    field = sized.get_by_label("Steps a second")
    if sized.evaluate("innerWidth") > 1180:
        field.scroll_into_view_if_needed()
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
