"""A search for laws as a session carries it on, and what it found."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Protocol

from kan_core import KAN
from kan_core.accuracy import measure_rmse
from kan_core.errors import KanError
from kan_core.fitting import FEWEST_TO_SPLIT, hold_out
from kan_core.formula_display import display_formula
from kan_core.symbolic import Library
from kan_core.symbolic.laws import Law
from kan_core.symbolic.search import Explanation
from server.messages import ExplanationInfo, ExplanationState, LawPoint, SearchKind
from server.refusal import Refusal
from server.session_data import SessionData
from server.views import MAX_CHECKED_SAMPLES, unwritten_sentence

LOST = "The search was lost with its process; what it had found until then is listed."
BROKEN_OFF = "The search was broken off; what it had found until then is listed."


class LawSearch(Protocol):
    """A search for laws that a session carries on a little at a time, in this process or beside it.

    `laws` are those than which none simpler is as good, simplest first; a law that is listed again is the same object
    or has the same network. `best` is the one to believe where the search can tell. `findings` are sentences about what
    was noticed, `sentence` one about how it stands, `activities` a few words on what each process is at. One that has a
    limit of time has `seconds` and `elapsed`, which others leave None and 0.
    """

    @property
    def kind(self) -> SearchKind: ...
    @property
    def laws(self) -> Sequence[Law]: ...
    @property
    def progress(self) -> float: ...
    @property
    def is_done(self) -> bool: ...
    @property
    def num_tried(self) -> int: ...
    @property
    def findings(self) -> Sequence[str]: ...
    @property
    def sentence(self) -> str: ...
    @property
    def best(self) -> Law | None: ...
    @property
    def activities(self) -> Sequence[str]: ...
    @property
    def elapsed(self) -> float: ...
    @property
    def seconds(self) -> float | None: ...

    def advance(self) -> None:
        """Do a little, or look at what others have done; never waits."""
        ...

    def wait(self) -> float:
        """Return the seconds until `advance` is of use."""
        ...

    def close(self) -> None:
        """Give up what it holds; closing twice is harmless."""
        ...


class NetworkSearch(Explanation):
    """The search over the edges of one network, in this process."""

    kind: SearchKind = "explain"
    findings: Sequence[str] = ()
    activities: Sequence[str] = ()
    sentence = ""
    best: Law | None = None
    elapsed = 0.0
    seconds: float | None = None

    def advance(self) -> None:
        """Try one formula."""
        self.step()

    def wait(self) -> float:
        """There is always something to try."""
        return 0.0

    def close(self) -> None:
        """There is nothing to give up."""


class Explaining:
    """A search that was started after step `step`, and the laws found so far with their networks, by id.

    `samples` is the sentence that says which samples it uses. Ids go on from `last_id`, so that none names two laws
    of a session.
    """

    def __init__(
        self, search: LawSearch | None, data: SessionData, *, samples: str, step: int, last_id: int = 0
    ) -> None:
        self._search, self._data = search, data
        self._samples, self._step, self._last_id = samples, step, last_id
        self._state: ExplanationState = "running"
        self._kind: SearchKind = "explain" if search is None else search.kind
        looking = f"Looking for laws in the network as it was after step {step}."
        self._sentence = looking if search is None else search.sentence or looking
        self._progress, self._num_tried = 0.0, 0
        self._elapsed, self._seconds = 0.0, None if search is None else search.seconds
        self._findings: list[str] = []
        self._activities: list[str] = []
        self._best: int | None = None
        self._known: dict[int, tuple[LawPoint, KAN]] = {}
        self._front: list[int] = []

    @classmethod
    def restored(cls, info: ExplanationInfo, networks: Sequence[KAN], data: SessionData) -> Explaining:
        """Return what a checkpoint kept of a search; one that was at work is lost."""
        explaining = cls(None, data, samples=info.samples, step=info.step)
        explaining._known = {point.id: (point, network) for point, network in zip(info.laws, networks, strict=True)}
        explaining._front = list(explaining._known)
        explaining._last_id = max(explaining._front, default=0)
        explaining._progress, explaining._num_tried = info.progress, info.num_tried
        explaining._kind, explaining._findings, explaining._best = info.kind, info.findings, info.best
        explaining._elapsed, explaining._seconds = info.elapsed, info.seconds
        was_running = info.state == "running"
        explaining._state = "lost" if was_running else info.state
        explaining._sentence = LOST if was_running else info.sentence
        return explaining

    @property
    def is_running(self) -> bool:
        """Whether there is something to advance."""
        return self._state == "running"

    @property
    def is_beside(self) -> bool:
        """Whether the search has processes of its own and the data as its subject, whatever becomes of the network."""
        return self._kind == "discover"

    @property
    def last_id(self) -> int:
        """The highest id that a law was given."""
        return self._last_id

    @property
    def networks(self) -> list[KAN]:
        """The networks of the laws that are listed, in their order."""
        return [self._known[one][1] for one in self._front]

    def info(self, *, trains_after: bool) -> ExplanationInfo:
        """Return how the search stands."""
        return ExplanationInfo(
            kind=self._kind,
            state=self._state,
            sentence=self._sentence,
            samples=self._samples,
            step=self._step,
            progress=self._progress,
            num_tried=self._num_tried,
            laws=[self._known[one][0] for one in self._front],
            findings=self._findings,
            activities=self._activities,
            best=self._best,
            elapsed=self._elapsed,
            seconds=self._seconds,
            trains_after=trains_after and self.is_running and not self.is_beside,
        )

    def network_of(self, law_id: int) -> KAN:
        """Return the network of a law that is or was listed; raises Refusal with code unknown_law."""
        found = self._known.get(law_id)
        if found is None:
            listed = ", ".join(map(str, self._front))
            remedy = f"choose one of {listed}" if listed else "none was found yet, so explain the network first"
            raise Refusal("unknown_law", f"The search has no law with id={law_id}: {remedy}.")
        return found[1]

    def wait(self) -> float | None:
        """Return the seconds until `advance` has something to do, None when the search is over."""
        if self._search is None:
            return None
        return 0.0 if self._search.is_done or self._undescribed() is not None else self._search.wait()

    def advance(self, seconds: float, clock: Callable[[], float]) -> None:
        """Search on for at most `seconds` and one piece more, and read one of the laws that are new."""
        search = self._search
        if search is None:
            return
        try:
            end = clock() + seconds
            while not search.is_done and search.wait() == 0.0:
                search.advance()
                if clock() >= end:
                    break
            new = self._undescribed()
            if new is not None:
                self._last_id += 1
                self._known[self._last_id] = (self._describe(new, self._last_id), new.network)
        except KanError as error:
            self._end("cancelled", f"The search had to be broken off: {error}.")
            return
        self._take_over(search)
        if search.is_done and self._undescribed() is None:
            self._end("done", search.sentence or _done(len(self._front)))

    def cancel(self) -> None:
        """End the search and keep what was found; raises Refusal with code nothing_to_cancel."""
        if not self.is_running:
            raise Refusal("nothing_to_cancel", "No search for laws is at work: there is nothing to cancel.")
        self._end("cancelled", "The search was cancelled; what it had found until then is listed.")

    def close(self) -> None:
        """End the search if it is at work; closing twice is harmless."""
        if self.is_running:
            self._end("cancelled", BROKEN_OFF)

    def _end(self, state: ExplanationState, sentence: str) -> None:
        if self._search is not None:
            self._search.close()
            self._elapsed = self._search.elapsed
        self._search = None
        self._activities = []
        self._state, self._sentence = state, sentence

    def _take_over(self, search: LawSearch) -> None:
        self._progress = min(max(float(search.progress), 0.0), 1.0)
        self._num_tried = search.num_tried
        self._findings, self._activities = list(search.findings), list(search.activities)
        self._elapsed = search.elapsed
        if search.sentence:
            self._sentence = search.sentence
        ids = (self._id_of(law) for law in search.laws)
        self._front = [one for one in ids if one is not None]
        self._best = None if search.best is None else self._id_of(search.best)

    def _undescribed(self) -> Law | None:
        laws = () if self._search is None else self._search.laws
        return next((law for law in laws if math.isfinite(law.train_rmse) and self._id_of(law) is None), None)

    def _id_of(self, law: Law) -> int | None:
        return next((one for one, (_, network) in self._known.items() if network is law.network), None)

    def _describe(self, law: Law, law_id: int) -> LawPoint:
        info, dataset = self._data.info, self._data.dataset
        text, mathml = unwritten_sentence(law.network), ""
        if text is None:
            shown = display_formula(
                law.network,
                dataset.train_inputs[:MAX_CHECKED_SAMPLES],
                input_names=info.input_names,
                output_names=info.output_names,
                logit=info.task == "classification",
            )
            text, mathml = shown.text, shown.mathml
        test_rmse = measure_rmse(law.network, dataset.test_inputs, dataset.test_targets, dataset.task)
        return LawPoint(
            id=law_id,
            complexity=law.complexity,
            train_rmse=law.train_rmse,
            held_out_rmse=law.test_rmse,
            test_rmse=test_rmse if math.isfinite(test_rmse) else None,
            mathml=mathml,
            text=text,
        )


def _done(num_laws: int) -> str:
    if num_laws == 0:
        return "The search is done and found no law: train the network further, or give it another shape."
    if num_laws == 1:
        return "The search is done: 1 law found."
    return f"The search is done: {num_laws} laws found, the more complex the closer."


def explain_network(
    network: KAN, data: SessionData, library: Library, *, seed: int, step: int, last_id: int
) -> Explaining:
    """Return a search over a copy of `network`, a fifth of the training samples drawn with `seed` to choose by.

    Raises Refusal with code too_few_samples.
    """
    dataset = hold_out(data.dataset, seed=seed)
    if dataset is None:
        raise Refusal(
            "too_few_samples",
            f"A fifth of the training samples is held out to choose laws by, and {data.info.num_train} are too few to "
            f"spare any: use data with at least {FEWEST_TO_SPLIT} of them.",
        )
    samples = (
        f"Laws are fitted to {len(dataset.train_inputs)} of the training samples and chosen by the other "
        f"{len(dataset.test_inputs)}; the {data.info.num_test} test samples have no part in it."
    )
    search = NetworkSearch(network.copy(), dataset, library=library)
    return Explaining(search, data, samples=samples, step=step, last_id=last_id)
