"""Specs that several tests of the lab run or refuse."""

from __future__ import annotations

from kan_core.lab import LabSpec, PointResult, PointRun, count_parameters, lab_points, parse_spec, point_shape

RACE = """
title = "A race"
question = "Who is first?"
problems = ["exp_sin", "product"]
seeds = [0, 7]
num_train = 60
num_test = 40
[budget]
steps = 3
[[contestants]]
name = "B-spline"
[[contestants]]
name = "Chebyshev, by Adam"
basis = "chebyshev"
optimizer = "adam"
batch_size = 20
[[contestants]]
name = "MLP"
model = "mlp"
hidden = [6, 4]
activation = ["relu", "tanh"]
output_tanh = true
optimizer = "lbfgs"
"""

SWEEP = """
title = "A sweep"
problems = ["exp_sin"]
seeds = [0, 1]
num_train = 60
num_test = 40
[budget]
steps = 2
[[contestants]]
name = "cubic"
hidden = [1]
[sweep]
variable = "grid_size"
values = [8, 4, 16]
"""

CLASSES = """
title = "Classes"
problems = ["moons"]
seeds = [0]
num_train = 60
num_test = 40
[budget]
steps = 3
[[contestants]]
name = "KAN"
[[contestants]]
name = "MLP"
model = "mlp"
[[contestants]]
name = "squeezed"
model = "mlp"
output_tanh = true
"""


def run_all(spec: LabSpec) -> list[PointResult]:
    """Return the results of all points, which must not fail."""
    results: list[PointResult] = []
    for point in lab_points(spec):
        run = PointRun(spec, point)
        while not run.is_done:
            run.step()
        results.append(run.result)
    return results


def planted_results(spec: LabSpec, *, exponent: float = 4.0) -> list[PointResult]:
    """Return results of a sweep whose errors fall by a power law, a few percent of scatter between seeds."""
    return [
        PointResult(
            problem=point.problem,
            contestant=point.contestant,
            seed=point.seed,
            value=point.value,
            parameters=count_parameters(point_shape(spec, point)),
            steps=5,
            seconds=0.1 * (1 + point.seed),
            train_rmse=1.0,
            test_rmse=float(point.value or 1) ** -exponent * (1 + 0.02 * point.seed),
            outcome="ok",
            curve=((0, 0.0, 1.0), (5, 0.1, 0.5)),
        )
        for point in lab_points(spec)
    ]


def race() -> LabSpec:
    """Return a race of three on two problems."""
    return parse_spec(RACE)


def sweep() -> LabSpec:
    """Return a sweep of the grid."""
    return parse_spec(SWEEP)
