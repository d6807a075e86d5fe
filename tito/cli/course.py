"""Commands on a course and the machine that it is on: demo, doctor."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click

from tito.cli.common import Settings, json_option, modules_beginning, print_json, print_text, say
from tito.errors import GateFailed


@click.command()
@json_option
@click.pass_obj
def doctor(settings: Settings, as_json: bool) -> None:
    """Say what is there, what is missing, and what still works without it."""
    from tito.doctor import examine

    diagnoses = examine(settings.folder)
    if as_json:
        print_json([dataclasses.asdict(diagnosis) for diagnosis in diagnoses])
    else:
        for diagnosis in diagnoses:
            hint = "" if diagnosis.ok else f" {diagnosis.hint}"
            print_text(f"{'ok     ' if diagnosis.ok else 'MISSING'}  {diagnosis.name}: {diagnosis.detail}{hint}")
    if not all(diagnosis.ok for diagnosis in diagnoses):
        raise GateFailed("Something is missing; see above.")


@click.command()
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo"),
    show_default=True,
    help="The folder to make the demo course in. An older demo there is replaced.",
)
@click.option(
    "--students",
    type=click.IntRange(1, 1000),
    default=12,
    show_default=True,
    help="How many of the module's simulated students take part, of each kind in turn.",
)
@click.argument("module", default="", shell_complete=modules_beginning)
@click.pass_obj
def demo(settings: Settings, into: Path, students: int, module: str) -> None:
    """Run the whole flow on a simulated cohort: check, release, submit, autograde, feedback, CSV.

    MODULE is, by default, the first that has simulated students.
    """
    from tito.cli.demo import first_module, run

    course = settings.course()
    run(course, course.assignment(module or first_module(course)), into, students, say)
