"""Families of basis functions; adding one is a file here and a line in `BASES`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from kan_core._checks import check_choice
from kan_core.bases.basis import Basis, BasisRows
from kan_core.bases.bspline import BSplineBasis

BASES: Mapping[str, Callable[[int, int], Basis]] = MappingProxyType({"bspline": BSplineBasis})


def make_basis(name: str, *, grid_size: int = 5, order: int = 3) -> Basis:
    """Return the family `name` in the given size; raises SpecError for an unknown name or a size out of bounds."""
    return BASES[check_choice("basis", name, tuple(BASES))](grid_size, order)


__all__ = ["BASES", "BSplineBasis", "Basis", "BasisRows", "make_basis"]
