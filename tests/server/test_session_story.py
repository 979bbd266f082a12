"""The main story: train, cut what is weak, read sine, square and exponential, train on to the exact law."""

from __future__ import annotations

import math

import pytest
import sympy as sp

from server.messages import CandidatesEvent, CutWeak, EdgeRef, SetTraining, Step, Suggest, Symbolify, TrainingChange
from server.session import Session
from server.views import edge_ref

THRESHOLD = 0.03
EXPECTED = ("sin", "cos", "x^2", "exp")


def formula_for(session: Session, edge: EdgeRef) -> None:
    """Put the first suggestion on the edge, or on the last layer the exponential that is among them."""
    event = session.query(Suggest(edge=edge))
    assert isinstance(event, CandidatesEvent)
    wanted = EXPECTED if edge.layer == 0 else ("exp",)
    session.act(Symbolify(edge=edge, form=next(one.form for one in event.candidates if one.name in wanted)))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_the_story_ends_with_the_law(seed: int) -> None:
    session = Session.create("story", seed=seed)
    session.act(Step(count=150))
    session.advance(math.inf, 0.0)
    session.act(CutWeak(threshold=THRESHOLD))
    left = [edge for edge in session.network.edges() if session.network.kind(edge) != "pruned"]
    assert len(left) == 3
    for edge in left:
        formula_for(session, edge_ref(edge))
    session.act(SetTraining(change=TrainingChange(optimizer="lm")))
    session.act(Step(count=100))
    session.advance(math.inf, 0.0)
    assert session.frame().test_rmse < 1e-6
    x, y = sp.symbols("x y")
    assert sp.simplify(sp.sympify(session.snapshot().formula.sympy) - sp.exp(sp.sin(sp.pi * x) + y**2)) == 0
