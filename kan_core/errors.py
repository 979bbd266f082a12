"""The errors that kan_core raises; each message states the invariant, the received `name=value` and the remedy."""

from __future__ import annotations


class KanError(ValueError):
    """Base of all errors of kan_core."""


class SpecError(KanError):
    """A specification (network, training) is out of bounds."""


class DataError(KanError):
    """Data cannot be used: wrong shape, not finite, unreadable."""


class ExpressionError(KanError):
    """A typed formula is refused; `position` is the offset of the offending character, counted from 0."""

    def __init__(self, message: str, position: int = 0) -> None:
        super().__init__(message)
        self.position = position


class EdgeError(KanError):
    """An edge does not exist or is not of the kind that the operation needs."""


class CheckpointError(KanError):
    """Bytes are not a checkpoint that this version reads."""


class ExportError(KanError):
    """A network cannot be written in the asked form."""
