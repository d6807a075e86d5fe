"""The command on what became of verdicts and points."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import click

from tito.cli.common import Settings, json_option, print_json, print_table, say
from tito.errors import UsageError

if TYPE_CHECKING:
    from tito.gradebook.history import Mark

SHORT_HASH = 8


@click.command()
@click.argument("student", required=False)
@click.option("--module", "modules", multiple=True, help="Only of this module; may be given several times.")
@click.option("--cell", "cells", multiple=True, help="Only this graded cell; may be given several times.")
@json_option
@click.pass_obj
def log(
    settings: Settings, student: str | None, modules: tuple[str, ...], cells: tuple[str, ...], as_json: bool
) -> None:
    """Say what became of verdicts and points: when, from what to what, why, by whom, with which tests.

    Of STUDENT, or of all. Points that a person gave in formgrader are in nbgrader's gradebook alone.
    """
    from tito.gradebook.history import graded_assignments, read_history, to_json
    from tito.validation import near

    course = settings.course()
    chosen = [course.assignment(name).id for name in modules] or graded_assignments(course)
    entries = [entry for assignment in chosen for entry in read_history(course, assignment)]
    students = {entry.student for entry in entries}
    if student and student not in students:
        raise UsageError(f"Nothing of {student} has been graded.", hint=near(student, students))
    names = {change.grade_id for entry in entries for change in entry.changes}
    for cell in cells:
        if cell not in names:
            raise UsageError(f"No cell '{cell}' has been graded.", hint=near(cell, names))
    entries = [
        dataclasses.replace(entry, changes=tuple(c for c in entry.changes if not cells or c.grade_id in cells))
        for entry in entries
        if student in (None, entry.student)
    ]
    entries = sorted((entry for entry in entries if entry.changes), key=lambda entry: entry.at)
    if as_json:
        print_json([to_json(entry) for entry in entries])
        return
    rows = [
        [
            entry.at, entry.student, entry.assignment, change.grade_id, shown(change.before), shown(change.after),
            entry.why, entry.by, entry.tests[:SHORT_HASH],
        ]
        for entry in entries
        for change in entry.changes
    ]  # fmt: skip
    if not rows:
        say("Nothing has been graded.")
        return
    columns = ["when (UTC)", "student", "assignment", "cell", "from", "to", "why", "by", "tests"]
    print_table("What became of verdicts and points", columns, rows)


def shown(mark: Mark | None) -> str:
    """A mark in a few words; nothing where there was none."""
    if mark is None:
        return ""
    return mark.verdict.value if mark.points is None else f"{mark.points:g} ({mark.verdict.value})"
