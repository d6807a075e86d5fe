"""Verdict records: what was found of each submission, a JSON file each beside the gradebook."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from tito.course.course import Course
from tito.models import CheckVerdict, Evidence, SubmissionRecord, Verdict
from tito.validation import adapter


@dataclass(frozen=True)
class CellMarks:
    """Of a cell's verdict what a table of grades shows."""

    grade_id: str
    verdict: Verdict
    evidence: Evidence
    checks: tuple[CheckVerdict, ...]


@dataclass(frozen=True)
class NotebookMarks:
    """The cells of one notebook."""

    notebook: str
    cells: tuple[CellMarks, ...]


@dataclass(frozen=True)
class RecordMarks:
    """Of a stored record what a table of grades shows: to read all of it takes twice as long."""

    notebooks: tuple[NotebookMarks, ...]
    fault: str = ""
    points_forgeable: float = 0.0

    @property
    def platform_fault(self) -> bool:
        verdicts = (cell.verdict for notebook in self.notebooks for cell in notebook.cells)
        return bool(self.fault) or Verdict.PLATFORM in verdicts


def record_path(course: Course, assignment: str, student: str) -> Path:
    """Where the verdict record of a submission lies."""
    return course.gradebook_dir / "verdicts" / assignment / f"{student}.json"


def begin_record(course: Course, record: SubmissionRecord) -> None:
    """Leave a record as it is, or an empty one: that this submission has been graded here."""
    path = record_path(course, record.assignment, record.student)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def empty_record(course: Course, record: SubmissionRecord) -> None:
    """Take away what a record says."""
    record_path(course, record.assignment, record.student).write_text("")


def write_record(course: Course, record: SubmissionRecord) -> None:
    """Write a record, whole or not at all."""
    put_record(record_path(course, record.assignment, record.student), _text_of(record).encode())


def put_record(path: Path, content: bytes) -> None:
    """Put the text of a record in its place, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(".json.new")
    scratch.write_bytes(content)
    scratch.replace(path)


def read_record(course: Course, assignment: str, student: str) -> SubmissionRecord | None:
    """The stored record of a submission; None where there is none, or none that can be read."""
    try:
        return from_json(json.loads(record_path(course, assignment, student).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None


def read_marks(course: Course, assignment: str, student: str) -> RecordMarks | None:
    """What a table of grades shows of a stored record; None where there is none, or none that can be read."""
    shape = adapter(RecordMarks)
    try:
        content = record_path(course, assignment, student).read_bytes()
        try:
            return shape.validate_json(content)
        except ValueError:  # pydantic's parser takes no lone surrogate
            return shape.validate_python(json.loads(content))
    except (OSError, ValueError):
        return None


def to_json(record: SubmissionRecord) -> dict[str, Any]:
    """The record as it is stored, and as `--json` prints it."""
    data: dict[str, Any] = json.loads(_text_of(record))
    return data


def from_json(data: dict[str, Any]) -> SubmissionRecord:
    """The record that `to_json` gave. (Not from the text: pydantic's own parser takes no lone surrogate, and what a
    student's code raises may hold one.)

    Raises:
        ValueError: it is none.
    """
    return adapter(SubmissionRecord).validate_python(data)


def _text_of(record: SubmissionRecord) -> str:
    data = vars(record) | {"points_forgeable": record.points_forgeable}  # it follows from the rest: not read again
    return json.dumps(data, default=lambda part: part.value if isinstance(part, Enum) else vars(part))
