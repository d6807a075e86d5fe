"""Writes one graded submission: gradebook in one transaction, autograded notebook, and the verdict record.

The record is written last: a run that was stopped in between grades that submission again, to the same result.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import nbformat

from tito.cells import grade_id_of, kind_of
from tito.course import Course
from tito.errors import BadSource
from tito.grade.submission import Graded
from tito.gradebook.store import gradebook
from tito.models import (
    CellKind,
    CellVerdict,
    Evidence,
    Fingerprint,
    NotebookVerdicts,
    SubmissionRecord,
    Verdict,
)

TIMESTAMP = "timestamp.txt"


def record(course: Course, graded: Graded, submitted: Path) -> None:
    """Store a graded submission where nbgrader, formgrader and `tito` look for it.

    Raises:
        GradebookUnavailable: nothing was written.
        BadSource: the gradebook has other graded cells than the source: nothing was written.
    """
    _write_grades(course, graded, submitted)
    _write_notebooks(course, graded, submitted)
    write_record(course, graded.record)


def _write_grades(course: Course, graded: Graded, submitted: Path) -> None:
    from nbgrader.api import MissingEntry

    made = graded.record
    with gradebook(course) as opened:
        opened.update_or_create_student(made.student)
        facts = {"timestamp": when} if (when := submitted_at(course, submitted)) else {}
        opened.update_or_create_submission(made.assignment, made.student, **facts)
        for notebook in made.notebooks:
            place = (notebook.notebook, made.assignment)
            try:
                _write_checksums(opened, graded.notebooks[notebook.notebook], place)
                for cell in notebook.cells:
                    _write_grade(opened.find_grade(cell.grade_id, *place, made.student), cell)
                _write_comments(opened, graded.notebooks[notebook.notebook], place, made.student)
            except MissingEntry as error:
                raise BadSource(
                    f"{made.assignment}: the source has graded cells that the gradebook does not know ({error}).",
                    hint=f"Run 'tito release {made.assignment}' again.",
                ) from error


def _write_checksums(opened: Any, notebook: Any, place: tuple[str, str]) -> None:
    """As nbgrader does it: a cell carries the checksum of its released source, so that no answer is seen as none."""
    for cell in notebook.cells:
        if kind_of(cell) is not CellKind.PLAIN:
            cell.metadata.nbgrader["checksum"] = opened.find_source_cell(grade_id_of(cell), *place).checksum


def _write_grade(grade: Any, cell: CellVerdict) -> None:
    """Manual scores stay; a score given by hand before is to be looked at again, as nbgrader has it."""
    grade.auto_score = cell.points
    grade.needs_manual_grade = cell.points is None or grade.manual_score is not None


def _write_comments(opened: Any, notebook: Any, place: tuple[str, str], student: str) -> None:
    """ "No response." on answers that were left as released, which then score zero, as nbgrader has it."""
    from nbgrader.utils import compute_checksum, determine_grade

    for cell in notebook.cells:
        kind = kind_of(cell)
        if kind not in (CellKind.SOLUTION, CellKind.ANSWER):
            continue
        unanswered = compute_checksum(cell) == cell.metadata.nbgrader.get("checksum")
        comment = opened.find_comment(grade_id_of(cell), *place, student)
        comment.auto_comment = "No response." if unanswered else None
        if kind is CellKind.ANSWER:
            grade = opened.find_grade(grade_id_of(cell), *place, student)
            grade.auto_score, _ = determine_grade(cell)
            grade.needs_manual_grade = grade.auto_score is None or grade.manual_score is not None


def submitted_at(course: Course, submitted: Path) -> Any:
    """The submission's time as nbgrader wrote it (naive UTC), or None."""
    from nbgrader.utils import parse_utc

    try:
        return parse_utc((submitted / TIMESTAMP).read_text(encoding="utf-8").strip())
    except (OSError, ValueError, OverflowError):
        return None


def _write_notebooks(course: Course, graded: Graded, submitted: Path) -> None:
    """Replace autograded/<student>/<assignment>/ as a whole."""
    made = graded.record
    target = course.step("autograded", made.student, made.assignment)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".new-") as scratch:
        fresh = Path(scratch) / made.assignment
        fresh.mkdir()
        for name, notebook in graded.notebooks.items():
            nbformat.write(notebook, fresh / f"{name}.ipynb")
        timestamp = submitted / TIMESTAMP
        if timestamp.is_file() and not timestamp.is_symlink():
            shutil.copyfile(timestamp, fresh / TIMESTAMP)
        if target.exists():
            target.rename(Path(scratch) / "old")
        fresh.rename(target)


# ---- the verdict record --------------------------------------------------------------------------


def record_path(course: Course, assignment: str, student: str) -> Path:
    """Where the verdict record of a submission lies."""
    return course.gradebook_dir / "verdicts" / assignment / f"{student}.json"


def write_record(course: Course, made: SubmissionRecord) -> None:
    """Write a record, whole or not at all."""
    path = record_path(course, made.assignment, made.student)
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(".json.new")
    with scratch.open("w", encoding="utf-8") as file:
        json.dump(to_json(made), file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(path)


def read_record(course: Course, assignment: str, student: str) -> SubmissionRecord | None:
    """The stored record of a submission; None where there is none, or none that can be read."""
    try:
        return from_json(json.loads(record_path(course, assignment, student).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def to_json(made: SubmissionRecord) -> dict[str, Any]:
    """The record as it is stored, and as `--json` prints it."""
    data = dataclasses.asdict(made)
    for notebook in data["notebooks"]:
        for cell in notebook["cells"]:
            cell["verdict"], cell["evidence"] = cell["verdict"].value, cell["evidence"].value
    return data


def from_json(data: dict[str, Any]) -> SubmissionRecord:
    """The record that `to_json` gave."""
    notebooks = tuple(
        NotebookVerdicts(
            **one | {"notes": tuple(one["notes"]), "cells": tuple(_cell_from_json(cell) for cell in one["cells"])}
        )
        for one in data["notebooks"]
    )
    return SubmissionRecord(**data | {"fingerprint": Fingerprint(**data["fingerprint"]), "notebooks": notebooks})


def _cell_from_json(cell: dict[str, Any]) -> CellVerdict:
    return CellVerdict(**cell | {"verdict": Verdict(cell["verdict"]), "evidence": Evidence(cell["evidence"])})
