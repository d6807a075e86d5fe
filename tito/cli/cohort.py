"""Commands on a cohort's submissions: collect, autograde."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

import click

from tito.cli.common import (
    ProgressBar,
    Settings,
    json_option,
    module_argument,
    print_json,
    print_table,
    print_text,
    sandbox_option,
    say,
    say_forgeable,
    workers_option,
)
from tito.course.course import Course
from tito.course.settings import SETTINGS_FILE
from tito.models import CellVerdict, SubmissionRecord, Verdict

MOST_NAMED = 5  # students, or modules, that are told of


@click.command()
@module_argument
@click.pass_obj
def collect(settings: Settings, module: str) -> None:
    """Bring the newest submission of every student in from the exchange, in the place of an older one."""
    from tito.bridge.exchange_actions import exchange

    course, assignment = settings.course_and_assignment(module)
    before = _handed_in(course, assignment.id)
    done = exchange(course, assignment, "Collect", update=True)
    for name in getattr(done, "refused", ()):
        say(f"REFUSED: {name} is not owned by whose name it bears; it was left in the exchange.")
    now = _handed_in(course, assignment.id)
    new = len(now.keys() - before.keys())
    replaced = sum(before[student] != at for student, at in now.items() if student in before)
    say(f"Collected {assignment.id}: {len(now)} submissions, {new} of them new, {replaced} replaced by newer ones.")


def _handed_in(course: Course, assignment: str) -> dict[str, datetime | None]:
    """When what is there of each student was handed in."""
    from tito.course.submission_files import submitted_at

    return {student: submitted_at(folder) for student, folder in course.submissions(assignment).items()}


@click.command()
@module_argument
@click.option("--student", "students", multiple=True, help="Only this student; may be given several times.")
@click.option("--force", is_flag=True, help="Grade again what has been graded already, by nbgrader too.")
@sandbox_option
@workers_option
@json_option
@click.pass_obj
def autograde(
    settings: Settings,
    module: str,
    *,
    students: tuple[str, ...],
    force: bool,
    sandbox: str | None,
    workers: int,
    as_json: bool,
) -> None:
    """Grade a cohort: repair, observe in the sandbox, judge, record.

    What has been graded with the same tests, environment and content is skipped, so a run that was stopped goes on
    where it was. What nbgrader itself has graded is left alone. Student work is never changed.
    """
    from tito.plan.sandbox_specs import EarlySandboxes
    from tito.sandbox.backends import backend

    course, assignment = settings.course_and_assignment(module)
    chosen = backend(sandbox or course.sandbox.backend)
    if chosen.name == "none":
        say("Student code runs UNPROTECTED, as you asked; this is recorded with the grades.")
    early = EarlySandboxes(course, assignment, chosen)  # before the imports below, which take as long as it does
    from tito.grade.cohort import autograde as run
    from tito.gradebook.records import to_json

    with progress_bar(f"Grading {assignment.id}") as (started, progress):
        result = run(
            course,
            assignment,
            chosen,
            workers=workers,
            only=students,
            force=force,
            early=early,
            started=started,
            progress=progress,
        )
    if as_json:
        print_json([to_json(record) for record in result.records])
        say_left_alone(assignment.id, result.left_alone)
        return
    if result.records:
        print_verdicts(result.records)
    say_forgeable([record.points_forgeable for record in result.records])
    say(f"{len(result.graded)} graded, {len(result.unchanged)} unchanged since they were graded.")
    if course.excluded and not students:
        say(f"Not graded, as nbgrader's settings exclude them: {', '.join(course.excluded)}.")
    say_left_alone(assignment.id, result.left_alone)
    say_missing(course, result.records)


def say_missing(course: Course, records: Iterable[SubmissionRecord]) -> None:
    """Say what students import and notebooks of the course do not have, and how to have them have it."""
    from tito.plan.packages import with_packages

    students: dict[str, list[str]] = {}
    for record in records:
        for module in dict.fromkeys(module for notebook in record.notebooks for module in notebook.missing_modules):
            students.setdefault(module, []).append(record.student)
    most = sorted(students, key=lambda module: -len(students[module]))[:MOST_NAMED]
    for each in with_packages(dict.fromkeys(most, "")):
        install = "" if each.is_installed else f"run 'pip install {each.package}' and "
        where = f"[sandbox] packages in {course.root / SETTINGS_FILE}"
        count = len(students[each.module])
        say(
            f"{each.module} is imported by {count} of them, and is not among the packages of this course. "
            f'If they may use it, {install}add "{each.package}" to {where}; then all are graded again.'
        )


def say_left_alone(assignment: str, students: tuple[str, ...]) -> None:
    """Say whose points nbgrader gave, and how to have them given anew."""
    if students:
        some = ", ".join(students[:MOST_NAMED]) + (", …" if len(students) > MOST_NAMED else "")
        say(
            f"{len(students)} left alone, since nbgrader itself has graded them: {some}. To grade them anew: "
            f"'tito autograde {assignment} --force', or with '--student NAME' one of them."
        )


class progress_bar:  # noqa: N801  (used like a function)
    """Progress of a cohort: a bar, or a line per submission."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.bar = ProgressBar()

    def __enter__(self) -> tuple[Callable[[int], None], Callable[[SubmissionRecord], None]]:
        self.bar.__enter__()
        return self._start, self._advance

    def __exit__(self, *_: object) -> None:
        self.bar.__exit__()

    def _start(self, count: int) -> None:
        self.bar.start(self.title, count)

    def _advance(self, record: SubmissionRecord) -> None:
        if record.fault:
            say(f"{record.student}: platform fault, no grade was written: {record.fault}")
        self.bar.advance(summary(record))


def summary(record: SubmissionRecord) -> str:
    """A record in one line."""
    automatic = [cell for cell in record.cells if cell.verdict is not Verdict.MANUAL]
    points = sum(cell.points or 0 for cell in automatic)
    passed = sum(cell.earned for cell in automatic)
    possible = sum(cell.max_points for cell in automatic)
    unread = (notebook for notebook in record.notebooks if not notebook.seconds and notebook.notes)
    notes = [notebook.notes[0] for notebook in unread if not record.fault]
    remark = f". {notes[0]}" if notes else ""
    return f"{record.student}: {points:g}/{possible:g} points, {passed} of {len(automatic)} tests passed{remark}"


SHORT = {
    Verdict.FAILED: "fail",
    Verdict.ERROR: "error",
    Verdict.TIMEOUT: "time",
    Verdict.MEMORY: "memory",
    Verdict.NOT_RUN: "unrun",
    Verdict.MANUAL: "hand",
    Verdict.PLATFORM: "OURS",
}
LEGEND = (
    "a number: points earned · fail: the judge said no · error: the code raised · time, memory: over its limit · "
    "unrun: the notebook ended before · hand: waits for a person · OURS: platform fault, no grade"
)


def print_verdicts(records: tuple[SubmissionRecord, ...], statuses: dict[str, str] | None = None) -> None:
    """Students down, graded cells across: points where they were earned, the verdict where not."""
    cells = {cell.grade_id: cell.max_points for cell in records[0].cells}
    rows = []
    for record in records:
        shown = {cell.grade_id: _shown(cell) for cell in record.cells}
        total = f"{sum(cell.points or 0 for cell in record.cells):g}"
        status = [statuses[record.student]] if statuses else []
        rows.append([record.student, *(shown.get(name, "") for name in cells), total, *status])
    numbers = [str(number) for number in range(1, len(cells) + 1)]
    print_table(records[0].assignment, ["student", *numbers, "points", *(["status"] if statuses else [])], rows)
    names = (f"{number} {name} ({points:g})" for number, (name, points) in zip(numbers, cells.items(), strict=True))
    print_text(f"\n{', '.join(names)}\n{LEGEND}")


def _shown(cell: CellVerdict) -> str:
    return f"{cell.points:g}" if cell.earned or cell.points else SHORT[cell.verdict]
