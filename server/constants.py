"""Snapping the constants of formulas, and telling how well they are known."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

import torch

from kan_core import KAN, EdgeId, constants_of, snap_constant, unsnap_constant
from kan_core.datasets import Dataset
from kan_core.symbolic.constants import Constant, hold_conventions
from kan_core.symbolic.snapping import Snap, Verdict, find_snaps, refit_fully
from server.messages import ConstantInfo, ConstantName, ConstantsEvent, SnapConstant, SnapConstants, UnsnapConstant
from server.refusal import Refusal
from server.session_data import SessionData
from server.views import edge_ref

ConstantAct = SnapConstant | SnapConstants | UnsnapConstant
_NAMES: Mapping[str, ConstantName] = MappingProxyType({"a": "a", "b": "b", "c": "c", "d": "d"})
# people wait for it
SECONDS = 20.0
MAX_NAMED = 4


def apply_constant_act(network: KAN, act: ConstantAct, edge: EdgeId | None, dataset: Dataset) -> tuple[KAN, str, str]:
    """Return the network, a few words for the history, and a sentence that says what became of the constants.

    `edge` is the one that the act names. Raises Refusal with code nothing_to_snap, and EdgeError.
    """
    if isinstance(act, SnapConstants) or edge is None:
        return _snap_all(network, dataset)
    if isinstance(act, UnsnapConstant):
        return unsnap_constant(network, edge, act.name), f"unsnap {act.name} of edge {edge}", ""
    wide = hold_conventions(network.copy().to(torch.float64))
    snapped = refit_fully(snap_constant(wide, edge, act.name, value=act.value), dataset.to_dtype(torch.float64))
    return snapped, f"snap {act.name} of edge {edge}", ""


def _snap_all(network: KAN, dataset: Dataset) -> tuple[KAN, str, str]:
    if not any(network.kind(edge) == "symbolic" for edge in network.edges()):
        raise Refusal(
            "nothing_to_snap", "Only formulas have constants to snap, and every edge is a curve: fix one first."
        )
    found = find_snaps(network, dataset, seconds=SECONDS)
    return found.network, "snap constants", _tell(found.snaps)


def _tell(snaps: tuple[Snap, ...]) -> str:
    """Return what was snapped, and what was not and why."""
    told: list[str] = []
    for verdict in Verdict:
        some = [_words(one) for one in snaps if one.verdict is verdict]
        if some:
            shown = some[:MAX_NAMED] + ([f"{len(some) - MAX_NAMED} more"] if len(some) > MAX_NAMED else [])
            told.append(f"{_BEGINNINGS[verdict]} {', '.join(shown)}.")
    return " ".join(told) or "There was nothing to snap: every constant is held already."


_BEGINNINGS = {
    Verdict.SNAPPED: "Snapped",
    Verdict.NO_NICE_NUMBER: "No nice number lies within the error of",
    Verdict.LOSS_ROSE: "Held-out samples speak against",
    Verdict.MOVES_WITH_A: "A curve reads the same input, so that it moves with a:",
    Verdict.NO_TIME: "There was no time left for",
}


def _words(snap: Snap) -> str:
    one = snap.constant
    if snap.form is not None:
        return f"{one.name} of {one.edge} = {snap.form.text}"
    if math.isfinite(one.standard_error):
        return f"{one.name} of {one.edge} = {one.value:.4g} ± {one.standard_error:.1g}"
    return f"{one.name} of {one.edge} = {one.value:.4g}"


def describe_constants(network: KAN, data: SessionData, revision: int) -> ConstantsEvent:
    """Return the constants of all formulas that are not redundant, and how well the samples determine them."""
    return ConstantsEvent(revision=revision, constants=[_info(one) for one in constants_of(network, data.dataset)])


def _info(constant: Constant) -> ConstantInfo:
    error = constant.standard_error
    return ConstantInfo(
        edge=edge_ref(constant.edge),
        name=_NAMES[constant.name],
        value=constant.value,
        standard_error=error if math.isfinite(error) else None,
        is_determined=not math.isinf(error),
        is_snapped=constant.is_snapped,
        form=None if constant.form is None else constant.form.text,
        form_value=None if constant.form is None else constant.form.value,
    )
