"""Caches that are bounded by what they hold, not by how many: a matrix for a fine grid takes tens of megabytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, ParamSpec, Protocol, TypeVar


class Sized(Protocol):
    """An array or a tensor."""

    @property
    def nbytes(self) -> int:
        """How many bytes it holds."""
        ...


Arguments = ParamSpec("Arguments")
Result = TypeVar("Result", bound=Sized)


class ByteCache(Generic[Arguments, Result]):
    """A function of hashable positional arguments that keeps its newest results, `max_bytes` of them together.

    A result that is larger alone is not kept. Threads may call it at the same time.
    """

    def __init__(self, function: Callable[Arguments, Result], max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.num_bytes = 0
        self.__doc__ = function.__doc__
        self._function = function
        self._kept: OrderedDict[Hashable, Result] = OrderedDict()
        self._lock = Lock()

    def __call__(self, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        """Return what the function returns, computed or kept."""
        key = (args, tuple(sorted(kwargs.items())))
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        result = self._function(*args, **kwargs)
        with self._lock:
            if key not in self._kept and result.nbytes <= self.max_bytes:
                self._kept[key] = result
                self.num_bytes += result.nbytes
            while self.num_bytes > self.max_bytes:
                self.num_bytes -= self._kept.popitem(last=False)[1].nbytes
        return result


def keep_bytes(max_bytes: int) -> Callable[[Callable[Arguments, Result]], ByteCache[Arguments, Result]]:
    """Return a decorator that makes a function a `ByteCache`."""
    return lambda function: ByteCache(function, max_bytes)
