"""Looks for what must not be in a release: solutions, hidden tests, mark schemes, outputs, foreign files.

The built artefact is searched, every string of every file, whatever tool built it. A secret counts as found when a
whole line of it, or a run of its tokens, stands in the artefact and in nothing that students have anyway. What code
that is given repeats of a longer solution and works with there is told apart: it is hardly the solution.
"""

from __future__ import annotations

import ast
import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tito.course.cells import grade_id_of
from tito.plan.boilerplate import rows_of, tree_of, without_comments
from tito.plan.secret_texts import Mark, Secret, tokens_of

PIECE, OVERLAP = 1 << 20, 1 << 14  # characters of data that are searched at a time


@dataclass(frozen=True)
class Leak:
    """A secret found in the artefact.

    Attributes:
        file: where in the artefact it is.
        where: the cell of the source that it is of.
        excerpt: the first of its lines that can be read there.
        place: what part of the file, "" for a file that is no notebook.
        lines: all of these lines.
        is_repeated: given code works with them, and most of the solution does not show there.
        is_test: whether it is of a hidden test.
    """

    file: str
    where: str
    excerpt: str
    place: str = ""
    lines: tuple[str, ...] = ()
    is_repeated: bool = False
    is_test: bool = False


@dataclass(frozen=True)
class Place:
    """A text of the artefact: which file and part of it, its tokens, and the source where it is code that is run."""

    file: str
    part: str
    tokens: str
    code: str | None = None
    is_data: bool = False

    def holds(self, mark: Mark) -> bool:
        """Whether a mark stands here."""
        return mark.words <= self.words and mark.tokens in self.tokens and not (mark.is_number and self.is_data)

    @cached_property
    def words(self) -> frozenset[str]:
        return frozenset(self.tokens.split())


class Marks:
    """Marks of several secrets, each under its longest token, which few texts have: a text is asked after those alone
    of which it has that one."""

    def __init__(self, marks_by_secret: Iterable[Iterable[Mark]]) -> None:
        self._by_word: dict[str, list[tuple[int, Mark]]] = {}
        for at, marks in enumerate(marks_by_secret):
            for mark in marks:
                self._by_word.setdefault(max(mark.words, key=len), []).append((at, mark))

    def in_place(self, place: Place) -> dict[int, list[Mark]]:
        """Those that stand there, by the number of their secret."""
        hits: dict[int, list[Mark]] = {}
        for word in place.words & self._by_word.keys():
            for at, mark in self._by_word[word]:
                if place.holds(mark):
                    hits.setdefault(at, []).append(mark)
        return hits


def find_leaks(artefact: Path, secrets: list[Secret], public: str, prerequisites: str = "") -> list[Leak]:
    """Leaks in the files below `artefact`. `public` may be repeated by hidden tests, `prerequisites` by all."""
    return Search(artefact, secrets, public, prerequisites).leaks


class Search:
    """A search of an artefact: `leaks`, and permissions that it did not need, by cell and text: `unused`."""

    def __init__(self, artefact: Path, secrets: list[Secret], public: str, prerequisites: str = "") -> None:
        every = Marks(secret.marks for secret in secrets)
        had = every.in_place(Place("", "", tokens_of(prerequisites)))
        had_in_tests = every.in_place(Place("", "", tokens_of(public)))
        sought = Marks(
            set(secret.marks).difference(had.get(at, ()), had_in_tests.get(at, ()) if secret.is_test else ())
            for at, secret in enumerate(secrets)
        )
        self._used: set[tuple[str, str]] = set()
        self._codes: list[str] = []
        hits_by_secret: list[list[tuple[Place, list[Mark]]]] = [[] for _ in secrets]
        for place in (place for path in _files(artefact) for place in _places(artefact, path)):
            if place.code is not None:
                self._codes.append(place.code)
            for at, marks in sought.in_place(place).items():
                if in_place := self._without_shown(secrets[at], marks):
                    hits_by_secret[at].append((place, in_place))
        leaks = [
            leak for secret, hits in zip(secrets, hits_by_secret, strict=True) for leak in self._leaks_of(secret, hits)
        ]
        self.leaks = sorted(dict.fromkeys(leaks), key=lambda leak: leak.file)
        permitted = dict.fromkeys((secret.where, shown.text) for secret in secrets for shown in secret.shown)
        self.unused = [each for each in permitted if each not in self._used]

    def _leaks_of(self, secret: Secret, hits_by_place: list[tuple[Place, list[Mark]]]) -> Iterator[Leak]:
        is_repeated = self._is_repeated(
            secret, [mark for place, hits in hits_by_place if place.code is not None for mark in hits]
        )
        for place, hits in hits_by_place:
            yield _leak(secret, place, hits, is_repeated and place.code is not None)

    def _without_shown(self, secret: Secret, hits: list[Mark]) -> list[Mark]:
        """Marks that permissions do not cover for the most part: a run goes on into the next line."""
        covered: set[int] = set()
        for shown in secret.shown:
            own = {at for places in secret.places(shown) for at in places}
            if any(not own.isdisjoint(range(mark.start, mark.end)) for mark in hits):
                self._used.add((secret.where, shown.text))
            covered |= own
        return [
            mark for mark in hits if 2 * len(covered.intersection(range(mark.start, mark.end))) < mark.end - mark.start
        ]

    def _is_repeated(self, secret: Secret, hits: list[Mark]) -> bool:
        """Whether given code shows less than half of a solution, and works with what it sets there."""
        if secret.is_test:
            return False
        shown = {at for mark in hits for at in range(mark.start, mark.end)}
        counted = [at for at, row in enumerate(secret.rows) if row not in secret.silent]
        if 2 * len(shown.intersection(counted)) >= len(counted):
            return False
        return _names_set(secret, secret.lines_of(hits)) <= self._read

    @cached_property
    def _read(self) -> frozenset[str]:
        """Names that given code reads."""
        return frozenset[str]().union(*map(_names_read, self._codes))


def _leak(secret: Secret, place: Place, hits: list[Mark], is_repeated: bool) -> Leak:
    lines = tuple(secret.line(row) for row in secret.lines_of(hits))
    return Leak(place.file, secret.where, lines[0][:80], place.part, lines, is_repeated, secret.is_test)


def _names_set(secret: Secret, rows: list[int]) -> frozenset[str]:
    """Names that statements of a secret on these lines set."""
    tree = tree_of(_dedented(secret.text))
    if tree is None:
        return frozenset()
    statements = (node for node in ast.walk(tree) if isinstance(node, ast.stmt))
    return frozenset(
        name.id
        for node in statements
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign) and {row + 1 for row in rows} & {*rows_of(node)}
        for name in ast.walk(node)
        if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
    )


def _dedented(text: str) -> str:
    """A part of a cell as a cell of its own."""
    first = next((line for line in text.split("\n") if line.strip()), "")
    indent = first[: len(first) - len(first.lstrip())]
    return "\n".join(line.removeprefix(indent) for line in text.split("\n"))


def _names_read(source: str) -> frozenset[str]:
    tree = tree_of(source)
    names = (node for node in ast.walk(tree) if isinstance(node, ast.Name)) if tree is not None else ()
    return frozenset(name.id for name in names if isinstance(name.ctx, ast.Load))


# ---- the artefact --------------------------------------------------------------------------------------


def _files(artefact: Path) -> list[Path]:
    return sorted(path for path in artefact.rglob("*") if path.is_file())


def _places(artefact: Path, path: Path) -> Iterator[Place]:
    file, text = str(path.relative_to(artefact)), path.read_bytes().decode(errors="replace")
    if path.suffix == ".py":
        yield from _code_places(file, "", text)
        return
    try:
        content = json.loads(text) if path.suffix in (".ipynb", ".json") else None
    except ValueError:  # a line of JSON each, or a file that is only called so
        content = None
    if content is None:
        yield from (Place(file, "", tokens_of(piece), is_data=True) for piece in _pieces(text))
    elif path.suffix == ".ipynb":
        yield from _notebook_places(file, content)
    else:
        yield _place(file, "", content, is_data=True)


def _pieces(text: str) -> Iterator[str]:
    """A large text in parts that overlap: data may be many times larger than what is made of it here."""
    for start in range(0, max(len(text), 1), PIECE):
        yield text[max(start - OVERLAP, 0) : start + PIECE]


def _notebook_places(file: str, content: Any) -> Iterator[Place]:
    """A notebook's cells part by part, and all else in it."""
    cells = content.get("cells") if isinstance(content, dict) else None
    if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cells):
        yield _place(file, "", content)
        return
    for number, cell in enumerate(cells, 1):
        name = grade_id_of(cell) if isinstance(cell.get("metadata"), dict) else ""
        where = f"cell {name}" if name else f"cell number {number}"
        source = "".join(cell.get("source", ""))
        if cell.get("cell_type") == "code":
            yield from _code_places(file, where, source)
        else:
            yield _place(file, f"the text of {where}", source)
        yield _place(file, f"an output of {where}", cell.get("outputs"))
        yield _place(file, f"an attachment of {where}", cell.get("attachments"))
        others = {key: value for key, value in cell.items() if key not in ("source", "outputs", "attachments")}
        yield _place(file, f"the metadata of {where}", others)
    yield _place(file, "the metadata", {key: value for key, value in content.items() if key != "cells"})


def _code_places(file: str, where: str, source: str) -> Iterator[Place]:
    code, comments = without_comments(source)
    yield Place(file, f"the code of {where}" if where else "", tokens_of(code), source)
    yield Place(file, f"a comment in {where}" if where else "a comment", tokens_of(comments))


def _place(file: str, part: str, value: Any, is_data: bool = False) -> Place:
    texts = [text for string in _strings(value) for text in (string, *_unpacked(string))]
    return Place(file, part, "".join(map(tokens_of, texts)), is_data=is_data)


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
    """Outputs and execution counts that survived in released notebooks; what lies in folders below is data."""
    leaks = []
    for path in sorted(artefact.glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell.get("outputs") or cell.get("execution_count") is not None:
                name = grade_id_of(cell) or str(cell.get("id", ""))
                leaks.append(Leak(path.name, name, "an output", f"cell {name}"))
    return leaks
