"""Cutting edges and bringing them back; every function returns a new network."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from torch import Tensor

from kan_core.accuracy import measure_rmse
from kan_core.attribution import edge_importance
from kan_core.datasets import Dataset
from kan_core.errors import EdgeError
from kan_core.grids import shift_edge
from kan_core.network import KAN, EdgeId, Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class CutEffect:
    """Root mean square errors before and after a cut, in original units (of probabilities, for classification)."""

    train_before: float
    train_after: float
    test_before: float
    test_after: float


def prune_edge(network: KAN, edge: EdgeId, *, inputs: Tensor | None = None) -> KAN:
    """Return a copy without `edge`; see `prune_edges`."""
    return prune_edges(network, [edge], inputs=inputs)


def prune_edges(network: KAN, edges: Iterable[EdgeId], *, inputs: Tensor | None = None) -> KAN:
    """Return a copy without `edges`; cutting one twice changes nothing. Raises EdgeError when one is unknown.

    With `inputs` (B, I) only what an edge varies is lost: its mean over them first moves to an edge that stays in the
    same sum, if there is one whose constants are not locked, which takes nothing from the function while the edge is
    there. A factor of a product that loses its last edge becomes the constant that was its mean.
    """
    pruned = network.copy()
    gone = [edge for edge in edges if network.kind(edge) != "pruned"]
    if inputs is not None:
        _move_means(pruned, gone, network.trace(inputs))
    for edge in gone:
        pruned.check_edge(edge).pruned[edge.target, edge.source] = True
    return pruned


def _move_means(network: KAN, edges: list[EdgeId], trace: Trace) -> None:
    """Make `edges` zero in the mean, in place, by giving their means to edges of the same sums that stay."""
    leaving = set(edges)
    factors: dict[tuple[int, int], float] = {}
    for edge in edges:
        layer = network.check_edge(edge)
        staying = [
            source
            for source in range(layer.num_sources)
            if not (layer.pruned[edge.target, source] or layer.locked[edge.target, source])
            and EdgeId(layer=edge.layer, source=source, target=edge.target) not in leaving
        ]
        mean = float(trace.edge_outputs[edge.layer][:, edge.target, edge.source].mean())
        if staying:
            # where all offsets are held one has to give way: the sum would miss the mean
            taker = min(staying, key=lambda source: bool(layer.held[edge.target, source, 3]))
            for source, amount in ((edge.source, -mean), (taker, mean)):
                layer.held[edge.target, source, 3] = False
                shift_edge(layer, edge.target, source, amount)
        elif len(layer.rows_of(layer.node_of(edge.target))) > 1:
            place = edge.layer, edge.target
            factors[place] = factors.get(place, 0.0) + mean
    for (index, row), mean in factors.items():
        network.layers[index].lone[row] = mean


def restore_edge(network: KAN, edge: EdgeId) -> KAN:
    """Return a copy in which `edge` is what it was before it was cut; raises EdgeError when it is not cut."""
    if network.kind(edge) != "pruned":
        raise EdgeError(f"only a cut edge can be restored, received edge={edge} which is {network.kind(edge)}: cut it")
    restored = network.copy()
    layer = restored.check_edge(edge)
    layer.pruned[edge.target, edge.source] = False
    layer.lone[edge.target] = 1.0
    return restored


def weak_edges(network: KAN, inputs: Tensor, threshold: float) -> list[EdgeId]:
    """Return the live edges whose importance over `inputs` (B, I) lies under `threshold` (0 to 1).

    Edges that the others' going would leave without a way to an output or from an input are among them.
    """
    scores = edge_importance(network, inputs)
    live = [edge for edge in network.edges() if network.kind(edge) != "pruned"]
    weak = {edge for edge in live if float(scores[edge.layer][edge.target, edge.source]) < threshold}
    connected = connected_edges(network, without=weak)
    return [edge for edge in live if edge in weak or edge not in connected]


def severs_output(network: KAN, edges: Collection[EdgeId]) -> bool:
    """Return whether some output that inputs reach now would be reached by none without `edges`."""
    last = len(network.layers) - 1
    before = {network.node_of(edge) for edge in connected_edges(network) if edge.layer == last}
    after = {network.node_of(edge) for edge in connected_edges(network, without=edges) if edge.layer == last}
    return before != after


def connected_edges(network: KAN, *, without: Collection[EdgeId] = ()) -> set[EdgeId]:
    """Return the live edges that lie on a path from an input to an output when `without` are gone."""
    gone = set(without)
    live = [edge for edge in network.edges() if network.kind(edge) != "pruned" and edge not in gone]
    reached = {(0, node) for node in range(network.widths[0])}
    for edge in live:
        if (edge.layer, edge.source) in reached:
            reached.add(network.node_of(edge))
    useful = {(len(network.layers), node) for node in range(network.widths[-1])}
    for edge in reversed(live):
        if network.node_of(edge) in useful:
            useful.add((edge.layer, edge.source))
    return {edge for edge in live if (edge.layer, edge.source) in reached and network.node_of(edge) in useful}


def cut_effect(network: KAN, dataset: Dataset, edges: Iterable[EdgeId]) -> CutEffect:
    """Return the errors on train and test samples with and without `edges`."""
    cut = prune_edges(network, edges, inputs=dataset.train_inputs)
    return CutEffect(
        train_before=rmse(network, dataset.train_inputs, dataset.train_targets, task=dataset.task),
        train_after=rmse(cut, dataset.train_inputs, dataset.train_targets, task=dataset.task),
        test_before=rmse(network, dataset.test_inputs, dataset.test_targets, task=dataset.task),
        test_after=rmse(cut, dataset.test_inputs, dataset.test_targets, task=dataset.task),
    )


def rmse(network: KAN, inputs: Tensor, targets: Tensor, *, task: str = "regression") -> float:
    """Return the root mean square error over all samples and outputs; of probabilities, for classification."""
    return measure_rmse(network, inputs, targets, task)
