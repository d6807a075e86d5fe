"""JupyterHub's roles: the scopes that people, their servers and services need, and none beside them.

    user                 themselves, and the exchange
    server               what notebooks run with: to say that it is in use, to be entered by its owner, the exchange
    graders-<c>          to enter the formgrader of their course
    approvers            instructors, where people sign up: to let them in
    formgrader-<c>       the service of a course: the exchange, and its students' group (formgrader adds students to it)
    precheck-<c>          the worker of a course's prechecks: the exchange
    idle-culler          to see who uses their server, and to stop it

The exchange has no role: it asks the hub with the token of whoever calls it, or whose browser has logged in to it.
"""

from __future__ import annotations

from typing import Any

from tito.hub.config.people import INSTRUCTOR, STUDENT, graders, group, precheck_worker
from tito.hub.config.settings import HubSettings

Role = dict[str, Any]
EXCHANGE = "access:services!service=exchange"
APPROVE = "custom:approve-sign-ups"
CUSTOM_SCOPES = {APPROVE: {"description": "Let people in who have signed up."}}
SERVER = ["users:activity!user", "access:servers!server", EXCHANGE]
CULLER = ["list:users", "read:users:activity", "read:servers", "delete:servers"]


def roles(settings: HubSettings) -> list[Role]:
    """All roles of a hub with these settings."""
    all_roles: list[Role] = [
        {"name": "user", "scopes": ["self", EXCHANGE]},
        {"name": "server", "scopes": SERVER},
    ]
    for course, course_settings in settings.courses.items():
        if course_settings.root or course_settings.url:
            all_roles += [
                {
                    "name": f"graders-{course}",
                    "scopes": [f"access:services!service={course}"],
                    "groups": graders(course, course_settings),
                },
                {
                    "name": f"formgrader-{course}",
                    "scopes": [EXCHANGE, f"groups!group={group(STUDENT, course)}"],
                    "services": [course],
                },
            ]
        if course_settings.precheck:
            worker = precheck_worker(course)
            all_roles.append({"name": worker, "scopes": [EXCHANGE], "services": [worker]})
    if settings.auth.kind == "native" and settings.courses:
        instructors = [group(INSTRUCTOR, course) for course in settings.courses]
        all_roles.append({"name": "approvers", "scopes": [APPROVE], "groups": instructors})
    if settings.idle.after_minutes or settings.idle.max_hours:
        all_roles.append({"name": "idle-culler", "scopes": CULLER, "services": ["idle-culler"]})
    return all_roles
