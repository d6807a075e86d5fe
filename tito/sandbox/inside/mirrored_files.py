"""The files of a notebook's folder, as two processes have them that each have a folder of their own.

A test that looks at files runs in the judge, on copies: what student code has written is brought to the judge after
each operation, and what the test has written to the notebook before the next. So files come as values do, by their
content, and it is the judge's own `open` and `os` that say what is in them.

Either side tells what has changed since both were last alike. A file whose size and time stand as they were is the
same, but where it was written to so shortly before it was looked at that the clock may not have moved on: then its
content tells (as git does with its index).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from stat import S_ISREG
from typing import Any

# As they are, whatever a test, or student code, puts in their place. Paths are text here, as `os` has them.
_open, _stat, _is_folder, _is_link = open, os.stat, os.path.isdir, os.path.islink
_make_folder, _unlink = os.mkdir, os.unlink
MOST_FILES = 20_000
MOST_BYTES = 32 << 20  # in files, which are told of at once; what is beyond is left out, the largest first
LONGEST_PATH = 1_000
NOT_MIRRORED = ("__pycache__", ".pyc", ".so", "-shm")  # machine code, and what a database's connections share
WAL = "-wal"  # a database's log of changes
SQLITE, SQLITE_VERSIONS, IN_WAL_MODE = b"SQLite format 3\0", slice(18, 20), b"\2\2"
CLOCK_NS = 50_000_000  # the time of a file moves on in steps, of 10 ms at most, and is not that of the clock
OVERWRITE = os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
FOLDER = True  # stands for what is a folder, in the place of a content

# Content by path below the folder, FOLDER, or None for what is not there any more.
Changes = dict[str, Any]


class BadChanges(ValueError):
    """What is told is no change of files."""


@dataclass(frozen=True)
class FileState:
    """What is known of a file, or a folder, of size -1. `digest`: of its content, where size and time do not tell."""

    size: int
    time_ns: int
    digest: bytes = b""


class MirroredFiles:
    """One side's folder.

    Args:
        with_wal: whether it tells of databases in WAL mode (SQLite). Student code may have one open, and a test that
            only reads its copy writes to that, and takes the log away.
    """

    def __init__(self, top: str, *, with_wal: bool = True) -> None:
        self.top = top
        self.with_wal = with_wal
        self.states: dict[str, FileState] = {}  # when both sides were last alike

    def listing(self) -> dict[str, list[int]]:
        """Size in bytes and time in nanoseconds of each file; the other side starts from that, and so does this."""
        self.states = {path: FileState(size, time_ns) for path, (size, time_ns) in self._sizes_and_times().items()}
        return {path: [state.size, state.time_ns] for path, state in self.states.items()}

    def start(self, listing: Any) -> None:
        """Take for known what the other side has.

        Raises:
            BadChanges: it is no listing.
        """
        try:
            self.states = {str(path): FileState(int(size), int(time_ns)) for path, (size, time_ns) in listing.items()}
        except (AttributeError, TypeError, ValueError) as error:
            raise BadChanges("no listing of files") from error

    def changes(self) -> Changes:
        """What has changed since both sides were last alike, which they are when the other has applied it."""
        looked_ns = time.time_ns()
        there = self._sizes_and_times()
        gone = [path for path in self.states if path not in there]
        for path in gone:
            del self.states[path]
        changes: Changes = {path: None for path in gone if self.with_wal or not path.endswith(WAL)}
        room = MOST_BYTES
        for path, (size, time_ns) in sorted(there.items(), key=lambda item: item[1][0]):
            before = self.states.get(path)
            is_fresh = size >= 0 and time_ns > looked_ns - CLOCK_NS
            is_as_before = before is not None and (before.size, before.time_ns) == (size, time_ns)
            if is_as_before and before is not None and not (is_fresh or before.digest):
                continue
            if size < 0:
                if before is None or before.size >= 0:
                    changes[path] = FOLDER
                self.states[path] = FileState(size, 0)
                continue
            content = _content(f"{self.top}/{path}") if size <= room else None
            if content is None:
                continue
            digest = hashlib.blake2b(content).digest()
            if (before is None or before.digest != digest) and self._is_told(path, content):
                room -= len(content)
                changes[path] = content
            self.states[path] = FileState(size, time_ns, digest if is_fresh else b"")
        return changes

    def _is_told(self, path: str, content: bytes) -> bool:
        return self.with_wal or not (path.endswith(WAL) or _is_in_wal_mode(content))

    def apply(self, changes: Any) -> None:
        """Do to the folder what was done to the other's.

        Raises:
            BadChanges: it is no change of files, or there is no room for it.
        """
        if type(changes) is not dict:
            raise BadChanges("no changes of files")
        for path, content in changes.items():
            if not _is_inside(path) or not (content is None or content is FOLDER or type(content) is bytes):
                raise BadChanges("no change of a file")
        gone = [path for path in sorted(changes, key=len, reverse=True) if changes[path] is None]
        try:
            for path in gone:
                self._remove(path)
            for path in sorted(changes.keys() - gone, key=len):  # folders ahead of what is in them
                self._put(path, changes[path])
        except OSError as error:
            raise BadChanges(f"files that cannot be written ({error.strerror})") from error

    def _remove(self, path: str) -> None:
        folders = (f"{self.top}/{path[:at]}" for at, letter in enumerate(path) if letter == "/")
        if not any(_is_link(folder) or not _is_folder(folder) for folder in folders):
            _remove(f"{self.top}/{path}")
        state = self.states.pop(path, None)
        if state is not None and state.size < 0:
            self.states = {name: state for name, state in self.states.items() if not name.startswith(f"{path}/")}

    def _put(self, path: str, content: Any) -> None:
        if content is FOLDER:
            self._make_folders(path)
            return
        self._make_folders(path.rpartition("/")[0])
        target = f"{self.top}/{path}"
        if not _overwritten(target, content):
            self._remove(path)
            with _open(target, "xb") as file:
                file.write(content)
        now = _stat(target)
        self.states[path] = FileState(now.st_size, now.st_mtime_ns, hashlib.blake2b(content).digest())

    def _make_folders(self, path: str) -> None:
        """Make a folder and those that it lies in, in the place of what else stands there."""
        for at in [at for at, letter in enumerate(path) if letter == "/"] + ([len(path)] if path else []):
            folder = f"{self.top}/{path[:at]}"
            if _is_link(folder) or not _is_folder(folder):
                _remove(folder)
                _make_folder(folder)
            self.states[path[:at]] = FileState(-1, 0)

    def restore(self, originals: str) -> None:
        """Make the folder what another is, which nobody changes."""
        there, here = dict(_walked(originals, "")), dict(_walked(self.top, ""))
        for path in sorted(here, key=len, reverse=True):
            if path not in there or (here[path][0] < 0) != (there[path][0] < 0):
                _remove(f"{self.top}/{path}")
        for path, state in sorted(there.items()):
            if state[0] < 0:
                self._make_folders(path)
            elif here.get(path) != state:
                target = f"{self.top}/{path}"
                _remove(target)
                shutil.copyfile(f"{originals}/{path}", target)
                os.utime(target, ns=(state[1], state[1]))

    def _sizes_and_times(self) -> dict[str, tuple[int, int]]:
        """Size and time of the files that there are now; folders have a size of -1."""
        return dict(islice(_walked(self.top, ""), MOST_FILES))


def _walked(top: str, below: str) -> Iterator[tuple[str, tuple[int, int]]]:
    """Files and folders, each folder ahead of what is in it. A link counts as the file that it leads to."""
    with contextlib.suppress(OSError), os.scandir(f"{top}/{below}") as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            path = below + entry.name
            if entry.name.endswith(NOT_MIRRORED) or len(path) > LONGEST_PATH:
                continue
            if entry.is_dir(follow_symlinks=False):
                yield path, (-1, 0)
                yield from _walked(top, f"{path}/")
                continue
            with contextlib.suppress(OSError):
                state = entry.stat()
                if S_ISREG(state.st_mode):
                    yield path, (state.st_size, state.st_mtime_ns)


def _content(path: str) -> bytes | None:
    """What is in a file; None where it cannot be read, or has grown too large since its size was asked for."""
    with contextlib.suppress(OSError), _open(path, "rb") as file:
        content = file.read(MOST_BYTES + 1)
        return content if len(content) <= MOST_BYTES else None
    return None


def _is_in_wal_mode(content: bytes) -> bool:
    return content.startswith(SQLITE) and content[SQLITE_VERSIONS] == IN_WAL_MODE


def _overwritten(path: str, content: bytes) -> bool:
    """Whether a file was there, and has that content now: whoever has it open goes on with it."""
    with contextlib.suppress(OSError):
        if S_ISREG(os.lstat(path).st_mode):
            with os.fdopen(os.open(path, OVERWRITE), "wb") as file:
                file.write(content)
            return True
    return False


def _remove(path: str) -> None:
    """Remove what is there, if anything is; of a link, the link."""
    if _is_folder(path) and not _is_link(path):
        shutil.rmtree(path)
    else:
        with contextlib.suppress(FileNotFoundError):
            _unlink(path)


def _is_inside(path: Any) -> bool:
    """Whether it is the path of what lies below a folder."""
    if type(path) is not str or "\0" in path or not 0 < len(path) <= LONGEST_PATH:
        return False
    return not any(part in ("", ".", "..") for part in path.split("/"))
