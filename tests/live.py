"""A real server process and a real Chromium, for the browser tests, the benchmarks and the README's screenshots."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import plotly.graph_objects as go
from playwright.sync_api import Browser, sync_playwright

# What every window loads for an address bar that nobody sees, and what Playwright switches off by a list of its own, of
# which Chromium heeds the last alone.
IDLE_FEATURES = [
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
    "AimEnabled",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
    "ThirdPartyStoragePartitioning",
]
# The page must not reach for anything outside this machine, and Chromium itself should not try either.
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    f"--disable-features={','.join(IDLE_FEATURES)}",
]
START_TIMEOUT = 60.0


class LiveServer:
    """A `kanoscope serve` process of its own on a free port, with a data folder that outlives restarts."""

    def __init__(self, data_dir: Path, *, arguments: tuple[str, ...] = ()) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._data_dir = data_dir
        self._arguments = arguments
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id of the running web process."""
        if self._process is None:
            raise RuntimeError("the server is not running: call start() first")
        return self._process.pid

    def start(self) -> None:
        """Start the process and return once it answers its health check; raises RuntimeError with its log if not."""
        # a session left behind soon rests, so that it does not take the machine from the one under test
        environment = os.environ | {"KANOSCOPE_DATA_DIR": str(self._data_dir), "KANOSCOPE_IDLE_PAUSE": "2"}
        command = [sys.executable, "-m", "server.cli", "serve", "--port", str(self.port), "--no-browser"]
        with (self._data_dir / "server.log").open("ab") as log:
            self._process = subprocess.Popen([*command, *self._arguments], env=environment, stdout=log, stderr=log)
        deadline = time.monotonic() + START_TIMEOUT
        while not self._is_healthy():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server did not start:\n{self.log()}")
            time.sleep(0.05)

    def _is_healthy(self) -> bool:
        try:
            return httpx.get(f"{self.url}/api/health", timeout=1).status_code == 200
        except httpx.TransportError:
            return False

    def stop(self, signal_number: int = signal.SIGTERM) -> None:
        """Stop the process, by default politely; stopping twice is harmless."""
        if self._process is None:
            return
        self._process.send_signal(signal_number)
        self._process.wait(timeout=20)
        self._process = None

    def log(self) -> str:
        """Return what the server wrote so far."""
        return (self._data_dir / "server.log").read_text(errors="replace")


def find_chromium() -> str | None:
    """Return the path of an installed Chromium; None lets Playwright use the browser it brought."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    return None


@contextmanager
def open_chromium() -> Generator[Browser]:
    """Yield a headless Chromium and close it afterwards."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


def save_figure(figure: go.Figure, path: Path, *, width: int = 900, height: int = 480) -> None:
    """Write a Plotly figure as a PNG picture, drawn by a real Chromium."""
    figure.update_layout(width=width, height=height)
    with open_chromium() as browser:
        page = browser.new_page(viewport={"width": width, "height": height}, device_scale_factor=2)
        page.set_content(figure.to_html(include_plotlyjs=True, config={"staticPlot": True}))
        page.wait_for_selector(".js-plotly-plot .main-svg")
        page.locator(".js-plotly-plot").screenshot(path=path)
