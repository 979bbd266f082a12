"""One process' share of a discovery: shapes from small to larger, or the problem taken apart first.

    ladder    train a network of each shape by the recipe, take away what it can do without, search for its law
    divide    train a network that is large enough, and ask it for symmetries and separations; what inputs do only
              together becomes one input, and parts of a sum or product are each solved alone and put together again

Every law that is found is refitted on all inputs and training samples before it is judged by held-out samples.
"""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch

from kan_core.datasets import Dataset
from kan_core.discovery.composition import Sheet, Term, assemble, unfold
from kan_core.discovery.idle import Idle, find_idle
from kan_core.discovery.outer import Outer
from kan_core.discovery.parts import (
    Problem,
    baselines,
    curve_points,
    disjoint,
    join,
    part_of,
    reduce_problem,
    taken_off,
)
from kan_core.discovery.shapes import CURVE, Shape, attempts, say_shape, wide_shape
from kan_core.discovery.symmetries import Separation, Symmetry, find_separation, find_symmetries
from kan_core.discovery.univariate import Composite, composites, refine
from kan_core.grids import fit_normalization, fit_ranges
from kan_core.network import KAN, NetworkSpec
from kan_core.recipe import Recipe
from kan_core.symbolic.laws import Law, make_law, pareto_front
from kan_core.symbolic.own_functions import BUILT_IN, Library
from kan_core.symbolic.ranking import rank_candidates
from kan_core.symbolic.refit import Refit
from kan_core.symbolic.search import EXACT, Explanation
from kan_core.symbolic.simpler import simpler_laws

T = TypeVar("T")
# work in small pieces, each of which ends with a yield, and its result
Pieces = Generator[bool, None, T]

# of the processor, so that a busy machine changes as little as can be
TRAIN_SECONDS = 5.0
EXPLAIN_SECONDS = 3.0
# errors as shares of the targets' spread: a network from which no law can be read, and one that can be asked
HOPELESS = 0.05
NEARLY = 1.2
NOTHING = 0.9
TRUSTED = 0.06
# and one than which none better is needed
GOOD = 1e-3
GAINED = 0.8
# reduced inputs must lose no more than this factor of a network's usual error
KEPT = 1.5
# a law of a part is enough when its error is that of the network it was read from, nearly
AS_GOOD = 1.2
REFIT_STEPS = 80
SETTLED = 1e-6
MAX_LEVEL = 4
# shapes of the ladder before a large network is trained
WEIGHED_AFTER = 4
# of the samples of one input those that functions are compared with
MOST_RANKED = 2000
NUM_TRIED = 3
ANOTHER_SEED = 1000
# functions inside others that leave more of the variance than this are not refitted, and no more than so many are
PROMISING = 0.1
NUM_REFINED = 40
NUM_COMPOSITES = 12
# how many digits of the unexplained share a unit of complexity has to be worth
DIGITS_A_UNIT = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Oracle:
    """A network that answers what the data of `dataset` do not hold, and its relative error."""

    dataset: Dataset
    network: KAN
    error: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rung:
    """A shape of the ladder, what is taken off the targets before, and the network trained; `words` name it."""

    problem: Problem
    shape: Shape
    outer: Outer | None
    oracle: _Oracle
    words: str


class Solver:
    """Looks for the law behind `dataset`, one output, test samples held out to judge; one small piece a step.

    `seed` decides initial networks; solvers with `divides_first` take the problem apart before they climb the ladder.
    `deadline` is a time of the monotonic clock after which no new piece begins. The dataset is in float64.
    """

    def __init__(
        self, dataset: Dataset, *, seed: int, divides_first: bool, deadline: float, library: Library = BUILT_IN
    ) -> None:
        self._seed, self.deadline, self._library = seed, deadline, library
        self._whole = Problem(dataset=dataset, has_whole_target=True)
        self._found: list[Law] = []
        # by their datasets' ids; they hold them, so that no id is given twice
        self._oracles: dict[int, _Oracle] = {}
        self._trained: set[tuple[int, Shape, int]] = set()
        self._target = (dataset.output_names or ("y",))[0]
        # the least held-out error of each shape that was trained on the whole
        self.network_errors: dict[Shape, float] = {}
        self.findings: list[str] = []
        self.activity = ""
        self.is_done = False
        self._work = self._run(divides_first)

    @property
    def laws(self) -> list[Law]:
        """The laws found so far than which none simpler is as good, simplest first."""
        return pareto_front(self._found)

    @property
    def is_exact(self) -> bool:
        """Whether a law was found whose held-out error is that of the arithmetic."""
        return any(law.test_rmse <= EXACT * self._whole.spread for law in self._found)

    @property
    def num_found(self) -> int:
        """How many laws were found so far, those that others make needless included."""
        return len(self._found)

    def step(self) -> None:
        """Do a small piece of work; does nothing once everything was tried or the time is over."""
        if not self.is_done:
            self.is_done = next(self._work, True) or time.monotonic() >= self.deadline

    def _run(self, divides_first: bool) -> Pieces[bool]:
        seed = self._seed
        yield from self._compose(self._whole, baselines(self._whole.dataset))
        if not divides_first:
            yield from self._climb(self._whole, seed)
        while not self.is_exact:
            yield from self._divide(self._whole, seed)
            if not self.is_exact:
                yield from self._climb(self._whole, seed + ANOTHER_SEED)
            seed += 2 * ANOTHER_SEED
        return True

    def _note(self, problem: Problem, network: KAN) -> Law:
        """Return the law of a network on the problem's inputs; one of the whole is found."""
        law = make_law(network, problem.dataset)
        if problem.level == 0:
            self._found.append(law)
        return law

    # --- ladder

    def _climb(self, problem: Problem, seed: int) -> Pieces[list[Law]]:
        """Return the laws that one shape after the other leads to, until one is as good as the data.

        A network that is far off is read once the next shape turns out to be hardly better, or nothing else is left.
        """
        found: list[Law] = []
        if problem.dataset.num_inputs == 1:
            found = yield from self._read_samples(problem)
            if found and found[0].test_rmse <= EXACT * problem.spread:
                return found
        waiting: list[_Rung] = []
        end = time.process_time() + problem.seconds
        for place, (shape, outer) in enumerate(attempts(problem.dataset.num_inputs)):
            if problem.level == 0 and place == WEIGHED_AFTER:
                yield from self._weigh(problem, seed)
            inner = problem if outer is None else taken_off(problem, outer)
            if inner is None:
                continue
            words = _say_rung(inner, shape, outer)
            self.activity = f"training {words}"
            oracle = yield from self._train(inner, shape, seed)
            rung = _Rung(problem=inner, shape=shape, outer=outer, oracle=oracle, words=words)
            if not self._is_worth_reading(inner, oracle):
                continue
            is_far_off = oracle.error > HOPELESS
            due = [rung]
            if is_far_off and not waiting:
                waiting, due = [rung], []
            elif is_far_off and oracle.error > GAINED * waiting[-1].oracle.error:
                waiting, due = [], [*waiting, rung]
            for one in due:
                laws, is_enough = yield from self._read(problem, one)
                found += laws
                if is_enough or time.process_time() > end:
                    return self._likeliest_first(problem, found)
        for one in waiting:
            laws, _ = yield from self._read(problem, one)
            found += laws
        return self._likeliest_first(problem, found)

    def _weigh(self, problem: Problem, seed: int) -> Pieces[None]:
        """Train a large network, if no good one is known: whether what is left is noise is not told without it."""
        shape = wide_shape(problem.dataset.num_inputs)
        if self._oracles[id(problem.dataset)].error > GOOD and shape not in self.network_errors:
            self.activity = f"training {say_shape(shape)} to tell noise from what a law leaves"
            yield from self._train(problem, shape, seed)

    def _read_samples(self, problem: Problem) -> Pieces[list[Law]]:
        """Return the laws of the function that fits samples of one input best, which may turn too often for a grid."""
        x, y = (
            values[:MOST_RANKED, 0].numpy() for values in (problem.dataset.train_inputs, problem.dataset.train_targets)
        )
        best = rank_candidates(x, y, functions=self._library.values())[:1]
        terms = [Term(one.definition, one.a, one.b, one.c, one.d) for one in best if not one.is_poor]
        laws = yield from self._compose(problem, [[Sheet(1, 1, terms={(0, 0): term})] for term in terms])
        return laws

    def _read(self, problem: Problem, rung: _Rung) -> Pieces[tuple[list[Law], bool]]:
        """Return the laws of `problem` that a trained network leads to, and whether one of them is enough."""
        oracle, outer = rung.oracle, rung.outer
        self.activity = f"reading the law of {rung.words}"
        laws = yield from self._explain(rung.problem, oracle.network)
        if outer is not None:
            around = [[*unfold(law.network), outer.sheet()] for law in laws[::-1][:NUM_TRIED]]
            laws = yield from self._compose(problem, around)
        is_enough = self._is_enough(problem, laws, oracle)
        if rung.shape == CURVE and outer is None and not is_enough and oracle.error <= TRUSTED:
            self.activity = f"comparing functions inside others on {problem.names[0]}"
            more = yield from self._read_composites(problem, oracle.network)
            laws = [*laws, *more]
            is_enough = self._is_enough(problem, laws, oracle)
        return laws, is_enough

    def _is_enough(self, problem: Problem, laws: Sequence[Law], oracle: _Oracle) -> bool:
        """Return whether one of the laws is exact, or, of a part, as good as the network that it was read from."""
        best = min((law.test_rmse for law in laws), default=math.inf) / problem.spread
        return best <= EXACT or (problem.is_part and best <= AS_GOOD * oracle.error)

    def _likeliest_first(self, problem: Problem, laws: Sequence[Law]) -> list[Law]:
        """Return the laws by their errors; of those that are as good as the data of a part the simplest comes first."""
        oracle = self._oracles.get(id(problem.dataset))
        noise = AS_GOOD * oracle.error * problem.spread if problem.is_part and oracle is not None else 0.0
        return sorted(laws, key=lambda law: (max(law.test_rmse, noise), law.complexity))

    def _is_worth_reading(self, problem: Problem, oracle: _Oracle) -> bool:
        """Return whether a law can be read from a network: one that is good, or not much worse than the best is."""
        best = self._oracles[id(problem.dataset)].error
        return oracle.error <= max(HOPELESS, NEARLY * best) and oracle.error < NOTHING

    def _train(self, problem: Problem, shape: Shape, seed: int) -> Pieces[_Oracle]:
        """Return a network of this shape trained by the recipe; the best of a problem is remembered."""
        spec = NetworkSpec(widths=shape[0], products=shape[1])
        network = KAN(spec, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        inputs = problem.dataset.train_inputs
        scaled = fit_ranges(fit_normalization(network, problem.dataset), inputs)
        recipe = Recipe(scaled, problem.dataset, seed=seed)
        end = time.process_time() + TRAIN_SECONDS
        while not recipe.is_done and time.process_time() < end:
            with np.errstate(all="ignore"):
                recipe.step()
            yield False
        self._trained.add((id(problem.dataset), shape, seed))
        network = recipe.network.copy()
        oracle = _Oracle(dataset=problem.dataset, network=network, error=problem.error(network))
        known = self._oracles.get(id(problem.dataset))
        if known is None or oracle.error < known.error:
            self._oracles[id(problem.dataset)] = oracle
        if problem.level == 0:
            error = oracle.error * problem.spread
            self.network_errors[shape] = min(error, self.network_errors.get(shape, math.inf))
        return oracle

    def _explain(self, problem: Problem, network: KAN) -> Pieces[list[Law]]:
        search = Explanation(network, problem.dataset, library=self._library)
        end = time.process_time() + EXPLAIN_SECONDS
        num_seen = 0
        # a network that is being polished is a law nearly
        while not search.is_done and (search.is_polishing or time.process_time() < end):
            search.step()
            if problem.level == 0:
                self._found += search.found[num_seen:]
                num_seen = len(search.found)
            yield False
        return search.laws

    def _read_composites(self, problem: Problem, network: KAN) -> Pieces[list[Law]]:
        """Return the laws of functions inside others that fit the curve of a network of one input."""
        x = curve_points(problem.dataset.train_inputs)
        with torch.no_grad():
            y = network(x)[:, 0].double().numpy()
        curve = x[:, 0].double().numpy(), y
        fits: list[Composite] = []
        for fit in composites(*curve):
            if fit is not None and fit.unexplained < PROMISING:
                fits.append(fit)
            yield False
        refined: list[Composite] = []
        for fit in sorted(fits, key=_worth)[:NUM_REFINED]:
            refined.append(refine(fit, *curve))
            yield False
        refined.sort(key=_worth)
        laws = yield from self._compose(problem, [fit.sheets for fit in refined[:NUM_COMPOSITES]])
        return laws

    # --- taking apart

    def _divide(self, problem: Problem, seed: int) -> Pieces[list[Law]]:
        """Return the laws of a problem put together from those of a reduced one, or of its parts."""
        if problem.dataset.num_inputs == 1 or problem.level >= MAX_LEVEL:
            if problem.level == 0:
                yield from self._ask(problem, seed)
            laws = yield from self._climb(problem, seed)
            return laws
        oracle = yield from self._ask(problem, seed)
        if oracle.error > TRUSTED:
            laws = yield from self._climb(problem, seed)
            return laws
        idle = find_idle(oracle.network, problem.dataset, error=oracle.error) if problem.level == 0 else None
        if idle is not None:
            self._say_found(problem, idle)
            reduced = Problem(dataset=idle.reduce(problem.dataset), level=1, has_whole_target=True)
            laws = yield from self._divide(reduced, seed)
            choices = [idle.widen(unfold(law.network), problem.dataset.num_inputs) for law in laws[:NUM_TRIED]]
            laws = yield from self._compose(problem, choices)
            return laws
        found = disjoint(find_symmetries(oracle.network, problem.dataset.train_inputs))
        # all at once, and if that is too much the clearest alone
        for symmetries in [found, found[:1]] if len(found) > 1 else [found] if found else []:
            reduced, sheets = reduce_problem(problem, symmetries)
            holds = yield from self._holds(reduced, seed, problem.usual_error(oracle.network))
            if holds:
                for symmetry in symmetries:
                    self._say_found(problem, symmetry)
                laws = yield from self._divide(reduced, seed)
                composed = [[*sheets, *unfold(law.network)] for law in laws[:NUM_TRIED]]
                laws = yield from self._compose(problem, composed)
                return laws
        separation = find_separation(oracle.network, problem.dataset.train_inputs, error=oracle.error)
        if separation is None:
            laws = yield from self._climb(problem, seed)
            return laws
        self._say_found(problem, separation)
        laws = yield from self._solve_parts(problem, separation, oracle, seed)
        return laws

    def _ask(self, problem: Problem, seed: int) -> Pieces[_Oracle]:
        """Return the best network there is of a problem, trained now unless a good one is known."""
        n = problem.dataset.num_inputs
        shapes: list[Shape] = [CURVE if n == 1 else ((n, 1, 1), ()), ((n, 2, 1), (0, 1, 0)), wide_shape(n)]
        for shape in shapes[:1] if n == 1 and problem.level > 0 else shapes:
            known = self._oracles.get(id(problem.dataset))
            if known is not None and known.error <= GOOD:
                break
            if (id(problem.dataset), shape, seed) in self._trained:
                continue
            self.activity = f"training {say_shape(shape)} to ask it about {', '.join(problem.names)}"
            oracle = yield from self._train(problem, shape, seed)
            # where a larger one gains nothing the rest is noise
            if (
                (problem.level > 0 or n > 1)
                and known is not None
                and known.error <= TRUSTED
                and oracle.error > GAINED * known.error
            ):
                break
        return self._oracles[id(problem.dataset)]

    def _holds(self, problem: Problem, seed: int, usual: float) -> Pieces[bool]:
        """Return whether some network of a reduced problem is usually no worse off than by `usual`, or not much."""
        yield from self._ask(problem, seed)
        return problem.usual_error(self._oracles[id(problem.dataset)].network) <= max(KEPT * usual, EXACT)

    def _say_found(self, problem: Problem, finding: Idle | Symmetry | Separation) -> None:
        target = self._target if problem.has_whole_target else f"What is left of {self._target}"
        sentence = finding.sentence(problem.names, target)
        if sentence not in self.findings:
            self.findings.append(sentence)

    def _solve_parts(self, problem: Problem, separation: Separation, oracle: _Oracle, seed: int) -> Pieces[list[Law]]:
        """Return the laws of a sum or product, put together from those of its parts."""
        best: list[list[list[Sheet]]] = []
        for group in separation.groups:
            laws = yield from self._divide(part_of(problem, separation, group, oracle.network), seed)
            if not laws:
                return []
            best.append([unfold(law.network) for law in laws[:2]])
        choices = [[sheets[0] for sheets in best]]
        for place, sheets in enumerate(best):
            choices += [[*choices[0][:place], other, *choices[0][place + 1 :]] for other in sheets[1:]]
        num_inputs = problem.dataset.num_inputs
        composed = [join(choice, separation, num_inputs) for choice in choices[:NUM_TRIED]]
        laws = yield from self._compose(problem, composed)
        return laws

    def _compose(self, problem: Problem, choices: Sequence[Sequence[Sheet]]) -> Pieces[list[Law]]:
        """Return the laws of these sheets, refitted to the problem's samples."""
        laws: list[Law] = []
        for sheets in choices:
            network = assemble(sheets, problem.dataset.train_inputs)
            fit = Refit(network, problem.dataset, max_steps=REFIT_STEPS, settled=SETTLED)
            while not fit.is_done:
                fit.step()
                yield False
            laws.append(self._note(problem, fit.network))
            yield False
            if laws[-1].test_rmse <= EXACT * problem.spread:
                break
        if laws and problem.level == 0:
            best = min(laws, key=lambda law: law.test_rmse)
            for simpler in simpler_laws(best, problem.dataset, exact=EXACT * problem.spread):
                self._found.append(simpler)
                laws.append(simpler)
                yield False
        return sorted(laws, key=lambda law: law.test_rmse)


def _worth(fit: Composite) -> float:
    """Return the digits of what a composite leaves unexplained, and what its complexity costs; less is better."""
    return math.log10(fit.unexplained + 1e-12) + DIGITS_A_UNIT * fit.complexity


def _say_rung(problem: Problem, shape: Shape, outer: Outer | None) -> str:
    """Return what is trained or read, as people are told."""
    return f"{say_shape(shape)} on {', '.join(problem.names)}" + (f" under {outer.function}" if outer else "")
