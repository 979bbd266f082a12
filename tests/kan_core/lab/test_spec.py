"""Specs: one meaning however they are written, refused with one sentence where they have none."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kan_core.bases import BASES
from kan_core.errors import SpecError
from kan_core.lab import Budget, Contestant, LabProblem, LabSpec, Sweep, lab_points, parse_spec
from tests.kan_core.lab.specs_for_tests import CLASSES, RACE, SWEEP, race, sweep

names = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=20).filter(
    lambda text: bool(text.strip()) and text.isprintable()
)
splines = st.builds(
    Contestant,
    name=names,
    hidden=st.none() | st.lists(st.just(1), min_size=1, max_size=2).map(tuple),
    order=st.integers(1, 3),
    knots=st.sampled_from(["uniform", "adaptive"]),
    optimizer=st.sampled_from(["lbfgs", "lm", "auto"]),
    steps=st.none() | st.integers(1, 500),
)
kans = st.builds(
    Contestant,
    name=names,
    basis=st.sampled_from(["chebyshev", "fourier"]),
    grid_size=st.none() | st.integers(2, 9),
    optimizer=st.just("adam"),
    learning_rate=st.floats(1e-5, 1.0),
    batch_size=st.none() | st.integers(1, 50),
)
mlps = st.builds(
    Contestant,
    name=names,
    model=st.just("mlp"),
    hidden=st.just((1, 1)),
    activation=st.sampled_from(["relu", ("gelu", "tanh")]),
    output_tanh=st.booleans(),
)
problems = st.sampled_from(
    [
        LabProblem(name="exp_sin"),
        LabProblem(name="product", hidden=(1, 1)),
        LabProblem(name="own", expression="a*sin(b)", ranges=(("b", (-1.0, 0.1)), ("a", (1e-7, 2.0))), hidden=(1,)),
    ]
)
specs = st.builds(
    LabSpec,
    title=names,
    question=st.just("") | names,
    problems=st.lists(problems, min_size=1, max_size=3, unique_by=lambda one: one.name).map(tuple),
    contestants=st.lists(
        splines | kans | mlps,
        min_size=1,
        max_size=3,
        unique_by=(lambda one: one.name, lambda one: replace(one, name="-")),
    ).map(tuple),
    budget=st.builds(Budget, steps=st.integers(1, 10**6)) | st.builds(Budget, seconds=st.floats(0.01, 3600.0)),
    seeds=st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=3, unique=True).map(tuple),
    num_test=st.integers(10, 10**6),
    noise=st.floats(0.0, 10.0),
    sweep=st.none()
    | st.builds(
        Sweep,
        variable=st.sampled_from(["width", "samples"]),
        values=st.lists(st.integers(10, 40), min_size=3, max_size=5, unique=True).map(tuple),
    ),
)


@pytest.mark.slow
@settings(deadline=None, max_examples=40)
@given(spec=specs)
def test_what_is_written_is_read_back_with_the_same_digest(spec: LabSpec) -> None:
    again = parse_spec(spec.to_toml())
    assert again == spec
    assert again.digest == spec.digest
    assert again.to_toml() == spec.to_toml()


def test_the_digest_follows_the_meaning_and_not_the_writing() -> None:
    spaced = "# a remark\n" + RACE.replace("seeds = [0, 7]", "seeds = [\n  0,\n  7,\n]").replace("steps = 3", "steps=3")
    stated = RACE.replace('name = "B-spline"', 'name = "B-spline"\nmodel = "kan"\norder = 3\nlearning_rate = 0.02')
    negative = RACE.replace("num_train = 60", "num_train = 60\nnoise = -0.0")
    assert {parse_spec(text).digest for text in (RACE, spaced, stated, negative)} == {race().digest}
    others = [RACE.replace("[0, 7]", "[7, 0]"), RACE.replace("steps = 3", "steps = 4"), RACE.replace("A race", "race")]
    assert len({parse_spec(text).digest for text in [RACE, *others]}) == 4
    assert len(race().digest) == 64


def test_values_of_a_sweep_are_sorted() -> None:
    spec = sweep()
    assert spec.sweep == Sweep(variable="grid_size", values=(4, 8, 16))
    assert (spec.kind, race().kind) == ("scaling", "race")


def test_too_many_points_are_refused_with_the_time_that_all_of_them_take() -> None:
    timed = SWEEP.replace("steps = 2", "seconds = 3.0")
    for seeds, time in ((range(4000), "10 hours"), (range(1700), "4 hours")):
        toml = timed.replace("seeds = [0, 1]", f"seeds = {list(seeds)}")
        with pytest.raises(SpecError, match=f"leave some out, as all of them take about {time} of the processor$"):
            parse_spec(toml)
    # what is wrong with the points themselves is told once there are fewer
    impossible = RACE.replace("seeds = [0, 7]", f"seeds = {list(range(4000))}").replace(
        "steps = 3", "steps = 3\nparameters = 1"
    )
    with pytest.raises(SpecError, match=r"4,000 seeds\): leave some out$"):
        parse_spec(impossible)


def test_points_are_every_combination_once_with_keys_of_their_own() -> None:
    points = lab_points(race())
    assert len({point.key for point in points}) == len(points) == race().num_points == 12
    assert points[0].key == "exp_sin/B-spline/0"
    assert [point.seed for point in points] == [0] * 6 + [7] * 6
    swept = lab_points(sweep())
    assert [point.key for point in swept[:3]] == ["exp_sin/cubic/0/4", "exp_sin/cubic/0/8", "exp_sin/cubic/0/16"]


@pytest.mark.parametrize("family", BASES)
def test_every_family_can_take_part(family: str) -> None:
    spec = replace(race(), contestants=(Contestant(name="one", basis=family),))
    assert parse_spec(spec.to_toml()) == spec


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("seeds =", "sedes =", "a spec has no key 'sedes': did you mean seeds"),
        ("steps = 3", "stepz = 3", "the budget has no key 'stepz': did you mean steps"),
        ('optimizer = "adam"', 'optimiser = "adam"', "a contestant named 'Chebyshev, by Adam' has no key 'optimiser'"),
        ("steps = 3", "steps = 3\nseconds = 2", "a budget has either steps or seconds, received steps=3 and seconds=2"),
        ("steps = 3", "", "a budget has either steps or seconds, received none: give one of them"),
        ("steps = 3", 'steps = "3"', "steps is an integer from 1 to 1000000, received steps='3'"),
        ("steps = 3", "seconds = 1e9", "seconds is a number from 0.01 to 3600, received"),
        ("steps = 3", "seconds = 1e-300", "seconds is a number from 0.01 to 3600, received seconds=1e-300: choose"),
        (
            '"exp_sin", "product"',
            '"exp_son"',
            "problem 'exp_son': there is no ready problem of this name: did you mean exp_sin?",
        ),
        ('"exp_sin", "product"', "", "problems are at least one, received none"),
        ('["exp_sin", "product"]', '"exp_sin"', "problems are a row of names or tables, received 'exp_sin'"),
        ("seeds = [0, 7]", "seeds = []", "seeds are at least one, received none"),
        ("seeds = [0, 7]", "seeds = [1, 1]", "seeds are all different, received 1 more than once"),
        ("seeds = [0, 7]", "seeds = 3", "seeds is a row of integers, received seeds=3"),
        ('basis = "chebyshev"', 'basis = "wavelet"', "contestant 'Chebyshev, by Adam': basis is one of bspline"),
        ('name = "MLP"', 'name = "B-spline"', "contestants have different names, received 'B-spline' more than once"),
        (
            'model = "mlp"',
            'model = "mlp"\nbasis = "fourier"',
            "basis is for a KAN, received basis='fourier' for an MLP",
        ),
        ('model = "mlp"', 'model = "transformer"', "model is one of kan, mlp, received model='transformer'"),
        ('optimizer = "lbfgs"', 'optimizer = "auto"', "optimizer is one of adam, lbfgs, lm for an MLP, received"),
        ('["relu", "tanh"]', '["relu"]', "MLP on exp_sin: activation is one name, or a name for each of 2 hidden"),
        ("hidden = [6, 4]", "hidden = [6, 0]", r"widths\[2\] is an integer from 1 to 4096, received"),
        ('title = "A race"', "", "a spec needs title, received none: add it"),
        ('title = "A race"', 'title = ""', "title is one line of 1 to 400 characters, received ''"),
        ("[budget]", "[budget", "a spec is TOML, received text that is not"),
        ("num_train = 60", "num_train = 6", "num_train is an integer from 10 to 1000000, received num_train=6"),
        ('["relu", "tanh"]', "3", "contestant 'MLP': activation is a name or a row of names, received activation=3"),
        ("hidden = [6, 4]", "hidden = 5", "contestant 'MLP': widths is a row of integers, received widths=5"),
        (
            'optimizer = "lbfgs"',
            'optimizer = "lbfgs"\nlearning_rate = 0.1',
            "contestant 'MLP': learning_rate is for the optimizer 'adam', received learning_rate=0.1 for 'lbfgs': ",
        ),
        (
            'name = "B-spline"',
            'name = "B-spline"\nbatch_size = 20',
            "batch_size is for the optimizer 'adam', received batch_size=20 for 'lm': leave it out",
        ),
        (
            'name = "B-spline"',
            'name = "B-spline"\noptimizer = "auto"\nlearning_rate = 0.1',
            "learning_rate is for the optimizer 'adam', received learning_rate=0.1 for 'auto': leave it out",
        ),
        (
            'basis = "chebyshev"',
            'basis = "chebyshev"\norder = 2',
            "order is for the basis 'bspline' or 'relu', received order=2 for 'chebyshev': leave it out",
        ),
        (
            'basis = "chebyshev"',
            'basis = "relu"\nknots = "adaptive"',
            "knots is for the basis 'bspline', received knots='adaptive' for 'relu': leave it out",
        ),
        (
            "[budget]\nsteps = 3",
            '[budget]\nsteps = 3\n[[contestants]]\nname = "A"\ngrid_size = 5\nsteps = 3',
            "contestants differ in more than their names, received 'A' and 'B-spline' with the same settings",
        ),
        (
            '"product"]',
            '"moons"]\nnoise = 0.1',
            "noise is added to targets that are numbers, received noise=0.1 for the classes of 'moons': ",
        ),
        ("output_tanh = true", "output_tanh = 1", "output_tanh is true or false, received output_tanh=1"),
    ],
)
def test_what_has_no_meaning_is_refused_with_a_sentence(old: str, new: str, message: str) -> None:
    assert old in RACE
    with pytest.raises(SpecError, match=message) as refused:
        parse_spec(RACE.replace(old, new))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("values = [8, 4, 16]", "values = []", "a sweep has values, received none: give some"),
        ("values = [8, 4, 16]", "", "the sweep needs values, received none"),
        (
            "values = [8, 4, 16]",
            "values = [8, 4]",
            r"a law takes at least 3 values, received values=\[8, 4\]: give more, such as values = \[5, 10, 20, 50\]",
        ),
        (
            "hidden = [1]",
            "grid_size = 4",
            "a sweep of grid_size replaces every other, received grid_size=4 for the contestant 'cubic': leave it out",
        ),
        ("values = [8, 4, 16]", "values = [0]", r"values\[0\] is an integer from 1 to 1000, received"),
        ('"grid_size"', '"size"', "variable is one of grid_size, width, depth, samples, received variable='size'"),
        ("steps = 2", "steps = 2\nparameters = 9", "a sweep of grid_size changes the number of parameters, received"),
        ('name = "cubic"', 'name = "m"\nmodel = "mlp"', "a sweep of grid_size is for KANs, received the MLP 'm'"),
        (
            "seeds = [0, 1]",
            f"seeds = {list(range(2000))}",
            r"at most 5,000 points, received 6,000 \(1 problem × 1 con",
        ),
    ],
)
def test_sweeps_without_meaning_are_refused(old: str, new: str, message: str) -> None:
    assert old in SWEEP
    with pytest.raises(SpecError, match=message):
        parse_spec(SWEEP.replace(old, new))


@pytest.mark.parametrize(
    ("variable", "hidden", "message"),
    [
        (
            "width",
            [4, 3],
            r"a sweep of width replaces the widths of all hidden layers, received hidden=\[4, 3\] for the contestant "
            r"'cubic': write a 1 for each layer, as hidden = \[1, 1\], or leave it out",
        ),
        ("width", [], r"received hidden=\[\] for the contestant 'cubic': write a 1 for each layer, as hidden = \[1\]"),
        (
            "depth",
            [4, 3],
            r"a sweep of depth repeats one hidden layer, received hidden=\[4, 3\] for the contestant 'cubic': give its "
            r"width alone, as hidden = \[5\], or leave it out",
        ),
        ("depth", [], r"repeats one hidden layer, received hidden=\[\]"),
        ("samples", [1], "a sweep of samples says how many there are to train on, received num_train=60 too: leave it"),
    ],
)
def test_what_a_sweep_replaces_is_refused(variable: str, hidden: list[int], message: str) -> None:
    text = SWEEP.replace("grid_size", variable).replace("[8, 4, 16]", "[11, 12, 13]")
    with pytest.raises(SpecError, match=message):
        parse_spec(text.replace("hidden = [1]", f"hidden = {hidden}"))
    if variable != "samples":
        widths = text.replace('["exp_sin"]', f'[{{name = "exp_sin", hidden = {hidden}}}]')
        with pytest.raises(SpecError, match="for the problem 'exp_sin'"):
            parse_spec(widths)


@pytest.mark.parametrize(("variable", "hidden"), [("width", [1, 1]), ("depth", [4]), ("samples", [4, 3])])
def test_what_a_sweep_leaves_is_taken(variable: str, hidden: list[int]) -> None:
    text = SWEEP.replace("grid_size", variable).replace("[8, 4, 16]", "[11, 12, 13]").replace("num_train = 60", "")
    spec = parse_spec(text.replace("hidden = [1]", f"hidden = {hidden}"))
    assert parse_spec(spec.to_toml()) == spec


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        ('{name = "own", expression = "sin(q)", ranges = {x = [0, 1]}}', "problem 'own': .*q"),
        ('{name = "own", expression = "x"}', "ranges has two ends for each variable, received none"),
        ('{name = "own", expression = "x", ranges = {x = [1, 0]}}', "goes from a smaller to a larger number"),
        ('{name = "own", expression = "x", ranges = {x = 1}}', "the range of x has two ends, received 1"),
        (
            '{name = "own", expression = "1 + 0*x", ranges = {x = [0, 1]}}',
            r"problem 'own': expression varies over its ranges, received expression='1 \+ 0\*x', which is 1 every",
        ),
        ('{name = "own", expression = "sin(x)^2 + cos(x)^2", ranges = {x = [0, 1]}}', "which is 1 everywhere in them"),
        ('{name = "own", expression = "x - x", ranges = {x = [0, 1]}}', "which is 0 everywhere in them: change the"),
        ('{name = "exp_sin", expression = "x", ranges = {x = [0, 1]}}', "a ready problem has this name"),
        ('{name = "exp_sin", ranges = {x = [0, 1]}}', "ranges belong to an expression"),
        ('{name = "a/b", expression = "x", ranges = {x = [0, 1]}}', "the name of a problem is 1 to 40 letters"),
        ("3", "a problem is a table, received 3"),
    ],
)
def test_problems_without_meaning_are_refused(problem: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        parse_spec(CLASSES.replace('"moons"', problem))


def test_texts_beyond_all_measure_are_refused() -> None:
    with pytest.raises(SpecError, match="a spec has at most 50,000 characters, received 50,001"):
        parse_spec("#" * 50_001)
