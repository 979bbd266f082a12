"""Refinement by hand: which larger sizes keep the curves of a network."""

from __future__ import annotations

from kan_core import KAN, refine
from kan_core.bases import Basis, parts_of
from server.refusal import Refusal


def takes_any_size(basis: Basis) -> bool:
    """Return whether any larger size of the family keeps its curves, not whole multiples alone."""
    return basis.resized(2).is_start_of(basis.resized(3))


def refine_by_hand(network: KAN, grid_size: int) -> KAN:
    """Return the network on a finer grid, its curves as they are; raises Refusal with code not_finer.

    Where edges are of several families, the size has to suit all of them.
    """
    present, word = network.spec.grid_size, network.layers[0].bases[0].size_word
    parts = [part for layer in network.layers for basis in layer.bases for part in parts_of(basis)]
    is_free = all(takes_any_size(part) for part in parts)
    if grid_size > present and (is_free or grid_size % present == 0):
        return refine(network, grid_size)
    if is_free:
        more = (
            f"A larger degree than the present {present} keeps"
            if word == "degree"
            else (f"More {word} than the present {present} keep")
        )
        needed, choices = f"{more} the curves", str(present + 1)
    else:
        now = f"degree {present}" if word == "degree" else f"{present} {word}"
        needed = f"A finer grid keeps the curves if it has a whole multiple of the present {now}"
        choices = ", ".join(str(present * factor) for factor in (2, 3, 4))
    raise Refusal("not_finer", f"{needed}, received grid_size={grid_size}: choose {choices} or a larger one.")
