"""What a family needs of a graph of array operations to write its functions into one, as for ONNX files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from numpy.typing import NDArray


class GraphArray(Protocol):
    """An array (..., n) in a graph; the other side of an operation is another one, a number or a constant array.

    Shapes broadcast as NumPy's do.
    """

    def __add__(self, other: Any, /) -> GraphArray: ...

    def __sub__(self, other: Any, /) -> GraphArray: ...

    def __mul__(self, other: Any, /) -> GraphArray: ...

    def __truediv__(self, other: Any, /) -> GraphArray: ...

    def apply(self, name: str) -> GraphArray:
        """Return sin, cos, exp or abs of the array."""
        ...

    def at_least(self, bound: Any) -> GraphArray:
        """Return the larger one of the array and a bound."""
        ...

    def between(self, low: NDArray[Any], high: NDArray[Any]) -> GraphArray:
        """Return 1 where low ≤ array < high and 0 elsewhere."""
        ...

    def pick(self, indices: Sequence[int]) -> GraphArray:
        """Return the numbers at these places of the last axis."""
        ...

    def beside(self, *others: GraphArray) -> GraphArray:
        """Return arrays joined along the last axis."""
        ...
