"""nbgrader's exchange actions, driven from here: releasing, collecting, and whether the exchange is there at all."""

from __future__ import annotations

from typing import Any

from tito.bridge.generate import quiet
from tito.course.course import Assignment, Course
from tito.course.nbgrader_course import CONFIG_FILE, is_nbgraders
from tito.course.nbgrader_settings import settings
from tito.course.settings import SETTINGS_FILE
from tito.errors import ExchangeUnavailable, UsageError


def require_exchange(course: Course) -> None:
    """Raise unless the exchange is there. One inside the course folder is the course's own, and is made here.

    Raises:
        ExchangeUnavailable: it is missing, or is not ours to write to.
    """
    _require_ours(course)
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
    if is_nbgraders(course.root) and not course.exchange_is_named:
        raise UsageError(
            f"{course.root} is an nbgrader course, and its {SETTINGS_FILE} does not say where its exchange is: tito "
            "would make a second one.",
            hint='Write below [exchange] the lines kind = "filesystem" and root = "…", as nbgrader has it, or '
            'root = "exchange" for a new one of tito\'s.',
        )
    # nbgrader's filesystem exchange is written to by every student; the service's store by its owner alone
    mode = 0o777 if course.exchange_kind == "filesystem" else 0o700
    try:
        root.mkdir(parents=True)
        root.chmod(mode)
    except OSError as error:
        raise ExchangeUnavailable(f"The exchange {root} cannot be made: {error.strerror}.", hint="Make it.") from error


def _require_ours(course: Course) -> None:
    if course.exchange_kind == "nbgrader":
        raise UsageError(
            f"The exchange of {course.id} is what its {CONFIG_FILE} names, which only nbgrader's own commands reach.",
            hint="Use 'nbgrader collect', 'release_assignment' and 'release_feedback'; what tito builds is built with "
            "'--no-exchange'.",
        )


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

    _require_ours(course)
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
