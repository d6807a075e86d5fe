"""One policy: exchange, grades, CSV and what nbgrader has stored say the same of a submission's lateness."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import process_time

import pytest
from command_line import Tito, command_line
from gradebook_points import FULL, points
from tiny import ASSIGNMENT, submit

from tito.course.course import Course, load_course
from tito.course.course_policy import course_policy
from tito.course.submission_files import submitted_at
from tito.errors import BadSource
from tito.exports.tables import grades_table
from tito.gradebook.penalties import policy_changes, store_policy
from tito.gradebook.store import gradebook
from tito.models import Status
from tito.policy.credit import points_lost

NOON = datetime(2026, 12, 7, 12, tzinfo=UTC)
DAY = timedelta(days=1)
OTHER = "08_other"
Said = Callable[[str], Course]


@pytest.fixture
def tito_in(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tito:
    return command_line(monkeypatch, capsys)


@pytest.fixture
def says(released: Course) -> Said:
    """The course with these lines in its course file, instead of those before."""
    path = released.root / "course.toml"
    usual = path.read_text()

    def write(lines: str) -> Course:
        path.write_text(usual.replace("[late]\n", f"{lines}\n[late]\n"))
        return load_course(released.root)

    return write


def naive(at: datetime) -> datetime:
    return at.replace(tzinfo=None)


def hand_in(course: Course, student: str, at: datetime, **facts: object) -> None:
    points(course, student, FULL, timestamp=naive(at), **facts)


def stored(course: Course, student: str, assignment: str = ASSIGNMENT) -> float | None:
    """What nbgrader's export, formgrader and feedback show."""
    with gradebook(course) as opened:
        lost = opened.find_submission(assignment, student).late_submission_penalty
        return None if lost is None else float(lost)


def by_grades(course: Course, student: str) -> tuple[float, float, str]:
    """Points lost, score and status in the table that is written as CSV."""
    row = grades_table(course, "7").set_index("student_id").loc[student]
    return row["late_penalty"], row["score"], row["status"]


def set_nbgraders_due_date(course: Course, due: datetime) -> None:
    with gradebook(course) as opened:
        opened.find_assignment(ASSIGNMENT).duedate = naive(due)


def test_in_time_for_the_exchange_is_in_time_for_grades_whatever_nbgraders_due_date_says(says: Said) -> None:
    course = says(f"[deadlines]\n{ASSIGNMENT} = {(NOON + 2 * DAY).isoformat()}")
    set_nbgraders_due_date(course, NOON)
    hand_in(course, "ada", NOON + DAY)
    assert not course_policy(course).is_late(ASSIGNMENT, "ada", NOON + DAY)
    assert by_grades(course, "ada") == (0, 10, "graded")
    store_policy(course)
    assert stored(course, "ada") == 0


def test_late_for_the_exchange_is_late_for_grades_before_the_next_release(says: Said) -> None:
    course = says(f"[deadlines]\n{ASSIGNMENT} = {NOON.isoformat()}")
    set_nbgraders_due_date(course, NOON + 2 * DAY)
    hand_in(course, "ada", NOON + DAY)
    assert course_policy(course).is_late(ASSIGNMENT, "ada", NOON + DAY)
    assert by_grades(course, "ada") == (1, 9, "graded")
    store_policy(course)
    assert stored(course, "ada") == 1


def test_without_deadlines_in_the_course_file_nbgraders_count_for_all(says: Said) -> None:
    course = says("")
    set_nbgraders_due_date(course, NOON)
    hand_in(course, "ada", NOON + DAY)
    hand_in(course, "bob", NOON + DAY, extension=2 * DAY)
    policy = course_policy(course)
    assert [policy.due(ASSIGNMENT, student) for student in ("ada", "bob")] == [NOON, NOON + 2 * DAY]
    store_policy(course)
    for student, lost in (("ada", 1), ("bob", 0)):
        assert by_grades(course, student) == (lost, 10 - lost, "graded")
        assert stored(course, student) == lost
    with gradebook(course) as opened:
        assert opened.find_assignment(ASSIGNMENT).duedate == naive(NOON)


def test_an_empty_table_of_deadlines_says_that_there_are_none(says: Said) -> None:
    course = says("[deadlines]")
    set_nbgraders_due_date(course, NOON)
    hand_in(course, "ada", NOON + DAY)
    assert by_grades(course, "ada") == (0, 10, "graded")
    assert policy_changes(course).due_dates == {ASSIGNMENT: (NOON, None)}


def test_an_early_bonus_and_practice_are_stored_as_grades_show_them(says: Said) -> None:
    course = says(
        f"[deadlines]\n{ASSIGNMENT} = {NOON.isoformat()}\n"
        f"[[credit.{ASSIGNMENT}]]\npercent = 110\nuntil_hours = -24\n"
        f"[[credit.{ASSIGNMENT}]]\npercent = 100\nuntil_hours = 0\n"
    )
    hand_in(course, "ada", NOON - 2 * DAY)
    hand_in(course, "bob", NOON)
    hand_in(course, "cy", NOON + DAY)
    store_policy(course)
    for student, lost in (("ada", -1), ("bob", 0), ("cy", 10)):
        assert by_grades(course, student)[:2] == (lost, 10 - lost)
        assert stored(course, student) == lost


def test_excused_work_has_no_score_and_no_penalty(says: Said) -> None:
    course = says(
        f'[deadlines]\n{ASSIGNMENT} = {NOON.isoformat()}\n[excuses]\n{ASSIGNMENT} = ["ada", "@ill"]\n'
        '[labels]\nill = ["bob"]\n'
    )
    hand_in(course, "ada", NOON + DAY)
    with gradebook(course) as opened:
        opened.add_student("bob")
    table = grades_table(course, "7").set_index("student_id")
    assert list(table.loc[["ada", "bob"], "status"]) == [Status.EXCUSED.value] * 2
    assert table.loc[["ada", "bob"], ["score", "late_penalty"]].isna().all(axis=None)
    store_policy(course)
    assert stored(course, "ada") == 0


TOKENS = "[tokens]\nper_student = 1"


@pytest.fixture
def two_assignments(released: Course) -> Course:
    """The second is due a week after the first."""
    with gradebook(released) as opened:
        opened.add_assignment(OTHER)
        opened.add_notebook("other", OTHER)
        opened.add_grade_cell("test_other", "other", OTHER, max_score=10, cell_type="code")
    (released.step("release", OTHER)).mkdir(parents=True)
    return released


def test_a_token_goes_to_the_earlier_deadline_though_that_waits_to_be_graded(
    two_assignments: Course, says: Said
) -> None:
    course = says(f"{TOKENS}\n[deadlines]\n{ASSIGNMENT} = {(NOON + 7 * DAY).isoformat()}\n{OTHER} = {NOON.isoformat()}")
    hand_in(course, "ada", NOON + 8 * DAY)
    assert by_grades(course, "ada") == (0, 10, "graded")
    folder = submit(course, "ada", b"").parent / OTHER
    folder.mkdir()
    (folder / "timestamp.txt").write_text(f"{NOON + DAY:%Y-%m-%d %H:%M:%S} UTC")
    assert by_grades(course, "ada") == (1, 9, "graded")
    store_policy(course)
    assert stored(course, "ada") == 1


def test_tokens_stand_in_the_table(says: Said) -> None:
    course = says(f"{TOKENS}\n[deadlines]\n{ASSIGNMENT} = {NOON.isoformat()}")
    hand_in(course, "ada", NOON + DAY)
    hand_in(course, "bob", NOON + 3 * DAY)
    table = grades_table(course, "7").set_index("student_id")
    assert list(table.loc[["ada", "bob"], "late_tokens"]) == [1, 1]
    assert list(table.loc[["ada", "bob"], "late_penalty"]) == [0, 2]


def test_two_notebooks_lose_together_what_the_submission_loses(says: Said) -> None:
    course = says(f"[deadlines]\n{ASSIGNMENT} = {NOON.isoformat()}")
    with gradebook(course) as opened:
        opened.add_notebook("second", ASSIGNMENT)
        opened.add_grade_cell("test_second", "second", ASSIGNMENT, max_score=10, cell_type="code")
    points(course, "ada", FULL | {"test_second": 1.0}, timestamp=naive(NOON + DAY))
    store_policy(course)
    assert by_grades(course, "ada")[0] == 2
    assert stored(course, "ada") == pytest.approx(2)
    with gradebook(course) as opened:
        for notebook in opened.find_submission(ASSIGNMENT, "ada").notebooks:
            assert 0 <= notebook.late_submission_penalty <= notebook.score


@pytest.mark.parametrize(
    "setting", ["extensions.07_doubling", "excuses", "tokens.students", "late.grace_for", "labels"]
)
def test_a_misspelt_student_is_an_error_with_who_may_be_meant(setting: str, says: Said, tito_in: Tito) -> None:
    lines = {
        "extensions.07_doubling": f"[extensions.{ASSIGNMENT}]\nadaa = 2030-01-01T00:00:00Z",
        "excuses": f'[excuses]\n{ASSIGNMENT} = ["adaa"]',
        "tokens.students": "[tokens.students]\nadaa = 1",
        "late.grace_for": "[late.grace_for]\nadaa = 1",
        "labels": '[labels]\nill = ["adaa"]',
    }[setting]
    path = says("").root / "course.toml"
    course = says("")
    path.write_text(f"{path.read_text()}\n{lines}\n")
    course = load_course(course.root)
    assert course_policy(course)  # nobody is known yet, and anybody may come
    hand_in(course, "ada", NOON)
    with pytest.raises(BadSource, match="names no student of this course: 'adaa'") as caught:
        course_policy(course)
    assert "Did you mean 'ada'?" in str(caught.value)
    for command in (("grades", "7"), ("policy", "show"), ("policy", "apply"), ("release", "7", "--no-exchange")):
        assert "Did you mean 'ada'?" in tito_in(course.root, *command).err


def test_a_change_is_previewed_and_applied_without_a_regrade(
    says: Said, tito_in: Tito, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = says(f"[deadlines]\n{ASSIGNMENT} = {NOON.isoformat()}")
    hand_in(course, "ada", NOON + DAY)
    hand_in(course, "bob", NOON)
    assert "1 due dates and 1 scores were changed" in tito_in(course.root, "policy", "apply").err
    assert "Nothing would change" in tito_in(course.root, "policy", "preview").err

    course = says(f"{TOKENS}\n[deadlines]\n{ASSIGNMENT} = {(NOON - DAY).isoformat()}")
    preview = json.loads(tito_in(course.root, "policy", "preview", "--json").out)
    assert preview["scores"] == []  # ada: a day more, made up for by a token; bob: a day, made up for
    assert preview["tokens"] == {"ada": 1, "bob": 1}
    assert stored(course, "ada") == 1

    course = says(f"[deadlines]\n{ASSIGNMENT} = {(NOON - DAY).isoformat()}")
    shown = tito_in(course.root, "policy", "preview")
    assert "0 gain, 2 lose" in shown.out
    assert tito_in(course.root, "policy", "apply").code == 0
    assert {student: stored(course, student) for student in ("ada", "bob")} == {"ada": 2, "bob": 1}
    assert {student: by_grades(course, student)[0] for student in ("ada", "bob")} == {"ada": 2, "bob": 1}


def test_a_policy_that_is_taken_back_clears_what_it_had_stored(says: Said, tito_in: Tito) -> None:
    course = says(f"[deadlines]\n{ASSIGNMENT} = {NOON.isoformat()}")
    hand_in(course, "ada", NOON + DAY)
    store_policy(course)
    path = course.root / "course.toml"
    path.write_text(path.read_text().split("[late]")[0])
    store_policy(load_course(course.root))  # as a release does: whatever else has stored it, it stays
    assert stored(course, "ada") == 1
    assert "1 gain, 0 lose" in tito_in(course.root, "policy", "preview").out
    assert tito_in(course.root, "policy", "apply").code == 0
    assert stored(course, "ada") in (0, None)
    assert by_grades(load_course(course.root), "ada") == (0, 10, "graded")


def test_penalties_are_changed_all_or_none(says: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    course = says(f"[deadlines]\n{ASSIGNMENT} = {NOON.isoformat()}")
    for student in ("ada", "bob"):
        hand_in(course, student, NOON + DAY)
    lost = points_lost
    calls = []

    def fail_at_the_second(*of: float) -> float:
        calls.append(of)
        if len(calls) == 2:
            raise BadSource("no more")
        return lost(*of)

    monkeypatch.setattr("tito.gradebook.penalties.points_lost", fail_at_the_second)
    with pytest.raises(BadSource, match="no more"):
        store_policy(course)
    assert {student: stored(course, student) for student in ("ada", "bob")} == {"ada": 0, "bob": 0}
    with gradebook(course) as opened:
        assert opened.find_assignment(ASSIGNMENT).duedate is None


@pytest.mark.parametrize("time", ["1" * 10**6, "1." * (10**6 // 2), " " * 10**6], ids=["digits", "dots", "spaces"])
def test_a_time_of_a_megabyte_is_none_at_once(time: str, tmp_path: Path) -> None:
    (tmp_path / "timestamp.txt").write_text(time)
    began = process_time()
    assert submitted_at(tmp_path) is None
    assert process_time() - began < 1  # of a processor; dateutil takes half a minute
