"""What the commands share: settings, the module argument, and all that they print.

Names of students, of files and of exceptions, and messages that a test has made of what student code returned, may hold
what a terminal obeys. So nothing is printed but through here, where such characters are written out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import click

from tito.course.course import Assignment, Course, find_course
from tito.course.nbgrader_options import with_own_options
from tito.errors import TitoError
from tito.plain_text import with_visible_controls


def modules_beginning(ctx: click.Context, _: click.Parameter, start: str) -> list[str]:
    """For the shell's completion: modules of the course whose whole names begin so, else their names without number."""
    try:
        course = find_course(ctx.find_root().params.get("folder") or Path())
    except TitoError:
        return []
    modules = course.assignments
    whole = [module.id for module in modules]
    short = [module.id.partition("_")[2] for module in modules if module.number is not None]
    return [name for name in whole if name.startswith(start)] or [name for name in short if name.startswith(start)]


module_argument = click.argument("module", shell_complete=modules_beginning)
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
        return with_own_options(find_course(self.folder))

    def course_and_assignment(self, module: str) -> tuple[Course, Assignment]:
        course = self.course()
        return course, course.assignment(module)


class ProgressBar:
    """Progress of what takes long: a bar with an ETA on a terminal, else a plain line for each step. A context
    manager."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        console = Console(stderr=True)
        self._is_live = console.is_terminal
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
        )
        self._total = self._done = 0

    def start(self, title: str, count: int) -> None:
        """Begin a part of so many steps."""
        self._total, self._done = count, 0
        self._task = self._bar.add_task(title, total=count)

    def advance(self, line: str) -> None:
        """A step is done, of which this is to be told where there is no bar."""
        self._done += 1
        if self._is_live:
            self._bar.advance(self._task)
        else:
            say(f"[{self._done}/{self._total}] {line}")

    def __enter__(self) -> Self:
        if self._is_live:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_live:
            self._bar.stop()


def is_watched() -> bool:
    """Whether there is somebody to ask."""
    import sys

    return sys.stdin.isatty()


def say(text: str) -> None:
    """Talk to the user (stderr); data go to stdout."""
    click.echo(with_visible_controls(text), err=True)


def print_text(text: str) -> None:
    """Data to stdout as text."""
    click.echo(with_visible_controls(text))


def say_forgeable(points: Iterable[float | None]) -> None:
    """Say how many points of a cohort were earned on evidence that student code can forge, where there are any."""
    each = [earned for earned in points if earned]
    if each:
        say(f"{sum(each):g} points of {len(each)} submissions can be forged: evidence in-process or reported.")


def print_json(data: Any) -> None:
    """Data to stdout as JSON."""
    print_text(json.dumps(data, indent=1, default=str))


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table to stdout; as wide as the terminal, or as wide as it needs where there is none."""
    import sys

    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    console = Console(width=None if sys.stdout.isatty() else 200)
    # As Text: in a str rich would read markup, and a name may look like a link.
    shown = [Column(Text(with_visible_controls(column))) for column in columns]
    table = Table(
        *shown,
        title=Text(with_visible_controls(title)),
        title_justify="left",
        box=None,
        pad_edge=False,
        header_style="bold",
    )
    for row in rows:
        table.add_row(*(Text(with_visible_controls(cell)) for cell in row))
    console.print(table)
