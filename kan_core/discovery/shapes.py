"""The shapes of networks that a search tries, from small to larger."""

from __future__ import annotations

from collections.abc import Iterator

from kan_core.discovery.outer import OUTERS, USUAL, Outer

# widths, and how many nodes of each layer multiply
Shape = tuple[tuple[int, ...], tuple[int, ...]]
# a curve alone, from which functions inside others are read
CURVE: Shape = ((1, 1), ())
MOST_HIDDEN = 6


def attempts(num_inputs: int) -> Iterator[tuple[Shape, Outer | None]]:
    """Yield the shapes of the ladder with what is taken off the targets before, the smallest and likeliest first."""
    n = num_inputs
    yield ((n, 1), ()), None
    if n > 1:
        yield ((n, 1, 1), ()), None
    yield ((n, 1, 1), (0, 1, 0)), None
    if n == 1:
        yield from ((((n, 1), ()), outer) for outer in OUTERS)
        yield from ((((n, 1, 1), (0, 1, 0)), outer) for outer in USUAL)
    yield ((n, 2, 1), (0, 1, 0)), None
    yield from ((((n, 2, 1), (0, 1, 0)), outer) for outer in USUAL)
    yield ((n, 2, 1), ()), None
    yield ((n, 2, 1, 1), (0, 1, 0, 0)), None
    yield ((n, 2, 1, 1), (0, 0, 1, 0)), None
    yield ((n, 2, 1, 1), (0, 1, 1, 0)), None
    yield ((n, 2, 1, 1), (0, 2, 1, 0)), None
    yield ((n, 3, 1), (0, 1, 0)), None
    yield ((n, 3, 1, 1), (0, 1, 1, 0)), None


def wide_shape(num_inputs: int) -> Shape:
    """Return the shape of a network that is large enough for most laws of so many inputs."""
    return (num_inputs, min(2 * num_inputs + 1, MOST_HIDDEN), 1), ()


def say_shape(shape: Shape) -> str:
    """Return a shape as people are told of it."""
    widths, products = shape
    count = sum(products)
    sums = "[" + ", ".join(map(str, widths)) + "]"
    return f"{sums} with {count} product{'s' if count > 1 else ''}" if count else sums
