"""Constants: their errors, which of them are nice numbers, holding them, and keeping them."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch

from kan_core import (
    KAN,
    EdgeId,
    NetworkSpec,
    Trainer,
    TrainingSpec,
    constants_of,
    fit_normalization,
    fit_ranges,
    fix_symbolic,
    network_formula,
    normal_form,
    prune_edge,
    release_symbolic,
    snap_constant,
    snap_constants,
    unsnap_constant,
)
from kan_core.checkpoint import describe_network, from_bytes, network_tensors, rebuild_network, to_bytes
from kan_core.errors import EdgeError
from kan_core.formula_display import display_formula, evaluate
from kan_core.network_json import network_from_json, network_json
from kan_core.symbolic.edges import edge_form
from kan_core.symbolic.refit import refit
from kan_core.symbolic.snapping import Verdict, find_snaps, refit_fully
from tests.kan_core.symbolic.constants_for_tests import Forms, as_candidate, edge, formula_network, sample_law

LAW: Forms = {
    (0, 0, 0): ("sin", 3.1, 0.05, 0.7, 0.1),
    (0, 1, 0): ("x^2", 1.1, 0.02, 0.6, 0.3),
    (1, 0, 0): ("exp", 1.4, -0.2, 0.8, 0.1),
}


def exp_of_sum(x: torch.Tensor) -> torch.Tensor:
    """Return exp(sin(π x) + y²)."""
    return torch.exp(torch.sin(math.pi * x[:, 0]) + x[:, 1] ** 2)


def texts(found: KAN) -> str:
    return str(network_formula(found, input_names=["x", "y"]).expression)


@pytest.mark.slow
@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_a_law_with_pi_and_2_and_1_reads_exactly(noise: float) -> None:
    data = sample_law(exp_of_sum, noise=noise, num_samples=2000)
    network, snapped = snap_constants(formula_network(data, LAW, widths=(2, 1, 1)), data)
    assert texts(network) == "exp(y**2 + sin(pi*x))"
    assert "π" in {snap.form.text for snap in snapped if snap.form is not None}
    shown = display_formula(network, data.train_inputs, input_names=["x", "y"], output_names=["f"])
    assert shown.text == "f = exp(y^2 + sin(π·x))"
    assert network.num_parameters == 0


@pytest.mark.slow
@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_halves_and_decimals_are_found_and_other_numbers_left(noise: float) -> None:
    def law(x: torch.Tensor) -> torch.Tensor:
        return 9.81 * x[:, 0] + 1.2173 * torch.sin(2.0 * x[:, 1]) + 0.5

    data = sample_law(law, noise=noise, num_samples=30_000)
    start: Forms = {(0, 0, 0): ("x", 1.1, 0.3, 8.0, 1.0), (0, 1, 0): ("sin", 2.1, 0.05, 1.3, 0.0)}
    found = find_snaps(formula_network(data, start), data)
    forms = {(snap.constant.edge, snap.constant.name): snap for snap in found.snaps}
    assert forms[edge(0, 0, 0), "c"].form is not None
    assert edge_form(found.network, edge(0, 0, 0))[3] == pytest.approx(9.81, rel=1e-15)
    assert edge_form(found.network, edge(0, 0, 0))[4] == pytest.approx(0.5, rel=1e-15)
    assert edge_form(found.network, edge(0, 1, 0))[1] == pytest.approx(2.0, rel=1e-15)
    left = forms[edge(0, 1, 0), "c"]
    assert left.verdict is Verdict.NO_NICE_NUMBER
    assert edge_form(found.network, edge(0, 1, 0))[3] == pytest.approx(1.2173, rel=2e-3)


def test_a_constant_near_pi_is_not_taken_for_it_when_held_out_samples_object() -> None:
    data = sample_law(lambda x: torch.sin(3.1413 * x[:, 0]), noise=0.0)
    network, _ = snap_constants(formula_network(data, {(0, 0, 0): ("sin", 3.0, 0.0, 1.0, 0.0)}), data)
    assert edge_form(network, edge(0, 0, 0))[1] == pytest.approx(3.1413, rel=1e-10)


@pytest.mark.slow
def test_standard_errors_are_the_spread_over_repetitions() -> None:
    start: Forms = {(0, 0, 0): ("sin", 3.1, 0.0, 1.0, 0.1), (0, 1, 0): ("tanh", 1.2, 0.2, 2.0, 0.0)}

    def law(x: torch.Tensor) -> torch.Tensor:
        return torch.sin(3.0 * x[:, 0] + 0.3) + 2.0 * torch.tanh(1.3 * x[:, 1] + 0.2) + 5.0

    values: dict[tuple[EdgeId, str], list[float]] = {}
    errors: dict[tuple[EdgeId, str], list[float]] = {}
    for seed in range(40):
        # the same inputs under other noise
        clean = sample_law(law, num_samples=250)
        noise = 0.1 * torch.randn(
            clean.train_targets.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
        )
        data = type(clean)(
            train_inputs=clean.train_inputs,
            train_targets=clean.train_targets + noise,
            test_inputs=clean.test_inputs,
            test_targets=clean.test_targets,
        )
        fitted = refit_fully(formula_network(clean, start), data)
        for one in constants_of(fitted, data):
            # offsets of one sum count together, and d of the second edge is redundant
            values.setdefault((one.edge, one.name), []).append(one.value)
            errors.setdefault((one.edge, one.name), []).append(one.standard_error)
    del values[edge(0, 0, 0), "d"]
    for place, seen in values.items():
        assert np.mean(errors[place]) == pytest.approx(float(np.std(seen, ddof=1)), rel=0.5), place


def test_errors_tell_of_what_the_data_do_not_determine() -> None:
    data = sample_law(lambda x: torch.sin(x[:, 0]), noise=0.01)
    # two equal terms: only their sum counts
    forms: Forms = {(0, 0, 0): ("x", 1.0, 0.0, 1.0, 0.0), (0, 0, 1): ("x", 1.0, 0.0, 1.0, 0.0)}
    forms = {**forms, (1, 0, 0): ("sin", 1.0, 0.0, 0.5, 0.0), (1, 1, 0): ("sin", 1.0, 0.0, 0.5, 0.0)}
    found = constants_of(formula_network(data, forms, widths=(2, 2, 1)), data)
    by_name = {(str(one.edge), one.name): one.standard_error for one in found}
    assert by_name["1.0.0", "c"] == math.inf
    assert by_name["1.0.0", "d"] < 0.1


def test_errors_of_classes_come_from_the_information_they_hold() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(4000, 1, generator=generator, dtype=torch.float64)
    drawn = torch.rand(4000, 1, generator=generator, dtype=torch.float64) < torch.sigmoid(2.0 * x - 0.5)
    clean = sample_law(lambda inputs: inputs[:, 0], num_inputs=1)
    data = type(clean)(
        train_inputs=x, train_targets=drawn.double(), test_inputs=x, test_targets=drawn.double(), task="classification"
    )
    fitted = refit_fully(formula_network(data, {(0, 0, 0): ("x", 1.0, 0.0, 1.0, 0.0)}, widths=(1, 1)), data)
    fitted = normal_form(fitted)
    slope = next(one for one in constants_of(fitted, data) if one.name == "c")
    weights = torch.sigmoid(2.0 * x - 0.5) * torch.sigmoid(0.5 - 2.0 * x)
    design = torch.cat([x, torch.ones_like(x)], dim=1)
    expected = float(torch.linalg.inv(design.T @ (weights * design))[0, 0].sqrt())
    assert slope.standard_error == pytest.approx(expected, rel=0.1)
    assert abs(slope.value - 2.0) < 4.0 * slope.standard_error


def test_a_snapped_constant_stays_through_training_and_an_unsnapped_one_moves() -> None:
    data = sample_law(exp_of_sum, noise=0.05)
    network = snap_constant(formula_network(data, LAW, widths=(2, 1, 1)), edge(0, 0, 0), "a", value=math.pi)
    for optimizer in ("adam", "lbfgs", "lm"):
        trainer = Trainer(network, data, TrainingSpec(optimizer=optimizer))
        for _ in range(25):
            trainer.step()
        assert edge_form(trainer.network, edge(0, 0, 0))[1] == pytest.approx(math.pi, rel=4e-16)
        assert edge_form(trainer.network, edge(0, 0, 0))[3] != edge_form(network, edge(0, 0, 0))[3]
    freed = refit(unsnap_constant(network, edge(0, 0, 0), "a"), data)
    assert freed.num_parameters == network.num_parameters + 1
    assert edge_form(freed, edge(0, 0, 0))[1] != pytest.approx(math.pi, rel=1e-9)


def test_an_offset_at_an_input_is_held_in_original_units() -> None:
    data = sample_law(exp_of_sum, noise=0.05)
    network = snap_constant(formula_network(data, LAW, widths=(2, 1, 1)), edge(0, 0, 0), "b", value=0.0)
    fitted = refit(network, data)
    assert edge_form(fitted, edge(0, 0, 0))[2] == 0.0
    assert edge_form(fitted, edge(0, 0, 0))[1] != edge_form(network, edge(0, 0, 0))[1]


def test_beside_a_curve_an_offset_needs_its_slope_held() -> None:
    data = sample_law(exp_of_sum)
    network = KAN(NetworkSpec(widths=(2, 2, 1)), dtype=torch.float64)
    network = fit_ranges(fit_normalization(network, data), data.train_inputs)
    network = fix_symbolic(network, edge(0, 0, 0), as_candidate("sin", 3.0, 0.1, 1.0, 0.0))
    with pytest.raises(EdgeError, match="snap a first"):
        snap_constant(network, edge(0, 0, 0), "b", value=0.0)
    held = snap_constant(snap_constant(network, edge(0, 0, 0), "a", value=3.0), edge(0, 0, 0), "b", value=0.0)
    assert edge_form(refit(held, data), edge(0, 0, 0))[2] == 0.0
    verdicts = {snap.verdict for snap in find_snaps(network, data).snaps if snap.constant.name == "b"}
    assert verdicts <= {Verdict.MOVES_WITH_A, Verdict.NO_NICE_NUMBER, Verdict.SNAPPED}
    both = unsnap_constant(held, edge(0, 0, 0), "a")
    assert not bool(both.layers[0].held.any())


def test_by_itself_a_constant_goes_to_the_nice_number_near_it() -> None:
    data = sample_law(exp_of_sum)
    network = formula_network(data, {(0, 0, 0): ("sin", 3.1416, 0.0, 1.0, 0.0)})
    assert edge_form(snap_constant(network, edge(0, 0, 0), "a"), edge(0, 0, 0))[1] == pytest.approx(math.pi, rel=4e-16)
    odd = fix_symbolic(network, edge(0, 0, 0), as_candidate("sin", 1.2173, 0.0, 1.0, 0.0))
    with pytest.raises(EdgeError, match=r"none near a=1\.2173 of sin on edge 0\.0\.0: name the value"):
        snap_constant(odd, edge(0, 0, 0), "a")


@pytest.mark.parametrize(("name", "value"), [("a", 0.0), ("c", math.nan), ("b", math.inf), ("e", 1.0)])
def test_a_value_that_cannot_be_held_is_refused(name: str, value: float) -> None:
    data = sample_law(exp_of_sum)
    network = formula_network(data, {(0, 0, 0): ("sin", 3.1, 0.0, 1.0, 0.0)})
    with pytest.raises(EdgeError, match="a constant is"):
        snap_constant(network, edge(0, 0, 0), name, value=value)
    with pytest.raises(EdgeError, match="only a symbolic edge"):
        unsnap_constant(network, edge(0, 1, 0), "a")


def test_checkpoints_and_json_keep_what_is_held() -> None:
    data = sample_law(exp_of_sum, noise=0.01)
    network, _ = snap_constants(formula_network(data, LAW, widths=(2, 1, 1)), data)
    for read in (from_bytes(to_bytes(network)), network_from_json(network_json(network))[0]):
        for one, other in zip(network.layers, read.layers, strict=True):
            assert torch.equal(one.held, other.held)
            assert torch.equal(one.constants, other.constants)
    # those of earlier versions hold nothing
    old = {name: tensor for name, tensor in network_tensors(network).items() if not name.endswith("held")}
    assert not any(bool(layer.held.any()) for layer in rebuild_network(describe_network(network), old).layers)
    document = json.loads(network_json(network))
    for layer in document["layers"]:
        for one in layer["edges"]:
            one.pop("held", None)
    read, _, _ = network_from_json(json.dumps(document))
    assert not any(bool(layer.held.any()) for layer in read.layers)


def test_another_formula_is_held_nowhere() -> None:
    data = sample_law(exp_of_sum)
    network = snap_constant(formula_network(data, LAW, widths=(2, 1, 1)), edge(0, 0, 0), "a", value=3.0)
    assert bool(network.layers[0].held[0, 0, 0])
    assert not bool(fix_symbolic(network, edge(0, 0, 0), as_candidate("cos", 1.0, 0.0, 1.0, 0.0)).layers[0].held.any())
    assert not bool(release_symbolic(network, edge(0, 0, 0)).layers[0].held.any())


def test_a_cut_gives_its_mean_to_an_offset_that_is_free() -> None:
    data = sample_law(lambda x: x[:, 0] + x[:, 1] ** 2)
    forms: Forms = {(0, 0, 0): ("x", 1.0, 0.0, 1.0, 0.0), (0, 1, 0): ("x^2", 1.0, 0.0, 1.0, 0.0)}
    network, _ = snap_constants(formula_network(data, forms), data)
    assert texts(network) == "x + y**2"
    cut = prune_edge(network, edge(0, 1, 0), inputs=data.train_inputs)
    with torch.no_grad():
        assert float((cut(data.train_inputs) - network(data.train_inputs)).mean()) == pytest.approx(0.0, abs=1e-9)


def test_what_the_formula_says_is_what_the_network_computes() -> None:
    import sympy as sp

    data = sample_law(exp_of_sum, noise=0.01)
    network, _ = snap_constants(formula_network(data, LAW, widths=(2, 1, 1)), data)
    expression = network_formula(network, input_names=["x", "y"]).expression
    columns = list(data.test_inputs.numpy().T)
    got = evaluate(expression, [sp.Symbol("x"), sp.Symbol("y")], columns, {})
    with torch.no_grad():
        wanted = network(data.test_inputs)[:, 0].numpy()
    np.testing.assert_allclose(got, wanted, rtol=1e-12)
