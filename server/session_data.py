"""From the data source that a page names to the samples a session learns from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from kan_core.datasets import Dataset
from kan_core.errors import DataError, ExpressionError
from kan_core.expressions import Expression, parse_expression
from kan_core.problems import CATALOGUE, sample_expression
from server.messages import CatalogueSource, CsvSource, DataInfo, DataSource, FormulaSource
from server.refusal import Refusal

DEFAULT_HIDDEN = (5,)
TEST_SHARE = 0.2
MAX_WEIGHED_SAMPLES = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionData:
    """Samples, what people are told about them, the formula behind them if known, and the hidden widths that suit."""

    dataset: Dataset
    info: DataInfo
    truth: Expression | None
    hidden: tuple[int, ...]

    @property
    def weighed_inputs(self) -> Tensor:
        """Return the first of the shuffled training inputs: they speak for all where edges' importance is shown."""
        return self.dataset.train_inputs[:MAX_WEIGHED_SAMPLES]

    @property
    def num_inputs(self) -> int:
        """How many inputs a network needs."""
        return self.dataset.num_inputs

    @property
    def num_outputs(self) -> int:
        """How many outputs a network needs."""
        return self.dataset.num_outputs


def build_data(source: DataSource, tables: Mapping[str, bytes], *, seed: int) -> SessionData:
    """Return the samples that `source` names, drawn or split with `seed`; `tables` are uploaded CSV files by id.

    Raises Refusal with code unknown_problem, bad_formula, bad_data or unknown_dataset.
    """
    try:
        if isinstance(source, CatalogueSource):
            return _from_catalogue(source, seed)
        if isinstance(source, FormulaSource):
            return _from_formula(source, seed)
        return _from_table(source, tables, seed)
    except ExpressionError as error:
        raise Refusal("bad_formula", str(error), position=error.position) from error
    except DataError as error:
        raise Refusal("bad_data", str(error)) from error


def _from_catalogue(source: CatalogueSource, seed: int) -> SessionData:
    problem = CATALOGUE.get(source.name)
    if problem is None:
        raise Refusal(
            "unknown_problem",
            f"The catalogue has no problem named {source.name!r}: choose one of {', '.join(CATALOGUE)}.",
        )
    sizes = {"num_train": source.num_train, "num_test": source.num_test}
    dataset = problem.sample(seed=seed, noise=source.noise, **sizes)
    truth = None if problem.expression is None else parse_expression(problem.expression, list(problem.ranges))
    return SessionData(
        dataset=dataset,
        info=_describe(source, problem.title, dataset, truth, seed=seed),
        truth=truth,
        hidden=problem.hidden,
    )


def _from_formula(source: FormulaSource, seed: int) -> SessionData:
    names = [variable.name for variable in source.variables]
    repeated = next((name for k, name in enumerate(names) if name in names[:k]), None)
    if repeated is not None:
        raise Refusal("bad_formula", f"Every variable has a name of its own, received {repeated!r} twice: rename one.")
    ranges = {variable.name: (variable.low, variable.high) for variable in source.variables}
    num_test = max(2, round(TEST_SHARE * source.num_samples)) if source.num_test is None else source.num_test
    if num_test > source.num_samples - 2:
        raise Refusal(
            "bad_data",
            f"At least two samples are left to learn from, received num_samples={source.num_samples} and "
            f"num_test={num_test}: test with fewer.",
        )
    dataset = sample_expression(
        source.expression,
        ranges,
        num_train=source.num_samples - num_test,
        num_test=num_test,
        noise=source.noise,
        seed=seed,
    )
    if float(dataset.train_targets.std()) == 0.0:
        raise Refusal(
            "bad_data",
            f"The formula {source.expression!r} has the same value everywhere: use a variable in it.",
        )
    truth = parse_expression(source.expression, names)
    return SessionData(
        dataset=dataset,
        info=_describe(source, source.expression, dataset, truth, seed=seed),
        truth=truth,
        hidden=DEFAULT_HIDDEN,
    )


def _from_table(source: CsvSource, tables: Mapping[str, bytes], seed: int) -> SessionData:
    # imported here: only sessions on uploaded files need the reader
    from kan_core.datasets import read_csv, table_dataset

    content = tables.get(source.dataset_id)
    if content is None:
        raise Refusal(
            "unknown_dataset", f"There is no uploaded table dataset_id={source.dataset_id!r}: upload the file again."
        )
    dataset = table_dataset(read_csv(content), inputs=source.inputs, target=source.target, task=source.task, seed=seed)
    return SessionData(
        dataset=dataset,
        info=_describe(source, source.target, dataset, None, seed=seed),
        truth=None,
        hidden=DEFAULT_HIDDEN,
    )


def _describe(source: DataSource, title: str, dataset: Dataset, truth: Expression | None, *, seed: int) -> DataInfo:
    inputs: NDArray[np.float64] = dataset.train_inputs.numpy()
    return DataInfo(
        source=source,
        seed=seed,
        title=title,
        task="classification" if dataset.task == "classification" else "regression",
        truth=None if truth is None else truth.text,
        truth_mathml=None if truth is None else f"<math>{truth.mathml}</math>",
        input_names=list(dataset.input_names or ()),
        input_lows=inputs.min(axis=0).tolist(),
        input_highs=inputs.max(axis=0).tolist(),
        output_names=list(dataset.output_names or ()),
        num_train=len(dataset.train_inputs),
        num_test=len(dataset.test_inputs),
    )
