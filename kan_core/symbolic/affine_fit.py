"""The best c·f(a·x + b) + d for a curve.

Shape legend: S starts, P points of the curve.

For given a and b, c and d follow by least squares, so a start is judged by its correlation with the curve (variable
projection, G. Golub and V. Pereyra, SIAM J. Numer. Anal. 10, 1973). Many starts are judged at once, the best few are
polished by Levenberg-Marquardt on all free constants. Everything happens on x mapped to [-1, 1] and y to mean 0 and
deviation 1, so results do not depend on units.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kan_core.bases.basis import FloatArray, IndexArray
from kan_core.symbolic.library import Shape, SymbolicFunction

NUM_POLISHED = 3
# a fit that is close is worth polishing to the last digit, one that is not will not become right
MAX_ITERATIONS = 300
MAX_ITERATIONS_AFAR = 50
CLOSE = 1e-4
FREE_CONSTANTS = {
    Shape.CONSTANT: (3,),
    Shape.LINEAR: (2, 3),
    Shape.POWER: (1, 2, 3),
    Shape.KINK: (1, 2, 3),
    Shape.EXPONENTIAL: (0, 2, 3),
    Shape.WAVE: (0, 1, 2, 3),
    Shape.BUMP: (0, 1, 2, 3),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AffineFit:
    """The constants of c·f(a·x + b) + d and the share r2 of the curve's variance that it explains, at most 1."""

    a: float
    b: float
    c: float
    d: float
    r2: float
    unexplained: float


def fit_affine(function: SymbolicFunction, x: FloatArray, y: FloatArray) -> AffineFit | None:
    """Return the best fit of `function` to the curve y(x), both (P,), or None where it has none on its domain."""
    centre, half = (x.max() + x.min()) / 2, (x.max() - x.min()) / 2
    mean, spread = y.mean(), y.std()
    if half <= 0 or not np.isfinite(half) or not np.isfinite(spread):
        return None
    if spread <= 1e-14 * max(1.0, abs(mean)):
        return AffineFit(a=1.0, b=0.0, c=0.0, d=float(mean), r2=1.0, unexplained=0.0)
    t, z = (x - centre) / half, (y - mean) / spread
    with np.errstate(all="ignore"):
        found = _fit_scaled(function, t, z)
    if found is None:
        return None
    (a, b, c, d), unexplained = found
    return AffineFit(
        a=float(a / half),
        b=float(b - a * centre / half),
        c=float(c * spread),
        d=float(d * spread + mean),
        r2=float(1.0 - unexplained),
        unexplained=float(unexplained),
    )


def starts_of(shape: Shape) -> FloatArray:
    """Return the (a, b) that a fit on [-1, 1] begins from, (S, 2)."""
    if shape in (Shape.CONSTANT, Shape.LINEAR):
        return np.array([[1.0, 0.0]])
    if shape is Shape.POWER:
        beyond = 1.0 + np.geomspace(1e-6, 30.0, 30)
        zeros = np.concatenate([-beyond[::-1], np.linspace(-1, 1, 41), beyond])
        return np.array([(sign, -sign * zero) for sign in (1.0, -1.0) for zero in zeros])
    if shape is Shape.KINK:
        return np.array([(1.0, zero) for zero in np.linspace(-1, 1, 257)])
    if shape is Shape.EXPONENTIAL:
        rates = np.geomspace(0.05, 40.0, 24)
        return np.array([(rate, 0.0) for rate in np.concatenate([-rates, rates])])
    if shape is Shape.WAVE:
        rates = np.concatenate([np.geomspace(0.2, 1.0, 5), np.arange(1.4, 34.0, 0.6)])
        return np.array([(rate, phase) for rate in rates for phase in np.arange(4) * np.pi / 4])
    rates = np.geomspace(0.15, 12.0, 14)
    centres = np.concatenate([[-3.0, -1.7], np.linspace(-1.1, 1.1, 12), [1.7, 3.0]])
    steep = [(rate, -rate * centre) for rate in rates for centre in centres]
    # arguments that just fill [-1, 1], for functions that end there
    filling = [
        (rate, share * (1 - rate)) for rate in (0.5, 0.8, 0.95, 0.999) for share in (-0.999, -0.5, 0, 0.5, 0.999)
    ]
    return np.array(steep + filling)


def _fit_scaled(function: SymbolicFunction, t: FloatArray, z: FloatArray) -> tuple[FloatArray, float] | None:
    """Return the constants (4,) and the unexplained share of variance for a curve in scaled coordinates."""
    starts = starts_of(function.shape)
    arguments = starts[:, :1] * t + starts[:, 1:]
    allowed = function.contains(arguments)
    starts, arguments = starts[allowed], arguments[allowed]
    if len(starts) == 0:
        return None
    constants, errors = _project(function, starts, arguments, z)
    order: IndexArray = np.argsort(errors, kind="stable")[:NUM_POLISHED]
    order = order[np.isfinite(errors[order])]
    if len(order) == 0:
        return None
    return _polish(function, constants[order], t, z)


def _project(
    function: SymbolicFunction, starts: FloatArray, arguments: FloatArray, z: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return constants (S, 4) with the best c and d for each start and the mean squared errors (S,)."""
    values = function.numpy_value(arguments)
    centred = values - values.mean(axis=1, keepdims=True)
    power = np.square(centred).mean(axis=1)
    c = np.where(power > 1e-24, (centred * z).mean(axis=1) / np.maximum(power, 1e-300), 0.0)
    d = -c * values.mean(axis=1)
    errors = np.square(c[:, None] * centred - z).mean(axis=1)
    return np.column_stack([starts, c, d]), np.where(np.isfinite(errors), errors, np.inf)


def _polish(
    function: SymbolicFunction, constants: FloatArray, t: FloatArray, z: FloatArray
) -> tuple[FloatArray, float] | None:
    """Improve all rows of constants (S, 4) at once and return the best with its mean squared error."""
    free: IndexArray = np.array(FREE_CONSTANTS[function.shape])
    errors, gradients, curvatures = _model(function, constants, free, t, z)
    damping = np.full(len(constants), 1e-3)
    for iteration in range(MAX_ITERATIONS):
        if iteration >= MAX_ITERATIONS_AFAR and float(errors.min()) > CLOSE:
            break
        scale = np.maximum(np.diagonal(curvatures, axis1=1, axis2=2), 1e-12)
        damped = curvatures + (damping[:, None] * scale)[:, :, None] * np.eye(len(free))
        steps = np.linalg.solve(damped, -gradients[:, :, None])[:, :, 0]
        trial = constants.copy()
        trial[:, free] += np.where(np.isfinite(steps), steps, 0.0)
        trial_errors, trial_gradients, trial_curvatures = _model(function, trial, free, t, z)
        better = trial_errors < errors
        settled = ~better | (errors - trial_errors <= 1e-9 * errors)
        constants = np.where(better[:, None], trial, constants)
        gradients = np.where(better[:, None], trial_gradients, gradients)
        curvatures = np.where(better[:, None, None], trial_curvatures, curvatures)
        errors = np.where(better, trial_errors, errors)
        damping = np.clip(np.where(better, damping * 0.2, damping * 8.0), 1e-14, 1e8)
        if bool((settled & (better | (damping > 1e6))).all()) or float(errors.min()) < 1e-30:
            break
    best = int(np.argmin(errors))
    return (constants[best], float(errors[best])) if np.isfinite(errors[best]) else None


def _model(
    function: SymbolicFunction, constants: FloatArray, free: IndexArray, t: FloatArray, z: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return errors (S,), half gradients (S, F) and Gauss-Newton curvatures (S, F, F); inf error off the domain."""
    a, b, c, d = (constants[:, k : k + 1] for k in range(4))
    arguments = a * t + b
    values, slopes = function.value_and_derivative(arguments)
    residuals = c * values + d - z
    along = c * slopes
    jacobian = np.stack([along * t, along, values, np.ones_like(values)], axis=1)[:, free]
    errors = np.where(function.contains(arguments), np.square(residuals).mean(axis=1), np.inf)
    errors = np.where(np.isfinite(errors), errors, np.inf)
    gradients = np.einsum("sfp,sp->sf", jacobian, residuals) / len(t)
    curvatures = jacobian @ jacobian.transpose(0, 2, 1) / len(t)
    usable = np.isfinite(errors)
    gradients = np.where(usable[:, None], gradients, 0.0)
    curvatures = np.where(usable[:, None, None], curvatures, np.eye(jacobian.shape[1]))
    return errors, gradients, curvatures
