"""nbgrader's GenerateAssignment, driven from here: the release of an assignment, made in a folder of its own."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tito.course.course import Assignment, Course
from tito.course.nbgrader_settings import settings
from tito.errors import BadSource, TitoError


@contextmanager
def scratch_course(course: Course) -> Iterator[Course]:
    """A copy of the course folder with nothing in it, on the same file system, gone at the end."""
    with tempfile.TemporaryDirectory(dir=course.root, prefix=".release-") as folder:
        (Path(folder) / "source").mkdir()
        yield replace(course, root=Path(folder))


def generate(course: Course, assignment: Assignment, *, database: bool) -> Path:
    """Run nbgrader's GenerateAssignment in `course`; return the folder of the release.

    With `database`, the graded cells are entered into the gradebook.

    Raises:
        BadSource: nbgrader refuses the notebook.
    """
    from nbgrader.converters import GenerateAssignment
    from nbgrader.coursedir import CourseDirectory

    reasons: list[str] = []

    class Generate(GenerateAssignment):  # type: ignore[misc]
        """Notes why a notebook was refused: what nbgrader raises at the end sends people to its log."""

        def convert_single_notebook(self, notebook_filename: str) -> None:
            try:
                super().convert_single_notebook(notebook_filename)
            except Exception as error:
                reasons.append(f"{Path(notebook_filename).name}: {_last_line(error)}")
                raise

    config = settings(course)
    config.GenerateAssignment.force = True
    config.GenerateAssignment.no_database = not database
    config.SaveCells.enabled = database
    config.CourseDirectory.assignment_id = assignment.id
    try:
        with quiet():
            Generate(coursedir=CourseDirectory(config=config), config=config).start()
    except TitoError:
        raise
    except Exception as error:  # nbgrader raises anything; it is told as what it is: a source that it refuses
        reason = " ".join(reasons) or _last_line(error)
        raise BadSource(f"nbgrader cannot release {assignment.id}: {reason}", hint="Run 'tito check' on it.") from error
    return course.step("release", assignment.id)


def _last_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[-1]


@contextmanager
def quiet() -> Iterator[None]:
    """Keep nbgrader's log out of our output; what it raises says the same."""
    logger = logging.getLogger("traitlets")
    level, logger.level = logger.level, logging.CRITICAL + 1
    try:
        yield
    finally:
        logger.level = level
