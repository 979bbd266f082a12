"""What the page shows: where browser tests and the README's screenshots find it, and how they wait for it."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page


def edges(page: Page, kind: str) -> Locator:
    """Return the diagram's edges of one kind, by their accessible names."""
    return page.get_by_role("button", name=re.compile(rf"^edge \d+\.\d+\.\d+ {kind}"))


def wait_for_step(page: Page, step: int) -> None:
    """Wait until the session has done at least `step` steps."""
    page.wait_for_function(
        "step => Number(document.querySelector('header dd')?.textContent.split(' ').at(-1)) >= step", arg=step
    )


def wait_for_rmse(page: Page, bound: float) -> None:
    """Wait until the test error on screen is under `bound`."""
    page.wait_for_function(
        "bound => Number(document.querySelector('[data-testid=test-rmse]')?.textContent ?? NaN) < bound", arg=bound
    )
