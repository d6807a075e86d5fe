"""What a session takes, looked at from outside of it: how long a section runs, the processor time of all the session's
processes, and how much more memory they hold than before. Nothing here is the word of a process of the session.

With a control group the kernel counts. Without one, the session's processes are looked at when a section begins, when
it has answered, and often in between; what a process of which nobody waits for the end has taken since it was looked at
last is then not seen.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import threading
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Protocol

from tito.models import Measured
from tito.sandbox import cgroup, processes
from tito.sandbox.cgroup import Group
from tito.sandbox.watchdog import WATCHED, ended_mark

UNMETERED = ("none",)  # sandboxes whose sessions are not kept from what limits and measures them
WATCHDOG = "a watchdog"
LOOK_EVERY_S = 0.01
MAPPED_MB = 24.0  # of libraries' pages that a fork maps when it first uses them, and that are there already


def mechanism() -> str:
    """What limits the memory of sessions on this machine, and measures what they take; "": nothing does."""
    where = cgroup.hierarchies()
    if where is not None:
        return f"control groups (version {where.version})"
    return WATCHDOG if _processes_are_seen() else ""


def obstacle(sandbox: str) -> str:
    """Why in this sandbox nothing can be measured from outside of a session; "" where it can be."""
    if sandbox in UNMETERED:
        return "in it, student code is free to change what is measured"
    return "" if mechanism() else "neither control groups nor a session's processes in /proc can be seen"


@cache
def _processes_are_seen() -> bool:
    """Whether the kernel tells this process what its children hold."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(write)
        os.read(read, 1)
        os._exit(0)
    os.close(read)
    try:
        seen = processes.Tree(os.getpid()).parents()
        return child in seen and processes.held(child) is not None
    except OSError:
        return False
    finally:
        os.close(write)
        os.waitpid(child, 0)


class Reading(Protocol):
    """A section that is at work."""

    def end(self) -> Measured:
        """It has answered."""


class Meter(Protocol):
    """Looks at one session."""

    def exceeded(self) -> bool:
        """Whether a process of the session has been ended because they hold too much together."""

    def struck(self) -> bool:
        """Whether that has happened since this was asked last."""

    def starved(self) -> bool:
        """Whether a process of the session has been ended because the machine has no more memory: no fault of its
        own."""

    def begin(self) -> Reading:
        """A section begins."""

    def cpu_s(self) -> float | None:
        """Seconds of processor time of all its processes; None: it cannot be told."""


class GroupMeter:
    """Of a session that is alone in its control group.

    Args:
        first: tells the number here of its first process.
    """

    def __init__(self, group: Group, first: Callable[[], int]) -> None:
        self._group = group
        self._first = first
        self._kills_before = self._kills_known = group.kills()
        group.begin()

    def exceeded(self) -> bool:
        return self._group.kills() > self._kills_before and self._group.was_full()

    def struck(self) -> bool:
        known, self._kills_known = self._kills_known, self._group.kills()
        return self._kills_known > known and self._group.was_full()

    def starved(self) -> bool:
        return self._group.kills() > self._kills_before and not self._group.was_full()

    def begin(self) -> Reading:
        exact = self._group.forget_peak() and self._group.cpu_s() is not None
        return GroupReading(self._group, None if exact else TreeReading(self._first()))

    def cpu_s(self) -> float | None:
        return self._group.cpu_s()


class GroupReading:
    """The kernel counts.

    Args:
        beside: looks beside it, where the kernel cannot count all that is wanted.
    """

    def __init__(self, group: Group, beside: TreeReading | None = None) -> None:
        self._group = group
        self._beside = beside
        self._held_mb, self._peak_mb = group.used_mb(), 0.0 if beside is None else group.peak_mb()
        self._cpu_s = group.cpu_s()
        self._started = time.monotonic()

    def end(self) -> Measured:
        wall_s = time.monotonic() - self._started
        cpu_s, used_mb, peak_mb = self._group.cpu_s(), self._group.used_mb(), self._group.peak_mb()
        if peak_mb <= self._peak_mb:  # it held more at some time before
            peak_mb = used_mb
        grown_mb = max(0.0, max(peak_mb, used_mb) - self._held_mb)
        if self._beside is None:
            assert cpu_s is not None and self._cpu_s is not None
            return Measured(wall_s, cpu_s - self._cpu_s, grown_mb)
        seen = self._beside.end()
        counted_s = seen.cpu_s if cpu_s is None or self._cpu_s is None else cpu_s - self._cpu_s
        return Measured(wall_s, counted_s, max(grown_mb, seen.peak_mb))


class TreeMeter:
    """Of a session whose first process, or supervisor, has this number here.

    Args:
        folder: where the watchdog leaves word.

    Raises:
        OSError: no watchdog watches, or the session cannot be seen.
    """

    def __init__(self, first: int, folder: Path) -> None:
        self._folders = _watched_folders(folder)
        if processes.held(first) is None:
            raise ProcessLookupError("a session's processes cannot be seen from here")
        self._first = first
        self._mark = ended_mark(folder, first)
        self._kills = _kills_on_this_machine()

    def exceeded(self) -> bool:
        return self._mark.exists()

    def struck(self) -> bool:
        return False  # the whole session is ended

    def starved(self) -> bool:
        return not self.exceeded() and _kills_on_this_machine() > self._kills

    def begin(self) -> Reading:
        return TreeReading(self._first, self._folders)

    def cpu_s(self) -> float | None:
        return sum(sum(processes.cpu_s(pid)) for pid in processes.Tree(self._first).parents())


def _kills_on_this_machine() -> int:
    """How many processes the kernel has killed so far for lack of memory, whosever they were."""
    for line in Path("/proc/vmstat").read_text(encoding="ascii").splitlines():
        name, _, value = line.partition(" ")
        if name == "oom_kill":
            return int(value)
    return 0


def _watched_folders(folder: Path) -> tuple[str, ...]:
    """The folders of a session that lie in memory.

    Raises:
        OSError: no watchdog is at work: it locks a file for as long as it lives.
    """
    path = folder / WATCHED
    end = time.monotonic() + 20.0
    while not path.exists():
        if time.monotonic() > end:
            raise FileNotFoundError("nothing watches the memory of sessions")
        time.sleep(0.01)
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return tuple(json.loads(path.read_text(encoding="utf-8")))
    finally:
        os.close(descriptor)
    raise OSError("what watched the memory of sessions has ended")


class TreeReading:
    """Looks at a session's processes, in a thread of its own while the section runs."""

    def __init__(self, first: int, folders: tuple[str, ...] = ()) -> None:
        self._tree = processes.Tree(first)
        self._folders = folders
        self._cpu: dict[int, tuple[float, float]] = {}
        self._lost_s = 0.0  # of processes for whose end nobody waited
        parents = self._tree.parents()
        for pid in parents:
            processes.forget_peak(pid)
        self._before = processes.holders(parents)
        self._own_mb, self._shares_mb, self._grown_mb = (
            self._in_full_mb(self._before),
            self._in_parts_mb(self._before),
            0.0,
        )
        self._look_at_clocks(list(parents))
        self._cpu_s, self._lost_s = self._all_cpu_s(), 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look_often, daemon=True)
        self._thread.start()
        self._started = time.monotonic()

    def end(self) -> Measured:
        wall_s = time.monotonic() - self._started
        self._over.set()
        self._thread.join()
        self._look()
        cpu_s = self._all_cpu_s() + self._lost_s - self._cpu_s
        return Measured(wall_s, max(0.0, cpu_s), max(self._grown_mb, self._outgrown_mb()))

    def _look_often(self) -> None:
        while not self._over.wait(LOOK_EVERY_S):
            with contextlib.suppress(OSError):
                self._look()

    def _look(self) -> None:
        parents = self._tree.parents()
        self._look_at_clocks(list(parents))
        holders = processes.holders(parents)
        if self._before.keys() >= holders.keys():  # to tell parts of shared pages takes long
            grown_mb = self._in_full_mb(holders) - self._own_mb
        else:
            grown_mb = self._in_parts_mb(holders) - self._shares_mb
        self._grown_mb = max(self._grown_mb, grown_mb)

    def _in_full_mb(self, holders: dict[int, processes.Held]) -> float:
        """What they hold without pages of files, each with all that it shares."""
        return sum(held.own for held in holders.values()) / 1024 + processes.filled_mb(holders, self._folders)

    def _in_parts_mb(self, holders: dict[int, processes.Held]) -> float:
        """The same, of what they share their parts."""
        shares = ((processes.share_of_own_kb(pid), held.own) for pid, held in holders.items())
        return sum(own if share is None else min(share, own) for share, own in shares) / 1024 + processes.filled_mb(
            holders, self._folders
        )

    def _outgrown_mb(self) -> float:
        """By how much the processes that were there have outgrown what they held then, at their largest."""
        total = 0.0
        for pid, before in self._before.items():
            now = processes.held(pid)
            if now is not None:
                mapped = min(max(0, now.files - before.files) / 1024, MAPPED_MB)
                total += max(0.0, (now.peak - before.resident) / 1024 - mapped)
        return total

    def _look_at_clocks(self, members: list[int]) -> None:
        now = {pid: processes.cpu_s(pid) for pid in members}
        gone_s = sum(sum(times) for pid, times in self._cpu.items() if pid not in now)
        waited_s = sum(waited - self._cpu.get(pid, (0.0, 0.0))[1] for pid, (_, waited) in now.items())
        if gone_s:  # a parent that does not care for its children's end is not told what they took
            self._lost_s += max(0.0, gone_s - max(waited_s, 0.0) - 2 / processes.TICKS)
        self._cpu = now

    def _all_cpu_s(self) -> float:
        return sum(sum(times) for times in self._cpu.values())
