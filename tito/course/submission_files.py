"""Files that were handed in, read as what a student may have made of them: a link, a pipe, more than there is room."""

from __future__ import annotations

import os
import stat
from datetime import datetime
from pathlib import Path

TIMESTAMP = "timestamp.txt"
# Characters. On nbgrader's filesystem exchange a student can write it, and to read a megabyte as a date takes half a
# minute.
LONGEST_TIME = 100
RECEIPT = "receipt.json"  # what the exchange has given for it


class Unreadable(Exception):
    """Nothing was handed in that can be graded; the message says what there is instead."""


class NotHandedIn(Unreadable):
    """There is no such file."""


class NoNotebook(Unreadable):
    """A file was handed in that cannot be read as a notebook: there may be honest work in it, for a person to find."""


def read_regular_file(path: Path, limit_mb: int) -> bytes:
    """Read without following a link or waiting on a fifo; raises what `read_submission` does."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError as error:
        raise NotHandedIn(f"there is no {path.name} in the submission") from error
    except OSError as error:
        raise Unreadable(f"{path.name} is a link, or cannot be opened") from error
    facts = os.fstat(descriptor)
    if not stat.S_ISREG(facts.st_mode):
        os.close(descriptor)
        raise Unreadable(f"{path.name} is no regular file")
    with os.fdopen(descriptor, "rb") as file:
        if facts.st_size > limit_mb << 20:
            raise NoNotebook(f"{path.name} has {facts.st_size >> 20} MiB; {limit_mb} MiB is the most that is graded")
        return file.read((limit_mb << 20) + 1)


def read_below(folder: Path, inside: Path, limit_mb: int) -> bytes:
    """Read a file below a folder, through no link on the way; raises what `read_regular_file` does."""
    path = folder
    for part in inside.parts:
        path /= part
        if path.is_symlink() or part in ("..", "."):
            raise Unreadable(f"{inside} is a link, or lies elsewhere")
    return read_regular_file(path, limit_mb)


def submitted_at(submitted: Path) -> datetime | None:
    """The submission's time as nbgrader wrote it (naive UTC), or None."""
    from nbgrader.utils import parse_utc

    try:
        text = read_regular_file(submitted / TIMESTAMP, 1).decode().strip()
        at: datetime | None = parse_utc(text) if len(text) <= LONGEST_TIME else None
    except (Unreadable, ValueError, OverflowError):
        return None
    return at
