"""Curves are the edge functions, in the units people read."""

from __future__ import annotations

import numpy as np
import torch

from kan_core import KAN, NetworkSpec, fit_normalization, fit_ranges, sample_edge_curves
from tests.kan_core.problems_for_tests import exp_sin_dataset


def test_curves_of_a_shallow_network_add_up_to_its_output() -> None:
    data = exp_sin_dataset()
    spec = NetworkSpec(widths=(2, 1), initialization="variance")
    network = KAN(spec, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    network = fit_ranges(fit_normalization(network, data), data.train_inputs)
    curves = sample_edge_curves(network, num_points=33)
    assert (curves.grids.shape, curves.values.shape) == ((2, 33), (2, 33))
    outputs = network(torch.from_numpy(curves.grids.T.copy()))[:, 0].detach().numpy()
    np.testing.assert_allclose(curves.values.sum(axis=0) + network.output_shift.numpy(), outputs, rtol=1e-12)


def test_curves_stand_in_the_order_of_edges() -> None:
    network = KAN(NetworkSpec(widths=(2, 3, 2), initialization="variance"), dtype=torch.float64)
    curves = sample_edge_curves(network, num_points=5)
    nodes = torch.from_numpy(curves.grids[2:5].T.copy())
    outputs = network.layers[1].edge_outputs(nodes).detach().numpy()
    for index, edge in enumerate(network.edges()):
        if edge.layer == 1:
            np.testing.assert_allclose(curves.values[index], outputs[:, edge.target, edge.source], rtol=1e-12)
