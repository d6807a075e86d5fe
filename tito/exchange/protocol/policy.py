"""The policy of a course: read from its course file by whoever releases, and kept by the exchange."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tito.errors import NotACourse
from tito.exchange.protocol.records import Policy, PrecheckPolicy
from tito.models import Limits


def policy_to_data(policy: Policy) -> dict[str, Any]:
    """Plain values, for JSON."""
    data = {
        "deadlines": {name: _iso(when) for name, when in policy.deadlines.items()},
        "cutoffs": {name: _iso(when) for name, when in policy.cutoffs.items()},
        "extensions": {
            name: {student: _iso(when) for student, when in given.items()} for name, given in policy.extensions.items()
        },
        "submission_mb": policy.submission_mb,
    }
    return data | ({"precheck": asdict(policy.precheck)} if policy.precheck else {})


def policy_from_data(data: dict[str, Any]) -> Policy:
    return Policy(
        deadlines={name: datetime.fromisoformat(when) for name, when in data["deadlines"].items()},
        cutoffs={name: datetime.fromisoformat(when) for name, when in data["cutoffs"].items()},
        extensions={
            name: {student: datetime.fromisoformat(when) for student, when in given.items()}
            for name, given in data["extensions"].items()
        },
        submission_mb=data["submission_mb"],
        precheck=_precheck(data.get("precheck")),
    )


def _precheck(data: dict[str, Any] | None) -> PrecheckPolicy | None:
    return PrecheckPolicy(data["per_hour"], tuple(data["packages"]), Limits(**data["limits"])) if data else None


def policy_to_json(policy: Policy) -> str:
    return json.dumps(policy_to_data(policy), sort_keys=True)


def policy_from_json(text: str) -> Policy:
    return policy_from_data(json.loads(text))


def _iso(when: datetime) -> str:
    return when.astimezone(UTC).isoformat()


def policy_of_course(folder: Path, course_id: str) -> Policy | None:
    """What the course file of this folder says, or None where there is none, or it is another course's."""
    from tito.course.course import find_course

    try:
        course = find_course(folder)
    except NotACourse:
        return None
    if course.id != course_id:
        return None
    precheck = PrecheckPolicy(
        int(course.precheck.per_hour), course.sandbox.packages, course.precheck.within(course.limits)
    )
    return Policy(
        course.deadlines,
        course.cutoffs,
        course.extensions,
        course.limits.submission_mb,
        precheck if precheck.per_hour else None,
    )
