"""Regrades of the tiny course: what would change is told first, hand-given points stay, and all can be undone."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from command_line import Tito, command_line
from tiny import ASSIGNMENT, CELLS, meta, script, solved, submit

from tito.course.course import Course
from tito.gradebook.grades import grades
from tito.gradebook.history import read_history
from tito.gradebook.records import read_record
from tito.gradebook.store import gradebook
from tito.models import Status

pytestmark = pytest.mark.usefixtures("in_process")

CLIPS = "def double(values):\n    return np.clip(2 * values, -1000, 1000)"
TRIPLES = "def double(values):\n    return 3 * values"
KINDER = CELLS["test_double"].replace("far_away = 1e6 *", "far_away = 10 *")
STRICTER = CELLS["test_halve"].replace(
    "assert halve(-919.5) == -459.75", "assert halve(-919.5) == -459.75 and halve(0) == 1"
)


@pytest.fixture
def tito_in(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tito:
    return command_line(monkeypatch, capsys)


@pytest.fixture
def graded(released: Course, tito_in: Tito) -> Course:
    """Ada is right, Bob wrong in what is seen, Cy only in what is hidden; all were graded, and Cy's words by hand."""
    submit(released, "ada", solved(released))
    submit(released, "bob", solved(released, double=TRIPLES))
    submit(released, "cy", solved(released, double=CLIPS, essay="Because of the exponent."))
    assert tito_in(released.root, "autograde", "7").code == 0
    by_hand(released, "cy", essay=0.5, task_why=1.0)
    return released


def by_hand(course: Course, student: str, **points: float) -> None:
    with gradebook(course) as opened:
        for name, score in points.items():
            grade = opened.find_grade(name, "doubling", ASSIGNMENT, student)
            grade.manual_score, grade.needs_manual_grade = score, False


def with_tests(course: Course, **cells: str) -> None:
    """Change the module's tests where it is written, without a release."""
    (course.root / "source" / f"{ASSIGNMENT}.py").write_text(script(**cells))


def row(course: Course, student: str) -> Any:
    return next(row for row in grades(course, course.assignment("7")) if row.student_id == student)


def stored(course: Course) -> dict[str, bytes]:
    folders = (course.gradebook_dir / "verdicts", course.step("autograded"))
    return {str(path): path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()}


def test_who_gains_is_told_before_anything_is_written(graded: Course, tito_in: Tito) -> None:
    before = stored(graded)
    with_tests(graded, test_double=KINDER)
    done = tito_in(graded.root, "regrade", "7", "--dry-run")
    assert done.code == 0, done.err
    assert "3 graded again: 1 gain 4 points, 0 lose 0, 2 keep theirs." in done.err
    line = next(line for line in done.out.splitlines() if line.startswith("cy"))
    assert "test_double" in line and "0 (failed)" in line and "4 (passed)" in line and "+4" in line
    assert not [line for line in done.out.splitlines() if line.startswith(("ada", "bob"))]
    assert stored(graded) == before
    assert row(graded, "cy").cells["test_double"] == 0.0


def test_a_regrade_is_written_and_hand_graded_work_stays_final(graded: Course, tito_in: Tito) -> None:
    assert row(graded, "cy").status is Status.GRADED
    with_tests(graded, test_double=KINDER)
    done = tito_in(graded.root, "regrade", "7", "--yes", "--why", "far too far away")
    assert done.code == 0, done.err
    after = row(graded, "cy")
    assert (after.status, after.cells) == (
        Status.GRADED, {"test_double": 4.0, "test_halve": 3.0, "task_why": 1.0, "essay": 0.5},
    )  # fmt: skip
    last = [entry for entry in read_history(graded, ASSIGNMENT) if entry.student == "cy"][-1]
    assert last.why == "regrade: far too far away"
    assert [(change.grade_id, change.before.points, change.after.points) for change in last.changes] == [
        ("test_double", 0.0, 4.0)
    ]
    assert "0 gain 0 points" in tito_in(graded.root, "regrade", "7", "--yes").err


def test_points_fall_only_where_that_is_asked_for(graded: Course, tito_in: Tito) -> None:
    with_tests(graded, test_halve=STRICTER)
    done = tito_in(graded.root, "regrade", "7", "--yes")
    assert "9 points of 3 cells would fall, and stay" in done.err
    assert row(graded, "ada").cells["test_halve"] == 3.0
    assert "0 graded, 3 unchanged" in tito_in(graded.root, "autograde", "7").err
    assert row(graded, "ada").cells["test_halve"] == 3.0
    assert "FAILED" not in graded.step("autograded", "ada", ASSIGNMENT, "doubling.ipynb").read_text()
    lowered = tito_in(graded.root, "regrade", "7", "--yes", "--allow-lower", "--student", "ada")
    assert "1 lose 3" in lowered.err
    assert row(graded, "ada").cells["test_halve"] == 0.0
    assert "FAILED" in graded.step("autograded", "ada", ASSIGNMENT, "doubling.ipynb").read_text()
    assert row(graded, "bob").cells["test_halve"] == 3.0


def test_one_cell_alone_is_regraded(graded: Course, tito_in: Tito) -> None:
    with_tests(graded, test_double=KINDER, test_halve=STRICTER)
    done = tito_in(graded.root, "regrade", "7", "--yes", "--allow-lower", "--cell", "test_double")
    assert done.code == 0, done.err
    assert row(graded, "cy").cells["test_double"] == 4.0
    assert row(graded, "cy").cells["test_halve"] == 3.0


def test_points_given_by_hand_to_a_test_stay_and_count(graded: Course, tito_in: Tito) -> None:
    by_hand(graded, "bob", test_double=2.0)
    with_tests(
        graded, test_double=CELLS["test_double"].replace("[2.0, 4.0]", "[3.0, 6.0]"), test_halve=CELLS["test_halve"]
    )
    done = tito_in(graded.root, "regrade", "7", "--allow-lower", "--dry-run", "--student", "ada", "--student", "bob")
    assert done.code == 0, done.err
    assert "1 lose 4" in done.err


def test_a_regrade_can_be_undone(graded: Course, tito_in: Tito) -> None:
    before = stored(graded)
    with_tests(graded, test_double=KINDER)
    assert tito_in(graded.root, "regrade", "7", "--yes").code == 0
    assert stored(graded) != before
    done = tito_in(graded.root, "regrade", "7", "--undo")
    assert "Put back: 3 submissions" in done.err
    assert stored(graded) == before
    assert row(graded, "cy").cells["test_double"] == 0.0
    assert row(graded, "cy").status is Status.GRADED
    again = tito_in(graded.root, "regrade", "7", "--undo")
    assert (again.code, "No regrade" in again.err) == (2, True)


def test_what_was_graded_since_is_not_undone(graded: Course, tito_in: Tito) -> None:
    with_tests(graded, test_double=KINDER)
    tito_in(graded.root, "regrade", "7", "--yes")
    submit(graded, "cy", solved(graded))
    tito_in(graded.root, "autograde", "7")
    done = tito_in(graded.root, "regrade", "7", "--undo")
    assert "Left as they are, since they were graded after that: cy." in done.err
    assert row(graded, "cy").cells["test_double"] == 4.0


def test_who_has_handed_in_anew_is_left_to_autograde(graded: Course, tito_in: Tito) -> None:
    submit(graded, "bob", solved(graded))
    done = tito_in(graded.root, "regrade", "7", "--yes")
    assert "2 graded again" in done.err
    assert "handed in anew: bob" in done.err
    record = read_record(graded, ASSIGNMENT, "bob")
    assert record is not None and not record.cells[0].earned


def test_words_that_were_graded_by_hand_stay_final_in_another_submission(graded: Course, tito_in: Tito) -> None:
    """Where the words are the same; a test's own score is to be looked at again, and so are other words."""
    by_hand(graded, "cy", test_double=1.0)
    submit(graded, "cy", solved(graded, essay="Because of the exponent."))
    tito_in(graded.root, "autograde", "7")
    assert needs_a_person(graded, "cy") == {"test_double", "task_why"}
    submit(graded, "cy", solved(graded, essay="For another reason."))
    tito_in(graded.root, "autograde", "7")
    assert needs_a_person(graded, "cy") == {"test_double", "task_why", "essay"}


def needs_a_person(course: Course, student: str) -> set[str]:
    with gradebook(course) as opened:
        book = opened.find_submission_notebook("doubling", ASSIGNMENT, student)
        return {grade.name for grade in book.grades if grade.needs_manual_grade}


def test_the_log_says_what_became_of_a_student_and_of_a_cell(graded: Course, tito_in: Tito) -> None:
    with_tests(graded, test_double=KINDER)
    tito_in(graded.root, "regrade", "7", "--yes", "--why", "too far away")
    entries = json.loads(tito_in(graded.root, "log", "cy", "--json").out)
    assert [entry["why"] for entry in entries] == ["graded", "regrade: too far away"]
    assert entries[1]["changes"][0]["after"] == {"verdict": "passed", "points": 4.0, "message": ""}
    table = tito_in(graded.root, "log", "--cell", "test_double").out
    assert len([line for line in table.splitlines() if "test_double" in line]) == 4
    wrong = tito_in(graded.root, "log", "cyy")
    assert (wrong.code, "Did you mean 'cy'?" in wrong.err) == (2, True)


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (("--student", "zoe"), "zoe has not been graded"),
        (("--cell", "test_doubl"), "Did you mean 'test_double'?"),
        (("--dry-run", "--yes"), "contradict"),
        (("--undo", "--cell", "test_double"), "Leave the other options out."),
    ],
)
def test_what_is_wrong_is_one_line(options: tuple[str, ...], part: str, graded: Course, tito_in: Tito) -> None:
    done = tito_in(graded.root, "regrade", "7", *options)
    assert (done.code, part in done.err) == (2, True)


@pytest.mark.parametrize(("answer", "code"), [("n\n", 0), ("", 130)])
def test_nothing_is_written_without_a_yes(
    answer: str, code: int, graded: Course, tito_in: Tito, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stored(graded)
    with_tests(graded, test_double=KINDER)
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    assert tito_in(graded.root, "regrade", "7").code == code
    assert stored(graded) == before


def test_an_assignment_that_is_changed_after_it_was_graded(graded: Course, tito_in: Tito) -> None:
    """Other points for one cell, a cell more, and a cell less: all of it is told, and stored when that is asked for."""
    extra = f"# %% {meta('test_zero', grade=True, locked=True, points=1)}\nassert halve(0) == 0\n"
    worth_more = CELLS["test_double"].replace('"points": 4', '"points": 5')
    with_tests(graded, test_double=worth_more, test_halve=None, test_zero=extra)
    assert tito_in(graded.root, "release", "7", "--no-exchange").code == 0
    submit(graded, "late-one", solved(graded))
    done = tito_in(graded.root, "regrade", "7", "--yes")
    assert done.code == 0, done.err
    assert "3 graded again: 0 gain 0 points, 3 lose 5, 0 keep theirs." in done.err
    assert next(line for line in done.out.splitlines() if "test_halve" in line).split()[4:7] == ["no", "cell", "any"]
    assert row(graded, "ada").cells == {"test_double": 5.0, "test_zero": 1.0, "task_why": None, "essay": None}
    assert row(graded, "cy").cells == {"test_double": 0.0, "test_zero": 1.0, "task_why": 1.0, "essay": 0.5}
    assert row(graded, "cy").status is Status.GRADED
    assert tito_in(graded.root, "autograde", "7").code == 0
    assert row(graded, "late-one").cells["test_zero"] == 1.0


def test_a_cell_that_a_person_gave_points_for_is_not_taken_away(graded: Course, tito_in: Tito) -> None:
    before = stored(graded)
    with_tests(graded, essay=None)
    done = tito_in(graded.root, "release", "7", "--no-exchange")
    assert done.code == 2
    assert (
        "the cell 'essay' is gone, and 1 students have points or a comment for it that a person gave: cy." in done.err
    )
    assert stored(graded) == before
    assert row(graded, "cy").cells["essay"] == 0.5


def test_an_answer_that_counts_no_more_keeps_one_comment(graded: Course, tito_in: Tito) -> None:
    """It is still what students write; nbgrader's own release finds the same cells then."""
    with gradebook(graded) as opened:
        grade = opened.find_grade("essay", "doubling", ASSIGNMENT, "cy")
        grade.manual_score, grade.needs_manual_grade = None, True
    code = "### BEGIN SOLUTION\nwhy = 'the exponent'\n### END SOLUTION\n"
    with_tests(graded, essay=f"# %% {meta('essay', solution=True)}\n{code}")
    assert tito_in(graded.root, "release", "7", "--no-exchange").code == 0
    with gradebook(graded) as opened:
        book = opened.find_submission_notebook("doubling", ASSIGNMENT, "cy")
        assert [comment.name for comment in book.comments].count("essay") == 1
        assert "essay" not in [grade.name for grade in book.grades]
    assert tito_in(graded.root, "release", "7", "--no-exchange").code == 0
