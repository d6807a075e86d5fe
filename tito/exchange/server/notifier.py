"""Wakes those requests of workers that wait for a precheck, when something is handed in to this process."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Subscription:
    """To the next notification."""

    event: asyncio.Event

    async def wait(self, timeout_s: float) -> None:
        """Wait until it has come, and for so long at most."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.event.wait(), timeout_s)


class Notifier:
    """Of one event loop. It does not reach other processes: whoever waits there looks again after a while anyway."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self.is_closed = False

    def subscribe(self) -> Subscription:
        """To be had before one looks, so that nothing that comes meanwhile is missed."""
        return Subscription(self._event)

    def notify(self) -> None:
        """Wake all who have subscribed by now."""
        event, self._event = self._event, asyncio.Event()
        event.set()

    def close(self) -> None:
        """Wake everybody; nobody is to wait again, as the service stops when its last request is answered."""
        self.is_closed = True
        self.notify()
