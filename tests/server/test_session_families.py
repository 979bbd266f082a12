"""Sessions with other families, mixed ones, and nodes that multiply."""

from __future__ import annotations

import math

import numpy as np
import pytest

from kan_core.bases import BASES
from server.catalogue import build_catalogue
from server.messages import (
    CatalogueSource,
    EdgeRef,
    Inspect,
    InspectionEvent,
    MeasureCut,
    NetworkSettings,
    Prune,
    Refine,
    SetData,
    SetNetwork,
    Step,
    Suggest,
    SwapBasis,
    SymbolicForm,
    Symbolify,
    TrainingSettings,
    Undo,
)
from server.refusal import Refusal
from server.session import Session
from tests.server.examples import kan_of, kan_settings

EDGE = EdgeRef(layer=0, source=1, target=2)
PACED = TrainingSettings(optimizer="lm", l1=0.0, entropy=0.0, steps_per_second=50.0)
FAMILIES = sorted(BASES)


def make_session(**settings: object) -> Session:
    network = NetworkSettings.model_validate({"widths": [2, 3, 1], **settings})
    return Session.create("s", network=network, training=PACED)


def do_steps(session: Session, count: int) -> None:
    session.act(Step(count=count))
    session.advance(math.inf, 0.0)


def inspect(session: Session, edge: EdgeRef = EDGE) -> InspectionEvent:
    event = session.query(Inspect(edge=edge))
    assert isinstance(event, InspectionEvent)
    return event


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_trains_and_its_functions_add_up_to_the_curve(family: str) -> None:
    session = make_session(basis=family)
    start = session.frame().train_rmse
    do_steps(session, 5)
    assert session.frame().train_rmse < start
    seen = inspect(session)
    assert seen.basis == family
    assert seen.domain == pytest.approx((seen.x[0], seen.x[-1]))
    assert len(seen.basis_curves) == kan_of(session).layers[0].num_functions + 1
    np.testing.assert_allclose(np.sum(seen.basis_curves, axis=0), seen.y, atol=1e-9 * max(1.0, *map(abs, seen.y)))
    assert seen.grid[0] == pytest.approx(seen.domain[0])
    assert kan_settings(session.snapshot().structure).basis == family


@pytest.mark.parametrize("family", FAMILIES)
def test_refining_keeps_the_loss(family: str) -> None:
    session = make_session(basis=family)
    do_steps(session, 5)
    before = session.frame().train_rmse
    session.act(Refine(grid_size=10))
    assert session.frame().train_rmse == pytest.approx(before, rel=1e-6)


def test_one_edge_swaps_its_family_and_undo_brings_it_back() -> None:
    session = make_session()
    do_steps(session, 5)
    before = session.network.state_dict()
    session.act(SwapBasis(edge=EDGE, basis="fourier"))
    told = session.snapshot().structure.edges
    assert [edge.basis for edge in told if edge.layer == 0] == ["bspline"] * 5 + ["fourier"]
    assert inspect(session).basis == "fourier"
    again = Session.from_bytes(session.to_bytes())
    assert again.snapshot() == session.snapshot()
    do_steps(session, 3)
    session.act(Undo())
    assert {edge.basis for edge in session.snapshot().structure.edges} == {"bspline"}
    assert all(bool((value == before[name]).all()) for name, value in session.network.state_dict().items())


def test_swaps_that_cannot_be_are_refused() -> None:
    session = make_session()
    with pytest.raises(Refusal, match="basis is one of bspline, linear"):
        session.act(SwapBasis(edge=EDGE, basis="splines"))
    session.act(Symbolify(edge=EDGE, form=SymbolicForm(function="sin", a=1.0, b=0.0, c=1.0, d=0.0)))
    with pytest.raises(Refusal, match="must be a curve or cut for this, and it is a formula now"):
        session.act(SwapBasis(edge=EDGE, basis="fourier"))


def test_a_larger_degree_need_not_be_a_multiple() -> None:
    session = make_session(basis="chebyshev")
    session.act(Refine(grid_size=7))
    assert kan_settings(session.snapshot().structure).grid_size == 7
    with pytest.raises(Refusal) as refused:
        session.act(Refine(grid_size=7))
    assert refused.value.sentence == (
        "A larger degree than the present 7 keeps the curves, received grid_size=7: choose 8 or a larger one."
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_the_catalogue_tells_which_families_need_a_multiple(family: str) -> None:
    told = next(basis for basis in build_catalogue().bases if basis.name == family)
    session = make_session(basis=family)
    do_steps(session, 5)
    before = session.frame().train_rmse
    if told.takes_any_size:
        session.act(Refine(grid_size=7))
        assert session.frame().train_rmse == pytest.approx(before, rel=1e-6)
    else:
        with pytest.raises(Refusal, match=f"a whole multiple of the present 5 {told.size_word}, received grid_size=7"):
            session.act(Refine(grid_size=7))


def test_one_edge_that_needs_a_multiple_makes_the_network_need_it() -> None:
    session = make_session(basis="chebyshev")
    session.act(SwapBasis(edge=EdgeRef(layer=1, source=0, target=0), basis="bspline"))
    with pytest.raises(Refusal, match="if it has a whole multiple of the present degree 5, received grid_size=7"):
        session.act(Refine(grid_size=7))
    session.act(Refine(grid_size=10))


def test_the_largest_degree_is_told_as_it_is() -> None:
    session = make_session(basis="chebyshev", grid_size=100)
    with pytest.raises(Refusal, match="A larger degree than the present 100 keeps the curves, received grid_size=50"):
        session.act(Refine(grid_size=50))


@pytest.mark.parametrize(
    ("settings", "family", "sentence"),
    [
        (
            {"order": 0},
            "relu",
            "An edge takes over the network's settings, and for Squared ReLU bumps order is an integer from 1 to 5, "
            "received order=0: choose another family for the edge, or start a fresh network with a setting in that "
            "range.",
        ),
        (
            {"grid_size": 150},
            "chebyshev",
            "An edge takes over the network's settings, and for Chebyshev polynomials grid_size is an integer from 1 "
            "to 100, received grid_size=150: choose another family for the edge, or start a fresh network with a "
            "setting in that range.",
        ),
    ],
)
def test_a_family_that_the_networks_settings_do_not_suit_is_refused(
    settings: dict[str, object], family: str, sentence: str
) -> None:
    session = make_session(**settings)
    with pytest.raises(Refusal) as refused:
        session.act(SwapBasis(edge=EDGE, basis=family))
    assert refused.value.sentence == sentence


def test_nodes_that_multiply_have_two_rows_of_edges() -> None:
    session = make_session(products=[0, 1, 0])
    do_steps(session, 5)
    structure, frame = session.snapshot().structure, session.frame()
    assert [(e.layer, e.source, e.target) for e in structure.edges[:8]] == [
        (0, source, target) for target in range(4) for source in range(2)
    ]
    assert len(structure.edges) == len(frame.importance) == len(frame.values) == 2 * 4 + 3
    factor = EdgeRef(layer=0, source=0, target=3)
    assert inspect(session, factor).edge == factor
    session.query(Suggest(edge=factor))
    session.query(MeasureCut(edges=[factor]))
    session.act(Prune(edges=[factor]))
    assert Session.from_bytes(session.to_bytes()).snapshot() == session.snapshot()


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"products": [0, 4, 0]}, r"products\[1\] is an integer from 0 to 3, received products\[1\]=4"),
        ({"products": [0, 1]}, "products has a number for each of widths"),
        ({"basis": "polynomial"}, "basis is one of bspline, linear"),
        ({"basis": "chebyshev", "grid_size": 150}, "grid_size is an integer from 1 to 100"),
    ],
)
def test_settings_that_a_network_cannot_have_are_refused(settings: dict[str, object], sentence: str) -> None:
    session = make_session()
    network = NetworkSettings.model_validate({"widths": [2, 3, 1], **settings})
    with pytest.raises(Refusal, match=sentence):
        session.act(SetNetwork(network=network))


def test_memory_is_told() -> None:
    small, large = make_session(), make_session(grid_size=100)
    assert 0 < small.snapshot().structure.num_bytes < large.snapshot().structure.num_bytes


def test_other_data_keep_what_multiplies_unless_the_layers_are_named_anew() -> None:
    session = make_session(products=[0, 2, 0])
    session.act(SetData(source=CatalogueSource(name="product")))
    assert kan_of(session).spec.products == (0, 2, 0)
    session.act(SetData(source=CatalogueSource(name="product"), hidden=[4, 2]))
    assert (kan_of(session).spec.widths, kan_of(session).spec.products) == ((2, 4, 2, 1), ())
