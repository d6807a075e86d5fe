"""Looks for what must not be in a release: solutions, hidden tests, mark schemes, outputs, foreign files.

The built artefact is searched, every string of every file, whatever tool built it. A secret counts as found when a
whole line of it, or a run of its tokens, stands in the artefact and in nothing that students have anyway.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tito.course.cells import Cell
from tito.models import CellKind
from tito.plan.test_cell import hidden_source, visible_source

TOKEN = re.compile(r"\w+|[^\w\s]")
RUN = 14  # tokens in a row that are taken for a copy
LINE = 24  # characters, spaces apart, from which on a line of its own is taken for a copy
REGION = re.compile(r"BEGIN (SOLUTION|MARK SCHEME)[^\n]*\n(?P<secret>.*?)\n[^\n]*END (SOLUTION|MARK SCHEME)", re.DOTALL)


@dataclass(frozen=True)
class Secret:
    """A text that must not be released, where in the source it stands, and whether it is a hidden test."""

    where: str
    text: str
    is_test: bool = False


@dataclass(frozen=True)
class Leak:
    """A secret found in the artefact."""

    file: str
    where: str
    excerpt: str


def secrets_of(cells: Iterable[Cell]) -> list[Secret]:
    """Solutions, mark schemes and hidden tests of a source notebook."""
    secrets = []
    for cell in cells:
        source, where = cell.source, cell.label
        regions = [Secret(where, match["secret"]) for match in REGION.finditer(source)]
        if cell.kind is CellKind.SOLUTION and not regions:
            regions = [Secret(where, source)]  # nbgrader replaces a solution cell without markers as a whole
        secrets += regions
        if hidden := hidden_source(source).strip():
            secrets.append(Secret(where, hidden, is_test=True))
    return secrets


def public_of(cells: Iterable[Cell]) -> str:
    """What students may see of tests: a hidden test may repeat it. Solutions have no such excuse."""
    return "\n".join(visible_source(cell.source) for cell in cells if cell.is_test)


def find_leaks(artefact: Path, secrets: list[Secret], public: str, prerequisites: str = "") -> list[Leak]:
    """Leaks in the files below `artefact`. `public` may be repeated by hidden tests, `prerequisites` by all."""
    known, tests = _tokens(prerequisites), _tokens(public)
    wanted = {
        secret: [mark for mark in _marks(secret.text) if mark not in known and not (secret.is_test and mark in tests)]
        for secret in secrets
    }
    leaks = []
    for path in sorted(path for path in artefact.rglob("*") if path.is_file()):
        present = "".join(map(_tokens, _texts(path)))
        for secret, marks in wanted.items():
            if hits := [mark for mark in marks if mark in present]:
                leaks.append(Leak(str(path.relative_to(artefact)), secret.where, min(hits, key=len).strip()[:80]))
    return leaks


def _tokens(text: str) -> str:
    """The tokens of a text between single spaces, so that one text's can be looked for in another's."""
    return f" {' '.join(TOKEN.findall(text))} "


def _marks(text: str) -> set[str]:
    """What a text is recognised by: its longer lines, and its runs of tokens, without regard to white space."""
    lines = {_tokens(line) for line in text.split("\n") if len("".join(line.split())) >= LINE}
    tokens = TOKEN.findall(text)
    return lines | {f" {' '.join(tokens[at : at + RUN])} " for at in range(len(tokens) - RUN + 1)}


def _texts(path: Path) -> Iterator[str]:
    data = path.read_bytes()
    text = data.decode(errors="replace")
    if path.suffix in (".ipynb", ".json"):
        for string in _strings(json.loads(text)):
            yield string
            yield from _unpacked(string)
    else:
        yield text


def _strings(value: Any) -> Iterator[str]:
    """Every string in a JSON value; a list of lines, as notebooks write their sources, as one."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _strings(item)
    elif isinstance(value, list):
        if value and all(isinstance(item, str) for item in value):
            yield "".join(value)
        for item in value:
            yield from _strings(item)


def _unpacked(string: str) -> Iterator[str]:
    """What a long base64 string (an attachment, an image) holds, where that is text."""
    if len(string) > 64 and re.fullmatch(r"[A-Za-z0-9+/\s]+={0,2}\s*", string):
        try:
            yield base64.b64decode(string).decode()
        except (binascii.Error, ValueError):
            return


def find_outputs(artefact: Path) -> list[Leak]:
    """Outputs and execution counts that survived in released notebooks."""
    leaks = []
    for path in sorted(artefact.rglob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell.get("outputs") or cell.get("execution_count") is not None:
                leaks.append(Leak(path.name, str(cell.get("id", "")), "an output"))
    return leaks
