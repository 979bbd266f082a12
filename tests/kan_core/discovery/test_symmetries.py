"""What a trained network says about inputs that take part only together, and about parts."""

from __future__ import annotations

import pytest
import torch

from kan_core import KAN, Dataset, NetworkSpec, train
from kan_core.discovery.composition import assemble
from kan_core.discovery.symmetries import Separation, find_separation, find_symmetries
from kan_core.problems import sample_expression

pytestmark = pytest.mark.slow


def trained(expression: str, names: str, low: float, high: float) -> tuple[KAN, Dataset]:
    data = sample_expression(expression, dict.fromkeys(names, (low, high)), num_train=600, seed=1)
    n = len(names)
    network = KAN(NetworkSpec(widths=(n, 2 * n + 1, 1)), dtype=torch.float64)
    return train(network, data, max_steps=120).network, data


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("sin(a - b)*c", "f depends on a and b only through a − b."),
        ("exp((a + b)/4) + c^2", "f depends on a and b only through a + b."),
        ("log(a/b)^2 + c", "f depends on a and b only through a/b."),
        ("sin(a*b)/c", "f depends on a and b only through a·b."),
        ("sqrt(a^2 + b^2)*c", "f depends on a and b only through a² + b²."),
    ],
)
def test_what_takes_part_only_together_is_found(expression: str, sentence: str) -> None:
    network, data = trained(expression, "abc", 0.6, 2.0)
    symmetry = find_symmetries(network, data.train_inputs)[0]
    assert symmetry.sentence(("a", "b", "c"), "f") == sentence
    assert symmetry.names(("a", "b", "c")) == ["c", sentence.split("through ")[1].rstrip(".")]
    # the layer does what the reduction does
    sheet = symmetry.sheet(data.train_inputs)
    reduced = symmetry.reduce(data.train_inputs)
    outputs = assemble([sheet], data.train_inputs)(data.train_inputs)
    torch.testing.assert_close(outputs, reduced, rtol=1e-12, atol=1e-12)


def test_a_function_without_symmetry_has_none() -> None:
    network, data = trained("sin(2*a) + a*b^2 + c*a", "abc", 0.6, 2.0)
    assert find_symmetries(network, data.train_inputs) == []


def test_a_ratio_of_negative_numbers_keeps_its_sign() -> None:
    data = sample_expression("a/b + 0*c", {"a": (-2, 2), "b": (-2, -0.5), "c": (0, 1)}, seed=0)
    network = KAN(NetworkSpec(widths=(3, 7, 1)), dtype=torch.float64)
    network = train(network, data, max_steps=120).network
    symmetry = next(one for one in find_symmetries(network, data.train_inputs) if (one.first, one.second) == (0, 1))
    assert symmetry.together == "ratio"
    outputs = assemble([symmetry.sheet(data.train_inputs)], data.train_inputs)(data.train_inputs)
    torch.testing.assert_close(outputs, symmetry.reduce(data.train_inputs), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("sin(2*a)*c + b^2", Separation(is_product=False, groups=((0, 2), (1,)))),
        ("(a + b^2)*exp(-c)", Separation(is_product=True, groups=((0, 1), (2,)))),
        ("sin(a*b*c)", None),
    ],
)
def test_parts_of_sums_and_products_are_found(expression: str, expected: Separation | None) -> None:
    network, data = trained(expression, "abc", 0.6, 2.0)
    assert find_separation(network, data.train_inputs, error=1e-3) == expected


def test_a_product_beside_a_constant_is_found_with_it() -> None:
    network, data = trained("2 + (a + b)*exp(-c)", "abc", 0.6, 2.0)
    found = find_separation(network, data.train_inputs, error=1e-3)
    assert found is not None
    assert (found.is_product, found.groups) == (True, ((0, 1), (2,)))
    assert found.offset == pytest.approx(2.0, rel=0.02)
    words = "f is a constant and a product of a function of a, b and one of c."
    assert found.sentence(("a", "b", "c"), "f") == words


def test_a_separation_is_said_in_words() -> None:
    found = Separation(is_product=True, groups=((0, 1), (2,)))
    assert found.sentence(("a", "b", "c"), "F") == "F is a product of a function of a, b and one of c."
