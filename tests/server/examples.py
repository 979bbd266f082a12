"""Small messages for tests that need any."""

from __future__ import annotations

from kan_core import KAN
from server.messages import CatalogueSource, DataInfo, EdgeInfo, NetworkSettings, Structure
from server.session import Session

DATA = DataInfo(
    source=CatalogueSource(name="exp_sin"),
    title="a line",
    task="regression",
    input_names=["x"],
    input_lows=[-1.0],
    input_highs=[1.0],
    output_names=["y"],
    num_train=10,
    num_test=10,
)
STRUCTURE = Structure(
    revision=1,
    network=NetworkSettings(widths=[1, 1]),
    seed=0,
    input_names=["x"],
    output_names=["y"],
    edges=[EdgeInfo(layer=0, source=0, target=0, kind="spline", basis="bspline")],
    num_parameters=9,
    num_bytes=1000,
)


def kan_of(session: Session) -> KAN:
    """Return the network of a session that has a KAN."""
    assert isinstance(session.network, KAN)
    return session.network


def kan_settings(structure: Structure) -> NetworkSettings:
    """Return the settings of a structure that is a KAN's."""
    assert isinstance(structure.network, NetworkSettings)
    return structure.network
