"""What a student reads after grading: nbgrader's own feedback page, without anything that is not theirs to see."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nbgrader.preprocessors import NbGraderPreprocessor

from tito.bridge.generate import quiet
from tito.course.cells import is_graded, kind_of
from tito.course.course import Assignment, Course
from tito.course.nbgrader_settings import settings
from tito.errors import PlatformError, UsageError
from tito.grade.causes import HIDDEN_FAILED
from tito.models import CellKind, Verdict
from tito.plan.secret_texts import REGION
from tito.plan.test_cell import hidden_source, visible_source

FAILED = Verdict.FAILED.value.upper()
VERDICTS = frozenset(verdict.value.upper() for verdict in Verdict)
UNDECIDED = tuple(verdict.value.upper() for verdict in (Verdict.PLATFORM, Verdict.MANUAL))  # no number was written


class HideSecrets(NbGraderPreprocessor):  # type: ignore[misc]
    """Takes hidden tests, mark schemes and what was meant for the TA out of a feedback page.

    nbgrader shows the hidden tests in its feedback; then they are hidden from the first cohort only.
    """

    def preprocess_cell(self, cell: Any, resources: Any, cell_index: int) -> tuple[Any, Any]:
        kind, source = kind_of(cell), cell.source
        if is_graded(cell) and kind is not CellKind.ANSWER:
            cell.source = REGION.sub("", visible_source(source)).rstrip()
        if kind is CellKind.TEST:
            cell.outputs = [_told(output, has_hidden=bool(hidden_source(source))) for output in cell.outputs]
        return cell, resources


def _told(output: Any, *, has_hidden: bool = False) -> Any:
    """Of a verdict, its message: its detail may hold expected values, its kind is chosen in a hidden check too.

    An error that is no verdict is from nbgrader's own engine, and what it says may be of the hidden part.
    """
    if output.output_type == "error":
        if has_hidden and output.ename not in VERDICTS:
            output.evalue = HIDDEN_FAILED
        output.ename = output.ename if output.ename in UNDECIDED else FAILED
        output.traceback = [f"{output.ename}: {output.evalue}".rstrip(": ")]
    return output


def generate_feedback(course: Course, assignment: Assignment, students: tuple[str, ...] = ()) -> list[Path]:
    """Write feedback pages through nbgrader's GenerateFeedback; return their paths.

    Raises:
        UsageError: nothing has been autograded.
        PlatformError: nbgrader could not render a page.
    """
    from nbgrader.converters import GenerateFeedback
    from nbgrader.coursedir import CourseDirectory

    graded = course.step("autograded")
    autograded = tuple(path.parent.name for path in sorted(graded.glob(f"*/{assignment.id}")) if path.is_dir())
    for student in students or autograded:
        if student not in autograded:
            raise UsageError(
                f"{student}'s {assignment.id} has not been autograded.",
                hint=f"Run 'tito autograde {assignment.id}'.",
            )
    if not autograded:
        raise UsageError(
            f"No submission of {assignment.id} has been autograded.",
            hint=f"Run 'tito autograde {assignment.id}'.",
        )
    pages = []
    for student in students or autograded:
        config = settings(course)
        config.CourseDirectory.assignment_id = assignment.id
        config.CourseDirectory.student_id = student
        config.GenerateFeedback.force = True
        try:
            with quiet():
                GenerateFeedback(coursedir=CourseDirectory(config=config), config=config).start()
        except Exception as error:  # nbconvert and nbgrader raise anything; this is the one seam
            raise PlatformError(
                f"nbgrader could not write {student}'s feedback: {error}", hint="See --traceback."
            ) from error
        pages += sorted(course.step("feedback", student, assignment.id).glob("*.html"))
    return pages
