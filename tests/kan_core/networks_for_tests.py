"""Random networks of curves, formulas, cut edges and products, and names as people's files have them."""

from __future__ import annotations

import numpy as np
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
    prune_edges,
    swap_basis,
)
from kan_core.bases import BASES
from kan_core.discovery.composition import added, assemble, multiplied, side_by_side, unfold
from kan_core.symbolic import BUILT_IN, edge_form
from kan_core.symbolic.constants import can_hold, snap_constant
from kan_core.symbolic.rewriting import NAMES

# the built-in functions and one of a person's own
FUNCTIONS = BUILT_IN.add_function("ricker", "(1 - x^2)*exp(-x^2/2)")

# words of Python, SymPy, Excel and LaTeX, units, names that look alike, and signs of all kinds
AWKWARD_NAMES = (
    *("lambda", "import", "self", "print", "max", "np", "torch", "network", "predict", "x", "math", "t"),
    *("E", "I", "S", "N", "beta", "pi", "sin", "e", "i", "A1", "B2", "R1C1", "meter", "kg", "x1", "x_1"),
    *("a b", "a_b", "Größe (m/s²)", "100%", "a\\b", "a^b", "a~b", "{inputs}", "$y$", "#", "it's", '"q"', "1e5"),
    *("phi_0_0_0", "n1_0", "basis_0", "edge", "_", "φ", "温度", "<b>&", "x_scaled"),
)


def shifted_dataset(seed: int = 0, *, num_inputs: int = 2, num_samples: int = 60) -> Dataset:
    """Return samples whose inputs and targets have units of their own, far from standardised."""
    generator = torch.Generator().manual_seed(seed)
    raw = torch.rand(2 * num_samples, num_inputs, generator=generator, dtype=torch.float64)
    inputs = raw * torch.logspace(0.0, 1.0, num_inputs, dtype=torch.float64) * 3.0 + 5.0
    targets = 40.0 + 7.0 * torch.sin(2.0 * raw).sum(dim=1, keepdim=True) + raw[:, :1] ** 2
    return Dataset(
        train_inputs=inputs[:num_samples],
        train_targets=targets[:num_samples],
        test_inputs=inputs[num_samples:],
        test_targets=targets[num_samples:],
    )


def random_network(
    seed: int,
    *,
    data: Dataset,
    closed: bool = False,
    functions: tuple[str, ...] = tuple(FUNCTIONS),
    dtype: torch.dtype = torch.float64,
) -> KAN:
    """Return a network whose edges are formulas, cut, or (unless `closed`) curves of all families, with products.

    Arguments of functions stay well within their domains on the data.
    """
    generator = np.random.default_rng(seed)
    products = [(), (0, 1, 0), (0, 2, 1)][int(generator.integers(3))]
    spec = NetworkSpec(
        widths=(data.num_inputs, int(generator.integers(2, 4)), 1),
        products=products,
        grid_size=int(generator.integers(2, 7)),
        order=int(generator.integers(1, 5)),
        knots=str(generator.choice(["uniform", "adaptive"])),
        base=str(generator.choice(["silu", "identity", "none"])),
        initialization="variance",
    )
    network = KAN(spec, generator=torch.Generator().manual_seed(seed), dtype=dtype)
    network = fit_ranges(fit_normalization(network, data.to_dtype(dtype)), data.train_inputs.to(dtype))
    everything = torch.cat([data.train_inputs, data.test_inputs]).to(dtype)
    for edge in network.edges():
        draw = generator.random()
        if closed or draw < 0.4:
            function = str(generator.choice(functions))
            network = within_domain(network, edge, function, everything, generator)
        else:
            network = swap_basis(network, edge, str(generator.choice(sorted(BASES))), inputs=data.train_inputs)
        if draw > 0.85:
            # a factor that loses its last edge becomes 1, or a constant of its own
            network = prune_edges(network, [edge], inputs=data.train_inputs.to(dtype) if draw > 0.92 else None)
    return network


def random_law(seed: int, *, data: Dataset) -> KAN:
    """Return a network of formulas alone: a random one, two of them added or multiplied, or one with held constants."""
    law = random_network(seed, data=data, closed=True)
    generator = np.random.default_rng(seed)
    kind = int(generator.integers(4))
    if kind in (1, 2):
        branches = [(unfold(one), (0, 1)) for one in (law, random_network(seed + 1, data=data, closed=True))]
        both = side_by_side(branches, 2)
        return assemble([*both, added(2)] if kind == 1 else [*both, *multiplied()], data.train_inputs)
    if kind == 3:
        return hold_some(law, generator)
    return law


def hold_some(law: KAN, generator: np.random.Generator) -> KAN:
    """Return the law with half of its outer constants held at numbers that are nice, or at others near theirs."""
    for edge in [edge for edge in law.edges() if law.kind(edge) == "symbolic"]:
        for name, value in zip(NAMES, edge_form(law, edge)[1:], strict=True):
            # arguments stay where their functions are tame
            if name in "cd" and generator.random() < 0.5 and can_hold(law, edge, name):
                nice = float(generator.choice([0.5, 1.0, np.pi, -np.sqrt(2.0), -2.0 / 3.0]))
                law = snap_constant(law, edge, name, value=nice if edge.layer == 1 else value)
    return law


def within_domain(
    network: KAN, edge: EdgeId, function: str, inputs: torch.Tensor, generator: np.random.Generator
) -> KAN:
    """Return the network with `edge` a formula whose arguments on the data lie where its function is tame."""
    x = network.trace(inputs).node_values[edge.layer][:, edge.source].double()
    scale, shift = 1.0, 0.0
    if edge.layer == 0:
        scale, shift = float(network.input_scale[edge.source]), float(network.input_shift[edge.source])
    low, high = float(x.min()) * scale + shift, float(x.max()) * scale + shift
    known = FUNCTIONS[function]
    begin = 0.4 if known.low >= 0.0 else max(-1.5, 0.8 * known.low)
    end = min(1.7, 0.8 * known.high)
    a = (end - begin) / (high - low) if high > low else 1.0
    own = known if known.expression else None
    c, d = generator.uniform(0.3, 1.0) * generator.choice([-1.0, 1.0]), generator.uniform(-1.0, 1.0)
    fixed = Candidate(function=function, a=a, b=begin - a * low, c=c, d=d, r2=1.0, complexity=1, score=0.0, own=own)
    return fix_symbolic(network, edge, fixed)


def values_of(network: KAN, inputs: torch.Tensor) -> np.ndarray:
    """Return the first output (B,) in float64."""
    return network(inputs)[:, 0].detach().double().numpy()


def assert_equal_to(network: KAN, inputs: torch.Tensor, values: object, *, tolerance: float = 1e-9) -> None:
    """Raise AssertionError unless `values` (B,) are the first output relative to its size."""
    expected = values_of(network, inputs)
    got = np.broadcast_to(np.asarray(values, dtype=float), expected.shape)
    scale = max(1.0, float(np.abs(expected).max()))
    np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance * scale)
