"""What the page shows: where browser tests and the README's screenshots find it, and how they wait for it."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page

# a number as the page writes it, with a power of ten where it is large or small
NUMBER = "−?(?:[0-9.]+·10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+|10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+|[0-9.]+)"


def read_number(text: str) -> float:
    """Return the number that the page wrote."""
    plain = re.sub("(?:^|·)10(?=[⁻⁰¹²³⁴⁵⁶⁷⁸⁹])", "e", re.sub("^−10(?=[⁻⁰¹²³⁴⁵⁶⁷⁸⁹])", "−1·10", text))
    plain = plain.translate(str.maketrans("−⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "--0123456789"))
    return float(f"1{plain}" if plain.startswith("e") else plain)


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
