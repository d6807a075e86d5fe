"""Who is in which course: from the settings and from rosters, as groups of the hub."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

from tito.errors import BadSource, TitoError
from tito.exchange.protocol.names import check_id, check_student
from tito.hub.config.settings import CourseSettings, HubSettings

INSTRUCTOR, TA, STUDENT = "instructor", "ta", "student"
GROUP_OF_ROLE = {INSTRUCTOR: "formgrade", TA: "ta", STUDENT: "nbgrader"}  # best first
COLUMNS = ("id", "username", "role")  # of a roster
TAKEN = frozenset({"exchange", "idle-culler"})  # services of ours


def group(role: str, course: str) -> str:
    """The hub's group of the people who have a role in a course."""
    return f"{GROUP_OF_ROLE[role]}-{course}"


def precheck_worker(course: str) -> str:
    """The service that runs a course's prechecks; the exchange counts it in the group of the same name."""
    return f"precheck-{course}"


def groups(settings: HubSettings) -> dict[str, list[str]]:
    """All groups, and who the settings put into them.

    Raises:
        BadSource: a name that the exchange could not serve, or a roster that cannot be read.
    """
    members: dict[str, list[str]] = {}
    for course, course_settings in settings.courses.items():
        _check_course(course)
        for role, names in _people(course, course_settings).items():
            members[group(role, course)] = names
    return members


def everybody(settings: HubSettings) -> set[str]:
    """All who are named anywhere."""
    named = {name for names in groups(settings).values() for name in names}
    return named | {_name(name, "admins") for name in settings.admins}


def staff(settings: HubSettings) -> set[str]:
    """Whom the settings give more than a student has: instructors, TAs, and who runs the hub."""
    students: set[str] = set()
    teaching: set[str] = set()
    for group, names in groups(settings).items():
        (students if group.startswith("nbgrader-") else teaching).update(names)
    return (everybody(settings) - students) | teaching


def role_of(names: set[str]) -> str:
    """The best role that membership of these groups gives, in whatever course; none counts as a student."""
    for role, kind in GROUP_OF_ROLE.items():
        if any(name.startswith(f"{kind}-") for name in names):
            return role
    return STUDENT


def formgraders_of(names: set[str], courses: Mapping[str, CourseSettings]) -> dict[str, str]:
    """The courses whose formgrader the members of these groups may enter, with their titles."""
    return {
        course: course_settings.title or course
        for course, course_settings in courses.items()
        if (course_settings.root or course_settings.url) and names & set(graders(course, course_settings))
    }


def graders(course: str, course_settings: CourseSettings) -> list[str]:
    """The groups that may enter a course's formgrader."""
    return [group(INSTRUCTOR, course), *([group(TA, course)] if course_settings.ta_formgrader else [])]


def _check_course(course: str) -> None:
    try:
        check_id("course", course)
    except TitoError as error:
        raise BadSource(f"courses: {error.message}", hint=error.hint) from None
    if course in TAKEN:
        raise BadSource(f"courses: '{course}' is the name of a service of the hub.", hint="Name the course otherwise.")


def _people(course: str, course_settings: CourseSettings) -> dict[str, list[str]]:
    people = {
        INSTRUCTOR: list(course_settings.instructors),
        TA: list(course_settings.tas),
        STUDENT: list(course_settings.students),
    }
    if course_settings.roster is not None:
        for role, names in _roster(course_settings.roster).items():
            people[role] += names
    where = f"courses.{course}"
    return {role: list(dict.fromkeys(_name(name, where) for name in names)) for role, names in people.items()}


def _name(name: str, where: str) -> str:
    """As the hub writes it, which is in small letters."""
    small = name.strip().lower()
    try:
        return check_student(small)
    except TitoError as error:
        raise BadSource(f"{where}: {error.message}", hint="Give people other names on the hub.") from None


def _roster(path: Path) -> dict[str, list[str]]:
    """Names by role. nbgrader's own student lists are rosters too: they have a column `id`, and no `role`."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadSource(f"The roster {path} cannot be read ({type(error).__name__}).", hint="Correct it.") from None
    _refuse_misspelt_columns(path, reader.fieldnames or ())
    by_role: dict[str, list[str]] = {role: [] for role in GROUP_OF_ROLE}
    for number, row in enumerate(rows, start=2):
        name = (row.get("username") or row.get("id") or "").strip()
        role = (row.get("role") or STUDENT).strip().lower()
        if not name:
            raise BadSource(
                f"{path}, line {number}: nobody is named.", hint="It needs a column 'username' or 'id', filled in."
            )
        if role not in by_role:
            raise BadSource(f"{path}, line {number}: no role '{role}'.", hint=f"Roles: {', '.join(by_role)}.")
        by_role[role].append(name)
    return by_role


def _refuse_misspelt_columns(path: Path, columns: Sequence[str]) -> None:
    """A roster may have any columns; one that is nearly `role` would make a student of everybody in it."""
    for column in columns:
        close = get_close_matches(column.strip().lower(), COLUMNS, n=1, cutoff=0.75)
        if column not in COLUMNS and close and close[0] not in columns:
            raise BadSource(f"The roster {path} has a column '{column}'.", hint=f"Did you mean '{close[0]}'?")
