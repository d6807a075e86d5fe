"""How long a process of a session is waited for, by what is seen of it from outside: it may say nothing, or lie.

What it is to do has a limit of processor time, at which it stops by itself: by the clock where it waits for something,
and at PATIENCE times the limit where others hold it up. Where it does not, it is given up on soon after.
"""

from __future__ import annotations

import time
from typing import Any, Protocol

from tito.sandbox.inside.codec import AT_WORK, PATIENCE, Channel, Packed

REACTION_S = 1.0  # of processor time: for a process to stop by itself at its limit, and to say so
GRACE_S = 5.0  # the same by the clock, on a machine that is busy; and for the rest of what has begun to come
LOOK_EVERY_S = 0.2


class Clock(Protocol):
    """Tells what a session has used of processors."""

    def cpu_s(self) -> float | None:
        """Seconds since it was made, of all its processes; None: it cannot be told."""


class TimeAllowance:
    """What there is for something that begins now.

    Args:
        limit_s: processor time.
        clock: None: nothing can be told of the session but the time by the clock.
    """

    def __init__(self, limit_s: float, clock: Clock | None) -> None:
        self.limit_s = limit_s
        self._clock = clock
        self._started = time.monotonic()
        self._cpu_s: float | None = None  # when it was looked at first

    def look(self) -> None:
        """Begin to look at what is used: most answers come before that is worth its while."""
        if self._cpu_s is None and self._clock is not None:
            self._cpu_s = self._clock.cpu_s()

    def is_used_up(self) -> bool:
        """Whether it must have come to its end by now, however busy the machine is."""
        wall_s = time.monotonic() - self._started
        if wall_s > self.limit_s * PATIENCE + GRACE_S:
            return True
        used_s = None if self._clock is None else self._clock.cpu_s()
        if wall_s <= self.limit_s + REACTION_S or used_s is None or self._cpu_s is None:
            return False
        used_s -= self._cpu_s
        waits = used_s < AT_WORK * wall_s
        return used_s > self.limit_s + REACTION_S or (waits and wall_s > self.limit_s + GRACE_S)


def take(channel: Channel, *allowances: TimeAllowance) -> tuple[dict[str, Any], Packed]:
    """The next message (see `Channel.take`), waited for until one of the allowances is used up.

    Raises:
        TimeoutError: one is.
        EndOfStream, CodecError: see `Channel.take`.
    """
    while not channel.has_more(LOOK_EVERY_S):
        for allowance in allowances:
            allowance.look()
        if any(allowance.is_used_up() for allowance in allowances):
            raise TimeoutError("no answer within the limit")
    return channel.take(GRACE_S)
