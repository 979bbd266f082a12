"""How a session says no."""

from __future__ import annotations


class Refusal(ValueError):
    """A command was not carried out and the session is as before; `sentence` says why and what to do.

    `position` is the character offset in a typed formula, where one is at fault.
    """

    def __init__(self, code: str, sentence: str, *, position: int | None = None) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.position = position
