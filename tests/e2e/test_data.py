"""Data of one's own: formulas with their errors, CSV files, the catalogue."""

from __future__ import annotations

import math
import re

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def test_a_typed_formula_is_checked_as_one_types_and_learnt(page: Page) -> None:
    page.get_by_role("tab", name="Formula").click()
    field = page.get_by_label("f =", exact=True)
    field.fill("sin(a) + frobnicate(b)")
    expect(page.get_by_role("alert")).to_contain_text("There is no function 'frobnicate' (position 10)")
    expect(page.get_by_role("button", name="Train on this")).to_be_disabled()
    field.fill("__import__('os')")
    expect(page.get_by_role("alert")).to_contain_text("There is no function '__import__' (position 1)")
    field.fill("sin(2*a) + b*c")
    expect(page.get_by_role("alert")).to_be_hidden()
    page.get_by_role("button", name="Train on this").click()
    expect(page.get_by_text("A fresh network was started: it now learns sin(2*a) + b*c.")).to_be_visible()
    expect(page.locator("svg text.name")).to_have_text(["a", "b", "c", "f"])


def test_a_formula_without_values_on_its_ranges_is_refused_and_nothing_is_lost(page: Page) -> None:
    expect(page.locator("g.edge")).to_have_count(15)
    page.get_by_role("tab", name="Formula").click()
    page.get_by_label("f =", exact=True).fill("log(a)")
    expect(page.locator("i", has_text=re.compile("^a$"))).to_be_visible()
    page.get_by_role("button", name="Train on this").click()
    expect(page.get_by_text(re.compile("The formula has no finite real value at a = "))).to_be_visible()
    expect(page.locator("g.edge")).to_have_count(15)


def test_what_cannot_be_learnt_says_why(page: Page) -> None:
    page.get_by_role("tab", name="Formula").click()
    field = page.get_by_label("f =", exact=True)
    field.fill("2")
    expect(page.get_by_role("alert")).to_have_text("A formula to learn needs at least one variable, such as x.")
    expect(page.get_by_role("button", name="Train on this")).to_be_disabled()
    field.fill("x" + " + x" * 200)
    expect(page.get_by_role("alert")).to_contain_text("expression is a text of at most 500 characters")
    expect(page.get_by_role("button", name="Train on this")).to_be_disabled()
    assert field.evaluate("element => element.getBoundingClientRect().right < 264")


def test_a_csv_file_with_decimal_commas_is_learnt(page: Page) -> None:
    rows = [f"{k / 10};{math.sin(k / 10):.6f};{k % 7}".replace(".", ",") for k in range(60)]
    content = "\n".join(["time;height;day", *rows]).encode()
    page.get_by_role("tab", name="CSV").click()
    page.set_input_files("input[type=file]", {"name": "tide.csv", "mimeType": "text/csv", "buffer": content})
    expect(page.get_by_text("60 rows, 3 columns")).to_be_visible()
    page.get_by_role("combobox", name="Target").select_option("height")
    page.get_by_role("checkbox", name=re.compile("^day")).uncheck()
    page.get_by_role("button", name="Train on this").click()
    expect(page.locator("svg text.name")).to_have_text(["time", "height"])


def test_a_broken_csv_file_is_refused_with_row_and_column(page: Page) -> None:
    content = ("a,b\n" + "\n".join(f"{k},{k}" for k in range(12)) + "\n3,four").encode()
    page.get_by_role("tab", name="CSV").click()
    page.set_input_files("input[type=file]", {"name": "bad.csv", "mimeType": "text/csv", "buffer": content})
    expect(page.get_by_role("alert")).to_contain_text("Row 14, column 'b' holds 'four', which is no finite number")


def test_data_without_a_known_law_are_drawn_over_the_network(page: Page) -> None:
    rows = "\n".join(f"{k / 10},{k % 7},{k % 5},{k % 3}" for k in range(60))
    page.get_by_role("tab", name="CSV").click()
    content = f"a,b,c,d\n{rows}".encode()
    page.set_input_files("input[type=file]", {"name": "some.csv", "mimeType": "text/csv", "buffer": content})
    page.get_by_role("button", name="Train on this").click()
    expect(page.get_by_text("Points are data, coloured by their value on the same scale.")).to_be_visible()
    expect(page.get_by_text("Held at its median: c.")).to_be_visible()


def test_classes_are_told_by_their_probabilities(page: Page) -> None:
    page.get_by_role("combobox", name="Problem").select_option("Two moons")
    expect(page.get_by_text("test RMSE (prob.)")).to_be_visible()
    page.get_by_role("tab", name="Residuals").click()
    page.wait_for_function(
        "() => document.querySelector('.js-plotly-plot')?.data.every(trace => trace.type === 'histogram')"
    )


@pytest.mark.parametrize(
    ("problem", "types"), [("Two moons", "heatmap,contour,scatter,scatter"), ("J₀(20x)", "scatter,scatter,scatter")]
)
def test_a_ready_problem_is_drawn_as_it_is(page: Page, problem: str, types: str) -> None:
    page.get_by_role("combobox", name="Problem").select_option(problem)
    expect(page.get_by_text(re.compile(f"it now learns {re.escape(problem)}"))).to_be_visible()
    page.wait_for_function(
        "types => String(document.querySelector('.js-plotly-plot')?.data.map(trace => trace.type)) === types", arg=types
    )
