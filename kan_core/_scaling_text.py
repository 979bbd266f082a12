"""What is said, in plain words, of how errors fall with a size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kan_core.bases.basis import FloatArray
from kan_core.powers import power_text

# of an error that lies on a law read on beyond its sizes
NEAR = 1.5
# of the noise, which many samples average out
SHARE_OF_NOISE = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Sizes (n,), called `name`, in ascending order, with their median errors (n,).

    Where a network `is_blind` its error is too large for the function to be followed, where it `is_rounded` only
    rounding is left, and where it `is_beyond` there are at least as many parameters as `samples`. `noise` of the
    training targets and the `rounding` that is near are errors too. The sizes may be those `of_samples`.
    """

    sizes: FloatArray
    errors: FloatArray
    is_blind: npt.NDArray[np.bool_]
    is_rounded: npt.NDArray[np.bool_]
    is_beyond: npt.NDArray[np.bool_]
    name: str
    samples: int | None
    noise: float
    rounding: float
    of_samples: bool

    def law(self, window: slice, exponent: float, low: float, high: float) -> str:
        """Return what holds in the window of a law, where it breaks and what may be why."""
        said = (
            f"The error falls as {power_text(self.name, -exponent)} (95 %: −{high:.2f} to −{low:.2f}) "
            f"{self._span(window.start, window.stop - 1)}."
        )
        parts = (said, self._before(window, exponent), self._within(window), self._after(window, exponent))
        return " ".join(one for one in parts if one)

    def unsettled(self, window: slice, low: float, high: float) -> str:
        """Return that errors fall, but by no law that these sizes settle."""
        first, last = window.start, window.stop - 1
        said = (
            f"The error falls from {self.errors[first]:.1e} to {self.errors[last]:.1e} {self._span(first, last)}, but "
            f"these sizes settle no exponent: with a confidence of 95 % it is anywhere from {low:.1f} to {high:.1f}. "
            "More sizes or seeds would tell."
        )
        return " ".join(one for one in (said, self._beyond(0), self._rise(last)) if one)

    def flat(self) -> str:
        """Return that errors do not fall, or not as a power."""
        lowest = int(np.argmin(self.errors))
        said = (
            f"No power law is seen {self._span(0, len(self.sizes) - 1)}: the error goes from {self.errors[0]:.1e} to "
            f"{self.errors[-1]:.1e}, and stays between {self.errors.min():.1e} and {self.errors.max():.1e}."
        )
        return " ".join(one for one in (said, self._beyond(0), self._rise(lowest)) if one)

    def too_few(self) -> str:
        """Return that a law has too few sizes to take."""
        reasons = [
            (int(self.is_blind.sum()), "the error is above a third of the targets' deviation"),
            (int((self.is_rounded & ~self.is_blind).sum()), "only rounding is left"),
        ]
        why = "; ".join(f"at {count} of the {len(self.sizes)} sizes {reason}" for count, reason in reasons if count)
        said = f"No law can be told, as it takes three sizes next to each other: {why}."
        return " ".join(one for one in (said, self._beyond(0)) if one)

    def _span(self, first: int, last: int) -> str:
        return f"from {self._at(first)} to {self.sizes[last]:g}"

    def _at(self, index: int) -> str:
        return f"{self.name} = {self.sizes[index]:g}"

    def _exponent(self, index: int) -> float:
        """Return by which exponent the error falls from one size to the next."""
        ratio = np.log(self.errors[index] / self.errors[index + 1])
        return float(ratio / np.log(self.sizes[index + 1] / self.sizes[index]))

    def _before(self, window: slice, exponent: float) -> str:
        start = window.start
        if start == 0:
            return ""
        if self.is_blind[start - 1]:
            return f"At {self._at(start - 1)} it is above a third of the targets' deviation, too large to follow a law."
        found, span = self._exponent(start - 1), self._span(start - 1, start)
        if found < 0:
            return f"Before, {span}, it rises."
        return f"Before, {span}, it falls {'more slowly' if found < exponent else 'faster'}."

    def _within(self, window: slice) -> str:
        beyond = self._beyond(window.start) if self.is_beyond[window].any() else ""
        return f"{beyond[:-1]}, which does not end it." if beyond else ""

    def _beyond(self, first: int) -> str:
        """Return from which size on, of those from the index `first`, parameters reach the samples."""
        beyond = np.flatnonzero(self.is_beyond[first:])
        if not len(beyond):
            return ""
        since = self._at(first + int(beyond[0]))
        return f"From {since} on there are at least as many parameters as samples ({self.samples:,})."

    def _after(self, window: slice, exponent: float) -> str:
        stop = window.stop
        if stop == len(self.sizes):
            return ""
        if self.is_beyond[stop] and not self.is_beyond[window].any():
            # the law read on to the next size
            read_on = self.errors[stop - 1] * (self.sizes[stop - 1] / self.sizes[stop]) ** exponent
            ends = "though the law goes on there" if self.errors[stop] <= NEAR * read_on else "and the law ends"
            return " ".join(one for one in (f"{self._beyond(stop)[:-1]}, {ends}.", self._rise(stop)) if one)
        since, lowest = f"From {self._at(stop)} on", float(self.errors[stop:].min())
        if self.is_rounded[stop]:
            return f"{since} only rounding in float64 is left."
        found = self._exponent(stop - 1)
        if found < 0:
            return f"{since} it rises again, to {self.errors[stop:].max():.1e}: {self._cause_of_rise()}."
        if found > exponent:
            said = f"{since} it falls faster, to {lowest:.1e}: the law is not settled yet."
        else:
            said = f"{since} it falls more slowly, to {lowest:.1e}: {self._cause(lowest)}."
        return " ".join(one for one in (said, self._rise(stop)) if one)

    def _rise(self, first: int) -> str:
        """Return that the error rises behind its lowest from the index `first` on, if by a factor of two."""
        lowest = first + int(np.argmin(self.errors[first:]))
        if lowest == len(self.sizes) - 1 or float(self.errors[lowest:].max()) < 2 * float(self.errors[lowest]):
            return ""
        highest = lowest + int(np.argmax(self.errors[lowest:]))
        return f"Behind {self._at(lowest)} it rises again, to {self.errors[highest]:.1e} at {self._at(highest)}."

    def _cause(self, lowest: float) -> str:
        """Return what may be the limit where errors fall more slowly than the law."""
        if lowest < self.rounding:
            return "training comes near rounding in float64 there, as squares of errors are summed"
        others = "the network" if self.of_samples else "the rest of the network, the samples"
        others = f"{others} or where training ends"
        if SHARE_OF_NOISE * self.noise < lowest < self.noise:
            return f"the noise of the training targets ({self.noise:.1e}) may be the limit there, or {others}"
        return f"something else than {self.name} is the limit there, be it {others}"

    def _cause_of_rise(self) -> str:
        if self.of_samples:
            return "trainings that end in worse minima"
        if self.noise > 0:
            return "more freedom, which learns the noise of the training targets, or trainings that end in worse minima"
        return "more freedom than the samples can settle, or trainings that end in worse minima"
