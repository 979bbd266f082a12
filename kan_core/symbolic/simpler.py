"""Simpler laws near one that was found: edges cut or given a simpler function, everything else refitted."""

from __future__ import annotations

from collections.abc import Iterator

from kan_core.datasets import Dataset
from kan_core.network import KAN, EdgeId
from kan_core.pruning import connected_edges, prune_edges, severs_output
from kan_core.symbolic.edges import edge_curve, edge_function, fix_symbolic
from kan_core.symbolic.laws import Law, is_nearly_parabola, make_law
from kan_core.symbolic.library import FUNCTIONS, SymbolicFunction
from kan_core.symbolic.ranking import rank_candidates
from kan_core.symbolic.refit import refit

# what the error of a simpler law may be, as a share of the one before it
AS_GOOD = 1.02
REFIT_STEPS = 40
# a simpler function that leaves no more than this share of a curve's variance is worth a trial, and so many are
NEARLY = 1e-3
MOST_TRIED = 2


def simpler_laws(law: Law, dataset: Dataset, *, exact: float) -> Iterator[Law]:
    """Yield laws with an edge less, or a simpler function on one, a straight line at last, after every trial.

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


def most_trials(law: Law) -> int:
    """Return how many laws `simpler_laws` yields at most: an edge is cut, made straight, and given what is simpler."""
    return (2 + MOST_TRIED) * len(_live(law.network))


def _trials(network: KAN, edge: EdgeId, dataset: Dataset) -> Iterator[KAN]:
    if network.kind(edge) != "symbolic":
        return
    if not severs_output(network, [edge]):
        cut = prune_edges(network, [edge], inputs=dataset.train_inputs)
        hanging = [one for one in _live(cut) if one not in connected_edges(cut)]
        yield prune_edges(cut, hanging, inputs=dataset.train_inputs)
    function = edge_function(network, edge)
    if function.complexity <= FUNCTIONS["x"].complexity:
        return
    curve = edge_curve(network, edge, dataset.train_inputs)
    straight = rank_candidates(*curve, functions=[FUNCTIONS["x"]])
    simpler = rank_candidates(*curve, functions=_simpler_functions(network, edge, function))
    likely = [one for one in simpler if one.unexplained <= NEARLY][:MOST_TRIED]
    yield from (fix_symbolic(network, edge, candidate) for candidate in (*straight, *likely))


def _simpler_functions(network: KAN, edge: EdgeId, function: SymbolicFunction) -> list[SymbolicFunction]:
    """Return the curved functions that are simpler, and a parabola for what is no more than one where it is used."""
    line = FUNCTIONS["x"].complexity
    simpler = [one for one in FUNCTIONS.values() if line < one.complexity < function.complexity]
    square = FUNCTIONS["x^2"]
    if square not in simpler and is_nearly_parabola(network, edge):
        simpler.append(square)
    return simpler


def _live(network: KAN) -> list[EdgeId]:
    return [edge for edge in network.edges() if network.kind(edge) == "symbolic"]
