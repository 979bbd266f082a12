"""The matrix of functions: wide layers as cells that are the same edges."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def start_network(page: Page, *hidden: int) -> None:
    """Start a fresh network with these hidden layers, paused so that what is seen stays."""
    expect(page.locator("g.edge")).to_have_count(15)
    for layer, nodes in enumerate(hidden, start=1):
        if layer > 1:
            page.get_by_role("button", name="Add a layer").click()
        page.get_by_label(f"Nodes in hidden layer {layer}").fill(str(nodes))
    page.get_by_role("button", name="Start a fresh network").click()
    widths = (2, *hidden, 1)
    expect(page.locator("g.edge")).to_have_count(sum(a * b for a, b in pairwise(widths)))


def cell(page: Page, name: str) -> Locator:
    """Return the edge with this name, whatever it shows."""
    return page.get_by_role("button", name=re.compile(f"^edge {re.escape(name)} "))


def centre(locator: Locator) -> tuple[float, float]:
    """Return where the middle of an edge's box lies."""
    rect = locator.locator("rect.box").bounding_box()
    assert rect is not None
    return rect["x"] + rect["width"] / 2, rect["y"] + rect["height"] / 2


def test_a_wide_layer_is_a_matrix_of_cells(page: Page) -> None:
    start_network(page, 6, 7)
    expect(page.get_by_text("Φ₁ 7 × 6")).to_be_visible()
    expect(page.get_by_role("button", name="Layer 1 as a matrix of functions")).to_have_attribute(
        "aria-pressed", "true"
    )
    expect(page.get_by_role("button", name="Layer 0 as a matrix of functions")).to_have_attribute(
        "aria-pressed", "false"
    )
    rows = [[centre(cell(page, f"1.{source}.{target}")) for source in (0, 3, 5)] for target in (0, 4, 6)]
    for row in rows:
        assert row[0][0] < row[1][0] < row[2][0]
        assert max(y for _, y in row) - min(y for _, y in row) < 1
    assert rows[0][0][1] < rows[1][0][1] < rows[2][0][1]
    expect(page.locator("g.frame text.column")).to_have_text([f"1.{node}" for node in range(6)])


def test_a_cell_is_chosen_walked_from_and_cut_as_any_edge(page: Page) -> None:
    start_network(page, 6, 7)
    page.get_by_role("button", name="Pause", exact=True).click()
    cell(page, "1.2.3").click()
    expect(page.get_by_role("heading", name="Edge 1.2.3")).to_be_visible()
    for key, name in (("ArrowRight", "1.3.3"), ("ArrowDown", "1.3.4"), ("ArrowLeft", "1.2.4"), ("ArrowUp", "1.2.3")):
        page.keyboard.press(key)
        expect(cell(page, name)).to_be_focused()
    page.keyboard.press("Delete")
    ghost = page.get_by_role("button", name="edge 1.2.3 cut")
    expect(ghost).to_be_focused()
    expect(ghost).to_have_class(re.compile("pruned"))
    page.get_by_role("button", name="Restore this edge").click()
    expect(page.get_by_role("button", name=re.compile(r"^edge 1\.2\.3 learned"))).to_be_visible()


def test_weak_edges_are_marked_in_the_matrix(page: Page) -> None:
    start_network(page, 6, 7)
    slider = page.get_by_label("Importance below")
    slider.focus()
    slider.press("End")
    expect(page.get_by_role("button", name=re.compile(r"^edge 1\..* would be cut$")).first).to_be_visible()


def test_any_network_turns_into_matrices_and_back(page: Page) -> None:
    expect(page.locator("g.edge")).to_have_count(15)
    expect(page.locator("g.frame")).to_have_count(0)
    page.get_by_role("button", name="Matrix", exact=True).click()
    expect(page.locator("g.frame")).to_have_count(2)
    expect(page.locator("g.frame text.column")).to_have_text(["x", "y", "1.0", "1.1", "1.2", "1.3", "1.4"])
    page.get_by_role("button", name="Layer 1 as a matrix of functions").click()
    expect(page.locator("g.frame")).to_have_count(1)
    page.get_by_role("button", name="Diagram", exact=True).click()
    expect(page.locator("g.frame")).to_have_count(0)


def test_hundreds_of_edges_share_one_canvas_and_stay_in_reach(page: Page) -> None:
    start_network(page, 16, 17)
    expect(page.locator(".room canvas")).to_be_visible()
    expect(page.locator("g.edge path.curve")).to_have_count(0)
    page.wait_for_function(
        """() => {
            const canvas = document.querySelector('.room canvas');
            const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
            return data.some(value => value > 0);
        }"""
    )
    cell(page, "1.10.11").click()
    expect(page.get_by_role("heading", name="Edge 1.10.11")).to_be_visible()
