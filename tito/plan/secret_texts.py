"""What must not be in a release, and by what it is recognised.

Solutions, mark schemes and hidden tests are each a row of tokens, so that white space is no matter. Of code, what says
nothing (`boilerplate`) does not count by itself; of any text, what the author has declared:

    ### SHOWN `plt.plot(x, y)`: reason     in the cell that the secret is of: students may have this line
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from tito.course.cells import Cell
from tito.models import CellKind
from tito.plan.boilerplate import Boilerplate, without_comments
from tito.plan.directives import Shown, shown_lines, without_private
from tito.plan.test_cell import hidden_rows, visible_source

TOKEN = re.compile(r"\w+|[^\w\s]")
RUN = 14  # tokens in a row that are taken for a copy
LINE = 24  # characters, spaces apart, from which on a line of its own is taken for a copy
DIGITS = 6  # of a number in a hidden test, from which on it is taken for its answer
REGION = re.compile(r"BEGIN (SOLUTION|MARK SCHEME)[^\n]*\n(?P<secret>.*?)\n[^\n]*END (SOLUTION|MARK SCHEME)", re.DOTALL)
WHOLE_REGION = re.compile(
    r"^[^\n]*\bBEGIN (SOLUTION|MARK SCHEME)\b.*?\bEND \1\b[^\n]*(?:\n|\Z)", re.DOTALL | re.MULTILINE
)
NUMBER = re.compile(r"(?<![\w.])\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?(?!\w)")


def without_regions(text: str) -> str:
    """A text without its solutions and mark schemes, and without the lines that begin and end them."""
    return WHOLE_REGION.sub("", text)


def tokens_of(text: str) -> str:
    """The tokens of a text between single spaces, so that one text's can be looked for in another's."""
    return f" {' '.join(TOKEN.findall(text))} "


@dataclass(frozen=True)
class Mark:
    """Tokens by which a secret is recognised, and from which to which of its tokens they are."""

    tokens: str
    start: int
    end: int
    is_number: bool = False  # an answer of a hidden test: it stands by itself in data too

    @cached_property
    def words(self) -> frozenset[str]:
        return frozenset(self.tokens.split())


@dataclass(frozen=True)
class Secret:
    """A text that must not be released.

    Attributes:
        where: the cell that it is of.
        is_test: whether it is a hidden test.
        silent: its lines, counted from 0, that say nothing by themselves.
        shown: what its author lets students have of it.
        constants: numbers that solutions have too: of a test's, they are no answers.
    """

    where: str
    text: str
    is_test: bool = False
    silent: frozenset[int] = frozenset()
    shown: tuple[Shown, ...] = ()
    constants: frozenset[str] = frozenset()

    @cached_property
    def rows(self) -> list[int]:
        """Of each of its tokens, the line that it stands in."""
        return [row for row, line in enumerate(self._lines) for _ in TOKEN.findall(line)]

    @cached_property
    def tokens(self) -> list[str]:
        return [token for line in self._lines for token in TOKEN.findall(line)]

    @property
    def _lines(self) -> list[str]:
        return self.text.split("\n")

    @cached_property
    def marks(self) -> tuple[Mark, ...]:
        """What it is recognised by: its longer lines, its runs of tokens, all of it, and the answers of a test."""
        marks = {}
        for start, end in self._stretches():
            for mark in (*self._long_lines(start, end), *self._runs(start, end)):
                marks[mark.tokens] = mark
        if len(self.tokens) >= RUN and len(set(self.rows)) > 1:
            whole = self._mark(0, len(self.tokens))
            marks.setdefault(whole.tokens, whole)
        for mark in self._answers() if self.is_test else ():
            marks.setdefault(mark.tokens, mark)
        return tuple(marks.values())

    def _stretches(self) -> Iterator[tuple[int, int]]:
        """Tokens that are not interrupted by a line that says nothing."""
        start = None
        for at, row in enumerate([*self.rows, -1]):
            silent = row < 0 or row in self.silent
            if silent and start is not None:
                yield start, at
                start = None
            elif not silent and start is None:
                start = at

    def _long_lines(self, start: int, end: int) -> Iterator[Mark]:
        rows = self.rows[start:end]
        for row in sorted(set(rows)):
            first = start + rows.index(row)
            last = first + rows.count(row)
            if sum(map(len, self.tokens[first:last])) >= LINE:
                yield self._mark(first, last)

    def _runs(self, start: int, end: int) -> Iterator[Mark]:
        return (self._mark(at, at + RUN) for at in range(start, end - RUN + 1))

    def _answers(self) -> Iterator[Mark]:
        at = 0
        for row, line in enumerate(self._lines):
            for number in NUMBER.finditer(line) if row not in self.silent else ():
                digits = re.sub(r"[eE].*|\D", "", number[0]).strip("0")
                if len(digits) >= DIGITS and number[0] not in self.constants:
                    start = at + len(TOKEN.findall(line[: number.start()]))
                    mark = self._mark(start, start + len(TOKEN.findall(number[0])))
                    yield Mark(mark.tokens, mark.start, mark.end, is_number=True)
            at += len(TOKEN.findall(line))

    def _mark(self, start: int, end: int) -> Mark:
        return Mark(f" {' '.join(self.tokens[start:end])} ", start, end)

    def places(self, shown: Shown) -> list[range]:
        """Where in its tokens a text stands."""
        wanted = TOKEN.findall(shown.text)
        size = len(wanted)
        starts = range(len(self.tokens) - size + 1) if size else range(0)
        return [range(at, at + size) for at in starts if self.tokens[at : at + size] == wanted]

    def lines_of(self, marks: Iterable[Mark]) -> list[int]:
        """The lines that marks are of, in their order."""
        return sorted({self.rows[at] for mark in marks for at in range(mark.start, mark.end)})

    def line(self, row: int) -> str:
        return self._lines[row].strip()


def secrets_of(cells: Iterable[Cell]) -> list[Secret]:
    """Solutions, mark schemes and hidden tests of source notebooks."""
    cells = tuple(cells)
    boilerplate = Boilerplate(cell.source for cell in cells if cell.is_code)
    secrets = [secret for cell in cells for secret in _secrets_of(cell, boilerplate)]
    solutions = "\n".join(secret.text for secret in secrets if not secret.is_test)
    constants = frozenset(number[0] for number in NUMBER.finditer(solutions))
    return [replace(secret, constants=constants) if secret.is_test else secret for secret in secrets]


def _secrets_of(cell: Cell, boilerplate: Boilerplate) -> Iterator[Secret]:
    source = cell.source
    regions = [_rows_between(source, *match.span("secret")) for match in REGION.finditer(source)]
    is_filled = cell.kind is CellKind.SOLUTION or (cell.kind is CellKind.ANSWER and cell.is_code)
    if is_filled and not regions:
        regions = [range(source.count("\n") + 1)]  # nbgrader replaces a solution cell without markers as a whole
    for rows in regions:
        yield _secret(cell, rows, boilerplate)
    hidden = hidden_rows(source)
    if any(source.split("\n")[row].strip() for row in hidden):
        yield _secret(cell, hidden, boilerplate, is_test=True)


def _rows_between(source: str, start: int, end: int) -> range:
    return range(source.count("\n", 0, start), source.count("\n", 0, end) + 1)


def _secret(cell: Cell, rows: Sequence[int], boilerplate: Boilerplate, is_test: bool = False) -> Secret:
    shown = shown_lines(cell.source)
    silent = boilerplate.lines(cell.source) if cell.is_code else frozenset[int]()
    lines = without_private(cell.source, leaving_lines=True)
    code = without_comments(lines)[0] if cell.is_code else lines
    if not any(code.split("\n")[row].strip() for row in rows):
        code = lines  # an answer that is written as a comment
    text = "\n".join(code.split("\n")[row] for row in rows)
    return Secret(cell.label, text, is_test, frozenset(at for at, row in enumerate(rows) if row + 1 in silent), shown)


def given_code(cells: Iterable[Cell]) -> str:
    """Code that students are given, outside of what is secret, without its comments."""
    return "\n".join(without_comments(_given(cell))[0] for cell in cells if cell.is_code)


def _given(cell: Cell) -> str:
    if cell.kind is CellKind.TEST:
        return visible_source(cell.source)
    if cell.kind in (CellKind.SOLUTION, CellKind.ANSWER):
        return REGION.sub("", cell.source) if REGION.search(cell.source) else ""
    return cell.source


def public_of(cells: Iterable[Cell]) -> str:
    """What hidden tests may repeat: all that visible ones say, and of code that is given, what asserts nothing.

    Solutions have no such excuse.
    """
    cells = tuple(cells)
    tests = [visible_source(cell.source) for cell in cells if cell.is_test]
    setup = given_code(cell for cell in cells if not cell.is_test)
    return "\n".join([*tests, *(line for line in setup.split("\n") if not line.lstrip().startswith("assert"))])
