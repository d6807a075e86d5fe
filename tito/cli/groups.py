"""How `tito` and its groups list their commands: under headings, in a set order, each with its summary whole."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

import click

WHOLE = 1000  # characters of a summary: more than any has, so that click cuts none short


class CommandGroup(click.Group):
    """A group whose commands stand in sections, in the order in which they were added."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._sections: dict[str, list[str]] = {}

    def add_section(self, title: str, *commands: click.Command) -> None:
        """Add commands under a heading of their own."""
        for command in commands:
            self.add_command(command)
            self._sections.setdefault(title, []).append(command.name or "")

    @property
    def sections(self) -> dict[str, list[str]]:
        """Names of commands by heading; all under one where nobody drew any."""
        return self._sections or {"Commands": list(self.commands)}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for names in self.sections.values() for name in names]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        column = max(map(len, self.commands), default=0)  # one width for all sections, so that summaries line up
        for title, names in self.sections.items():
            summaries = [self.commands[name].get_short_help_str(WHOLE) for name in names]
            with formatter.section(title):
                formatter.write_dl(list(zip((name.ljust(column) for name in names), summaries, strict=True)))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands and not ctx.resilient_parsing:
            close = get_close_matches(args[0], self.commands, n=1)
            hint = f"Did you mean '{close[0]}'?" if close else f"See '{ctx.command_path} --help'."
            raise click.UsageError(f"No such command '{args[0]}'. {hint}", ctx)
        return super().resolve_command(ctx, args)
