"""The folders of a session that student code can write to, and how they are replaced by fresh ones: nothing that a file
had but its content and mode is left then, not its number, and no room that it took."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tito.sandbox.inside import kernel

OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class WritableFolders(Protocol):
    """The folders of a session."""

    owner: int  # whose files in them are, if not this process's user's

    def opened(self) -> list[int]:
        """A descriptor for each, as they are now.

        Raises:
            OSError: they cannot be opened.
        """
        ...

    def renewed(self) -> list[int]:
        """A descriptor for each, which have been replaced by empty ones.

        Raises:
            OSError: they cannot be replaced.
        """
        ...


@dataclass
class Mounts:
    """File systems in memory, in a mount namespace in which this process may mount, and the session may not."""

    folders: list[str]
    options: bytes
    owner: int = 0

    def mount(self) -> None:
        for folder in self.folders:
            kernel.mount("tmpfs", folder, kernel.MS_NOSUID | kernel.MS_NODEV, self.options)

    def opened(self) -> list[int]:
        return [os.open(folder, OPEN) for folder in self.folders]

    def renewed(self) -> list[int]:
        for folder in self.folders:
            if os.statvfs(folder).f_bfree != os.statvfs(folder).f_blocks:  # else what lies below is no burden
                with contextlib.suppress(OSError):
                    kernel.unmount(folder)
        self.mount()
        return self.opened()


@dataclass
class Folders:
    """Folders on a disk, below one that the session's fence names. What they were is put where no session can go."""

    top: Path
    names: tuple[str, ...]
    old: Path
    owner: int = 0
    _count: int = field(default=0, init=False)

    def opened(self) -> list[int]:
        return [os.open(self.top / name, OPEN) for name in self.names]

    def renewed(self) -> list[int]:
        self.old.parent.mkdir(mode=0o700, exist_ok=True)
        self.old.mkdir(mode=0o700, exist_ok=True)
        for name in self.names:
            self._count += 1
            (self.top / name).rename(self.old / str(self._count))
            (self.top / name).mkdir(mode=0o700)
        return self.opened()
