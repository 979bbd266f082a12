"""Answers that take long, made bit by bit between the steps of training."""

from __future__ import annotations

import math
from typing import Protocol

from kan_core import KAN
from kan_core.export import sympy_source
from kan_core.formula_display import SnappedFormula, display_formula, snapped_formula
from kan_core.simplification import Simplification, Simplifying
from kan_core.symbolic import Library
from kan_core.symbolic.in_context import Trial
from server.edits import candidate_of
from server.exports import check_length
from server.messages import CandidateTriedEvent, Event, SimplifiedEvent, Simplify, TryCandidate
from server.refusal import Refusal
from server.session_data import SessionData
from server.views import MAX_CHECKED_SAMPLES

# for how many moments networks are kept to try formulas on
MAX_MOMENTS = 4
# seconds from one look at a process to the next
LOOK_AGAIN = 0.05


class Work(Protocol):
    """An answer in the making, from a network that nothing else changes.

    `has_process` says whether it keeps a process of its own busy from the first `advance` on.
    """

    has_process: bool

    def advance(self) -> Event | None:
        """Do a little and return the answer once there is one; never waits. May raise Refusal or KanError."""
        ...

    def wait(self) -> float:
        """Return the seconds until `advance` is of use again."""
        ...

    def close(self) -> None:
        """Give up what it holds; closing twice is harmless."""
        ...


class Moments:
    """The network as it was when formulas were last asked for, a few times back: those of one edge are tried on one."""

    def __init__(self) -> None:
        self._kept: dict[tuple[int, int], KAN] = {}

    def keep(self, network: KAN, *, revision: int, step: int) -> None:
        """Keep a copy of the network as it stands."""
        kept = {**self._kept, (revision, step): network.copy()}
        self._kept = dict(list(kept.items())[-MAX_MOMENTS:])

    def find(self, *, revision: int, step: int) -> KAN:
        """Return the network of that moment; raises Refusal with code stale_candidates when it is not kept."""
        network = self._kept.get((revision, step))
        if network is None:
            raise Refusal(
                "stale_candidates",
                f"The network as it was at step {step}, when these formulas were found, is not kept any more: "
                "find formulas again.",
            )
        return network


class CandidateWork:
    """Tries a formula on an edge of `network`, one step of the refit at a time.

    Raises Refusal with code stale_edge or unknown_function.
    """

    has_process = False

    def __init__(self, command: TryCandidate, network: KAN, data: SessionData, library: Library) -> None:
        self._command = command
        edge, candidate = candidate_of(network, command.edge, command.form, library)
        self._trial = Trial(network, edge, candidate, data.dataset)

    def advance(self) -> Event | None:
        """Do one step."""
        if not self._trial.is_done:
            self._trial.step()
            return None
        result, command = self._trial.result(), self._command
        return CandidateTriedEvent(
            edge=command.edge,
            form=command.form,
            revision=command.revision,
            step=command.step,
            train_rmse=result.train_rmse if math.isfinite(result.train_rmse) else None,
            test_rmse=result.test_rmse if math.isfinite(result.test_rmse) else None,
        )

    def wait(self) -> float:
        """There is always something to do."""
        return 0.0

    def close(self) -> None:
        """There is nothing to give up."""


class SimplifyWork:
    """Looks for a simpler form of a copy of `network`'s formula in a process of its own, output by output.

    Raises Refusal with code too_long.
    """

    has_process = True

    def __init__(self, command: Simplify, network: KAN, data: SessionData, *, revision: int, step: int) -> None:
        check_length(network)
        self._command, self._data, self._revision, self._step = command, data, revision, step
        self._network = network.copy()
        self._inputs = data.dataset.train_inputs[:MAX_CHECKED_SAMPLES]
        self._formula: SnappedFormula = snapped_formula(
            self._network, self._inputs, input_names=data.info.input_names, units=command.units
        )
        self._found: list[Simplification] = []
        self._process: Simplifying | None = None

    def advance(self) -> Event | None:
        """Look at the process, and start the next one when it is done."""
        formula = self._formula
        if self._process is not None:
            found = self._process.result(formula.symbols, formula.columns, formula.curves)
            if found is None:
                return None
            self.close()
            self._found.append(found)
        if len(self._found) < len(formula.expressions):
            self._process = Simplifying(formula.expressions[len(self._found)])
            return None
        return self._tell()

    def wait(self) -> float:
        """Return how long to let the process work."""
        return 0.0 if self._process is None else LOOK_AGAIN

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.close()
            self._process = None

    def _tell(self) -> SimplifiedEvent:
        info, units = self._data.info, self._command.units
        expressions = [found.expression for found in self._found]
        shown = display_formula(
            self._network,
            self._inputs,
            input_names=info.input_names,
            output_names=info.output_names,
            logit=info.task == "classification",
            units=units,
            expressions=expressions,
        )
        return SimplifiedEvent(
            revision=self._revision,
            step=self._step,
            units=units,
            is_simpler=any(found.is_simpler for found in self._found),
            sentence=" ".join(dict.fromkeys(found.sentence for found in self._found)),
            mathml=shown.mathml,
            text=shown.text,
            latex=shown.latex,
            sympy=sympy_source(expressions, input_names=[str(symbol) for symbol in self._formula.symbols]),
        )
