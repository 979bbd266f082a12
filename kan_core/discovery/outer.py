"""Functions around a whole law, taken off its targets before anything is fitted.

Where y = F(g(x)), a network of g is smaller than one of y, and F⁻¹(y) are samples of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from kan_core.discovery.composition import Sheet, Term
from kan_core.symbolic.library import FUNCTIONS

# targets nearer to 0 than this share of the largest have no use below a fraction or a logarithm
SMALLEST_SHARE = 1e-3
# nor, below an inverse sine, those nearer than this to where it ends
NEAR_END = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Outer:
    """The library function F around a law, `undo` its inverse F⁻¹, and when it `fits` some targets (B, J)."""

    function: str
    undo: Callable[[Tensor], Tensor]
    fits: Callable[[Tensor], bool]

    def sheet(self) -> Sheet:
        """Return the layer that puts F around one node."""
        return Sheet(1, 1, 0, {(0, 0): Term(FUNCTIONS[self.function])})


def _is_positive(targets: Tensor) -> bool:
    return bool((targets > SMALLEST_SHARE * targets.abs().max()).all())


def _keeps_sign(targets: Tensor) -> bool:
    return _is_positive(targets) or _is_positive(-targets)


def _is_angle(targets: Tensor) -> bool:
    return bool((targets.abs() < torch.pi / 2 - NEAR_END).all())


def _is_exponent(targets: Tensor) -> bool:
    return bool((targets.abs() < 20.0).all())


OUTERS = (
    Outer(function="exp", undo=torch.log, fits=_is_positive),
    Outer(function="sqrt", undo=torch.square, fits=lambda targets: bool((targets >= 0.0).all())),
    Outer(function="1/x", undo=torch.reciprocal, fits=_keeps_sign),
    Outer(function="1/sqrt", undo=lambda y: y**-2.0, fits=_is_positive),
    Outer(function="x^2", undo=torch.sqrt, fits=lambda targets: bool((targets >= 0.0).all())),
    Outer(function="arcsin", undo=torch.sin, fits=_is_angle),
    Outer(function="log", undo=torch.exp, fits=_is_exponent),
)
# those worth a larger network below them
USUAL = OUTERS[:3]
