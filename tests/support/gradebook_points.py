"""Points in the gradebook of the tiny course, as if its submissions had been graded. No fixtures and no tests here."""

from __future__ import annotations

from typing import Any

from tiny import ASSIGNMENT, submit

from tito.course.course import Course
from tito.gradebook.store import gradebook

FULL = {"test_double": 4.0, "test_halve": 3.0, "task_why": 2.0, "essay": 1.0}


def points(course: Course, student: str, auto: dict[str, float | None], **facts: Any) -> None:
    """What grading would have left in the gradebook for a student who has handed in."""
    submit(course, student, b"")
    with gradebook(course) as opened:
        opened.update_or_create_student(student, first_name=facts.get("first_name", ""), lms_user_id=facts.get("lms"))
        submission = opened.update_or_create_submission(ASSIGNMENT, student)
        submission.timestamp = facts.get("timestamp")
        submission.extension = facts.get("extension")
        for notebook in submission.notebooks:
            notebook.late_submission_penalty = facts.get("penalty")
            for grade in notebook.grades:
                grade.auto_score = auto.get(grade.name)
                grade.manual_score = facts.get("manual", {}).get(grade.name)
                grade.extra_credit = facts.get("extra", {}).get(grade.name)
                grade.needs_manual_grade = grade.name in facts.get("waits", ())
