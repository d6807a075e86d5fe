"""The history of verdicts and points: what is an entry, and that none is lost."""

from __future__ import annotations

import multiprocessing
from dataclasses import replace

from tito.course.course import Course
from tito.gradebook.history import (
    Change,
    Entry,
    Mark,
    append,
    changes_between,
    entry_of,
    graded_assignments,
    history_path,
    read_history,
)
from tito.models import CellVerdict, Fingerprint, NotebookVerdicts, SubmissionRecord, Verdict

ASSIGNMENT = "07_doubling"
PASSED = CellVerdict("test_double", Verdict.PASSED, 4.0, 4.0)
FAILED = CellVerdict("test_double", Verdict.FAILED, 0.0, 4.0, message="it must be doubled \ud800")


def record(*cells: CellVerdict, tests: str = "tests", submission: str = "work") -> SubmissionRecord:
    notebooks = (NotebookVerdicts("doubling", cells),)
    return SubmissionRecord("ada", ASSIGNMENT, Fingerprint(submission, tests, "here"), "bubblewrap", "now", notebooks)


def entry(student: str) -> Entry:
    change = Change("doubling", "test_double", None, Mark(Verdict.PASSED, 4.0))
    return Entry("2026-01-01T00:00:00+00:00", "teacher", "graded", student, ASSIGNMENT, "tests", (change,))


def test_what_is_graded_first_is_a_change_of_each_cell() -> None:
    first = entry_of(None, record(PASSED))
    assert first is not None
    assert (first.student, first.assignment, first.tests, first.why) == ("ada", ASSIGNMENT, "tests", "graded")
    assert first.changes == (Change("doubling", "test_double", None, Mark(Verdict.PASSED, 4.0)),)


def test_only_what_differs_is_a_change_and_a_message_by_itself_is_none() -> None:
    essay = CellVerdict("essay", Verdict.MANUAL, None, 1.0)
    (change,) = changes_between(record(FAILED, essay), record(PASSED, essay))
    assert change.before == Mark(Verdict.FAILED, 0.0, FAILED.message)
    assert entry_of(record(FAILED), record(replace(FAILED, message="another"))) is None


def test_a_cell_that_the_assignment_has_no_more_is_a_change() -> None:
    (change,) = changes_between(record(PASSED, FAILED), record())
    assert change.after is None


def test_the_reason_is_what_has_changed_since() -> None:
    before = record(FAILED)
    reasons = {
        "graded again: other tests": record(PASSED, tests="others"),
        "graded again: another submission": record(PASSED, submission="other"),
        "graded again: another submission, other tests": record(PASSED, tests="others", submission="other"),
        "graded again: by request": record(PASSED),
    }
    for why, after in reasons.items():
        entry = entry_of(before, after)
        assert entry is not None and entry.why == why
    by_request = entry_of(before, record(PASSED), "regrade: a wrong tolerance")
    assert by_request is not None and by_request.why == "regrade: a wrong tolerance"


def test_what_is_added_is_read_back_behind_what_was_there(course: Course) -> None:
    assert list(read_history(course, ASSIGNMENT)) == []
    first, second = entry("ada"), entry_of(record(FAILED), record(PASSED))
    assert second is not None
    append(course, ASSIGNMENT, [first])
    append(course, ASSIGNMENT, [])
    append(course, ASSIGNMENT, [second])
    assert list(read_history(course, ASSIGNMENT)) == [first, second]
    assert graded_assignments(course) == [ASSIGNMENT]


def test_what_a_crash_cut_off_costs_nothing_of_what_comes_after(course: Course) -> None:
    append(course, ASSIGNMENT, [entry("ada"), entry("bob")])
    path = history_path(course, ASSIGNMENT)
    path.write_bytes(path.read_bytes()[:-40])
    append(course, ASSIGNMENT, [entry("cy")])
    assert [each.student for each in read_history(course, ASSIGNMENT)] == ["ada", "cy"]


def test_several_programs_at_it_lose_nothing(course: Course) -> None:
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_write, args=(course, f"s{number}")) for number in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    students = [each.student for each in read_history(course, ASSIGNMENT)]
    assert sorted(students) == sorted(f"s{number}" for number in range(4) for _ in range(25))


def _write(course: Course, student: str) -> None:
    for _ in range(25):
        append(course, ASSIGNMENT, [entry(student)])
