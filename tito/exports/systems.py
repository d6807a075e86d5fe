"""Learning management systems: what the files that they give look like, and what they take back.

Each knows its file's columns: which of them say who a row is, in the order in which the system itself looks, which can
be an assignment's, how many points that counts, and where it takes no grade. How a file is filled, `fill` knows.

Sources: Canvas `lib/gradebook_importer.rb` and `gradebook_exporter.rb`; Moodle `mod/assign/feedback/offline/`;
Blackboard's help on uploading grades; Gradescope's guides. Headings are those of their English.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from tito.exports.sheet import Sheet

ID, LOGIN, EMAIL = "lms_user_id", "student_id", "email"  # of ours, in the gradebook


@dataclass(frozen=True)
class Key:
    """A column that says who a row is, and what it may be of ours."""

    column: str
    ours: tuple[str, ...]


class System:
    """What all have in common: one row of headings, then a row for each student."""

    title: ClassVar[str]
    download: ClassVar[str]  # where an instructor gets the file
    needs: ClassVar[tuple[str, ...]]  # headings by which the file is recognised
    keys: ClassVar[tuple[Key, ...]]
    names: ClassVar[tuple[str, ...]]  # columns that a person reads to know who it is
    excused: ClassVar[str] = ""  # what stands in the place of a grade of who is excused, where there is such a word
    adds_columns: ClassVar[bool] = True  # whether it takes a column that it did not have
    most_is_fixed: ClassVar[bool] = False  # whether it leaves out grades above the most

    def columns(self, sheet: Sheet) -> dict[int, str]:
        """Columns that can be an assignment's, with its title as an instructor knows it."""
        raise NotImplementedError

    def max_points(self, sheet: Sheet, column: int) -> float | None:
        """What the system counts as all points; None where the file does not say."""
        raise NotImplementedError

    def is_student(self, sheet: Sheet, row: int) -> bool:
        """Whether a row is about a student of the course."""
        return row > 0 and not sheet.is_blank(row)

    def held_back(self, sheet: Sheet, row: int, column: int) -> str:
        """Why a grade is not to be written here; "" where it is."""
        return ""

    def heading(self, title: str, max_points: float) -> str:
        """What a new column is called."""
        return title

    def new_values(self, sheet: Sheet, max_points: float) -> dict[int, str]:
        """What stands in a new column beside grades, by row."""
        return {}


class Canvas(System):
    """The gradebook as Canvas exports it."""

    title = "Canvas"
    download = "Grades > Export > Export Entire Gradebook"
    needs = ("ID", "Section")
    keys = (Key("ID", (ID,)), Key("SIS User ID", (ID, LOGIN)), Key("SIS Login ID", (LOGIN, EMAIL)))
    names = ("Student", "LastName", "FirstName")
    excused = "EX"

    _TOTALS = re.compile(r"(Current|Final) (Score|Points|Grade)|Override (Score|Grade|Status)")
    _ID = re.compile(r" \(\d+\)$")
    _TEST_STUDENTS = ("Student, Test", "Test Student")
    _NO_ROW = re.compile(r"\s*(Muted|Manual Posting.*)?\s*", re.IGNORECASE)

    def columns(self, sheet: Sheet) -> dict[int, str]:
        headings = sheet.values(0)
        after = headings.index("Section") + 1 if "Section" in headings else 0
        points = self._points_row(sheet)
        titles = {}
        for at, heading in enumerate(headings[after:], after):
            read_only = at < len(points) and "read only" in points[at]
            if not read_only and not self._TOTALS.search(heading):
                titles[at] = self._ID.sub("", heading)
        return titles

    def max_points(self, sheet: Sheet, column: int) -> float | None:
        points = self._points_row(sheet)
        return number(points[column]) if column < len(points) else None

    def is_student(self, sheet: Sheet, row: int) -> bool:
        values = sheet.values(row)
        if row == 0 or "Points Possible" in values[0] or values[0].strip() in self._TEST_STUDENTS:
            return False
        return not all(self._NO_ROW.fullmatch(value) for value in values)

    def held_back(self, sheet: Sheet, row: int, column: int) -> str:
        value = sheet.values(row)[column].strip().upper()
        return {"EX": "excused in Canvas", "N/A": "not assigned in Canvas"}.get(value, "")

    def new_values(self, sheet: Sheet, max_points: float) -> dict[int, str]:
        rows = (row for row in range(1, len(sheet.rows)) if "Points Possible" in sheet.values(row)[0])
        return dict.fromkeys(rows, f"{max_points:g}")

    def _points_row(self, sheet: Sheet) -> list[str]:
        """How many points each column counts; it may stand behind a row that says which grades are hidden."""
        rows = (sheet.values(row) for row in range(1, min(4, len(sheet.rows))))
        return next((values for values in rows if "Points Possible" in values[0]), [])


class Moodle(System):
    """The worksheet of an assignment for grading offline. Moodle knows each row by `Identifier`, which is its own for
    each assignment: so only a worksheet that it gave can be filled."""

    title = "Moodle"
    download = "the assignment > Submissions > Actions > Download grading worksheet"
    needs = ("Identifier", "Grade", "Last modified (grade)")
    keys = (Key("Email address", (EMAIL, LOGIN)), Key("ID number", (ID, LOGIN)), Key("Username", (LOGIN,)))
    names = ("Full name", "Identifier")
    adds_columns = False
    most_is_fixed = True

    def columns(self, sheet: Sheet) -> dict[int, str]:
        headings = sheet.values(0)
        if "Grade" in headings:
            return {headings.index("Grade"): ""}  # of one assignment, which it does not name
        return {at: heading for at, heading in enumerate(headings) if at}  # in another language, and named by option

    def max_points(self, sheet: Sheet, column: int) -> float | None:
        return _number_in(sheet, "Maximum grade")

    def held_back(self, sheet: Sheet, row: int, column: int) -> str:
        can_change = _value(sheet, row, "Grade can be changed")
        return "locked in Moodle" if can_change == "No" else ""


class Blackboard(System):
    """The grade centre as Blackboard downloads it: tab-delimited UTF-16, or comma-delimited UTF-8."""

    title = "Blackboard"
    download = "Gradebook > Download Grades"
    needs = ("Username", "Last Name")
    keys = (Key("Username", (LOGIN, EMAIL)), Key("Student ID", (ID, LOGIN)))
    names = ("Last Name", "First Name")

    _PEOPLE = ("Last Name", "First Name", "Username", "Student ID", "Last Access", "Availability", "Child Course ID")
    _COMMENTS = ("Grading Notes", "Notes Format", "Feedback to Learner", "Feedback Format")
    _HEADING = re.compile(
        r"(?P<title>.*?)(?: \[Total Pts: (?:up to )?(?P<points>[\d.,]+)[^\]]*\])?(?: ?\|(?P<id>\w+))?", re.DOTALL
    )

    def columns(self, sheet: Sheet) -> dict[int, str]:
        others = {*self._PEOPLE, *self._COMMENTS}
        return {at: self._part(heading, "title") for at, heading in enumerate(sheet.values(0)) if heading not in others}

    def max_points(self, sheet: Sheet, column: int) -> float | None:
        return number(self._part(sheet.values(0)[column], "points"))

    def heading(self, title: str, max_points: float) -> str:
        return f"{title} [Total Pts: {max_points:g} Score]"

    def _part(self, heading: str, name: str) -> str:
        match = self._HEADING.fullmatch(heading)
        return (match[name] or "") if match else heading


class Gradescope(System):
    """The grades of a course as Gradescope exports them. It takes none back; what reads such files does."""

    title = "Gradescope"
    download = "Assignments > Download Grades"
    needs = ("Email", "SID")
    keys = (Key("Email", (EMAIL, LOGIN)), Key("SID", (ID, LOGIN)))
    names = ("First Name", "Last Name", "Name")

    _MOST = " - Max Points"
    _PEOPLE = ("First Name", "Last Name", "Name", "SID", "Email", "Role")
    _OTHERS = re.compile(
        r".* - (Max Points|Submission Time|Lateness \(H:M:S\))|Total Lateness.*|.*\bsections?\b.*", re.I
    )

    def columns(self, sheet: Sheet) -> dict[int, str]:
        return {
            at: heading
            for at, heading in enumerate(sheet.values(0))
            if heading not in self._PEOPLE and not self._OTHERS.fullmatch(heading)
        }

    def max_points(self, sheet: Sheet, column: int) -> float | None:
        return _number_in(sheet, sheet.values(0)[column] + self._MOST)


SYSTEMS: dict[str, System] = {
    system.title.lower(): system for system in (Canvas(), Moodle(), Blackboard(), Gradescope())
}


def number(text: str) -> float | None:
    """A number as these systems write one, with a point or a comma; None where it is none."""
    text = text.strip()
    return float(text.replace(",", ".")) if re.fullmatch(r"-?\d+(?:[.,]\d+)?", text) else None


def _value(sheet: Sheet, row: int, heading: str) -> str:
    """What stands in a row below a heading, and "" where there is no such column."""
    headings, values = sheet.values(0), sheet.values(row)
    at = headings.index(heading) if heading in headings else len(values)
    return values[at].strip() if at < len(values) else ""


def _number_in(sheet: Sheet, heading: str) -> float | None:
    """The first number below a heading."""
    numbers = (number(_value(sheet, row, heading)) for row in range(1, len(sheet.rows)))
    return next((each for each in numbers if each is not None), None)
