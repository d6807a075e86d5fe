"""The service under what goes wrong: limits, tokens, a hub or a database that is gone, uploads that break off."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from exchange_support import (
    ACCESS,
    ASSIGNMENT,
    COURSE,
    FILES,
    FakeHub,
    Service,
    form,
    manifest,
    released,
    service,
    token,
    uploads,
)

from tito.errors import ExchangeUnavailable
from tito.exchange.client.client import TRYING_S
from tito.exchange.protocol.problems import Refused
from tito.exchange.protocol.records import Policy
from tito.exchange.server.audit import audit
from tito.exchange.server.identity import HubIdentity
from tito.exchange.server.quotas import MB, Quotas
from tito.exchange.server.store import SCRATCH

SUBMIT = f"/courses/{COURSE}/assignments/{ASSIGNMENT}/submissions"


@pytest.fixture
def exchange(tmp_path: Path) -> Iterator[Service]:
    with service(tmp_path / "exchange", quotas=Quotas(submission_mb=1, files=20), upload_timeout_s=1.5) as running:
        released(running)
        yield running


def problem(answer: httpx.Response, status: int) -> dict[str, str]:
    """The problem that an answer tells of, of the form that every problem has."""
    assert answer.status_code == status, answer.text
    body: dict[str, str] = answer.json()
    assert set(body) == {"error", "where", "hint"}
    assert body["error"]
    return body


def stored(running: Service) -> int:
    return len(running.ledger.submissions(COURSE))


def nothing_is_left(running: Service) -> None:
    """No submission, no half one, and no scratch file of an upload that was refused."""
    assert stored(running) == 0
    assert not list((running.app.state.settings.root / "blobs" / SCRATCH).iterdir())
    assert audit(running.ledger).problems == ()


# ---- uploads -----------------------------------------------------------------------------------


def test_a_submission_is_acknowledged_with_the_servers_time_and_the_hash_over_its_manifest(exchange: Service) -> None:
    answer = exchange.http("ada").post(SUBMIT, files=form(FILES))
    assert answer.status_code == 201
    receipt = answer.json()
    assert receipt["manifest_sha256"] == manifest(FILES).sha256
    assert receipt["student"] == "ada"
    assert {file["path"] for file in receipt["files"]} == set(FILES)


def raw(running: Service, head: str, *chunks: bytes, pause_s: float = 0.0) -> bytes:
    """Say something to the service over a bare connection; give what it answers."""
    where = urlsplit(running.url)
    with socket.create_connection((where.hostname, where.port), timeout=20) as connection:
        connection.sendall(f"{head}\r\nHost: x\r\nAuthorization: token {token('ada')}\r\n".encode())
        try:
            for chunk in chunks:
                connection.sendall(chunk)
                time.sleep(pause_s)
        except OSError:
            pass  # it need not listen to the end
        answer = b""
        try:
            while data := connection.recv(65536):
                answer += data
                if b"\r\n\r\n" in answer and b'"hint"' in answer:
                    break
        except OSError:
            pass
    return answer


def test_two_gigabytes_are_refused_before_they_are_sent(exchange: Service) -> None:
    head = f"POST {urlsplit(exchange.url).path}{SUBMIT} HTTP/1.1"
    length = f"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {2 << 30}\r\n\r\n".encode()
    answer = raw(exchange, head, length, b"--x\r\n")
    assert b" 413 " in answer.splitlines()[0]
    assert b"larger than 1 MiB" in answer
    nothing_is_left(exchange)


def test_an_upload_without_an_end_is_refused_while_it_streams(exchange: Service) -> None:
    """Chunked, so of no length that could be told before; and of one file that goes on after what was announced."""
    text = manifest({"p1.ipynb": b"x" * 1000}).to_json()
    part = b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n'
    begin = part % b"manifest" + text + b"\r\n" + part % b"file"
    chunks = [b"%x\r\n%s\r\n" % (len(data), data) for data in (begin, *[b"x" * 65536] * 400)]
    head = f"POST {urlsplit(exchange.url).path}{SUBMIT} HTTP/1.1"
    kind = b"Content-Type: multipart/form-data; boundary=x\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = raw(exchange, head, kind, *chunks)
    assert b" 400 " in answer.splitlines()[0]
    assert b"not what the manifest says" in answer
    nothing_is_left(exchange)


@pytest.mark.parametrize("announced", [False, True], ids=["what is made after it", "what was announced before it"])
def test_a_cut_off_cannot_be_outlasted(exchange: Service, announced: bool) -> None:
    """An upload that is begun before it, and whose content comes after it."""
    text = manifest(FILES).to_json()
    part = b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
    body = [part % (b"manifest", text) + b"--x\r\n", *(part % (b"file", data) for _, data in sorted(FILES.items()))]
    body[1] = body[1].removeprefix(b"--x\r\n")
    body.append(b"--x--\r\n")
    early = 1 if announced else 0
    where = urlsplit(exchange.url)
    head = f"POST {where.path}{SUBMIT} HTTP/1.1\r\nHost: x\r\nAuthorization: token {token('ada')}\r\n"
    head += f"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {sum(map(len, body))}\r\n\r\n"
    with socket.create_connection((where.hostname, where.port), timeout=20) as connection:
        connection.sendall(head.encode() + b"".join(body[:early]))
        time.sleep(0.2)
        cutoff = datetime.now(UTC)
        exchange.ledger.set_policy(COURSE, Policy(cutoffs={ASSIGNMENT: cutoff}), "teacher")
        connection.sendall(b"".join(body[early:]))
        answer = connection.recv(65536)
    if announced:
        assert b" 201 " in answer.splitlines()[0]
        assert exchange.ledger.submissions(COURSE)[0].received_at < cutoff
    else:
        assert b" 403 " in answer.splitlines()[0]
        assert exchange.ledger.submissions(COURSE) == []
        nothing_is_left(exchange)


def test_an_upload_that_trickles_is_ended(exchange: Service) -> None:
    head = f"POST {urlsplit(exchange.url).path}{SUBMIT} HTTP/1.1"
    kind = b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000\r\n\r\n"
    answer = raw(exchange, head, kind, b"--x\r\n", b"C", b"o", b"n", b"t", pause_s=0.1)
    assert b" 408 " in answer.splitlines()[0]
    nothing_is_left(exchange)


def test_an_upload_that_breaks_off_leaves_nothing(exchange: Service) -> None:
    where = urlsplit(exchange.url)
    request = httpx.Request("POST", f"{exchange.url}{SUBMIT}", files=form({"p1.ipynb": b"x" * 300_000}))
    body = request.read()
    for cut in (10, 200, len(body) // 2, len(body) - 10):
        with socket.create_connection((where.hostname, where.port)) as connection:
            head = f"POST {where.path}{SUBMIT} HTTP/1.1\r\nHost: x\r\nAuthorization: token {token('ada')}\r\n"
            head += f"Content-Type: {request.headers['Content-Type']}\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body[:cut])
    time.sleep(0.3)
    nothing_is_left(exchange)


BAD: dict[str, tuple[Any, int]] = {
    "too large": (form({"p1.ipynb": b"x" * (MB + 1)}), 413),
    "too many files": (form({f"{number}.txt": b"" for number in range(21)}), 413),
    "no file at all": ([("manifest", ("m", b'{"files": []}'))], 400),
    "leaves its folder": (
        form({"p1.ipynb": b"x"}, manifest({"p1.ipynb": b"x"}).to_json().replace(b"p1", b"../p1")),
        400,
    ),
    "another content": ([form(FILES)[0], *form({"a": b"?", "b": b"?"})[1:]], 400),
    "a file less": (form(FILES)[:-1], 400),
    "a file more": ([*form(FILES), ("file", ("9", b"more"))], 400),
    "files first": (form(FILES)[::-1], 400),
    "another part": ([form(FILES)[0], ("other", ("0", b"x"))], 400),
    "no JSON": (form(FILES, b"{"), 400),
    "a huge manifest": ([("manifest", ("m", b" " * (2 * MB + 1)))], 413),
}


@pytest.mark.parametrize("kind", BAD)
def test_an_upload_that_is_not_what_it_should_be_is_refused_whole(exchange: Service, kind: str) -> None:
    parts, status = BAD[kind]
    problem(exchange.http("ada").post(SUBMIT, files=parts), status)
    nothing_is_left(exchange)


def test_another_body_than_a_form_is_refused(exchange: Service) -> None:
    http = exchange.http("ada")
    problem(http.post(SUBMIT, json={}), 415)
    problem(http.post(SUBMIT, content=b"x", headers={"Content-Type": "multipart/form-data"}), 415)
    garbage = http.post(SUBMIT, content=b"\x00garbage", headers={"Content-Type": "multipart/form-data; boundary=x"})
    problem(garbage, 400)
    nothing_is_left(exchange)


def test_a_zip_bomb_is_a_file_like_any_other(exchange: Service) -> None:
    """Nothing is unpacked: neither a file, nor a body that says it is compressed."""
    import gzip

    bomb = gzip.compress(b"\0" * (50 * MB))
    submission = exchange.client("ada").submit(COURSE, ASSIGNMENT, uploads({"p1.ipynb": b"{}", "bomb.gz": bomb}))
    assert sum(file.size for file in submission.files) == len(bomb) + 2
    packed = {"Content-Encoding": "gzip", "Content-Type": "multipart/form-data; boundary=x"}
    problem(exchange.http("ada").post(SUBMIT, content=bomb, headers=packed), 400)


def test_the_course_file_sets_how_large_a_submission_may_be(exchange: Service) -> None:
    teacher = exchange.client("teacher")
    assert teacher.policy(COURSE).revision == 0
    assert teacher.set_policy(COURSE, Policy(submission_mb=3)) == teacher.policy(COURSE)
    two = {"p1.ipynb": b"x" * (2 * MB)}
    assert exchange.http("ada").post(SUBMIT, files=form(two)).status_code == 201


def test_too_many_uploads_in_a_minute_are_refused_with_the_time_to_wait(tmp_path: Path) -> None:
    with service(tmp_path / "exchange", uploads_per_minute=3) as running:
        released(running)
        ada = running.http("ada")
        answers = [ada.post(SUBMIT, files=form(FILES)) for _ in range(5)]
        assert [answer.status_code for answer in answers] == [201, 201, 201, 429, 429]
        assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
        problem(answers[-1], 429)
        assert running.http("bob").post(SUBMIT, files=form(FILES)).status_code == 201


def test_every_file_is_on_the_disk_before_it_has_its_name_and_its_name_before_the_answer(
    exchange: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A killed process cannot show this; a lost machine would."""
    blobs = tmp_path / "exchange" / "blobs"
    before = set(blobs.glob("??/*"))
    synced: list[int] = []
    named_too_early: list[Path] = []
    real = os.fsync

    def fsync(handle: int) -> None:
        number = os.fstat(handle).st_ino
        if number not in synced:
            named_too_early.extend(path for path in blobs.glob("??/*") if path.stat().st_ino == number)
        synced.append(number)
        real(handle)

    monkeypatch.setattr("os.fsync", fsync)
    files = {"p1.ipynb": b"new", "large.bin": b"l" * 500_000, "empty": b""}
    assert exchange.http("ada").post(SUBMIT, files=form(files)).status_code == 201
    new_blobs = set(blobs.glob("??/*")) - before
    assert len(new_blobs) == 3
    assert {path.stat().st_ino for path in new_blobs} <= set(synced)
    assert {path.parent.stat().st_ino for path in new_blobs} <= set(synced)
    assert named_too_early == []


# ---- several at a time -------------------------------------------------------------------------


def test_one_submission_sent_many_times_at_once_is_stored_once(exchange: Service) -> None:
    ada = exchange.http("ada")
    with ThreadPoolExecutor(8) as pool:
        key = {"Idempotency-Key": "0123456789abcdef"}
        answers = list(pool.map(lambda _: ada.post(SUBMIT, files=form(FILES), headers=key), range(12)))
    assert sorted(answer.status_code for answer in answers) == [200] * 11 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert stored(exchange) == 1


def test_different_submissions_of_one_student_at_once_are_all_stored(exchange: Service) -> None:
    ada = exchange.http("ada")
    with ThreadPoolExecutor(8) as pool:
        contents = [{"p1.ipynb": str(number).encode()} for number in range(16)]
        answers = list(pool.map(lambda files: ada.post(SUBMIT, files=form(files)), contents))
    assert {answer.status_code for answer in answers} == {201}
    submissions = exchange.ledger.submissions(COURSE)
    assert {submission.manifest_sha256 for submission in submissions} == {manifest(files).sha256 for files in contents}
    assert len({submission.received_at for submission in submissions}) == 16


def test_a_key_that_was_used_with_other_files_is_a_conflict(exchange: Service) -> None:
    ada, key = exchange.http("ada"), {"Idempotency-Key": "0123456789abcdef"}
    assert ada.post(SUBMIT, files=form(FILES), headers=key).status_code == 201
    problem(ada.post(SUBMIT, files=form({"p1.ipynb": b"other"}), headers=key), 409)


# ---- the hub -----------------------------------------------------------------------------------


def test_tokens_that_are_none_are_refused(exchange: Service) -> None:
    for header in (
        "",
        "token",
        "Basic YWRhOmFkYQ==",
        "token a b",
        "token x",
        f"token {'x' * 600}",
        token("ada"),
    ):
        answer = httpx.get(f"{exchange.url}/whoami", headers={"Authorization": header})
        problem(answer, 401)
    by_query = httpx.get(f"{exchange.url}/whoami", params={"token": token("ada")})
    problem(by_query, 401)
    assert exchange.http().get("/whoami", headers={"Authorization": f"Bearer {token('ada')}"}).status_code == 200


def test_a_token_that_expires_stops_working_within_the_time_it_is_remembered(tmp_path: Path) -> None:
    with service(tmp_path / "exchange", identity_keep_s=0.2) as running:
        ada = running.http("ada")
        assert ada.get("/whoami").status_code == 200
        del running.hub.models[token("ada")]
        time.sleep(0.3)
        problem(ada.get("/whoami"), 401)


def test_the_hub_is_asked_once_for_many_requests(exchange: Service) -> None:
    before = exchange.hub.asked
    ada = exchange.http("ada")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: ada.get("/whoami"), range(24)))
    assert exchange.hub.asked == before + 1


def test_while_the_hub_is_down_nobody_is_let_in_and_nobody_is_locked_out_after(exchange: Service) -> None:
    exchange.hub.up = False
    bob = exchange.http("bob")
    answer = bob.get("/whoami")
    problem(answer, 503)
    assert answer.headers["Retry-After"]
    assert exchange.http("teacher").get("/whoami").status_code == 200  # known since a moment ago
    assert exchange.http().get("/health").status_code == 200
    exchange.hub.up = True
    assert bob.get("/whoami").status_code == 200


def test_the_role_is_the_hubs_word_and_nothing_that_is_sent_along(exchange: Service) -> None:
    ada = exchange.http("ada")
    claims = {"X-Forwarded-User": "teacher", "JupyterHub-User": "teacher", "X-Role": "instructor"}
    assert ada.get(f"/courses/{COURSE}/submissions", headers=claims, params={"user": "teacher"}).status_code == 403
    answer = ada.post(SUBMIT, files=form(FILES), headers=claims, params={"student": "bob", "received_at": "2020-01-01"})
    assert answer.json()["student"] == "ada"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"scopes": ["access:servers!user=eve"]}, "scope access:services"),
        ({"groups": None}, ""),
        ({"name": None}, "read:users:name"),
        ({"name": "../eve"}, "cannot serve"),
        ({"name": "*"}, "cannot serve"),
    ],
)
def test_a_token_that_may_not_come_here_is_refused(exchange: Service, changed: dict[str, Any], reason: str) -> None:
    exchange.hub.add("eve", [f"nbgrader-{COURSE}"])
    exchange.hub.models[token("eve")] |= changed
    refusal = problem(exchange.http("eve").get(f"/courses/{COURSE}/releases"), 403)
    assert reason in refusal["error"] + refusal["hint"]


def test_a_token_that_hides_its_groups_is_told_which_scope_it_lacks(exchange: Service) -> None:
    exchange.hub.add("eve", [])
    del exchange.hub.models[token("eve")]["groups"]
    assert "read:users:groups" in problem(exchange.http("eve").get("/whoami"), 403)["hint"]


def test_a_service_of_the_hub_has_the_roles_that_the_hubs_administrator_gave_it(tmp_path: Path) -> None:
    hub = FakeHub()
    hub.models[token("formgrader")] = {"kind": "service", "name": "c101", "scopes": [ACCESS]}
    hub.models[token("culler")] = {"kind": "service", "name": "culler", "scopes": ["access:services"]}
    with service(tmp_path / "exchange", hub, services={"c101": [f"formgrade-{COURSE}"]}) as running:
        release = running.client("formgrader").publish(COURSE, ASSIGNMENT, uploads(), replace=False)
        assert release.released_by == "service:c101"
        problem(running.http("culler").get(f"/courses/{COURSE}/releases"), 403)


def test_groups_make_roles_and_the_highest_counts(exchange: Service) -> None:
    groups = ["nbgrader-a", "ta-a", "formgrade-b-c", "nbgrader-b-c", "formgrade-", "other", "ta-d"]
    exchange.hub.add("eve", groups)
    assert exchange.http("eve").get("/whoami").json() == {
        "name": "eve",
        "courses": {"a": "ta", "b-c": "instructor", "d": "ta"},
        "page": "",
    }


# ---- what breaks -------------------------------------------------------------------------------


def test_the_database_gone_and_back_again(exchange: Service, tmp_path: Path) -> None:
    ada = exchange.http("ada")
    database = tmp_path / "exchange" / "exchange.db"
    exchange.ledger.database.engine.dispose()
    away = database.with_name("away")
    database.rename(away)
    database.mkdir()  # nothing can be opened there
    problem(ada.post(SUBMIT, files=form(FILES)), 503)
    problem(exchange.http().get("/health"), 503)
    database.rmdir()
    away.rename(database)
    assert ada.post(SUBMIT, files=form(FILES)).status_code == 201
    assert stored(exchange) == 1


def test_a_store_that_cannot_be_written_to(exchange: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exchange.ledger.store, "keep", full)
    refusal = problem(exchange.http("ada").post(SUBMIT, files=form(FILES)), 507)
    assert "no room" in refusal["error"]
    nothing_is_left(exchange)


def test_a_fault_of_ours_tells_nothing_of_itself(exchange: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> None:
        raise ValueError(f"details and {token('ada')}")

    monkeypatch.setattr(exchange.ledger, "releases", fails)
    answer = exchange.http("ada").get(f"/courses/{COURSE}/releases")
    assert "details" not in problem(answer, 500)["error"] + answer.text


def test_no_token_is_in_any_log_or_answer(
    exchange: Service, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG, logger="tito")
    caplog.set_level(logging.DEBUG, logger="uvicorn")
    secret = token("ada")
    answers = [
        exchange.http("ada").get("/whoami"),
        exchange.http("ada").get("/whoami", params={"token": secret}),
        exchange.http("ada").put(f"/courses/{COURSE}/policy", json={"x": secret}),
        exchange.http("teacher").put(f"/courses/{COURSE}/policy", json={secret: secret, "submission_mb": secret}),
        exchange.http("ada").get(f"/courses/{COURSE}/releases/-", params={"token": secret}),
        httpx.get(f"{exchange.url}/whoami", headers={"Authorization": f"token {secret} x"}),
    ]
    monkeypatch.setattr(exchange.ledger, "releases", lambda *_: 1 / len(secret[:0]))
    answers.append(exchange.http("ada").get(f"/courses/{COURSE}/releases"))
    assert "ZeroDivisionError" in caplog.text
    assert "GET /services/exchange/whoami 200" in caplog.text
    for text in (caplog.text, *(answer.text for answer in answers)):
        assert secret not in text


def test_an_unknown_address_or_method_is_a_problem_of_the_same_form(exchange: Service) -> None:
    problem(exchange.http("ada").get("/nowhere"), 404)
    problem(exchange.http("ada").delete("/whoami"), 405)
    problem(exchange.http("ada").get("/courses/%00/releases"), 422)
    problem(
        exchange.http("teacher").put(f"/courses/{COURSE}/policy", json={"deadlines": {"a": "2026-01-01T00:00:00"}}), 422
    )
    problem(exchange.http("ada").post(SUBMIT, files=form(FILES), headers={"Idempotency-Key": "short"}), 422)


def test_a_name_server_that_is_silent_does_not_make_the_hub_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolver gives a silent one 5 s before it asks the next, in a container on several networks."""
    lookup = socket.getaddrinfo

    def slow(*asked: Any, **how: Any) -> Any:
        time.sleep(5.1)
        return lookup(*asked, **how)

    async def caller(url: str) -> str:
        identity = HubIdentity(url)
        try:
            return (await identity.caller(f"token {token('ada')}")).name
        finally:
            await identity.close()

    with FakeHub().serving() as url:
        monkeypatch.setattr(socket, "getaddrinfo", slow)
        assert asyncio.run(caller(url.replace("127.0.0.1", "localhost"))) == "ada"


# ---- the client --------------------------------------------------------------------------------


class Flaky(httpx.HTTPTransport):
    """Fails before or after the service has done what it was asked, as often as it is told."""

    def __init__(self, *plan: str) -> None:
        super().__init__()
        self.plan = list(plan)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        now = self.plan.pop(0) if self.plan else "works"
        if now == "unreachable":
            raise httpx.ConnectError("refused", request=request)
        if now == "busy":
            return httpx.Response(503, json={"error": "busy", "where": "", "hint": ""}, request=request)
        if now == "proxy":
            return httpx.Response(502, text="<html>Bad gateway</html>", request=request)
        answer = super().handle_request(request)
        if now == "answer lost":
            answer.read()
            answer.close()
            raise httpx.ReadError("reset", request=request)
        return answer


@pytest.mark.parametrize(
    "plan", [("unreachable",), ("busy", "busy"), ("proxy",), ("answer lost",), ("answer lost", "busy")]
)
def test_a_submission_goes_through_once_whatever_the_line_does(exchange: Service, plan: tuple[str, ...]) -> None:
    waits: list[float] = []
    ada = exchange.client("ada", transport=Flaky(*plan), wait=waits.append)
    submission = ada.submit(COURSE, ASSIGNMENT, uploads())
    assert len(waits) == len(plan)
    assert [listed.id for listed in exchange.ledger.submissions(COURSE)] == [submission.id]


def test_the_client_gives_up_and_says_so_in_one_line(exchange: Service) -> None:
    waits: list[float] = []
    ada = exchange.client("ada", transport=Flaky(*["unreachable"] * 9), wait=waits.append)
    with pytest.raises(ExchangeUnavailable, match="does not answer") as caught:
        ada.submit(COURSE, ASSIGNMENT, uploads())
    assert len(waits) == 3
    assert token("ada") not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_name_server_that_is_silent_for_a_while_costs_time_and_no_submission(
    exchange: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """podman's is, whenever a container starts or stops."""
    lookup, silent = socket.getaddrinfo, [7]

    def flaky(*asked: Any, **how: Any) -> Any:
        if silent[0]:
            silent[0] -= 1
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return lookup(*asked, **how)

    waits: list[float] = []
    ada = exchange.client("ada", wait=waits.append)
    monkeypatch.setattr(socket, "getaddrinfo", flaky)
    submission = ada.submit(COURSE, ASSIGNMENT, uploads())
    assert [listed.id for listed in exchange.ledger.submissions(COURSE)] == [submission.id]
    assert len(waits) == 7
    assert 10 < sum(waits) < TRYING_S
    monkeypatch.setattr("tito.exchange.client.client.TRYING_S", 0)
    silent[0] = 9
    with pytest.raises(ExchangeUnavailable, match="no name server knows its name"):
        exchange.client("ada", wait=waits.append).submit(COURSE, ASSIGNMENT, uploads())


def test_what_is_refused_is_not_asked_again(exchange: Service) -> None:
    waits: list[float] = []
    with pytest.raises(Refused) as caught:
        exchange.client("ada", wait=waits.append).submit(COURSE, "never", uploads())
    assert (caught.value.status, waits) == (404, [])


def test_a_page_of_something_else_is_told_as_such(exchange: Service) -> None:
    class Page(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            return httpx.Response(200, text="<html>login</html>")

    with pytest.raises(Refused, match="Something else than the exchange"):
        exchange.client("ada", transport=Page(), wait=lambda _: None).who()


def test_files_come_back_as_they_were_handed_in(exchange: Service, tmp_path: Path) -> None:
    files = {
        "p1.ipynb": b"{}",
        "Übung/数据 1.csv": b"\x00\xff" * 5000,
        "empty.txt": b"",
        "n" * 150 + ".txt": b"long name",
    }
    submission = exchange.client("ada").submit(COURSE, ASSIGNMENT, uploads(files))
    into = tmp_path / "into"
    into.mkdir()
    exchange.client("tutor").take_submission(submission, into)
    assert {path.relative_to(into).as_posix(): path.read_bytes() for path in into.rglob("*") if path.is_file()} == files


def test_a_download_that_breaks_off_is_taken_again_and_a_damaged_one_is_not_taken(
    exchange: Service, tmp_path: Path
) -> None:
    submission = exchange.client("ada").submit(COURSE, ASSIGNMENT, uploads({"p1.ipynb": b"x" * 400_000}))

    class Cut(Flaky):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            answer = super().handle_request(request)
            if self.plan.pop(0) == "cut":
                whole = answer.read()
                return httpx.Response(
                    200, headers={"Content-Type": "application/x-tar"}, content=whole[: len(whole) // 2]
                )
            return answer

    into = tmp_path / "into"
    into.mkdir()
    cut_once = Cut("works", "cut", "works", "works")
    exchange.client("tutor", transport=cut_once, wait=lambda _: None).take_submission(submission, into)
    assert (into / "p1.ipynb").stat().st_size == 400_000
    blob = next(path for path in (tmp_path / "exchange" / "blobs").glob("??/*") if path.stat().st_size == 400_000)
    blob.chmod(0o600)
    blob.write_bytes(b"y" * 400_000)
    with pytest.raises(ExchangeUnavailable):
        exchange.client("tutor", wait=lambda _: None).take_submission(submission, into)


def test_who_took_what_is_remembered(exchange: Service, tmp_path: Path) -> None:
    into = tmp_path / "into"
    into.mkdir()
    ada = exchange.client("ada")
    ada.take_release(ada.releases(COURSE)[0], into)
    exchange.client("tutor").take_submission(ada.submit(COURSE, ASSIGNMENT, uploads()), into)
    log = exchange.http("teacher").get(f"/courses/{COURSE}/fetches").json()
    assert [(fetch["by"], fetch["what"], fetch["student"]) for fetch in log] == [
        ("tutor", "submission", "ada"),
        ("ada", "release", ""),
    ]


def test_problems_are_plain_json(exchange: Service) -> None:
    answer = exchange.http().get("/whoami")
    assert json.loads(answer.content) == answer.json()
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
