"""Pages of a cohort: which are made, where they lie, and what is made of them when something changes."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from command_line import Tito, command_line
from feedback_support import NOTEBOOK, failed, grade
from nbformat.v4 import new_code_cell, new_output
from tiny import ASSIGNMENT, HIDDEN_TEXT, MARK_SCHEME, page_text

import tito.feedback.pages
from tito.course.course import Assignment, Course, load_course
from tito.exchange.protocol.records import Submission
from tito.exports.tables import write_table
from tito.feedback.pages import FeedbackRun, Order, StudentPages, write_pages
from tito.gradebook.grades import grades
from tito.gradebook.store import gradebook
from tito.models import CellVerdict, Verdict

pytestmark = pytest.mark.usefixtures("workers_ready")

LATE = datetime(2026, 11, 30, 12)
LEAK = [new_output("stream", name="stdout", text="assert halve(-919.5) == -459.75")]


@pytest.fixture
def tito_in(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tito:
    return command_line(monkeypatch, capsys)


@pytest.fixture
def graded(released: Course) -> Course:
    """Three students: one right, one with a test that failed, one whose answers wait for a person."""
    grade(released, "ada", first_name="Ada")
    grade(released, "bob", failed("test_double", 4.0, "all wrong"))
    grade(released, "cy", CellVerdict("essay", Verdict.MANUAL, None, 1.0), waits=("essay",))
    return released


def page(course: Course, student: str) -> Path:
    return course.step("feedback", student, ASSIGNMENT) / f"{NOTEBOOK}.html"


def text_of(course: Course, student: str) -> str:
    return page_text(page(course, student).read_text(encoding="utf-8"))


def newly_written(run: FeedbackRun) -> list[str]:
    return sorted(path.parts[-3] for path in run.written)


def test_pages_lie_where_nbgrader_and_the_exchange_look_for_them(graded: Course, module: Assignment) -> None:
    counts: list[int] = []
    seen_students: list[str] = []
    run = write_pages(graded, module, started=counts.append, progress=lambda pages: seen_students.append(pages.student))
    assert newly_written(run) == ["ada", "bob", "cy"] == sorted(seen_students)
    assert counts == [3]
    assert run.unfinished == {"cy": "needs manual grading"}
    assert (page(graded, "ada").parent / "timestamp.txt").read_text().startswith("2026-11-28")
    assert {path.name for path in page(graded, "ada").parent.iterdir()} == {f"{NOTEBOOK}.html", "timestamp.txt"}
    for student in ("ada", "bob", "cy"):
        for secret in (*HIDDEN_TEXT, MARK_SCHEME):
            assert secret not in text_of(graded, student)


def test_points_are_those_of_the_grades_table(graded: Course, module: Assignment) -> None:
    course_file = graded.root / "course.toml"
    course_file.write_text(f"{course_file.read_text()}\n[deadlines]\n{ASSIGNMENT} = 2026-11-28T12:00:00Z\n")
    grade(graded, "bob", failed("test_double", 4.0, "all wrong"), manual={"essay": 0.5}, extra={"task_why": 2.0})
    with gradebook(graded) as opened:
        opened.find_submission(ASSIGNMENT, "bob").timestamp = LATE
        opened.find_assignment(ASSIGNMENT).duedate = datetime(2026, 11, 28, 12)
        opened.db.commit()
    course = load_course(graded.root)
    write_pages(course, module)
    rows = {row.student_id: row for row in grades(course, module)}
    assert rows["bob"].late_penalty
    text = text_of(course, "bob")
    assert f"{rows['bob'].score:g} of {rows['bob'].max_score:g} points" in text
    assert f"{rows['bob'].late_penalty:g} points, of {rows['bob'].raw_score:g} before that" in text
    assert "+2 points" in text
    write_table(course, [module], "student")
    assert f"{rows['ada'].score:g} of {rows['ada'].max_score:g} points" in text_of(course, "ada")


def test_pages_that_are_up_to_date_are_left_and_what_changed_is_made_anew(graded: Course, module: Assignment) -> None:
    write_pages(graded, module)
    before = page(graded, "ada").stat().st_mtime_ns
    again = write_pages(graded, module)
    assert newly_written(again) == [] and len(again.pages) == 3
    assert page(graded, "ada").stat().st_mtime_ns == before
    with gradebook(graded) as opened:
        opened.find_comment("essay", NOTEBOOK, ASSIGNMENT, "bob").manual_comment = "Say more."
        opened.db.commit()
    assert newly_written(write_pages(graded, module)) == ["bob"]
    assert "Say more." in text_of(graded, "bob")
    page(graded, "ada").write_text("another page, as nbgrader's own command leaves one")
    assert newly_written(write_pages(graded, module)) == ["ada"]
    page(graded, "cy").unlink()
    assert newly_written(write_pages(graded, module)) == ["cy"]
    grade(graded, "cy", failed("test_halve", 3.0, "words"))
    assert newly_written(write_pages(graded, module, ("cy",))) == ["cy"]
    source = next(graded.step("source").glob("*.py"))
    source.write_text(source.read_text().replace("title: Doubling", "title: Twice"))
    assert newly_written(write_pages(graded, module)) == ["ada", "bob", "cy"]


def test_a_run_that_was_stopped_goes_on_where_it_was(
    graded: Course, module: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(pages: StudentPages) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_pages(graded, module, workers=1, progress=stop)
    done = sorted(path.parent.parent.name for path in graded.step("feedback").glob("*/*/*.html"))
    assert done
    assert not list(graded.step("feedback").glob("**/*.new"))
    assert newly_written(write_pages(graded, module)) == sorted({"ada", "bob", "cy"} - set(done))


def test_a_page_that_would_leak_is_not_there_and_the_others_are(
    graded: Course, module: Assignment, tito_in: Tito
) -> None:
    write_pages(graded, module)
    grade(graded, "bob", own=[new_code_cell("x", outputs=LEAK)])
    run = write_pages(graded, module)
    assert run.refused == {"bob": f"{NOTEBOOK}: the page would show the hidden test of 'test_halve'"}
    assert not page(graded, "bob").exists()
    assert page(graded, "ada").exists()
    done = tito_in(graded.root, "feedback", "7")
    assert done.code == 3
    assert "NO PAGE for bob" in done.err and "-919.5" not in done.err


def test_a_worker_that_ends_costs_its_own_page_alone(
    graded: Course, module: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = tito.feedback.pages.make_pages

    def ends(material: Any, order: Order) -> StudentPages:
        if order.row.student_id == "bob":
            os._exit(1)
        return make(material, order)

    monkeypatch.setattr("tito.feedback.pages.make_pages", ends)
    monkeypatch.setattr("tito.feedback.pages.can_fork", lambda: True)  # so that it is at work in the workers too
    run = write_pages(graded, module)
    assert set(run.refused) == {"bob"}
    assert page(graded, "ada").exists() and page(graded, "cy").exists()


def test_receipts_are_the_exchanges_and_of_what_was_graded(graded: Course, module: Assignment) -> None:
    handed_in = graded.step("submitted", "ada", ASSIGNMENT)
    submission = Submission("4f", graded.id, ASSIGNMENT, "ada", datetime(2026, 11, 28, 9, tzinfo=UTC), "e" * 64, [])
    (handed_in / "receipt.json").write_text(json.dumps(submission.receipt()))
    write_pages(graded, module)
    assert submission.receipt_sha256 in text_of(graded, "ada")
    (handed_in / "timestamp.txt").write_text("2026-11-29 09:00:00.000000 UTC")
    write_pages(graded, module)
    assert submission.receipt_sha256 not in text_of(graded, "ada")
    assert "Another version has been collected since" in text_of(graded, "ada")
    (handed_in / "receipt.json").write_text('{"receipt_sha256": "<script>"}')
    (handed_in / "timestamp.txt").write_text("2026-11-28 09:00:00.000000 UTC")
    write_pages(graded, module)
    assert "Receipt" not in text_of(graded, "ada")


@pytest.mark.parametrize("time", ["excused by the dean", "9" * 5000, "0001-01-01 00:00 +2300"])
def test_a_time_that_is_none_is_not_shown(time: str, graded: Course, module: Assignment) -> None:
    (graded.step("autograded", "ada", ASSIGNMENT) / "timestamp.txt").write_text(time)
    write_pages(graded, module, ("ada",))
    assert "without a time of handing in" in text_of(graded, "ada")
    assert time not in text_of(graded, "ada")


# ---- handing out -----------------------------------------------------------------------------------


@pytest.fixture
def handed_out(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whose pages went to the exchange; "" for everybody's."""
    whose: list[str] = []
    monkeypatch.setattr(
        "tito.bridge.exchange_actions.exchange", lambda course, assignment, action, student: whose.append(student)
    )
    return whose


def test_pages_of_who_is_not_fully_graded_are_not_handed_out_unasked(
    graded: Course, handed_out: list[str], tito_in: Tito, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = tito_in(graded.root, "feedback", "7", "--release")
    assert done.code == 2
    assert "cy (needs manual grading)" in done.err and "--yes" in done.err
    assert handed_out == []
    assert page(graded, "cy").exists()
    monkeypatch.setattr("tito.cli.results.is_watched", lambda: True)
    for answer, whose in ((False, []), (True, [""])):
        monkeypatch.setattr("click.confirm", lambda *_, answer=answer, **how: answer)
        assert tito_in(graded.root, "feedback", "7", "--release").code == 0
        assert handed_out == whose


def test_pages_of_who_is_fully_graded_go_out_without_a_question(
    graded: Course, handed_out: list[str], tito_in: Tito
) -> None:
    assert tito_in(graded.root, "feedback", "7", "--release", "--student", "ada").code == 0
    assert tito_in(graded.root, "feedback", "7", "--release", "--yes").code == 0
    assert handed_out == ["ada", ""]
