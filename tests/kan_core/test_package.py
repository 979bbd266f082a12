"""Names load when they are used, and only then."""

from __future__ import annotations

import subprocess
import sys

import pytest

import kan_core
import kan_core.figures
import kan_core.lab


def test_every_name_of_the_package_can_be_used() -> None:
    assert all(getattr(kan_core, name).__name__ == name for name in kan_core.__all__)


def test_the_package_lists_its_names() -> None:
    assert dir(kan_core) == sorted(kan_core.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'kan_core' has no attribute 'nothing'"):
        _ = kan_core.nothing  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(AttributeError, match=r"module 'kan_core\.lab' has no attribute 'nothing'"):
        _ = kan_core.lab.nothing  # pyright: ignore[reportAttributeAccessIssue]


def test_the_lab_has_its_figures_and_reports() -> None:
    assert all(getattr(kan_core.lab, name) is not None for name in kan_core.lab.__all__)
    assert kan_core.lab.race_figures is kan_core.figures.race_figures


@pytest.mark.slow
def test_the_lab_trains_without_plotly() -> None:
    code = "import sys, kan_core.lab; assert 'plotly' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.slow
def test_formulas_and_tables_are_read_without_torch() -> None:
    code = "import sys, kan_core.expressions, kan_core.mathml, kan_core.tables; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
