"""What stands in a session's folders at one moment, kept in the memory of a process that runs no student code.

Everything that is read here was made by student code, which may be at work on it meanwhile: no link is followed,
nothing is opened that could wait, and of files, depth and memory there is only so much. What vanishes or changes its
kind while it is looked at is left out; a socket is left out too, since nobody answers it.
"""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Iterator
from typing import NamedTuple

MOST_DEPTH = 100
MOST_ENTRIES = 60_000  # in all folders at one moment
MOST_S = 5.0  # for reading the folders once
NODE_BYTES = 512  # what an entry takes of memory, beside its content
CHUNK = 1 << 20
READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
WRITE = os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
CREATE = WRITE | os.O_CREAT | os.O_EXCL
LINKED = ".linked-%d"  # where a file of several names stands until it has them


class NotKept(Exception):
    """The folders hold what cannot be kept. Its text is a sentence for students."""


class File(NamedTuple):
    mode: int
    changed_ns: int
    size: int
    parts: tuple[tuple[int, bytes], ...]  # what is no hole, by its place
    inode: int  # of a file of several names, else 0
    database: Database | None = None


class Database(NamedTuple):
    """What SQLite knows a file by that it has open: where that is another it writes no more."""

    number: int
    is_changed: bool  # in a layer, whether it stands for the assignment's file of that name, whose number is shown then


class Link(NamedTuple):
    target: str


class Pipe(NamedTuple):
    mode: int


class Removed(NamedTuple):
    """A sign, in a layer over the assignment's files, that a file of theirs is not there any more."""


class Folder(NamedTuple):
    mode: int
    changed_ns: int
    entries: tuple[tuple[str, Node], ...]
    opaque: bool = False  # in a layer, whether it takes the place of the assignment's folder of that name


Node = File | Link | Pipe | Removed | Folder
REMOVED = os.makedev(0, 0)  # as overlayfs has such a sign: a device that is none
OPAQUE = "user.overlay.opaque"
ORIGIN = "user.overlay.origin"
SQLITE = b"SQLite format 3\0"
NUMBERED = ".numbered-%d"  # where a database stands until it has its name
MOST_NUMBERS = 20_000  # that are passed over until a file has the one that it had


class Snapshots:
    """Takes snapshots of the same folders one after the other. What did not change between two is kept once.

    Args:
        most_bytes: what all of them may take of memory.
    """

    def __init__(self, most_bytes: int) -> None:
        self._left = most_bytes
        self._last: tuple[Folder, ...] = ()

    def take(self, folders: list[int]) -> tuple[Folder, ...]:
        """What stands in the folders, given as descriptors, which are closed.

        Raises:
            NotKept: it is too much, too deep, or cannot be read.
        """
        before: tuple[Folder | None, ...] = self._last or (None,) * len(folders)
        reading = _Reading(self._left)
        try:
            taken = tuple(reading.folder(*pair, 0) for pair in zip(folders, before, strict=True))
        except OSError as error:
            raise NotKept(f"The notebook's files could not be read: {error.strerror}.") from error
        finally:
            for folder in folders:
                os.close(folder)
        self._left = reading.left
        self._last = taken
        return taken


class _Reading:
    """One snapshot in the making."""

    def __init__(self, left: int) -> None:
        self.left = left
        self.entries = 0
        self.linked: dict[tuple[int, int], File] = {}
        self.end = time.monotonic() + MOST_S

    def folder(self, descriptor: int, before: Node | None, depth: int) -> Folder:
        if depth > MOST_DEPTH:
            raise NotKept(f"The notebook's folders are nested more than {MOST_DEPTH} deep.")
        about = os.fstat(descriptor)
        known = dict(before.entries) if isinstance(before, Folder) else {}
        entries = tuple(self._entries(descriptor, known, depth))
        mode, opaque = stat.S_IMODE(about.st_mode), _has(descriptor, OPAQUE)
        same = isinstance(before, Folder) and before[:2] == (mode, about.st_mtime_ns) and before.opaque == opaque
        same = same and len(entries) == len(known)
        if same and all(known.get(name) is node for name, node in entries):
            assert isinstance(before, Folder)
            return before
        self._spend(NODE_BYTES)
        return Folder(mode, about.st_mtime_ns, entries, opaque)

    def _entries(self, descriptor: int, known: dict[str, Node], depth: int) -> Iterator[tuple[str, Node]]:
        with os.scandir(descriptor) as listing:
            for entry in listing:
                self.entries += 1
                if self.entries > MOST_ENTRIES:
                    raise NotKept(f"The notebook has more than {MOST_ENTRIES} files.")
                if time.monotonic() > self.end:
                    raise NotKept("The notebook's files take too long to read.")
                before = known.get(entry.name)
                try:
                    node = self._node(descriptor, entry.name, before, depth)
                except (FileNotFoundError, NotADirectoryError):
                    continue  # it has gone, or become something else
                if node is None:
                    continue
                if node is not before and node == before and type(node) is type(before):
                    node = before
                elif node is not before:
                    self._spend(NODE_BYTES)
                yield entry.name, node

    def _node(self, folder: int, name: str, before: Node | None, depth: int) -> Node | None:
        about = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if stat.S_ISLNK(about.st_mode):
            return Link(os.readlink(name, dir_fd=folder))
        if stat.S_ISFIFO(about.st_mode):
            return Pipe(stat.S_IMODE(about.st_mode))
        if stat.S_ISCHR(about.st_mode) and about.st_rdev == REMOVED:
            return Removed()
        if not stat.S_ISREG(about.st_mode) and not stat.S_ISDIR(about.st_mode):
            return None
        if (about.st_dev, about.st_ino) in self.linked:
            return self.linked[about.st_dev, about.st_ino]
        try:
            descriptor = os.open(name, READ, dir_fd=folder)
        except OSError:
            again = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if stat.S_IFMT(again.st_mode) != stat.S_IFMT(about.st_mode):
                return None
            raise
        try:
            about = os.fstat(descriptor)
            if stat.S_ISDIR(about.st_mode):
                return self.folder(descriptor, before, depth + 1)
            return self._file(descriptor, about, before) if stat.S_ISREG(about.st_mode) else None
        finally:
            os.close(descriptor)

    def _file(self, descriptor: int, about: os.stat_result, before: Node | None) -> File:
        known = dict(before.parts) if isinstance(before, File) else {}
        parts = tuple(self._parts(descriptor, about.st_size, known))
        inode = about.st_ino if about.st_nlink > 1 else 0
        is_database = bool(parts) and parts[0][0] == 0 and parts[0][1].startswith(SQLITE) and not inode
        database = Database(about.st_ino, _has(descriptor, ORIGIN)) if is_database else None
        file = File(stat.S_IMODE(about.st_mode), about.st_mtime_ns, about.st_size, parts, inode, database)
        if inode:
            self.linked[about.st_dev, about.st_ino] = file
        return file

    def _parts(self, descriptor: int, size: int, known: dict[int, bytes]) -> Iterator[tuple[int, bytes]]:
        at = 0
        while at < size:
            try:
                at = os.lseek(descriptor, at, os.SEEK_DATA)
                end = min(os.lseek(descriptor, at, os.SEEK_HOLE), size)
            except OSError:  # no more data
                return
            while at < end:
                part = os.pread(descriptor, min(end - at, CHUNK - at % CHUNK), at)
                if not part:
                    return  # it was cut meanwhile
                if part == known.get(at):
                    part = known[at]
                else:
                    self._spend(len(part))
                yield at, part
                at += len(part)

    def _spend(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise NotKept("The notebook's files are too large to be kept for each test.")


def _has(descriptor: int, attribute: str) -> bool:
    try:
        os.getxattr(descriptor, attribute)
    except OSError:
        return False
    return True


def fill(descriptor: int, folder: Folder, owner: int = 0, below: str = "") -> dict[str, File]:
    """Make an empty folder, in which nobody else is at work, what it was.

    Args:
        owner: whose the files are to be, if not this process's user's.
        below: a folder over which it will be laid as a layer.

    Returns: files to be written over those below when it has been (`write_over`), by their paths.

    Raises:
        OSError: there is no room.
    """
    linked: set[int] = set()
    late = dict(_changed(folder, below)) if below else {}
    _make_numbered(descriptor, sorted(_numbers(folder)))
    _fill(descriptor, _without(folder, late), owner, descriptor, linked)
    for inode in linked:
        os.unlink(LINKED % inode, dir_fd=descriptor)
    _finish(descriptor, folder.mode, folder.changed_ns, owner)
    return late


def write_over(descriptor: int, files: dict[str, File]) -> None:
    """Give files that a layer lies over the content that they had in it.

    Raises:
        OSError: there is no room.
    """
    for path, file in files.items():
        _write(descriptor, path, file, 0, WRITE | os.O_TRUNC)


def _changed(folder: Folder, below: str, path: str = "") -> Iterator[tuple[str, File]]:
    """Databases that stand for files below."""
    for name, node in folder.entries:
        if isinstance(node, Folder):
            yield from _changed(node, below, f"{path}{name}/")
        elif isinstance(node, File) and node.database is not None and node.database.is_changed:
            with contextlib.suppress(OSError):
                if stat.S_ISREG(os.lstat(f"{below}/{path}{name}").st_mode):
                    yield f"{path}{name}", node


def _without(folder: Folder, paths: dict[str, File], above: str = "") -> Folder:
    """The folder, but for some files."""
    if not paths:
        return folder
    entries = (
        (name, _without(node, paths, f"{above}{name}/") if isinstance(node, Folder) else node)
        for name, node in folder.entries
        if f"{above}{name}" not in paths
    )
    return folder._replace(entries=tuple(entries))


def _numbers(folder: Folder) -> Iterator[int]:
    """Of databases that are known by their own."""
    for _, node in folder.entries:
        if isinstance(node, Folder):
            yield from _numbers(node)
        elif isinstance(node, File) and node.database is not None and not node.database.is_changed:
            yield node.database.number


def _make_numbered(folder: int, numbers: list[int]) -> None:
    """Make empty files of these numbers, where the file system gives numbers in their order, as one in memory does."""
    last = 0
    for number in numbers:
        for _ in range(MOST_NUMBERS if number <= MOST_NUMBERS else 0):
            descriptor = os.open(NUMBERED % number, CREATE, 0o600, dir_fd=folder)
            got = os.fstat(descriptor).st_ino
            os.close(descriptor)
            if got == number:
                break
            os.unlink(NUMBERED % number, dir_fd=folder)
            if not last < got < number:
                break
            last = got


def _fill(descriptor: int, folder: Folder, owner: int, root: int, linked: set[int]) -> None:
    for name, node in folder.entries:
        if isinstance(node, Folder):
            os.mkdir(name, 0o700, dir_fd=descriptor)
            inner = os.open(name, READ | os.O_DIRECTORY, dir_fd=descriptor)
            try:
                _fill(inner, node, owner, root, linked)
                if node.opaque:
                    os.setxattr(inner, OPAQUE, b"y")
                _finish(inner, node.mode, node.changed_ns, owner)
            finally:
                os.close(inner)
        elif isinstance(node, Link):
            os.symlink(node.target, name, dir_fd=descriptor)
            if owner:
                os.chown(name, owner, owner, dir_fd=descriptor, follow_symlinks=False)
        elif isinstance(node, Removed):
            os.mknod(name, stat.S_IFCHR, REMOVED, dir_fd=descriptor)
        elif isinstance(node, Pipe):
            os.mkfifo(name, node.mode, dir_fd=descriptor)
            if owner:
                os.chown(name, owner, owner, dir_fd=descriptor, follow_symlinks=False)
            os.chmod(name, node.mode, dir_fd=descriptor)
        elif not node.inode:
            how = CREATE
            if node.database is not None:
                with contextlib.suppress(FileNotFoundError):
                    os.rename(NUMBERED % node.database.number, name, src_dir_fd=root, dst_dir_fd=descriptor)
                    how = WRITE
            _write(descriptor, name, node, owner, how)
        else:
            if node.inode not in linked:
                _write(root, LINKED % node.inode, node, owner)
                linked.add(node.inode)
            os.link(LINKED % node.inode, name, src_dir_fd=root, dst_dir_fd=descriptor)


def _write(folder: int, name: str, file: File, owner: int, how: int = CREATE) -> None:
    descriptor = os.open(name, how, 0o600, dir_fd=folder)
    try:
        for at, part in file.parts:
            done = 0
            while done < len(part):
                done += os.pwrite(descriptor, memoryview(part)[done:], at + done)
        os.ftruncate(descriptor, file.size)
        _finish(descriptor, file.mode, file.changed_ns, owner)
    finally:
        os.close(descriptor)


def _finish(descriptor: int, mode: int, changed_ns: int, owner: int) -> None:
    if owner:
        os.fchown(descriptor, owner, owner)
    os.fchmod(descriptor, mode)
    os.utime(descriptor, ns=(changed_ns, changed_ns))
