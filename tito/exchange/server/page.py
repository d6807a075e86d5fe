"""The exchange as one person sees it in a browser: own submissions, receipts, verdicts of visible tests, feedback.

Read-only, without a script. Students' servers are on the same origin, so a page of theirs must get nothing out of this
one: it is a document of an origin of its own (CSP `sandbox`), in no frame, and given to who navigates to it alone.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import Request
from fastapi.responses import HTMLResponse

from tito.exchange.protocol.problems import Refused
from tito.exchange.protocol.records import Precheck, PrecheckResult, PrecheckState, Release, Submission
from tito.exchange.server.identity import Caller
from tito.exchange.server.ledger import Ledger

if TYPE_CHECKING:
    from jinja2 import Template

REFRESH_S = 3
SHOWN = 20  # submissions of one assignment
STATES = {
    PrecheckState.OFF: "",
    PrecheckState.WAITING: "their turn is to come",
    PrecheckState.REPLACED: "not run: a newer submission came before its turn",
    PrecheckState.DROPPED: "not run: the assignment was withdrawn, or prechecks were switched off",
    PrecheckState.FAILED: "could not be run, which is not your fault; tell the instructor",
}

TEMPLATES = Path(__file__).with_name("templates")


@dataclass(frozen=True)
class AssignmentShown:
    """One assignment of one student."""

    name: str
    released: bool
    due: datetime | None
    submissions: list[Submission]  # newest first
    prechecks: dict[str, Precheck]

    @property
    def tested(self) -> tuple[Submission, PrecheckResult] | None:
        """The newest submission whose tests say something, and what they say."""
        checked = (
            (submission, self.prechecks[submission.id].result)
            for submission in self.submissions
            if submission.id in self.prechecks
        )
        return next(
            ((submission, result) for submission, result in checked if result is not None and result.tests), None
        )


def require_navigation(request: Request) -> None:
    """Raise where a script or a frame asks, as browsers tell that do so on a secure connection.

    Raises:
        Refused: it is no navigation of a whole window.
    """
    if request.headers.get("Sec-Fetch-Dest", "document") != "document":
        raise Refused("This page is to be opened in a window of its own.", status=403, where="page")


def page_of(caller: Caller, ledger: Ledger) -> HTMLResponse:
    """The page of one user: what they handed in, in each of their courses."""
    courses = [(course, _assignments(ledger, course, caller.name)) for course in sorted(caller.roles)]
    awaited = any(
        not precheck.state.final and precheck.next_at is None
        for _, assignments in courses
        for assignment in assignments
        for precheck in assignment.prechecks.values()
    )
    return _html(name=caller.name, courses=courses, refresh_s=REFRESH_S if awaited else 0)


def problem_page(refusal: Refused) -> HTMLResponse:
    """Why there is no page."""
    answer = _html(problem=refusal)
    answer.status_code = refusal.status
    return answer


def _assignments(ledger: Ledger, course: str, student: str) -> list[AssignmentShown]:
    released = {release.assignment: release for release in ledger.releases(course)}
    submissions = ledger.submissions(course, "", student)
    prechecks = ledger.prechecks.of_student(course, student)
    policy = ledger.policy(course).policy
    return [
        AssignmentShown(name, name in released, policy.due(name, student), _newest(submissions, name), prechecks)
        for name in _names(released, submissions)
    ]


def _names(released: dict[str, Release], submissions: Iterable[Submission]) -> list[str]:
    return sorted({*released, *(submission.assignment for submission in submissions)})


def _newest(submissions: list[Submission], assignment: str) -> list[Submission]:
    return [submission for submission in reversed(submissions) if submission.assignment == assignment][:SHOWN]


def _html(**values: Any) -> HTMLResponse:
    return HTMLResponse(_template().render(style=_style(), **values), headers=_headers())


@cache
def _style() -> str:
    return (TEMPLATES / "page.css").read_text(encoding="utf-8").strip()


@cache
def _headers() -> dict[str, str]:
    """The policy names the style by its hash, so what is hashed is what stands in the page, to the byte."""
    style_hash = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return {
        # `allow-scripts` lets the page refresh itself; there is no script that could run, by `default-src`.
        "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{style_hash}'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'; sandbox allow-scripts",
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
    }


@cache
def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader

    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["time"] = _time
    environment.filters["precheck"] = _in_words
    return environment.get_template("page.html")


def _time(when: datetime) -> str:
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _in_words(precheck: Precheck) -> str:
    """A precheck in a few words."""
    if precheck.result is not None:
        passed = sum(test.verdict == "PASSED" for test in precheck.result.tests)
        return precheck.result.fault or f"{passed} of {len(precheck.result.tests)} passed"
    return f"are run from {_time(precheck.next_at)} on: you had many" if precheck.next_at else STATES[precheck.state]
