"""Powers with their exponents set high."""

from __future__ import annotations

import pytest

from kan_core.powers import power_html, power_text


@pytest.mark.parametrize(
    ("exponent", "style", "text", "html"),
    [
        (-4.068, ".2f", "G⁻⁴·⁰⁷", "G<sup>−4.07</sup>"),
        (4.0, "g", "G⁴", "G<sup>4</sup>"),
        (-0.25, "g", "G⁻⁰·²⁵", "G<sup>−0.25</sup>"),
    ],
)
def test_exponents_are_set_high(exponent: float, style: str, text: str, html: str) -> None:
    assert power_text("G", exponent, style=style) == text
    assert power_html("G", exponent, style=style) == html


def test_names_are_escaped_in_html_alone() -> None:
    assert power_html("<b>", 2.0, style="g") == "&lt;b&gt;<sup>2</sup>"
    assert power_text("<b>", 2.0, style="g") == "<b>²"
