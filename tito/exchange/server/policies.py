"""The policy of a course as it lies in the database; each change is a revision."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select

from tito.exchange.protocol.records import Policy, PolicyState
from tito.exchange.server import tables
from tito.validation import from_json, to_json


def policy_of(connection: Connection, course: str) -> PolicyState:
    """The policy as it stands; revision 0 where none was ever set."""
    query = select(tables.policy).where(tables.policy.c.course == course)
    row = connection.execute(query.order_by(tables.policy.c.revision.desc()).limit(1)).one_or_none()
    if row is None:
        return PolicyState(course, 0, Policy())
    return PolicyState(course, row.revision, from_json(Policy, row.content))


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
