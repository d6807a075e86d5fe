"""Commands for graders beside us: otter."""

from __future__ import annotations

from pathlib import Path

import click

from tito.cli.common import Settings, module_argument, say


@click.command()
@module_argument
@click.option(
    "--to",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The zip to write (default: autograder/NN_name.zip in the course folder).",
)
@click.pass_obj
def otter(settings: Settings, module: str, path: Path | None) -> None:
    """Write a released module as an autograder zip for Otter and Gradescope.

    Students upload the notebook that they were given. Otter runs tests beside student code: there is no sandbox, a
    test can be forged and hidden tests be read by the work that is graded, and written answers wait for a person.
    """
    from tito.otter.zip import all_or_nothing_tests, unmeasured_tests, write_otter_zip

    course, assignment = settings.course_and_assignment(module)
    target = path or course.root / "autograder" / f"{assignment.id}.zip"
    say(f"Wrote {write_otter_zip(course, assignment, target)}. Grades are not forge-proof there.")
    unmeasured = unmeasured_tests(course, assignment)
    if unmeasured:
        say(f"Time and memory are not measured there, so points can differ: {', '.join(unmeasured)}.")
    in_full = all_or_nothing_tests(course, assignment)
    if in_full:
        say(f"Tests that end in a number of points give all of them there: {', '.join(in_full)}.")
