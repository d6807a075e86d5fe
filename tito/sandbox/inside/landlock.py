"""Landlock: a process gives up, for itself and all that it starts, the files that it does not name.

    fd = create(abi())                    nothing is allowed
    allow(fd, "/usr", READ)               but this, with all that lies below it
    restrict(fd)                          from now on, and for good

Rules can only be added to, and each restriction narrows what an earlier one left. With version 6 a restricted process
reaches no other by a signal or an abstract socket, but for those that it started itself.
"""

from __future__ import annotations

import os
import stat
import struct
from pathlib import Path

from tito.sandbox.inside import kernel

SCOPES_SINCE, TRUNCATE_SINCE = 6, 3

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, REMOVE_DIR, REMOVE_FILE = (1 << bit for bit in range(6))
MAKE_CHAR, MAKE_DIR, MAKE_REG, MAKE_SOCK, MAKE_FIFO, MAKE_BLOCK, MAKE_SYM = (1 << bit for bit in range(6, 13))
REFER, TRUNCATE, IOCTL_DEV = (1 << bit for bit in range(13, 16))
HANDLED = {1: (1 << 13) - 1, 2: REFER, 3: TRUNCATE, 5: IOCTL_DEV}  # what each version has more
TCP_SINCE, BIND_AND_CONNECT_TCP = 4, 3
ABSTRACT_SOCKETS_AND_SIGNALS = 3

READ = EXECUTE | READ_FILE | READ_DIR
OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV  # what a rule on a file may hold
OWN = READ | WRITE_FILE | TRUNCATE | REFER | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | MAKE_FIFO | MAKE_SYM


def abi() -> int:
    """The kernel's version of Landlock.

    Raises:
        OSError: it has none, or a filter of system calls hides it.
    """
    return kernel.landlock_version()


def create(version: int, *, files: bool = True) -> int:
    """A ruleset for Landlock of that version, as a descriptor: it allows nothing that it handles.

    Args:
        files: whether it handles files and TCP; if not, only signals and abstract sockets.
    """
    handled = handled_by(version) if files else 0
    tcp = BIND_AND_CONNECT_TCP if files and version >= TCP_SINCE else 0
    words = [handled, *[tcp] * (version >= TCP_SINCE)]
    words += [ABSTRACT_SOCKETS_AND_SIGNALS] * (version >= SCOPES_SINCE)
    return kernel.landlock_create_ruleset(struct.pack(f"={len(words)}Q", *words))


def handled_by(version: int) -> int:
    """The rights on files that Landlock of that version knows."""
    return sum(rights for since, rights in HANDLED.items() if since <= version)


def allow(ruleset: int, path: str | Path, rights: int, version: int) -> None:
    """Allow `rights` on a file, or on a folder and all that is or will be below it.

    Raises:
        OSError: the path is not there, or cannot be reached.
    """
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rights &= handled_by(version)
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            rights &= OF_FILES
        kernel.landlock_add_rule(ruleset, descriptor, rights)
    finally:
        os.close(descriptor)


def restrict(ruleset: int) -> None:
    """Hold this process to the ruleset, which is closed. The process must have set no-new-privileges."""
    kernel.landlock_restrict_self(ruleset)
    os.close(ruleset)
