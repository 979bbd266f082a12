"""A whole network becomes a law: idle edges go, formulas are chosen together, simpler ones win."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from kan_core import (
    KAN,
    Candidate,
    Dataset,
    EdgeId,
    NetworkSpec,
    fit_normalization,
    fit_ranges,
    fix_symbolic,
    train,
)
from kan_core.fitting import hold_out
from kan_core.problems import sample_expression
from kan_core.symbolic import FUNCTIONS, edge_form
from kan_core.symbolic.elimination import eliminate
from kan_core.symbolic.laws import Law, make_law, pareto_front
from kan_core.symbolic.search import Explanation, explain
from kan_core.symbolic.simpler import simpler_laws

pytestmark = pytest.mark.slow
FIRST = EdgeId(layer=0, source=0, target=0)


def trained(expression: str, widths: tuple[int, ...], products: tuple[int, ...] = ()) -> tuple[KAN, Dataset]:
    data = sample_expression(expression, {"x": (-1, 1), "y": (-1, 1)}, seed=2)
    split = hold_out(data, seed=0)
    assert split is not None
    network = KAN(NetworkSpec(widths=widths, products=products), dtype=torch.float64)
    return train(network, split, max_steps=150).network, split


def test_a_network_that_is_too_wide_is_explained_by_what_it_needs() -> None:
    network, data = trained("exp(sin(pi*x) + y^2)", (2, 4, 1))
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    laws = explain(network, data)
    assert laws[-1].test_rmse < 1e-9
    live = [edge for edge in laws[-1].network.edges() if laws[-1].network.kind(edge) != "pruned"]
    assert len(live) == 3
    assert all(torch.equal(tensor, network.state_dict()[name]) for name, tensor in before.items())


def test_a_product_is_found_as_a_product() -> None:
    network, data = trained("x*y", (2, 1, 1), (0, 1, 0))
    law = explain(network, data)[-1]
    assert law.test_rmse < 1e-9
    functions = [function.name for layer in law.network.layers for *_, function in layer.live_functions()]
    assert functions == ["x", "x", "x"]


def test_elimination_keeps_the_error_within_bounds() -> None:
    network, data = trained("sin(3*x) + y^3", (2, 4, 1))
    spread = float(data.test_targets.std())
    *_, last = eliminate(network, data)
    before, after = make_law_error(network, data), make_law_error(last, data)
    assert after <= 1.05 * before + 1.1e-3 * spread
    count = sum(last.kind(edge) != "pruned" for edge in last.edges())
    assert count < 12


def make_law_error(network: KAN, data: Dataset) -> float:
    with torch.no_grad():
        return float((network(data.test_inputs) - data.test_targets).square().mean().sqrt())


def test_a_search_goes_on_in_small_steps_and_ends() -> None:
    network, data = trained("x^2 + y", (2, 1))
    search = Explanation(network, data)
    shares: list[float] = []
    while not search.is_done:
        search.step()
        shares.append(search.progress)
    assert search.is_exact
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    tried, laws = search.num_tried, search.laws
    search.step()
    assert (search.num_tried, search.laws) == (tried, laws)


def test_progress_counts_polishing_and_simplifying() -> None:
    network, data = trained("x^2 + y", (2, 1))
    search = Explanation(network, data)
    shares: list[tuple[float, bool]] = []
    while not search.is_done:
        search.step()
        shares.append((search.progress, search.is_polishing))
    polishing = [share for share, is_polishing in shares if is_polishing]
    assert polishing
    assert max(polishing) < 0.9
    # it goes on after that, and is not at its end before the search is
    assert len({share for share, _ in shares if share > max(polishing)}) > 1
    assert [share for share, _ in shares].count(1.0) == 1


def test_a_law_becomes_simpler_where_that_costs_nothing() -> None:
    network, data = trained("x^2 + y", (2, 1))
    clumsy = explain(network, data)[-1]
    # a cosine stands in for the parabola nowhere, but |x| far from its kink is a straight line
    simpler = list(simpler_laws(clumsy, data, exact=1e-12))
    assert all(law.complexity < clumsy.complexity for law in simpler)
    assert all(law.test_rmse > 1e-3 for law in simpler)


def narrow_cosine(amplitude: float) -> tuple[KAN, Dataset]:
    """Return 1 + x²/2 with one per cent of noise as a cosine's first `amplitude` radians, and the samples."""
    data = sample_expression("1 + x^2/2", {"x": (-1, 1)}, seed=3, noise=0.01)
    network = KAN(NetworkSpec(widths=(1, 1)), dtype=torch.float64)
    network = fit_ranges(fit_normalization(network, data), data.train_inputs)
    c = amplitude**-2
    shift = 1.0 + c - float(network.output_shift[0])
    cosine = Candidate(function="cos", a=amplitude, b=0.0, c=-c, d=shift, r2=1.0, complexity=2, score=0.0)
    return fix_symbolic(network, EdgeId(layer=0, source=0, target=0), cosine), data


def test_a_function_of_which_only_a_parabola_is_used_makes_way_for_one() -> None:
    network, data = narrow_cosine(0.1)
    law = make_law(network, data)
    assert law.complexity == FUNCTIONS["cos"].complexity + 1
    found = {edge_form(one.network, FIRST)[0]: one for one in simpler_laws(law, data, exact=1e-12)}
    assert found["x^2"].complexity == FUNCTIONS["x^2"].complexity
    assert found["x^2"].test_rmse < 1.02 * law.test_rmse
    assert pareto_front([law, *found.values()])[-1] is found["x^2"]


def test_a_function_that_shows_what_it_is_stays() -> None:
    network, data = narrow_cosine(1.5)
    law = make_law(network, data)
    assert law.complexity == FUNCTIONS["cos"].complexity
    assert {edge_form(one.network, FIRST)[0] for one in simpler_laws(law, data, exact=1e-12)} == {"x"}


def test_the_front_has_no_law_than_which_a_simpler_one_is_as_good() -> None:
    network, data = trained("x^2 + y", (2, 1))
    law = explain(network, data)[-1]

    def one(complexity: int, error: float) -> Law:
        return Law(network=law.network, complexity=complexity, train_rmse=error, test_rmse=error)

    mean, line, same, exact, broken = one(0, 1.0), one(3, 0.4), one(5, 0.3999), one(7, 1e-9), one(9, float("inf"))
    assert pareto_front([exact, same, broken, mean, line]) == [mean, line, exact]
    assert make_law(law.network, data).complexity == 3


def test_of_errors_that_are_rounding_the_simplest_law_stays() -> None:
    network, data = trained("x^2 + y", (2, 1))
    law = explain(network, data)[-1]
    laws = [replace(law, complexity=size, test_rmse=error) for size, error in ((1, 0.5), (5, 4.7e-16), (7, 3.9e-16))]
    assert pareto_front(laws) == laws[:2]
