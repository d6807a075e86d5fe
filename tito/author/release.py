"""Builds what students get, through nbgrader's own GenerateAssignment, and hands it to the exchange.

A release is made in a scratch folder and put in place whole: whatever fails, the old one stands.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import Any

from tito.author.script import build
from tito.course import Assignment, Course
from tito.errors import BadSource, ExchangeUnavailable, TitoError
from tito.gradebook.store import gradebook
from tito.nbgrader_settings import settings


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

    config = settings(course)
    config.GenerateAssignment.force = True
    config.GenerateAssignment.no_database = not database
    config.SaveCells.enabled = database
    config.CourseDirectory.assignment_id = assignment.id
    try:
        with quiet():
            GenerateAssignment(coursedir=CourseDirectory(config=config), config=config).start()
    except TitoError:
        raise
    except Exception as error:  # nbgrader raises anything; it is told as what it is: a source that it refuses
        reason = (str(error).strip() or type(error).__name__).splitlines()[-1]
        raise BadSource(f"nbgrader cannot release {assignment.id}: {reason}", hint="Run 'tito check' on it.") from error
    return course.step("release", assignment.id)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep nbgrader's log out of our output; what it raises says the same."""
    logger = logging.getLogger("traitlets")
    level, logger.level = logger.level, logging.CRITICAL + 1
    try:
        yield
    finally:
        logger.level = level


def build_release(course: Course, assignment: Assignment, into: Path) -> Path:
    """The release as students would get it, in `into`; the gradebook is not touched."""
    with scratch_course(course) as scratch:
        _build_source(course, scratch, assignment)
        shutil.copytree(generate(scratch, assignment, database=False), into, dirs_exist_ok=True)
    return into


def _build_source(course: Course, scratch: Course, assignment: Assignment) -> None:
    """The source folder of the assignment in the scratch course, built anew from its script."""
    if assignment.script is not None:
        build(scratch, assignment)
    else:
        shutil.copytree(course.step("source", assignment.id), scratch.step("source", assignment.id))


def publish(course: Course, assignment: Assignment) -> Path:
    """Release an assignment: graded cells into the gradebook, files into release/. Run the gates first.

    Raises:
        GradebookUnavailable, BadSource: nothing was changed in release/.
    """
    with gradebook(course):
        pass  # an unusable gradebook is told as one, and not as nbgrader's trouble with the notebook
    with scratch_course(course) as scratch:
        _build_source(course, scratch, assignment)
        fresh = generate(scratch, assignment, database=True)
        target = course.step("release", assignment.id)
        target.parent.mkdir(exist_ok=True)
        if target.exists():
            target.rename(scratch.root / "old")
        fresh.rename(target)
    _set_deadline(course, assignment)
    return target


def _set_deadline(course: Course, assignment: Assignment) -> None:
    due = course.deadlines.get(assignment.id)
    with gradebook(course) as opened:
        naive_utc = due.astimezone(UTC).replace(tzinfo=None) if due is not None else None
        opened.find_assignment(assignment.id).duedate = naive_utc


# ---- the exchange ------------------------------------------------------------------------------


def require_exchange(course: Course) -> None:
    """Raise unless the exchange is there. One inside the course folder is the course's own, and is made here.

    Raises:
        ExchangeUnavailable: it is missing, or is not ours to write to.
    """
    if course.exchange_url and course.exchange_kind == "service":
        return  # its service says itself what is wrong with it
    root = course.exchange_root
    if root.is_dir():
        return
    if root.exists() or not root.is_relative_to(course.root):
        raise ExchangeUnavailable(
            f"There is no exchange at {root}.",
            hint="Create that folder, correct [exchange] root in course.toml, or build only, with --no-exchange.",
        )
    # nbgrader's filesystem exchange is written to by every student; the service's store by its owner alone
    mode = 0o777 if course.exchange_kind == "filesystem" else 0o700
    try:
        root.mkdir(parents=True)
        root.chmod(mode)
    except OSError as error:
        raise ExchangeUnavailable(f"The exchange {root} cannot be made: {error.strerror}.", hint="Make it.") from error


def hand_to_exchange(course: Course, assignment: Assignment) -> None:
    """Put the release into the exchange, over an older one.

    Raises:
        ExchangeUnavailable: nbgrader's exchange refuses.
    """
    exchange(course, assignment, "ReleaseAssignment", force=True)


def exchange(course: Course, assignment: Assignment, action: str, student: str = "", **traits: Any) -> Any:
    """Run one of nbgrader's exchange actions, of whichever exchange nbgrader is configured with; return its object.

    Raises:
        ExchangeUnavailable: it refuses; says why.
    """
    from nbgrader.auth import Authenticator
    from nbgrader.coursedir import CourseDirectory
    from nbgrader.exchange import ExchangeError, ExchangeFactory

    config = settings(course)
    config.CourseDirectory.assignment_id = assignment.id
    if student:
        config.CourseDirectory.student_id = student
    wanted = getattr(ExchangeFactory(config=config), ACTIONS[action])
    try:
        with quiet():
            run = wanted(
                coursedir=CourseDirectory(config=config),
                authenticator=Authenticator(config=config),
                config=config,
                **traits,
            )
            run.start()
            return run
    except (ExchangeError, OSError, RuntimeError) as error:
        raise ExchangeUnavailable(
            f"The exchange {course.exchange_place} refuses: {str(error).splitlines()[0].rstrip('.')}.",
            hint="Run 'tito doctor'.",
        ) from error


ACTIONS = {
    "ReleaseAssignment": "release_assignment",
    "FetchAssignment": "fetch_assignment",
    "Submit": "submit",
    "Collect": "collect",
    "ReleaseFeedback": "release_feedback",
    "FetchFeedback": "fetch_feedback",
}
