"""Wakes those requests of workers that wait for something to check, when something is handed in to this process."""

from __future__ import annotations

import asyncio
import contextlib


class Bell:
    """Of one event loop. What rings in another process is not heard: whoever waits looks again after a while anyway."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def listen(self) -> asyncio.Event:
        """What the next ring sets. Taken before one looks, so that nothing that comes meanwhile is missed."""
        return self._event

    def ring(self) -> None:
        """Wake all who listen now."""
        rung, self._event = self._event, asyncio.Event()
        rung.set()


async def rung(event: asyncio.Event, seconds: float) -> None:
    """Wait until it rings, and for so long at most."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
