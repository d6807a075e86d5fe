"""The Assignment List tells one's own deadline, and what a late submission means before it is one."""

from __future__ import annotations

import os
import pwd
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from jupyter_servers import jupyter_server
from tiny import ASSIGNMENT

from tito.bridge.exchange_actions import hand_to_exchange, require_exchange
from tito.bridge.policy_actions import apply_policy
from tito.course.course import Assignment, Course, load_course
from tito.exchange.client.plugin.deadlines import in_a_list, warning
from tito.exchange.protocol.records import Deadline, Submission
from tito.exchange.server.local import open_local

ME = pwd.getpwuid(os.getuid()).pw_name
NOON = datetime(2026, 12, 7, 12, tzinfo=UTC)
DAY = timedelta(days=1)
LIST = {"nbgrader.server_extensions.assignment_list": False, "tito.exchange.client.assignment_list": True}
CONFIG = """\
from tito.course.nbgrader_settings import EXCHANGE_CLASSES

c = get_config()
for name, where in EXCHANGE_CLASSES.items():
    c.ExchangeFactory[name] = where
c.ServiceExchange.local_root = {root!r}
"""
ON_TIME = Deadline(
    "ps1", NOON, late=False, closed=False, excused=False, credit=100, tokens=0, tokens_left=2, handed_in_at=None
)


@pytest.fixture
def page(released: Course, module: Assignment, tmp_path: Path) -> Iterator[tuple[Course, httpx.Client]]:
    """A student's server, and the course that they are in."""
    require_exchange(released)
    hand_to_exchange(released, module)
    folder = tmp_path / "student"
    folder.mkdir()
    (folder / "nbgrader_config.py").write_text(CONFIG.format(root=str(released.exchange_root)))
    with jupyter_server(folder, LIST, tmp_path / "home") as url, httpx.Client(base_url=url, timeout=60) as http:
        yield released, http


def due(course: Course, at: datetime, more: str = "") -> None:
    """Have the course's policy say so, to the exchange too."""
    path = course.root / "course.toml"
    usual = path.read_text().partition("\n[deadlines]")[0]
    path.write_text(f"{usual}\n[deadlines]\n{ASSIGNMENT} = {at.isoformat()}\n{more}\n")
    apply_policy(load_course(course.root))


def listed(answer: httpx.Response, status: str) -> list[dict[str, Any]]:
    data = answer.raise_for_status().json()
    assert data["success"], data
    return [each for each in data["value"] if each["status"] == status]


def submissions(course: Course) -> list[Submission]:
    ledger = open_local(course.exchange_root)
    try:
        return ledger.submissions(course.id)
    finally:
        ledger.close()


def click(http: httpx.Client, what: str, name: str) -> httpx.Response:
    """With the name as the page shows it, which it sends back."""
    return http.post(f"/assignments/{what}", json={"course_id": "tiny", "assignment_id": name})


def test_a_late_submission_is_warned_of_and_a_second_click_hands_it_in(page: tuple[Course, httpx.Client]) -> None:
    course, http = page
    at = datetime.now(UTC) + DAY
    due(course, at + DAY, f"[extensions.{ASSIGNMENT}]\n{ME} = {(at + 2 * DAY).isoformat()}")
    (shown,) = listed(http.get("/assignments?course_id=tiny"), "released")
    assert shown["assignment_id"] == f"{ASSIGNMENT} — due {at + 2 * DAY:%Y-%m-%d %H:%M UTC}"  # one's own

    (shown,) = listed(click(http, "fetch", shown["assignment_id"]), "fetched")
    assert len(listed(click(http, "submit", shown["assignment_id"]), "submitted")) == 1
    assert [each.late for each in submissions(course)] == [False]

    due(course, datetime.now(UTC) - timedelta(hours=1), "[tokens]\nper_student = 3")
    (shown,) = listed(http.get("/assignments?course_id=tiny"), "fetched")
    warned = click(http, "submit", shown["assignment_id"]).json()
    assert warned["success"] is False
    text = " ".join(warned["value"].split())
    assert re.search(rf"{ASSIGNMENT} was due \S+ \S+ UTC: this is late\.", text)
    assert "It spends 1 of your late tokens, and leaves 2. It counts in full." in text
    assert "It replaces what you handed in at" in text
    assert "Nothing was handed in yet." in text
    assert len(submissions(course)) == 1
    assert listed(click(http, "submit", shown["assignment_id"]), "submitted")
    assert [each.late for each in submissions(course)] == [True, True]
    assert click(http, "submit", shown["assignment_id"]).json()["success"] is False  # of a third one it is told again


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ({}, ""),
        ({"late": True, "closed": True}, ""),
        ({"late": True, "credit": 80}, "It counts 80 percent."),
        ({"late": True, "credit": 0}, "It is practice, and counts nothing."),
        ({"late": True, "tokens": 2, "tokens_left": 1}, "It spends 2 of your late tokens, and leaves 1."),
        ({"late": True, "handed_in_at": NOON}, "It replaces what you handed in at 2026-12-07 12:00 UTC."),
    ],
)
def test_a_warning_says_what_a_late_submission_means(facts: dict[str, Any], text: str) -> None:
    deadline = Deadline(**vars(ON_TIME) | facts)
    assert text in warning(deadline)
    assert bool(warning(deadline)) == bool(text)


def test_a_list_shows_deadlines_of_those_who_have_one() -> None:
    assert in_a_list(ON_TIME) == "due 2026-12-07 12:00 UTC"
    assert in_a_list(Deadline(**vars(ON_TIME) | {"excused": True})) == "excused"
    assert in_a_list(Deadline(**vars(ON_TIME) | {"due_at": None})) == ""
