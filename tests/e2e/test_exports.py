"""Taking the law away, and reading how far to trust it, in a real browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from kan_core.network_json import network_from_json
from tests.seen import edges, wait_for_step

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def make_formula(page: Page, name: str) -> None:
    """Turn the edge into the best formula that is found for it."""
    page.get_by_role("button", name=re.compile(rf"^edge {name} ")).click()
    page.get_by_role("button", name="Find a formula").click()
    expect(page.get_by_role("listbox").get_by_role("option").first).to_be_visible()
    page.get_by_role("button", name="Make it this formula").click()


def test_files_of_the_network_are_saved(page: Page) -> None:
    wait_for_step(page, 3)
    page.get_by_role("button", name="Pause").click()
    with page.expect_download() as saved:
        page.get_by_role("button", name="JSON").click()
    assert saved.value.suggested_filename.endswith(".json")
    network, inputs, _ = network_from_json(Path(saved.value.path()).read_text(encoding="utf-8"))
    assert (network.widths, inputs) == ((2, 5, 1), ("x", "y"))
    with page.expect_download() as saved:
        page.get_by_role("button", name="PyTorch file").click()
    assert "class Network(nn.Module):" in Path(saved.value.path()).read_text(encoding="utf-8")
    expect(page.get_by_text(f"Saved {saved.value.suggested_filename}")).to_have_count(1)


def test_a_spreadsheet_has_no_curves_and_says_so(page: Page) -> None:
    wait_for_step(page, 3)
    page.get_by_role("button", name="Excel").click()
    expect(page.get_by_text(re.compile("a spreadsheet's formula has no curves, received 15 of them"))).to_be_visible()


def test_a_formula_comes_with_its_errors_and_ranges_in_either_units(page: Page) -> None:
    wait_for_step(page, 12)
    expect(page.get_by_role("list", name="How far to trust it")).to_have_count(0)
    make_formula(page, "0.0.0")
    expect(edges(page, "formula")).to_have_count(1)
    lines = page.get_by_role("list", name="How far to trust it").get_by_role("listitem")
    expect(lines.first).to_have_text(re.compile("^Error against the network: RMSE .*, at most "))
    expect(lines.nth(1)).to_have_text(re.compile("^Held-out error: RMSE .*; the targets spread by "))
    expect(lines.filter(has_text=re.compile(r"^Fitted for x in \[−"))).to_have_count(1)
    formula = page.get_by_test_id("formula")
    page.get_by_label("Units").select_option("scaled")
    expect(formula).to_have_attribute("aria-label", re.compile("x_scaled = "))
    page.get_by_role("button", name="SymPy").click()
    expect(page.get_by_text("Copied as SymPy")).to_have_count(1)
    assert "x_scaled" in page.evaluate("navigator.clipboard.readText()")
    page.get_by_label("Units").select_option("of the data")
    expect(formula).not_to_have_attribute("aria-label", re.compile("x_scaled"))
