"""A session's processes as its warden sees and holds them. It runs no student code, and is an ancestor of them all.

What is held waits in a stop of ptrace's, from which no signal of another process wakes it; only SIGKILL reaches it.
Where ptrace is not to be had, a process is stopped by a signal, and nothing is known of what it shares with others.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import stat
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from tito.sandbox.inside import kernel
from tito.sandbox.inside.kernel import Mapping

WALL = 0x40000000  # of waitpid: whatever kind of child, and who is traced
STOP_S = 2.0
FIND_S = 1.0  # for a process that is there to be found
CLEAR_S = 3.0  # for the others to die
LOOK_S = 0.0002
NOWHERE = {os.makedev(1, minor) for minor in (3, 5, 7, 8, 9)}  # null, zero, full, random, urandom
PF_EXITING = 4
STATUS = re.compile(r"^(SigPnd|ShdPnd|Threads|Umask):\t(\w+)$", re.MULTILINE)
MARK = kernel.Buffer(bytes(8))  # at the same place in every fork of this process, with content of its own


class Shared(Exception):
    """A copy has kept what others may have too. Its text is a sentence for students."""


@dataclass(frozen=True)
class Process:
    """A copy of the notebook: its number here and in /proc, and a descriptor that tells when it has gone."""

    pid: int
    outer: int
    ended: int

    @property
    def is_alive(self) -> bool:
        return not select.select([self.ended], [], [], 0)[0]


@dataclass(frozen=True)
class Belonging:
    """What a process that waits has, beside memory: the same when it waits and when it is its turn."""

    descriptors: tuple[str, ...]
    mask: str


class Processes:
    """All processes of a session.

    Args:
        proc: a descriptor of a /proc that shows them. Their numbers in it may be others than those here.
    """

    def __init__(self, proc: int) -> None:
        self._proc = proc
        self._self = int(os.readlink("self", dir_fd=proc))
        self._knows_children = self._has(f"{self._self}/task/{self._self}/children")
        self._cleared = False  # whether what is held is alone; it can start nothing then
        self._program = os.stat(f"{self._self}/exe", dir_fd=proc)
        self.blind = False  # whether ptrace is not to be had

    # ---- who there is ----------------------------------------------------------------------------

    def named(self, pid: int) -> Process | None:
        """The process of that number. The kernel's lists of children may leave out some while others come and go: as
        long as it is there it is looked for again."""
        end = time.monotonic() + FIND_S
        while True:
            for outer in self._descendants():
                if self._inner(outer) == pid:
                    with contextlib.suppress(OSError):
                        return Process(pid, outer, os.pidfd_open(pid))
            try:
                os.kill(pid, 0)
            except OSError:
                return None
            if time.monotonic() > end:
                return None
            time.sleep(LOOK_S)

    def clear(self, held: list[Process], spared: Process | None = None) -> bool:
        """End all but those that are held, and one that is at work; whether that was done in time.

        One that is on its way out is as good as gone: nothing of it runs any more.
        """
        end, quiet = time.monotonic() + CLEAR_S, 0
        while quiet < 2:  # an orphan may move while it is looked for
            keep = {process.outer for process in held if process.is_alive}
            leaves = set(keep) if self._cleared else set()
            if spared is not None and spared.is_alive:
                keep.add(spared.outer)
            others = [pid for pid in self._descendants(leaves) if pid not in keep and not self._is_ending(pid)]
            quiet = 0 if others else quiet + 1
            for pid in filter(None, map(self._inner, others)):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if others:
                if time.monotonic() > end:
                    return False
                time.sleep(LOOK_S)
        self._cleared = True
        if spared is not None:
            os.close(spared.ended)
        return True

    def _descendants(self, leaves: Collection[int] = ()) -> Iterator[int]:
        """Their numbers in /proc, the youngest of each family first. Those in `leaves` have no children."""
        waiting = [self._self]
        while waiting:
            parent = waiting.pop(0)
            if parent not in leaves:
                with contextlib.suppress(OSError):
                    children = self._children(parent)[::-1]
                    yield from children
                    waiting += children

    def _children(self, parent: int) -> list[int]:
        if not self._knows_children:
            return [pid for pid in map(int, filter(str.isdigit, self._names("."))) if self._parent(pid) == parent]
        threads = [str(parent)] if parent == self._self else self._names(f"{parent}/task")
        return [int(pid) for thread in threads for pid in self._text(parent, f"task/{thread}/children").split()]

    def _parent(self, outer: int) -> int:
        with contextlib.suppress(OSError, IndexError):
            return int(self._stat(outer)[1])
        return 0

    def _inner(self, outer: int) -> int:
        """The number here of one in /proc; 0: it has gone."""
        with contextlib.suppress(OSError):
            for line in self._text(outer, "status").splitlines():
                if line.startswith("NSpid:"):
                    return int(line.split()[-1])
        return 0

    def is_asleep(self, process: Process) -> bool:
        """Whether a process waits for something, or has gone."""
        return self._stat(process.outer)[0] != "R"

    def _is_ending(self, outer: int) -> bool:
        """Whether a process has gone, or begun to go."""
        state, *numbers = self._stat(outer)
        return state in "ZX" or bool(int(numbers[5]) & PF_EXITING)

    def _stat(self, outer: int) -> list[str]:
        """What stands in /proc of a process, from its state on."""
        with contextlib.suppress(OSError):
            return self._text(outer, "stat").rpartition(")")[2].split()
        return ["X"]

    def _has(self, path: str) -> bool:
        with contextlib.suppress(OSError):
            os.stat(path, dir_fd=self._proc)
            return True
        return False

    def _names(self, path: str) -> list[str]:
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self._proc)
        try:
            return os.listdir(folder)  # noqa: PTH208  (a descriptor, and no path)
        finally:
            os.close(folder)

    def _text(self, outer: int, name: str) -> str:
        descriptor = os.open(f"{outer}/{name}", os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._proc)
        try:
            parts = []
            while part := os.read(descriptor, 1 << 16):
                parts.append(part)
        finally:
            os.close(descriptor)
        return b"".join(parts).decode(errors="replace")

    # ---- holding ---------------------------------------------------------------------------------

    def hold(self, process: Process) -> None:
        """Let a process wait, whatever others do.

        Raises:
            Shared: it does not stop.
        """
        if self.blind:
            os.kill(process.pid, signal.SIGSTOP)
            return
        try:
            kernel.ptrace_seize(process.pid)
        except PermissionError:
            self.blind = True
            self.hold(process)
            return
        try:
            kernel.ptrace_interrupt(process.pid)
            end = time.monotonic() + STOP_S
            while time.monotonic() < end:
                if os.waitpid(process.pid, os.WNOHANG | WALL)[0]:
                    return
                time.sleep(LOOK_S)
        except OSError:
            pass
        raise Shared("The copy of the notebook that was made for this test has ended.")

    def release(self, process: Process) -> None:
        """Let a process that was held go on.

        Raises:
            Shared: it has gone.
        """
        try:
            if self.blind:
                os.kill(process.pid, signal.SIGCONT)
                return
            kernel.ptrace_detach(process.pid)
        except OSError as error:
            raise Shared("The copy of the notebook that was made for this test has ended.") from error

    def mark(self, processes: list[Process]) -> list[Process]:
        """Those that have memory of their own, of the processes that are held."""
        if self.blind:
            return processes
        marked = [process for at, process in enumerate(processes) if self._write_mark(process, at + 1)]
        return [
            process for at, process in enumerate(processes) if process in marked and self._read_mark(process) == at + 1
        ]

    def _write_mark(self, process: Process, mark: int) -> bool:
        with contextlib.suppress(OSError):
            kernel.poke(process.pid, MARK.address, mark)
            return True
        return False

    def _read_mark(self, process: Process) -> int:
        with contextlib.suppress(OSError):
            return kernel.peek(process.pid, MARK.address)
        return 0

    # ---- what they have --------------------------------------------------------------------------

    def shared_memory(self, process: Process) -> list[tuple[int, int]]:
        """Where its memory is shared with others, or with a file."""
        descriptor = os.open(f"{process.outer}/maps", os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._proc)
        try:
            mappings = list(_queried(descriptor))
        except OSError:  # a kernel that has to be read
            mappings = list(_parsed(self._text(process.outer, "maps")))
        finally:
            os.close(descriptor)
        return [
            (mapping.start, mapping.end)
            for mapping in mappings
            if mapping.is_writable or not mapping.name.startswith("/usr/")
        ]

    def look_at(self, process: Process, channel: int, *, memory: bool) -> Belonging | None:
        """What a process that is held has, if that is nothing that another could have too.

        Args:
            channel: the inode of the socket that it may have.
            memory: whether to look for shared memory as well.

        Raises:
            Shared: it has more.
        """
        if self.blind:
            return None
        try:
            status = dict(STATUS.findall(self._text(process.outer, "status")))
            if any(status[pending].strip("0") for pending in ("SigPnd", "ShdPnd")):
                raise Shared("A signal was sent to the copy of the notebook that was made for this test.")
            if status["Threads"] != "1" or os.getsid(process.pid) != process.pid:
                raise Shared("The copy of the notebook that was made for this test did not stay as it was made.")
            if os.readlink(f"{process.outer}/cwd", dir_fd=self._proc) != "/":
                raise Shared("The copy of the notebook that was made for this test kept a folder open.")
            if not os.path.samestat(os.stat(f"{process.outer}/exe", dir_fd=self._proc), self._program):
                raise Shared("The copy of the notebook that was made for this test did not stay as it was made.")
            if memory and self.shared_memory(process):
                raise Shared("The notebook shares memory between processes that a test would read.")
            descriptors = tuple(self._descriptor(process, name, channel) for name in self._names(f"{process.outer}/fd"))
        except (OSError, KeyError, ValueError) as error:
            raise Shared("The copy of the notebook that was made for this test has ended.") from error
        return Belonging(descriptors, status["Umask"])

    def _descriptor(self, process: Process, name: str, channel: int) -> str:
        """A descriptor in words, in which all is that others who have it too could change."""
        about = os.stat(f"{process.outer}/fd/{name}", dir_fd=self._proc)
        if stat.S_ISSOCK(about.st_mode) and about.st_ino == channel:
            return name
        if not stat.S_ISCHR(about.st_mode) or about.st_rdev not in NOWHERE:
            raise Shared("The copy of the notebook that was made for this test kept a file, a pipe or a socket open.")
        return f"{name} {about.st_rdev} {self._text(process.outer, f'fdinfo/{name}')}"


def _queried(maps: int) -> Iterator[Mapping]:
    """Shared memory of a process, asked for mapping by mapping.

    Raises:
        OSError: see `next_shared_mapping`.
    """
    end = 0
    while (mapping := kernel.next_shared_mapping(maps, end)) is not None:
        yield mapping
        end = mapping.end


def _parsed(maps: str) -> Iterator[Mapping]:
    """The same, from the text that each kernel has of it."""
    for line in maps.splitlines():
        addresses, rights, _, _, _, *name = line.split(None, 5)
        if rights.endswith("s"):
            start, end = (int(number, 16) for number in addresses.split("-"))
            yield Mapping(start, end, "w" in rights, "".join(name))
