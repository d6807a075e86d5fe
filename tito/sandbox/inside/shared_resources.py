"""What a copy of a notebook has in common with the others when it is forked, and gives up: open files, its folder, and
memory that processes share. It takes its files up again, by name, when it is its turn and its folders are as they were.

This runs beside student code. A copy that keeps something back is sent nothing: see `warden`.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import json
import os
import select
import socket
import stat
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tito.sandbox.inside import kernel

MOST_DESCRIPTORS = 256
SHARING = ("mmap", "_multiprocessing", "_posixshmem")  # modules by which Python shares memory
DEVICES = {os.makedev(1, minor): f"/dev/{name}" for minor, name in ((3, "null"), (5, "zero"), (7, "full"),
                                                                    (8, "random"), (9, "urandom"))}  # fmt: skip
HOW = os.O_ACCMODE | os.O_APPEND | os.O_NONBLOCK | os.O_SYNC | os.O_NOATIME
WAL_INDEX = "-shm"  # ends the name of what SQLite keeps in shared memory beside a database in WAL mode
WAL_INDEX_BEGINS = (3_007_000).to_bytes(4, sys.byteorder)
WAL_INDEX_HEADER = 136  # bytes
PATIENCE_S = 5.0


@dataclass(frozen=True)
class Opened:
    """A file that was open, by what is needed to open it again."""

    descriptor: int
    path: str
    how: int
    at: int


@dataclass
class SharedResources:
    """Of one process.

    Args:
        to_warden: its connection to the warden.
        folders: those that each copy has a view of its own of.
        files: the folder of the assignment's files.
    """

    to_warden: socket.socket
    folders: list[str]
    files: str
    home: str = "/"
    opened: list[Opened] = field(default_factory=list)
    loop: Any = None  # the notebook's event loop, which has a pair of sockets

    @property
    def has_wal(self) -> bool:
        """Whether a database in WAL mode was open."""
        return any(file.path.endswith(WAL_INDEX) for file in self.opened)

    def prepare(self, number: int, loop: Any) -> None:
        """Before the fork: have the files kept, and see which are open, and where. The copy would find what the
        notebook went on with."""
        self.to_warden.send(b"take %d" % number)
        self.loop = loop
        self.opened.clear()
        wanted: dict[tuple[int, int], list[tuple[int, int, int]]] = {}
        for descriptor in _open_descriptors():
            with contextlib.suppress(OSError):
                about = os.fstat(descriptor)
                if about.st_nlink and (stat.S_ISREG(about.st_mode) or stat.S_ISDIR(about.st_mode)):
                    how = fcntl.fcntl(descriptor, fcntl.F_GETFL) & HOW
                    at = os.lseek(descriptor, 0, os.SEEK_CUR)
                    wanted.setdefault((about.st_dev, about.st_ino), []).append((descriptor, how, at))
        if wanted:
            self._find(wanted)

    def wait(self) -> None:
        """In the notebook, after the fork: what stands in the folders has been kept."""
        self.to_warden.recv(64)

    def leave(self, number: int, channel: int) -> None:
        """Give up all but the channel, and report to the warden as the copy of that number. Whatever had a
        descriptor keeps its number, which leads nowhere."""
        with contextlib.suppress(OSError):
            self.home = str(Path.cwd())
        os.setsid()
        os.chdir("/")
        nowhere = os.open(os.devnull, os.O_RDWR)
        if self.loop is not None:
            with contextlib.suppress(Exception):
                self.loop._close_self_pipe()
        for descriptor in _open_descriptors():
            if descriptor in (channel, nowhere, self.to_warden.fileno()):
                continue
            with contextlib.suppress(OSError):
                about = os.fstat(descriptor)
                if stat.S_ISCHR(about.st_mode) and about.st_rdev in DEVICES and descriptor > 2:
                    again = os.open(DEVICES[about.st_rdev], fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE)
                else:
                    again = os.dup(nowhere)
                os.dup2(again, descriptor, inheritable=descriptor < 3)
                os.close(again)
        os.close(nowhere)
        if self.has_wal or any(name in sys.modules for name in SHARING):
            with contextlib.suppress(OSError, ValueError):
                for start, end in _shared_memory(number, self.to_warden):
                    kernel.make_private(start, end)
                    _forget_wal_index(start)
        self.to_warden.send(b"copy %d" % number)
        self.to_warden.close()

    def _find(self, wanted: dict[tuple[int, int], list[tuple[int, int, int]]]) -> None:
        """The names of files that were open: there may be no /proc to ask."""
        for top in (*self.folders, self.files):
            for folder, _, names in os.walk(top):
                for path in (folder, *(f"{folder}/{name}" for name in names)):
                    with contextlib.suppress(OSError):
                        about = os.lstat(path)
                        for descriptor, how, at in wanted.pop((about.st_dev, about.st_ino), ()):
                            self.opened.append(Opened(descriptor, path, how, at))
                if not wanted:
                    return

    def take_up(self) -> None:
        """Open what was open, and go where the notebook was. What is not there any more stays closed."""
        for file in self.opened:
            with contextlib.suppress(OSError):
                descriptor = os.open(file.path, file.how | os.O_NOFOLLOW | os.O_CLOEXEC)
                os.lseek(descriptor, file.at, os.SEEK_SET)
                os.dup2(descriptor, file.descriptor, inheritable=False)
                os.close(descriptor)
        has_wal = self.has_wal
        self.opened.clear()
        if self.loop is not None:
            with contextlib.suppress(Exception):
                self.loop._make_self_pipe()
        for folder in (self.home, self.folders[0]):
            with contextlib.suppress(OSError):
                os.chdir(folder)
                break
        if has_wal:
            _leave_wal_mode()


def _forget_wal_index(start: int) -> None:
    """Where SQLite keeps there what stands in a WAL, have it look again when it needs that: the notebook, which shared
    this memory, may have gone on before it was copied."""
    if kernel.memory_at(start, len(WAL_INDEX_BEGINS)) == WAL_INDEX_BEGINS:
        kernel.clear(start, WAL_INDEX_HEADER)


def _leave_wal_mode() -> None:
    """Have connections that were open write what they have into their databases, which have no WAL then. A connection
    that a test opens would take such a database for another one, that nobody has open, and remove its WAL at its end:
    the file's device is not what it was.
    """
    sqlite3: Any = sys.modules.get("sqlite3")
    connections = [thing for thing in gc.get_objects() if sqlite3 and issubclass(type(thing), sqlite3.Connection)]
    for connection in connections:
        with contextlib.suppress(Exception):  # in a transaction, or closed
            sqlite3.Connection.execute(connection, "PRAGMA journal_mode=DELETE")


def _open_descriptors() -> list[int]:
    """Those that are open, found by one question for all of them. There may be no /proc to ask."""
    every = range(MOST_DESCRIPTORS)
    asked = select.poll()
    for descriptor in every:
        asked.register(descriptor, 0)
    try:
        closed = {descriptor for descriptor, event in asked.poll(0) if event & select.POLLNVAL}
    except OSError:  # student code has lowered the limit of how many there may be
        return list(every)
    return [descriptor for descriptor in every if descriptor not in closed]


def _shared_memory(number: int, to_warden: socket.socket) -> list[tuple[int, int]]:
    """Where this process's memory is shared with others, or with a file. There may be no /proc here: the warden
    says it."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        socket.send_fds(to_warden, [b"shared %d" % number], [theirs.fileno()])
        theirs.close()
        ours.settimeout(PATIENCE_S)
        mappings = json.loads(ours.recv(1 << 16) or b"[]")
    return [(int(start), int(end)) for start, end in mappings]
