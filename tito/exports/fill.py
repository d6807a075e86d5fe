"""Fills the file that a learning management system gave: our column is written, and nothing else.

A grade goes to the one row that is its student's beyond doubt. Rows that fit nobody of ours, or more than one student,
by one key or by two, are left as they are, and listed; so is whoever has no grade: nothing that was not given is ever
written as a zero.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

from tito.course.course import SCRIPT_NAME
from tito.errors import BadSource, UsageError
from tito.exports.sheet import Sheet, read_sheet
from tito.exports.systems import EMAIL, ID, LOGIN, SYSTEMS, Key, System, number
from tito.exports.tables import replace_file
from tito.gradebook.grades import AssignmentGrades
from tito.models import GradeRow, Status
from tito.validation import near

DIGITS = 2  # as these systems show and compare scores
BLANK = ("", "-")


@dataclass(frozen=True)
class Choices:
    """What an instructor says of the file where it does not speak for itself.

    `column` is our column's heading, `key` the one of the column that says who a row is; with `scale` points are
    written as the same share of what the system counts; `new_column`: the file has no column for the assignment yet.
    """

    column: str = ""
    key: str = ""
    scale: bool = False
    new_column: bool = False


@dataclass(frozen=True)
class Entry:
    """One row of the file, or one student whom it does not have (line 0)."""

    line: int
    name: str
    student: str = ""
    was: str = ""
    now: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Reconciliation:
    """What became of each student's row. `changed` had another grade before; `left` have none with us, and `held` none
    to be given by the system's own word; `absent` have work with us, and no row. `points` is the sum of all grades that
    now stand in our column, and `sha256` the hash of the file that was written."""

    system: str
    column: str
    source: Path
    written: Path
    sha256: str
    students: int
    matched: int
    matched_by: dict[str, int]
    grades: int
    points: float
    new: int
    same: int
    changed: tuple[Entry, ...]
    left: tuple[Entry, ...]
    held: tuple[Entry, ...]
    unknown: tuple[Entry, ...]
    ambiguous: tuple[Entry, ...]
    absent: tuple[Entry, ...]
    above: tuple[Entry, ...]


@dataclass(frozen=True)
class Filling:
    """A file that is being filled: our column, of which one may be new, the keys, and what a point of ours counts."""

    system: System
    sheet: Sheet
    column: int
    heading: str
    keys: tuple[Key, ...]
    factor: float
    most: float | None

    @property
    def is_new(self) -> bool:
        return self.column == len(self.sheet.rows[0])

    def before(self, row: int) -> str:
        """What stands in our column."""
        return "" if self.is_new else self.sheet.values(row)[self.column]


def fill(
    grades: AssignmentGrades,
    system: System,
    source: Path,
    *,
    output: Path | None = None,
    in_place: bool = False,
    choices: Choices | None = None,
    only: Collection[str] = (),
) -> Reconciliation:
    """Write the file of a system with our grades in it: to `output`, by default beside it as `NAME.filled.csv`, or over
    it where that is asked for. `only` some students' grades are written, if any are named; who a row is, all decide.

    Raises:
        BadSource: the file is not the system's, or cannot be read.
        UsageError: it is not plain which column is ours, what it counts, or who its rows are; or something else is
            where it would be written. Nothing is written then.
    """
    filling = _begin(grades, system, read_sheet(source), choices or Choices())
    target = source.resolve() if in_place else output or source.with_name(f"{source.stem}.filled{source.suffix}")
    _require_free(target, source, filling, in_place=in_place)
    rows = _matched(filling, grades.rows)
    if not any(rows.candidates):
        columns = ", ".join(f"'{key.column}'" for key in filling.keys)
        raise UsageError(
            f"Nobody in {source} is in the gradebook by {columns}.",
            hint="Is it this course's? Name the column that says who a row is with --key, or enter e-mail addresses "
            "and the system's ids with 'nbgrader db student import'.",
        )
    outcome = _Outcome(filling)
    by_id = {row.student_id: row for row in grades.rows}
    for row in rows.itertuples():
        if not only or not row.student or row.student in only:
            outcome.add(row, by_id.get(row.student))
    content = filling.sheet.encoded(_text(filling, outcome.values, grades.rows))
    replace_file(target, content)
    present = {student for candidates in rows.candidates for student in candidates}
    for grade in grades.rows:
        if grade.student_id not in present and (not only or grade.student_id in only):
            outcome.add_absent(grade)
    return outcome.reconciled(rows, source, target, content)


class _Outcome:
    """What becomes of each row, gathered one after the other; `values` is what is to stand in our column."""

    def __init__(self, filling: Filling) -> None:
        self.filling = filling
        self.values: dict[int, str] = {}
        self.grades: list[float] = []
        self.new = self.same = 0
        self.changed: list[Entry] = []
        self.left: list[Entry] = []
        self.held: list[Entry] = []
        self.unknown: list[Entry] = []
        self.ambiguous: list[Entry] = []
        self.absent: list[Entry] = []
        self.above: list[Entry] = []

    def add(self, row: Any, grade: GradeRow | None) -> None:
        """`row` is one of `_matched`; `grade` is its student's."""
        filling = self.filling
        before = filling.before(row.row)
        place = {"line": filling.sheet.line(row.row), "name": row.name, "student": row.student, "was": before}
        if grade is None:
            reason = row.doubt + " or ".join(row.candidates) if row.candidates else row.identifiers
            (self.ambiguous if row.candidates else self.unknown).append(Entry(**place, reason=reason))
            return
        value = self._value(grade)
        if value is None:
            self.left.append(Entry(**place, reason=grade.status.value))
        elif _is_same(before, value):
            self.same += 1
            self._count(value)
        elif not filling.is_new and (reason := filling.system.held_back(filling.sheet, row.row, filling.column)):
            self.held.append(Entry(**place, now=value, reason=reason))
        else:
            self.values[row.row] = value
            self._count(value)
            if before.strip() in BLANK:
                self.new += 1
            else:
                self.changed.append(Entry(**place, now=value))
            if filling.most is not None and filling.system.most_is_fixed and (number(value) or 0) > filling.most:
                self.above.append(Entry(**place, now=value, reason=f"more than {filling.most:g}"))

    def add_absent(self, grade: GradeRow) -> None:
        """A student whom no row of the file could be."""
        if grade.status is not Status.MISSING:
            name = f"{grade.last_name}, {grade.first_name}".strip(", ")
            now = "" if grade.score is None else f"{grade.score:g}"
            self.absent.append(Entry(0, name, grade.student_id, now=now, reason=grade.status.value))

    def reconciled(self, rows: Any, source: Path, target: Path, content: bytes) -> Reconciliation:
        """All of it; `rows` are those of `_matched`."""
        by = rows.by[rows.student.ne("")]
        return Reconciliation(
            system=self.filling.system.title,
            column=self.filling.heading,
            source=source,
            written=target,
            sha256=hashlib.sha256(content).hexdigest(),
            students=len(rows),
            matched=len(by),
            matched_by={str(column): int(count) for column, count in by.value_counts().items()},
            grades=len(self.grades),
            points=round(sum(self.grades), DIGITS),
            new=self.new,
            same=self.same,
            changed=tuple(self.changed),
            left=tuple(self.left),
            held=tuple(self.held),
            unknown=tuple(self.unknown),
            ambiguous=tuple(self.ambiguous),
            absent=tuple(self.absent),
            above=tuple(self.above),
        )

    def _value(self, grade: GradeRow) -> str | None:
        """What is to stand there; None where that is not ours to say."""
        if grade.status is Status.EXCUSED:
            return self.filling.system.excused or None
        if grade.status is not Status.GRADED or grade.score is None:
            return None
        return _rounded(grade.score * self.filling.factor).replace(".", self.filling.sheet.decimal_mark)

    def _count(self, value: str) -> None:
        points = number(value)
        if points is not None:
            self.grades.append(points)


def _rounded(points: float) -> str:
    """Half a hundredth goes up, as a person rounds what a table shows; a float's own rounding goes either way."""
    hundredths = Decimal(f"{points:.9f}").quantize(Decimal("0.01"), ROUND_HALF_UP)
    return f"{hundredths:f}".rstrip("0").rstrip(".")


def _is_same(before: str, value: str) -> bool:
    """Whether two entries are one grade, as these systems compare them."""
    numbers = number(before), number(value)
    if None in numbers:
        return before.strip().upper() == value
    return round(numbers[0] or 0, DIGITS) == round(numbers[1] or 0, DIGITS)


# ---- the file's columns ------------------------------------------------------------------------


def _begin(grades: AssignmentGrades, system: System, sheet: Sheet, choices: Choices) -> Filling:
    _require_system(system, sheet, choices)
    headings = sheet.values(0)
    keys = _keys(system, sheet, choices)
    if not grades.rows:
        raise UsageError(
            f"The gradebook has no students, and nobody has handed in {grades.assignment}.",
            hint="Enter them with 'nbgrader db student import', or grade first.",
        )
    ours = grades.rows[0].max_score
    if choices.new_column:
        _require_no_column(system, sheet, grades.assignment)
        heading = system.heading(choices.column or grades.assignment, ours)
        return Filling(system, sheet, len(headings), heading, keys, 1.0, None)
    column = _column(system, sheet, grades.assignment, choices)
    theirs = system.max_points(sheet, column)
    return Filling(system, sheet, column, headings[column], keys, _factor(system, sheet, ours, theirs, choices), theirs)


def _require_system(system: System, sheet: Sheet, choices: Choices) -> None:
    """That the file is the system's; where both columns are named, they are all that is needed of it."""
    headings = sheet.values(0)
    missing = [heading for heading in system.needs if heading not in headings]
    if not missing or (choices.column and choices.key):
        return
    others = (name for name, other in SYSTEMS.items() if set(other.needs) <= set(headings))
    other = next(others, "")
    raise BadSource(
        f"{sheet.path} is no file of {system.title}'s: it has no column '{missing[0]}'.",
        hint=f"It looks like one for --format {other}."
        if other
        else f"Download it: {system.download}. Where its headings are in another language, name the columns with "
        "--column and --key.",
    )


def _keys(system: System, sheet: Sheet, choices: Choices) -> tuple[Key, ...]:
    headings = sheet.values(0)
    if choices.key:
        if choices.key not in headings:
            raise UsageError(f"{sheet.path} has no column '{choices.key}'.", hint=near(choices.key, headings))
        return (Key(choices.key, (ID, LOGIN, EMAIL)),)
    keys = tuple(key for key in system.keys if key.column in headings)
    if not keys:
        wanted = ", ".join(f"'{key.column}'" for key in system.keys)
        raise UsageError(
            f"{sheet.path} does not say who its rows are: it has none of {wanted}.",
            hint=f"Have {system.title} put one of them into the file, or name another column with --key.",
        )
    return keys


def _column(system: System, sheet: Sheet, assignment: str, choices: Choices) -> int:
    """The one column that is the assignment's."""
    titles, headings = system.columns(sheet), sheet.values(0)
    fitting = _named(titles, headings, choices.column) if choices.column else _own_columns(titles, assignment)
    if len(fitting) == 1:
        return fitting[0]
    listing = ", ".join(f"'{headings[at]}'" for at in (fitting or titles)) or "none that takes grades"
    if fitting:
        raise UsageError(
            f"More than one column of {sheet.path} is {choices.column or assignment}'s: {listing}.",
            hint="Name one with --column, as it stands there.",
        )
    add = ", or have one added with --new-column" if system.adds_columns else ""
    raise UsageError(
        f"No column of {sheet.path} is {choices.column or assignment}'s. It has: {listing}.",
        hint=f"Name ours with --column{add}.",
    )


def _named(titles: dict[int, str], headings: list[str], name: str) -> list[int]:
    """Columns of a heading, or of a title without what the system adds to it; the longer comes first."""
    exact = [at for at in titles if headings[at] == name]
    return exact or [at for at, title in titles.items() if _plain(title) == _plain(name)]


def _own_columns(titles: dict[int, str], assignment: str) -> list[int]:
    """Columns of an assignment's whole name, else of its name without the number; or the only one of a file that is
    about one assignment."""
    if list(titles.values()) == [""]:
        return list(titles)
    match = SCRIPT_NAME.fullmatch(assignment)
    names = [assignment, match["name"]] if match else [assignment]
    by_name = ([at for at, title in titles.items() if _plain(title) == _plain(name)] for name in names)
    return next(filter(None, by_name), [])


def _plain(title: str) -> str:
    """Words and numbers of a title: `1: Tensor` and `01_tensor` are one."""
    return re.sub(r"\b0+(?=\d)", "", re.sub(r"[\W_]+", " ", title.casefold()).strip())


def _require_no_column(system: System, sheet: Sheet, assignment: str) -> None:
    if not system.adds_columns:
        raise UsageError(f"{system.title} takes no new column.", hint="Leave --new-column out.")
    if _own_columns(system.columns(sheet), assignment):
        raise UsageError(f"{sheet.path} has a column for {assignment}.", hint="Leave --new-column out.")


def _factor(system: System, sheet: Sheet, ours: float, theirs: float | None, choices: Choices) -> float:
    """What is to be written for a point."""
    if choices.scale and (theirs is None or not ours):
        raise UsageError(f"{sheet.path} does not say how many points it counts.", hint="Leave --scale out.")
    if theirs is None or abs(theirs - ours) < 10**-DIGITS:
        return 1.0
    if choices.scale:
        return theirs / ours
    raise UsageError(
        f"{system.title} counts {theirs:g} points for it, and the assignment has {ours:g}.",
        hint=f"Set {ours:g} in {system.title} and download the file again; or --scale writes the same share of "
        f"{theirs:g}.",
    )


# ---- who a row is ------------------------------------------------------------------------------


def _matched(filling: Filling, grades: Sequence[GradeRow]) -> Any:
    """A row for each student of the file: `row` in it, `name` there, the `student` of ours by the first key that says
    one, `by` which column; who it could be, the `candidates`; and where that is not one alone, no student and a
    `doubt`."""
    import pandas

    rows = _students_of(filling)
    people = pandas.DataFrame([{name: getattr(each, name) for name in (LOGIN, EMAIL, ID)} for each in grades])
    pairs = pandas.concat(
        [
            _pairs(rows, at, people, ours).assign(by=key.column)
            for at, key in enumerate(filling.keys)
            for ours in key.ours
        ],
        ignore_index=True,
    ).drop_duplicates(["row", "student"])
    claims = pairs.groupby("row", sort=False).agg(candidates=("student", tuple), by=("by", "first")).reset_index()
    rows = rows.merge(claims, how="left", on="row").fillna({"by": ""})
    rows["candidates"] = [each if isinstance(each, tuple) else () for each in rows.candidates]
    rows["student"] = [each[0] if len(each) == 1 else "" for each in rows.candidates]
    rows["doubt"] = "could be "
    students = rows.candidates.explode().dropna()  # a row that says two students is one more row of each
    twice = rows.index.isin(students.index[students.duplicated(keep=False)]) & rows.student.ne("")
    rows.loc[twice, ["student", "doubt"]] = ["", "not the only row of "]
    return rows


def _students_of(filling: Filling) -> Any:
    """The students' rows of a file, with what each key says there, as `key0` and so on."""
    import pandas

    sheet, headings = filling.sheet, filling.sheet.values(0)
    names = [headings.index(name) for name in filling.system.names if name in headings]
    keys = [headings.index(key.column) for key in filling.keys]
    students = []
    for row in range(1, len(sheet.rows)):
        if not filling.system.is_student(sheet, row):
            continue
        values = sheet.values(row)
        if len(values) != len(headings):
            raise BadSource(
                f"{sheet.path}:{sheet.line(row)}: {len(values)} fields below {len(headings)} headings.",
                hint="Is it a name with a comma, and without quotes? Download the file again.",
            )
        claims = {f"key{at}": _identifier(values[column]) for at, column in enumerate(keys)}
        shown = " ".join(values[at] for at in names)
        students.append({"row": row, "name": shown, "identifiers": " ".join(values[at] for at in keys)} | claims)
    if not students:
        raise BadSource(f"{sheet.path} has no student in it.", hint="Download it again.")
    return pandas.DataFrame(students)


def _pairs(rows: Any, key: int, people: Any, ours: str) -> Any:
    """Each row with each student whom its key means."""
    theirs = rows[["row"]].assign(identifier=rows[f"key{key}"])
    mine = people[[LOGIN]].rename(columns={LOGIN: "student"}).assign(identifier=people[ours].map(_identifier))
    return theirs[theirs.identifier.ne("")].merge(mine, on="identifier")[["row", "student"]]


def _identifier(text: str) -> str:
    """As logins and addresses are compared: without regard to capitals, and to how an accent is written."""
    return unicodedata.normalize("NFC", text.strip()).casefold()


# ---- what is written ---------------------------------------------------------------------------


def _text(filling: Filling, values: dict[int, str], grades: Sequence[GradeRow]) -> str:
    if not filling.is_new:
        return filling.sheet.with_values({(row, filling.column): value for row, value in values.items()})
    beside = filling.system.new_values(filling.sheet, grades[0].max_score)
    return filling.sheet.with_column({0: filling.heading} | beside | values)


def _require_free(target: Path, source: Path, filling: Filling, *, in_place: bool) -> None:
    """That nothing is written over but what is to be: the file itself, or what was filled of it before."""
    if in_place or not target.exists():
        return
    if target.resolve() == source.resolve():
        raise UsageError(f"{target} is the file that was given.", hint="--in-place writes over it.")
    try:
        is_earlier = _without(read_sheet(target), filling.column) == _without(filling.sheet, filling.column)
    except BadSource:
        is_earlier = False
    if not is_earlier:
        raise UsageError(
            f"{target} is there, and is not this file with other grades in it.",
            hint="Name another with --output, or move it away.",
        )


def _without(sheet: Sheet, column: int) -> list[list[str]]:
    """All that a file says but for one column."""
    rows = [sheet.values(row) for row in range(len(sheet.rows))]
    return [values[:column] + values[column + 1 :] for values in rows]
