"""From a training step to pixels: frames a second and latency of the page at 15, 50 and 200 edges.

    python -m benchmarks.page

A real server, a real worker and a headless Chromium with software rendering. A frame counts when the page acknowledges
it, which it does once the browser has had its turn to paint; its latency runs from the sampling of the curves in the
worker to that moment, on one clock.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import httpx
import typer
from playwright.sync_api import Browser

from benchmarks.interleave import show_table
from tests.live import LiveServer, open_chromium

SHAPES = ((15, "exp_sin", (2, 5, 1)), (50, "nested_4", (4, 10, 1)), (201, "nested_4", (4, 12, 10, 3, 1)))
WARM_UP_MS = 3000

# notes when each frame was sampled as it arrives, and when the page acknowledges it
PROBE = """
window.latencies = [];
const sampled = new Map();
const Native = WebSocket;
window.WebSocket = class extends Native {
  constructor(...given) {
    super(...given);
    this.addEventListener('message', (message) => {
      if (!(message.data instanceof ArrayBuffer)) return;
      const head = new DataView(message.data);
      sampled.set(head.getUint32(12, true), head.getUint32(56, true));
    });
  }
  send(text) {
    super.send(text);
    const command = JSON.parse(text);
    if (command.type === 'ack') {
      const now = Date.now() % 2 ** 32;
      window.latencies.push(now - sampled.get(command.seq));
    }
  }
};
"""


def measure(browser: Browser, server: LiveServer, problem: str, widths: Sequence[int], seconds: float) -> list[float]:
    """Return the latencies in ms of all frames that were painted in the given time."""
    request = {
        "data": {"kind": "catalogue", "name": problem},
        "network": {"widths": list(widths)},
        "training": {"optimizer": "adam", "l1": 0, "entropy": 0, "steps_per_second": None},
    }
    created = httpx.post(f"{server.url}/api/sessions", json=request, timeout=60).raise_for_status().json()
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.add_init_script(PROBE)
    page.goto(f"{server.url}/s/{created['session_id']}#edit={created['edit_key']}")
    page.wait_for_selector("g.edge path.curve[d^=M]", state="attached")
    page.wait_for_timeout(WARM_UP_MS)
    page.evaluate("window.latencies.length = 0")
    page.wait_for_timeout(1000 * seconds)
    latencies: list[float] = page.evaluate("window.latencies")
    page.context.close()
    httpx.delete(f"{server.url}/api/sessions/{created['session_id']}", params={"key": created["edit_key"]})
    return latencies


def main(seconds: Annotated[float, typer.Option(help="How long each size is watched.")] = 10.0) -> None:
    """Measure and print the table."""
    rows: list[list[str]] = []
    with tempfile.TemporaryDirectory() as folder, open_chromium() as browser:
        server = LiveServer(Path(folder))
        server.start()
        for num_edges, problem, widths in SHAPES:
            latencies = measure(browser, server, problem, widths, seconds)
            high = statistics.quantiles(latencies, n=20)[-1]
            rows.append(
                [
                    str(num_edges),
                    "-".join(map(str, widths)),
                    f"{len(latencies) / seconds:.1f}",
                    f"{statistics.median(latencies):.0f}",
                    f"{high:.0f}",
                ]
            )
        server.stop()
    show_table(
        "From sampled curves to painted ones (at most 30 frames a second are sent)",
        ["edges", "widths", "frames/s", "median ms", "95 % within ms"],
        rows,
    )


if __name__ == "__main__":
    typer.run(main)
