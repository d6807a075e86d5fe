"""The command on grades: tables of our own, and the files of learning management systems, filled."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tito.cli.common import Settings, json_option, modules_beginning, print_json, print_table, say
from tito.errors import GateFailed, UsageError

if TYPE_CHECKING:
    from tito.course.course import Assignment, Course
    from tito.exports.fill import Choices, Entry, Reconciliation
    from tito.exports.tables import Per

SYSTEM_NAMES = ("canvas", "moodle", "blackboard", "gradescope")
PER = ("student", "cell", "check")
WIDEST_NAME = 60
MOST_ABSENT = 20  # that are listed: a file may be one section's of many
FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("module", required=False, shell_complete=modules_beginning)
@click.option("--per", type=click.Choice(PER), default="student", show_default=True, help="What a row is.")
@click.option("--format", "system", type=click.Choice(SYSTEM_NAMES), help="Whose file --fill names.")
@click.option("--fill", "source", type=FILE, help="The file that it gave: our column is written, and nothing else.")
@click.option("--column", default="", metavar="HEADING", help="Our column in it, where its title is not the module's.")
@click.option("--key", default="", metavar="HEADING", help="The column that says who a row is: id, login or e-mail.")
@click.option("--scale", is_flag=True, help="Write the same share of the points that the system counts.")
@click.option("--new-column", is_flag=True, help="Add our column to a file that has none for the module.")
@click.option(
    "--output", type=FILE, help="The file to write.  [default: FILE.filled; gradebook/exports/ without --fill]"
)
@click.option("--in-place", is_flag=True, help="Write over FILE itself.")
@json_option
@click.pass_obj
def grades(
    settings: Settings,
    /,
    module: str | None,
    *,
    per: Per,
    system: str | None,
    source: Path | None,
    output: Path | None,
    in_place: bool,
    as_json: bool,
    **choices: Any,
) -> None:
    """Write grades: as CSV, of a module or of all, or into the file of your LMS.

    The CSV has a row for each student: points per graded cell (of one module), raw and final score, status. Missing,
    excused, ungraded and zero are four things: only who has earned a zero has one.

    With --format and --fill, the file that your LMS gave is written with our grades in it, and a reconciliation is
    printed. Who is not found in it, or more than once, is listed and gets nothing; exit code 1 says that some rows
    could be more than one student's.
    """
    course = settings.course()
    assignments = [course.assignment(module)] if module else []
    if source is None:
        if system or in_place or any(choices.values()):
            raise UsageError(
                "--format, --column, --key, --scale, --new-column and --in-place are about a file of your LMS.",
                hint="Name it with --fill.",
            )
        _write(course, assignments, per, output, as_json=as_json)
        return
    if system is None or not assignments or per != "student" or (in_place and output):
        raise UsageError(
            "--fill needs a MODULE and --format, goes without --per, and has one place to write to.",
            hint="For example: tito grades 7 --format canvas --fill grades.csv",
        )
    from tito.exports.fill import Choices

    _fill(course, assignments[0], system, source, output, Choices(**choices), in_place=in_place, as_json=as_json)


def _write(course: Course, assignments: list[Assignment], per: Per, output: Path | None, *, as_json: bool) -> None:
    from tito.exports.tables import read_all, table_of, write_table
    from tito.gradebook.grades import released_assignments

    if not as_json:
        target, table = write_table(course, assignments, per, output)
        say(f"Wrote {len(table)} rows to {target}.")
        return
    read = read_all(course, assignments or released_assignments(course))
    if per == "student":
        rows = [
            {"assignment": each.assignment} | dataclasses.asdict(row) | {"status": row.status.value}
            for each in read
            for row in each.rows
        ]
    else:
        table = table_of(read, per)
        rows = table.astype(object).where(table.notna(), None).to_dict("records")
    print_json(rows)


def _fill(
    course: Course,
    assignment: Assignment,
    system: str,
    source: Path,
    output: Path | None,
    choices: Choices,
    *,
    in_place: bool,
    as_json: bool,
) -> None:
    from tito.exports.fill import fill
    from tito.exports.systems import SYSTEMS
    from tito.gradebook.grades import read_grades

    result = fill(
        read_grades(course, assignment), SYSTEMS[system], source, output=output, in_place=in_place, choices=choices
    )
    if as_json:
        print_json(dataclasses.asdict(result))
    else:
        print_reconciliation(assignment.id, result)
    if result.ambiguous:
        raise GateFailed(
            f"{len(result.ambiguous)} rows of {source} could be more than one student's, and were left as they are.",
            hint="Correct e-mail addresses or ids, or name the column that says who a row is with --key.",
        )


def print_reconciliation(assignment: str, result: Reconciliation) -> None:
    """What became of each row, and by what to know the file again."""
    by = ", ".join(f"{count} by {column}" for column, count in result.matched_by.items())
    counts = [
        ("students in the file", result.students, ""),
        ("matched", result.matched, by),
        ("new", result.new, ""),
        ("changed", len(result.changed), ""),
        ("same as before", result.same, ""),
        ("left: no grade yet", len(result.left), ""),
        (f"left: {result.system} takes none", len(result.held), ""),
        ("unknown", len(result.unknown), "no student of ours: left as they were"),
        ("ambiguous", len(result.ambiguous), "refused: left as they were"),
        ("not in the file", len(result.absent), "have work with us and no row"),
    ]
    lines = [[what, str(count), note if count else ""] for what, count, note in counts]
    print_table(f"{assignment} in {result.system}: {result.column}", ["rows", "", ""], lines)
    rest = len(result.absent) - MOST_ABSENT
    listed = [
        *_listed("changed", result.changed),
        *_listed("left", result.left),
        *_listed("left", result.held),
        *_listed("unknown", result.unknown),
        *_listed("ambiguous", result.ambiguous),
        *_listed("too high", result.above),
        *_listed("not in the file", result.absent[:MOST_ABSENT]),
        *([["not in the file", "", f"and {rest} more: --json lists them", "", "", "", ""]] if rest > 0 else []),
    ]
    if listed:
        print_table("", ["what", "line", "name in the file", "student", "was", "now", "why"], listed)
    say(f"Wrote {result.written}: {result.grades} grades, {result.points:g} points together.")
    say(f"SHA-256 {result.sha256}")


def _listed(what: str, entries: tuple[Entry, ...]) -> list[list[str]]:
    return [
        [what, str(each.line or ""), _short(each.name), each.student, each.was, each.now, _short(each.reason)]
        for each in entries
    ]


def _short(text: str) -> str:
    return text if len(text) <= WIDEST_NAME else f"{text[: WIDEST_NAME - 1]}…"
