"""What the kernel limits of each process of a session. What all of them hold together, control groups or a watchdog
limit, see `metering`.

A limit of address space would count what a library only maps and what a thread only reserves. So it is memory that can
be written to which is counted, beyond what the process had when it was forked, and a process that asks for too much of
it gets a MemoryError, before the kernel ends it for what the session holds. Address space is bounded all the same.

    make_known   in the zygote, when it has imported what sessions need
    apply        in a session, before any student code
"""

from __future__ import annotations

import contextlib
import resource
import threading
from pathlib import Path
from typing import Any

HELD_BACK = 10  # the part of a session's memory that is left for what the kernel counts beside it
MAPPED = 2  # times its memory that a process may map
THREAD_STACK = 2 << 20  # bytes of a thread that Python starts: 8 MiB each would be most of the memory of a hundred
UNKNOWN_MB = {"VmSize": 1024, "VmData": 512}  # of a process before student code runs, where there is no /proc


def make_known(settings: dict[str, Any]) -> None:
    """Add the limits of memory to the settings, now that it is known what a session begins with."""
    size, data = _sizes()
    memory = settings["memory_mb"] << 20
    settings["rlimits"] |= {"RLIMIT_DATA": data + memory - memory // HELD_BACK, "RLIMIT_AS": size + MAPPED * memory}


def _sizes() -> tuple[int, int]:
    """Bytes that this process maps, and of them those that it may write to and shares with nobody."""
    sizes_mb = dict(UNKNOWN_MB)
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name in sizes_mb:
                sizes_mb[name] = int(value.split()[0]) >> 10
    return sizes_mb["VmSize"] << 20, sizes_mb["VmData"] << 20


def apply(limits: dict[str, int], copies: int) -> None:
    """Limit this process and all that it starts. `copies` of the notebook are processes too, and take none from it:
    see `allow_a_copy`."""
    for name, value in limits.items():
        number, spare = getattr(resource, name), copies if name == "RLIMIT_NPROC" else 0
        most = resource.getrlimit(number)[1]
        hard = value + spare if most == resource.RLIM_INFINITY else min(value + spare, most)
        resource.setrlimit(number, (min(value, hard), hard))
    threading.stack_size(THREAD_STACK)


def allow_a_copy() -> None:
    """Let this process's user have one process more, as far as `apply` has left room."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NPROC)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NPROC, (soft + 1, hard))
