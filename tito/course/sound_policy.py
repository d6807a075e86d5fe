"""What the parts of a policy mean for one another: names that are not there, and dates that contradict."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path

from tito.errors import BadSource
from tito.policy.credit import CreditStep
from tito.policy.time_policy import LABEL, TimePolicy
from tito.validation import near


def require_sound(path: Path, policy: TimePolicy, assignments: Collection[str]) -> None:
    """Refuse what would silently be nobody's, or contradicts itself.

    Raises:
        BadSource: an assignment or a label that is not there, dates or steps out of order.
    """
    for table in ("deadlines", "cutoffs", "extensions", "excuses", "credit"):
        for name in getattr(policy, table):
            if name not in assignments:
                raise BadSource(
                    f"{path}: '{table}' names no assignment of this course: '{name}'.", hint=near(name, assignments)
                )
    for setting, label in policy.labels_named():
        if label not in policy.labels:
            raise BadSource(
                f"{path}: '{setting}' names no label of this course: '{LABEL}{label}'.",
                hint=near(label, policy.labels),
            )
    for name, deadline in policy.deadlines.items():
        _require_later(path, policy, name, deadline)
    for name, steps in policy.credit.items():
        for problem in _problems(steps):
            raise BadSource(f"{path}: the credit of {name} {problem}.", hint="Correct its steps.")


def require_students(path: Path, policy: TimePolicy, students: Collection[str]) -> None:
    """Refuse students whom nobody knows; where nobody is known yet, anybody may come.

    Raises:
        BadSource: says which, and who may be meant.
    """
    for setting, student in policy.students_named() if students else ():
        if student not in students:
            close = get_close_matches(student, students, n=1)
            meant = f"Did you mean '{close[0]}'? " if close else ""
            raise BadSource(
                f"{path}: '{setting}' names no student of this course: '{student}'.",
                hint=f"{meant}'nbgrader db student add {student}' makes them known where they are.",
            )


def _require_later(path: Path, policy: TimePolicy, name: str, deadline: datetime) -> None:
    for student, extended in policy.extensions.get(name, {}).items():
        if extended < deadline:
            raise BadSource(
                f"{path}: the extension of '{student}' for {name} ends before the deadline of all.",
                hint="Correct it, or take it out.",
            )
    if name in policy.cutoffs and policy.cutoffs[name] < deadline:
        raise BadSource(
            f"{path}: the cut-off of {name} lies before its deadline, and nothing is taken after it.",
            hint="Correct one of them.",
        )


def _problems(steps: tuple[CreditStep, ...]) -> Iterator[str]:
    ends = [step.until_hours for step in steps]
    if None in ends[:-1]:
        yield "has a step without 'until_hours' before the last, and nothing could come after it"
        return
    hours = [end for end in ends if end is not None]
    if any(later <= earlier for earlier, later in pairwise(hours)):
        yield "has steps that are not in the order of time"
    if steps and (steps[0].less_per_day or steps[0].less_per_hour):
        yield "becomes less from its first step on, which has no beginning to count from"
