"""Networks that learn side by side: added, run by one set of controls, looked back at, opened alone."""

from __future__ import annotations

import re
from typing import Any

import httpx
import numpy as np
import onnxruntime
import pytest
import torch
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.live import LiveServer
from tests.seen import edges, wait_for_step

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

MLP = {"model": "mlp", "widths": [2, 4, 3, 1], "activation": ["tanh", "relu"]}
PLAIN = {"optimizer": "lm", "l1": 0, "entropy": 0, "steps_per_second": 8}


def create(server: LiveServer, **request: Any) -> tuple[str, str]:
    """Return id and edit key of a new session."""
    created = httpx.post(f"{server.url}/api/sessions", json=request, timeout=60).json()
    return created["session_id"], created["edit_key"]


def open_lanes(context: BrowserContext, server: LiveServer, *networks: object, keys: bool = True) -> Page:
    """Return a page of these networks side by side."""
    sessions = [create(server, network=network, training=PLAIN, paused=True) for network in networks]
    page = context.new_page()
    hash_part = f"#edit={'+'.join(key for _, key in sessions)}" if keys else ""
    page.goto(f"{server.url}/s/{'+'.join(name for name, _ in sessions)}{hash_part}")
    return page


def lane(page: Page, number: int) -> Locator:
    """Return one of the lanes."""
    return page.get_by_role("region", name=re.compile(f"^Lane {number}:"))


def steps(page: Page) -> list[int]:
    """Return the step that each lane shows."""
    return [int(text.split()[-1]) for text in page.get_by_test_id("lane-step").all_inner_texts()]


def wait_for_lanes(page: Page, step: int) -> None:
    """Wait until every lane has done so many steps."""
    page.wait_for_function(
        "step => [...document.querySelectorAll('[data-testid=lane-step]')]"
        ".every(one => Number(one.textContent.split(' ').at(-1)) >= step)",
        arg=step,
    )


def save(page: Page, button: str) -> bytes:
    """Return the file that a button saves."""
    with page.expect_download() as started:
        page.get_by_role("button", name=button, exact=True).click()
    return started.value.path().read_bytes()


def test_a_perceptron_is_added_beside_a_kan_followed_looked_back_at_and_removed(page: Page) -> None:
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    wait_for_step(page, 2)
    alone = page.url
    page.get_by_role("button", name="Add a lane").click()
    dialog = page.get_by_role("dialog", name="Add a lane")
    # as many parameters as the KAN has, as near as equal layers come to it
    expect(dialog.get_by_label("Units in hidden layer 2")).to_have_value("9")
    expect(dialog.get_by_text("127 parameters")).to_be_visible()
    dialog.get_by_label("Units in hidden layer 1").fill("65")
    expect(dialog.get_by_role("alert")).to_have_text("A hidden layer has 1 to 64 units.")
    expect(dialog.get_by_role("button", name="Add it")).to_be_disabled()
    dialog.get_by_label("Units in hidden layer 1").fill("5")
    dialog.get_by_label("σ of hidden layer 2").select_option("tanh")
    dialog.get_by_label("Optimizer").select_option("lbfgs")
    dialog.get_by_role("button", name="Add it").click()

    expect(lane(page, 1)).to_contain_text("KAN 2–5–1, B-splines")
    expect(lane(page, 2)).to_contain_text("MLP 2–5–9–1, SiLU, tanh")
    expect(lane(page, 2)).to_contain_text("L-BFGS")
    # 15 + 54 + 10 weights and biases
    expect(lane(page, 2).locator("dd").nth(1)).to_have_text("79")
    expect(lane(page, 1).get_by_role("button", name=re.compile(r"^edge .* learned"))).to_have_count(15)
    expect(lane(page, 2).get_by_role("button", name=re.compile(r"^edge 0\.1\.4 weight −?\d"))).to_have_count(1)
    expect(lane(page, 2).get_by_role("button", name=re.compile(r"^edge .* weight"))).to_have_count(64)
    expect(page.get_by_text("Some KANs here carry the sparsity penalty")).to_be_visible()
    page.get_by_role("button", name="Train without it").click()
    expect(page.get_by_text("Some KANs here carry the sparsity penalty")).to_have_count(0)
    assert re.search(r"/s/[\w-]+\+[\w-]+#edit=[\w-]+\+[\w-]+$", page.url)

    wait_for_lanes(page, 8)
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Run")).to_be_visible()
    page.wait_for_function(
        "() => new Set([...document.querySelectorAll('[data-testid=lane-step], [data-testid=scrubbed]')]"
        ".map(one => one.textContent.split(' ').at(-1))).size === 1"
    )
    now, errors = steps(page)[0], page.get_by_test_id("lane-test").all_inner_texts()
    before = lane(page, 2).locator("path.curve").first.get_attribute("d")
    page.get_by_role("slider", name="Step looked at").fill("2")
    expect(page.get_by_test_id("scrubbed")).to_have_text("step 2")
    assert max(steps(page)) <= 2
    # what is shown is all of one moment
    expect(page.get_by_role("img", name="What all lanes predict")).to_have_count(0)
    expect(page.get_by_text("Predictions of earlier steps are not kept")).to_be_visible()
    expect(page.get_by_test_id("lane-test").first).not_to_have_text(errors[0])
    assert lane(page, 2).locator("path.curve").first.get_attribute("d") != before
    page.get_by_role("button", name="Live", exact=True).click()
    assert steps(page) == [now, now]
    expect(page.get_by_role("img", name="What all lanes predict")).to_be_visible()
    assert page.get_by_test_id("lane-test").all_inner_texts() == errors
    page.get_by_role("button", name="processor time").click()
    expect(page.get_by_text("processor seconds of training")).to_be_visible()

    expect(page.get_by_role("list", name="Colours of the lanes").get_by_role("listitem")).to_have_text(
        ["1 KAN 2–5–1, B-splines", "2 MLP 2–5–9–1, SiLU, tanh"]
    )
    predicted = page.get_by_role("img", name="What all lanes predict")
    # one line for each lane and one for the truth
    expect(predicted.locator("path.js-line")).to_have_count(3)
    # charts find room for their labels, however wide they are
    for width in (820, 1024, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        expect(page.get_by_role("img", name="Error of all lanes").locator(".main-svg").first).to_be_visible()
    assert [text for text in told if "auto-margin" in text] == []

    # whoever loads the address sees the same lanes
    page.reload()
    expect(page.get_by_test_id("lane-step")).to_have_text([f"step {now}", f"step {now}"])
    page.get_by_role("button", name="Reset").click()
    expect(page.get_by_test_id("lane-step")).to_have_text(["step 0", "step 0"])
    page.get_by_role("button", name="Step", exact=True).click()
    expect(page.get_by_test_id("lane-step")).to_have_text(["step 1", "step 1"])
    page.get_by_role("button", name="Remove lane 2").click()
    expect(page.get_by_role("button", name="Cut weak edges…")).to_be_visible()
    assert page.url == alone
    page.go_back()
    expect(lane(page, 2)).to_contain_text("MLP 2–5–9–1")


def test_a_perceptron_alone_has_the_tools_that_suit_it(context: BrowserContext, live_server: LiveServer) -> None:
    page = open_lanes(context, live_server, {"widths": [2, 2, 1]}, MLP)
    lane(page, 2).get_by_role("link", name="Open alone").click()
    expect(edges(page, "weight")).to_have_count(2 * 4 + 4 * 3 + 3)
    for name in ("Cut weak edges…", "Snap constants", "Simplify", "Matrix"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)
    expect(page.get_by_label("Optimizer").get_by_role("option")).to_have_text(["Levenberg–Marquardt", "L-BFGS", "Adam"])
    expect(page.get_by_label("Sparsity (L1)")).to_have_count(0)
    expect(page.get_by_test_id("formula")).to_have_attribute("aria-label", "f = (W₂ ∘ ReLU ∘ W₁ ∘ tanh ∘ W₀)(x)")
    inputs = torch.tensor([[0.5, -0.25]], dtype=torch.float64)
    written = {button: save(page, button) for button in ("PyTorch file", "ONNX")}
    module: dict[str, Any] = {}
    exec(written["PyTorch file"], module)
    runtime = onnxruntime.InferenceSession(written["ONNX"], providers=["CPUExecutionProvider"])
    outputs = np.asarray(runtime.run(None, {"inputs": inputs.numpy()})[0])
    np.testing.assert_allclose(outputs, module["network"](inputs).detach().numpy(), rtol=1e-10)
    for name in ("NumPy", "Excel", "JSON", "Find a formula"):
        expect(page.get_by_role("button", name=name, exact=True)).to_have_count(0)
    page.get_by_role("tab", name="Law").click()
    expect(page.get_by_role("button", name="Discover", exact=True)).to_be_enabled()
    expect(page.get_by_role("button", name="Explain this network")).to_have_count(0)

    page.get_by_role("button", name="Run").click()
    wait_for_step(page, 5)
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name=re.compile(r"^edge 0\.0\.0 weight")).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    inspector = page.get_by_role("region", name=re.compile("^Edge 0"))
    expect(inspector).to_be_focused()
    chosen = page.locator("path.edge.selected").get_attribute("aria-label") or ""
    expect(inspector).to_contain_text(f"w = {chosen.split()[-1]}")

    page.get_by_role("button", name="Remove the last layer").click()
    page.get_by_label("Units in hidden layer 1").fill("6")
    page.get_by_label("tanh at the end").check()
    page.get_by_role("button", name="Start a fresh network").click()
    expect(edges(page, "weight")).to_have_count(2 * 6 + 6)
    expect(page.get_by_test_id("formula")).to_have_attribute("aria-label", "f = (tanh ∘ W₁ ∘ tanh ∘ W₀)(x)")


def test_whoever_watches_lanes_changes_nothing(context: BrowserContext, live_server: LiveServer) -> None:
    page = open_lanes(context, live_server, {"widths": [2, 1]}, MLP, keys=False)
    expect(lane(page, 2)).to_contain_text("MLP 2–4–3–1")
    for name in ("Run", "Step", "Reset", "Add a lane"):
        expect(page.get_by_role("button", name=name, exact=True)).to_be_disabled()
    lane(page, 1).get_by_role("link", name="Open alone").click()
    expect(edges(page, "learned")).to_have_count(2)
    expect(page.get_by_role("button", name="Add a lane")).to_be_disabled()


def test_lanes_of_different_data_say_so(context: BrowserContext, live_server: LiveServer) -> None:
    one, other = create(live_server, paused=True, seed=1)[0], create(live_server, paused=True, seed=2)[0]
    page = context.new_page()
    page.goto(f"{live_server.url}/s/{one}+{other}")
    expect(page.get_by_text("These lanes learn different samples")).to_be_visible()
    page.goto(f"{live_server.url}/s/{one}+gone-for-good")
    expect(lane(page, 2)).to_contain_text("This session is not here any more.")


@pytest.mark.parametrize("size", [(1440, 900), (1024, 768), (390, 844)])
def test_four_lanes_fit_every_screen(context: BrowserContext, live_server: LiveServer, size: tuple[int, int]) -> None:
    wide = {"model": "mlp", "widths": [2, 24, 24, 1], "activation": "gelu"}
    page = open_lanes(context, live_server, {"widths": [2, 5, 1]}, MLP, {"widths": [2, 3, 1], "basis": "fourier"}, wide)
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.get_by_role("button", name="Step", exact=True).click()
    wait_for_lanes(page, 1)
    expect(page.get_by_role("button", name="Add a lane")).to_be_disabled()
    for number in (1, 2, 3, 4):
        box = lane(page, number).bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= size[0]
        assert box["height"] >= 300
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
