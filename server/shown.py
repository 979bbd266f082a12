"""What viewers know of a session's network: its structure, its formula and its picture."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass

from kan_core import StepResult
from server.frames import Frame
from server.messages import Event, Formula, FormulaEvent, Structure, StructureEvent
from server.model import Network
from server.models import model_of
from server.pictures import Painter
from server.session_data import SessionData
from server.session_record import SessionRecord

FORMULA_INTERVAL = 1.0


@dataclass(frozen=True, slots=True)
class Subject:
    """A network as it stands, what it learns and how."""

    network: Network
    data: SessionData
    record: SessionRecord


class Shown:
    """What was last told of the network, and how often its structure changed; a copy goes its own way."""

    def __init__(self, subject: Subject, *, revision: int) -> None:
        self.revision = revision
        self._painter = Painter()
        self._next_formula = -math.inf
        self.formula: Formula = model_of(subject.network).formula(subject.data)
        self._network, self._outline = subject.network, model_of(subject.network).outline()

    def copy(self) -> Shown:
        """Return the same, to be told other things from now on."""
        return copy.copy(self)

    def is_reshaped(self, network: Network) -> bool:
        """Return whether training changed what the last structure told; a network keeps its structure for life."""
        if network is self._network:
            return False
        self._network = network
        return model_of(network).outline() != self._outline

    def restructure(self, subject: Subject, reason: str, *, now: float, fresh: bool = False) -> list[Event]:
        """Return what there is to tell of another structure."""
        self.revision += 1
        self._network, self._outline = subject.network, model_of(subject.network).outline()
        event = StructureEvent(structure=self.structure(subject), reason=reason, fresh=fresh)
        self._next_formula = now + FORMULA_INTERVAL
        return [event, *self._new_formula(subject)]

    def is_formula_due(self, now: float) -> bool:
        """Return whether the formula that training changes is to be told again."""
        return now >= self._next_formula

    def refresh_formula(self, subject: Subject, *, now: float) -> list[Event]:
        """Return the formula if it is another one, and the labels of edges, which carry its constants."""
        self._next_formula = now + FORMULA_INTERVAL
        if not model_of(subject.network).has_moving_formula:
            return []
        told = self._new_formula(subject)
        return [*told, StructureEvent(structure=self.structure(subject), reason="")] if told else []

    def _new_formula(self, subject: Subject) -> list[Event]:
        formula = model_of(subject.network).formula(subject.data)
        if formula == self.formula:
            return []
        self.formula = formula
        return [FormulaEvent(formula=formula)]

    def structure(self, subject: Subject) -> Structure:
        """Return the network's structure by its revision."""
        return model_of(subject.network).structure(
            subject.data,
            revision=self.revision,
            seed=subject.record.seed,
            optimizer=subject.record.training.optimizer,
        )

    def paint(self, subject: Subject, stands: StepResult, *, steps_per_second: float, seconds: float) -> Frame:
        """Return the network's picture, always with the x grids; epoch and seq are 0."""
        return self._painter.paint(
            subject.network,
            subject.data,
            stands,
            revision=self.revision,
            steps_per_second=steps_per_second,
            seconds=seconds,
        )
