"""Blobs by their SHA-256: written whole or not at all, never changed, never taken away. A directory, or any fsspec URL.

A blob is first received into a scratch file, hashed as it comes; `keep` makes a set of them durable. After `keep`
has returned, neither a killed process nor a lost machine takes them away.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from tito.exchange.problems import Refused

CHUNK = 1 << 18
SCRATCH = ".scratch"


class Incoming:
    """A blob on its way in: a scratch file that nobody else sees."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / secrets.token_hex(16)
        self.size = 0
        self._digest = hashlib.sha256()
        self._file = self.path.open("xb")

    def write(self, data: bytes) -> None:
        self._file.write(data)
        self._digest.update(data)
        self.size += len(data)

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def close(self) -> None:
        """No more is written."""
        self._file.close()

    def sync(self) -> None:
        """No more is written, and what was written is on the disk when this returns."""
        self._file.close()
        _sync(self.path, os.O_RDONLY)

    def discard(self) -> None:
        with contextlib.suppress(OSError):
            self._file.close()
        self.path.unlink(missing_ok=True)


class BlobStore(Protocol):
    """What the ledger needs of a store."""

    def incoming(self) -> Incoming: ...

    def keep(self, blobs: Iterable[Incoming]) -> None: ...

    def open(self, sha256: str) -> BinaryIO: ...

    def size(self, sha256: str) -> int | None: ...

    def names(self) -> Iterator[str]: ...

    def close(self) -> None: ...


class DirectoryStore:
    """Blobs in a directory of mode 0700: root/ab/abcdef..."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._scratch = root / SCRATCH
        for folder in (root, self._scratch):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            folder.chmod(0o700)
        if not (root / "ff").is_dir():  # the last of them
            for number in range(256):
                (root / f"{number:02x}").mkdir(mode=0o700, exist_ok=True)
            _sync_folder(root)

    def incoming(self) -> Incoming:
        return Incoming(self._scratch)

    def keep(self, blobs: Iterable[Incoming]) -> None:
        """Make blobs durable: content synced, then renamed, then the folders synced that name them.

        A blob that is there already is not written again; its folder is synced all the same, since whoever
        wrote it may not have come to that yet.
        """
        folders: set[Path] = set()
        for blob in blobs:
            target = self._path(blob.sha256)
            if self.size(blob.sha256) == blob.size:
                blob.discard()
            else:
                blob.sync()
                blob.path.chmod(0o400)
                blob.path.replace(target)
            folders.add(target.parent)
        for folder in folders:
            _sync_folder(folder)

    def open(self, sha256: str) -> BinaryIO:
        return self._path(sha256).open("rb")

    def size(self, sha256: str) -> int | None:
        try:
            return self._path(sha256).stat().st_size
        except FileNotFoundError:
            return None

    def names(self) -> Iterator[str]:
        return (path.name for path in self.root.glob("[0-9a-f][0-9a-f]/*"))

    def close(self) -> None:
        pass

    def sweep(self) -> None:
        """Take away what a killed process left half received. Only while nobody receives."""
        for path in self._scratch.iterdir():
            path.unlink(missing_ok=True)

    def _path(self, sha256: str) -> Path:
        return self.root / sha256[:2] / sha256


def _sync_folder(folder: Path) -> None:
    _sync(folder, os.O_RDONLY | os.O_DIRECTORY)


def _sync(path: Path, how: int) -> None:
    """Also for a file that is closed already: it is the file that is synced, and not who has it open."""
    handle = os.open(path, how)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class FsspecStore:
    """Blobs in any file system that fsspec knows, such as s3://bucket/prefix. Scratch files are local.

    An object store shows an object when it has all of it, and has it durably then; that is what is relied upon.
    """

    def __init__(self, url: str, scratch: Path | None = None) -> None:
        from fsspec.core import url_to_fs

        self._fs: Any
        self._fs, root = url_to_fs(url)
        self._root = root.rstrip("/")
        self._own = None if scratch else tempfile.TemporaryDirectory(prefix="tito-exchange-")
        self._scratch = scratch or Path(self._own.name if self._own else ".")

    def incoming(self) -> Incoming:
        return Incoming(self._scratch)

    def keep(self, blobs: Iterable[Incoming]) -> None:
        for blob in blobs:
            blob.close()
            if self.size(blob.sha256) != blob.size:
                target = self._path(blob.sha256)
                self._fs.makedirs(target.rpartition("/")[0], exist_ok=True)
                self._fs.put_file(str(blob.path), target)
            blob.discard()

    def open(self, sha256: str) -> BinaryIO:
        opened: BinaryIO = self._fs.open(self._path(sha256), "rb")
        return opened

    def size(self, sha256: str) -> int | None:
        try:
            return int(self._fs.info(self._path(sha256))["size"])
        except FileNotFoundError:
            return None

    def names(self) -> Iterator[str]:
        if self._fs.exists(self._root):
            yield from (name.rpartition("/")[2] for name in self._fs.find(self._root))

    def close(self) -> None:
        if self._own is not None:
            self._own.cleanup()

    def _path(self, sha256: str) -> str:
        return f"{self._root}/{sha256[:2]}/{sha256}"


def open_store(where: str) -> BlobStore:
    """The store at a path or a fsspec URL."""
    if "://" in where:
        return FsspecStore(where)
    return DirectoryStore(Path(where))


def read_checked(store: BlobStore, sha256: str) -> Iterator[bytes]:
    """The content of a blob. It ends with an error, and not like a whole one, when it is not what its name says."""
    digest = hashlib.sha256()
    try:
        with store.open(sha256) as blob:
            while data := blob.read(CHUNK):
                digest.update(data)
                yield data
    except FileNotFoundError as error:
        raise _broken(sha256) from error
    if digest.hexdigest() != sha256:
        raise _broken(sha256)


def _broken(sha256: str) -> Refused:
    return Refused(
        f"The blob {sha256[:12]} is missing or damaged.",
        status=500,
        where="store",
        hint="Run 'tito exchange check' on the server, and bring it back from a backup.",
    )
