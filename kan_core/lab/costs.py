"""How long a spec will take, about: from sizes and steps, and short measurements of this machine.

Shape legend: B samples, U hidden units, G grid size, P parameters.

The numbers are fitted to single steps from 300 to 3,000 samples and 50 to 800 parameters. Trainings that converge
before their budget is spent take less.
"""

from __future__ import annotations

from kan_core.lab.contestants import Contestant
from kan_core.lab.machine import this_machine
from kan_core.lab.points import LabPoint, lab_points, num_samples, point_shape, say_unreachable, swept_grids
from kan_core.lab.sizes import Shape, count_parameters
from kan_core.lab.spec import LabSpec
from kan_core.mlp import MLPSpec
from kan_core.network import NetworkSpec
from kan_core.optimizers.levenberg_marquardt import is_affordable
from kan_core.recipe import POLISH_STEPS
from kan_core.refinement import GRIDS_OF_FINALISTS, TRAIN_STEPS
from kan_core.starts import (
    COARSE_GRID,
    FINAL_STEPS,
    MAX_START_SAMPLES,
    MAX_STARTS,
    NUM_FINALISTS,
    NUM_STARTS,
    START_STEPS,
    STARTS_PER_LAYER,
)

# seconds a step, and more for every B·P, B·P² and P³
STEP = {"adam": 3.5e-4, "lbfgs": 8.5e-4, "lm": 1.2e-3}
PER_PRODUCT = {"adam": 1.3e-9, "lbfgs": 2e-9, "lm": 2e-9}
PER_CURVATURE, PER_SOLUTION = 5.2e-11, 1.2e-11
# of MLPs instead, whose step of Levenberg-Marquardt makes a dense Jacobian (B, P)
MLP_STEP = {"adam": 2e-4, "lbfgs": 4e-4, "lm": 5e-4}
PER_JACOBIAN = 1.2e-8
# more for every B·U by what σ costs, in a step of Adam, and how often other steps evaluate it as much
PER_UNIT = {"relu": 5e-9, "tanh": 1e-8, "leaky_relu": 1.5e-8, "sigmoid": 1.5e-8, "silu": 2e-8, "gelu": 5e-8}
EVALUATIONS = {"adam": 1.0, "lbfgs": 1.5, "lm": 3.7}
SECONDS_OF_MAKING = 0.01
# a piece of the recipe is one step of Levenberg-Marquardt, or ten of L-BFGS
LBFGS_STEPS = 10
# of networks with one hidden layer at most, whose steps soon find nothing more
STEPS_PER_GRID = 20
# besides its step, a piece measures errors of a new network
SECONDS_PER_PIECE = 2e-3
# how much finer than stated a grid the recipe may end with
REFINEMENTS = (1, 2, 4)


def estimate_seconds(spec: LabSpec) -> float:
    """Return the processor seconds that all points together may take, to within a factor of a few."""
    of_one_seed = (point_seconds(spec, point) for point in lab_points(spec) if point.seed == spec.seeds[0])
    return len(spec.seeds) * sum(of_one_seed)


def point_seconds(spec: LabSpec, point: LabPoint) -> float:
    """Return the processor seconds that a point may take."""
    contestant, shape = spec.contestant(point.contestant), point_shape(spec, point)
    if say_unreachable(spec, point):
        return SECONDS_OF_MAKING
    num_train, steps = num_samples(spec, point), contestant.steps or spec.budget.steps
    if contestant.optimizer == "auto" and isinstance(shape, NetworkSpec):
        grids = _grids(spec, point, shape)
        seconds = _recipe_seconds(contestant, shape, grids, num_train, steps)
    else:
        seconds = (steps or 0) * _step_seconds(shape, contestant.optimizer, num_train)
    seconds *= this_machine().factor()
    if spec.budget.seconds is not None:
        seconds = spec.budget.seconds if contestant.steps is None else min(seconds, spec.budget.seconds)
    return seconds + SECONDS_OF_MAKING


def _step_seconds(shape: Shape, optimizer: str, num_samples: int) -> float:
    size = count_parameters(shape)
    optimizer = "lbfgs" if optimizer == "lm" and not is_affordable(size, num_samples) else optimizer
    seconds = (MLP_STEP if isinstance(shape, MLPSpec) else STEP)[optimizer] + PER_PRODUCT[
        optimizer
    ] * num_samples * size
    if optimizer == "lm":
        seconds += PER_CURVATURE * num_samples * size**2 + PER_SOLUTION * size**3
    if isinstance(shape, MLPSpec):
        units = zip(shape.widths[1:-1], shape.activations, strict=True)
        seconds += EVALUATIONS[optimizer] * num_samples * sum(width * PER_UNIT[name] for width, name in units)
        seconds += PER_JACOBIAN * num_samples * size if optimizer == "lm" else 0.0
    return seconds


def _grids(spec: LabSpec, point: LabPoint, shape: NetworkSpec) -> tuple[int, ...]:
    """Return the grids that the recipe may go through."""
    swept = swept_grids(spec, point)
    if swept is not None:
        return swept
    if spec.budget.parameters is not None:
        return (shape.grid_size,)
    return tuple(factor * max(shape.grid_size, COARSE_GRID) for factor in REFINEMENTS)


def _recipe_seconds(
    contestant: Contestant, shape: NetworkSpec, grids: tuple[int, ...], num_samples: int, max_steps: int | None
) -> float:
    num_hidden, num_few = len(shape.widths) - 2, min(num_samples, MAX_START_SAMPLES)
    starts = min(NUM_STARTS + STARTS_PER_LAYER * (num_hidden - 1), MAX_STARTS) if num_hidden else 1
    pieces = [(grids[0], starts * START_STEPS, num_few)]
    if num_hidden > 1:
        # deep networks take all their steps, and the best few starts go on side by side for a while
        pieces.append((grids[0], NUM_FINALISTS * (FINAL_STEPS - START_STEPS), num_few))
        sides = [NUM_FINALISTS if place < GRIDS_OF_FINALISTS else 1 for place in range(len(grids))]
        pieces += [(size, side * TRAIN_STEPS, num_samples) for size, side in zip(grids, sides, strict=True)]
        pieces.append((grids[-1], POLISH_STEPS, num_samples))
    else:
        pieces += [(size, STEPS_PER_GRID, num_samples) for size in (*grids, grids[-1])]
    left, seconds = max_steps or sum(steps for _, steps, _ in pieces), 0.0
    for size, steps, samples in pieces:
        sized = contestant.kan_spec(shape.widths[0], shape.widths[1:-1], size)
        is_lm = is_affordable(count_parameters(sized), samples)
        one = _step_seconds(sized, "lm", samples) if is_lm else LBFGS_STEPS * _step_seconds(sized, "lbfgs", samples)
        seconds += min(steps, left) * (one + SECONDS_PER_PIECE)
        left -= min(steps, left)
    return seconds
