"""Families of basis functions: networks of another, single curves of another, and what a curve is the sum of."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.live import LiveServer
from tests.seen import wait_for_rmse

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

Family = dict[str, Any]


@pytest.fixture
def families(live_server: LiveServer) -> dict[str, Family]:
    """Return the catalogue's families by their names."""
    bases: list[Family] = httpx.get(f"{live_server.url}/api/catalogue", timeout=60).json()["bases"]
    return {basis["name"]: basis for basis in bases}


def edge(page: Page, name: str, shows: str = "") -> Locator:
    """Return the edge with this name, by the beginning of what it shows."""
    return page.get_by_role("button", name=re.compile(rf"^edge {re.escape(name)} {shows}"))


def start_family(page: Page, name: str) -> None:
    """Start a fresh network of this family."""
    expect(page.locator("g.edge")).to_have_count(15)
    page.get_by_label("Family of basis functions").select_option(name)
    page.get_by_role("button", name="Start a fresh network").click()
    expect(page.get_by_text(re.compile("A fresh network was started"))).to_be_visible()


def choose_family(page: Page, title: str) -> None:
    """Give the chosen edge's curve another family and wait until it has it."""
    page.get_by_label("Family", exact=True).select_option(label=title)
    expect(page.get_by_role("button", name=re.compile(f"^Undo: {re.escape(title)} on edge"))).to_be_enabled()


def shown_parts(page: Page) -> tuple[list[list[float]], list[float], list[float], str]:
    """Return the parts on the inspector's chart, what the rings show, the curve at them, and the first part's name."""
    page.wait_for_function(
        """() => {
            const chart = document.querySelector('aside .js-plotly-plot');
            return chart?.data?.some(trace => trace.name === 'Σ of the parts');
        }"""
    )
    parts, rings, curve, first = page.evaluate(
        """() => {
            const { data } = document.querySelector('aside .js-plotly-plot');
            const curve = data.find(trace => trace.name === 'φ');
            const rings = data.find(trace => trace.name === 'Σ of the parts');
            const at = rings.x.map(x => curve.x.indexOf(x));
            const parts = data.slice(1, data.indexOf(curve));
            return [
                parts.map(part => at.map(index => part.y[index])),
                [...rings.y], at.map(index => curve.y[index]), parts[0].name,
            ];
        }"""
    )
    return parts, rings, curve, first


@pytest.mark.parametrize("name", ["jacobi", "fourier", "relu"])
def test_a_network_of_another_family_learns(page: Page, families: dict[str, Family], name: str) -> None:
    family = families[name]
    page.get_by_label("Family of basis functions").select_option(name)
    expect(page.get_by_text(family["sentence"])).to_be_visible()
    expect(page.get_by_label(family["size_word"].capitalize(), exact=True)).to_have_value("5")
    expect(page.get_by_label("Order")).to_have_count(1 if family["has_order"] else 0)
    expect(page.get_by_label("Knots")).to_have_count(1 if family["has_knots"] else 0)
    expect(page.get_by_label("α")).to_have_count(1 if family["has_exponents"] else 0)
    start_family(page, name)
    size = re.compile(f"^Refine {family['size_word']} 5 → 10$")
    expect(page.get_by_role("button", name=size)).to_be_enabled()
    curve = page.locator("g.edge path.curve").first
    expect(curve).to_have_attribute("d", re.compile("^M"))
    first = curve.get_attribute("d")
    expect(curve).not_to_have_attribute("d", str(first))
    wait_for_rmse(page, 0.5)


def test_the_refine_button_makes_what_the_family_counts_finer(page: Page, families: dict[str, Family]) -> None:
    word = families["chebyshev"]["size_word"]
    start_family(page, "chebyshev")
    page.get_by_role("button", name=f"Refine {word} 5 → 10").click()
    expect(page.get_by_label(word.capitalize(), exact=True)).to_have_value("10")
    expect(page.get_by_role("button", name=f"Refine {word} 10 → 20")).to_be_enabled()


def test_a_degree_that_is_no_multiple_is_refined_to(page: Page) -> None:
    start_family(page, "chebyshev")
    degree = page.get_by_label("Degree", exact=True)
    degree.fill("7")
    button = page.get_by_role("button", name="Refine degree 5 → 7")
    expect(button).to_have_accessible_description(re.compile("it takes any larger degree.$"))
    button.click()
    expect(page.get_by_role("button", name="Refine degree 7 → 14")).to_be_enabled()
    expect(degree).to_have_value("7")


def test_a_family_that_an_edge_cannot_have_is_refused_with_a_way_out(page: Page) -> None:
    expect(page.locator("g.edge")).to_have_count(15)
    page.get_by_label("Order").fill("0")
    page.get_by_role("button", name="Start a fresh network").click()
    expect(page.get_by_text(re.compile("A fresh network was started"))).to_be_visible()
    edge(page, "0.0.0").click()
    menu = page.get_by_label("Family", exact=True)
    menu.select_option("relu")
    expect(page.get_by_text(re.compile("choose another family for the edge"))).to_be_visible()
    expect(menu).to_have_value("bspline")


def test_exponents_out_of_bounds_are_refused_in_place(page: Page, families: dict[str, Family]) -> None:
    assert families["jacobi"]["has_exponents"]
    expect(page.locator("g.edge")).to_have_count(15)
    page.get_by_label("Family of basis functions").select_option("jacobi")
    page.get_by_label("β").fill("-1")
    expect(page.get_by_role("alert")).to_have_text("α and β are numbers above −1, up to 10.")
    expect(page.get_by_role("button", name="Start a fresh network")).to_be_disabled()
    page.get_by_label("β").fill("0.5")
    page.get_by_role("button", name="Start a fresh network").click()
    expect(page.get_by_text(re.compile("A fresh network was started"))).to_be_visible()
    expect(page.get_by_label("β")).to_have_value("0.5")


def test_one_curve_changes_its_family_and_back(page: Page, families: dict[str, Family]) -> None:
    title = families["fourier"]["title"]
    edge(page, "0.1.2").click()
    menu = page.get_by_label("Family", exact=True)
    expect(menu).to_have_value("bspline")
    expect(menu).to_have_accessible_description(re.compile(r"^on \[−[\d.]+, [\d.]+\]$"))
    choose_family(page, title)
    expect(edge(page, "0.1.2", f"learned curve, importance .*, {title}")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile(title))).to_have_count(2)
    expect(page.locator("g.edge text.family")).to_have_text(title[0])
    page.get_by_role("button", name=f"Undo: {title} on edge 0.1.2").click()
    expect(menu).to_have_value("bspline")
    expect(page.locator("g.edge text.family")).to_have_count(0)


@pytest.mark.parametrize(("name", "family"), [("0.1.2", "bspline"), ("1.3.0", "bspline"), ("0.0.1", "chebyshev")])
def test_what_a_curve_is_the_sum_of_adds_up(page: Page, families: dict[str, Family], name: str, family: str) -> None:
    edge(page, name).click()
    if family != "bspline":
        choose_family(page, families[family]["title"])
    page.get_by_role("button", name="Pause", exact=True).click()
    page.get_by_label("Show basis functions").check()
    expect(page.get_by_text(re.compile(r"^φ\(x\) = c₀B₀\(x\) \+ … \+ c\S+B\S+\(x\) \+ w·b\(x\):"))).to_be_visible()
    parts, rings, curve, first = shown_parts(page)
    assert first == "c₀B₀"
    assert len(parts) >= 6
    assert len(rings) == 10
    reach = max(abs(value) for part in parts for value in part)
    assert reach > 0
    for index, shown in enumerate(rings):
        assert shown == pytest.approx(sum(part[index] for part in parts), abs=1e-9 * reach)
        assert shown == pytest.approx(curve[index], abs=1e-5 * reach)


def test_a_formula_has_no_family_and_watchers_choose_none(page: Page, browser: Browser) -> None:
    edge(page, "0.0.0").click()
    expect(page.get_by_label("Family", exact=True)).to_be_enabled()
    watcher = browser.new_context().new_page()
    watcher.goto(page.url.split("#")[0])
    edge(watcher, "0.0.0").click()
    expect(watcher.get_by_label("Family", exact=True)).to_be_disabled()
    watcher.context.close()
    page.get_by_role("button", name="Find a formula").click()
    page.get_by_role("listbox").get_by_role("option").first.click()
    page.get_by_role("button", name="Make it this formula").click()
    expect(page.get_by_label("Family", exact=True)).to_be_disabled()
    expect(page.get_by_label("Family", exact=True)).to_have_accessible_description(
        "A formula has none: release it to a curve first."
    )


def test_fields_follow_another_who_refines_but_for_what_is_being_typed(page: Page, browser: Browser) -> None:
    expect(page.locator("g.edge")).to_have_count(15)
    page.get_by_label("Nodes in hidden layer 1").fill("7")
    other = browser.new_context().new_page()
    other.goto(page.url)
    other.get_by_role("button", name="Refine intervals 5 → 10").click()
    expect(page.get_by_label("Intervals")).to_have_value("10")
    expect(page.get_by_label("Nodes in hidden layer 1")).to_have_value("7")
    other.context.close()
