"""Which network a contestant brings to a problem: as stated, as swept, or made to have a number of parameters.

Shape legend: G grid size, K basis functions, P parameters.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise, product, takewhile

from kan_core.errors import SpecError
from kan_core.lab.checks import said_of
from kan_core.lab.contestants import DEFAULT_GRID, MAX_PARAMETERS, Budget, Contestant, Sweep
from kan_core.lab.problems import LabProblem
from kan_core.mlp import MLPSpec
from kan_core.network import NetworkSpec
from kan_core.training import FINEST_GRID

Shape = NetworkSpec | MLPSpec
# hidden widths and a grid size
Choice = tuple[tuple[int, ...], int]
TOLERANCE = 0.05
# of a layer that nothing says how wide to make
DEFAULT_WIDTH = 5


def count_parameters(shape: Shape) -> int:
    """Return how many numbers a fresh network has to learn."""
    if isinstance(shape, MLPSpec):
        return shape.num_parameters
    num_edges = sum(left * right for left, right in pairwise(shape.widths))
    return num_edges * (shape.make_basis().num_functions + (shape.base != "none"))


def network_shape(
    problem: LabProblem, contestant: Contestant, budget: Budget, sweep: Sweep | None = None, value: int | None = None
) -> Shape:
    """Return a contestant's network for a problem, at `value` of what `sweep` varies.

    Where hidden widths are not stated they are the problem's, of an MLP at least one layer of five. A budget of
    parameters is met within 5 % by the grid alone, else by widths in proportion, else by both, the nearest to what was
    stated; widths come first where the grid is stated, and are all that an MLP has. Raises SpecError when nothing meets
    it, or when the network is too large.
    """
    hidden = problem.suggested if contestant.hidden is None else contestant.hidden
    if contestant.model == "mlp" and contestant.hidden is None and not hidden:
        hidden = (DEFAULT_WIDTH,)
    grid_size = DEFAULT_GRID if contestant.grid_size is None else contestant.grid_size
    variable = "" if sweep is None else sweep.variable
    if value is not None and variable == "width":
        hidden = (value,) * max(1, len(hidden))
    if value is not None and variable == "depth":
        hidden = (hidden[0] if hidden else DEFAULT_WIDTH,) * value
    if value is not None and variable == "grid_size":
        grid_size = value
    if budget.parameters is None:
        shape = _make(contestant, problem.num_inputs, hidden, grid_size)
        if count_parameters(shape) > MAX_PARAMETERS:
            raise SpecError(
                f"a network of the lab has at most {MAX_PARAMETERS:,} parameters, received "
                f"{count_parameters(shape):,}: lower its widths or its grid"
            )
        return shape
    return _meet(contestant, problem.num_inputs, hidden, grid_size, budget.parameters)


def check_sizes(
    problems: Sequence[LabProblem], contestants: Sequence[Contestant], budget: Budget, sweep: Sweep | None
) -> None:
    """Raise SpecError unless every contestant has a network for every problem and value."""
    values = (None,) if sweep is None else sweep.values
    for problem, contestant, value in product(problems, contestants, values):
        with said_of(f"{contestant.name} on {problem.name}"):
            network_shape(problem, contestant, budget, sweep, value)


def _make(contestant: Contestant, num_inputs: int, hidden: tuple[int, ...], grid_size: int) -> Shape:
    if contestant.model == "mlp":
        return contestant.mlp_spec(num_inputs, hidden)
    return contestant.kan_spec(num_inputs, hidden, grid_size)


@lru_cache(maxsize=1024)
def _meet(contestant: Contestant, num_inputs: int, hidden: tuple[int, ...], grid_size: int, wanted: int) -> Shape:
    """Return the shape nearest to the stated one whose number of parameters is within 5 % of `wanted`."""

    def size_of(choice: Choice) -> int:
        return count_parameters(_make(contestant, num_inputs, *choice))

    largest = (1 + TOLERANCE) * wanted
    by_width = [
        (widths, grid_size) for widths in takewhile(lambda w: size_of((w, grid_size)) <= largest, _scaled(hidden))
    ]
    if contestant.model == "mlp":
        stages: Sequence[Iterable[Choice]] = [
            by_width,
            ((widths, grid_size) for widths in _uneven(hidden, lambda w: size_of((w, grid_size)) <= largest)),
        ]
    else:
        grids = [size for size in range(1, FINEST_GRID + 1) if _has_grid(contestant, size)]
        by_grid = [(hidden, size) for size in takewhile(lambda g: size_of((hidden, g)) <= largest, grids)]
        both = (
            (widths, size)
            for widths in takewhile(lambda w: size_of((w, grids[0])) <= largest, _scaled(hidden))
            for size in takewhile(lambda g, w=widths: size_of((w, g)) <= largest, grids)
        )
        first, second = (by_grid, by_width) if contestant.grid_size is None else (by_width, by_grid)
        stages = [first, second, both]
    nearest = 0
    for stage in stages:
        found: list[tuple[float, int, Choice]] = []
        for choice in stage:
            size = size_of(choice)
            nearest = min(nearest, size, key=lambda number: abs(number - wanted))
            if abs(size - wanted) <= TOLERANCE * wanted:
                found.append((_distance(choice, (hidden, grid_size)), abs(size - wanted), choice))
        if found:
            return _make(contestant, num_inputs, *min(found)[2])
    made = f"the nearest has {nearest:,}" if nearest else "the smallest has more"
    raise SpecError(
        f"no network of this kind has {wanted:,} parameters within {TOLERANCE:.0%}, {made}: change the budget of "
        "parameters or the hidden widths"
    )


def _has_grid(contestant: Contestant, size: int) -> bool:
    try:
        contestant.kan_spec(1, (), size)
    except SpecError:
        return False
    return True


def _scaled(hidden: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Yield hidden widths in the same proportions, the narrowest first."""
    if hidden:
        largest = max(hidden)
        for width in range(1, 4097):
            yield tuple(max(1, round(one * width / largest)) for one in hidden)


def _uneven(hidden: tuple[int, ...], fits: Callable[[tuple[int, ...]], bool]) -> Iterator[tuple[int, ...]]:
    """Yield hidden widths in proportion but for the last."""
    for widths in takewhile(lambda w: fits((*w[:-1], 1)), _scaled(hidden)):
        yield from takewhile(fits, ((*widths[:-1], last) for last in range(1, 4097)))


def _distance(choice: Choice, stated: Choice) -> float:
    """Return by how much widths and grid differ, as the sum of the logarithms of their ratios."""
    pairs = [*zip(choice[0], stated[0], strict=True), (choice[1], stated[1])]
    return sum(abs(math.log(one / other)) for one, other in pairs)
