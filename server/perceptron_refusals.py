"""What a perceptron cannot do, and the sentence that says so."""

from __future__ import annotations

from kan_core import KAN
from server.messages import (
    Command,
    Constants,
    CutWeak,
    Explain,
    Inspect,
    JudgeFormula,
    Lock,
    MeasureCut,
    Prune,
    Refine,
    Release,
    Restore,
    Simplify,
    SnapConstant,
    SnapConstants,
    Suggest,
    SwapBasis,
    Symbolify,
    TryCandidate,
    UnsnapConstant,
)
from server.model import Network
from server.refusal import Refusal

_EDGES = "no edge that could be cut without the others"
_FORMULAS = "no function on an edge that a formula could take the place of"
_CONSTANTS = "no formula whose constants could be held"
_WANTING: dict[type[Command], str] = {
    Prune: _EDGES,
    CutWeak: _EDGES,
    Restore: _EDGES,
    MeasureCut: _EDGES,
    Refine: "no grid to refine",
    SwapBasis: "no family of functions on its edges",
    Symbolify: _FORMULAS,
    Release: _FORMULAS,
    Lock: _FORMULAS,
    Suggest: _FORMULAS,
    TryCandidate: _FORMULAS,
    SnapConstant: _CONSTANTS,
    SnapConstants: _CONSTANTS,
    UnsnapConstant: _CONSTANTS,
    Constants: _CONSTANTS,
    Inspect: "no function on an edge to look into",
    Explain: "no edges that formulas could explain (Discover looks at the data alone)",
    JudgeFormula: "no formula to judge",
    Simplify: "no formula to simplify",
}


def kan_for(command: Command, network: Network) -> KAN:
    """Return the network that a command is meant for; raises Refusal with code not_for_perceptrons for a perceptron."""
    if isinstance(network, KAN):
        return network
    kind = str(getattr(command, "type", ""))
    wanting = _WANTING.get(type(command), "nothing that this could be done with")
    raise Refusal(
        "not_for_perceptrons",
        f"A perceptron has weights on its edges and {wanting}, received type={kind!r}: do this with a KAN.",
    )
