"""Commands on what grading gave: feedback, status."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import click

from tito.cli.common import (
    ProgressBar,
    Settings,
    is_watched,
    json_option,
    module_argument,
    print_json,
    print_table,
    say,
    say_forgeable,
    workers_option,
)
from tito.course.course import Assignment, Course
from tito.errors import PlatformError, UsageError

MOST_NAMED = 5  # students who are told of


@click.command()
@module_argument
@click.option("--student", "students", multiple=True, help="Only this student; may be given several times.")
@click.option("--release", "hand_out", is_flag=True, help="Also hand the pages to the students, through the exchange.")
@click.option(
    "--yes", is_flag=True, help="Do not ask before pages of students who are not fully graded are handed out."
)
@workers_option
@click.pass_obj
def feedback(
    settings: Settings, module: str, *, students: tuple[str, ...], hand_out: bool, yes: bool, workers: int
) -> None:
    """Write a page for each student: what failed and why, never a hidden test.

    Pages that are up to date are left as they are, so a run that was stopped goes on where it was. What is lost by
    lateness is as the policy has it now.
    """
    course, assignment = settings.course_and_assignment(module)
    from tito.feedback.pages import write_pages
    from tito.gradebook.penalties import store_policy

    store_policy(course)
    with ProgressBar() as bar:
        run = write_pages(
            course,
            assignment,
            students,
            workers=workers,
            started=lambda count: bar.start(f"Feedback on {assignment.id}", count),
            progress=lambda result: bar.advance(result.student),
        )
    same = len(run.pages) - len(run.written)
    first = f"; the first is {run.pages[0]}" if run.pages else ""
    say(f"Wrote {len(run.written)} feedback pages, {same} were up to date{first}.")
    for student, reason in run.refused.items():
        say(f"NO PAGE for {student}: {reason}.")
    if hand_out and run.pages:
        _hand_out(course, assignment, students, run.unfinished, yes)
    if run.refused:
        raise PlatformError(
            f"{len(run.refused)} students have no page of {assignment.id}.",
            hint="Look at their notebooks in autograded/; what stands above says what is wrong with each.",
        )


def _hand_out(
    course: Course, assignment: Assignment, students: tuple[str, ...], unfinished: Mapping[str, str], yes: bool
) -> None:
    """Hand pages to students, after asking where some of them are not fully graded.

    Raises:
        UsageError: nobody can be asked.
    """
    from tito.bridge.exchange_actions import exchange

    if unfinished and not yes:
        some = ", ".join(f"{name} ({status})" for name, status in list(unfinished.items())[:MOST_NAMED])
        more = ", …" if len(unfinished) > MOST_NAMED else ""
        say(f"{len(unfinished)} students are not fully graded: {some}{more}.")
        if not is_watched():
            raise UsageError(
                f"Nothing was handed out: pages of {assignment.id} would go to students who are not fully graded.",
                hint="Grade the rest in formgrader first, or say '--yes'.",
            )
        if not click.confirm("Hand their pages out all the same?", default=False, err=True):
            say("Nothing was handed out.")
            return
    for student in students or ("",):
        done = exchange(course, assignment, "ReleaseFeedback", student=student)
        for name in getattr(done, "refused", ()):
            say(f"REFUSED: {name}'s page; their submission came without the secret that tells whose it is.")
    say(f"Handed them to the exchange {course.exchange_place}: 'nbgrader fetch_feedback' brings them.")


@click.command()
@module_argument
@json_option
@click.pass_obj
def status(settings: Settings, module: str, as_json: bool) -> None:
    """Say where each student's assignment stands, and what is to be looked at."""
    from tito.gradebook.grades import grades as read
    from tito.gradebook.records import read_record

    course, assignment = settings.course_and_assignment(module)
    rows = read(course, assignment)
    if as_json:
        print_json([dataclasses.asdict(row) | {"status": row.status.value} for row in rows])
        return
    lines = []
    for row in rows:
        record = read_record(course, assignment.id, row.student_id)
        notes = [note for notebook in record.notebooks for note in notebook.notes] if record else []
        score = "" if row.raw_score is None else f"{row.raw_score:g} of {row.max_score:g}"
        lines.append([row.student_id, row.status.value, score, "; ".join(notes)])
    print_table(assignment.id, ["student", "status", "raw score", "notes"], lines)
    say_forgeable([row.points_forgeable for row in rows])
