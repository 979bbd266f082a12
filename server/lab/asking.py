"""What is asked about specs and results, each answer kept while it may be asked for again."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from server.lab.desk import LabDesk
from server.lab.messages import LabReadyList
from server.lab.plan import LabPlan
from server.lab.questions import (
    FiguresQuestion,
    FitsQuestion,
    PlanQuestion,
    Question,
    ReadyQuestion,
    ReportQuestion,
    SessionQuestion,
)
from server.rest import SessionRequest

MAX_KEPT = 32
# each as JSON
Results = Sequence[str]


class LabAsker:
    """Asks the desk, of many who want the same once. Answers about results hold as long as no result comes in.

    The newest 32 answers are kept.
    """

    def __init__(self, desk: LabDesk) -> None:
        self._desk = desk
        self._kept: OrderedDict[tuple[str, str, int], asyncio.Task[Any]] = OrderedDict()

    async def stop(self) -> None:
        """End the desk's process; stopping twice is harmless."""
        for task in self._kept.values():
            task.cancel()
        await asyncio.gather(*self._kept.values(), return_exceptions=True)
        self._kept.clear()
        await self._desk.stop()

    async def ready(self) -> LabReadyList:
        """Return the ready specs."""
        return LabReadyList.model_validate(await self._once(("ready", "", 0), ReadyQuestion()))

    async def plan(self, toml: str, *, only: str | None = None) -> LabPlan:
        """Return what a spec means, of one problem alone if `only` is given; raises Refusal with one sentence."""
        return LabPlan.model_validate(await self._desk.ask(PlanQuestion(toml=toml, only=only)))

    async def fits(self, run_id: str, toml: str, results: Results) -> list[dict[str, Any]]:
        """Return the laws that results follow, as values of LabFit; raises Refusal."""
        return await self._once(("fits", run_id, len(results)), FitsQuestion(toml=toml, results=list(results)))

    async def figures(self, run_id: str, toml: str, results: Results) -> dict[str, Any]:
        """Return Plotly figures of results by their names; raises Refusal."""
        return await self._once(("figures", run_id, len(results)), FiguresQuestion(toml=toml, results=list(results)))

    async def report(self, run_id: str, toml: str, results: Results) -> str:
        """Return a report of results as HTML; raises Refusal."""
        question = ReportQuestion(run_id=run_id, toml=toml, results=list(results))
        return await self._once(("report", run_id, len(results)), question)

    async def session(self, toml: str, key: str) -> SessionRequest:
        """Return what a session starts with that trains a point; raises Refusal."""
        return SessionRequest.model_validate(await self._desk.ask(SessionQuestion(toml=toml, key=key)))

    async def _once(self, name: tuple[str, str, int], question: Question) -> Any:
        task = self._kept.get(name)
        if task is None:
            task = self._kept[name] = asyncio.create_task(self._desk.ask(question))
            task.add_done_callback(lambda done: self._forget_failure(name, done))
            while len(self._kept) > MAX_KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(name)
        return await asyncio.shield(task)

    def _forget_failure(self, name: tuple[str, str, int], task: asyncio.Task[Any]) -> None:
        is_failure = task.cancelled() or task.exception() is not None
        if is_failure and self._kept.get(name) is task:
            del self._kept[name]
