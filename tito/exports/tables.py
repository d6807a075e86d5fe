"""Grades as tables: of one module or a whole course, a row for each student, graded cell or named check.

    grades_table   the table, for a notebook of an instructor's: a pandas DataFrame
    write_table    the same as CSV
    read_table     what was written, read back

Pandas is imported when a table is asked for: that takes longer than most commands do.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args

from tito.course.course import Assignment, Course, find_course
from tito.course.nbgrader_options import with_own_options
from tito.errors import BadSource, UsageError
from tito.gradebook.grades import AssignmentGrades, read_grades, released_assignments
from tito.models import GradeRow
from tito.validation import near

Per = Literal["student", "cell", "check"]
PER: tuple[Per, ...] = get_args(Per)
PLURALS: dict[Per, str] = {"student": "students", "cell": "cells", "check": "checks"}

PEOPLE = ["assignment", "student_id", "last_name", "first_name", "email"]
SCORES = ["raw_score", "late_penalty", "score", "max_score", "late_tokens", "points_forgeable"]
CELL = ["notebook", "cell"]
POINTS = ["points", "max_points"]
TEXTS = {*PEOPLE, *CELL, "check", "verdict", "evidence", "status"}

# What begins a formula in a spreadsheet (OWASP: CSV injection), in a cell of its own or behind what another locale
# takes for the border of one. An apostrophe is put before it, and before apostrophes that stand there already, so
# that the text can be told again.
_BORDER = r'(?:^|(?<=[;,\t\r\n"|]))'
_FORMULA = r"(?=[ \u00a0']*[=+\-@\t\r\n＝＋－＠])"
_TO_DEFUSE = re.compile(f"{_BORDER}{_FORMULA}")
_DEFUSED = re.compile(f"{_BORDER}'{_FORMULA}")


def grades_table(course: Course | Path | str = ".", *modules: str, per: Per = "student") -> Any:
    """Grades as a pandas DataFrame.

    With one module, the table of students has a column for each graded cell. Points that nobody has given are NaN, and
    `status` says why: nothing was submitted, it is excused, or not graded yet. A zero was earned.

    Args:
        course: the course, or a folder in it.
        modules: as the command line takes them (`7`, `sums`, `07_sums`); none: all that were released.
        per: what a row is: `student`, graded `cell`, or named `check`. A check's points are the judge's; points that a
            person has given a cell stand in the table of cells.

    Raises:
        TitoError: there is no such course or module, or its gradebook cannot be read.
    """
    opened = course if isinstance(course, Course) else with_own_options(find_course(Path(course)))
    wanted = [opened.assignment(module) for module in modules] or released_assignments(opened)
    return table_of(read_all(opened, wanted), per)


def read_all(course: Course, assignments: list[Assignment]) -> list[AssignmentGrades]:
    """The grades of each assignment; raises what `read_grades` does."""
    with _no_search_for_cycles():
        return [read_grades(course, assignment) for assignment in assignments]


def table_of(grades: list[AssignmentGrades], per: Per) -> Any:
    """The table of what was read."""
    import pandas

    if per not in PER:
        raise UsageError(f"There is no table of grades per '{per}'.", hint=near(per, PER))
    students = partial(_students, with_cells=len(grades) == 1)
    tables: dict[Per, Callable[[AssignmentGrades], Any]] = {"student": students, "cell": _cells, "check": _checks}
    parts = [tables[per](each) for each in grades]
    return pandas.concat(parts, ignore_index=True) if parts else pandas.DataFrame(columns=[*PEOPLE, "status"])


def write_table(course: Course, assignments: list[Assignment], per: Per, path: Path | None = None) -> tuple[Path, Any]:
    """Write the table of some assignments as CSV, or of all that were released; give its path and the table.

    By default it goes to the gradebook's `exports/`, and over the last one there.

    Raises:
        UsageError: `path` is another file, which stays; or it cannot be written.
    """
    table = table_of(read_all(course, assignments or released_assignments(course)), per)
    target = path or _own_place(course, assignments, per)
    write_csv_file(target, to_csv(table))
    return target, table


def write_csv_file(target: Path, content: bytes) -> None:
    """Write a table, over an earlier one or where there is nothing.

    Raises:
        UsageError: another file is there, which stays; or the folder cannot be written to.
    """
    if target.exists() and not _is_a_table(target):
        raise UsageError(f"{target} is there, and is no table of grades.", hint="Name another file, or move it away.")
    replace_file(target, content)


def to_csv(table: Any) -> bytes:
    """RFC 4180: comma, CRLF, quotes where needed; with the mark by which Excel knows UTF-8. Text that a spreadsheet
    would take for a formula is defused; bytes of a folder's name that are no UTF-8 are written out."""
    safe = table.copy()
    for column in TEXTS.intersection(safe.columns):
        safe[column] = safe[column].map(defused)
    safe.columns = [defused(column) for column in safe.columns]
    text: str = safe.round(4).to_csv(index=False, lineterminator="\r\n", float_format="%.12g")
    return b"\xef\xbb\xbf" + text.encode("utf-8", "backslashreplace")


def read_table(path: Path) -> Any:
    """The table that was written to a file, with the texts as they were.

    Raises:
        BadSource: the file cannot be read as one.
    """
    import pandas

    try:
        head = pandas.read_csv(path, nrows=0).columns
        texts = {column: str for column in head if column in TEXTS}
        blank = {column: [""] for column in head if column not in TEXTS}
        table = pandas.read_csv(path, dtype=texts, keep_default_na=False, na_values=blank)
    except (OSError, ValueError) as error:
        raise BadSource(f"{path} cannot be read as a table of grades: {error}.", hint="Write it anew.") from error
    for column in texts:
        table[column] = table[column].map(as_it_was)
    table.columns = [as_it_was(column) for column in table.columns]
    return table


def defused(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return _TO_DEFUSE.sub("'", text)


def as_it_was(text: str) -> str:
    """The text that `defused` was given."""
    return _DEFUSED.sub("", text)


def replace_file(target: Path, content: bytes) -> None:
    """Write a file, whole or not at all; one that is there keeps its mode.

    Raises:
        UsageError: it cannot be written.
    """
    scratch = target.with_name(f".{target.name}.new")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch.write_bytes(content)
        if target.exists():
            scratch.chmod(target.stat().st_mode & 0o777)
        scratch.replace(target)
    except OSError as error:
        raise UsageError(
            f"{target} cannot be written: {error.strerror}.", hint="Name another with --output."
        ) from error


@contextmanager
def _no_search_for_cycles() -> Iterator[None]:
    """A course's grades are a million small objects, of which none is in a cycle: to look for such takes two fifths of
    the time that reading them does."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _own_place(course: Course, assignments: list[Assignment], per: Per) -> Path:
    folder = course.gradebook_dir / "exports"
    if len(assignments) != 1:
        return folder / "course" / f"{PLURALS[per]}.csv"
    return (folder if per == "student" else folder / PLURALS[per]) / f"{assignments[0].id}.csv"


def _is_a_table(path: Path) -> bool:
    """Whether a file begins as those do that are written here."""
    begin = ",".join(PEOPLE).encode()
    try:
        with path.open("rb") as file:
            return file.read(len(begin) + 3).removeprefix(b"\xef\xbb\xbf").startswith(begin)
    except OSError:
        return False


def _people(grades: AssignmentGrades) -> Any:
    import pandas

    def person(row: GradeRow) -> tuple[str, ...]:
        return grades.assignment, row.student_id, row.last_name, row.first_name, row.email, row.status.value

    return pandas.DataFrame([person(row) for row in grades.rows], columns=[*PEOPLE, "status"])


def _students(grades: AssignmentGrades, *, with_cells: bool) -> Any:
    import pandas

    people = _people(grades)
    scores = pandas.DataFrame(
        [[getattr(row, name) for name in SCORES] for row in grades.rows], columns=SCORES, dtype=float
    )
    cells = pandas.DataFrame([row.cells for row in grades.rows], dtype=float)
    cells = cells.rename(columns={label: f"cell {label}" for label in cells.columns if label in {*TEXTS, *SCORES}})
    parts = [people[PEOPLE], *([cells] if with_cells else []), scores, people["status"]]
    return pandas.concat(parts, axis="columns")


def _cells(grades: AssignmentGrades) -> Any:
    import pandas

    released = pandas.DataFrame(
        [(cell.notebook, cell.name, cell.label, cell.max_points) for cell in grades.cells],
        columns=[*CELL, "label", "max_points"],
    )
    points = pandas.DataFrame(
        [(row.student_id, label, earned) for row in grades.rows for label, earned in row.cells.items()],
        columns=["student_id", "label", "points"],
    ).astype({"points": float})
    verdicts = pandas.DataFrame(
        [
            (student, notebook.notebook, cell.grade_id, cell.verdict.value, cell.evidence.value)
            for student, marks in grades.marks.items()
            for notebook in marks.notebooks
            for cell in notebook.cells
        ],
        columns=["student_id", *CELL, "verdict", "evidence"],
    )
    whole = _people(grades).merge(released, how="cross").merge(points, how="left", on=["student_id", "label"])
    whole = whole.merge(verdicts, how="left", on=["student_id", *CELL], validate="many_to_one")
    whole = whole.fillna({"verdict": "", "evidence": ""})
    return whole[[*PEOPLE, *CELL, *POINTS, "verdict", "evidence", "status"]]


def _checks(grades: AssignmentGrades) -> Any:
    import pandas

    place = [*CELL, "check"]
    checked = pandas.DataFrame(
        [
            (student, notebook.notebook, cell.grade_id, check.name, check.max_points, check.points)
            for student, marks in grades.marks.items()
            for notebook in marks.notebooks
            for cell in notebook.cells
            for check in cell.checks
        ],
        columns=["student_id", *place, *reversed(POINTS)],
    )
    order = {(cell.notebook, cell.name): at for at, cell in enumerate(grades.cells)}
    names = checked[[*place, "max_points"]].drop_duplicates(place)
    names = names.assign(at=[order.get(key, len(order)) for key in zip(names["notebook"], names["cell"], strict=True)])
    names = names.sort_values("at", kind="stable").drop(columns="at")
    whole = _people(grades).merge(names, how="cross")
    whole = whole.merge(checked.drop(columns="max_points"), how="left", on=["student_id", *place])
    return whole[[*PEOPLE, *place, *POINTS, "status"]]
