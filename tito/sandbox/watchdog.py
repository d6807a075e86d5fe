"""Where no control groups can be had: a process of the grader's that adds up, several times a second, what processes
of each session hold together, and ends a session that holds more than it may.

It finds sessions by itself: what a session server has forked (see `zygote`). Of pages that processes share each counts
its part, and where a process hides its parts, it counts in full. Files in memory count too.

    {folder}/watched       is locked while it watches; the folders of a session that lie in memory
    {folder}/ended-{number}   a session that it has ended, by the number of its first process here
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

from tito.sandbox import processes

WATCHED = "watched"
FOLDERS_IN_MEMORY = ("/tmp", "/dev/shm", "/home/student")
LOOK_EVERY_S, LOOK_CLOSELY_EVERY_S, LOOK_SELDOM_EVERY_S = 0.2, 0.05, 0.25
SHARE = 0.02  # of a processor, that it takes at most unless it were to look yet more seldom
CLOSE = 0.5  # of what a session may hold: from there on it is looked at more often
BOOT = "import sys; sys.path.insert(0, {path!r}); from tito.sandbox.watchdog import main; main()"


def ended_mark(folder: Path, first: int) -> Path:
    """The file that says that this session was ended for what it held."""
    return folder / f"ended-{first}"


def start(address: Path, limit_mb: int, *, in_memory: bool, supervisors: bool) -> subprocess.Popen[bytes]:
    """Start one for the zygote that listens at `address`, which somebody has connected to already.

    Args:
        in_memory: whether sessions have file systems of their own in memory.
        supervisors: whether sessions have supervisors, which end them on a signal.

    Raises:
        OSError: it cannot be started.
    """
    platform = str(Path(__file__).resolve().parent.parent.parent)
    settings = {"address": str(address), "limit_mb": limit_mb, "in_memory": in_memory, "supervisors": supervisors}
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-B", "-c", BOOT.format(path=platform), json.dumps(settings)],
        stdin=subprocess.DEVNULL,
        env={},
    )


def main() -> None:
    """Watch until the zygote has ended."""
    settings = json.loads(sys.argv[1])
    address = Path(settings["address"])
    with contextlib.suppress(OSError):  # the zygote ends, or its folder is gone with the grader
        zygote = _zygote(address)
        ended = select.poll()
        ended.register(os.pidfd_open(zygote), select.POLLIN)
        watch = MemoryWatchdog(zygote, address.parent, settings)
        lock = os.open(address.parent / f"{WATCHED}~", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        os.write(lock, json.dumps(watch.folders).encode())
        (address.parent / f"{WATCHED}~").rename(address.parent / WATCHED)
        while not ended.poll(watch.look() * 1000):
            pass


def _zygote(address: Path) -> int:
    """The zygote's number here: its servers' parent. The kernel says who answers on a connection."""
    credentials = struct.Struct("=iII")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        connection.connect(str(address))
        _, ((_, _, content), *_), _, _ = connection.recvmsg(1 << 12, socket.CMSG_SPACE(credentials.size))
        server: int = credentials.unpack(content)[0]
        parent = processes.parent_of(server)
    if not parent:
        raise ProcessLookupError("the zygote cannot be seen from here")
    return parent


class MemoryWatchdog:
    """Looks at all sessions of a zygote."""

    def __init__(self, zygote: int, folder: Path, settings: dict[str, int]) -> None:
        self._zygote = zygote
        self._folder = folder
        self._limit_mb = settings["limit_mb"]
        self.folders = FOLDERS_IN_MEMORY if settings["in_memory"] else ()
        self._signal = signal.SIGTERM if settings["supervisors"] else signal.SIGKILL
        self._tree = processes.Tree(zygote)

    def look(self) -> float:
        """Look once; in how many seconds it should be done again."""
        started = time.process_time()
        parents = self._tree.parents()
        servers = {pid for pid, parent in parents.items() if parent == self._zygote}
        most_mb = 0.0
        for first in [pid for pid, parent in parents.items() if parent in servers]:
            held_mb = self._held_mb(first, parents)
            # Looked at twice: of processes that have ended between two of its steps, what they shared counts in full.
            if held_mb > self._limit_mb and self._held_mb(first, self._tree.parents()) > self._limit_mb:
                self._end(first)
            most_mb = max(most_mb, held_mb)
        every_s = LOOK_CLOSELY_EVERY_S if most_mb > self._limit_mb * CLOSE else LOOK_EVERY_S
        return min(max(every_s, (time.process_time() - started) / SHARE), LOOK_SELDOM_EVERY_S)

    def _held_mb(self, first: int, parents: dict[int, int]) -> float:
        return processes.held_mb(processes.below(first, parents), self.folders, self._limit_mb * CLOSE)

    def _end(self, first: int) -> None:
        """End a session, if that is still the process of this number."""
        with contextlib.suppress(OSError):
            process = os.pidfd_open(first)
            try:
                server = processes.parent_of(first)
                if server is not None and processes.parent_of(server) == self._zygote:
                    ended_mark(self._folder, first).touch()
                    signal.pidfd_send_signal(process, self._signal)
            finally:
                os.close(process)


if __name__ == "__main__":
    main()
