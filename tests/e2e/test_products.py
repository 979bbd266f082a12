"""Nodes that multiply: drawn with two ports, fed by two rows of edges."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def edge(page: Page, name: str, shows: str = "") -> Locator:
    """Return the edge with this name, by the beginning of what it shows."""
    return page.get_by_role("button", name=re.compile(rf"^edge {re.escape(name)} {shows}"))


def start_products(page: Page, *, hidden: int = 0, outputs: int = 0) -> None:
    """Start a fresh network in which so many of five hidden nodes and of one output multiply."""
    expect(page.locator("g.edge")).to_have_count(15)
    page.get_by_label("How many multiply in hidden layer 1").fill(str(hidden))
    page.get_by_label("How many outputs multiply").fill(str(outputs))
    page.get_by_role("button", name="Start a fresh network").click()
    expect(page.locator("g.edge")).to_have_count(2 * (5 + hidden) + 5 * (1 + outputs))


def ends_of_links(page: Page) -> list[tuple[float, float]]:
    """Return where the lines of all edges arrive, in the order of frames."""
    paths: list[str] = page.locator("g.lines path").evaluate_all("paths => paths.map(path => path.getAttribute('d'))")
    ends = [path.rsplit("L", 1)[1].split() for path in paths]
    return [(float(x), float(y)) for x, y in ends]


def places(circles: Locator) -> list[tuple[float, float]]:
    """Return the centres of circles."""
    centres: list[list[str]] = circles.evaluate_all(
        "all => all.map(one => [one.getAttribute('cx'), one.getAttribute('cy')])"
    )
    return [(float(x), float(y)) for x, y in centres]


def test_a_node_that_multiplies_has_a_sign_and_two_ports(page: Page) -> None:
    start_products(page, hidden=2)
    expect(page.locator("g.node text.sign", has_text="Π")).to_have_count(2)
    expect(page.locator("g.node text.sign", has_text="Σ")).to_have_count(4)
    expect(page.locator("g.node.product circle.port")).to_have_count(4)
    expect(page.locator("g.node.product title").first).to_have_text("1.3: the product of its two factors")


def test_edges_are_numbered_by_rows_and_lead_to_their_ports(page: Page) -> None:
    start_products(page, hidden=2)
    page.get_by_role("button", name="Pause", exact=True).click()
    for row in range(7):
        for source in range(2):
            expect(edge(page, f"0.{source}.{row}")).to_have_count(1)
    for row, words in ((3, "factor 1 of 1.3"), (4, "factor 2 of 1.3"), (5, "factor 1 of 1.4"), (6, "factor 2 of 1.4")):
        expect(page.get_by_role("button", name=re.compile(rf"^edge 0\.0\.{row} .*, {words}"))).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("factor"))).to_have_count(8)
    page.wait_for_timeout(400)
    ports = places(page.locator("g.node.product circle.port"))
    ends = ends_of_links(page)
    for row in range(3, 7):
        for source in range(2):
            assert ends[2 * row + source] == pytest.approx(ports[row - 3], abs=0.06)


def test_an_edge_into_a_factor_is_cut_and_restored(page: Page) -> None:
    start_products(page, hidden=2)
    edge(page, "0.1.5").click()
    inspector = page.get_by_role("complementary", name="Edge")
    expect(inspector.get_by_role("heading", name="Edge 0.1.5")).to_be_visible()
    expect(inspector.get_by_text(re.compile("factor 1 of 1.4$"))).to_be_visible()
    page.get_by_role("button", name="Cut this edge").click()
    expect(page.get_by_role("button", name="edge 0.1.5 cut, factor 1 of 1.4")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile(r"^edge \S+ cut"))).to_have_count(1)
    page.get_by_role("button", name="Undo: cut edge 0.1.5").click()
    expect(edge(page, "0.1.5", "learned")).to_be_visible()


def test_rows_of_a_matrix_are_factors(page: Page) -> None:
    start_products(page, hidden=2)
    page.get_by_role("button", name="Matrix", exact=True).click()
    expect(page.get_by_text("Φ₀ 7 × 2")).to_be_visible()
    page.wait_for_timeout(400)
    boxes = [edge(page, f"0.0.{row}").locator("rect.box").bounding_box() for row in range(7)]
    heights = [box["y"] for box in boxes if box is not None]
    assert len(heights) == 7
    assert heights == sorted(heights)
    edge(page, "0.0.5").press("ArrowDown")
    expect(edge(page, "0.0.6")).to_be_focused()


def test_an_output_multiplies(page: Page) -> None:
    start_products(page, outputs=1)
    expect(page.locator("g.node text.sign", has_text="Π")).to_have_count(1)
    expect(edge(page, "1.4.1", "learned curve, importance .*, factor 2 of f")).to_be_visible()


def test_more_products_than_nodes_are_refused_in_place(page: Page) -> None:
    expect(page.locator("g.edge")).to_have_count(15)
    field = page.get_by_label("How many multiply in hidden layer 1")
    field.fill("6")
    expect(page.get_by_role("alert")).to_have_text("Of 5 nodes, 0 to 5 can multiply.")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("button", name="Start a fresh network")).to_be_disabled()
    page.get_by_label("Nodes in hidden layer 1").fill("6")
    expect(page.get_by_role("alert")).to_have_count(0)
    page.get_by_role("button", name="Start a fresh network").click()
    expect(page.locator("g.edge")).to_have_count(2 * 12 + 6)


def test_another_problem_after_products_starts_its_own_network(page: Page) -> None:
    start_products(page, hidden=5, outputs=1)
    page.get_by_role("combobox", name="Problem").select_option(index=1)
    expect(page.get_by_text(re.compile("A fresh network was started"))).to_be_visible()
    expect(page.get_by_label("How many outputs multiply")).to_have_value("0")
    expect(page.locator("g.node text.sign", has_text="Π")).to_have_count(0)
