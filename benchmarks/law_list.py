"""The laws of `benchmarks.laws`: an expression and the ranges that its variables are drawn from.

Feynman's are those of S.-M. Udrescu and M. Tegmark (arXiv 1905.11481) without dimensions, as Z. Liu et al. list them
(arXiv 2404.19756, table 2), and some with dimensions. The others stand in textbooks of physics and chemistry.
"""

from __future__ import annotations

import numpy as np
import torch

from kan_core import Dataset
from kan_core.bases.basis import FloatArray
from kan_core.problems import sample_expression

Ranges = dict[str, tuple[float, float]]

NUM_SAMPLES = 1000
NUM_FRESH = 10_000

LAWS: dict[str, tuple[str, Ranges]] = {
    "I.6.2a": ("exp(-t^2/2)/sqrt(2*pi)", {"t": (1, 3)}),
    "I.6.2": ("exp(-(t/s)^2/2)/(sqrt(2*pi)*s)", {"t": (1, 3), "s": (1, 3)}),
    "I.9.18": (
        "a/((b-1)^2+(c-d)^2+(e-f)^2)",
        {"a": (1, 2), "b": (2, 4), "c": (1, 2), "d": (3, 4), "e": (1, 2), "f": (3, 4)},
    ),
    "I.12.11": ("1+a*sin(t)", {"a": (1, 5), "t": (0, 6)}),
    "I.13.12": ("a*(1/b-1)", {"a": (1, 5), "b": (1.5, 5)}),
    "I.15.3x": ("(1-a)/sqrt(1-b^2)", {"a": (-1, 0.9), "b": (-0.8, 0.8)}),
    "I.16.6": ("(a+b)/(1+a*b)", {"a": (-0.8, 0.8), "b": (-0.8, 0.8)}),
    "I.18.4": ("(1+a*b)/(1+a)", {"a": (0.2, 5), "b": (0.2, 5)}),
    "I.26.2": ("asin(n*sin(t))", {"n": (0, 0.99), "t": (0, 1.5)}),
    "I.27.6": ("1/(1+a*b)", {"a": (0.2, 5), "b": (0.2, 5)}),
    "I.29.16": ("sqrt(1+a^2-2*a*cos(t-u))", {"a": (0.2, 3), "t": (0, 3), "u": (0, 3)}),
    "I.30.3": ("sin(n*t/2)^2/sin(t/2)^2", {"n": (1, 3), "t": (0.5, 2.5)}),
    "I.30.5": ("asin(a/n)", {"a": (0.1, 1), "n": (1.05, 5)}),
    "I.37.4": ("1+a+2*sqrt(a)*cos(d)", {"a": (0.1, 5), "d": (0, 6)}),
    "I.40.1": ("n*exp(-a)", {"n": (1, 5), "a": (0, 3)}),
    "I.44.4": ("n*log(a)", {"n": (1, 5), "a": (1, 5)}),
    "I.50.26": ("cos(a)+b*cos(a)^2", {"a": (0, 3), "b": (0, 2)}),
    "II.2.42": ("(a-1)*b", {"a": (1, 5), "b": (1, 5)}),
    "II.6.15a": ("c*sqrt(a^2+b^2)/(4*pi)", {"a": (1, 3), "b": (1, 3), "c": (1, 3)}),
    "II.11.7": ("n*(1+a*cos(t))", {"n": (1, 3), "a": (1, 3), "t": (0, 6)}),
    "II.11.27": ("n*a/(1-n*a/3)", {"n": (0, 1), "a": (0, 2)}),
    "II.35.18": ("n/(exp(a)+exp(-a))", {"n": (1, 3), "a": (-2, 2)}),
    "II.36.38": ("a+a*b", {"a": (1, 3), "b": (1, 3)}),
    "II.38.3": ("a/b", {"a": (1, 5), "b": (1, 5)}),
    "III.9.52": ("a*sin((b-c)/2)^2/((b-c)/2)^2", {"a": (1, 3), "b": (1, 3), "c": (4, 6)}),
    "III.10.19": ("sqrt(1+a^2+b^2)", {"a": (0.5, 3), "b": (0.5, 3)}),
    "III.17.37": ("b*(1+a*cos(t))", {"a": (0.2, 1), "b": (1, 3), "t": (0, 6)}),
    "hello": ("exp(sin(pi*x)+y^2)", {"x": (-1, 1), "y": (-1, 1)}),
    "product": ("x*y", {"x": (-1, 1), "y": (-1, 1)}),
    "kinetic energy": ("m*(u^2+v^2+w^2)/2", {"m": (1, 5), "u": (1, 5), "v": (1, 5), "w": (1, 5)}),
    "gravity": ("9.81*m*n/r^2", {"m": (1, 5), "n": (1, 5), "r": (1, 5)}),
    "pendulum": ("2*pi*sqrt(l/g)", {"l": (0.1, 2), "g": (5, 15)}),
    "projectile": ("v^2*sin(2*t)/9.81", {"v": (1, 20), "t": (0.1, 1.5)}),
    "lens": ("1/(1/a-1/b)", {"a": (1, 2), "b": (3, 6)}),
    "resistors": ("a*b/(a+b)", {"a": (1, 10), "b": (1, 10)}),
    "Planck": ("x^3/(exp(x)-1)", {"x": (0.5, 8)}),
    "damped wave": ("exp(-a*t)*cos(w*t)", {"a": (0.1, 1), "t": (0, 3), "w": (1, 3)}),
    "Lorentz factor": ("1/sqrt(1-v^2)", {"v": (-0.9, 0.9)}),
    "logistic growth": ("k/(1+exp(-r*t))", {"k": (1, 5), "r": (0.5, 2), "t": (-2, 2)}),
    "ideal gas": ("n*t/v", {"n": (1, 3), "t": (1, 3), "v": (1, 3)}),
    "Reynolds": ("a*b*c/d", {"a": (1, 3), "b": (1, 3), "c": (1, 3), "d": (1, 3)}),
    "distance": ("sqrt((a-b)^2+(c-d)^2)", {"a": (0, 1), "b": (2, 3), "c": (0, 1), "d": (2, 3)}),
    "Arrhenius": ("a*exp(-b/t)", {"a": (1, 5), "b": (1, 3), "t": (0.5, 3)}),
    "Michaelis-Menten": ("v*s/(k+s)", {"v": (1, 5), "s": (0.1, 5), "k": (0.5, 3)}),
    "black body": ("5.67*e*t^4", {"e": (0.1, 1), "t": (0.5, 2)}),
    "escape velocity": ("sqrt(2*m/r)", {"m": (1, 5), "r": (1, 5)}),
}


def sample_law(name: str, *, noise: float, seed: int) -> Dataset:
    """Return `NUM_SAMPLES` samples of a law to train on, and as many fresh ones without noise to test.

    `noise` is the deviation of Gaussian noise in the targets as a share of their own.
    """
    expression, ranges = LAWS[name]
    return sample_expression(expression, ranges, seed=seed, num_train=NUM_SAMPLES, num_test=NUM_FRESH, noise=noise)


def negatives(seed: int) -> dict[str, Dataset]:
    """Return samples behind which there is no simple law: noise, a function of many kinks, a random spline."""
    generator = np.random.default_rng(seed)
    x = generator.uniform(-1.0, 1.0, (NUM_SAMPLES + NUM_FRESH, 2))
    corners, weights = generator.uniform(-0.9, 0.9, 7), generator.normal(size=7)
    heights = generator.normal(size=12)
    centres = np.linspace(-1.0, 1.0, 12)
    targets = {
        "pure noise": generator.normal(size=len(x)),
        "kinks": (np.abs(x[:, :1] - corners) * weights).sum(axis=1) + np.abs(x[:, 1] - x[:, 0] ** 2),
        "random spline": _cubic_sum(x[:, 0], centres, heights)
        * (1.0 + 0.5 * _cubic_sum(x[:, 1], centres, heights[::-1])),
    }
    return {name: _split(x, y) for name, y in targets.items()}


def _cubic_sum(x: FloatArray, centres: FloatArray, heights: FloatArray) -> FloatArray:
    """Return Σ h_k B((x - c_k)/w), B the cubic B-spline on even knots of spacing w."""
    u = np.abs((x[:, None] - centres) / (centres[1] - centres[0]))
    near, far = (4.0 - 6.0 * u**2 + 3.0 * u**3) / 6.0, (2.0 - u) ** 3 / 6.0
    return np.where(u < 1.0, near, np.where(u < 2.0, far, 0.0)) @ heights


def _split(x: FloatArray, y: FloatArray) -> Dataset:
    inputs, targets = torch.from_numpy(x), torch.from_numpy(y)[:, None]
    return Dataset(
        train_inputs=inputs[:NUM_SAMPLES],
        train_targets=targets[:NUM_SAMPLES],
        test_inputs=inputs[NUM_SAMPLES:],
        test_targets=targets[NUM_SAMPLES:],
        input_names=("x", "y"),
        output_names=("z",),
    )
