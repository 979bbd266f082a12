"""The lab: a race is built, watched to its end, opened point by point, and carried away as a report."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.live import LiveServer
from tests.seen import edges, wait_for_step
from tests.server.lab.examples import FAILING

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(240)]

ENOUGH = 120_000
STARTED = re.compile(r"/lab/[\w-]+#edit=")
SMALL = """
title = "A small race"
problems = ["product"]
seeds = [0, 1]
num_train = 100
num_test = 100
[budget]
steps = {steps}
[[contestants]]
name = "B-splines"
hidden = [2]
[[contestants]]
name = "MLP tanh"
model = "mlp"
activation = "tanh"
hidden = [5]
"""


def open_lab(context: BrowserContext, server: LiveServer) -> Page:
    """Return the page on which runs are set up, with its menus filled."""
    page = context.new_page()
    page.goto(f"{server.url}/lab")
    expect(page.get_by_role("button", name="x·y")).to_be_visible(timeout=ENOUGH)
    return page


def write_spec(page: Page, toml: str) -> None:
    """Write a spec into its field."""
    page.get_by_label("Spec in TOML").fill(toml)


def start(page: Page) -> None:
    """Start what is set up, once the server has found it right."""
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_url(STARTED)


def state_of(page: Page) -> str:
    """Return the word for the state of the run that is shown."""
    return page.get_by_role("main").locator(".state").inner_text()


def wait_for_state(page: Page, word: str) -> None:
    """Wait until the run that is shown is running, paused, done or cancelled."""
    expect(page.get_by_role("main").locator(".state")).to_have_text(word, timeout=ENOUGH)


def test_a_race_is_built_watched_and_opened_without_the_server(
    context: BrowserContext, own_server: LiveServer, tmp_path: Path
) -> None:
    page = context.new_page()
    page.goto(own_server.url)
    wait_for_step(page, 1)
    page.get_by_role("link", name="Lab").click()
    page.get_by_label("Title").fill("A race of three")
    page.get_by_role("button", name="x·y").click()
    page.get_by_role("button", name="exp(sin(πx) + y²)").click()
    page.get_by_role("button", name="Remove Chebyshev polynomials").click()
    page.get_by_role("button", name="Add an MLP").click()
    expect(page.get_by_label("σ of MLP ReLU")).to_have_value("relu")
    for label, typed in (("Steps", "20"), ("To train on", "200"), ("To test on", "100"), ("Seeds", "0, 1")):
        field = page.get_by_role("textbox", name=label, exact=True)
        field.fill(typed)
        field.press("Tab")
    spec = page.get_by_label("Spec in TOML")
    expect(spec).to_have_value(re.compile(r'problems = \["product"\]\nseeds = \[0, 1\]'))
    expect(spec).to_have_value(re.compile(r'name = "MLP ReLU"\nmodel = "mlp"'))
    expect(page.locator("#spec-verdict")).to_contain_text("6 points")
    start(page)

    expect(page.get_by_role("heading", name="A race of three")).to_be_visible()
    expect(page.get_by_role("img", name=re.compile(r"^MLP ReLU: test RMSE \d"))).to_be_visible(timeout=ENOUGH)
    expect(page.get_by_role("img", name="Test RMSE of every training on x·y").locator("path")).not_to_have_count(0)
    wait_for_state(page, "done")
    expect(page.get_by_text("6 of 6 points")).to_be_visible()
    rows = page.get_by_role("table").get_by_role("row")
    expect(rows).to_have_count(4)
    expect(rows.filter(has_text="best")).to_have_count(1)
    charts = page.get_by_role("tabpanel")
    expect(charts.locator(".scatterlayer .trace").first).to_be_attached()
    page.get_by_role("tab", name="Error by seconds").click()
    expect(page.get_by_role("img", name="Error by seconds").locator(".scatterlayer .trace").first).to_be_attached()

    with context.expect_page() as opened:
        page.get_by_role("button", name="Open B-splines, seed 1 as a live session").click()
    session = opened.value
    wait_for_step(session, 1)
    expect(edges(session, "learned").first).to_be_visible()
    session.close()

    page.get_by_role("button", name="Export and more").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Report").click()
    report = tmp_path / download.value.suggested_filename
    download.value.save_as(report)
    address = page.url
    page.get_by_role("link", name="Live session").click()
    wait_for_step(page, 1)
    page.goto(address)
    wait_for_state(page, "done")
    own_server.stop()

    alone = context.new_page()
    asked: list[str] = []
    alone.on("request", lambda request: asked.append(request.url))
    alone.goto(report.as_uri())
    expect(alone.get_by_role("heading", name="A race of three")).to_be_visible()
    expect(alone.locator(".js-plotly-plot .scatterlayer .trace").first).to_be_attached()
    expect(alone.get_by_role("table").first).to_contain_text("MLP ReLU")
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []


def test_a_run_is_paused_resumed_and_cancelled_by_its_owner_alone(
    context: BrowserContext, live_server: LiveServer
) -> None:
    page = open_lab(context, live_server)
    write_spec(page, SMALL.format(steps=100_000))
    expect(page.get_by_label("Name of contestant 2")).to_have_value("MLP tanh")
    start(page)
    wait_for_state(page, "running")
    guest = context.browser
    assert guest is not None
    stranger = guest.new_context().new_page()
    stranger.goto(page.url.split("#")[0])
    expect(stranger.get_by_role("button", name="Pause")).to_be_disabled()
    page.get_by_role("button", name="Pause").click()
    wait_for_state(page, "paused")
    wait_for_state(stranger, "paused")
    page.get_by_role("button", name="Resume").click()
    wait_for_state(page, "running")
    expect(page.get_by_role("img", name=re.compile(r"^B-splines: test RMSE \d"))).to_be_visible(timeout=ENOUGH)
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("button", name="Let it run").click()
    assert state_of(page) == "running"
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("button", name="Cancel it").click()
    wait_for_state(page, "cancelled")
    expect(page.get_by_role("button", name="Pause")).to_have_count(0)
    stranger.context.close()

    # it is found again among the runs, with the right to delete it, and its spec starts another
    page.get_by_role("button", name="Export and more").click()
    page.get_by_role("link", name="New run from this spec").click()
    expect(page.get_by_label("Spec in TOML")).to_have_value(re.compile("steps = 100000"))
    page.get_by_role("link", name="A small race").first.click()
    page.get_by_role("button", name="Export and more").click()
    page.get_by_role("button", name="Delete this run").click()
    page.get_by_role("button", name="Delete for good?").click()
    page.wait_for_url(re.compile(r"/lab$"))
    expect(page.get_by_role("link", name="A small race")).to_have_count(0)


def test_a_wrong_spec_is_told_in_a_sentence_and_nothing_of_it_is_lost(
    context: BrowserContext, live_server: LiveServer
) -> None:
    page = open_lab(context, live_server)
    wrong = SMALL.format(steps=10).replace("num_train", "num_trian")
    write_spec(page, wrong)
    verdict = page.locator("#spec-verdict")
    expect(verdict).to_contain_text("num_trian")
    expect(verdict).to_contain_text("num_train")
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_disabled()
    expect(page.get_by_label("Title")).to_be_disabled()
    expect(page.get_by_label("Spec in TOML")).to_have_value(wrong)
    write_spec(page, SMALL.format(steps=10))
    expect(page.get_by_label("Title")).to_have_value("A small race")
    expect(page.get_by_label("Title")).to_be_enabled()
    # numbers that are none are told at their field, and the spec stays as it was and is not started
    seeds = page.get_by_role("textbox", name="Seeds", exact=True)
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_enabled()
    seeds.fill("a few")
    expect(page.get_by_text("Whole numbers with commas between them")).to_be_visible()
    expect(page.get_by_label("Spec in TOML")).to_have_value(re.compile(r"seeds = \[0, 1\]"))
    expect(verdict).to_have_text("What stands in the field Seeds is not taken: put it right to start.")
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_disabled()
    seeds.fill("0, 1")
    expect(verdict).to_contain_text("4 points")
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_enabled()
    # the address of no run
    page.goto(f"{live_server.url}/lab/nothing")
    expect(page.get_by_role("heading", name="This run is not here")).to_be_visible()


def test_what_failed_is_seen_whatever_problem_is_looked_into(context: BrowserContext, live_server: LiveServer) -> None:
    page = open_lab(context, live_server)
    write_spec(page, FAILING)
    start(page)
    wait_for_state(page, "done")
    reason = page.get_by_text("B-spline, seed 0: The formula has no finite real value")
    expect(reason).to_be_visible()
    page.get_by_role("button", name="Look into good").click()
    expect(reason).to_have_count(0)
    expect(page.locator(".card", has=page.get_by_role("button", name="Look into bad"))).to_contain_text("2 failed")
    expect(page.locator(".card", has=page.get_by_role("button", name="Look into good"))).not_to_contain_text("failed")


def test_runs_are_set_side_by_side(context: BrowserContext, own_server: LiveServer) -> None:
    page = open_lab(context, own_server)
    for num_train in (100, 120):
        page.goto(f"{own_server.url}/lab")
        write_spec(page, SMALL.format(steps=5).replace("num_train = 100", f"num_train = {num_train}"))
        start(page)
        wait_for_state(page, "done")
    page.get_by_label("Another run to compare with").select_option(index=1)
    expect(page.get_by_text("Their specs differ in 1 thing.")).to_be_visible()
    expect(page.get_by_text("num_train is 120 in the first and 100 in the second.")).to_be_visible()
    expect(page.get_by_text("Both were computed by the same versions")).to_be_visible()
    rows = page.get_by_role("table", name="Compare with…").get_by_role("row")
    expect(rows).to_have_count(3)
    expect(rows.nth(1)).to_contain_text(re.compile(r"x·y\s*B-splines\s*\d"))


def test_what_takes_hours_is_started_after_a_question_alone(context: BrowserContext, live_server: LiveServer) -> None:
    page = open_lab(context, live_server)
    write_spec(page, SMALL.format(steps=5).replace("steps = 5", "seconds = 3600"))
    button = page.get_by_role("button", name="Start", exact=True)
    button.click()
    expect(
        page.get_by_text(re.compile(r"^This takes about \d+ (hours|minutes) on \d+ processes\. Start it\?$"))
    ).to_be_visible()
    page.get_by_role("button", name="Not now").click()
    assert page.url.endswith("/lab")
    button.click()
    page.get_by_role("button", name="Start it").click()
    page.wait_for_url(STARTED)
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("button", name="Cancel it").click()
    wait_for_state(page, "cancelled")


@pytest.mark.parametrize("size", [(1440, 900), (1024, 768), (390, 844)])
def test_the_lab_fits_every_screen_and_needs_no_mouse(
    context: BrowserContext, live_server: LiveServer, size: tuple[int, int]
) -> None:
    page = open_lab(context, live_server)
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.emulate_media(color_scheme="dark" if size[0] == 1024 else "light")
    page.get_by_role("button", name="A scaling sweep").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("What grows")).to_have_value("grid_size")
    small = SMALL.format(steps=5).replace("num_train = 100\n", "")
    write_spec(page, small + '[sweep]\nvariable = "samples"\nvalues = [20, 30, 40]\n')
    expect(page.get_by_label("What grows")).to_have_value("samples")
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    button = page.get_by_role("button", name="Start", exact=True)
    expect(button).to_be_enabled()
    button.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(STARTED)
    wait_for_state(page, "done")
    expect(page.get_by_role("img", name="x·y: test RMSE over what grows").locator(".mark")).to_have_count(6)
    expect(page.get_by_role("row").filter(has_text="MLP tanh")).to_have_count(3)
    # one at each size
    expect(page.get_by_role("row").filter(has_text="best")).to_have_count(3)
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
