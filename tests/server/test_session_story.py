"""The main story: train, cut what is weak, take the first formula found for each curve, read the exact law."""

from __future__ import annotations

import math

import pytest
import sympy as sp

from server.messages import CandidatesEvent, CutWeak, Step, Suggest, Symbolify
from server.session import Session
from server.views import edge_ref
from tests.server.examples import kan_of

THRESHOLD = 0.03


def train(session: Session, count: int) -> None:
    """Do some steps."""
    session.act(Step(count=count))
    session.advance(math.inf, 0.0)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_the_story_ends_with_the_law(seed: int) -> None:
    session = Session.create("story", seed=seed)
    train(session, 60)
    session.act(CutWeak(threshold=THRESHOLD))
    train(session, 10)
    left = [edge for edge in kan_of(session).edges() if kan_of(session).kind(edge) != "pruned"]
    assert len(left) == 3
    for edge in left:
        found = session.query(Suggest(edge=edge_ref(edge)))
        assert isinstance(found, CandidatesEvent)
        session.act(Symbolify(edge=edge_ref(edge), form=found.candidates[0].form))
        train(session, 10)
    train(session, 100)
    assert session.frame().test_rmse < 1e-6
    x, y = sp.symbols("x y")
    assert sp.simplify(sp.sympify(session.snapshot().formula.sympy) - sp.exp(sp.sin(sp.pi * x) + y**2)) == 0
