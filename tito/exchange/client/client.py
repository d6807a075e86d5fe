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
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import IO, Any, Literal, TypeVar, cast
from urllib.parse import quote

import httpx

from tito.errors import ExchangeUnavailable
from tito.exchange.protocol.files import CHUNK, Upload, manifest_of, write_files
from tito.exchange.protocol.problems import Refused
from tito.exchange.protocol.records import (
    Deadline,
    Entry,
    Feedback,
    Lease,
    Policy,
    PolicyState,
    Precheck,
    PrecheckClaim,
    PrecheckedTest,
    Release,
    Role,
    Submission,
    Who,
)
from tito.validation import from_json, to_json

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
        me = self._ask(_Me, "GET", "/whoami")
        return Who(me.name, {course: Role[role.upper()] for course, role in me.courses.items()}, me.page)

    def releases(self, course: str, assignment: str = "") -> list[Release]:
        releases = self._ask(list[Release], "GET", f"/courses/{_part(course)}/releases")
        return [release for release in releases if assignment in ("", release.assignment)]

    def take_release(self, release: Release, folder: Path) -> None:
        path = f"/courses/{_part(release.course)}/releases/{_part(release.assignment)}/archive"
        what = f"{release.course}/{release.assignment}"
        self._take(path, what, release.manifest_sha256, release.files, folder)

    def publish(self, course: str, assignment: str, uploads: list[Upload], *, replace: bool) -> Release:
        path = f"/courses/{_part(course)}/releases/{_part(assignment)}"
        return self._upload(Release, path, uploads, params={"replace": replace})

    def withdraw(self, course: str, assignment: str) -> Release:
        path = f"/courses/{_part(course)}/releases/{_part(assignment)}"
        return self._read(Release, self._answer("DELETE", path))

    def submit(self, course: str, assignment: str, uploads: list[Upload]) -> Submission:
        path = f"/courses/{_part(course)}/assignments/{_part(assignment)}/submissions"
        # One key for all tries: when only the answer was lost, the next try finds what the first one stored.
        return self._upload(Submission, path, uploads, headers={"Idempotency-Key": secrets.token_hex(16)})

    def my_submissions(self, course: str, assignment: str = "") -> list[Submission]:
        return self._submissions(f"/courses/{_part(course)}/submissions/mine", assignment)

    def submissions(self, course: str, assignment: str = "") -> list[Submission]:
        return self._submissions(f"/courses/{_part(course)}/submissions", assignment)

    def take_submission(self, submission: Submission, folder: Path) -> None:
        what = f"{submission.student}'s {submission.assignment}"
        self._take(f"{_of(submission)}/archive", what, submission.manifest_sha256, submission.files, folder)

    def give_feedback(self, submission: Submission, uploads: list[Upload]) -> Feedback:
        return self._upload(Feedback, f"{_of(submission)}/feedback", uploads)

    def take_feedback(self, submission: Submission, folder: Path) -> None:
        feedback = self._ask(Feedback, "GET", f"{_of(submission)}/feedback")
        path = f"{_of(submission)}/feedback/archive"
        self._take(path, "The feedback", feedback.manifest_sha256, feedback.files, folder)

    def policy(self, course: str) -> PolicyState:
        return self._ask(PolicyState, "GET", f"/courses/{_part(course)}/policy")

    def deadlines(self, course: str) -> list[Deadline]:
        return self._ask(list[Deadline], "GET", f"/courses/{_part(course)}/deadlines/mine")

    def set_policy(self, course: str, policy: Policy) -> PolicyState:
        how = {"content": to_json(policy), "headers": {"Content-Type": "application/json"}}
        return self._ask(PolicyState, "PUT", f"/courses/{_part(course)}/policy", **how)

    def precheck(self, submission: Submission) -> Precheck:
        return self._ask(Precheck, "GET", f"{_of(submission)}/precheck")

    def close(self) -> None:
        self._http.close()

    # ---- for the service that runs prechecks --------------------------------------------------

    def claim_precheck(self, course: str, wait_s: float) -> PrecheckClaim | None:
        """The precheck whose turn it is, from now on the caller's; None where none has come within that time."""
        path = f"/courses/{_part(course)}/prechecks/claim"
        answer = self._again(lambda: self._answer("POST", path, params={"wait_s": wait_s}))
        return None if answer.content == b"null" else self._read(PrecheckClaim, answer)

    def take_claimed(self, claim: PrecheckClaim, folder: Path) -> None:
        """The files of a submission that was claimed."""
        submission = claim.submission
        path = f"/courses/{_part(submission.course)}/prechecks/{_part(submission.id)}/archive"
        what = f"{submission.student}'s {submission.assignment}"
        self._take(path, what, submission.manifest_sha256, submission.files, folder)

    def renew_precheck(self, course: str, submission: str, lease: str) -> Lease:
        """Have a claimed precheck for longer."""
        path = f"/courses/{_part(course)}/prechecks/{_part(submission)}/renewal"
        return self._ask(Lease, "POST", path, json={"lease": lease})

    def give_result(self, claim: PrecheckClaim, engine: str, tests: list[PrecheckedTest], fault: str) -> Precheck:
        """Answer for a claimed precheck."""
        submission = claim.submission
        body = {"lease": claim.lease.key, "revision": claim.release.revision, "engine": engine, "fault": fault}
        body["tests"] = [asdict(test) for test in tests]
        path = f"/courses/{_part(submission.course)}/prechecks/{_part(submission.id)}/result"
        return self._ask(Precheck, "POST", path, json=body)

    # ---- how it is asked ---------------------------------------------------------------------------

    def _submissions(self, path: str, assignment: str) -> list[Submission]:
        params = {"assignment": assignment} if assignment else {}
        return self._ask(list[Submission], "GET", path, params=params)

    def _ask(self, shape: type[Answer], method: str, path: str, **how: Any) -> Answer:
        return self._read(shape, self._again(lambda: self._answer(method, path, **how)))

    def _read(self, shape: type[Answer], answer: httpx.Response) -> Answer:
        try:
            return from_json(shape, answer.content)
        except ValueError:  # whose text may hold what was answered
            raise ExchangeUnavailable(
                f"What the exchange at {self._url} answered is not of the form of an answer.",
                hint="Tell the instructor: it may be of another version.",
            ) from None

    def _upload(self, shape: type[Answer], path: str, uploads: list[Upload], **how: Any) -> Answer:
        manifest = manifest_of(uploads)
        by_path = {upload.entry.path: upload for upload in uploads}

        def send() -> httpx.Response:
            parts: list[tuple[str, Any]] = [("manifest", ("manifest.json", manifest.to_json(), "application/json"))]
            for number, entry in enumerate(manifest.files):
                content = by_path[entry.path].content
                content.seek(0)
                parts.append(("file", (str(number), content, "application/octet-stream")))
            return self._answer("POST", path, files=parts, timeout=TIMEOUT_OF_FILES, **how)

        return self._read(shape, self._again(send))

    def _take(self, path: str, what: str, manifest_sha256: str, files: list[Entry], folder: Path) -> None:
        def take() -> None:
            for old in folder.iterdir():  # of a try that broke off
                shutil.rmtree(old) if old.is_dir() else old.unlink()
            with self._translated(), self._http.stream("GET", path, timeout=TIMEOUT_OF_FILES) as answer:
                if answer.is_error:
                    answer.read()
                    raise _problem(answer)
                write_files(what, manifest_sha256, files, _members(answer, what), folder)

        self._again(take)

    def _answer(self, method: str, path: str, **how: Any) -> httpx.Response:
        with self._translated():
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
    def _translated(self) -> Iterator[None]:
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


@dataclass(frozen=True)
class _Me:
    """What the service says of its caller."""

    name: str
    courses: dict[str, Literal["nobody", "student", "ta", "instructor"]]
    page: str = ""


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
    with tarfile.open(fileobj=cast(IO[bytes], _Stream(answer.iter_bytes(CHUNK))), mode="r|") as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isreg() else None
            if content is None:
                raise Refused(f"{what} holds something that is no file.", status=502, where="archive")
            yield member.name, iter(lambda content=content: content.read(CHUNK), b"")  # type: ignore[misc]


class _Stream:
    """Chunks of bytes, as the file that tarfile reads front to back: it takes any size, and comes back for more."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks

    def read(self, _: int) -> bytes:
        return next(self._chunks, b"")
