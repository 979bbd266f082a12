"""Several families side by side, for sources whose edges do not all use the same one.

Shape legend: P points, K basis functions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from kan_core.bases.basis import Basis, FloatArray, Setting
from kan_core.bases.graph import GraphArray


@dataclass(frozen=True, slots=True)
class MixedBasis(Basis):
    """The functions of all `parts`, one part after the other; an edge uses those of one part only."""

    parts: tuple[Basis, ...]

    name = "mixed"
    title = "Several families"

    @property
    def grid_size(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The first part's."""
        return self.parts[0].grid_size

    @property
    def size_word(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The first part's."""
        return self.parts[0].size_word

    @property
    def num_functions(self) -> int:
        """The sum over the parts."""
        return sum(part.num_functions for part in self.parts)

    def functions_of(self, index: int) -> slice:
        """Return where the functions of part `index` stand among all of them."""
        start = sum(part.num_functions for part in self.parts[:index])
        return slice(start, start + self.parts[index].num_functions)

    def inner_values(self, u: Tensor) -> Tensor:
        """Return all functions, shape (..., K)."""
        return torch.cat([part.inner_values(u) for part in self.parts], dim=-1)

    def fill(self, u: FloatArray, values: FloatArray) -> None:
        """Write all functions to `values` (K, P)."""
        for index, part in enumerate(self.parts):
            part.fill(u, values[self.functions_of(index)])

    def fill_slopes(self, u: FloatArray, slopes: FloatArray) -> None:
        """Write all derivatives to `slopes` (K, P)."""
        for index, part in enumerate(self.parts):
            part.fill_slopes(u, slopes[self.functions_of(index)])

    def initial_std(self, num_sources: int) -> FloatArray:
        """Return each part's own."""
        return np.concatenate([part.initial_std(num_sources) for part in self.parts])

    def grid(self, low: float, high: float) -> FloatArray:
        """Return the first part's."""
        return self.parts[0].grid(low, high)

    def resized(self, grid_size: int) -> MixedBasis:
        """Return all parts resized."""
        return MixedBasis(tuple(part.resized(grid_size) for part in self.parts))

    def source(self, module: str) -> list[str]:
        """Return statements for all parts, one after the other."""
        lines = ["everything = []"]
        for part in self.parts:
            lines += [*part.source(module), "everything += rows"]
        return [*lines, "rows = everything"]

    def graph_values(self, u: GraphArray) -> GraphArray:
        """Return all functions, shape (..., K), in a graph."""
        first, *rest = (part.graph_values(u) for part in self.parts)
        return first.beside(*rest)

    def settings(self) -> dict[str, Setting]:
        """Return the parts' settings."""
        return {"name": self.name, "parts": [part.settings() for part in self.parts]}

    def describe(self) -> str:
        """Return one sentence about the mixture."""
        return "Edges of different families: " + ", ".join(part.title for part in self.parts) + "."


def parts_of(basis: Basis) -> tuple[Basis, ...]:
    """Return the families in a basis: its parts, or itself alone."""
    return basis.parts if isinstance(basis, MixedBasis) else (basis,)
