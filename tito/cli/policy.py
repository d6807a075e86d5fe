"""Commands on the policy of a course about time: what it says, what a change of it means, and having it count.

Grades are read by the policy as it stands. The exchange has a copy, and the gradebook has nbgrader's due dates and late
penalties, which nbgrader's own export, formgrader and feedback show: `apply` brings both up to date.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from tito.cli.common import Settings, json_option, print_json, print_table, print_text, say
from tito.cli.groups import CommandGroup
from tito.course.course import Course
from tito.errors import ExchangeUnavailable
from tito.validation import adapter

if TYPE_CHECKING:
    from tito.exchange.protocol.records import Policy, PolicyState
    from tito.gradebook.penalties import PolicyChanges

NOTHING = "none"


@click.group(cls=CommandGroup)
def policy() -> None:
    """Show deadlines, extensions, credit and late tokens, what a change means for grades, and have it count."""


@policy.command()
@json_option
@click.pass_obj
def show(settings: Settings, as_json: bool) -> None:
    """Show the policy of the course, beside what the exchange holds.

    It is what course.toml says; where that has no [deadlines], with nbgrader's due dates and extensions. Grades are
    read by it at once.
    """
    from tito.bridge.policy_actions import held_by_exchange
    from tito.exchange.protocol.policy import policy_of

    course = settings.course()
    ours = policy_of(course)
    state, problem = None, None
    if course.exchange_kind == "service":
        try:
            state = held_by_exchange(course)
        except ExchangeUnavailable as error:
            problem = error  # what the course says is shown all the same
    if as_json:
        held = {"revision": state.revision, "policy": as_data(state.policy)} if state else None
        print_json({"course": as_data(ours), "exchange": held})
    else:
        _print_policy(course, ours, state)
    if problem is not None:
        raise problem


@policy.command()
@json_option
@click.pass_obj
def preview(settings: Settings, as_json: bool) -> None:
    """Show what `apply` would change, without changing anything: at the exchange, and who gains or loses points.

    Points are compared with the penalties that are stored in the gradebook. Tokens are those that are spent on what has
    been handed in until now.
    """
    from tito.bridge.policy_actions import held_by_exchange
    from tito.exchange.protocol.policy import policy_of
    from tito.gradebook.penalties import policy_changes

    course = settings.course()
    ours = policy_of(course)
    settings_changed = []
    if course.exchange_kind == "service":
        settings_changed = differences(held_by_exchange(course).policy, ours)
    changes = policy_changes(course)
    if as_json:
        names = ("setting", "exchange", "course")
        print_json(
            {"exchange": [dict(zip(names, change, strict=True)) for change in settings_changed]} | asdict(changes)
        )
        return
    for name, held, wanted in settings_changed:
        print_text(f"{name}: {held} -> {wanted}")
    _print_changes(changes)
    if settings_changed or changes.scores or changes.due_dates:
        say(
            f"'tito policy apply' would change {len(settings_changed)} settings of the exchange, "
            f"{len(changes.due_dates)} due dates and {len(changes.scores)} scores in the gradebook."
        )
    else:
        say("Nothing would change.")


@policy.command()
@click.pass_obj
def apply(settings: Settings) -> None:
    """Have the policy count everywhere: the exchange's copy, nbgrader's due dates, and the late penalties it stores.

    The gradebook is changed in one transaction, and no submission is graded again. Releasing does the same.
    """
    from tito.bridge.policy_actions import apply_policy

    course = settings.course()
    applied = apply_policy(course, clear=True)
    if (state := applied.state) is not None:
        say(f"{course.id}: revision {state.revision} of the policy stands at {course.exchange_place}.")
    changes = applied.changes
    say(f"In the gradebook {len(changes.due_dates)} due dates and {len(changes.scores)} scores were changed.")


def differences(held: Policy, wanted: Policy) -> list[tuple[str, str, str]]:
    """Each setting in which two policies differ, with its value in both."""
    before, after = as_settings(held), as_settings(wanted)
    pairs = [(name, before.get(name, NOTHING), after.get(name, NOTHING)) for name in {**after, **before}]
    return [(name, old, new) for name, old, new in pairs if old != new]


def as_settings(policy: Policy) -> dict[str, str]:
    """A policy as lines of settings, `deadlines.07_sums` and such; dates in UTC."""
    return dict(_flat(as_data(policy), ""))


def as_data(policy: Policy) -> dict[str, Any]:
    """A policy as plain values, for JSON; moments in UTC, as the exchange holds them."""
    shape = adapter(type(policy))
    held = shape.validate_python(shape.dump_python(policy))
    data: dict[str, Any] = shape.dump_python(held, mode="json", exclude_none=True)
    return data


def _flat(data: Any, prefix: str) -> Iterator[tuple[str, str]]:
    """Values by their names; parts of lists by their numbers, but for lists of texts."""
    if isinstance(data, dict):
        for name, value in data.items():
            yield from _flat(value, f"{prefix}.{name}" if prefix else name)
    elif isinstance(data, list) and any(isinstance(each, dict) for each in data):
        for number, value in enumerate(data, start=1):
            yield from _flat(value, f"{prefix}.{number}")
    else:
        yield prefix, ", ".join(data) if isinstance(data, list) else str(data)


def _print_policy(course: Course, ours: Policy, state: PolicyState | None) -> None:
    """A row for each setting. Without an exchange that holds a copy there is only one column of values."""
    stated, held = as_settings(ours), as_settings(state.policy) if state else {}
    rows = [[name, stated.get(name, NOTHING), held.get(name, NOTHING)] for name in {**stated, **held}]
    titles = ["setting", "course", f"exchange, revision {state.revision}" if state else ""]
    columns = 3 if state else 2
    print_table(course.id, titles[:columns], [row[:columns] for row in rows])


def _print_changes(changes: PolicyChanges) -> None:
    """Who gains and who loses, due dates, and tokens."""
    for name, (before, after) in changes.due_dates.items():
        shown = [f"{at:%Y-%m-%dT%H:%M:%SZ}" if at else NOTHING for at in (before, after)]
        print_text(f"nbgrader's due date of {name}: {shown[0]} -> {shown[1]}")
    rows = [
        [each.assignment, each.student, f"{each.before:g}", f"{each.after:g}", f"{each.gain:+g}", str(each.tokens)]
        for each in changes.scores
    ]
    if rows:
        gains = sum(each.gain > 0 for each in changes.scores)
        title = f"{gains} gain, {len(rows) - gains} lose"
        print_table(title, ["assignment", "student", "loses now", "then", "score", "tokens"], rows)
    if changes.tokens:
        spent = sum(changes.tokens.values())
        say(f"{spent} late tokens are spent by {len(changes.tokens)} students.")
