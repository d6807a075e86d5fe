"""Commands on what grading gave: feedback, status."""

from __future__ import annotations

import dataclasses

import click

from tito.cli.common import Settings, json_option, module_argument, print_json, print_table, say, say_forgeable


@click.command()
@module_argument
@click.option("--student", "students", multiple=True, help="Only this student; may be given several times.")
@click.option("--release", "hand_out", is_flag=True, help="Also hand the pages to the students, through the exchange.")
@click.pass_obj
def feedback(settings: Settings, module: str, students: tuple[str, ...], hand_out: bool) -> None:
    """Write a page for each student: what failed and why, never a hidden test."""
    from tito.bridge.exchange_actions import exchange
    from tito.bridge.feedback import generate_feedback

    course, assignment = settings.course_and_assignment(module)
    pages = generate_feedback(course, assignment, students)
    say(f"Wrote {len(pages)} feedback pages; the first is {pages[0]}.")
    if hand_out:
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
