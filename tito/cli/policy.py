"""Commands on the policy of a course: what course.toml says, and the copy of it that the exchange holds.

The exchange has a copy of dates, the size of submissions and prechecks, and goes by that. The late policy is no part of
it: it is applied whenever grades are read.
"""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from tito.cli.common import Settings, json_option, print_json, print_table, print_text, say
from tito.cli.groups import CommandGroup
from tito.course.course import Course
from tito.errors import ExchangeUnavailable, UsageError
from tito.validation import adapter

if TYPE_CHECKING:
    from tito.exchange.client.gateway import Gateway
    from tito.exchange.protocol.records import Policy, PolicyState

NOTHING = "none"


@click.group(cls=CommandGroup)
def policy() -> None:
    """Show deadlines, cut-offs, extensions and the late policy, and hand them to the exchange."""


@policy.command()
@json_option
@click.pass_obj
def show(settings: Settings, as_json: bool) -> None:
    """Show what course.toml says, beside what the exchange holds.

    The late policy is no part of the exchange's copy: it is applied whenever grades are read. A deadline counts for it
    as it was when the module was last released; an extension as it stands in course.toml.
    """
    course = settings.course()
    ours = policy_of(course)
    state, problem = None, None
    if course.exchange_kind == "service":
        try:
            state = held_by_exchange(course)
        except ExchangeUnavailable as error:
            problem = error  # what the course file says is shown all the same
    if as_json:
        held = {"revision": state.revision, "policy": as_data(state.policy)} if state else None
        print_json({"course": as_data(ours), "late": asdict(course.late), "exchange": held})
    else:
        _print_policy(course, ours, state)
    if problem is not None:
        raise problem


@policy.command()
@json_option
@click.pass_obj
def preview(settings: Settings, as_json: bool) -> None:
    """Show what `apply` would change at the exchange, without changing anything."""
    course = settings.course()
    ours = policy_of(course)
    require_service(course)
    state = held_by_exchange(course)
    changes = differences(state.policy, ours)
    if as_json:
        print_json([dict(zip(("setting", "exchange", "course"), change, strict=True)) for change in changes])
        return
    for name, held, wanted in changes:
        print_text(f"{name}: {held} -> {wanted}")
    place = f"at {course.exchange_place} (revision {state.revision})"
    if changes:
        say(f"'tito policy apply' would change {len(changes)} settings {place}; so would releasing and collecting.")
    else:
        say(f"Nothing would change {place}.")


@policy.command()
@click.pass_obj
def apply(settings: Settings) -> None:
    """Hand what course.toml says to the exchange. Releasing and collecting do so too."""
    course = settings.course()
    ours = policy_of(course)
    require_service(course)
    with gateway_of(course) as gateway:
        state = gateway.set_policy(course.id, ours)
    say(f"{course.id}: revision {state.revision} of the policy stands at {course.exchange_place}.")


def policy_of(course: Course) -> Policy:
    """What the course file says of all that the exchange goes by."""
    from tito.exchange.protocol.policy import policy_of_course

    ours = policy_of_course(course.root, course.id)
    assert ours is not None
    return ours


def require_service(course: Course) -> None:
    """Raise where the exchange is nbgrader's own.

    Raises:
        UsageError: says so.
    """
    if course.exchange_kind != "service":
        raise UsageError("The filesystem exchange knows no deadlines.", hint="Set exchange.kind to 'service'.")


@contextmanager
def gateway_of(course: Course) -> Iterator[Gateway]:
    """The course's exchange, as whoever runs this."""
    from tito.exchange.client.gateway import gateway

    opened = gateway(course.exchange_url, str(course.exchange_root), getpass.getuser())
    try:
        yield opened
    finally:
        opened.close()


def held_by_exchange(course: Course) -> PolicyState:
    """The exchange's copy, revision 0 where it has none. One of the course's own is not made only to be asked.

    Raises:
        ExchangeUnavailable: it does not answer, or refuses.
    """
    from tito.exchange.protocol.records import Policy, PolicyState
    from tito.exchange.server.local import DATABASE_NAME

    if not course.exchange_url and not (course.exchange_root / DATABASE_NAME).is_file():
        return PolicyState(course.id, 0, Policy())
    with gateway_of(course) as gateway:
        return gateway.policy(course.id)


def differences(held: Policy, wanted: Policy) -> list[tuple[str, str, str]]:
    """Each setting in which two policies differ, with its value in both."""
    before, after = as_settings(held), as_settings(wanted)
    pairs = [(name, before.get(name, NOTHING), after.get(name, NOTHING)) for name in {**after, **before}]
    return [(name, old, new) for name, old, new in pairs if old != new]


def as_settings(policy: Policy) -> dict[str, str]:
    """A policy as lines of settings, `deadlines.07_sums` and such; dates in UTC."""
    return dict(_flat(as_data(policy)))


def as_data(policy: Policy) -> dict[str, Any]:
    """A policy as plain values, for JSON; moments in UTC, as the exchange holds them."""
    shape = adapter(type(policy))
    held = shape.validate_python(shape.dump_python(policy))
    data: dict[str, Any] = shape.dump_python(held, mode="json", exclude_none=True)
    return data


def _flat(data: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in data.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        elif value is not None:
            yield f"{prefix}{name}", ", ".join(value) if isinstance(value, (list, tuple)) else str(value)


def _print_policy(course: Course, ours: Policy, state: PolicyState | None) -> None:
    """A row for each setting. Without an exchange that holds a copy there is only one column of values."""
    stated, held = as_settings(ours), as_settings(state.policy) if state else {}
    late = dict(_flat(asdict(course.late), "late."))
    rows = [[name, stated.get(name, NOTHING), held.get(name, NOTHING)] for name in {**stated, **held}]
    rows += [[name, value, ""] for name, value in late.items()]
    titles = ["setting", "course.toml", f"exchange, revision {state.revision}" if state else ""]
    columns = 3 if state else 2
    print_table(course.id, titles[:columns], [row[:columns] for row in rows])
