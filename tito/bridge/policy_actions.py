"""Has a course's policy count: the exchange's copy of it, and what nbgrader stores in the gradebook."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tito.course.course import Course
from tito.exchange.client.gateway import Gateway, gateway
from tito.exchange.protocol.policy import policy_of
from tito.exchange.protocol.records import Policy, PolicyState
from tito.gradebook.penalties import PolicyChanges, store_policy


@dataclass(frozen=True)
class Applied:
    """What was changed. `state` is the exchange's, None where it is none of ours."""

    state: PolicyState | None
    changes: PolicyChanges


def apply_policy(course: Course, *, clear: bool = False) -> Applied:
    """Hand the policy to the exchange in one transaction, and have the gradebook say the same in another; `clear` is
    `store_policy`'s.

    Raises:
        BadSource: the policy names a student whom nobody knows. Nothing was changed.
        ExchangeUnavailable: nothing was changed.
        GradebookUnavailable: the gradebook is as it was.
    """
    wanted, state = policy_of(course), None
    if course.exchange_kind == "service":
        with gateway_of(course) as opened:
            state = opened.set_policy(course.id, wanted)
    return Applied(state, store_policy(course, clear=clear))


def held_by_exchange(course: Course) -> PolicyState:
    """The exchange's copy, revision 0 where it has none. One of the course's own is not made only to be asked.

    Raises:
        ExchangeUnavailable: it does not answer, or refuses.
    """
    from tito.exchange.server.local import DATABASE_NAME

    if not course.exchange_url and not (course.exchange_root / DATABASE_NAME).is_file():
        return PolicyState(course.id, 0, Policy())
    with gateway_of(course) as opened:
        return opened.policy(course.id)


@contextmanager
def gateway_of(course: Course) -> Iterator[Gateway]:
    """The course's exchange, as whoever runs this."""
    opened = gateway(course.exchange_url, str(course.exchange_root), getpass.getuser())
    try:
        yield opened
    finally:
        opened.close()
