"""What is said, in plain words, of how errors fall with a size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kan_core.bases.basis import FloatArray
from kan_core.powers import power_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Sizes (n,), called `name`, in ascending order, with their median errors (n,).

    Where a network `is_blind` it does not follow the function at all, where it `is_rounded` only rounding is left, and
    where it `is_beyond` there are at least as many parameters as `samples`.
    """

    sizes: FloatArray
    errors: FloatArray
    is_blind: npt.NDArray[np.bool_]
    is_rounded: npt.NDArray[np.bool_]
    is_beyond: npt.NDArray[np.bool_]
    name: str
    samples: int | None
    has_noise: bool

    def law(self, window: slice, exponent: float, low: float, high: float) -> str:
        """Return what holds in the window of a law, where it breaks and why."""
        said = (
            f"The error falls as {power_text(self.name, -exponent)} (95 %: −{high:.2f} to −{low:.2f}) "
            f"{self._span(window.start, window.stop - 1)}."
        )
        parts = (said, self._before(window, exponent), self._within(window), self._after(window, exponent))
        return " ".join(one for one in parts if one)

    def unsettled(self, window: slice, low: float, high: float) -> str:
        """Return that errors fall, but by no law that these sizes settle."""
        first, last = window.start, window.stop - 1
        return (
            f"The error falls from {self.errors[first]:.1e} to {self.errors[last]:.1e} {self._span(first, last)}, but "
            f"these sizes settle no exponent: with a confidence of 95 % it is anywhere from {low:.1f} to {high:.1f}. "
            "More sizes or seeds would tell."
        )

    def flat(self) -> str:
        """Return that errors do not fall, or not as a power."""
        return (
            f"No power law is seen {self._span(0, len(self.sizes) - 1)}: the error goes from {self.errors[0]:.1e} to "
            f"{self.errors[-1]:.1e}, and stays between {self.errors.min():.1e} and {self.errors.max():.1e}."
        )

    def too_few(self) -> str:
        """Return that a law has too few sizes to take."""
        reasons = [
            (int(self.is_blind.sum()), "the error is too large for the function to be followed at all"),
            (int((self.is_rounded & ~self.is_blind).sum()), "only rounding is left"),
        ]
        why = "; ".join(f"at {count} of the {len(self.sizes)} sizes {reason}" for count, reason in reasons if count)
        return f"No law can be told, as it takes three sizes next to each other: {why}."

    def _span(self, first: int, last: int) -> str:
        return f"from {self.name} = {self.sizes[first]:g} to {self.sizes[last]:g}"

    def _exponent(self, index: int) -> float:
        """Return by which exponent the error falls from one size to the next."""
        ratio = np.log(self.errors[index] / self.errors[index + 1])
        return float(ratio / np.log(self.sizes[index + 1] / self.sizes[index]))

    def _before(self, window: slice, exponent: float) -> str:
        start = window.start
        if start == 0:
            return ""
        if self.is_blind[start - 1]:
            return f"Below {self.name} = {self.sizes[start]:g} the function is not followed at all."
        found = self._exponent(start - 1)
        span = self._span(start - 1, start)
        if found < 0:
            return f"Before, {span}, it rises."
        return f"Before, {span}, it falls {'more slowly' if found < exponent else 'faster'}."

    def _within(self, window: slice) -> str:
        beyond = np.flatnonzero(self.is_beyond[window])
        if not len(beyond):
            return ""
        since = f"From {self.name} = {self.sizes[window.start + int(beyond[0])]:g} on"
        return f"{since} there are at least as many parameters as samples ({self.samples:,}), which does not end it."

    def _after(self, window: slice, exponent: float) -> str:
        stop = window.stop
        if stop == len(self.sizes):
            return ""
        since = f"From {self.name} = {self.sizes[stop]:g} on"
        if self.is_beyond[stop]:
            return (
                f"{since} there are at least as many parameters as samples ({self.samples:,}): the data are the limit, "
                "and the law ends."
            )
        if self.is_rounded[stop]:
            return (
                f"{since} the error is at most {self.errors[stop:].max():.0e}: what is left is rounding in float64, as "
                "squares of errors are summed."
            )
        found = self._exponent(stop - 1)
        if found > exponent:
            return f"{since} it falls faster, to {self.errors[stop:].min():.1e}: the law is not settled yet."
        if self.has_noise:
            return f"{since} it breaks: the training targets are noisy, and finer networks learn the noise."
        if found < 0:
            return (
                f"{since} the error rises again, to {self.errors[stop:].max():.1e}: more freedom than the samples can "
                "settle, or trainings that end in worse minima."
            )
        return (
            f"{since} it falls more slowly, to {self.errors[stop:].min():.1e}: something else than {self.name} is the "
            "limit there, be it the samples, the rest of the network or where training ends."
        )
