"""What a trained network says about the law behind its data before any formula is known.

Symmetries: f depends on two inputs only through their difference, sum, ratio, product or sum of squares where the
derivatives along the lines on which that stays the same vanish. Separations: f is a sum (or a product) of parts without
common inputs where moving inputs of two parts at once does what moving them one after the other does together (the
ideas are those of S.-M. Udrescu and M. Tegmark, AI Feynman, arXiv 1905.11481, with exact derivatives).

Shape legend: B samples, I inputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from kan_core.bases.basis import FloatArray
from kan_core.discovery.composition import PASS, Sheet, Term
from kan_core.discovery.idle import faint_inputs
from kan_core.network import KAN
from kan_core.symbolic.library import FUNCTIONS

Moves = tuple[FloatArray, FloatArray, FloatArray, FloatArray]
Together = Literal["difference", "sum", "ratio", "product", "squares"]
SQUARE, INVERSE = FUNCTIONS["x^2"], FUNCTIONS["1/x"]
# derivatives that cancel to this share of their size are those of a symmetry, of a network that is not exact
CANCELLED = 0.08
# the same for moves, beside five times the network's own error
APART = 1e-3
ERRORS = 5.0
NUM_MOVES = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Symmetry:
    """Inputs `first` < `second` take part only together; `residual` is the share of derivatives that stays."""

    together: Together
    first: int
    second: int
    residual: float

    def sentence(self, names: Sequence[str], target: str) -> str:
        """Return what was found in words."""
        x, y = names[self.first], names[self.second]
        return f"{target} depends on {x} and {y} only through {self.variable(x, y)}."

    def variable(self, x: str, y: str) -> str:
        """Return the variable that takes the place of x and y."""
        joined = {
            "difference": "{} − {}",
            "sum": "{} + {}",
            "ratio": "{}/{}",
            "product": "{}·{}",
            "squares": "{}² + {}²",
        }
        compound = [f"({name})" if " " in name else name for name in (x, y)]
        return joined[self.together].format(*compound)

    def names(self, names: Sequence[str]) -> list[str]:
        """Return the names of the inputs that are left, the joint one last."""
        left = [name for place, name in enumerate(names) if place not in (self.first, self.second)]
        return [*left, self.variable(names[self.first], names[self.second])]

    def reduce(self, inputs: Tensor) -> Tensor:
        """Return inputs (B, I) with the two replaced by the joint one, the last of I - 1."""
        x, y = inputs[:, self.first], inputs[:, self.second]
        joint = {
            "difference": lambda: x - y,
            "sum": lambda: x + y,
            "ratio": lambda: x / y,
            "product": lambda: x * y,
            "squares": lambda: x.square() + y.square(),
        }[self.together]()
        left = [place for place in range(inputs.shape[1]) if place not in (self.first, self.second)]
        return torch.cat([inputs[:, left], joint.unsqueeze(1)], dim=1)

    def sheet(self, inputs: Tensor) -> Sheet:
        """Return the layer that does what `reduce` does; the sign of a divisor is that in `inputs` (B, I)."""
        count = inputs.shape[1]
        left = [place for place in range(count) if place not in (self.first, self.second)]
        terms = dict.fromkeys(enumerate(left), PASS)
        row = len(left)
        if self.together in ("ratio", "product"):
            sign = -1.0 if float(inputs[:, self.second].mean()) < 0.0 else 1.0
            other = Term(INVERSE, a=sign, c=sign) if self.together == "ratio" else PASS
            terms |= {(row, self.first): PASS, (row + 1, self.second): other}
            return Sheet(count, count - 1, 1, terms)
        one = Term(SQUARE) if self.together == "squares" else PASS
        other = PASS.scaled(-1.0) if self.together == "difference" else one
        return Sheet(count, count - 1, 0, {**terms, (row, self.first): one, (row, self.second): other})


def find_symmetries(network: KAN, inputs: Tensor) -> list[Symmetry]:
    """Return what is found of `network` at `inputs` (B, I), the clearest first; at most one for a pair of inputs."""
    gradients, x = input_gradients(network, inputs), inputs.double().numpy()
    found: list[Symmetry] = []
    for first in range(x.shape[1]):
        for second in range(first + 1, x.shape[1]):
            pair = _pair(gradients, x, first, second)
            if pair is not None:
                found.append(pair)
    return sorted(found, key=lambda one: one.residual)


def input_gradients(network: KAN, inputs: Tensor) -> FloatArray:
    """Return ∂f/∂x (B, I) of the first output at `inputs` (B, I)."""
    x = inputs.detach().clone().requires_grad_()
    (gradients,) = torch.autograd.grad(network(x)[:, 0].sum(), x)
    return gradients.double().numpy()


def _pair(gradients: FloatArray, x: FloatArray, first: int, second: int) -> Symmetry | None:
    f, g, u, v = gradients[:, first], gradients[:, second], x[:, first], x[:, second]
    ways: list[tuple[Together, FloatArray, FloatArray]] = [
        ("difference", f, g),
        ("sum", f, -g),
        ("product", u * f, -v * g),
        ("squares", v * f, -u * g),
    ]
    if (v > 0).all() or (v < 0).all():
        ways.append(("ratio", u * f, v * g))
    best = min(ways, key=lambda way: _residual(way[1], way[2]))
    residual = _residual(best[1], best[2])
    if residual > CANCELLED:
        return None
    return Symmetry(together=best[0], first=first, second=second, residual=residual)


def _residual(one: FloatArray, other: FloatArray) -> float:
    """Return the size of one + other as a share of their own; 1 where there is nothing to cancel."""
    size = float(np.sqrt(np.mean(one**2) + np.mean(other**2)))
    return float(np.sqrt(np.mean((one + other) ** 2))) / size if size > 0.0 else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Separation:
    """f is the sum, or `offset` and the product, of functions of these groups of inputs."""

    is_product: bool
    groups: tuple[tuple[int, ...], ...]
    offset: float = 0.0

    def sentence(self, names: Sequence[str], target: str) -> str:
        """Return what was found in words."""
        parts = " and one of ".join(", ".join(names[place] for place in group) for group in self.groups)
        kind = "a product" if self.is_product else "a sum"
        before = "a constant and " if self.offset else ""
        return f"{target} is {before}{kind} of a function of {parts}."


@torch.no_grad()
def find_separation(network: KAN, inputs: Tensor, *, error: float) -> Separation | None:
    """Return how the function of `network` on `inputs` (B, I) falls apart, None when it does not.

    `error` is the network's own, as a share of the function's spread; inputs that do no more than that are no parts of
    their own. With f here, g where both of two inputs are moved, and h and k where one is, a sum has f + g = h + k, a
    product f g = h k, and a product beside a constant c has f g - h k = c (f + g - h - k).
    """
    num_inputs = inputs.shape[1]
    if num_inputs < 2:
        return None
    generator = np.random.default_rng(0)
    rows = torch.from_numpy(generator.integers(len(inputs), size=(2, NUM_MOVES)))
    here, there = inputs[rows[0]], inputs[rows[1]]
    pairs = [(first, second) for first in range(num_inputs) for second in range(first + 1, num_inputs)]
    moves = {pair: _moves(network, here, there, pair) for pair in pairs}
    ways = [Separation(is_product=False, groups=()), Separation(is_product=True, groups=())]
    ways += [Separation(is_product=True, groups=(), offset=_offset(*moves[pair])) for pair in pairs]
    faint = set(faint_inputs(network, inputs, error=error))
    found: list[Separation] = []
    for way in ways:
        linked = [pair for pair in pairs if _interaction(*moves[pair], way) > APART + ERRORS * error]
        groups = _without_faint(_components(num_inputs, linked), faint)
        if len(groups) > 1:
            found.append(replace(way, groups=groups))
            # a constant is looked for only where nothing simpler does
            if not way.offset:
                break
    return max(found, key=lambda one: len(one.groups), default=None)


def _moves(network: KAN, here: Tensor, there: Tensor, pair: tuple[int, int]) -> Moves:
    """Return f at some samples, with both inputs of the pair moved, and with each of them, (M,) each."""
    first, second = pair
    one, other, both = here.clone(), here.clone(), here.clone()
    one[:, first] = both[:, first] = there[:, first]
    other[:, second] = both[:, second] = there[:, second]
    f, g, h, k = (network(x)[:, 0].double().numpy() for x in (here, both, one, other))
    return f, g, h, k


def _offset(f: FloatArray, both: FloatArray, one: FloatArray, other: FloatArray) -> float:
    """Return the constant without which f would be nearest to a product of functions of the two inputs."""
    added, multiplied = f + both - one - other, f * both - one * other
    power = float(added @ added)
    return float(added @ multiplied) / power if power > 0.0 else 0.0


def _interaction(f: FloatArray, both: FloatArray, one: FloatArray, other: FloatArray, way: Separation) -> float:
    """Return what moving two inputs at once does beyond moving each, as a share of what moves do."""
    if not way.is_product:
        difference, size = f + both - one - other, float(f.std())
    else:
        f, both, one, other = (values - way.offset for values in (f, both, one, other))
        difference, size = f * both - one * other, max(float((f * both).std()), float((one * other).std()))
    return float(np.sqrt(np.mean(difference**2))) / max(size, 1e-300)


def _without_faint(groups: tuple[tuple[int, ...], ...], faint: set[int]) -> tuple[tuple[int, ...], ...]:
    """Return the groups, those that hold nothing but `faint` inputs put to the first that holds others."""
    weak = [group for group in groups if faint.issuperset(group)]
    strong = [group for group in groups if group not in weak]
    if not weak or not strong:
        return groups
    first = tuple(sorted((*strong[0], *(place for group in weak for place in group))))
    return tuple(sorted((first, *strong[1:])))


def _components(count: int, linked: Sequence[tuple[int, int]]) -> tuple[tuple[int, ...], ...]:
    """Return the groups of inputs that links hold together, each in order."""
    groups: list[set[int]] = []
    for place in range(count):
        near = {place}.union(*(pair for pair in linked if place in pair))
        touching = [group for group in groups if group & near]
        groups = [*(group for group in groups if not group & near), near.union(*touching)]
    return tuple(sorted(tuple(sorted(group)) for group in groups))
