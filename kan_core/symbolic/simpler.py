"""Simpler laws near one that was found: edges cut or made straight, everything else refitted."""

from __future__ import annotations

from collections.abc import Iterator

from kan_core.datasets import Dataset
from kan_core.network import KAN, EdgeId
from kan_core.pruning import connected_edges, prune_edges, severs_output
from kan_core.symbolic.edges import edge_curve, edge_function, fix_symbolic
from kan_core.symbolic.laws import Law, make_law
from kan_core.symbolic.library import FUNCTIONS
from kan_core.symbolic.ranking import rank_candidates
from kan_core.symbolic.refit import refit

# what the error of a simpler law may be, as a share of the one before it
AS_GOOD = 1.02
REFIT_STEPS = 40


def simpler_laws(law: Law, dataset: Dataset, *, exact: float) -> Iterator[Law]:
    """Yield laws with an edge less, or a straight one in place of a function, after every trial.

    One that is as good as what stood before, or has an error under `exact`, is where the next trials begin.
    """
    standing = law
    for edge in sorted(_live(law.network), key=lambda one: -edge_function(law.network, one).complexity):
        for trial in _trials(standing.network, edge, dataset):
            found = make_law(refit(trial, dataset, max_steps=REFIT_STEPS), dataset)
            yield found
            if found.test_rmse <= max(AS_GOOD * standing.test_rmse, exact):
                standing = found
                break


def _trials(network: KAN, edge: EdgeId, dataset: Dataset) -> Iterator[KAN]:
    if network.kind(edge) != "symbolic":
        return
    if not severs_output(network, [edge]):
        cut = prune_edges(network, [edge], inputs=dataset.train_inputs)
        hanging = [one for one in _live(cut) if one not in connected_edges(cut)]
        yield prune_edges(cut, hanging, inputs=dataset.train_inputs)
    if edge_function(network, edge).complexity > FUNCTIONS["x"].complexity:
        straight = rank_candidates(*edge_curve(network, edge, dataset.train_inputs), functions=[FUNCTIONS["x"]])
        yield from (fix_symbolic(network, edge, candidate) for candidate in straight)


def _live(network: KAN) -> list[EdgeId]:
    return [edge for edge in network.edges() if network.kind(edge) == "symbolic"]
