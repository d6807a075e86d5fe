"""A cohort of the tiny course from its submissions to grades and feedback."""

from __future__ import annotations

import io
import json
import multiprocessing
import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas
import pytest
from click.testing import CliRunner
from tiny import ASSIGNMENT, GRADED, HIDDEN_TEXT, MARK_SCHEME, page_text, script, solved, submit

from tito.cli import cli
from tito.course.course import Assignment, Course
from tito.course.submission_files import submitted_at
from tito.errors import GradebookUnavailable, UnknownAssignment, UsageError
from tito.exports.tables import write_table
from tito.feedback.pages import write_pages
from tito.grade.cohort import CohortResult, autograde
from tito.grade.workers import Task, grade_all
from tito.gradebook.grades import grades
from tito.gradebook.records import from_json, read_record, record_path, to_json
from tito.gradebook.store import gradebook
from tito.models import Fingerprint, Status, SubmissionRecord, Verdict
from tito.plan.planning import plan_assignment
from tito.sandbox.bubblewrap import Bubblewrap

pytestmark = pytest.mark.usefixtures("workers_ready")

TRIPLES = "def double(values):\n    return 3 * values"
CLIPS = "def double(values):\n    return np.clip(2 * values, -1000, 1000)"


def run(course: Course, **options: Any) -> CohortResult:
    return autograde(course, course.assignment("7"), Bubblewrap(), **options)


def points(record: SubmissionRecord) -> list[float | None]:
    return [cell.points for cell in record.cells]


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()
    }


def on_disk(course: Course, statement: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(course.gradebook_dir / "gradebook.db")) as opened:
        rows = opened.execute(statement).fetchall()
        opened.commit()
    return rows


def database(course: Course) -> list[tuple[Any, ...]]:
    return sorted(
        on_disk(course, "select id, cell_id, auto_score, manual_score, needs_manual_grade from grade"), key=str
    )


@pytest.fixture
def cohort(released: Course) -> Iterator[Course]:
    """Three students: one right, one wrong in what is seen, one wrong only in what is hidden."""
    submit(released, "ada", solved(released))
    submit(released, "bob", solved(released, double=TRIPLES))
    submit(released, "cy", solved(released, double=CLIPS, essay="Your answer:"))
    yield released


def test_workers_of_their_own_give_the_same_as_one_process(
    cohort: Course, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tito.grade.workers.multiprocessing", multiprocessing)  # started as they are for users
    spread = {record.student: points(record) for record in run(cohort, workers=2).records}
    request.getfixturevalue("in_process")
    assert {record.student: points(record) for record in run(cohort, force=True).records} == spread


@pytest.mark.usefixtures("in_process")
def test_a_cohort_is_graded_stored_and_left_as_it_was_submitted(cohort: Course) -> None:
    before = files_of(cohort.step("submitted"))
    seen: list[str] = []
    counts: list[int] = []
    result = run(cohort, started=counts.append, progress=lambda record: seen.append(record.student))
    assert counts == [3]
    assert sorted(seen) == ["ada", "bob", "cy"]
    assert {record.student: points(record) for record in result.records} == {
        "ada": [4.0, 3.0, None, None], "bob": [0.0, 3.0, None, None], "cy": [0.0, 3.0, None, None],
    }  # fmt: skip
    assert files_of(cohort.step("submitted")) == before
    for record in result.records:
        assert read_record(cohort, ASSIGNMENT, record.student) == record
        assert from_json(json.loads(json.dumps(to_json(record)))) == record
        assert cohort.step("autograded", record.student, ASSIGNMENT, "doubling.ipynb").is_file()
    assert not list(cohort.step("autograded").rglob(".new-*"))


@pytest.mark.usefixtures("in_process")
def test_what_cannot_be_read_has_no_score_until_a_person_has_looked(cohort: Course) -> None:
    """The answer's cell too: it is not taken for one without a response."""
    (cohort.step("submitted", "bob", ASSIGNMENT) / "doubling.ipynb").write_text('{"cells": [')
    records = {record.student: record for record in run(cohort).records}
    assert {cell.verdict for cell in records["bob"].cells} == {Verdict.MANUAL}
    rows = {row.student_id: row for row in grades(cohort, cohort.assignment("7"))}
    assert set(rows["bob"].cells.values()) == {None}
    assert (rows["bob"].status, rows["bob"].score) == (Status.NEEDS_MANUAL_GRADING, None)


class Deadly(type(Path())):  # type: ignore[misc]  # Path itself has no subclasses before 3.12
    """A folder that brings down whoever reads in it."""

    def __truediv__(self, name: object) -> Path:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError


class Slow(type(Path())):  # type: ignore[misc]
    """A folder that holds up whoever reads in it."""

    def __truediv__(self, name: object) -> Path:
        time.sleep(600)
        raise AssertionError


def test_a_worker_that_misses_its_deadline_is_ended_and_replaced(
    cohort: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tito.grade.workers.deadline_s", lambda plan: 4.0)
    plan = plan_assignment(cohort, cohort.assignment("7"))
    folders = {name: cohort.step("submitted", name, ASSIGNMENT) for name in ("ada", "bob")} | {"eve": Slow("/nowhere")}
    tasks = [Task(name, folder, Fingerprint("", "", "")) for name, folder in sorted(folders.items())]
    started = time.monotonic()
    graded = {task.student: graded.record for task, graded in grade_all(plan, Bubblewrap(), tasks, 1)}
    assert time.monotonic() - started < 120
    assert {cell.verdict for cell in graded["eve"].cells} == {Verdict.TIMEOUT}
    assert "missed its deadline" in graded["eve"].cells[0].message
    assert [graded[name].fault for name in ("ada", "bob")] == ["", ""]


def test_a_submission_that_brings_its_worker_down_costs_the_others_nothing(cohort: Course) -> None:
    plan = plan_assignment(cohort, cohort.assignment("7"))
    folders = {name: cohort.step("submitted", name, ASSIGNMENT) for name in ("ada", "bob")}
    folders |= {"eve": Deadly("/nowhere"), "zoe": folders["ada"]}
    tasks = [Task(name, folder, Fingerprint("", "", "")) for name, folder in sorted(folders.items())]
    graded = {task.student: result.record for task, result in grade_all(plan, Bubblewrap(), tasks, 2)}
    assert not graded["eve"].platform_fault
    assert {cell.points for cell in graded["eve"].cells} == {0.0}
    assert "twice, the process that graded it died" in graded["eve"].cells[0].message
    assert [graded[name].fault for name in ("ada", "bob", "zoe")] == ["", "", ""]
    assert points(graded["zoe"]) == points(graded["ada"])


def test_what_is_graded_already_is_not_graded_again_unless_it_changed_or_is_asked_for(cohort: Course) -> None:
    run(cohort)
    again = run(cohort)
    assert (len(again.graded), len(again.unchanged)) == (0, 3)
    submit(cohort, "bob", solved(cohort))
    changed = run(cohort)
    assert [record.student for record in changed.graded] == ["bob"]
    assert points(changed.graded[0])[0] == 4.0
    assert [record.student for record in run(cohort, only=("ada",), force=True).graded] == ["ada"]
    released_again = script(warmup='# %% tags=["warmup"]\nwarm = [identity(n) for n in range(4)]\n')
    cohort.step("source", f"{ASSIGNMENT}.py").write_text(released_again)
    assert len(run(cohort).graded) == 3


def test_a_run_that_was_stopped_goes_on_where_it_was(cohort: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tito.grade.workers.TOGETHER_S", 0)

    class Stopped(Exception):
        pass

    def stop(record: SubmissionRecord) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        run(cohort, workers=1, progress=stop)
    stored = len(list(record_path(cohort, ASSIGNMENT, "x").parent.glob("*.json")))
    assert 0 < stored < 3
    rest = run(cohort)
    assert (len(rest.graded), len(rest.unchanged)) == (3 - stored, stored)
    assert len(database(cohort)) == 3 * len(GRADED)
    assert len(run(cohort).unchanged) == 3


@pytest.mark.usefixtures("in_process")
def test_a_record_that_is_broken_or_lost_is_graded_again(cohort: Course) -> None:
    run(cohort)
    record_path(cohort, ASSIGNMENT, "ada").write_text('{"student": "ada"')
    record_path(cohort, ASSIGNMENT, "bob").unlink()
    assert sorted(record.student for record in run(cohort).graded) == ["ada", "bob"]


@pytest.mark.usefixtures("in_process")
def test_corrupt_submissions_do_not_stop_the_cohort(released: Course) -> None:
    submit(released, "ada", solved(released))
    submit(released, "b-empty", b"")
    submit(released, "b-deep", b"[" * 100_000)
    released.step("submitted", "b-missing", ASSIGNMENT).mkdir(parents=True)
    for name in ("b-link", "b-fifo"):
        path = submit(released, name, b"") / "doubling.ipynb"
        path.unlink()
        path.symlink_to("/etc/passwd") if name == "b-link" else os.mkfifo(path)
    records = {record.student: record for record in run(released).records}
    assert set(records) == set(released.submissions(ASSIGNMENT))
    assert points(records.pop("ada"))[:2] == [4.0, 3.0]
    for student, record in records.items():
        waits = student in ("b-empty", "b-deep")  # there is something that we cannot read: a person may
        due = (Verdict.MANUAL, None) if waits else (Verdict.NOT_RUN, 0.0)
        assert {(cell.verdict, cell.points) for cell in record.cells} == {due}, student
        assert not record.platform_fault
        assert released.step("autograded", student, ASSIGNMENT, "doubling.ipynb").is_file() == (student != "b-missing")
    assert len(write_pages(released, released.assignment("7")).pages) == 5


def surrogates(course: Course) -> Any:
    notebook = solved(course, double="print(chr(0xDC80))\ndef double(values):\n    raise ValueError(chr(0xD800))")
    notebook.cells[0].source = "lone \udc80 surrogate"
    return notebook


ODD: dict[str, Any] = {
    "a folder instead of a notebook": None,
    "lone surrogates": surrogates,
    "the same argument twice": lambda course: solved(course, double="def double(a, a): pass"),
    "a long sum": lambda course: solved(course, double="x = " + "+".join(["1"] * 20_000)),
}


@pytest.mark.usefixtures("in_process")
@pytest.mark.parametrize("make", ODD.values(), ids=ODD)
def test_an_odd_submission_is_the_students_and_the_next_one_is_graded(make: Any, released: Course) -> None:
    folder = submit(released, "b-odd", make(released) if make else b"")
    if make is None:
        (folder / "doubling.ipynb").unlink()
        (folder / "doubling.ipynb").mkdir()
    submit(released, "zoe", solved(released))
    odd, fine = run(released).records
    assert points(fine)[:2] == [4.0, 3.0]
    assert not odd.platform_fault, odd.fault
    assert points(odd)[0] == 0.0
    assert len(write_pages(released, released.assignment("7")).pages) == 2


def test_strange_folders_are_no_submissions(released: Course) -> None:
    root = released.step("submitted")
    submit(released, "ada", b"")
    (root / "README.md").write_text("x")
    (root / ".hidden" / ASSIGNMENT).mkdir(parents=True)
    (root / "other" / "08_else").mkdir(parents=True)
    (root / "linked").mkdir()
    (root / "linked" / ASSIGNMENT).symlink_to(root / "ada" / ASSIGNMENT)
    assert list(released.submissions(ASSIGNMENT)) == ["ada"]


@pytest.mark.usefixtures("in_process")
def test_a_sandbox_that_stops_working_writes_no_number(cohort: Course) -> None:
    chosen = Bubblewrap()
    bwrap = cohort.root / "bwrap"
    bwrap.write_text("#!/bin/sh\necho 'no namespaces here' >&2\nexit 1\n")
    bwrap.chmod(0o755)
    chosen.bwrap = str(bwrap)
    (record,) = autograde(cohort, cohort.assignment("7"), chosen, only=("ada",)).graded
    assert record.platform_fault
    assert "no namespaces here" in record.fault
    assert {(cell.verdict, cell.points) for cell in record.cells} == {(Verdict.PLATFORM, None)}
    assert all(row[2] is None for row in database(cohort))
    rows = {row.student_id: row for row in grades(cohort, cohort.assignment("7"))}
    assert (rows["ada"].status, rows["ada"].score) == (Status.PLATFORM_FAULT, None)
    assert [points(record)[0] for record in run(cohort, only=("ada",)).graded] == [4.0]


@pytest.mark.usefixtures("in_process")
def test_a_student_who_has_submitted_nothing_is_named(cohort: Course) -> None:
    with pytest.raises(UsageError, match="zoe"):
        run(cohort, only=("zoe",))


@pytest.mark.usefixtures("in_process")
def test_an_assignment_that_was_never_released_is_refused(course: Course) -> None:
    with pytest.raises(UnknownAssignment, match="not been released"):
        run(course)


# ---- the gradebook -----------------------------------------------------------------------------


@pytest.mark.usefixtures("in_process")
def test_a_failing_write_leaves_no_half(cohort: Course) -> None:
    run(cohort)
    before = database(cohort)
    submit(cohort, "dan", solved(cohort))
    on_disk(
        cohort,
        "create trigger full before insert on grade begin select raise(abort, 'disk is full'); end",
    )
    with pytest.raises(GradebookUnavailable, match="disk is full"):
        run(cohort)
    assert database(cohort) == before
    assert read_record(cohort, ASSIGNMENT, "dan") is None
    with gradebook(cohort) as opened:
        assert "dan" not in [student.id for student in opened.students]
    on_disk(cohort, "drop trigger full")
    assert [record.student for record in run(cohort).graded] == ["dan"]
    assert len(database(cohort)) == len(before) + len(GRADED)


def test_an_error_inside_a_transaction_undoes_all_of_it(released: Course) -> None:
    class Stop(Exception):
        pass

    with pytest.raises(Stop), gradebook(released) as opened:
        opened.update_or_create_student("half", first_name="H")
        raise Stop
    with gradebook(released) as opened:
        assert [student.id for student in opened.students] == []


@pytest.mark.usefixtures("in_process")
def test_scores_given_by_hand_stay_when_a_submission_is_graded_again(cohort: Course) -> None:
    run(cohort)
    with gradebook(cohort) as opened:
        for name, score in (("task_why", 1.5), ("essay", 1.0), ("test_double", 2.0)):
            grade = opened.find_grade(name, "doubling", ASSIGNMENT, "bob")
            grade.manual_score, grade.needs_manual_grade = score, False
    run(cohort, force=True)
    with gradebook(cohort) as opened:
        scores = {grade.name: (grade.auto_score, grade.manual_score) for grade in
                 opened.find_submission_notebook("doubling", ASSIGNMENT, "bob").grades}  # fmt: skip
    assert scores["task_why"] == (None, 1.5)
    assert scores["test_double"] == (0.0, 2.0)
    row = next(row for row in grades(cohort, cohort.assignment("7")) if row.student_id == "bob")
    assert (row.cells["test_double"], row.cells["task_why"], row.raw_score) == (2.0, 1.5, 7.5)


# ---- grades as CSV -----------------------------------------------------------------------------


def by_hand(course: Course, student: str) -> None:
    with gradebook(course) as opened:
        for name in ("task_why", "essay"):
            grade = opened.find_grade(name, "doubling", ASSIGNMENT, student)
            grade.manual_score, grade.needs_manual_grade = 1.0, False


@pytest.mark.usefixtures("in_process")
def test_the_csv_tells_missing_ungraded_manual_and_graded_apart(cohort: Course, module: Assignment) -> None:
    run(cohort)
    by_hand(cohort, "ada")
    submit(cohort, "late-one", solved(cohort))
    with gradebook(cohort) as opened:
        opened.update_or_create_student("zoe", first_name='Zoë "Z"', last_name="=1+1", email="zoe@example.edu")
        opened.update_or_create_student("ada", first_name="Ada, Countess", last_name="-Lovelace\nof London")
    path, rows = write_table(cohort, [module], "student")
    data = path.read_bytes()
    assert b"\n" not in data.replace(b"\r\n", b"").replace(b"-Lovelace\nof London", b"")
    table = pandas.read_csv(io.BytesIO(data), dtype={"student_id": str}).set_index("student_id")
    assert list(table.columns) == [
        "assignment", "last_name", "first_name", "email", *GRADED, "raw_score", "late_penalty", "score", "max_score",
        "late_tokens", "points_forgeable", "status",
    ]  # fmt: skip
    assert dict(table["status"]) == {
        "ada": "graded", "bob": "needs manual grading", "cy": "needs manual grading", "late-one": "ungraded",
        "zoe": "missing",
    }  # fmt: skip
    assert table.loc["ada", "score"] == table.loc["ada", "raw_score"] == 9.0
    assert table.loc["ada", "first_name"] == "Ada, Countess"
    assert table.loc["ada", "last_name"] == "'-Lovelace\nof London"
    assert table.loc["zoe", "last_name"] == "'=1+1"
    assert table.loc["zoe", "first_name"] == 'Zoë "Z"'
    assert table.loc[["late-one", "zoe"], [*GRADED, "raw_score", "score"]].isna().all(axis=None)
    assert table.loc["bob", "raw_score"] == 3.0
    assert pandas.isna(table.loc["bob", "score"])
    assert set(rows["student_id"]) == set(table.index)
    assert dict(table["points_forgeable"].dropna()) == {"ada": 0.0, "bob": 0.0, "cy": 0.0}


@pytest.mark.usefixtures("in_process")
def test_a_late_submission_loses_points_when_grades_are_read_and_not_before(cohort: Course, module: Assignment) -> None:
    (cohort.step("submitted", "ada", ASSIGNMENT) / "timestamp.txt").write_text("2026-01-03 12:00:00 UTC")
    with gradebook(cohort) as opened:
        opened.find_assignment(ASSIGNMENT).duedate = datetime(2026, 1, 2, 0, 0)
    run(cohort, only=("ada",))
    by_hand(cohort, "ada")
    row = next(row for row in grades(cohort, module) if row.student_id == "ada")
    assert (row.raw_score, row.late_penalty, row.score) == (9.0, 2.0, 7.0)
    with gradebook(cohort) as opened:
        opened.find_assignment(ASSIGNMENT).duedate = datetime(2026, 1, 4, 0, 0)
    row = next(row for row in grades(cohort, module) if row.student_id == "ada")
    assert (row.late_penalty, row.score) == (0.0, 9.0)


@pytest.mark.usefixtures("in_process")
def test_the_same_handed_in_again_later_is_as_late_as_that(cohort: Course, module: Assignment) -> None:
    with gradebook(cohort) as opened:
        opened.find_assignment(ASSIGNMENT).duedate = datetime(2026, 1, 2, 0, 0)
    timestamp = cohort.step("submitted", "ada", ASSIGNMENT) / "timestamp.txt"
    lost = {}
    for day in (1, 3, 4):
        timestamp.write_text(f"2026-01-0{day} 00:00:00 UTC")
        result = run(cohort, only=("ada",))
        with gradebook(cohort) as opened:
            submission = opened.find_submission(ASSIGNMENT, "ada")
            assert submission.timestamp == datetime(2026, 1, day)
            lost[day] = submission.late_submission_penalty
    assert not result.graded  # it is what was graded before
    assert lost == {1: 0.0, 3: 1.0, 4: 2.0}


@pytest.mark.parametrize("content", [b"", b"yesterday", b"\xff\xfe", b"9" * 100, b"2026-13-45"], ids=repr)
def test_a_timestamp_that_is_none_is_no_matter(content: bytes, released: Course) -> None:
    folder = submit(released, "ada", b"")
    (folder / "timestamp.txt").write_bytes(content)
    assert submitted_at(folder) is None


def test_a_timestamp_that_is_a_fifo_is_not_waited_for(released: Course) -> None:
    def give_up(*_: object) -> None:
        raise AssertionError("waited for a fifo")

    folder = submit(released, "ada", b"")
    os.mkfifo(folder / "timestamp.txt")
    previous = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(1)
    try:
        assert submitted_at(folder) is None
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)


# ---- feedback ----------------------------------------------------------------------------------


@pytest.mark.usefixtures("in_process")
def test_feedback_says_why_and_never_shows_what_is_hidden(cohort: Course, module: Assignment) -> None:
    run(cohort)
    pages = {path.parts[-3]: path.read_text() for path in write_pages(cohort, module).pages}
    for page in pages.values():
        assert "<script src" not in page  # nothing comes from elsewhere: MathJax would
    assert set(pages) == {"ada", "bob", "cy"}
    text = {student: page_text(html) for student, html in pages.items()}
    assert "double([1, 2]) must be [2, 4], got [3.0, 6.0]" in text["bob"]
    assert "large and negative numbers must be doubled too" in text["cy"]
    assert "FAILED" not in text["ada"]
    for student, html in pages.items():
        for secret in (*HIDDEN_TEXT, MARK_SCHEME, "BEGIN HIDDEN", "MARK SCHEME"):
            assert secret not in html, (student, secret)
            assert secret not in text[student], (student, secret)


PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@pytest.mark.usefixtures("in_process")
def test_what_a_warm_up_showed_stands_there_for_who_reads_the_answer_marked_as_the_students(
    released: Course, module: Assignment
) -> None:
    notebook = solved(released, essay="As my figure shows, the exponent grows.")
    warmup, setup = notebook.cells[2], notebook.cells[1]
    assert "warm" in warmup.source and "import numpy" in setup.source
    figure = {"output_type": "display_data", "data": {"image/png": PIXEL}, "metadata": {"onclick": "attack"}}
    widget = {"output_type": "display_data", "data": {"application/javascript": "attack()"}, "metadata": {}}
    error = {"output_type": "error", "ename": "\x1b[2Jattack", "evalue": "no", "traceback": 7}
    warmup.outputs = [widget, figure, error, "attack"]
    setup.outputs = [{"output_type": "stream", "name": "stdout", "text": "attack: what is run shows its own"}]
    submit(released, "ada", notebook)
    run(released)
    graded = json.loads((released.step("autograded", "ada", ASSIGNMENT) / "doubling.ipynb").read_text())
    mark, picture, raised = graded["cells"][2]["outputs"]
    assert "as the student handed it in" in mark["text"]
    assert (picture["data"], picture["metadata"]) == ({"image/png": PIXEL}, {})
    assert raised == {"output_type": "error", "ename": "attack", "evalue": "no", "traceback": []}
    assert "what is run" not in json.dumps(graded)
    (page,) = write_pages(released, module).pages
    html = page.read_text()
    assert PIXEL in html and "Shown when it was handed in; not run again" in html
    assert "as the student handed it in" not in html


@pytest.mark.usefixtures("in_process")
def test_a_copy_that_is_graded_is_named_wherever_somebody_looks(released: Course, module: Assignment) -> None:
    stub = json.loads((released.step("release", ASSIGNMENT) / "doubling.ipynb").read_text())
    for student, doubles in {"ada": (None,), "bob": (None, TRIPLES)}.items():
        folder = submit(released, student, stub)
        for number, double in enumerate(doubles, 1):
            work = solved(released, double=double) if double else solved(released)
            (folder / f"doubling-Copy{number}.ipynb").write_text(json.dumps(work))
    before = files_of(released.step("submitted"))
    ada, bob = run(released).records
    assert files_of(released.step("submitted")) == before
    assert points(ada)[:2] == [4.0, 3.0]
    assert points(bob) == [None] * len(GRADED)
    assert not bob.platform_fault
    assert {cell.verdict for cell in bob.cells} == {Verdict.MANUAL}
    rows = {row.student_id: row for row in grades(released, module)}
    assert (rows["bob"].status, rows["bob"].score) == (Status.NEEDS_MANUAL_GRADING, None)
    shown = CliRunner().invoke(cli, ["--course", str(released.root), "status", "7"]).output
    pages = {path.parts[-3]: page_text(path.read_text()) for path in write_pages(released, module).pages}
    reasons = {
        "ada": "graded was doubling-Copy1.ipynb: doubling.ipynb is as it was released",
        "bob": "doubling-Copy1.ipynb and doubling-Copy2.ipynb hold different work: a person decides which counts",
    }
    for student, record in (("ada", ada), ("bob", bob)):
        assert reasons[student] in record.notebooks[0].notes[0]
        assert reasons[student] in pages[student]
        assert reasons[student] in " ".join(shown.split())
    assert [record.student for record in run(released).unchanged] == ["ada", "bob"]


@pytest.mark.usefixtures("in_process")
def test_feedback_before_autograding_is_refused_with_what_to_do(cohort: Course, module: Assignment) -> None:
    with pytest.raises(UsageError) as caught:
        write_pages(cohort, module)
    assert "tito autograde" in caught.value.hint
    run(cohort, only=("ada",))
    with pytest.raises(UsageError, match="bob"):
        write_pages(cohort, module, ("bob",))
