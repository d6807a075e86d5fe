"""Verdict records: what was found of each submission, a JSON file each beside the gradebook."""

from __future__ import annotations

import json
from enum import Enum
from pathlib import Path
from typing import Any

from tito.course.course import Course
from tito.models import CellVerdict, CheckVerdict, Evidence, Fingerprint, NotebookVerdicts, SubmissionRecord, Verdict


def record_path(course: Course, assignment: str, student: str) -> Path:
    """Where the verdict record of a submission lies."""
    return course.gradebook_dir / "verdicts" / assignment / f"{student}.json"


def write_record(course: Course, made: SubmissionRecord) -> None:
    """Write a record, whole or not at all."""
    path = record_path(course, made.assignment, made.student)
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(".json.new")
    scratch.write_text(_text_of(made), encoding="utf-8")
    scratch.replace(path)


def read_record(course: Course, assignment: str, student: str) -> SubmissionRecord | None:
    """The stored record of a submission; None where there is none, or none that can be read."""
    try:
        return from_json(json.loads(record_path(course, assignment, student).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def to_json(made: SubmissionRecord) -> dict[str, Any]:
    """The record as it is stored, and as `--json` prints it."""
    data: dict[str, Any] = json.loads(_text_of(made))
    return data


def _text_of(made: SubmissionRecord) -> str:
    told = vars(made) | {"points_forgeable": made.points_forgeable}
    return json.dumps(told, default=lambda one: one.value if isinstance(one, Enum) else vars(one))


def from_json(data: dict[str, Any]) -> SubmissionRecord:
    """The record that `to_json` gave."""
    data = {name: value for name, value in data.items() if name != "points_forgeable"}  # it follows from the rest
    notebooks = tuple(
        NotebookVerdicts(
            **one | {"notes": tuple(one["notes"]), "cells": tuple(_cell_from_json(cell) for cell in one["cells"])}
        )
        for one in data["notebooks"]
    )
    return SubmissionRecord(**data | {"fingerprint": Fingerprint(**data["fingerprint"]), "notebooks": notebooks})


def _cell_from_json(cell: dict[str, Any]) -> CellVerdict:
    checks = tuple(CheckVerdict(**one) for one in cell["checks"])
    known = {"verdict": Verdict(cell["verdict"]), "evidence": Evidence(cell["evidence"]), "checks": checks}
    return CellVerdict(**cell | known)
