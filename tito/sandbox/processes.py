"""The processes of a session as the kernel lists them to the grader's side: which there are, and what they hold.

Numbers of processes are those that this process sees. The kernel's own lists of children are not everywhere; so all
processes are looked through, and those that are of no interest are remembered for a moment.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tito.sandbox.inside import kernel

FOREIGN_S = 1.0  # a number is given to another process when all others have been given out
TICKS = os.sysconf("SC_CLK_TCK")
MB = 1 << 20


def can_fork() -> bool:
    """Whether this process has no threads that a fork would break."""
    return len([*Path("/proc/self/task").iterdir()]) == 1


@dataclass(frozen=True)
class Held:
    """What a process holds, in KiB."""

    bound: int  # in memory, swapped out, and in tables; pages that it shares with others in full
    peak: int  # the most that was in memory since that was reset
    resident: int
    files: int  # of what is in memory: pages of files, which the kernel holds for all

    @property
    def own(self) -> int:
        return max(0, self.bound - self.files)


class Tree:
    """All processes that descend from a process, looked for again and again."""

    def __init__(self, root: int) -> None:
        self.root = root
        self._foreign: dict[int, float] = {}

    def parents(self) -> dict[int, int]:
        """The parent of each process below the root, and of the root."""
        now = time.monotonic()
        listed = [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208  (names, not paths)
        self._foreign = {pid: end for pid, end in self._foreign.items() if end > now}
        seen = {pid: parent for pid in listed if pid not in self._foreign and (parent := parent_of(pid)) is not None}
        below: dict[int, int] = {}
        for pid, parent in seen.items():
            ancestry = list(_ancestry(pid, seen))
            if self.root in ancestry:
                below[pid] = parent
            elif ancestry[-1] in self._foreign or seen[ancestry[-1]] == 0:
                self._foreign[pid] = now + FOREIGN_S
        return below


def _ancestry(pid: int, parents: dict[int, int]) -> Iterator[int]:
    """A process and those above it, as far as they are known."""
    while pid in parents:
        yield pid
        pid = parents[pid]


def below(root: int, parents: dict[int, int]) -> dict[int, int]:
    """Of processes whose parents are given, those that are the root or descend from it."""
    return {pid: parent for pid, parent in parents.items() if root in _ancestry(pid, parents)}


def parent_of(pid: int) -> int | None:
    """The parent of a process; None: there is no such process."""
    fields = _stat(pid)
    return None if fields is None else int(fields[1])


def _stat(pid: int) -> list[bytes] | None:
    """The fields of a process after its name, which may hold anything."""
    with contextlib.suppress(OSError):
        data = _read(f"/proc/{pid}/stat")
        if data:
            return data.rpartition(b")")[2].split()
    return None


def held(pid: int) -> Held | None:
    """What a process holds. No process can keep that from being read, and none without memory is left out."""
    with contextlib.suppress(OSError):
        values = dict.fromkeys((b"VmRSS", b"VmSwap", b"VmPTE", b"HugetlbPages", b"VmHWM", b"RssFile"), 0)
        for line in _read(f"/proc/{pid}/status").split(b"\n"):
            name, _, value = line.partition(b":")
            if name in values:
                values[name] = int(value.split()[0])
        bound = sum(values[name] for name in (b"VmRSS", b"VmSwap", b"VmPTE", b"HugetlbPages"))
        return Held(bound, values[b"VmHWM"], values[b"VmRSS"], values[b"RssFile"])
    return None


def share_kb(pid: int, kinds: tuple[bytes, ...] = (b"Pss", b"SwapPss")) -> int | None:
    """What a process holds in KiB, of pages that it shares with others its part; None: that may not be read."""
    try:
        lines = _read(f"/proc/{pid}/smaps_rollup").split(b"\n")
    except PermissionError:
        return None
    except OSError:  # it has ended
        return 0
    return sum(int(value.split()[0]) for name, _, value in (line.partition(b":") for line in lines) if name in kinds)


def share_of_own_kb(pid: int) -> int | None:
    """The same without pages of files."""
    return share_kb(pid, (b"Pss_Anon", b"Pss_Shmem", b"SwapPss"))


def holders(parents: dict[int, int]) -> dict[int, Held]:
    """What each of these processes holds. One that has its parent's memory, as until a new program is loaded, holds
    nothing of its own."""
    known = {pid: process for pid in parents if (process := held(pid)) is not None}
    twice = [
        pid
        for pid, process in known.items()
        if known.get(parents[pid]) == process and _have_same_memory(pid, parents[pid])
    ]
    return {pid: process for pid, process in known.items() if pid not in twice}


def _have_same_memory(first: int, second: int) -> bool:
    """Whether two processes have one address space; no, where the kernel does not tell."""
    try:
        return kernel.have_same_memory(first, second)
    except OSError:
        return False


def held_mb(parents: dict[int, int], folders: Sequence[str], enough_mb: float) -> float:
    """What processes hold together with files in folders that lie in memory; of pages that they share their part.

    To find that out takes long, and is left out where they hold less than `enough_mb` with what they share.
    """
    known = {pid: process.bound for pid, process in holders(parents).items()}
    filed = filled_mb(parents, folders)
    bound = sum(known.values()) / 1024 + filed
    if bound < enough_mb:
        return bound
    shares = ((share_kb(pid), most) for pid, most in known.items())
    return sum(most if share is None else min(share, most) for share, most in shares) / 1024 + filed


def filled_mb(pids: Iterable[int], folders: Sequence[str]) -> float:
    """What stands in file systems that lie in memory, as each of these processes sees them: there may be several."""
    filled: dict[int, float] = {}
    for path in (f"/proc/{pid}/root{folder}" for pid in pids for folder in folders):
        with contextlib.suppress(OSError):
            device = os.stat(path).st_dev  # noqa: PTH116  (hundreds of times a second)
            if device not in filled:
                usage = os.statvfs(path)
                filled[device] = (usage.f_blocks - usage.f_bfree) * usage.f_frsize / MB
    return sum(filled.values())


def cpu_s(pid: int) -> tuple[float, float]:
    """Processor time of a process with its threads, and of its children that have ended and were waited for."""
    own = waited = 0.0
    with contextlib.suppress(OSError):
        own = time.clock_gettime(~pid << 3 | 2)  # the kernel's number for the clock of all threads of a process
    fields = _stat(pid)
    if fields is not None:
        waited = (int(fields[13]) + int(fields[14])) / TICKS
    return own, waited


def forget_peak(pid: int) -> bool:
    """The most that a process holds in memory is looked for from now on; whether that could be done."""
    try:
        Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return False
    return True


def _read(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.read(descriptor, 1 << 14)
    finally:
        os.close(descriptor)
