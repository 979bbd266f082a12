"""From a point of a spec to the session that trains the same."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pydantic import ValidationError

from kan_core.errors import SpecError
from kan_core.lab import LabPoint, LabSpec, point_shape, point_training
from kan_core.lab.points import num_samples
from kan_core.mlp import MLPSpec
from server.complaints import describe_invalid
from server.rest import SessionRequest

# at which training can be followed: a step of the first is worth many of the last
PACES = {"lm": 6.0, "auto": 6.0, "lbfgs": 12.0, "adam": 120.0}


def session_of(spec: LabSpec, point: LabPoint) -> SessionRequest:
    """Return what a session starts with; raises SpecError with one sentence when no session can hold the point."""
    training = point_training(spec, point)
    request = {
        "data": _data(spec, point),
        "network": _network(spec, point),
        "training": {
            "optimizer": training.optimizer,
            "learning_rate": training.learning_rate,
            "batch_size": training.batch_size,
            "l1": 0.0,
            "entropy": 0.0,
            "steps_per_second": PACES.get(training.optimizer),
            "grids": training.grids,
        },
        "seed": point.seed,
    }
    try:
        return SessionRequest.model_validate(request)
    except ValidationError as error:
        complaint = describe_invalid(error.errors(include_url=False)).rstrip(".")
        raise SpecError(f"no live session can hold this point ({complaint}): open a smaller one") from error


def _network(spec: LabSpec, point: LabPoint) -> dict[str, Any]:
    shape = point_shape(spec, point)
    values = asdict(shape)
    if isinstance(shape, MLPSpec):
        return {"model": "mlp"} | values
    return values


def _data(spec: LabSpec, point: LabPoint) -> dict[str, Any]:
    """Return the source of the same samples that the point has."""
    num_train, problem = num_samples(spec, point), spec.problem(point.problem)
    if problem.expression is None:
        sizes = {"num_train": num_train, "num_test": spec.num_test}
        return {"kind": "catalogue", "name": problem.name, "noise": spec.noise} | sizes
    variables = [{"name": name, "low": low, "high": high} for name, (low, high) in problem.problem.ranges.items()]
    return {
        "kind": "formula",
        "expression": problem.expression,
        "variables": variables,
        "noise": spec.noise,
        "num_samples": num_train + spec.num_test,
        "num_test": spec.num_test,
    }
