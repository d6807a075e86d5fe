"""The command that grades again what has been graded, and says first what that would change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from tito.cli.cohort import progress_bar
from tito.cli.common import (
    Settings,
    json_option,
    module_argument,
    print_json,
    print_table,
    sandbox_option,
    say,
    workers_option,
)
from tito.cli.history import shown
from tito.errors import UsageError

if TYPE_CHECKING:
    from tito.course.course import Assignment, Course
    from tito.grade.regrade import Proposal, Proposed, Regrade

MOST_NAMED = 10


@click.command()
@module_argument
@click.option("--student", "students", multiple=True, help="Only this student; may be given several times.")
@click.option("--cell", "cells", multiple=True, help="Only this graded cell; may be given several times.")
@click.option("--allow-lower", is_flag=True, help="Write points that fall, too.")
@click.option("--why", default="", metavar="TEXT", help="The reason, for 'tito log'.")
@click.option("--dry-run", is_flag=True, help="Say what would change; write nothing, and ask nothing.")
@click.option("--yes", is_flag=True, help="Write it without asking.")
@click.option("--undo", "undoes", is_flag=True, help="Have all be as it was before the last regrade of the module.")
@sandbox_option
@workers_option
@json_option
@click.pass_obj
@click.pass_context
def regrade(ctx: click.Context, settings: Settings, /, module: str, *, undoes: bool, **options: Any) -> None:
    """Grade again what has been graded, with today's tests, and say who gains and who loses before it is written.

    Points that a person gave stay, and stay final where the answer is unchanged. Points fall only with --allow-lower.
    What was there before is put aside: --undo brings it back.
    """
    course, assignment = settings.course_and_assignment(module)
    if undoes:
        asked = [name for name in options if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE]
        if asked:
            raise UsageError("--undo brings back all of the last regrade.", hint="Leave the other options out.")
        _undo(course, assignment)
    else:
        _regrade(course, assignment, **options)


def _undo(course: Course, assignment: Assignment) -> None:
    from tito.grade.regrade import undo

    back, left = undo(course, assignment)
    say(f"Put back: {len(back)} submissions of {assignment.id}.")
    if left:
        say(f"Left as they are, since they were graded after that: {', '.join(left)}.")
    say("The tests are as they are: change them back too, or 'tito autograde' grades with them.")


def _regrade(
    course: Course,
    assignment: Assignment,
    *,
    students: tuple[str, ...],
    cells: tuple[str, ...],
    allow_lower: bool,
    why: str,
    dry_run: bool,
    yes: bool,
    sandbox: str | None,
    workers: int,
    as_json: bool,
) -> None:
    from tito.grade.regrade import carry_out, propose
    from tito.sandbox.backends import backend

    if dry_run and yes:
        raise UsageError("--dry-run and --yes contradict each other.", hint="Leave one out.")
    with progress_bar(f"Grading {assignment.id} again") as (started, progress):
        result = propose(
            course,
            assignment,
            backend(sandbox or course.sandbox.backend),
            workers=workers,
            students=students,
            cells=cells,
            allow_lower=allow_lower,
            started=started,
            progress=progress,
        )
    if as_json:
        print_json([_to_json(proposal) for proposal in result.proposals if proposal.cells])
    else:
        _print(assignment.id, result)
    _say(assignment.id, result)
    concerned = sum(bool(proposal.cells) for proposal in result.proposals)
    if not concerned or dry_run:
        return
    if not yes and not click.confirm(f"Write what becomes of these {concerned} students?", err=True):
        say("Nothing was written.")
        return
    aside = carry_out(course, assignment, result.proposals, f"regrade: {why or 'by request'}")
    say(f"Written. What was there before is in {aside}; --undo brings it back.")


def _to_json(proposal: Proposal) -> dict[str, Any]:
    from tito.gradebook.history import to_json

    cells = [to_json(cell.change) | {"gain": cell.gain, "written": cell.written} for cell in proposal.cells]
    return {"student": proposal.student, "gain": proposal.gain, "cells": cells}


def _print(assignment: str, result: Regrade) -> None:
    rows = [_row(proposal, cell) for proposal in result.proposals for cell in proposal.cells]
    if rows:
        print_table(f"{assignment}, graded again", ["student", "cell", "is", "would be", "points", "why"], rows)


def _row(proposal: Proposal, cell: Proposed) -> list[str]:
    change = cell.change
    points = f"{cell.gain:+g}" if cell.by_hand is None else f"{cell.by_hand:g} by hand, stays"
    message = next((mark.message for mark in (change.after, change.before) if mark and mark.message), "")
    return [
        proposal.student,
        change.grade_id,
        shown(change.before) or "not graded",
        shown(change.after) or "no cell any more",
        points if cell.written else f"{points}, stays as it is",
        message,
    ]


def _say(assignment: str, result: Regrade) -> None:
    gains = [proposal.gain for proposal in result.proposals if proposal.gain > 0]
    losses = [proposal.gain for proposal in result.proposals if proposal.gain < 0]
    staying = [cell.gain for proposal in result.proposals for cell in proposal.cells if not cell.written]
    say(
        f"{len(result.proposals)} graded again: {len(gains)} gain {sum(gains):g} points, "
        f"{len(losses)} lose {-sum(losses):g}, {len(result.proposals) - len(gains) - len(losses)} keep theirs."
    )
    if staying:
        say(f"{-sum(staying):g} points of {len(staying)} cells would fall, and stay: --allow-lower takes them.")
    if result.newer:
        some = ", ".join(result.newer[:MOST_NAMED]) + (", …" if len(result.newer) > MOST_NAMED else "")
        say(f"Not graded here, since they have handed in anew: {some}. 'tito autograde {assignment}' grades them.")
    for student, fault in result.faults.items():
        say(f"{student}: platform fault, nothing changes: {fault}")
