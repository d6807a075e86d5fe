"""Every part of every page is searched for what a student may not read: hidden tests, mark schemes, solutions.

All parts are searched as they stand in the page. What the student has written is theirs, whatever it says, and so are
numbers that their code has shown; what an author's message says is meant for them.
"""

from __future__ import annotations

import ast
import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from tito.course.cells import Cell
from tito.models import CellKind
from tito.plan.boilerplate import tree_of
from tito.plan.secret_texts import TOKEN, Mark, public_of, secrets_of

DATA = re.compile(r'"data:[^"]*"')
SHOWN = re.compile(r'(?:alt|aria-label|title)="([^"]*)"')
INLINE = re.compile(r"</?(?:span|b|i|em|strong|code|a)\b[^>]*>")
START = 3  # tokens by which a mark is looked up
TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True)
class Finding:
    """A secret that stands in a page: which cell it is of."""

    where: str
    is_test: bool


class PageSecrets:
    """What is looked for in the pages of a notebook."""

    def __init__(self, cells: Iterable[Cell], released: str, prerequisites: str = "") -> None:
        """`cells` are the course's own, with all that is hidden in them; what is `released` students have anyway."""
        cells = tuple(cells)
        self._secrets = secrets_of(cells)
        every = _Marks((at, mark) for at, secret in enumerate(self._secrets) for mark in secret.marks)
        known = every.in_text("\n".join((released, prerequisites, *_messages(cells))))
        known |= {at for at in every.in_text(public_of(cells)) if self._secrets[every.marks[at][0]].is_test}
        self.sought = _Marks(each for at, each in enumerate(every.marks) if at not in known)
        self._in_course_parts: dict[str, tuple[Finding, ...]] = {}

    def in_course_part(self, part: str) -> tuple[Finding, ...]:
        """What stands in a part that is made of nothing of a student's, and is alike on many pages."""
        if part not in self._in_course_parts:
            self._in_course_parts[part] = self.findings(self.sought.in_text(text_of(part)))
        return self._in_course_parts[part]

    def findings(self, marks: set[int]) -> tuple[Finding, ...]:
        """What marks are of."""
        secrets = (self._secrets[at] for at in sorted({self.sought.marks[number][0] for number in marks}))
        return tuple(Finding(secret.where, secret.is_test) for secret in secrets)


class PageScan:
    """Searches a page of a student who has `written` some texts, and whose code has `shown` others."""

    def __init__(self, secrets: PageSecrets, written: Iterable[str], shown: Iterable[str]) -> None:
        self._secrets = secrets
        self._written = written
        self._shown = shown

    def in_part(self, part: str, *, is_course: bool = False) -> tuple[Finding, ...]:
        """What stands in a part of the page that the student does not have already."""
        if is_course:
            return self._secrets.in_course_part(part)
        hits = self._secrets.sought.in_text(text_of(part))
        return self._secrets.findings(hits - self._theirs) if hits else ()

    @cached_property
    def _theirs(self) -> set[int]:
        sought = self._secrets.sought
        shown = sought.in_text("\n".join(self._shown))
        numbers = {number for number in shown if sought.marks[number][1].is_number}
        return sought.in_text("\n".join(self._written)) | numbers


class _Marks:
    """Marks, each with the number of its secret, by the tokens that they begin with: so a text is gone through once."""

    def __init__(self, marks: Iterable[tuple[int, Mark]]) -> None:
        self.marks = tuple(marks)
        self._by_start: dict[tuple[str, ...], list[tuple[tuple[str, ...], int]]] = {}
        for number, (_, mark) in enumerate(self.marks):
            tokens = tuple(mark.tokens.split())
            self._by_start.setdefault(tokens[:START], []).append((tokens, number))
        self._sizes = {len(start) for start in self._by_start}

    def in_text(self, text: str) -> set[int]:
        """Numbers of the marks that stand in a text."""
        tokens = tuple(TOKEN.findall(text))
        return {
            number
            for size in self._sizes
            for at, start in enumerate(zip(*(tokens[first:] for first in range(size)), strict=False))
            if start in self._by_start
            for whole, number in self._by_start[start]
            if tokens[at : at + len(whole)] == whole
        }


def text_of(part: str) -> str:
    """What a person reads of HTML, with what a screen reader says in the place of pictures."""
    part = DATA.sub('""', part)
    labels = " ".join(SHOWN.findall(part))
    return html.unescape(TAG.sub(" ", INLINE.sub("", part)) + " " + labels)


def _messages(cells: Iterable[Cell]) -> Iterator[str]:
    """What asserts of tests say when they fail: constant texts, which are for students."""
    return (text for cell in cells if cell.kind is CellKind.TEST for text in _said_by(cell.source))


def _said_by(source: str) -> list[str]:
    tree = tree_of(source)
    if tree is None:
        return []
    messages = (node.msg for node in ast.walk(tree) if isinstance(node, ast.Assert) and node.msg is not None)
    parts = (part for message in messages for part in ast.walk(message))
    return [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
