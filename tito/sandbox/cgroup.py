"""Control groups: the kernel counts the memory of all of a session's processes together, limits it, and says how much
it was, and how much processor time they took. On the grader's side; nothing of it can be seen from inside a session.

Moving a process into a group makes the kernel wait for all processors, 10 ms or more. So it is the process that forks
sessions which is moved, once, and every session is born in the group (see `zygote_connection`).

A group is locked by the grader that made it, for as long as that lives: what graders left that were killed is removed
by the next one. Whether groups can be had, in which version and where, is found out by making one.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

PREFIX = "tito-"
REMOVAL_S = 2.0  # for the processes of a group to be gone, when it is removed
MB = 1 << 20
FULL = 0.95  # of the limit: the kernel takes memory in parts
_numbers = itertools.count()


@dataclass(frozen=True)
class Hierarchies:
    """Where groups can be made.

    Args:
        version: 1 or 2.
        memory: the folder in which groups that limit memory are made.
        processor: and those that count processor time; the same in version 2.
    """

    version: int
    memory: Path
    processor: Path | None


class Group(Protocol):
    """A control group that limits memory."""

    def add(self, pid: int) -> None:
        """Move a process into it, which all that it starts will be in."""

    def kills(self) -> int:
        """How many of its processes the kernel has killed so far for lack of memory, be it the machine's."""

    def begin(self) -> None:
        """Another session begins."""

    def was_full(self) -> bool:
        """Whether it has been at its limit since then."""

    def used_mb(self) -> float:
        """What its processes hold now, in memory or in files that lie in memory."""

    def forget_peak(self) -> bool:
        """The most that it holds is looked for from now on; whether this kernel can do that."""

    def peak_mb(self) -> float:
        """The most that it has held since then, or ever."""

    def cpu_s(self) -> float | None:
        """Processor time that all of its processes have taken; None: it is not counted."""

    def remove(self) -> None:
        """Remove it, when its processes are gone."""


@cache
def hierarchies() -> Hierarchies | None:
    """Where groups can be made by this process; None: nowhere."""
    for candidate in _candidates(_mounts(), _own_groups()):
        with contextlib.suppress(OSError):
            _try(candidate)
            return candidate
    return None


def group(where: Hierarchies, limit_mb: int) -> Group:
    """Make a group.

    Raises:
        OSError: the kernel makes none.
    """
    return GroupV1(where, limit_mb) if where.version == 1 else GroupV2(where, limit_mb)


def remove_stale(where: Hierarchies) -> None:
    """Remove groups of graders that are no more, and have removed none themselves."""
    for folder in {where.memory, where.processor} - {None}:
        assert folder is not None
        for path in folder.glob(f"{PREFIX}*"):
            with contextlib.suppress(OSError):
                lock = _locked(path)
                try:
                    path.rmdir()  # which fails while there are processes in it
                finally:
                    os.close(lock)


class GroupV1:
    """A group of each of two hierarchies: of memory, and of processor time where that can be had."""

    def __init__(self, where: Hierarchies, limit_mb: int) -> None:
        self._limit_mb = limit_mb
        self._forgotten_mb = 0.0
        self._folders, self._locks = _made([where.memory, where.processor])
        self._memory = self._folders[0]
        self._processor = self._folders[1] if len(self._folders) > 1 else None
        try:
            _write(self._memory / "memory.limit_in_bytes", limit_mb * MB)
            with contextlib.suppress(OSError):  # a kernel that does not count what is swapped out
                _write(self._memory / "memory.memsw.limit_in_bytes", limit_mb * MB)
        except BaseException:
            self.remove()
            raise

    def add(self, pid: int) -> None:
        for folder in self._folders:
            _write(folder / "cgroup.procs", pid)

    def kills(self) -> int:
        return _field(self._memory / "memory.oom_control", "oom_kill")

    def begin(self) -> None:
        self._forgotten_mb = 0.0
        _write(self._memory / "memory.max_usage_in_bytes", 0)

    def was_full(self) -> bool:
        """By the most that it has held: kernels have a counter for it, which not all count."""
        return max(self._forgotten_mb, self.peak_mb()) >= FULL * self._limit_mb

    def used_mb(self) -> float:
        return _number(self._memory / "memory.usage_in_bytes") / MB

    def forget_peak(self) -> bool:
        self._forgotten_mb = max(self._forgotten_mb, self.peak_mb())
        _write(self._memory / "memory.max_usage_in_bytes", 0)
        return True

    def peak_mb(self) -> float:
        return _number(self._memory / "memory.max_usage_in_bytes") / MB

    def cpu_s(self) -> float | None:
        return None if self._processor is None else _number(self._processor / "cpuacct.usage") / 1e9

    def remove(self) -> None:
        _remove(self._folders, self._locks)


class GroupV2:
    """A group of the one hierarchy."""

    def __init__(self, where: Hierarchies, limit_mb: int) -> None:
        self._folders, self._locks = _made([where.memory])
        (self._folder,) = self._folders
        self._times_full = 0
        self._peak = -1  # a descriptor: what is forgotten is forgotten for that alone
        try:
            _write(self._folder / "memory.max", limit_mb * MB)
            with contextlib.suppress(OSError):  # a kernel without swap
                _write(self._folder / "memory.swap.max", 0)
        except BaseException:
            self.remove()
            raise

    def add(self, pid: int) -> None:
        _write(self._folder / "cgroup.procs", pid)

    def kills(self) -> int:
        return _field(self._folder / "memory.events", "oom_kill")

    def begin(self) -> None:
        self._times_full = self._all_times_full()

    def was_full(self) -> bool:
        return self._all_times_full() > self._times_full

    def _all_times_full(self) -> int:
        return _field(self._folder / "memory.events", "oom")

    def used_mb(self) -> float:
        return _number(self._folder / "memory.current") / MB

    def forget_peak(self) -> bool:
        """Linux 6.12 and newer."""
        try:
            if self._peak < 0:
                self._peak = os.open(self._folder / "memory.peak", os.O_RDWR | os.O_CLOEXEC)
            os.pwrite(self._peak, b"0", 0)
        except OSError:
            return False
        return True

    def peak_mb(self) -> float:
        if self._peak < 0:
            with contextlib.suppress(OSError):  # it is there since Linux 5.19
                return _number(self._folder / "memory.peak") / MB
            return 0.0
        return int(os.pread(self._peak, 32, 0)) / MB

    def cpu_s(self) -> float | None:
        return _field(self._folder / "cpu.stat", "usage_usec") / 1e6

    def remove(self) -> None:
        if self._peak >= 0:
            os.close(self._peak)
            self._peak = -1
        _remove(self._folders, self._locks)


def _made(parents: list[Path | None]) -> tuple[list[Path], list[int]]:
    """A new folder in each, locked: unless another grader takes it for left behind between the two."""
    folders: list[Path] = []
    locks: list[int] = []
    try:
        for parent in parents:
            if parent is not None:
                folder, lock = _made_in(parent)
                folders.append(folder)
                locks.append(lock)
    except BaseException:
        _remove(folders, locks)
        raise
    return folders, locks


def _made_in(parent: Path) -> tuple[Path, int]:
    while True:
        folder = parent / f"{PREFIX}{os.getpid()}-{time.monotonic_ns():x}-{next(_numbers)}"
        folder.mkdir()
        with contextlib.suppress(FileNotFoundError, BlockingIOError):
            return folder, _locked(folder)


def _locked(folder: Path) -> int:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _remove(folders: list[Path], locks: list[int]) -> None:
    """What cannot be removed yet is left to the next grader."""
    end = time.monotonic() + REMOVAL_S
    for folder in folders:
        while True:
            try:
                folder.rmdir()
            except FileNotFoundError:
                pass
            except OSError:
                if time.monotonic() < end:
                    time.sleep(0.005)
                    continue
            break
    while locks:
        os.close(locks.pop())


# ---- where -------------------------------------------------------------------------------------


def _candidates(mounts: dict[str, Path], own: dict[str, str]) -> list[Hierarchies]:
    """Places to try: this process's own groups and those above it, which limit what is below them."""
    candidates = [Hierarchies(2, folder, folder) for folder in _upwards(mounts.get(""), own.get("", "/"))]
    processors = _upwards(mounts.get("cpuacct"), own.get("cpuacct", "/"))
    for folder in _upwards(mounts.get("memory"), own.get("memory", "/")):
        candidates += [Hierarchies(1, folder, processor) for processor in (*processors, None)]
    return candidates


def _upwards(mount: Path | None, own: str) -> list[Path]:
    """The folder of a group and of those around it, inmost first. A group that is not seen here is the mount's top."""
    if mount is None:
        return []
    folder = mount / own.lstrip("/")
    inside = [parent for parent in (folder, *folder.parents) if parent.is_relative_to(mount)]
    return [parent for parent in inside if parent.is_dir()]


def _mounts() -> dict[str, Path]:
    """Where each controller of version 1 is mounted, by its name, and version 2, by ""."""
    mounts: dict[str, Path] = {}
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines():
            _, folder, kind, options, *_ = line.split(" ")
            if kind == "cgroup2":
                mounts.setdefault("", Path(folder))
            elif kind == "cgroup":
                mounts |= {name: Path(folder) for name in options.split(",") if name in ("memory", "cpuacct")}
    return mounts


def _own_groups() -> dict[str, str]:
    """The path of this process's group, by controller."""
    groups: dict[str, str] = {}
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines():
            _, controllers, path = line.split(":", 2)
            groups |= dict.fromkeys(controllers.split(","), path)
    return groups


def _try(where: Hierarchies) -> None:
    """Make a group, and have a process in it.

    Raises:
        OSError: that cannot be done here.
    """
    remove_stale(where)
    trial = group(where, 64)
    try:
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(write)
            os.read(read, 1)  # until the other side has closed it
            os._exit(0)
        os.close(read)
        try:
            trial.add(child)
        finally:
            os.close(write)
            os.waitpid(child, 0)
        trial.used_mb()
        trial.kills()
        trial.begin()
        trial.was_full()
    finally:
        trial.remove()


# ---- files -------------------------------------------------------------------------------------


def _write(path: Path, number: int) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, str(number).encode())
    finally:
        os.close(descriptor)


def _read(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.read(descriptor, 1 << 14)
    finally:
        os.close(descriptor)


def _number(path: Path) -> int:
    return int(_read(path))


def _field(path: Path, name: str) -> int:
    for line in _read(path).decode().splitlines():
        key, _, value = line.partition(" ")
        if key == name:
            return int(value)
    raise FileNotFoundError(f"{path} says nothing of {name}")
