"""The page of commands: what `--help` prints of each."""

from __future__ import annotations

from collections.abc import Iterator

import click

from tito.cli import WIDEST, cli
from tito.cli.groups import CommandGroup
from tito.docs.markdown import console

INTRODUCTION = """\
# Commands

`tito COMMAND --help` prints what stands here. Commands find the course in the folder that they are called in, or above
it, or by `tito --course FOLDER`.
"""


def page() -> str:
    """The whole page, in Markdown."""
    parts = [INTRODUCTION, console("tito --help", _help(cli, "tito"))]
    for title, names in cli.sections.items():
        parts.append(f"## {title}\n")
        for name in names:
            parts += _command(cli.commands[name], f"tito {name}", 3)
    return "\n".join(parts)


def _command(command: click.Command, path: str, depth: int) -> Iterator[str]:
    yield f"{'#' * depth} {path}\n"
    yield console(f"{path} --help", _help(command, path))
    if isinstance(command, click.Group):
        groups = command.sections if isinstance(command, CommandGroup) else {"": list(command.commands)}
        for name in (name for names in groups.values() for name in names):
            yield from _command(command.commands[name], f"{path} {name}", depth + 1)


def _help(command: click.Command, path: str) -> str:
    context = click.Context(command, info_name=path, max_content_width=WIDEST, terminal_width=100)
    context.help_option_names = ["-h", "--help"]
    return command.get_help(context)
