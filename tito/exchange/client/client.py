"""The exchange service over HTTP, with the caller's hub token. Timeouts everywhere; what can be asked twice is."""

from __future__ import annotations

import re
import secrets
import shutil
import socket
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import IO, Any, TypeVar, cast
from urllib.parse import quote

import httpx

from tito.errors import ExchangeUnavailable
from tito.exchange.protocol.files import CHUNK, Upload, manifest_of, write_files
from tito.exchange.protocol.policy import policy_from_data, policy_to_data
from tito.exchange.protocol.problems import Refused
from tito.exchange.protocol.records import (
    Entry,
    Feedback,
    Lease,
    Policy,
    PolicyState,
    Precheck,
    PrecheckClaim,
    PrecheckedTest,
    PrecheckResult,
    PrecheckState,
    Release,
    Role,
    Submission,
    Who,
)
from tito.models import Limits

# nbgrader's handlers wait in the student's server, which answers nobody meanwhile: no call may take for ever.
TIMEOUT = httpx.Timeout(15.0, connect=4.0)
TIMEOUT_OF_FILES = httpx.Timeout(60.0, connect=4.0)
TRIES = 4
TRYING_S = 20.0  # after that long, what failed is not tried again
LONGEST_PAUSE_S = 2.0  # between tries that nobody asked to be further apart
AGAIN = frozenset({429, 502, 503, 504})
LONGEST_WAIT_S = 15.0

Answer = TypeVar("Answer")


class Client:
    """A gateway to the exchange service at `url`. The token is sent and never told."""

    def __init__(
        self,
        url: str,
        token: str,
        transport: httpx.BaseTransport | None = None,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        if not re.fullmatch(r"[\x21-\x7e]+", token):  # a header that cannot be sent would be quoted in an error
            raise ExchangeUnavailable("The hub's token is not of the form of one.", hint="Restart your server.")
        self._url = url.rstrip("/")
        self._wait = wait
        self._http = httpx.Client(
            base_url=self._url,
            headers={"Authorization": f"token {token}"},
            timeout=TIMEOUT,
            transport=transport,
            verify=self._url.startswith("https:"),  # to read the machine's certificates takes a while
        )

    @property
    def place(self) -> str:
        return self._url

    def who(self) -> Who:
        data = self._json("GET", "/whoami")
        courses = {name: Role[role.upper()] for name, role in data["courses"].items()}
        return Who(data["name"], courses, str(data.get("page", "")))

    def releases(self, course: str, assignment: str = "") -> list[Release]:
        found = self._json("GET", f"/courses/{_part(course)}/releases")
        return [one for one in map(_release, found) if assignment in ("", one.assignment)]

    def take_release(self, release: Release, folder: Path) -> None:
        path = f"/courses/{_part(release.course)}/releases/{_part(release.assignment)}/archive"
        what = f"{release.course}/{release.assignment}"
        self._take(path, what, release.manifest_sha256, release.files, folder)

    def publish(self, course: str, assignment: str, uploads: list[Upload], *, replace: bool) -> Release:
        path = f"/courses/{_part(course)}/releases/{_part(assignment)}"
        return _release(self._upload(path, uploads, params={"replace": replace}))

    def withdraw(self, course: str, assignment: str) -> Release:
        path = f"/courses/{_part(course)}/releases/{_part(assignment)}"
        return _release(self._answer("DELETE", path).json())

    def submit(self, course: str, assignment: str, uploads: list[Upload]) -> Submission:
        path = f"/courses/{_part(course)}/assignments/{_part(assignment)}/submissions"
        # One key for all tries: when only the answer was lost, the next try finds what the first one stored.
        return _submission(self._upload(path, uploads, headers={"Idempotency-Key": secrets.token_hex(16)}))

    def my_submissions(self, course: str, assignment: str = "") -> list[Submission]:
        return self._submissions(f"/courses/{_part(course)}/submissions/mine", assignment)

    def submissions(self, course: str, assignment: str = "") -> list[Submission]:
        return self._submissions(f"/courses/{_part(course)}/submissions", assignment)

    def take_submission(self, submission: Submission, folder: Path) -> None:
        what = f"{submission.student}'s {submission.assignment}"
        self._take(f"{_of(submission)}/archive", what, submission.manifest_sha256, submission.files, folder)

    def give_feedback(self, submission: Submission, uploads: list[Upload]) -> Feedback:
        return _feedback(self._upload(f"{_of(submission)}/feedback", uploads))

    def take_feedback(self, submission: Submission, folder: Path) -> None:
        feedback = _feedback(self._json("GET", f"{_of(submission)}/feedback"))
        path = f"{_of(submission)}/feedback/archive"
        self._take(path, "The feedback", feedback.manifest_sha256, feedback.files, folder)

    def set_policy(self, course: str, policy: Policy) -> PolicyState:
        data = self._json("PUT", f"/courses/{_part(course)}/policy", json=policy_to_data(policy))
        return PolicyState(data["course"], data["revision"], policy_from_data(data["policy"]))

    def precheck(self, submission: Submission) -> Precheck:
        return _precheck(self._json("GET", f"{_of(submission)}/precheck"))

    def close(self) -> None:
        self._http.close()

    # ---- for the service that runs prechecks --------------------------------------------------

    def claim_precheck(self, course: str, wait_s: float) -> PrecheckClaim | None:
        """The precheck whose turn it is, from now on the caller's; None where none has come within that time."""
        params = {"wait_s": wait_s}
        data = self._json("POST", f"/courses/{_part(course)}/prechecks/claim", params=params)
        return _claim(data) if data else None

    def take_claimed(self, claim: PrecheckClaim, folder: Path) -> None:
        """The files of a submission that was claimed."""
        one = claim.submission
        path = f"/courses/{_part(one.course)}/prechecks/{_part(one.id)}/archive"
        self._take(path, f"{one.student}'s {one.assignment}", one.manifest_sha256, one.files, folder)

    def renew_precheck(self, course: str, submission: str, lease: str) -> Lease:
        """Have a claimed precheck for longer."""
        path = f"/courses/{_part(course)}/prechecks/{_part(submission)}/renewal"
        return _lease(self._json("POST", path, json={"lease": lease}))

    def give_result(self, claim: PrecheckClaim, engine: str, tests: list[PrecheckedTest], fault: str) -> Precheck:
        """Answer for a claimed precheck."""
        one = claim.submission
        body = {"lease": claim.lease.key, "revision": claim.release.revision, "engine": engine, "fault": fault}
        body["tests"] = [asdict(test) for test in tests]
        path = f"/courses/{_part(one.course)}/prechecks/{_part(one.id)}/result"
        return _precheck(self._json("POST", path, json=body))

    # ---- how it is asked ---------------------------------------------------------------------------

    def _submissions(self, path: str, assignment: str) -> list[Submission]:
        params = {"assignment": assignment} if assignment else {}
        return [_submission(one) for one in self._json("GET", path, params=params)]

    def _json(self, method: str, path: str, **how: Any) -> Any:
        return self._again(lambda: self._answer(method, path, **how).json())

    def _upload(self, path: str, uploads: list[Upload], **how: Any) -> Any:
        manifest = manifest_of(uploads)
        by_path = {one.entry.path: one for one in uploads}

        def send() -> Any:
            parts: list[tuple[str, Any]] = [("manifest", ("manifest.json", manifest.to_json(), "application/json"))]
            for number, entry in enumerate(manifest.files):
                content = by_path[entry.path].content
                content.seek(0)
                parts.append(("file", (str(number), content, "application/octet-stream")))
            return self._answer("POST", path, files=parts, timeout=TIMEOUT_OF_FILES, **how).json()

        return self._again(send)

    def _take(self, path: str, what: str, manifest_sha256: str, files: list[Entry], folder: Path) -> None:
        def take() -> None:
            for old in folder.iterdir():  # of a try that broke off
                shutil.rmtree(old) if old.is_dir() else old.unlink()
            with self._told(), self._http.stream("GET", path, timeout=TIMEOUT_OF_FILES) as answer:
                if answer.is_error:
                    answer.read()
                    raise _problem(answer)
                write_files(what, manifest_sha256, files, _members(answer, what), folder)

        self._again(take)

    def _answer(self, method: str, path: str, **how: Any) -> httpx.Response:
        with self._told():
            answer = self._http.request(method, path, **how)
        if answer.is_error or not _is_json(answer):
            raise _problem(answer)
        return answer

    def _again(self, ask: Callable[[], Answer]) -> Answer:
        """Ask, and ask again while the service is away or too busy. A name server may be silent for longer than a few
        tries take (podman's is whenever a container starts), and to ask it costs nobody anything."""
        until = time.monotonic() + TRYING_S
        for attempt in count(1):
            try:
                return ask()
            except (_Lost, Refused) as error:
                tried = attempt >= TRIES and not isinstance(error, _Unnamed)
                last = tried or time.monotonic() > until
                if last or (isinstance(error, Refused) and error.status not in AGAIN):
                    raise
                wanted = error.retry_after_s if isinstance(error, Refused) else 0
                if wanted > LONGEST_WAIT_S:
                    raise
                self._wait(max(wanted, min(0.25 * 2**attempt, LONGEST_PAUSE_S)))
        raise AssertionError("unreachable")

    @contextmanager
    def _told(self) -> Iterator[None]:
        """httpx's errors as ours; theirs may quote a request."""
        try:
            yield
        except (httpx.HTTPError, tarfile.TarError) as error:
            if _is_unnamed(error):
                raise _Unnamed(
                    f"Where the exchange at {self._url} is cannot be found out: no name server knows its name.",
                    hint="Nothing is lost: try again in a minute. If it stays so, tell the instructor.",
                ) from error
            raise _Lost(
                f"The exchange at {self._url} does not answer ({type(error).__name__}).",
                hint="Nothing is lost: try again in a minute. If it stays so, tell the instructor.",
            ) from error


class _Lost(ExchangeUnavailable):
    """No answer came: it may have been done, or not."""


class _Unnamed(_Lost):
    """It could not be asked: its name could not be looked up."""


def _is_unnamed(error: BaseException | None) -> bool:
    """Whether the cause is the lookup of a name, which httpx does not tell from a connection that was refused."""
    while error is not None and not isinstance(error, socket.gaierror):
        error = error.__cause__ or error.__context__
    return error is not None


def _part(name: str) -> str:
    return quote(name, safe="")


def _of(submission: Submission) -> str:
    return f"/courses/{_part(submission.course)}/submissions/{_part(submission.id)}"


def _is_json(answer: httpx.Response) -> bool:
    return str(answer.headers.get("Content-Type", "")).startswith("application/json")


def _problem(answer: httpx.Response) -> Refused:
    """An answer that is no success, as the error that it tells of."""
    data: Any = None
    if _is_json(answer):
        try:
            data = answer.json()
        except ValueError:
            data = None
    retry = answer.headers.get("Retry-After", "")
    wait = int(retry) if retry.isdigit() else 0
    if isinstance(data, dict) and isinstance(data.get("error"), str):
        where, hint = str(data.get("where", "")), str(data.get("hint", ""))
        return Refused(data["error"], status=answer.status_code, where=where, hint=hint, retry_after_s=wait)
    return Refused(
        f"Something else than the exchange answered (HTTP {answer.status_code}).",
        status=answer.status_code if answer.is_error else 502,
        hint="Check the address of the exchange, and that its service runs.",
        retry_after_s=wait,
    )


def _members(answer: httpx.Response, what: str) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Paths and contents from a tar stream. Nothing is unpacked by tarfile itself."""
    with tarfile.open(fileobj=cast(IO[bytes], _Reader(answer.iter_bytes(CHUNK))), mode="r|") as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isreg() else None
            if content is None:
                raise Refused(f"{what} holds something that is no file.", status=502, where="archive")
            yield member.name, iter(lambda content=content: content.read(CHUNK), b"")  # type: ignore[misc]


class _Reader:
    """A stream of bytes, as a file to read."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def read(self, count: int) -> bytes:
        parts, wanted = [], count
        while wanted > 0:
            if not self._rest:
                self._rest = next(self._chunks, b"")
                if not self._rest:
                    break
            parts.append(self._rest[:wanted])
            self._rest = self._rest[wanted:]
            wanted -= len(parts[-1])
        return b"".join(parts)


def _entries(data: Any) -> list[Entry]:
    return [Entry(one["path"], one["sha256"], one["size"]) for one in data]


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _release(data: Any) -> Release:
    known = data | {"released_at": _time(data["released_at"]), "files": _entries(data["files"])}
    return Release(**known)


def _feedback(data: Any) -> Feedback:
    return Feedback(**(data | {"released_at": _time(data["released_at"]), "files": _entries(data["files"])}))


def _submission(data: Any) -> Submission:
    changed = {
        "received_at": _time(data["received_at"]),
        "files": _entries(data["files"]),
        "due_at": _time(data["due_at"]) if data["due_at"] else None,
        "feedback": _feedback(data["feedback"]) if data["feedback"] else None,
    }
    return Submission(**(data | changed))


def _precheck(data: Any) -> Precheck:
    result = data["result"]
    if result is not None:
        tests = [PrecheckedTest(**one) for one in result["tests"]]
        result = PrecheckResult(**(result | {"made_at": _time(result["made_at"]), "tests": tests}))
    next_at = _time(data["next_at"]) if data["next_at"] else None
    return Precheck(data["submission"], PrecheckState(data["state"]), next_at, result)


def _claim(data: Any) -> PrecheckClaim:
    return PrecheckClaim(
        submission=_submission(data["submission"]),
        release=_release(data["release"]),
        packages=data["packages"],
        limits=Limits(**data["limits"]),
        lease=_lease(data["lease"]),
    )


def _lease(data: Any) -> Lease:
    return Lease(data["key"], _time(data["until"]), data["seconds"])
