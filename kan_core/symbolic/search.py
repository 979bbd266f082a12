"""From a trained network to a law: a beam search over the formulas of its edges.

Edges that do not matter are cut first. Then, in each of the few networks that are followed, the curve that some formula
fits best is replaced by each of its likely formulas, everything else is refitted by Levenberg-Marquardt, and the
networks with the smallest held-out errors go on; the others are left, which is how bad choices are backed out of. What
has no curve left is polished, then simplified for as long as that costs nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from kan_core.accuracy import measure_rmse
from kan_core.bases.basis import FloatArray
from kan_core.datasets import Dataset
from kan_core.network import KAN, EdgeId
from kan_core.symbolic.edges import edge_units, fix_symbolic
from kan_core.symbolic.elimination import eliminate
from kan_core.symbolic.laws import Law, make_law, pareto_front
from kan_core.symbolic.own_functions import BUILT_IN, Library
from kan_core.symbolic.ranking import Candidate, rank_candidates
from kan_core.symbolic.refit import Refit, refit
from kan_core.symbolic.simpler import most_trials, simpler_laws

BEAM = 3
BRANCHES = 4
# bits behind the best candidate's score at which another is not tried any more
TRIED = 40.0
NUM_POINTS = 128
# share of the samples beyond each end of the interval on which curves are compared, where there are many
TAIL = 0.005
FEWEST_FOR_TAILS = 200
REFIT_STEPS = 15
POLISH_STEPS = 60
POLISHED = 1e-6
# a network so many times worse than the best of its generation is left
HOPELESS = 30.0
# a law is made simpler if its error is at most so many times the best one's
WORTH_SIMPLIFYING = 3.0
# of a search's progress, what finding formulas for all curves makes up; polishing and simplifying are the rest
FITTING_SHARE = 0.6
# and of the rest, what polishing a network makes up
POLISHING_SHARE = 0.4
# nothing but the end is all of it
LAST_SHARE = 0.99
# a law is exact when its error is this share of the targets' spread
EXACT = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class _Node:
    """A network on the way, and its held-out error."""

    network: KAN
    error: float


class Explanation:
    """A search for laws of `network`, which is left alone, over the samples of `dataset`; one small piece a step.

    Formulas are refitted to the train samples and judged by the test samples, which therefore should not be those that
    a final error is reported on. `library` holds the functions to try. Both are in float64. Nothing is random.
    """

    def __init__(self, network: KAN, dataset: Dataset, *, library: Library = BUILT_IN) -> None:
        self._dataset, self._library = dataset, library
        self.found: list[Law] = []
        self._spread = float(dataset.test_targets.double().std(correction=0))
        self._progress = 0.0
        self.num_tried = 0
        self.is_done = self.is_polishing = False
        self._work = self._search(network)

    @property
    def laws(self) -> list[Law]:
        """The laws found so far than which none simpler is as good, simplest first."""
        return pareto_front(self.found)

    @property
    def is_exact(self) -> bool:
        """Whether a law was found whose held-out error is that of the arithmetic."""
        return any(law.test_rmse <= EXACT * self._spread for law in self.found)

    @property
    def progress(self) -> float:
        """The share of the search that is done, 0 to 1, as far as one can tell."""
        return 1.0 if self.is_done else self._progress

    def step(self) -> None:
        """Try one formula, or polish a little, for some hundredths of a second; does nothing once it is done."""
        self.is_done = next(self._work, True)

    def _search(self, network: KAN) -> Iterator[bool]:
        """Yield after every piece of work."""
        for left in eliminate(network, self._dataset):
            network = left
            yield False
        num_edges = max(len(_curves(network)), 1)
        beam = [_Node(network=network, error=self._error(network))]
        while beam:
            generation: list[_Node] = []
            for place, node in enumerate(beam):
                if not _curves(node.network):
                    for share in self._finish(node.network):
                        self._advance(FITTING_SHARE + (1.0 - FITTING_SHARE) * (place + share) / len(beam))
                        yield False
                    if self.is_exact:
                        return
                    continue
                edge, candidates = self._choose(node.network)
                yield False
                for candidate in candidates:
                    tried = refit(fix_symbolic(node.network, edge, candidate), self._dataset, max_steps=REFIT_STEPS)
                    self.num_tried += 1
                    error = self._error(tried)
                    if math.isfinite(error):
                        generation.append(_Node(network=tried, error=error))
                    yield False
            beam = _best(generation)
            num_left = min((len(_curves(node.network)) for node in beam), default=0)
            self._advance(FITTING_SHARE * (1.0 - num_left / num_edges))

    def _advance(self, share: float) -> None:
        self._progress = max(self._progress, min(share, LAST_SHARE))

    def _choose(self, network: KAN) -> tuple[EdgeId, list[Candidate]]:
        """Return the curve that some formula fits best, and its likely formulas."""
        nodes = network.node_values(self._dataset.train_inputs)
        ranked: list[tuple[float, EdgeId, list[Candidate]]] = []
        for edge in _curves(network):
            x, y = data_curve(network, edge, nodes)
            candidates = rank_candidates(x, y, functions=self._library.values())
            if candidates:
                ranked.append((min(one.unexplained for one in candidates[:BRANCHES]), edge, candidates))
        _, edge, candidates = min(ranked, key=lambda one: one[0])
        likely = [one for one in candidates[:BRANCHES] if one.score < candidates[0].score + TRIED]
        return edge, likely

    def _finish(self, network: KAN) -> Iterator[float]:
        """Polish a network without curves, and note it and what is left of it when parts are taken away.

        Yields the share of that which is done, as far as one can tell.
        """
        fit = Refit(network, self._dataset, max_steps=POLISH_STEPS, settled=POLISHED)
        num_steps = 0
        self.is_polishing = True
        while not fit.is_done:
            fit.step()
            num_steps += 1
            yield POLISHING_SHARE * num_steps / POLISH_STEPS
        law = make_law(fit.network, self._dataset)
        best = min((one.test_rmse for one in self.found), default=math.inf)
        self.found.append(law)
        self.is_polishing = False
        yield POLISHING_SHARE
        if law.test_rmse <= WORTH_SIMPLIFYING * best:
            most = max(most_trials(law), 1)
            for number, simpler in enumerate(simpler_laws(law, self._dataset, exact=EXACT * self._spread), start=1):
                self.found.append(simpler)
                yield POLISHING_SHARE + (1.0 - POLISHING_SHARE) * number / most

    def _error(self, network: KAN) -> float:
        return measure_rmse(network, self._dataset.test_inputs, self._dataset.test_targets, self._dataset.task)


def explain(network: KAN, dataset: Dataset, *, library: Library = BUILT_IN, max_steps: int | None = None) -> list[Law]:
    """Return the laws that a whole search finds, simplest first; see `Explanation`."""
    search = Explanation(network, dataset, library=library)
    num_steps = 0
    while not search.is_done and (max_steps is None or num_steps < max_steps):
        search.step()
        num_steps += 1
    return search.laws


def data_curve(network: KAN, edge: EdgeId, nodes: tuple[torch.Tensor, ...]) -> tuple[FloatArray, FloatArray]:
    """Return φ of `edge` in original units at points half of which are even and half lie as the data do, both (P,).

    `nodes` are the network's `node_values`. Where data are thin a curve is not well known; where no datum is it is left
    out.
    """
    layer = network.check_edge(edge)
    values = nodes[edge.layer][:, edge.source].double().numpy()
    tail = TAIL if len(values) > FEWEST_FOR_TAILS else 0.0
    low, high = (float(end) for end in np.quantile(values, [tail, 1.0 - tail]))
    if high <= low:
        low, high = float(layer.low[edge.source]), float(layer.high[edge.source])
    even = np.linspace(low, high, NUM_POINTS // 2)
    x = np.unique(np.concatenate([even, np.quantile(values, np.linspace(tail, 1.0 - tail, NUM_POINTS // 2))]))
    points = torch.zeros(len(x), layer.num_sources, dtype=network.dtype)
    points[:, edge.source] = torch.from_numpy(x)
    y = layer.edge_values(points.numpy(), ghosts=True)[:, edge.target, edge.source].astype(np.float64)
    x_scale, x_shift, y_scale = edge_units(network, edge)
    return x * x_scale + x_shift, y * y_scale


def _curves(network: KAN) -> list[EdgeId]:
    return [edge for edge in network.edges() if network.kind(edge) == "spline"]


def _best(generation: list[_Node]) -> list[_Node]:
    """Return the networks to follow, those with the smallest errors."""
    ordered = sorted(generation, key=lambda node: node.error)
    return [node for node in ordered[:BEAM] if node.error <= HOPELESS * ordered[0].error + 1e-12]
