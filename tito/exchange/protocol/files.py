"""Files of a folder on their way to the exchange, and files from it on their way into a folder."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import tempfile
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tito.exchange.protocol.problems import Refused
from tito.exchange.protocol.records import Entry, Manifest

CHUNK = 1 << 18
IN_MEMORY = 4 << 20


@dataclass(frozen=True)
class Upload:
    """A file as it was when it was read: what is hashed is what is sent, though the notebook be saved meanwhile."""

    entry: Entry
    content: IO[bytes]


@contextmanager
def snapshot(files: Iterable[tuple[str, Path]]) -> Iterator[list[Upload]]:
    """Read files, given with their paths in the bundle.

    Raises:
        Refused: one of them is no regular file.
        OSError: one of them cannot be read.
    """
    uploads: list[Upload] = []
    try:
        for path, source in files:
            uploads.append(_read(path, source))
        yield uploads
    finally:
        for upload in uploads:
            upload.content.close()


def manifest_of(uploads: list[Upload]) -> Manifest:
    return Manifest.of([upload.entry for upload in uploads])


def _read(path: str, source: Path) -> Upload:
    digest, size = hashlib.sha256(), 0
    # not a link, and not blocking on a pipe, though one were put in the file's place since it was listed
    handle = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as opened:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise Refused("It is no regular file.", status=400, where=path)
        large = os.fstat(handle).st_size > IN_MEMORY
        content: IO[bytes] = tempfile.TemporaryFile() if large else io.BytesIO()  # noqa: SIM115  (closed by `snapshot`)
        while data := opened.read(CHUNK):
            digest.update(data)
            size += len(data)
            content.write(data)
    content.seek(0)
    return Upload(Entry(path, digest.hexdigest(), size), content)


def folder_files(
    folder: Path, ignored: Callable[[str, list[str]], Iterable[str]], left_out: Callable[[str, str], None]
) -> list[tuple[str, Path]]:
    """The files of a folder with their paths in a bundle, sorted; names in Unicode's composed form.

    Args:
        ignored: which names of a folder to ignore, as `shutil.copytree` asks.
        left_out: told of what cannot be handed in, and why: links, pipes and the like.
    """
    listing: list[tuple[str, Path]] = []
    for root, folders, names in os.walk(folder):
        skip = set(ignored(root, [*folders, *names]))
        for name in [name for name in folders if Path(root, name).is_symlink()]:
            left_out(os.path.relpath(Path(root, name), folder), "it is a link")
            skip.add(name)
        folders[:] = sorted(name for name in folders if name not in skip)
        for name in sorted(name for name in names if name not in skip):
            source = Path(root, name)
            path = source.relative_to(folder).as_posix()
            if source.is_symlink() or not source.is_file():
                left_out(path, "it is a link" if source.is_symlink() else "it is no regular file")
                continue
            listing.append((unicodedata.normalize("NFC", path), source))
    return sorted(listing)


def write_files(
    what: str, manifest_sha256: str, files: list[Entry], contents: Iterable[tuple[str, Iterable[bytes]]], folder: Path
) -> None:
    """Write a bundle's files into an empty folder, each checked against its SHA-256, and all against the receipt's.

    Args:
        what: for messages.
        contents: path and content of each file, in any order.

    Raises:
        Refused: something is missing, too much, or not what the receipt says. The folder is then not to be used.
    """
    manifest = Manifest.of(files)
    if manifest.sha256 != manifest_sha256:
        raise _damaged(what, "its list of files is not the one that was signed for")
    expected = {entry.path: entry for entry in manifest.files}
    for path, content in contents:
        entry = expected.pop(path, None)
        if entry is None:
            raise _damaged(what, "a file in it is not on its list")
        _write(what, entry, content, folder / path)
    if expected:
        raise _damaged(what, f"{len(expected)} of its files did not come")


def _write(what: str, entry: Entry, content: Iterable[bytes], target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with target.open("xb") as out:
        for data in content:
            size += len(data)
            if size > entry.size:
                break
            digest.update(data)
            out.write(data)
    if size != entry.size or digest.hexdigest() != entry.sha256:
        raise _damaged(what, "the content of a file is not what was handed in")


def _damaged(what: str, why: str) -> Refused:
    return Refused(
        f"{what} did not come as the receipt has it: {why}.",
        status=502,
        where="SHA-256",
        hint="Try again; if it stays so, run 'tito exchange audit' on the server.",
    )
