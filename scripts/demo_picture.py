"""Draws what `make demo` writes to a terminal: book/images/demo.svg, which the README shows.

    .venv/bin/python scripts/demo_picture.py

The demo is run, in a terminal of its own, and nothing is drawn that it did not write. Of many lines of one kind in a
row the first are drawn, with how many more there were; the project's folder is called `~/tito`.
"""

from __future__ import annotations

import os
import pty
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "book/images/demo.svg"
COLUMNS = 140
MOST_OF_A_KIND = 3
KIND = re.compile(r"\s*(ok\s+variant|ok|\w+: [\d.]+/\d+ points)\b")
FONT = 'font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace'
# The font that rich's pictures ask a server for, and the name by which they use it.
ASKED_FOR = re.compile(r"@font-face\s*\{.*?\}\s*", re.DOTALL)
NAMED = re.compile(r"font-family:\s*[^;\"]*Fira ?Code[^;\"]*")


def written_by(command: list[str], columns: int) -> str:
    """What a command writes to a terminal that is so wide."""
    ours, theirs = pty.openpty()
    size = {"COLUMNS": str(columns), "LINES": "50", "TERM": "xterm-256color"}
    with subprocess.Popen(
        command, cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs, env=os.environ | size
    ) as process:
        os.close(theirs)
        pieces = []
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # Linux says so when the other side has been closed
                break
            if not piece:
                break
            pieces.append(piece)
    os.close(ours)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}; nothing was drawn.")
    return b"".join(pieces).decode().replace("\r\n", "\n")


def drawn_lines(text: str) -> Iterator[str]:
    """Lines, with no more than some of each kind in a row."""
    for kind, group in groupby(text.splitlines(), _kind):
        lines = list(group)
        shown = lines if not kind else lines[:MOST_OF_A_KIND]
        yield from shown
        if len(lines) > len(shown):
            indent = " " * (len(shown[0]) - len(shown[0].lstrip()))
            yield f"{indent}… and {len(lines) - len(shown)} more"


def picture(lines: Iterable[str], title: str) -> str:
    """A terminal that shows these lines, as SVG that asks nobody for a font."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=COLUMNS, file=nowhere, force_terminal=True, legacy_windows=False)
        for line in lines:
            console.print(Text.from_ansi(line), soft_wrap=False)
        svg = console.export_svg(title=title, unique_id="demo")
    return NAMED.sub(FONT.replace('"', "'"), ASKED_FOR.sub("", svg))


def _kind(line: str) -> str:
    match = KIND.match(line)
    return re.sub(r"\w+: [\d.]+/\d+", "points", match[1]) if match else ""


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="tito-picture-") as scratch:
        into = Path(scratch) / "demo"
        text = written_by([str(ROOT / ".venv/bin/tito"), "demo", "16", "--into", str(into)], COLUMNS)
        text = text.replace(str(into), "~/tito/demo").replace(str(ROOT), "~/tito")
    PICTURE.write_text(picture(["$ make demo", *drawn_lines(text)], "make demo"), encoding="utf-8")
    print(f"Wrote {PICTURE.relative_to(ROOT)}.")


if __name__ == "__main__":
    main()
