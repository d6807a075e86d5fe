"""Whether a formgrader can be run in a course folder."""

from __future__ import annotations

import os
from pathlib import Path

from tito.bridge.guard import PLAIN_VARIABLE, plain_nbgrader
from tito.course.course import load_course
from tito.course.settings import SETTINGS_FILE
from tito.errors import BadSource, SandboxUnavailable


def require_fit(root: Path, course_id: str) -> None:
    """Raise unless a formgrader can be run in this course folder.

    Raises:
        BadSource: it is another course's folder, or its exchange is not the hub's.
        SandboxUnavailable: its settings would run student code in the service's own account.
    """
    course = load_course(root)
    path = root / SETTINGS_FILE
    if plain_nbgrader():
        raise SandboxUnavailable(
            f"{PLAIN_VARIABLE} asks for nbgrader's own engine, which would run student code in formgrader's account.",
            hint="Unset it.",
        )
    if course.id != course_id:
        raise BadSource(f"{path} is of the course '{course.id}', not '{course_id}'.", hint="Correct courses.*.root.")
    if course.sandbox.backend == "none":
        raise SandboxUnavailable(
            f"{path}: sandbox.backend is 'none', so formgrader would run student code in its own account, beside the "
            "gradebook.",
            hint="Set it to 'bubblewrap' or 'landlock'; without a sandbox, grade with `tito autograde` elsewhere.",
        )
    exchange_url = course.exchange_url or os.environ.get("TITO_EXCHANGE_URL", "")
    if course.exchange_kind != "service" or (os.environ.get("TITO_EXCHANGE_URL") and not course.exchange_url):
        raise BadSource(
            f"{path}: the exchange is not the hub's{f' at {exchange_url}' if exchange_url else ''}.",
            hint="Under [exchange], set kind to 'service' and take the line `url` out.",
        )
