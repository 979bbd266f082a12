"""The course of a session's training: whether it goes on, what is said of it, its pace and its losses."""

from __future__ import annotations

import copy
import math
from dataclasses import replace

from kan_core import Outcome, StepResult
from server.loss_log import LossLog
from server.messages import Event, LossesEvent, LossPoint, SessionState, StatusInfo
from server.pacing import Pace

LOSSES_INTERVAL = 0.1
CONVERGED = "Nothing better is in reach: training has converged."


class Course:
    """The state of training, which begins by running; a copy goes its own way, but for pace and losses.

    `steps_left` counts the steps that were asked for, 0 when training has no such end. What is said of a recipe stands
    until it says something else.
    """

    def __init__(self, losses: LossLog | None = None) -> None:
        self.state: SessionState = "running"
        self.sentence = ""
        self.steps_left = 0
        self.pace = Pace()
        self.losses = LossLog() if losses is None else losses
        # processor time of training since the network was fresh
        self.seconds = 0.0
        # why the recipe starts again, until it says what it starts with
        self._restart = ""
        self._next_losses = -math.inf

    def copy(self) -> Course:
        """Return the same course, to be set otherwise from now on."""
        return copy.copy(self)

    @property
    def is_running(self) -> bool:
        """Whether there are steps to do."""
        return self.state == "running"

    def status(self, step: int) -> StatusInfo:
        """Return how training stands after so many steps."""
        return StatusInfo(state=self.state, step=step, sentence=self.sentence)

    def resume(self, status: StatusInfo, *, steps_left: int) -> None:
        """Take up the state of a checkpoint."""
        self.state, self.sentence, self.steps_left = status.state, status.sentence, steps_left

    def run(self, num_steps: int = 0) -> None:
        """Train on, for so many steps if a number is given."""
        self.steps_left = num_steps
        self.set("running")

    def set(self, state: SessionState, sentence: str = "") -> None:
        """Go on or stop, and say so."""
        self.state, self.sentence = state, sentence
        if state != "running":
            self.pace.rest()

    def halt(self, state: SessionState, sentence: str) -> None:
        """Stop, with no steps left to do."""
        self.steps_left = 0
        self.set(state, sentence)

    def wake(self) -> bool:
        """Go on after divergence or convergence, now that something has changed; return whether that was so."""
        if self.state not in ("diverged", "converged"):
            return False
        self.set("running")
        return True

    def begin_anew(self) -> None:
        """Forget what was said and, unless paused, go on, with a network or an optimizer that starts afresh."""
        self.forget()
        self.losses = LossLog()
        self.seconds = 0.0
        if self.state != "paused":
            self.state = "running"

    def forget(self) -> None:
        """Forget what was said."""
        self._restart = self.sentence = ""

    def start_recipe(self, how: str) -> None:
        """Say that the recipe starts again and let it, unless training is paused."""
        self._restart = how
        is_paused = self.state == "paused"
        self.set("paused" if is_paused else "running", recipe_restarts(how, is_paused=is_paused))

    def wait(self, now: float, steps_per_second: float | None) -> float | None:
        """Return the seconds until the next step, None while there is none to do."""
        if not self.is_running:
            return None
        return 0.0 if self.steps_left else self.pace.wait(now, steps_per_second)

    def stepped(self, result: StepResult, *, now: float, steps_per_second: float | None, took: float = 0.0) -> None:
        """Take note of a step that took so many processor seconds."""
        self.seconds += took
        self.pace.stepped(now, steps_per_second)
        self.losses.add(
            LossPoint(step=result.step, train=result.train_rmse, test=result.test_rmse, seconds=self.seconds)
        )

    def conclude(self, result: StepResult, *, is_recipe: bool) -> bool:
        """Take on what a step's outcome and sentence mean; return whether that is news."""
        if self._restart and result.sentence:
            result = replace(result, sentence=f"{recipe_restarts(self._restart)} {result.sentence}")
            self._restart = ""
        if result.outcome is Outcome.DIVERGED:
            self.halt("diverged", result.sentence)
            return True
        if result.outcome is Outcome.CONVERGED:
            self.halt("converged", result.sentence or CONVERGED)
            return True
        if self.steps_left:
            self.steps_left -= 1
            if self.steps_left == 0:
                self.halt("paused", result.sentence)
                return True
        is_silent = not result.sentence and is_recipe
        if is_silent or result.sentence == self.sentence:
            return False
        self.sentence = result.sentence
        return True

    def are_losses_due(self, now: float) -> bool:
        """Return whether losses are to be told: ten times a second, and whatever is left when training stops."""
        return now >= self._next_losses or not self.is_running

    def take_losses(self, now: float) -> list[Event]:
        """Return the losses that were not told yet."""
        points = self.losses.take()
        self._next_losses = now + LOSSES_INTERVAL
        return [LossesEvent(points=points)] if points else []


def recipe_restarts(how: str, *, is_paused: bool = False) -> str:
    """Return the sentence that says why the recipe of "auto" is at its beginning again."""
    return f"The recipe {'will start' if is_paused else 'starts'} again {how}."
