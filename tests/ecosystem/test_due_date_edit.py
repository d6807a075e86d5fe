"""Formgrader's *Edit* of a due date, and points that are given there: a person's own formgrader, and a hub's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradebook_points import FULL, points
from jupyter_servers import EXTENSIONS, jupyter_server
from tiny import ASSIGNMENT

from tito.course.course import Course, load_course
from tito.course.course_policy import course_policy
from tito.exchange.server.local import open_local
from tito.gradebook.store import gradebook

NOON = datetime(2026, 12, 7, 12, tzinfo=UTC)
DAY = timedelta(days=1)
TIMEOUT_S = 60


@pytest.fixture(params=EXTENSIONS.values(), ids=EXTENSIONS)
def served(request: pytest.FixtureRequest, released: Course, tmp_path: Path) -> Iterator[tuple[Course, str]]:
    with gradebook(released) as opened:
        opened.find_assignment(ASSIGNMENT).duedate = NOON.replace(tzinfo=None)
    points(released, "ada", FULL, timestamp=(NOON + DAY).replace(tzinfo=None))
    with jupyter_server(released.root, request.param, tmp_path / "home") as url:
        yield released, url


def edit(url: str, due: datetime) -> tuple[dict[str, Any], str]:
    """The answer to *Edit*, and what the page is to say of it."""
    body = {"duedate_notimezone": due.replace(tzinfo=None).isoformat(), "duedate_timezone": "+0000"}
    answer = httpx.put(f"{url}/formgrader/api/assignment/{ASSIGNMENT}", json=body, timeout=TIMEOUT_S)
    assert answer.status_code == 200, answer.text
    return json.loads(answer.text), answer.headers.get("X-Tito-Notice", "")


def stored(course: Course) -> tuple[datetime, float]:
    with gradebook(course) as opened:
        due = opened.find_assignment(ASSIGNMENT).duedate.replace(tzinfo=UTC)
        return due, opened.find_submission(ASSIGNMENT, "ada").late_submission_penalty


def at_the_exchange(course: Course) -> datetime | None:
    ledger = open_local(course.exchange_root)
    try:
        return ledger.policy(course.id).policy.due(ASSIGNMENT, "ada")
    finally:
        ledger.close()


def test_an_edit_of_a_due_date_changes_the_policy_or_says_that_it_does_not(served: tuple[Course, str]) -> None:
    course, url = served

    # nbgrader's date is the policy: it counts at once, for the exchange and for what is stored
    assert edit(url, NOON - DAY)[1] == ""
    assert stored(course) == (NOON - DAY, 2.0)
    assert at_the_exchange(course) == NOON - DAY
    assert course_policy(course).due(ASSIGNMENT, "ada") == NOON - DAY

    # points that are given by hand lose by lateness what a score of theirs does
    with gradebook(course) as opened:
        grades = opened.find_submission(ASSIGNMENT, "ada").notebooks[0].grades
        scores = {grade.id: 0.25 if grade.name == "test_double" else 0 for grade in grades}
    for grade_id, score in scores.items():
        body = {"manual_score": score, "extra_credit": None}
        answer = httpx.put(f"{url}/formgrader/api/grade/{grade_id}", json=body, timeout=TIMEOUT_S)
        assert answer.status_code == 200, answer.text
    assert stored(course) == (NOON - DAY, 0.25)

    # course.toml says when it is due: the edit changes nothing, and the answer says so
    path = course.root / "course.toml"
    path.write_text(f"{path.read_text()}\n[deadlines]\n{ASSIGNMENT} = {(NOON + DAY).isoformat()}\n")
    answer, notice = edit(url, NOON + 9 * DAY)
    assert answer["duedate_notimezone"].startswith("2026-12-08T12:00")
    assert "The due date was not changed. It stands in course.toml" in notice
    assert stored(course)[0] == NOON + DAY
    assert course_policy(load_course(course.root)).due(ASSIGNMENT, "ada") == NOON + DAY
    assert edit(url, NOON + DAY)[1] == ""
