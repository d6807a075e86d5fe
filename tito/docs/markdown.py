"""Pieces of pages in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

WRITTEN = "<!-- written by 'python -m tito.docs' from the code: change it there -->\n"


def code(text: str) -> str:
    """Text as code."""
    return f"`{text}`"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; columns are divided by pipes, which may stand in no cell as they are."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(_cell(each) for each in row)} |\n" for row in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def console(command: str, printed: str) -> str:
    """A command and what it prints."""
    return f"```text\n$ {command}\n{printed.rstrip()}\n```\n"
