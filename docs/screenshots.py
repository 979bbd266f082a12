"""Takes the README's pictures from a real server in a real Chromium.

    python -m docs.screenshots

It plays the tour of the README on a fresh session and writes docs/images/*.png; run it after a change of the page.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import replace
from pathlib import Path

import httpx
import torch
from playwright.sync_api import Browser, Page, expect

from kan_core import KAN, Trainer, TrainingSpec, network_figure
from kan_core.lab import ready_spec
from kan_core.problems import CATALOGUE
from tests.live import LiveServer, open_chromium
from tests.seen import edges, wait_for_rmse

IMAGES = Path(__file__).parent / "images"
LAPTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
PATIENCE = 60_000


def tour(page: Page) -> None:
    """Play the tour, from the first curves to the law."""
    page.wait_for_selector("g.edge path.curve[d^=M]", state="attached")
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    wait_for_rmse(page, 0.2)
    page.screenshot(path=IMAGES / "learning.png")
    wait_for_rmse(page, 0.05)
    page.get_by_role("button", name="Cut weak edges…").click()
    expect(page.get_by_text(re.compile("12 edges would go.*test RMSE"))).to_be_visible()
    page.screenshot(path=IMAGES / "weak-edges.png")
    page.get_by_role("button", name="Cut weak edges", exact=True).click()
    for shown in ("formula", None, None):
        # while the network settles after a cut or a formula, its curves are on their way
        wait_for_rmse(page, 0.01)
        left = edges(page, "learned").count()
        edges(page, "learned").first.click()
        page.get_by_role("button", name="Find a formula").click()
        expect(page.get_by_role("listbox").get_by_role("option").first).to_be_visible()
        expect(page.locator("aside .js-plotly-plot").first).to_be_visible()
        if shown is not None:
            page.wait_for_timeout(500)
            page.screenshot(path=IMAGES / f"{shown}.png")
        page.get_by_role("button", name="Make it this formula").click()
        expect(edges(page, "learned")).to_have_count(left - 1)
    wait_for_rmse(page, 1e-9)
    expect(page.get_by_test_id("formula")).to_have_attribute("aria-label", "f = exp(y^2 + sin(π·x))")
    page.get_by_role("tab", name="Loss").click()
    page.wait_for_timeout(7000)
    page.screenshot(path=IMAGES / "law.png")


def lanes(browser: Browser, server: LiveServer) -> None:
    """Picture a KAN and an MLP that learn side by side."""
    networks = [
        {"widths": [2, 5, 1]},
        {"model": "mlp", "widths": [2, 6, 6, 1], "activation": ["tanh", "silu"]},
    ]
    training = {"optimizer": "lm", "l1": 0, "entropy": 0, "steps_per_second": 6}
    sessions = [
        httpx.post(f"{server.url}/api/sessions", json={"network": network, "training": training}, timeout=60).json()
        for network in networks
    ]
    page = browser.new_context(viewport=LAPTOP).new_page()
    ids, keys = ("+".join(one[name] for one in sessions) for name in ("session_id", "edit_key"))
    page.goto(f"{server.url}/s/{ids}#edit={keys}")
    page.wait_for_selector("g.edge path.curve[d^=M]", state="attached")
    page.wait_for_timeout(8000)
    page.screenshot(path=IMAGES / "lanes.png")
    page.context.close()


def lab(browser: Browser, server: LiveServer) -> None:
    """Picture a sweep of the lab at its end."""
    spec = ready_spec("how-they-scale")
    one = replace(spec, problems=(spec.problem("exp_sin"),))
    run = httpx.post(f"{server.url}/api/lab/runs", json={"toml": one.to_toml()}, timeout=60).json()
    page = browser.new_context(viewport=LAPTOP).new_page()
    page.goto(f"{server.url}/lab/{run['run_id']}#edit={run['edit_key']}")
    expect(page.get_by_text("All 18 points are done.")).to_be_visible(timeout=5 * PATIENCE)
    # the law of all sizes
    expect(page.get_by_text(re.compile("The error falls as G.* to 100")).first).to_be_visible()
    page.screenshot(path=IMAGES / "lab.png")
    page.context.close()


def phone(browser: Browser, server: LiveServer) -> None:
    """Picture the page on a phone."""
    page = browser.new_context(viewport=PHONE, is_mobile=True, has_touch=True, device_scale_factor=2).new_page()
    page.goto(server.url)
    page.wait_for_selector("g.edge path.curve[d^=M]", state="attached")
    wait_for_rmse(page, 0.1)
    page.screenshot(path=IMAGES / "phone.png")
    page.context.close()


def notebook(browser: Browser) -> None:
    """Picture the figure of the README's Python example."""
    data = CATALOGUE["exp_sin"].sample(seed=0)
    network = KAN(generator=torch.Generator().manual_seed(0))
    trainer = Trainer(network, data, TrainingSpec(optimizer="lm", l1=0.006, entropy=0.03))
    for _ in range(40):
        trainer.step()
    figure = network_figure(
        trainer.network, data.train_inputs, input_names=data.input_names, output_names=data.output_names
    )
    page = browser.new_page(viewport={"width": 1000, "height": 460})
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "figure.html")
        figure.write_html(file)
        page.goto(file.as_uri())
        page.wait_for_selector(".js-plotly-plot .scatterlayer")
        page.screenshot(path=IMAGES / "notebook.png")
    page.close()


def main() -> None:
    """Write all pictures."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, open_chromium() as browser:
        server = LiveServer(Path(folder))
        server.start()
        page = browser.new_context(viewport=LAPTOP).new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(server.url)
        tour(page)
        page.context.close()
        phone(browser, server)
        lanes(browser, server)
        lab(browser, server)
        server.stop()
        notebook(browser)


if __name__ == "__main__":
    expect.set_options(timeout=PATIENCE)
    main()
