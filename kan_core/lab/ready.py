"""The specs that come with the package."""

from __future__ import annotations

from importlib import resources

from kan_core._checks import check_choice
from kan_core.lab.reading import parse_spec
from kan_core.lab.spec import LabSpec

READY = ("which-basis", "kan-or-mlp", "how-they-scale")


def ready_text(name: str) -> str:
    """Return the TOML of a ready spec, remarks included; raises SpecError for an unknown name."""
    check_choice("the name of a ready spec", name, READY)
    return resources.files("kan_core.lab").joinpath("specs", f"{name}.toml").read_text(encoding="utf-8")


def ready_spec(name: str) -> LabSpec:
    """Return a ready spec; raises SpecError for an unknown name."""
    return parse_spec(ready_text(name))
