"""Waking everyone who waits for a change."""

from __future__ import annotations

import asyncio


class Pulse:
    """Tasks await the next beat; each beat wakes those that wait at that moment."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    async def wait(self) -> None:
        """Return at the next beat."""
        await self._event.wait()

    def beat(self) -> None:
        """Wake all that wait."""
        event, self._event = self._event, asyncio.Event()
        event.set()
