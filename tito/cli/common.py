"""What the commands share: settings, the module argument, tables and JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from tito.course import Assignment, Course, find_course

module_argument = click.argument("module")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON to stdout instead of a table.")
sandbox_option = click.option(
    "--sandbox",
    metavar="NAME",
    help="bubblewrap, landlock (where there are no namespaces), or none: an explicit choice to run student code "
    "unprotected. Default: course.toml.",
)
workers_option = click.option("--workers", type=click.IntRange(1, 256), default=2, show_default=True, help="At a time.")


@dataclass(frozen=True)
class Settings:
    """Options that stand before the command."""

    folder: Path
    show_traceback: bool

    def course(self) -> Course:
        return find_course(self.folder)

    def course_and_assignment(self, module: str) -> tuple[Course, Assignment]:
        course = self.course()
        return course, course.assignment(module)


def say(text: str) -> None:
    """Talk to the user (stderr); data go to stdout."""
    click.echo(text, err=True)


def say_forgeable(points: Iterable[float | None]) -> None:
    """Say how many points of a cohort were earned on evidence that student code can forge, where there are any."""
    each = [one for one in points if one]
    if each:
        say(f"{sum(each):g} points of {len(each)} submissions can be forged: evidence in-process or reported.")


def print_json(data: Any) -> None:
    """Data to stdout as JSON."""
    click.echo(json.dumps(data, indent=1, default=str))


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table to stdout; as wide as the terminal, or as wide as it needs where there is none."""
    import sys

    from rich.console import Console
    from rich.table import Table

    console = Console(width=None if sys.stdout.isatty() else 200)
    table = Table(*columns, title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*row)
    console.print(table)
