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
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse

from tito.exchange.protocol.problems import Refused
from tito.exchange.protocol.records import Check, CheckResult, CheckState, Release, Submission
from tito.exchange.server.identity import Caller
from tito.exchange.server.ledger import Ledger

REFRESH_S = 3
SHOWN = 20  # submissions of one assignment
SAID = {
    CheckState.OFF: "",
    CheckState.WAITING: "their turn is to come",
    CheckState.REPLACED: "not run: a newer submission came before its turn",
    CheckState.DROPPED: "not run: the assignment was withdrawn, or checks were switched off",
    CheckState.FAILED: "could not be run, which is not your fault; tell the instructor",
}

STYLE = """
:root { color-scheme: light dark; --line: #8884; --good: #1a7f37; --bad: #b42318; --dim: #767676; }
@media (prefers-color-scheme: dark) { :root { --good: #4ac26b; --bad: #ff7b72; --dim: #9a9a9a; } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.15rem; margin-top: 2rem; } h3 { font-size: 1rem; margin: 1.5rem 0 .3rem; }
table { border-collapse: collapse; width: 100%; } th { text-align: left; font-weight: 600; color: var(--dim); }
th, td { padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
code { font-size: .85em; overflow-wrap: anywhere; }
pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; font-size: .85em; }
.dim { color: var(--dim); } .passed { color: var(--good); } .bad { color: var(--bad); } .when { white-space: nowrap; }
.wide { width: 100%; }
.verdict { white-space: nowrap; font-weight: 600; font-size: .85em; }
details { margin: .4rem 0; } summary { cursor: pointer; }
""".strip()

TEMPLATE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width">
{% if refresh_s %}<meta http-equiv="refresh" content="{{ refresh_s }}">{% endif %}
<title>What you handed in</title>
<style>{{ style|safe }}</style>
</head>
<body>
{% if problem %}
<h1>{{ problem.message }}</h1><p>{{ problem.hint }}</p>
{% else %}
<h1>What you handed in, {{ name }}</h1>
{% for course, assignments in courses %}
<h2>{{ course }}</h2>
{% for one in assignments %}
<h3>{{ one.name }}</h3>
<p class="dim">{% if one.due %}Due {{ one.due|time }}.{% endif %}
{% if not one.released %}No longer released.{% endif %}
{% if not one.submissions %}Nothing handed in yet.{% endif %}</p>
{% if one.submissions %}
<table>
<tr><th>Handed in</th><th>Receipt</th><th>Visible tests</th><th>Feedback</th></tr>
{% for made in one.submissions %}
<tr>
<td class="when">{{ made.received_at|time }}{% if made.late %} <b class="bad">late</b>{% endif %}</td>
<td><code>{{ made.id }}</code><br><span class="dim">{{ made.files|length }} files, SHA-256
<code>{{ made.manifest_sha256 }}</code></span></td>
<td>{{ one.checks[made.id]|check if made.id in one.checks else "" }}</td>
<td>{% if made.feedback %}released {{ made.feedback.released_at|time }}{% endif %}</td>
</tr>
{% endfor %}
</table>
{% if one.tested %}
{% set made, result = one.tested %}
<details open><summary>Visible tests of what you handed in {{ made.received_at|time }}</summary>
<p class="dim">Hidden tests are not run here, and this is no grade. Revision {{ result.revision }} of the release,
engine {{ result.engine }}.</p>
<table>
{% for test in result.tests %}
<tr>
<td class="verdict {{ 'passed' if test.verdict == 'PASSED' else 'bad' }}">{{ test.verdict }}</td>
<td class="wide"><code>{{ test.name }}</code>{% if test.message %}<pre>{{ test.message }}</pre>{% endif %}</td>
<td class="dim when">{{ "%.2f s"|format(test.seconds) }}</td>
</tr>
{% endfor %}
</table>
</details>
{% endif %}
{% endif %}
{% endfor %}
{% else %}
<p>You are in no course of this exchange.</p>
{% endfor %}
<p class="dim">Times are the server's. Feedback is fetched in the Assignment List, or with
<code>nbgrader fetch_feedback</code>.</p>
{% endif %}
</body>
</html>
"""

_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
HEADERS = {
    # `allow-scripts` lets the page refresh itself; there is no script that could run, by `default-src`.
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; sandbox allow-scripts",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class AssignmentShown:
    """One assignment of one student."""

    name: str
    released: bool
    due: datetime | None
    submissions: list[Submission]  # newest first
    checks: dict[str, Check]

    @property
    def tested(self) -> tuple[Submission, CheckResult] | None:
        """The newest submission whose tests say something, and what they say."""
        found = ((one, self.checks[one.id].result) for one in self.submissions if one.id in self.checks)
        return next(((one, result) for one, result in found if result is not None and result.tests), None)


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
        not check.state.final and check.next_at is None
        for _, some in courses
        for one in some
        for check in one.checks.values()
    )
    return _html(name=caller.name, courses=courses, refresh_s=REFRESH_S if awaited else 0)


def problem_page(refusal: Refused) -> HTMLResponse:
    """Why there is no page."""
    answer = _html(problem=refusal)
    answer.status_code = refusal.status
    return answer


def _assignments(ledger: Ledger, course: str, student: str) -> list[AssignmentShown]:
    released = {one.assignment: one for one in ledger.releases(course)}
    made = ledger.submissions(course, "", student)
    checks = ledger.checks.of_student(course, student)
    policy = ledger.policy(course).policy
    return [
        AssignmentShown(name, name in released, policy.due(name, student), _newest(made, name), checks)
        for name in _names(released, made)
    ]


def _names(released: dict[str, Release], made: Iterable[Submission]) -> list[str]:
    return sorted({*released, *(one.assignment for one in made)})


def _newest(made: list[Submission], assignment: str) -> list[Submission]:
    return [one for one in reversed(made) if one.assignment == assignment][:SHOWN]


def _html(**values: Any) -> HTMLResponse:
    return HTMLResponse(_template().render(style=STYLE, **values), headers=HEADERS)


@cache
def _template() -> Any:
    from jinja2 import Environment

    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["time"] = _time
    environment.filters["check"] = _told
    return environment.from_string(TEMPLATE)


def _time(when: datetime) -> str:
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _told(check: Check) -> str:
    """A check in a few words."""
    if check.result is not None:
        passed = sum(one.verdict == "PASSED" for one in check.result.tests)
        return check.result.fault or f"{passed} of {len(check.result.tests)} passed"
    return f"are run from {_time(check.next_at)} on: you had many" if check.next_at else SAID[check.state]
