"""Families of basis functions; adding one is a file here and a line in `BASES`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from kan_core._checks import check_choice
from kan_core.bases.basis import Basis
from kan_core.bases.bspline import BSplineBasis
from kan_core.bases.chebyshev import ChebyshevBasis
from kan_core.bases.fourier import FourierBasis
from kan_core.bases.gaussian import GaussianBasis
from kan_core.bases.jacobi import JacobiBasis
from kan_core.bases.mexican_hat import MexicanHatBasis
from kan_core.bases.mixed import MixedBasis, parts_of
from kan_core.bases.piecewise_linear import PiecewiseLinearBasis
from kan_core.bases.relu_bumps import ReluBasis

BASES: Mapping[str, Callable[..., Basis]] = MappingProxyType(
    {
        "bspline": BSplineBasis,
        "linear": PiecewiseLinearBasis,
        "chebyshev": ChebyshevBasis,
        "jacobi": JacobiBasis,
        "fourier": FourierBasis,
        "gaussian": GaussianBasis,
        "mexican_hat": MexicanHatBasis,
        "relu": ReluBasis,
    }
)


def make_basis(name: str, **settings: Any) -> Basis:
    """Return the family `name`; what settings there are besides `grid_size` depends on the family.

    Settings that a family does not have are left out, so that one set of them serves all. Raises SpecError for an
    unknown name or a setting out of bounds.
    """
    family = BASES[check_choice("basis", name, tuple(BASES))]
    known = getattr(family, "__dataclass_fields__", {})
    given = {key: tuple(value) if isinstance(value, list) else value for key, value in settings.items() if key in known}
    return family(**given)


def has_order(name: str) -> bool:
    """Return whether the order is a setting of the family `name`."""
    return "order" in getattr(BASES[name], "__dataclass_fields__", {})


def basis_from(settings: Mapping[str, Any]) -> Basis:
    """Return the basis whose `settings()` these are."""
    if settings["name"] == MixedBasis.name:
        return MixedBasis(tuple(basis_from(part) for part in settings["parts"]))
    return make_basis(**settings)


__all__ = [
    "BASES",
    "BSplineBasis",
    "Basis",
    "ChebyshevBasis",
    "FourierBasis",
    "GaussianBasis",
    "JacobiBasis",
    "MexicanHatBasis",
    "MixedBasis",
    "PiecewiseLinearBasis",
    "ReluBasis",
    "basis_from",
    "has_order",
    "make_basis",
    "parts_of",
]
