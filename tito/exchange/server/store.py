"""Blobs by their SHA-256: written whole or not at all, never changed. A directory, or any fsspec URL.

A blob is first received into a scratch file, hashed as it comes; `keep` makes a set of them durable. After `keep`
has returned, neither a killed process nor a lost machine takes them away; a sweep does if nothing names them (`audit`).
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import logging
import os
import secrets
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from tito.errors import UsageError
from tito.exchange.protocol.problems import Refused

LOG = logging.getLogger("tito.exchange")
CHUNK = 1 << 18
SCRATCH = ".scratch"
AT_ONCE = 8  # blobs on their way to a store elsewhere
S3 = frozenset({"s3", "s3a"})
BUCKETS = S3 | {"gs", "gcs", "az", "abfs"}
# Listings are not remembered: another process may have added what they lack. An answer that does not come is not waited
# for longer than whoever submits would.
S3_OPTIONS = {
    "use_listings_cache": False,
    "skip_instance_cache": True,
    "config_kwargs": {"connect_timeout": 3, "read_timeout": 20, "retries": {"max_attempts": 1}},
}


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

    def keep(self, blobs: Iterable[Incoming]) -> list[str]: ...

    def read(self, sha256: str) -> Iterator[bytes]: ...

    def size(self, sha256: str) -> int | None: ...

    def names(self) -> Iterator[str]: ...

    def modified(self, sha256: str) -> datetime | None: ...

    def remove(self, sha256: str) -> None: ...

    def require_ready(self) -> None: ...

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

    def keep(self, blobs: Iterable[Incoming]) -> list[str]:
        """Make blobs durable: content synced, then renamed, then the folders synced that name them. Gives the names of
        those that were there.

        A blob that is there already is not written again; its folder is synced all the same, since whoever
        wrote it may not have come to that yet.
        """
        folders: set[Path] = set()
        there = []
        for blob in blobs:
            target = self._path(blob.sha256)
            if self.size(blob.sha256) == blob.size:
                there.append(blob.sha256)
                blob.discard()
            else:
                blob.sync()
                blob.path.chmod(0o400)
                blob.path.replace(target)
            folders.add(target.parent)
        for folder in folders:
            _sync_folder(folder)
        return there

    def read(self, sha256: str) -> Iterator[bytes]:
        try:
            with self._path(sha256).open("rb") as blob:
                while data := blob.read(CHUNK):
                    yield data
        except FileNotFoundError as error:
            raise _broken(sha256) from error

    def size(self, sha256: str) -> int | None:
        try:
            return self._path(sha256).stat().st_size
        except FileNotFoundError:
            return None

    def names(self) -> Iterator[str]:
        return (path.name for path in self.root.glob("[0-9a-f][0-9a-f]/*"))

    def modified(self, sha256: str) -> datetime | None:
        try:
            return datetime.fromtimestamp(self._path(sha256).stat().st_mtime, UTC)
        except FileNotFoundError:
            return None

    def remove(self, sha256: str) -> None:
        self._path(sha256).unlink(missing_ok=True)

    def require_ready(self) -> None:
        self.incoming().discard()

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

    An object store shows an object when it has all of it, and has it durably then; that is what is relied upon. Where
    it is, and by which credentials it is entered, is in the environment (for S3: AWS_*), and never in the URL.
    """

    def __init__(self, url: str, scratch: Path | None = None) -> None:
        from fsspec.core import url_to_fs

        scheme = urlsplit(url).scheme
        self._fs: Any
        self._fs, root = url_to_fs(url, **(S3_OPTIONS if scheme in S3 else {}))
        self._root = root.rstrip("/")
        self._bucket = self._root.partition("/")[0] if scheme in BUCKETS else ""
        self._own = None if scratch else tempfile.TemporaryDirectory(prefix="tito-exchange-")
        self._scratch = scratch or Path(self._own.name if self._own else ".")
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="blobs")

    def incoming(self) -> Incoming:
        return Incoming(self._scratch)

    def keep(self, blobs: Iterable[Incoming]) -> list[str]:
        """Make blobs durable, some at a time: each is a round trip or two. Gives the names of those that were there."""
        with _store_told():
            return [name for name in self._pool.map(self._keep, blobs) if name]

    def _keep(self, blob: Incoming) -> str:
        """Its name if it was there, else ""."""
        blob.close()
        is_there = self._size(blob.sha256) == blob.size
        if not is_there:
            target = self._path(blob.sha256)
            if not self._bucket:  # a bucket has no folders, and is not ours to make
                self._fs.makedirs(target.rpartition("/")[0], exist_ok=True)
            self._fs.put_file(str(blob.path), target)
        blob.discard()
        return blob.sha256 if is_there else ""

    def read(self, sha256: str) -> Iterator[bytes]:
        with _store_told():
            try:
                opened = self._fs.open(self._path(sha256), "rb")
            except FileNotFoundError as error:
                raise _broken(sha256) from error
            with opened as blob:
                while data := blob.read(CHUNK):
                    yield data

    def size(self, sha256: str) -> int | None:
        with _store_told():
            return self._size(sha256)

    def _size(self, sha256: str) -> int | None:
        try:
            return int(self._fs.info(self._path(sha256))["size"])
        except FileNotFoundError:
            return None

    def names(self) -> Iterator[str]:
        with _store_told():
            paths = self._fs.find(self._root) if self._fs.exists(self._root) else []
        yield from (name.rpartition("/")[2] for name in paths)

    def modified(self, sha256: str) -> datetime | None:
        with _store_told():
            try:
                when: datetime = self._fs.modified(self._path(sha256))
            except FileNotFoundError:
                return None
        return when if when.tzinfo is not None else when.replace(tzinfo=UTC)

    def remove(self, sha256: str) -> None:
        with _store_told(), contextlib.suppress(FileNotFoundError):
            self._fs.rm_file(self._path(sha256))

    def require_ready(self) -> None:
        self.incoming().discard()
        if self._bucket:
            with _store_told():
                self._fs.info(self._bucket)

    def close(self) -> None:
        self._pool.shutdown()
        if self._own is not None:
            self._own.cleanup()

    def _path(self, sha256: str) -> str:
        return f"{self._root}/{sha256[:2]}/{sha256}"


@contextlib.contextmanager
def _store_told() -> Iterator[None]:
    """Errors of fsspec and of what it stands on, as ours. Only their kind is logged: their texts hold addresses.

    Every file system has errors of its own, so whatever comes is one of the store's; but for a disk that is full here.
    """
    try:
        yield
    except Refused:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        LOG.error("the store: %s", type(error).__name__)
        raise Refused(
            "The exchange's store cannot be used.",
            status=503,
            where="store",
            hint="Nothing was stored. Try again in a minute; tell the instructor if it stays so.",
            retry_after_s=5,
        ) from error


def open_store(where: str) -> BlobStore:
    """The store at a path or a fsspec URL.

    Raises:
        UsageError: an URL of a kind that cannot be read here, or one with credentials in it.
    """
    if "://" not in where:
        return DirectoryStore(Path(where))
    if "@" in urlsplit(where).netloc:
        raise UsageError(
            "The address of the store holds credentials.", hint="Put them into the environment, for S3 as AWS_*."
        )
    try:
        return FsspecStore(where)
    except (ImportError, ValueError) as error:
        scheme = urlsplit(where).scheme
        raise UsageError(
            f"Nothing here can read a store at {scheme}://.", hint="For S3, install 'tinytorch-tito[s3]'."
        ) from error


def read_checked(store: BlobStore, sha256: str) -> Iterator[bytes]:
    """The content of a blob. It ends with an error, and not like a whole one, when it is not what its name says."""
    digest = hashlib.sha256()
    for data in store.read(sha256):
        digest.update(data)
        yield data
    if digest.hexdigest() != sha256:
        raise _broken(sha256)


def _broken(sha256: str) -> Refused:
    return Refused(
        f"The blob {sha256[:12]} is missing or damaged.",
        status=500,
        where="store",
        hint="Run 'tito exchange audit' on the server, and bring it back from a backup.",
    )
