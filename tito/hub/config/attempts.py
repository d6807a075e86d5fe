"""How often something was tried lately, by whom."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Callable, Hashable

MOST_KEYS = 10_000


class Attempts:
    """Attempts of the last so many seconds, counted by key. What is older is forgotten."""

    def __init__(self, within_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._within_s = within_s
        self._clock = clock
        self._times: dict[Hashable, deque[float]] = defaultdict(deque)

    def count(self, key: Hashable) -> int:
        times = self._times.get(key)
        if times is None:
            return 0
        while times and times[0] < self._clock() - self._within_s:
            times.popleft()
        if not times:
            del self._times[key]
        return len(times)

    def add(self, key: Hashable) -> None:
        if len(self._times) >= MOST_KEYS:
            for known in list(self._times):
                self.count(known)
        self._times[key].append(self._clock())

    def take_back(self, key: Hashable) -> None:
        """Forget the last attempt: it was none of those that count."""
        if self.count(key):
            self._times[key].pop()

    def forget(self, key: Hashable) -> None:
        self._times.pop(key, None)
