"""What became of verdicts and points: a file for each assignment, to which a line is added for each submission whose
grading changed something. Nothing in it is ever changed or taken out.

Points that a person gives in formgrader are in nbgrader's gradebook alone.
"""

from __future__ import annotations

import fcntl
import getpass
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

from tito.course.course import Course
from tito.models import CellVerdict, SubmissionRecord, Verdict
from tito.validation import adapter


@dataclass(frozen=True)
class Mark:
    """What a cell was given, and what its student was told of it."""

    verdict: Verdict
    points: float | None
    message: str = ""


@dataclass(frozen=True)
class Change:
    """A graded cell before and after. None: the cell had not been graded, or is none of the assignment any more."""

    notebook: str
    grade_id: str
    before: Mark | None
    after: Mark | None


@dataclass(frozen=True)
class Entry:
    """What one grading changed of a submission: when (UTC), by whose command, why, with which tests (their hash)."""

    at: str
    by: str
    why: str
    student: str
    assignment: str
    tests: str
    changes: tuple[Change, ...]


def history_path(course: Course, assignment: str) -> Path:
    """Where the history of an assignment lies."""
    return course.gradebook_dir / "history" / f"{assignment}.jsonl"


def graded_assignments(course: Course) -> list[str]:
    """Names of assignments of which there is a history."""
    return sorted(path.stem for path in (course.gradebook_dir / "history").glob("*.jsonl"))


def entry_of(before: SubmissionRecord | None, after: SubmissionRecord, why: str = "") -> Entry | None:
    """What a record changes of the one before it; None where that is nothing. Without a `why`, what has changed since
    is the reason."""
    changes = changes_between(before, after)
    if not changes:
        return None
    return Entry(
        datetime.now(UTC).isoformat(timespec="seconds"),
        _user(),
        why or _reason(before, after),
        after.student,
        after.assignment,
        after.fingerprint.tests,
        changes,
    )


def _user() -> str:
    """Whose process this is; in a container that may be a number without a name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def changes_between(before: SubmissionRecord | None, after: SubmissionRecord) -> tuple[Change, ...]:
    """Cells whose verdict or points differ, in the order of the assignment; then those that it has no more."""
    old, new = marks_of(before), marks_of(after)
    return tuple(
        Change(*name, old.get(name), new.get(name))
        for name in {**new, **old}
        if _without_message(old.get(name)) != _without_message(new.get(name))
    )


def marks_of(record: SubmissionRecord | None) -> dict[tuple[str, str], Mark]:
    """The marks of a record by notebook and graded cell."""
    notebooks = record.notebooks if record else ()
    return {(book.notebook, cell.grade_id): _mark(cell) for book in notebooks for cell in book.cells}


def _mark(cell: CellVerdict) -> Mark:
    return Mark(cell.verdict, cell.points, cell.message)


def _without_message(mark: Mark | None) -> Mark | None:
    return mark and replace(mark, message="")


def _reason(before: SubmissionRecord | None, after: SubmissionRecord) -> str:
    if before is None:
        return "graded"
    old, new = before.fingerprint, after.fingerprint
    parts = {"submission": "another submission", "tests": "other tests", "environment": "other packages or engine"}
    changed = [text for part, text in parts.items() if getattr(old, part) != getattr(new, part)]
    return f"graded again: {', '.join(changed) or 'by request'}"


def append(course: Course, assignment: str, entries: Iterable[Entry]) -> None:
    """Add entries, all of them or none; several programs may be at it."""
    lines = "".join(_json(entry) + "\n" for entry in entries)
    if not lines:
        return
    path = history_path(course, assignment)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if file.seek(0, os.SEEK_END) and file.seek(-1, os.SEEK_END) and file.read(1) != b"\n":
            file.write(b"\n")  # behind what a crash has cut off
        file.write(lines.encode())
        file.flush()
        os.fsync(file.fileno())


def to_json(part: Entry | Change) -> dict[str, Any]:
    """An entry as it is stored, and as `--json` prints it; or one change of it."""
    data: dict[str, Any] = json.loads(_json(part))
    return data


def _json(part: Entry | Change) -> str:
    return json.dumps(asdict(part), default=_value)


def _value(part: object) -> str:
    if isinstance(part, Enum):
        return str(part.value)
    raise TypeError(f"a {type(part).__name__} is in no entry")


def read_history(course: Course, assignment: str) -> Iterator[Entry]:
    """The entries of an assignment, the oldest first. What a crash has cut off is none: that submission was graded
    again."""
    try:
        lines = history_path(course, assignment).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        try:
            yield adapter(Entry).validate_python(json.loads(line))
        except ValueError:
            continue
