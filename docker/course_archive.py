"""Writes the course folder that it is run in to its standard output, as a tar archive. `docker/backup` runs it.

A SQLite database, which may be in use, is copied by SQLite itself, whole and of one moment.
"""

from __future__ import annotations

import sqlite3
import sys
import tarfile
import tempfile
from pathlib import Path

HEADER = b"SQLite format 3\0"
BESIDE = ("-wal", "-shm", "-journal")


def is_sqlite(path: Path) -> bool:
    """Whether a file is a SQLite database."""
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(HEADER)) == HEADER


def copied(path: Path, scratch: Path) -> Path:
    """A copy of a database that others may be writing to."""
    copy = scratch / "copy.db"
    copy.unlink(missing_ok=True)
    source, target = sqlite3.connect(f"file:{path.absolute()}?mode=ro", uri=True, timeout=60), sqlite3.connect(copy)
    try:
        source.backup(target)
    finally:
        source.close()
        target.close()
    return copy


def write(root: Path, archive: tarfile.TarFile) -> None:
    """Put all below `root` into the archive."""
    with tempfile.TemporaryDirectory() as scratch:
        for path in sorted(root.rglob("*")):
            name = str(path.relative_to(root))
            if is_sqlite(path):
                archive.add(copied(path, Path(scratch)), name)
            elif not any(name.endswith(end) and is_sqlite(Path(f"{path}".removesuffix(end))) for end in BESIDE):
                archive.add(path, name, recursive=False)


if __name__ == "__main__":
    with tarfile.open(fileobj=sys.stdout.buffer, mode="w|") as course_archive:
        write(Path.cwd(), course_archive)
