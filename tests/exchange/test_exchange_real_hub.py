"""The exchange as a service that a real JupyterHub starts, with the hub's own tokens, groups and scopes."""

from __future__ import annotations

import time

import httpx
import pytest
from exchange_support import FILES, form, uploads
from real_hub import COURSE, KEEP_S, SCOPES, RealHub

from tito.exchange.client.client import Client
from tito.exchange.protocol.problems import Refused


def status(hub: RealHub, token: str, path: str = "/whoami") -> int:
    return httpx.get(f"{hub.exchange}{path}", headers={"Authorization": f"token {token}"}, timeout=30).status_code


def test_groups_of_the_hub_are_roles_in_the_exchange(hub_of_tests: RealHub) -> None:
    roles = {}
    for user, token in hub_of_tests.tokens.items():
        client = Client(hub_of_tests.exchange, token)
        roles[user] = {course: role.name for course, role in client.who().courses.items()}
        client.close()
    assert roles == {
        "ada": {COURSE: "STUDENT"},
        "bob": {COURSE: "STUDENT"},
        "tutor": {COURSE: "TA"},
        "teacher": {COURSE: "INSTRUCTOR"},
        "foreign": {"other": "INSTRUCTOR"},
        "nobody": {},
    }


def test_a_token_for_another_purpose_does_not_open_the_exchange(hub_of_tests: RealHub) -> None:
    assert status(hub_of_tests, hub_of_tests.new_token("ada", SCOPES)) == 200
    for other in (["access:servers!user=ada"], ["read:users!user=ada"], ["access:services!service=other"]):
        try:
            token = hub_of_tests.new_token("ada", other)
        except httpx.HTTPStatusError:
            continue  # the hub does not even make it
        assert status(hub_of_tests, token) == 403, other
    assert status(hub_of_tests, hub_of_tests.new_token("ada", ["access:servers!user=ada"])) == 403


def test_forged_revoked_and_expired_tokens_are_refused(hub_of_tests: RealHub) -> None:
    assert status(hub_of_tests, "0123456789abcdef0123456789abcdef") == 401
    short = hub_of_tests.new_token("ada", SCOPES, expires_in_s=1)
    time.sleep(1.5)
    assert status(hub_of_tests, short) == 401


def test_a_revoked_token_works_no_longer_than_the_hubs_word_is_remembered(hub_of_tests: RealHub) -> None:
    issued = hub_of_tests.as_admin("POST", "/users/ada/tokens", json={"scopes": SCOPES}).json()
    assert status(hub_of_tests, issued["token"]) == 200
    hub_of_tests.as_admin("DELETE", f"/users/ada/tokens/{issued['id']}").raise_for_status()
    revoked = time.monotonic()
    while status(hub_of_tests, issued["token"]) == 200:
        assert time.monotonic() < revoked + KEEP_S + 1
        time.sleep(0.1)
    assert status(hub_of_tests, issued["token"]) == 401


def test_while_the_hub_hangs_a_student_is_told_so_and_the_submission_goes_through_after(hub_of_tests: RealHub) -> None:
    """Nobody is let in on what the hub said longer ago than that is remembered, though they were known."""
    released(hub_of_tests)
    token = hub_of_tests.tokens["bob"]
    assert status(hub_of_tests, token) == 200
    path = f"{hub_of_tests.exchange}/courses/{COURSE}/assignments/hanging/submissions"
    with hub_of_tests.hanging():
        time.sleep(KEEP_S)
        refused = httpx.post(path, headers={"Authorization": f"token {token}"}, files=form(FILES), timeout=30)
        assert refused.status_code == 503
        assert "hub does not answer" in refused.json()["error"]
        assert refused.headers["Retry-After"]
    bob = Client(hub_of_tests.exchange, token)
    assert bob.my_submissions(COURSE, "hanging") == []
    submission = bob.submit(COURSE, "hanging", uploads())
    assert [listed.id for listed in bob.my_submissions(COURSE, "hanging")] == [submission.id]
    bob.close()


def released(hub: RealHub) -> None:
    teacher = Client(hub.exchange, hub.tokens["teacher"])
    teacher.publish(COURSE, "hanging", uploads(), replace=True)
    teacher.close()


def test_a_user_who_leaves_the_group_leaves_the_course_for_new_tokens(hub_of_tests: RealHub) -> None:
    path = f"/groups/nbgrader-{COURSE}/users"
    hub_of_tests.as_admin("POST", path, json={"users": ["nobody"]}).raise_for_status()
    token = hub_of_tests.new_token("nobody", SCOPES)
    assert status(hub_of_tests, token, f"/courses/{COURSE}/releases") == 200
    hub_of_tests.as_admin("DELETE", path, json={"users": ["nobody"]}).raise_for_status()
    other = hub_of_tests.new_token("nobody", SCOPES)
    assert status(hub_of_tests, other, f"/courses/{COURSE}/releases") == 403


def test_the_instructor_of_another_course_has_no_part_in_this_one(hub_of_tests: RealHub) -> None:
    foreign = Client(hub_of_tests.exchange, hub_of_tests.tokens["foreign"])
    with pytest.raises(Refused) as caught:
        foreign.publish(COURSE, "theirs", uploads(), replace=True)
    assert caught.value.status == 403
    foreign.publish("other", "ps1", uploads(), replace=True)
    foreign.close()


def test_no_token_is_in_the_log_of_the_hub_and_its_service(hub_of_tests: RealHub) -> None:
    log = hub_of_tests.log.read_text()
    assert "GET /services/exchange/whoami 200" in log
    assert not [user for user, token in hub_of_tests.tokens.items() if token in log]
