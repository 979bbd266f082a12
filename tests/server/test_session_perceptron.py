"""A session whose network is a perceptron."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from safetensors.torch import load, save

from kan_core import KAN
from kan_core.activations import ACTIVATIONS
from kan_core.mlp import MLP
from server.complaints import describe_invalid
from server.kan_model import KanModel
from server.messages import (
    Act,
    CatalogueSource,
    Constants,
    CutWeak,
    EdgeRef,
    Explain,
    Export,
    ExportedEvent,
    FormulaSource,
    Inspect,
    JudgeFormula,
    Lock,
    MeasureCut,
    NetworkSettings,
    Pause,
    PerceptronSettings,
    Predict,
    PredictionEvent,
    Prune,
    Redo,
    Refine,
    Release,
    Reset,
    Residuals,
    ResidualsEvent,
    Restore,
    SetData,
    SetNetwork,
    SetTraining,
    ShortQuery,
    Simplify,
    SnapConstant,
    SnapConstants,
    Step,
    StructureEvent,
    Suggest,
    SwapBasis,
    SymbolicForm,
    Symbolify,
    TrainingChange,
    TrainingSettings,
    TryCandidate,
    Undo,
    UnsnapConstant,
    VariableRange,
)
from server.refusal import Refusal
from server.rest import SessionRequest
from server.session import Session

EDGE = EdgeRef(layer=0, source=0, target=0)
SINE = SymbolicForm(function="sin", a=3.0, b=0.1, c=1.0, d=0.0)
SETTINGS: Mapping[str, Any] = {
    "model": "mlp",
    "widths": [2, 3, 4, 1],
    "activation": ["tanh", "relu"],
    "output_tanh": True,
}


def perceptron(**changes: Any) -> PerceptronSettings:
    return PerceptronSettings.model_validate({**SETTINGS, **changes})


def session_of(settings: PerceptronSettings | None = None, *, optimizer: str = "lm", seed: int = 0) -> Session:
    training = TrainingSettings.model_validate({"optimizer": optimizer, "steps_per_second": None})
    return Session.create("s", network=settings or perceptron(), training=training, seed=seed)


def do_steps(session: Session, count: int) -> None:
    session.act(Step(count=count))
    session.advance(math.inf, 0.0)


def mlp_of(session: Session) -> MLP:
    assert isinstance(session.network, MLP)
    return session.network


@pytest.mark.parametrize("optimizer", ["lm", "lbfgs", "adam"])
def test_it_learns_by_every_optimizer_that_suits(optimizer: str) -> None:
    session = session_of(optimizer=optimizer)
    before = session.frame().test_rmse
    do_steps(session, 40)
    points = session.losses.points
    assert (session.num_steps, session.status.state) == (40, "paused")
    assert session.frame().test_rmse < 0.7 * before
    assert points[-1].test == pytest.approx(session.frame().test_rmse)
    assert points[-1].seconds > points[0].seconds > 0


def test_the_structure_is_that_of_the_settings() -> None:
    session = session_of()
    structure = session.snapshot().structure
    assert structure.network == perceptron()
    assert structure.num_parameters == 3 * 3 + 4 * 4 + 5
    assert [(edge.layer, edge.target, edge.source) for edge in structure.edges] == [
        (layer, target, source)
        for layer, (sources, targets) in enumerate([(2, 3), (3, 4), (4, 1)])
        for target in range(targets)
        for source in range(sources)
    ]
    assert {edge.kind for edge in structure.edges} == {"weight"}
    assert structure.num_bytes > 0
    assert session.snapshot().formula.text == "f = (tanh ∘ W₂ ∘ ReLU ∘ W₁ ∘ tanh ∘ W₀)(x)"


def test_frames_hold_weights_and_the_function_of_every_node_over_what_arrives() -> None:
    session = session_of()
    do_steps(session, 3)
    frame, mlp = session.frame(), mlp_of(session)
    assert frame.weights is not None
    assert frame.grids is not None
    weights = np.concatenate([layer.weight.detach().numpy().ravel() for layer in mlp.layers])
    np.testing.assert_allclose(frame.weights, weights, rtol=1e-6)
    assert frame.values.shape == frame.grids.shape == (3 + 4 + 1, 64)
    with torch.no_grad():
        nodes = (session.data.dataset.train_inputs.double() - mlp.input_shift) / mlp.input_scale
        first = mlp.layers[0](nodes)
        second = mlp.layers[1](torch.tanh(first))
    np.testing.assert_allclose(frame.grids[:3, 0], first.amin(dim=0), rtol=1e-5)
    np.testing.assert_allclose(frame.grids[3:7, -1], second.amax(dim=0), rtol=1e-5)
    np.testing.assert_allclose(frame.values[:3], np.tanh(frame.grids[:3]), atol=1e-6)
    np.testing.assert_allclose(frame.values[3:7], np.maximum(frame.grids[3:7], 0.0), atol=1e-6)
    # outputs are in the data's units
    scale, shift = float(mlp.output_scale), float(mlp.output_shift)
    np.testing.assert_allclose(frame.values[7], shift + scale * np.tanh(frame.grids[7]), atol=1e-5)
    assert frame.importance.shape == weights.shape
    assert (frame.importance.min() >= 0, frame.importance.max()) == (True, 1.0)


def test_a_weight_of_zero_has_no_importance() -> None:
    session = session_of(perceptron(activation="silu", output_tanh=False))
    with torch.no_grad():
        mlp_of(session).layers[0].weight[1, 0] = 0.0
    frame = session.frame()
    assert frame.importance[2] == 0.0
    assert (frame.importance == 0.0).sum() == 1


@pytest.mark.parametrize("activation", list(ACTIVATIONS))
def test_sessions_begin_alike_from_the_same_seed(activation: str) -> None:
    first, second = (session_of(perceptron(activation=activation)) for _ in range(2))
    other = session_of(perceptron(activation=activation), seed=1)
    do_steps(first, 2)
    do_steps(second, 2)
    do_steps(other, 2)
    assert first.losses.points[-1].test == second.losses.points[-1].test != other.losses.points[-1].test


def test_it_sees_the_data_that_a_kan_of_the_same_seed_sees() -> None:
    kan = Session.create("k", seed=4, data_seed=2)
    mlp = Session.create("m", network=perceptron(), seed=9, data_seed=2)
    assert torch.equal(kan.data.dataset.train_inputs, mlp.data.dataset.train_inputs)
    assert (kan.data.info.seed, mlp.data.info.seed, mlp.snapshot().structure.seed) == (2, 2, 9)


RENEWALS: list[Act] = [
    Reset(),
    Reset(new_seed=True),
    SetData(source=CatalogueSource(name="product")),
    SetData(source=CatalogueSource(name="moons")),
    SetData(
        source=FormulaSource(
            expression="x + sin(x)", variables=[VariableRange(name="x", low=-1, high=2)], noise=0.1, num_samples=50
        )
    ),
]


@given(seeds=st.tuples(*[st.integers(0, 2**31 - 1)] * 3), renewals=st.lists(st.sampled_from(RENEWALS), max_size=4))
@pytest.mark.slow
def test_whatever_is_renewed_lanes_see_the_same_samples(seeds: tuple[int, int, int], renewals: list[Act]) -> None:
    data_seed, first, second = seeds
    kan = Session.create("k", seed=first, data_seed=data_seed, network=NetworkSettings(widths=[2, 1]))
    mlp = Session.create("m", seed=second, data_seed=data_seed, network=perceptron(output_tanh=False))
    for act in [None, *renewals]:
        for session in (kan, mlp):
            if act is not None:
                session.act(act)
        assert kan.snapshot().data == mlp.snapshot().data
        for name in ("train_inputs", "train_targets", "test_inputs", "test_targets"):
            assert torch.equal(getattr(kan.data.dataset, name), getattr(mlp.data.dataset, name))


@pytest.mark.parametrize(
    "act",
    [
        Prune(edges=[EDGE]),
        CutWeak(threshold=0.5),
        Restore(edge=EDGE),
        Refine(grid_size=10),
        Symbolify(edge=EDGE, form=SINE),
        Release(edge=EDGE),
        Lock(edge=EDGE, locked=True),
        SnapConstant(edge=EDGE, name="a"),
        SnapConstants(),
        UnsnapConstant(edge=EDGE, name="a"),
        SwapBasis(edge=EDGE, basis="chebyshev"),
        Explain(),
        SetTraining(change=TrainingChange(optimizer="auto")),
        SetTraining(change=TrainingChange(l1=0.1)),
    ],
)
def test_what_is_for_kans_is_refused_in_one_sentence(act: Act) -> None:
    session = session_of()
    do_steps(session, 2)
    before, frame = session.snapshot(), session.frame()
    with pytest.raises(Refusal, match=r"perceptron.*received") as caught:
        session.act(act)
    assert caught.value.code == "not_for_perceptrons"
    assert caught.value.sentence.count(". ") == 0
    assert session.snapshot() == before
    assert session.frame().test_rmse == frame.test_rmse
    do_steps(session, 1)


@pytest.mark.parametrize(
    "query",
    [
        Inspect(edge=EDGE),
        Suggest(edge=EDGE),
        MeasureCut(edges=[EDGE]),
        JudgeFormula(),
        Constants(),
        *(Export(format=one) for one in ("sympy", "numpy", "excel", "json")),
    ],
)
def test_what_is_asked_of_kans_is_refused(query: ShortQuery) -> None:
    with pytest.raises(Refusal, match="perceptron") as caught:
        session_of().query(query)
    assert caught.value.code == "not_for_perceptrons"


def test_it_is_taken_away_as_torch_onnx_and_latex() -> None:
    session = session_of(perceptron(activation=["gelu", "silu"]))
    do_steps(session, 3)
    inputs = session.data.dataset.test_inputs.double()
    expected = session.network(inputs).detach()
    written, model, latex = (session.query(Export(format=one)) for one in ("pytorch", "onnx", "latex"))
    assert isinstance(written, ExportedEvent)
    assert isinstance(model, ExportedEvent)
    assert isinstance(latex, ExportedEvent)
    module: dict[str, Any] = {}
    exec(written.text, module)
    assert torch.equal(module["Network"]()(inputs), expected)
    assert module["INPUT_NAMES"] == session.data.info.input_names
    runtime = onnxruntime.InferenceSession(base64.b64decode(model.base64), providers=["CPUExecutionProvider"])
    outputs = np.asarray(runtime.run(None, {"inputs": inputs.numpy()})[0])
    np.testing.assert_allclose(outputs, expected.numpy(), rtol=1e-10, atol=1e-12)
    assert latex.text == session.snapshot().formula.latex
    stem = written.file_name.removesuffix(".py")
    assert (model.file_name, latex.file_name) == (f"{stem}.onnx", f"{stem}.tex")


@pytest.mark.parametrize("query", [Simplify(), TryCandidate(edge=EDGE, form=SINE, revision=1, step=0)])
def test_long_questions_for_kans_are_refused(query: Simplify | TryCandidate) -> None:
    with pytest.raises(Refusal, match="perceptron") as caught:
        session_of().begin(query)
    assert caught.value.code == "not_for_perceptrons"


def test_predictions_and_residuals_are_those_of_the_perceptron() -> None:
    session = session_of()
    do_steps(session, 5)
    prediction = session.query(Predict(x_input=0, y_input=1, resolution=5))
    residuals = session.query(Residuals())
    assert isinstance(prediction, PredictionEvent)
    assert isinstance(residuals, ResidualsEvent)
    point = torch.tensor([[prediction.x[3], prediction.y[1]]], dtype=torch.float64)
    assert prediction.network[1][3] == pytest.approx(float(mlp_of(session)(point).detach()))
    errors = np.subtract(residuals.predictions, residuals.targets)
    assert 0.5 < float(np.sqrt(np.square(errors).mean())) / session.frame().test_rmse < 2


def test_a_checkpoint_brings_it_back_bit_by_bit() -> None:
    session = session_of()
    do_steps(session, 6)
    session.act(Pause())
    again = Session.from_bytes(session.to_bytes())
    assert again.snapshot() == session.snapshot()
    for left, right in zip(mlp_of(session).state_dict().values(), mlp_of(again).state_dict().values(), strict=True):
        assert torch.equal(left, right)
    assert again.frame().seconds == session.frame().seconds > 0
    do_steps(again, 1)
    assert again.num_steps == 7


def test_checkpoints_of_kans_from_before_there_were_perceptrons_are_read() -> None:
    session = Session.create("s", network=NetworkSettings(widths=[2, 2, 1]))
    do_steps(session, 2)
    content = session.to_bytes()
    size = int.from_bytes(content[:8], "little")
    metadata = json.loads(content[8 : 8 + size])["__metadata__"]
    described = json.loads(metadata["session"])
    del described["network"]["model"], described["seconds"]
    described["losses"] = [point[:3] for point in described["losses"]]
    metadata["session"] = json.dumps(described)
    again = Session.from_bytes(save(load(content), metadata))
    assert again.record.network == NetworkSettings(widths=[2, 2, 1])
    assert [point.step for point in again.losses.points] == [1, 2]


def test_a_session_goes_from_a_kan_to_a_perceptron_and_back() -> None:
    session = Session.create("s", network=NetworkSettings(widths=[2, 2, 1]))
    do_steps(session, 2)
    events = session.act(SetNetwork(network=perceptron()))
    structure = next(event.structure for event in events if isinstance(event, StructureEvent))
    assert structure.network == perceptron()
    assert (session.num_steps, session.frame().seconds) == (0, 0.0)
    do_steps(session, 2)
    session.act(Reset())
    assert isinstance(session.network, MLP)
    session.act(SetNetwork(network=NetworkSettings(widths=[2, 2, 1])))
    assert isinstance(session.network, KAN)
    do_steps(session, 2)


def test_auto_has_to_be_left_before_a_perceptron_is_started() -> None:
    session = Session.create(
        "s", network=NetworkSettings(widths=[2, 2, 1]), training=TrainingSettings(optimizer="auto")
    )
    with pytest.raises(Refusal, match="choose Levenberg-Marquardt, L-BFGS or Adam"):
        session.act(SetNetwork(network=perceptron()))
    assert isinstance(session.network, KAN)
    do_steps(session, 1)


def test_a_law_takes_the_place_of_a_perceptron_and_undo_brings_it_back() -> None:
    session = session_of()
    do_steps(session, 3)
    weights = [tensor.clone() for tensor in mlp_of(session).state_dict().values()]
    law = Session.create("k", network=NetworkSettings(widths=[2, 2, 1])).network
    session.history.push(session._now_entry())  # pyright: ignore[reportPrivateUsage]
    session._adopt(law, "law 1 of the search")  # pyright: ignore[reportPrivateUsage]
    assert isinstance(session.network, KAN)
    assert session.num_steps == 3
    do_steps(session, 2)
    again = Session.from_bytes(session.to_bytes())
    for one in (session, again):
        one.act(Undo())
        assert one.num_steps == 5
        assert all(torch.equal(a, b) for a, b in zip(weights, mlp_of(one).state_dict().values(), strict=True))
        do_steps(one, 1)
        one.act(Redo())
        assert isinstance(one.network, KAN)
        assert one.snapshot().structure.edges[0].kind == "spline"


def test_other_data_keep_the_hidden_layers() -> None:
    session = session_of()
    session.act(SetData(source=CatalogueSource(name="j0")))
    assert session.snapshot().structure.network == perceptron(widths=[1, 3, 4, 1])
    session.act(SetData(source=CatalogueSource(name="exp_sin"), hidden=[5]))
    assert session.snapshot().structure.network == perceptron(widths=[2, 5, 1], activation="tanh")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"widths": [3, 4, 1]}, "The data have 2 inputs"),
        ({"widths": [2, 64, 64, 64, 1], "activation": "relu"}, "at most 4500 weights here"),
        ({"widths": [2, 4, 1]}, "activation is one name, or a name for each of 1 hidden layer"),
    ],
)
def test_shapes_that_cannot_be_are_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Refusal, match=sentence):
        session_of(perceptron(**changes))


@pytest.mark.parametrize(
    ("network", "sentence"),
    [
        ({"model": "cnn"}, "network has as its model 'kan' or 'mlp', received {\"model\": \"cnn\"}."),
        (
            {"model": "mlp", "widths": [2, 65, 1]},
            "network.widths has at most 64 nodes a layer above the inputs, received [2, 65, 1].",
        ),
        ({"widths": [2, 33, 1]}, "network.widths has at most 32 nodes a layer above the inputs, received [2, 33, 1]."),
    ],
)
def test_bad_settings_are_named(network: object, sentence: str) -> None:
    with pytest.raises(ValidationError) as caught:
        SessionRequest.model_validate({"network": network})
    assert describe_invalid(caught.value.errors()) == sentence


def test_the_model_of_a_kan_keeps_any_penalty() -> None:
    network = Session.create("s", network=NetworkSettings(widths=[2, 1])).network
    assert isinstance(network, KAN)
    KanModel(network).check_penalty(0.1, 0.1)
