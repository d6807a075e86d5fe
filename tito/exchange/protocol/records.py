"""What crosses between the exchange and those who use it: manifests, releases, submissions, feedback, policy.

A manifest lists the files of a bundle. Its canonical form (JSON, files sorted by path, no spaces) has one SHA-256,
which stands for the content of all files. A receipt is one over that number, who handed it in, and the server's time.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from typing import Any

from tito.course.settings import FileSettings
from tito.exchange.protocol.names import check_paths
from tito.exchange.protocol.problems import Refused
from tito.models import Limits
from tito.policy.time_policy import TimePolicy
from tito.validation import from_json

SIGNED = ("course", "assignment", "student", "submission", "received_at", "manifest_sha256")  # of a receipt
SHA256 = re.compile(r"[0-9a-f]{64}")
TIMESTAMP_FORMAT = "%Y-%m-%d %H:%M:%S.%f %Z"  # nbgrader's own


class Role(IntEnum):
    """What a user is in a course. Each may do what those before it may."""

    NOBODY = 0
    STUDENT = 1
    TA = 2  # collects, grades and returns; does not release
    INSTRUCTOR = 3


@dataclass(frozen=True)
class Entry:
    """One file of a bundle."""

    path: str
    sha256: str
    size: int


@dataclass(frozen=True)
class _Listed:
    """A manifest as it is sent: in any order, and not looked at yet."""

    files: list[Entry]


@dataclass(frozen=True)
class Manifest:
    """The files of a bundle, sorted by path."""

    files: tuple[Entry, ...]

    @classmethod
    def of(cls, files: list[Entry] | tuple[Entry, ...]) -> Manifest:
        """A manifest of checked files.

        Raises:
            Refused: a name, a size or a hash that cannot be, or no file at all.
        """
        if not files:
            raise Refused("There is no file in it.", status=400, where="manifest", hint="Hand in a notebook at least.")
        for entry in files:
            if not SHA256.fullmatch(entry.sha256) or entry.size < 0:
                raise Refused("A file without a SHA-256 or a size.", status=400, where="manifest")
        check_paths(entry.path for entry in files)
        return cls(tuple(sorted(files, key=lambda entry: entry.path)))

    @classmethod
    def from_json(cls, text: bytes | str) -> Manifest:
        """Read what `to_json` writes, in any order of files.

        Raises:
            Refused: it is something else.
        """
        try:
            listed = from_json(_Listed, text)
        except ValueError as error:
            raise Refused(
                "The manifest cannot be read.",
                status=400,
                where="manifest",
                hint='JSON is wanted: {"files": [{"path": ..., "sha256": ..., "size": ...}]}.',
            ) from error
        return cls.of(listed.files)

    def to_json(self) -> bytes:
        """The canonical form."""
        data = {"files": [asdict(entry) for entry in self.files]}
        return json.dumps(data, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.to_json()).hexdigest()

    @property
    def size(self) -> int:
        return sum(entry.size for entry in self.files)


@dataclass(frozen=True)
class Who:
    """A user as the exchange knows them, their role in each of their courses, and where a browser shows what is theirs
    (a path at the hub's address; "" where there is no page)."""

    name: str
    courses: dict[str, Role]
    page: str = ""


@dataclass(frozen=True)
class Release:
    """One revision of an assignment, as students fetch it."""

    course: str
    assignment: str
    revision: int
    released_at: datetime
    released_by: str
    manifest_sha256: str
    files: list[Entry]


@dataclass(frozen=True)
class Feedback:
    """Feedback on one submission; the newest revision counts."""

    submission: str
    revision: int
    released_at: datetime
    manifest_sha256: str
    files: list[Entry]


@dataclass(frozen=True)
class Submission:
    """What was handed in, when (by the server's clock), and the SHA-256 of its manifest: what the receipt is about."""

    id: str
    course: str
    assignment: str
    student: str
    received_at: datetime
    manifest_sha256: str
    files: list[Entry]
    due_at: datetime | None = None  # by the policy as it is now, extensions included
    late: bool = False  # after that and the grace period
    feedback: Feedback | None = None

    @property
    def timestamp(self) -> str:
        """The time as nbgrader writes it."""
        return self.received_at.astimezone(UTC).strftime(TIMESTAMP_FORMAT)

    @property
    def receipt_sha256(self) -> str:
        """What settles a doubt: it stands for who handed in what for what, and when. The same files handed in again
        have another one."""
        return receipt_sha256(self._signed)

    @property
    def _signed(self) -> dict[str, str]:
        return {
            "course": self.course,
            "assignment": self.assignment,
            "student": self.student,
            "submission": self.id,
            "received_at": self.received_at.astimezone(UTC).isoformat(timespec="microseconds"),
            "manifest_sha256": self.manifest_sha256,
        }

    def receipt(self) -> dict[str, Any]:
        """What a student keeps: plain values, for a JSON file."""
        return {
            **self._signed,
            "receipt_sha256": self.receipt_sha256,
            "due_at": self.due_at.astimezone(UTC).isoformat() if self.due_at else None,
            "late": self.late,
            "files": [asdict(entry) for entry in self.files],
        }


def receipt_sha256(receipt: Mapping[str, Any]) -> str:
    """The SHA-256 of a receipt, from what it says: its fields of SIGNED in canonical JSON."""
    signed = {name: receipt[name] for name in SIGNED}
    text = json.dumps(signed, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class PrecheckPolicy:
    """That visible tests are run on submit: how often for one student and assignment, with what, within what, and with
    which files that are handed in beside the notebook."""

    per_hour: int
    packages: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    files: FileSettings = field(default_factory=FileSettings)


@dataclass(frozen=True)
class Policy(TimePolicy):
    """What a course says about time, size and prechecks. A copy: the course file is what is edited."""

    submission_mb: int | None = None
    precheck: PrecheckPolicy | None = None  # None: no prechecks on submit


@dataclass(frozen=True)
class Deadline:
    """One's own deadline of an assignment, and what comes of handing it in now, by the exchange's clock."""

    assignment: str
    due_at: datetime | None
    late: bool  # now: deadline and grace period are over
    closed: bool  # now: nothing is taken any more
    excused: bool
    credit: float  # percent, with the tokens that would be spent on it
    tokens: int
    tokens_left: int  # of all that one has, with these and those of other assignments spent
    handed_in_at: datetime | None  # the newest until now, which a newer one replaces


@dataclass(frozen=True)
class PolicyState:
    """The policy of a course, and how often it has been changed."""

    course: str
    revision: int
    policy: Policy


@dataclass(frozen=True)
class Fetch:
    """That someone took something: `what` is release, submission or feedback."""

    at: datetime
    by: str
    what: str
    assignment: str
    student: str
    reference: str


class PrecheckState(StrEnum):
    """What became of the precheck of a submission's visible tests."""

    OFF = "off"  # the course had none when it was handed in
    WAITING = "waiting"  # in the queue, which is for a time where the student had many; or at work
    REPLACED = "replaced"  # a newer submission came before its turn
    DROPPED = "dropped"  # the release was withdrawn, or prechecks switched off, before its turn
    FAILED = "failed"  # tried again and again, to no end
    DONE = "done"

    @property
    def final(self) -> bool:
        return self is not PrecheckState.WAITING


@dataclass(frozen=True)
class PrecheckedTest:
    """What a visible test said. Never a grade: no points, and nothing of hidden tests."""

    notebook: str
    name: str
    verdict: str
    message: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class PrecheckResult:
    """What the visible tests of one revision of a release said of a submission. `fault`: why they could not be run."""

    revision: int
    engine: str
    made_at: datetime
    tests: list[PrecheckedTest]
    fault: str = ""


@dataclass(frozen=True)
class Precheck:
    """How it stands with the precheck of one submission."""

    submission: str
    state: PrecheckState
    next_at: datetime | None = None  # before when it is not made: the student has had as many as the course gives
    result: PrecheckResult | None = None


@dataclass(frozen=True)
class Lease:
    """That a precheck is one worker's until then, and for so many seconds more whenever it is renewed. Without its key
    no result is taken."""

    key: str
    until: datetime
    seconds: float


@dataclass(frozen=True)
class PrecheckClaim:
    """A precheck that a worker has taken on."""

    submission: Submission
    release: Release
    packages: list[str]
    limits: Limits
    lease: Lease
    files: FileSettings = field(default_factory=FileSettings)
