"""Taking away what a trained network can do without, so that what is left can be read."""

from __future__ import annotations

from collections.abc import Iterator

from kan_core.accuracy import measure_rmse
from kan_core.attribution import edge_importance
from kan_core.datasets import Dataset
from kan_core.network import KAN, EdgeId
from kan_core.pruning import connected_edges, prune_edges, severs_output
from kan_core.symbolic.refit import refit

# what the error may grow by: a share of itself, where that is noise, and a share of the targets' spread
GROWTH = 0.05
ALLOWED = 1e-3
# importance under which an edge goes without a trial
IDLE = 1e-4
REFIT_STEPS = 25


def eliminate(network: KAN, dataset: Dataset, *, allowed: float = ALLOWED) -> Iterator[KAN]:
    """Yield networks with fewer and fewer edges, after every trial the one that stands; the last is the result.

    Hidden nodes go first, then edges, the least important first, each for good if the held-out error after a refit
    is not larger than that of the whole network by more than `allowed` of the targets' spread.
    """
    network = cut_idle(network, dataset)
    limit = _error(network, dataset)
    limit = limit * (1.0 + GROWTH) + allowed * float(dataset.test_targets.double().std(correction=0))
    yield network
    kept: set[tuple[EdgeId, ...]] = set()
    while True:
        trial = next((group for group in _groups(network, dataset) if group not in kept), None)
        if trial is None:
            return
        kept.add(trial)
        without = _without(network, trial, dataset)
        if without is not None:
            fitted = refit(without, dataset, max_steps=REFIT_STEPS)
            if _error(fitted, dataset) <= limit:
                network = fitted
        yield network


def cut_idle(network: KAN, dataset: Dataset, *, weak: float = IDLE) -> KAN:
    """Return a copy without the edges less important than `weak`, and what hangs on them alone."""
    while True:
        live = _live(network)
        scores = edge_importance(network, dataset.train_inputs)
        idle = {edge for edge in live if float(scores[edge.layer][edge.target, edge.source]) < weak}
        connected = connected_edges(network, without=idle)
        gone = [edge for edge in live if edge not in connected]
        if not gone or severs_output(network, gone):
            return network
        network = prune_edges(network, gone, inputs=dataset.train_inputs)


def _groups(network: KAN, dataset: Dataset) -> Iterator[tuple[EdgeId, ...]]:
    """Yield what may go at once: the edges into each hidden node, then single edges, the least important first."""
    scores = edge_importance(network, dataset.train_inputs)
    live = sorted(_live(network), key=lambda edge: float(scores[edge.layer][edge.target, edge.source]))
    nodes: dict[tuple[int, int], list[EdgeId]] = {}
    for edge in live:
        if edge.layer < len(network.layers) - 1:
            nodes.setdefault(network.node_of(edge), []).append(edge)
    importance = {
        node: sum(float(scores[edge.layer][edge.target, edge.source]) for edge in edges)
        for node, edges in nodes.items()
    }
    for node in sorted(nodes, key=lambda one: importance[one]):
        if sum(other[0] == node[0] for other in nodes) > 1:
            yield tuple(sorted(nodes[node]))
    for edge in live:
        yield (edge,)


def _without(network: KAN, group: tuple[EdgeId, ...], dataset: Dataset) -> KAN | None:
    """Return the network without a group of edges and what hangs on them, None when no output would be left."""
    if severs_output(network, group):
        return None
    cut = prune_edges(network, group, inputs=dataset.train_inputs)
    connected = connected_edges(cut)
    return prune_edges(cut, [edge for edge in _live(cut) if edge not in connected], inputs=dataset.train_inputs)


def _live(network: KAN) -> list[EdgeId]:
    return [edge for edge in network.edges() if network.kind(edge) != "pruned"]


def _error(network: KAN, dataset: Dataset) -> float:
    return measure_rmse(network, dataset.test_inputs, dataset.test_targets, dataset.task)
