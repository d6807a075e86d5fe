"""The exchange's page for a browser: who logs in sees their own and nothing else, and nothing beside it gets at it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
import pytest
from exchange_support import ASSIGNMENT, COURSE, LOGIN, OTHER_COURSE, Service, released, service, token, uploads
from real_hub import RealHub

from tito.exchange.client.client import Client
from tito.exchange.protocol.records import Policy, PrecheckedTest, PrecheckPolicy, PrecheckResult, Submission
from tito.exchange.server.login import SESSION, STATE

WORKER = "service:precheck"
ATTACK = "</pre><script>alert(1)</script><img src=x onerror=alert(2)> {{ 7 * 7 }}"


@pytest.fixture
def exchange(tmp_path: Path) -> Iterator[Service]:
    """An exchange with two assignments and one precheck an hour for each."""
    with service(tmp_path / "exchange", login=LOGIN) as running:
        for assignment in (ASSIGNMENT, "ps2"):
            released(running, assignment)
        released(running, "elsewhere", OTHER_COURSE)
        running.ledger.set_policy(COURSE, Policy(precheck=PrecheckPolicy(per_hour=1)), "teacher")
        yield running


def page(running: Service, user: str, **headers: str) -> httpx.Response:
    return httpx.get(f"{running.url}/", cookies={SESSION: token(user)}, headers=headers, timeout=30)


def checked(running: Service, message: str = "") -> None:
    """The precheck whose turn it is, made."""
    claim = running.ledger.claim_precheck(COURSE, WORKER)
    assert claim is not None
    tests = [PrecheckedTest("p1", "t-right", "PASSED"), PrecheckedTest("p1", "t-wrong", "FAILED", message, 0.25)]
    result = PrecheckResult(1, "9.9", running.ledger.clock(), tests)
    running.ledger.prechecks.keep(COURSE, claim.submission.id, claim.lease.key, result, WORKER)


def submit(running: Service, user: str, assignment: str = ASSIGNMENT) -> Submission:
    return running.client(user).submit(COURSE, assignment, uploads())


def test_one_sees_receipts_prechecks_and_feedback_of_ones_own(exchange: Service) -> None:
    assert "Nothing handed in yet." in page(exchange, "ada").text
    first = submit(exchange, "ada")
    waiting = page(exchange, "ada").text
    assert "their turn is to come" in waiting
    assert 'http-equiv="refresh"' in waiting
    checked(exchange)
    exchange.client("teacher").give_feedback(first, uploads({"p1.html": b"well done"}))
    second = submit(exchange, "ada")
    bobs = submit(exchange, "bob", "ps2")
    text = page(exchange, "ada").text
    for submission in (first, second):
        assert submission.id in text
        assert submission.receipt_sha256 in text
    assert "1 of 2 passed" in text
    assert re.search(r">PASSED<.*t-right.*>FAILED<.*t-wrong.*0.25 s", text, re.DOTALL)
    due = exchange.ledger.prechecks.of_submission(COURSE, second.id).next_at
    assert due is not None
    assert f"are run from {due:%Y-%m-%d %H:%M:%S} UTC on" in text
    assert 'http-equiv="refresh"' not in text  # nothing of it comes within the hour
    assert len(re.findall(r"released \d{4}-", text)) == 1
    assert "no grade" in text
    assert "elsewhere" not in text
    assert bobs.id not in text
    teachers = page(exchange, "teacher").text  # staff see what they themselves handed in
    assert not [submission for submission in (first, second, bobs) if submission.id in teachers]
    assert "You are in no course" in page(exchange, "nobody").text


def test_nothing_that_student_code_says_is_markup_and_no_script_may_run(exchange: Service) -> None:
    submit(exchange, "ada")
    checked(exchange, ATTACK)
    answer = page(exchange, "ada")
    assert "&lt;/pre&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x" in answer.text
    assert "{{ 7 * 7 }}" in answer.text
    assert "<script" not in answer.text
    assert "<img" not in answer.text
    policy = answer.headers["Content-Security-Policy"]
    for wanted in ("default-src 'none'", "frame-ancestors 'none'", "form-action 'none'", "base-uri 'none'", "sandbox"):
        assert wanted in policy
    assert not {"allow-same-origin", "unsafe-inline"} & set(policy.replace("'", " ").split())
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_only_a_window_that_goes_there_gets_it(exchange: Service) -> None:
    for where in ("empty", "iframe", "script", "embed"):
        refused = page(exchange, "ada", **{"Sec-Fetch-Dest": where})
        assert refused.status_code == 403
        assert "window of its own" in refused.text
    assert page(exchange, "ada", **{"Sec-Fetch-Dest": "document"}).status_code == 200


def test_the_cookie_opens_the_page_alone_and_a_token_in_a_header_does_not(exchange: Service) -> None:
    submission = submit(exchange, "ada")
    cookies = {SESSION: token("ada")}
    for path in ("whoami", f"courses/{COURSE}/submissions/{submission.id}", f"courses/{COURSE}/releases"):
        assert httpx.get(f"{exchange.url}/{path}", cookies=cookies).status_code == 401
    posted = httpx.post(f"{exchange.url}/courses/{COURSE}/assignments/{ASSIGNMENT}/submissions", cookies=cookies)
    assert posted.status_code == 401  # so nobody's browser can be made to hand in
    assert exchange.http("ada").get("/").status_code == 302
    for method in ("POST", "PUT", "DELETE"):
        assert httpx.request(method, f"{exchange.url}/", cookies=cookies).status_code == 405


def test_a_login_that_this_browser_did_not_begin_is_not_finished(exchange: Service) -> None:
    begun = httpx.get(f"{exchange.url}/")
    asked = parse_qs(urlsplit(begun.headers["Location"]).query)
    assert asked["client_id"] == ["service-exchange"]
    (state,) = asked["state"]
    for cookies, query in (
        ({}, {"code": "x", "state": state}),
        ({STATE: "other"}, {"code": "x", "state": state}),
        ({STATE: ""}, {"code": "x", "state": ""}),
        ({STATE: state}, {"state": state}),
    ):
        answer = httpx.get(f"{exchange.url}/oauth_callback", params=query, cookies=cookies)
        assert answer.status_code == 400
        assert SESSION not in answer.cookies
    away = httpx.get(
        f"{exchange.url}/oauth_callback", params={"code": "x", "state": state}, cookies={STATE: state}, timeout=30
    )
    assert away.status_code == 503  # nobody is at the hub's address
    assert LOGIN.secret not in away.text


def test_without_an_oauth_client_there_is_no_page_and_no_link_to_it(tmp_path: Path) -> None:
    with service(tmp_path / "exchange") as running:
        assert page(running, "ada").status_code == 404
        assert running.client("ada").who().page == ""


# ---- with a real hub ---------------------------------------------------------------------------------


class Browser:
    """Follows redirects between the hub and its service, which have no proxy in front of them here."""

    def __init__(self, hub: RealHub, user: str) -> None:
        self.hub = hub
        self.http = httpx.Client(timeout=30)
        login = self.get(f"{self.hub.api.removesuffix('/api')}/login")
        form = {"username": user, "password": "x", "_xsrf": self.http.cookies["_xsrf"]}
        assert self.http.post(str(login.url), data=form).status_code == 302

    def get(self, url: str, **how: Any) -> httpx.Response:
        for _ in range(10):
            answer = self.http.get(url, **how)
            if answer.status_code not in (301, 302):
                return answer
            target = urlsplit(urljoin(url, answer.headers["Location"]))
            of = self.hub.exchange if target.path.startswith("/services/") else self.hub.api
            url = target._replace(scheme="http", netloc=urlsplit(of).netloc).geturl()
        raise AssertionError(f"redirected for ever: {url}")


@pytest.fixture
def browsers(hub_of_tests: RealHub) -> Iterator[Callable[[str], Browser]]:
    """Browsers in which somebody has logged in with the hub."""
    with ExitStack() as opened:

        def logged_in(user: str) -> Browser:
            browser = Browser(hub_of_tests, user)
            opened.callback(browser.http.close)
            return browser

        yield logged_in


def test_the_hub_s_login_opens_ones_own_page(hub_of_tests: RealHub, browsers: Callable[[str], Browser]) -> None:
    teacher, ada = (Client(hub_of_tests.exchange, hub_of_tests.tokens[who]) for who in ("teacher", "ada"))
    teacher.publish("tiny", "of-the-page", uploads(), replace=True)
    submission = ada.submit("tiny", "of-the-page", uploads())
    assert ada.who().page == "/services/exchange/"
    teacher.withdraw("tiny", "of-the-page")
    for client in (teacher, ada):
        client.close()
    page = f"{hub_of_tests.exchange}/"
    away = httpx.get(page)
    assert away.headers["Location"].startswith("/hub/api/oauth2/authorize?client_id=service-exchange")
    browser = browsers("ada")
    mine = browser.get(page)
    assert mine.status_code == 200, mine.text
    assert submission.id in mine.text
    assert submission.id not in browsers("bob").get(page).text
    [cookie] = [cookie for cookie in browser.http.cookies.jar if cookie.name == SESSION]
    assert cookie.path == "/services/exchange"
    assert cookie.has_nonstandard_attr("HttpOnly")
    assert cookie.get_nonstandard_attr("SameSite") == "lax"
    assert not [cookie.name for cookie in browser.http.cookies.jar if cookie.name == STATE]
    assert cookie.value
    assert cookie.value not in hub_of_tests.log.read_text()
    # what it may be used for at the hub: to say whose it is, and to enter this service
    scopes = httpx.get(f"{hub_of_tests.api}/user", headers={"Authorization": f"token {cookie.value}"}).json()["scopes"]
    assert {scope.split("!")[0] for scope in scopes} <= {"access:services", "read:users:name", "read:users:groups"}
    assert "access:services!service=exchange" in scopes
    stale = httpx.get(page, cookies={SESSION: "0" * 32})
    assert stale.status_code == 302  # to log in again
