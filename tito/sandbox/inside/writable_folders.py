"""The folders of a session that student code can write to, and how they are replaced by fresh ones: nothing that a file
had but its content and mode is left then, not its number, and no room that it took.

The assignment's files may lie below a layer of the session's own (overlayfs), which is what is looked at and replaced
then: it holds what the session has changed, and signs for what it has removed.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tito.sandbox.inside import kernel

FLAGS = kernel.MS_NOSUID | kernel.MS_NODEV
UPPER, WORK = ".upper", ".work"
OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class WritableFolders(Protocol):
    """The folders of a session."""

    owner: int  # whose files in them are, if not this process's user's
    files: str  # a folder over which the first of them is laid as a layer; "": none is

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

    def complete(self) -> None:
        """Let the session see the folders that were renewed, when they have been filled.

        Raises:
            OSError: it cannot.
        """
        ...

    def home(self) -> int:
        """A descriptor of the first of them, as the session sees it.

        Raises:
            OSError: it cannot be opened.
        """
        ...


@dataclass
class Mounts:
    """File systems in memory, in a mount namespace in which this process may mount, and the session may not."""

    folders: list[str]
    options: bytes
    files: str = ""  # a folder over which a layer is laid, in the first of the folders
    bound: bool = False  # whether what is changed there is seen in that folder too
    owner: int = 0
    _layer: int = field(default=-1, init=False)  # what lies on top, which nobody else can come to

    def mount(self) -> None:
        """Make them."""
        self._mount_empty()
        self.complete()

    def _mount_empty(self) -> None:
        for folder in self.folders:
            kernel.mount("tmpfs", folder, FLAGS, self.options)
        if self.files:
            for name in (UPPER, WORK):
                Path(self.folders[0], name).mkdir()
            self._layer = os.open(f"{self.folders[0]}/{UPPER}", OPEN)
            os.fchmod(self._layer, 0o755)

    def complete(self) -> None:
        if self.files:
            home = self.folders[0]
            layers = f"lowerdir={self.files},upperdir={home}/{UPPER},workdir={home}/{WORK},userxattr"
            kernel.mount("overlay", home, FLAGS, layers.encode())
            if self.bound:
                kernel.bind(home, self.files)

    def opened(self) -> list[int]:
        if not self.files:
            return [os.open(folder, OPEN) for folder in self.folders]
        return [os.open(".", OPEN, dir_fd=self._layer), *(os.open(folder, OPEN) for folder in self.folders[1:])]

    def renewed(self) -> list[int]:
        if self.files:
            self.leave()
            for folder in (self.files, self.folders[0]) if self.bound else self.folders[:1]:
                kernel.unmount(folder)
        for folder in self.folders:
            if os.statvfs(folder).f_bfree != os.statvfs(folder).f_blocks:  # else what lies below is no burden
                with contextlib.suppress(OSError):
                    kernel.unmount(folder)
        self._mount_empty()
        return self.opened()

    def home(self) -> int:
        return os.open(self.folders[0], OPEN)

    def leave(self) -> None:
        """In a process that will run student code, or before the layer is replaced: let go of it."""
        if self._layer >= 0:
            os.close(self._layer)
            self._layer = -1


@dataclass
class Folders:
    """Folders on a disk, below one that the session's fence names. What they were is put where no session can go."""

    top: Path
    names: tuple[str, ...]
    old: Path
    owner: int = 0
    files: str = ""
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

    def complete(self) -> None:
        """Nothing: they are seen as they are."""

    def home(self) -> int:
        return os.open(self.top / self.names[0], OPEN)
