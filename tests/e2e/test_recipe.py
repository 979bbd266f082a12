"""The optimizer that is a recipe: it says what it does where everyone sees it, and nothing moves while it does."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def choose_recipe(page: Page) -> None:
    """Let the session train by the recipe, as fast as it goes."""
    expect(page.locator("g.edge")).to_have_count(15)
    page.get_by_label("Optimizer").select_option("auto")
    field = page.get_by_label("Steps a second")
    field.fill("")
    field.press("Enter")


def test_the_recipe_tells_what_it_does_until_it_is_done(page: Page) -> None:
    choose_recipe(page)
    bar = page.get_by_test_id("recipe")
    told = bar.get_by_role("status")
    expect(page.get_by_label("Optimizer")).to_have_accessible_description(re.compile("stops by itself"))
    expect(page.get_by_label("Learning rate")).to_have_count(0)
    expect(told).to_have_text(re.compile(r"^Start \d of \d"))
    place, diagram = bar.bounding_box(), page.locator(".card.diagram").bounding_box()
    expect(told).to_have_text(re.compile("^Done: "))
    expect(page.locator("header dt").first).to_have_text("converged")
    assert (bar.bounding_box(), page.locator(".card.diagram").bounding_box()) == (place, diagram)
    expect(page.locator(".notices").get_by_text(re.compile("Start|Refined|Done"))).to_have_count(0)
    size = re.search(r"(\d+) intervals", told.inner_text())
    assert size is not None
    expect(page.get_by_label("Intervals")).to_have_value(size[1])


def test_the_recipe_alone_refines_while_it_is_at_work_and_keeps_what_is_refined_later(page: Page) -> None:
    choose_recipe(page)
    told = page.get_by_test_id("recipe").get_by_role("status")
    refine = page.get_by_role("button", name=re.compile("^Refine intervals"))
    expect(refine).to_be_disabled()
    expect(refine).to_have_accessible_description(re.compile("Auto chooses the grid itself while it is at work"))
    expect(told).to_have_text(re.compile("^Done: "))
    expect(refine).to_be_enabled()
    size = 2 * int(page.get_by_label("Intervals").input_value())
    refine.click()
    expect(told).to_have_text(
        re.compile(f"^The recipe starts again on {size} intervals, the grid chosen by hand. Start")
    )
    expect(told).to_have_text(re.compile(f"^Done: {size} intervals"))
    expect(page.get_by_label("Intervals")).to_have_value(str(size))


def test_an_edit_starts_the_recipe_again_and_the_bar_says_so(page: Page) -> None:
    choose_recipe(page)
    told = page.get_by_test_id("recipe").get_by_role("status")
    page.get_by_role("button", name="Pause", exact=True).click()
    page.get_by_role("button", name=re.compile(r"^edge 0\.0\.0 ")).press("Delete")
    expect(told).to_have_text("The recipe will start again from the edited network.")
    page.get_by_role("button", name="Step").click()
    expect(told).to_have_text(re.compile("^The recipe starts again from the edited network. Start 1 of 1"))


def test_who_comes_later_reads_what_was_said_last(page: Page) -> None:
    choose_recipe(page)
    told = page.get_by_test_id("recipe").get_by_role("status")
    expect(told).to_have_text(re.compile("^Done: "))
    words = told.inner_text()
    page.reload()
    expect(page.get_by_test_id("recipe").get_by_role("status")).to_have_text(words)
    page.get_by_label("Optimizer").select_option("lm")
    expect(page.get_by_test_id("recipe")).to_have_count(0)
