"""Tables of grades: what they show of a gradebook, that no spreadsheet runs a part of them, and reading them back."""

from __future__ import annotations

import csv
import io
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from gradebook_points import FULL, points
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event
from sqlalchemy.engine import Engine
from tiny import ASSIGNMENT, GRADED, submit

from tito.course.course import Assignment, Course
from tito.errors import BadSource, TitoError, UsageError
from tito.exports.tables import as_it_was, defused, grades_table, read_table, table_of, to_csv, write_table
from tito.gradebook.grades import AssignmentGrades, grades, read_grades, released_assignments
from tito.gradebook.records import CellMarks, NotebookMarks, RecordMarks, read_marks, read_record, write_record
from tito.gradebook.store import gradebook
from tito.models import (
    CellVerdict,
    CheckVerdict,
    Evidence,
    Fingerprint,
    GradeRow,
    NotebookVerdicts,
    ReleasedCell,
    Status,
    SubmissionRecord,
    Verdict,
)
from tito.policy.time_policy import TimePolicy

# ---- text that is no formula -------------------------------------------------------------------

STARTS = "=+-@\t\r\n＝＋－＠"
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=300)
FORMULAS = st.lists(st.sampled_from([*STARTS, "'", '"', ",", ";", "|", " ", "a", "ا"]), max_size=12).map("".join)


@given(TEXTS | FORMULAS)
def test_what_is_defused_is_read_back_and_begins_no_formula(text: str) -> None:
    safe = defused(text)
    assert as_it_was(safe) == text
    for separator in ";,\t\r\n|":
        for cell in safe.replace('"', separator).split(separator):
            assert not cell.lstrip(" \u00a0").startswith(tuple(STARTS)), (separator, cell)


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("=1+1", "'=1+1"), ("-Lovelace", "'-Lovelace"), ("'=1", "''=1"), ("'t Hooft", "'t Hooft"), ("a=b", "a=b"),
        ("x;=1", "x;'=1"), ("ada@example.edu", "ada@example.edu"), (" @x", "' @x"), ("Anne-Marie", "Anne-Marie"),
    ],
)  # fmt: skip
def test_only_what_could_be_a_formula_is_changed(text: str, safe: str) -> None:
    assert defused(text) == safe


# ---- written and read back ---------------------------------------------------------------------

POINTS = st.none() | st.floats(0, 100).map(lambda points: round(points, 4))


@st.composite
def cohorts(draw: st.DrawFn) -> list[AssignmentGrades]:
    """Grades of one or two assignments, of students whose names are any text."""
    names = draw(st.lists(TEXTS | FORMULAS, min_size=1, max_size=4, unique=True))
    cells = tuple(ReleasedCell("nb", name, name, 5.0) for name in draw(st.sets(FORMULAS.filter(bool), max_size=3)))
    return [_assignment(draw, f"0{number}_x", names, cells) for number in range(1, draw(st.integers(2, 3)))]


def _assignment(draw: st.DrawFn, name: str, names: list[str], cells: tuple[ReleasedCell, ...]) -> AssignmentGrades:
    rows, marks = [], {}
    for at, text in enumerate(names):
        student = f"s{at}{text}"
        points = draw(POINTS)
        status = draw(st.sampled_from(list(Status)))
        row = GradeRow(student, text, text[::-1], text, {cell.label: draw(POINTS) for cell in cells}, points, None,
                       points, 100.0, status)  # fmt: skip
        rows.append(row)
        checks = (CheckVerdict(text, 1.0, 2.0), CheckVerdict("other", 0.0, 3.0))
        verdicts = tuple(CellMarks(cell.name, Verdict.PASSED, Evidence.JUDGED, checks) for cell in cells)
        marks[student] = RecordMarks((NotebookMarks("nb", verdicts),))
    return AssignmentGrades(name, cells, rows, marks)


@given(cohorts(), st.sampled_from(["student", "cell", "check"]))
def test_a_table_is_read_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, cohort: list[AssignmentGrades], per: Any
) -> None:
    table = table_of(cohort, per)
    content = to_csv(table)
    path = tmp_path_factory.mktemp("table") / "grades.csv"
    path.write_bytes(content)
    pd.testing.assert_frame_equal(read_table(path), table, check_dtype=False, check_exact=False)
    for row in csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")):
        assert not any(cell.startswith(tuple(STARTS)) for cell in row)


@pytest.mark.parametrize(
    "name",
    ["Doe, Jane", "=1+1", "Łukasz Ñandú", "نور", "N" * 300, '"Q"', "NA", "null", "", "1e5", "007", "a\r\nb", " x "],
)
def test_names_survive(name: str, tmp_path: Path) -> None:
    row = GradeRow(f"id{name}", name, name, name, {}, None, None, None, 1.0, Status.MISSING)
    path = tmp_path / "t.csv"
    path.write_bytes(to_csv(table_of([AssignmentGrades("a", (), [row], {})], "student")))
    (back,) = read_table(path).to_dict("records")
    assert (back["student_id"], back["last_name"], back["first_name"], back["email"]) == (f"id{name}", name, name, name)


def test_missing_excused_ungraded_and_zero_are_four_things(tmp_path: Path) -> None:
    states = [Status.MISSING, Status.EXCUSED, Status.UNGRADED, Status.GRADED]
    rows = [
        GradeRow(state.value, "", "", "", {}, None, None, 0.0 if state is Status.GRADED else None, 1.0, state)
        for state in states
    ]
    path = tmp_path / "t.csv"
    path.write_bytes(to_csv(table_of([AssignmentGrades("a", (), rows, {})], "student")))
    lines = list(csv.DictReader(path.read_text("utf-8-sig").splitlines()))
    assert [(line["score"], line["status"]) for line in lines] == [
        ("", "missing"), ("", "excused"), ("", "ungraded"), ("0", "graded"),
    ]  # fmt: skip


def test_a_cell_of_the_name_of_a_column_has_one_of_its_own(tmp_path: Path) -> None:
    points = {"score": 1.0, "status": 2.0, "check": 3.0}
    row = GradeRow("ada", "", "", "", points, 6.0, 0.0, 6.0, 9.0, Status.GRADED)
    path = tmp_path / "t.csv"
    path.write_bytes(to_csv(table_of([AssignmentGrades("a", (), [row], {})], "student")))
    (back,) = read_table(path).to_dict("records")
    assert [back[f"cell {name}"] for name in points] == [1.0, 2.0, 3.0]
    assert (back["score"], back["status"]) == (6.0, "graded")


def test_a_folder_whose_name_is_no_utf_8_is_a_row_too(released: Course, module: Assignment) -> None:
    submit(released, os.fsdecode(b"ad\xff"), b"")
    path, _ = write_table(released, [module], "student")
    assert list(read_table(path)["student_id"]) == [r"ad\udcff"]


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    with pytest.raises(BadSource, match="cannot be read as a table"):
        read_table(path)
    path.write_bytes(b"")
    with pytest.raises(BadSource, match="cannot be read as a table"):
        read_table(path)


# ---- what a gradebook holds --------------------------------------------------------------------


def record(course: Course, student: str, *cells: CellVerdict, fault: str = "") -> SubmissionRecord:
    notebooks = (NotebookVerdicts("doubling", cells),)
    written = SubmissionRecord(student, ASSIGNMENT, Fingerprint("", "", ""), "none", "", notebooks, fault=fault)
    write_record(course, written)
    return written


def by_student(course: Course) -> dict[str, GradeRow]:
    return {row.student_id: row for row in grades(course, course.assignment("7"))}


def test_rows_are_what_nbgraders_api_says(released: Course) -> None:
    points(released, "ada", FULL, first_name="Ada", lms="101")
    points(released, "bob", {"test_double": 4.0, "test_halve": 0.0}, manual={"test_halve": 2.5}, extra={"essay": 0.5},
           waits=("essay",))  # fmt: skip
    points(released, "cy", dict.fromkeys(FULL, 0.0))
    with gradebook(released) as opened:
        opened.add_student("zoe")
        expected = {each.student_id: each.score for each in opened.assignment_submissions(ASSIGNMENT)}
        most = opened.find_assignment(ASSIGNMENT).max_score
    submit(released, "late-one", b"")
    rows = by_student(released)
    assert {student: row.raw_score for student, row in rows.items()} == {"zoe": None, "late-one": None, **expected}
    assert {row.max_score for row in rows.values()} == {most}
    assert {student: row.status for student, row in rows.items()} == {
        "ada": Status.GRADED, "bob": Status.NEEDS_MANUAL_GRADING, "cy": Status.GRADED, "late-one": Status.UNGRADED,
        "zoe": Status.MISSING,
    }  # fmt: skip
    assert list(rows["ada"].cells) == list(GRADED)
    assert (rows["ada"].lms_user_id, rows["cy"].score, rows["bob"].score) == ("101", 0.0, None)


def test_a_cohort_takes_as_many_queries_as_one_student(released: Course) -> None:
    def queries() -> int:
        asked: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            asked.append(statement)

        event.listen(Engine, "before_cursor_execute", note)
        try:
            by_student(released)
        finally:
            event.remove(Engine, "before_cursor_execute", note)
        return len(asked)

    points(released, "s0", FULL)
    alone = queries()
    for number in range(1, 12):
        points(released, f"s{number}", FULL)
    assert 0 < queries() == alone


def test_lateness_is_nbgraders_and_an_extension_moves_it(released: Course) -> None:
    due = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)
    with gradebook(released) as opened:
        opened.find_assignment(ASSIGNMENT).duedate = due
    points(released, "ada", FULL, timestamp=datetime(2026, 1, 1, 12))
    points(released, "bob", FULL, timestamp=datetime(2026, 1, 1, 12), extension=datetime(2026, 1, 3) - due)
    rows = by_student(released)
    assert {student: row.late_penalty for student, row in rows.items()} == {"ada": 1.0, "bob": 0.0}
    without = replace(released, policy=TimePolicy())
    points(without, "ada", FULL, timestamp=datetime(2026, 1, 1, 12), penalty=2.5)
    assert by_student(without)["ada"].late_penalty == 2.5


def test_cells_of_one_name_in_two_notebooks_both_count(released: Course, module: Assignment) -> None:
    with gradebook(released) as opened:
        opened.add_notebook("second", ASSIGNMENT)
        opened.add_grade_cell("test_double", "second", ASSIGNMENT, max_score=7, cell_type="code")
    points(released, "ada", {"test_double": 4.0})
    (row,) = grades(released, module)
    assert {label for label in row.cells if "test_double" in label} == {"doubling/test_double", "second/test_double"}
    assert (row.raw_score, row.max_score) == (8.0, 17.0)


def test_tables_per_cell_and_per_check_have_a_row_for_everybody(released: Course, module: Assignment) -> None:
    points(released, "ada", FULL | {"test_double": 3.0})
    with gradebook(released) as opened:
        opened.add_student("zoe")
    checks = (CheckVerdict("small", 1.0, 2.0), CheckVerdict("large", 2.0, 2.0))
    record(
        released,
        "ada",
        CellVerdict("test_double", Verdict.FAILED, 3.0, 4.0, Evidence.JUDGED, checks=checks),
        CellVerdict("test_halve", Verdict.PASSED, 3.0, 3.0, Evidence.IN_PROCESS),
    )
    cells = grades_table(released, "7", per="cell").set_index(["student_id", "cell"])
    assert list(cells.loc["ada"].index) == list(GRADED)
    assert cells.loc[("ada", "test_double"), ["points", "max_points", "verdict", "evidence"]].tolist() == [
        3.0, 4.0, "failed", "judged",
    ]  # fmt: skip
    assert cells.loc["zoe", "points"].isna().all()
    assert set(cells.loc["zoe", "status"]) == {"missing"}
    table = grades_table(released, "7", per="check")
    earned = table.set_index(["student_id", "check"])["points"]
    assert earned.loc["ada"].to_dict() == {"small": 1.0, "large": 2.0}
    assert list(earned.loc["zoe"].index) == ["small", "large"]
    assert earned.loc["zoe"].isna().all()
    assert set(table["max_points"]) == {2.0}
    row = grades_table(released, "7").set_index("student_id").loc["ada"]
    assert (row["raw_score"], row["points_forgeable"]) == (9.0, 3.0)


def test_a_course_is_named_by_a_folder_and_its_table_has_all_that_was_released(released: Course) -> None:
    points(released, "ada", FULL)
    table = grades_table(released.root / "source")
    assert list(table["assignment"]) == [ASSIGNMENT]
    assert [each.id for each in released_assignments(released)] == [ASSIGNMENT]
    with pytest.raises(UsageError, match=r"no table of grades per 'cells'.*Did you mean 'cell'"):
        grades_table(released.root, per="cells")  # type: ignore[arg-type]  # that is what is refused
    with pytest.raises(TitoError, match="No module or assignment 'nothing'"):
        grades_table(released.root, "nothing")


def test_of_nothing_a_table_is_empty(course: Course, tmp_path: Path) -> None:
    path, table = write_table(course, [], "student", tmp_path / "t.csv")
    assert len(table) == 0
    assert len(read_table(path)) == 0
    assert not course.gradebook_dir.joinpath("gradebook.db").exists()


def test_marks_of_a_record_are_what_the_whole_record_says(released: Course, module: Assignment) -> None:
    cells = [
        CellVerdict(
            "a", Verdict.PASSED, 2.0, 2.0, Evidence.REPORTED, "\udc80 lone", checks=(CheckVerdict("c", 1.0, 1.0),)
        ),
        CellVerdict("b", Verdict.PLATFORM, None, 2.0),
    ]
    for count, fault in ((1, ""), (2, ""), (1, "the judge failed")):
        written = record(released, "ada", *cells[:count], fault=fault)
        marks = read_marks(released, ASSIGNMENT, "ada")
        assert read_record(released, ASSIGNMENT, "ada") == written
        assert marks is not None
        assert (marks.platform_fault, marks.points_forgeable) == (written.platform_fault, written.points_forgeable)
        assert [
            (cell.grade_id, cell.verdict, cell.evidence, cell.checks) for each in marks.notebooks for cell in each.cells
        ] == [(cell.grade_id, cell.verdict, cell.evidence, cell.checks) for cell in written.cells]
    points(released, "ada", FULL)
    assert read_grades(released, module).rows[0].status is Status.PLATFORM_FAULT
