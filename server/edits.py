"""Structural acts as functions from one network to the next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch

from kan_core import (
    KAN,
    Candidate,
    EdgeId,
    fix_symbolic,
    lock_symbolic,
    prune_edges,
    release_symbolic,
    restore_edge,
    severs_output,
    swap_basis,
    weak_edges,
)
from kan_core.bases import make_basis
from kan_core.errors import EdgeError, SpecError
from kan_core.symbolic import BUILT_IN, Library, SymbolicFunction
from kan_core.symbolic.edges import edge_function, off_domain_edges
from server.messages import (
    AddFunction,
    CutWeak,
    EdgeRef,
    Lock,
    Prune,
    Refine,
    Release,
    RemoveFunction,
    Restore,
    SwapBasis,
    SymbolicForm,
    Symbolify,
)
from server.refining import refine_by_hand
from server.refusal import Refusal

Edit = Prune | CutWeak | Restore | Refine | Symbolify | Release | Lock | SwapBasis

KIND_NAMES = {"spline": "a curve", "symbolic": "a formula", "pruned": "cut"}


def apply_edit(network: KAN, edit: Edit, inputs: torch.Tensor, *, library: Library = BUILT_IN) -> tuple[KAN, str]:
    """Return the edited network and a few words for the history; `inputs` (B, I) are the training samples.

    `library` holds the functions that a formula may name. Raises Refusal with code stale_edge, would_sever,
    nothing_weak, not_finer, unsuitable_family, unknown_function or off_domain.
    """
    match edit:
        case Prune(edges=refs):
            edges = [_edge_of_kind(network, ref, ("spline", "symbolic")) for ref in refs]
            return _cut(network, edges, inputs, allow_sever=edit.allow_sever), _cut_label(edges)
        case CutWeak():
            return _cut_weak(network, edit, inputs)
        case Restore():
            edge = _edge_of_kind(network, edit.edge, ("pruned",))
            return restore_edge(network, edge), f"restore edge {edge}"
        case Refine():
            return refine_by_hand(network, edit.grid_size), f"refine the grid to {edit.grid_size}"
        case Symbolify():
            edge = find_edge(network, edit.edge)
            return _symbolify(network, edit, inputs, library), f"formula {edit.form.function} on edge {edge}"
        case Release():
            edge = _edge_of_kind(network, edit.edge, ("symbolic",))
            return release_symbolic(network, edge), f"release edge {edge}"
        case Lock():
            edge = _edge_of_kind(network, edit.edge, ("symbolic",))
            verb = "lock" if edit.locked else "unlock"
            return lock_symbolic(network, edge, locked=edit.locked), f"{verb} edge {edge}"
        case SwapBasis():
            edge = _edge_of_kind(network, edit.edge, ("spline", "pruned"))
            title = make_basis(edit.basis).title
            return _swap(network, edge, edit.basis, title, inputs), f"{title} on edge {edge}"


def change_library(library: Library, command: AddFunction | RemoveFunction) -> Library:
    """Return the library with one function more or less; raises KanError with the sentence to show."""
    if isinstance(command, RemoveFunction):
        return library.remove_function(command.name)
    return library.add_function(command.name.strip(), command.expression, complexity=command.complexity)


def find_edge(network: KAN, ref: EdgeRef) -> EdgeId:
    """Return the edge that a page names; raises Refusal with code stale_edge when the network has none there."""
    edge = EdgeId(layer=ref.layer, source=ref.source, target=ref.target)
    try:
        network.check_edge(edge)
    except EdgeError as error:
        widths = list(network.widths)
        raise Refusal(
            "stale_edge",
            f"There is no edge {edge} in the network of widths {widths}: pick an edge that is on screen now.",
        ) from error
    return edge


def _edge_of_kind(network: KAN, ref: EdgeRef, kinds: Sequence[str]) -> EdgeId:
    edge = find_edge(network, ref)
    kind = network.kind(edge)
    if kind not in kinds:
        needed = " or ".join(KIND_NAMES[name] for name in kinds)
        raise Refusal(
            "stale_edge",
            f"Edge {edge} must be {needed} for this, and it is {KIND_NAMES[kind]} now: look at the network again.",
        )
    return edge


def _cut(network: KAN, edges: Iterable[EdgeId], inputs: torch.Tensor, *, allow_sever: bool) -> KAN:
    leaving = list(dict.fromkeys(edges))
    if not allow_sever and severs_output(network, leaving):
        raise Refusal(
            "would_sever",
            "Without these edges no path leads from any input to the output, which becomes a constant: "
            "confirm the cut, or keep an edge.",
        )
    return prune_edges(network, leaving, inputs=inputs)


def _cut_label(edges: Sequence[EdgeId]) -> str:
    return f"cut edge {edges[0]}" if len(edges) == 1 else f"cut {len(edges)} edges"


def _cut_weak(network: KAN, edit: CutWeak, inputs: torch.Tensor) -> tuple[KAN, str]:
    if edit.edges is not None:
        edges = [_edge_of_kind(network, ref, ("spline", "symbolic")) for ref in edit.edges]
    else:
        edges = weak_edges(network, inputs, edit.threshold)
    if not edges:
        raise Refusal(
            "nothing_weak", f"No edge's importance lies under threshold={edit.threshold:g}: raise the threshold."
        )
    word = "edge" if len(edges) == 1 else "edges"
    return _cut(network, edges, inputs, allow_sever=edit.allow_sever), f"cut {len(edges)} weak {word}"


def _swap(network: KAN, edge: EdgeId, basis: str, title: str, inputs: torch.Tensor) -> KAN:
    try:
        return swap_basis(network, edge, basis, inputs=inputs)
    except SpecError as error:
        # an edge has no settings of its own to choose anew
        demand, _, _ = str(error).rpartition(":")
        raise Refusal(
            "unsuitable_family",
            f"An edge takes over the network's settings, and for {title} {demand}: choose another family for the edge, "
            "or start a fresh network with a setting in that range.",
        ) from error


def _function_named(name: str, network: KAN, edge: EdgeId, library: Library) -> SymbolicFunction | None:
    """Return the function of that name, first of all the edge's own, which may have left the library."""
    if network.kind(edge) == "symbolic" and edge_function(network, edge).name == name:
        return edge_function(network, edge)
    return library.get(name)


def candidate_of(network: KAN, ref: EdgeRef, form: SymbolicForm, library: Library) -> tuple[EdgeId, Candidate]:
    """Return the edge that a page names, which is not cut, and the formula for it.

    Raises Refusal with code stale_edge or unknown_function.
    """
    edge = _edge_of_kind(network, ref, ("spline", "symbolic"))
    function = _function_named(form.function, network, edge, library)
    if function is None:
        raise Refusal(
            "unknown_function",
            f"There is no function={form.function!r} to put on an edge: choose one of {', '.join(library)}.",
        )
    return edge, Candidate(
        function=form.function,
        a=form.a,
        b=form.b,
        c=form.c,
        d=form.d,
        r2=0.0,
        complexity=function.complexity,
        score=0.0,
        own=function if function.expression else None,
    )


def _symbolify(network: KAN, edit: Symbolify, inputs: torch.Tensor, library: Library) -> KAN:
    form = edit.form
    edge, candidate = candidate_of(network, edit.edge, form, library)
    fixed = fix_symbolic(network, edge, candidate)
    if edge in off_domain_edges(fixed, inputs, only=edge):
        raise Refusal(
            "off_domain",
            f"{form.function}(a·x + b) has no value for some of the data on edge {edge} with a={form.a:g} and "
            f"b={form.b:g}: choose constants that keep a·x + b within its domain.",
        )
    return fixed
