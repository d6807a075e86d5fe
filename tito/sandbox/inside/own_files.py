"""The assignment's files as a session has them: its own, which it may change, whatever other sessions do with theirs.

Where the kernel lays a layer over them (see `writable_folders`), that costs the same whatever they hold: a file is
copied when it is first written to. Elsewhere they are copied for each session, the smallest first, as far as a limit of
bytes goes; what is beyond it is a link, and can only be read. So is the package that a course stages for its modules,
everywhere: code that nobody hands in, whose many files are not copied for nothing.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple


class OwnFiles(NamedTuple):
    """What becomes of an assignment's files, as paths below the folder that they lie in."""

    top: str
    folders: tuple[str, ...]  # which a session has of its own, each after the one that it lies in
    copied: tuple[str, ...]  # the smallest first
    linked: tuple[str, ...]  # staged, or too large
    too_large: tuple[str, ...]  # of these
    size: int  # of all that is copied, in bytes

    @property
    def may_be_changed(self) -> bool:
        """Whether there is anything that a session would want to have of its own."""
        return bool(self.folders or self.copied or self.too_large)

    def larger_than(self, size: int) -> tuple[str, ...]:
        """Those that a session has no room for."""
        files = (*self.copied, *self.too_large)
        return tuple(path for path in files if Path(self.top, path).stat().st_size > size)


def sorted_out(top: Path, staged: Collection[str], most_bytes: int) -> OwnFiles:
    """What becomes of the files in a folder, of which `staged` names those that nobody changes."""
    folders: list[str] = []
    sizes: list[tuple[int, str]] = []
    linked = [name for name in sorted(os.listdir(top)) if name in staged]  # noqa: PTH208  (names)
    for folder, inner, names in os.walk(top):
        below = "" if folder == str(top) else f"{os.path.relpath(folder, top)}/"
        inner[:] = sorted(name for name in inner if below or name not in staged)
        folders += [f"{below}{name}" for name in inner]
        sizes += [
            ((Path(folder) / name).stat().st_size, f"{below}{name}") for name in names if below or name not in staged
        ]
    size, copied, too_large = 0, [], []
    for of_file, path in sorted(sizes):
        if size + of_file <= most_bytes:
            size += of_file
            copied.append(path)
        else:
            too_large.append(path)
    linked += too_large
    return OwnFiles(str(top), tuple(folders), tuple(copied), tuple(linked), tuple(too_large), size)


def lay_down(files: OwnFiles, home: str, owner: int = 0) -> None:
    """Give a session copies and links in its home.

    Args:
        owner: whose the files are to be, if not this process's user's.

    Raises:
        OSError: there is no room.
    """
    for path in files.folders:
        Path(home, path).mkdir()
    for path in files.copied:
        shutil.copyfile(f"{files.top}/{path}", f"{home}/{path}")
        times = Path(files.top, path).stat()
        os.utime(f"{home}/{path}", ns=(times.st_atime_ns, times.st_mtime_ns))
    for path in files.linked:
        Path(home, path).symlink_to(f"{files.top}/{path}")
    if owner:
        for path in (*files.folders, *files.copied):
            os.chown(f"{home}/{path}", owner, owner)
