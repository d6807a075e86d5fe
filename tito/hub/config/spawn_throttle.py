"""Servers start a few at a time. A start is seconds of CPU: a class that comes at once would have all of them be slow.

JupyterHub's own limit answers those who come then with an error. Here they wait, and see the page of a server that
starts; JupyterHub's time-out counts from when it is their turn.
"""

from __future__ import annotations

import asyncio
from typing import Any

LOOK_S = 0.1


class SpawnThrottle:
    """JupyterHub's `pre_spawn_hook`: waits until fewer than so many servers are starting."""

    def __init__(self, at_once: int) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._starting: set[asyncio.Task[None]] = set()

    def __deepcopy__(self, _: Any) -> SpawnThrottle:
        """Configuration is copied for every spawner, and they must all be held up by this one."""
        return self

    async def __call__(self, spawner: Any) -> None:
        await self._free.acquire()
        task = asyncio.create_task(self._until_started(spawner))
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)

    async def _until_started(self, spawner: Any) -> None:
        """It has started when it answers, or has failed to."""
        try:
            while spawner.pending == "spawn":
                await asyncio.sleep(LOOK_S)
        finally:
            self._free.release()
