"""The policy of a course as it lies in the database; each change is a revision."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, select

from tito.exchange.protocol.records import Deadline, Policy, PolicyState
from tito.exchange.server import tables
from tito.validation import from_json, to_json


def policy_of(connection: Connection, course: str) -> PolicyState:
    """The policy as it stands; revision 0 where none was ever set."""
    query = select(tables.policy).where(tables.policy.c.course == course)
    row = connection.execute(query.order_by(tables.policy.c.revision.desc()).limit(1)).one_or_none()
    if row is None:
        return PolicyState(course, 0, Policy())
    return PolicyState(course, row.revision, from_json(Policy, row.content))


def deadline_of(
    policy: Policy, assignment: str, student: str, handed_in: Mapping[str, datetime], now: datetime
) -> Deadline:
    """A student's own deadline, and what comes of handing the assignment in now; `handed_in` says when what they have
    handed in until now came."""
    standings = policy.standings(student, {**handed_in, assignment: now})
    standing, cutoff = standings[assignment], policy.cutoff(assignment, student)
    return Deadline(
        assignment,
        due_at=standing.due_at,
        late=standing.late,
        closed=cutoff is not None and now > cutoff,
        excused=standing.excused,
        credit=standing.credit,
        tokens=standing.tokens,
        tokens_left=policy.tokens_of(student) - sum(each.tokens for each in standings.values()),
        handed_in_at=handed_in.get(assignment),
    )


def revise_policy(connection: Connection, course: str, policy: Policy, by: str, at: datetime) -> PolicyState:
    """Have this policy stand: as a new revision, unless it does."""
    old = policy_of(connection, course)
    if old.revision and old.policy == policy:
        return old
    values = {
        "course": course,
        "revision": old.revision + 1,
        "made_at": at,
        "made_by": by,
        "content": to_json(policy),
    }
    connection.execute(tables.policy.insert(), values)
    return policy_of(connection, course)
