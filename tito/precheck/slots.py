"""Short prechecks are made though long ones are at work.

There are as many slots as prechecks are to run at a time, and more processes. One that has been at a precheck for
`SHORT_S` gives its slot to another and goes on beside it: loops without an end hold nobody up, until all processes are
in one.
"""

from __future__ import annotations

import fcntl
import signal
from pathlib import Path

SHORT_S = 1.0


class Slot:
    """A process's share in one slot, which it has with some others. The kernel takes it from a process that dies."""

    def __init__(self, file: Path) -> None:
        self._file = file.open("w")
        signal.signal(signal.SIGALRM, lambda *_: self.release())

    def acquire(self) -> bool:
        """Have the slot, if no other process has it."""
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def release_soon(self) -> None:
        """Release it when `SHORT_S` have passed, whatever this process is doing then."""
        signal.setitimer(signal.ITIMER_REAL, SHORT_S)

    def release(self) -> None:
        """Let another have it."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        fcntl.lockf(self._file, fcntl.LOCK_UN)
