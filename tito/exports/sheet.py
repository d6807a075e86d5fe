"""A file of separated values as somebody else wrote it, in which single fields can be written: all else stays as it is,
to the byte.

The csv module and pandas give what the fields say, and not how they were written: quotes, ends of lines, an encoding's
mark. A system takes back what it wrote itself, so here each field knows where in the text it stands.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from pathlib import Path
from typing import NamedTuple

from tito.errors import BadSource, UsageError

MARKS = (  # which a text may begin with, to say how it is encoded
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
MARK = "\ufeff"
SEPARATORS = ",;\t"
WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # Excel's: a zip, and what it was before
MOST_BYTES = 64 << 20
BREAK = re.compile(r"\r\n|\r|\n")
DECIMALS = re.compile(r"-?\d+(?P<mark>[.,])\d+")
Place = tuple[int, int]  # row and column, from 0


class Field(NamedTuple):
    """A field: where it begins and ends in the text, quotes and all, and what it says."""

    begin: int
    end: int
    value: str


@dataclass(frozen=True)
class Sheet:
    """The text of a file, and the fields of its rows."""

    path: Path
    text: str
    encoding: str
    separator: str
    rows: tuple[tuple[Field, ...], ...]

    def values(self, row: int) -> list[str]:
        """What the fields of a row say."""
        return [field.value for field in self.rows[row]]

    def line(self, row: int) -> int:
        """The number of the line that a row begins in, from 1."""
        return self._lines[row]

    def is_blank(self, row: int) -> bool:
        """Whether a row says nothing."""
        return not any(value.strip() for value in self.values(row))

    @cached_property
    def decimal_mark(self) -> str:
        """A comma where the file writes numbers with one, and none with a point."""
        numbers = (DECIMALS.fullmatch(field.value.strip()) for row in self.rows for field in row)
        return "," if {number["mark"] for number in numbers if number} == {","} else "."

    def with_values(self, values: Mapping[Place, str]) -> str:
        """The text with some fields saying something else."""
        pieces, at = [], 0
        for (row, column), value in sorted(values.items()):
            field = self.rows[row][column]
            pieces += [self.text[at : field.begin], self._written(value, self.text[field.begin : field.end])]
            at = field.end
        return "".join([*pieces, self.text[at:]])

    def with_column(self, values: Mapping[int, str]) -> str:
        """The text with one more field at the end of each row that is not empty."""
        pieces, at = [], 0
        for number, row in enumerate(self.rows):
            if not self.is_blank(number):
                written = self._written(values.get(number, ""), self.text[row[-1].begin : row[-1].end])
                pieces += [self.text[at : row[-1].end], self.separator, written]
                at = row[-1].end
        return "".join([*pieces, self.text[at:]])

    def encoded(self, text: str) -> bytes:
        """A text as the file's own is written.

        Raises:
            UsageError: there is something in it that cannot be.
        """
        try:
            return text.encode(self.encoding)
        except UnicodeEncodeError as error:
            raise UsageError(
                f"{self.path} is encoded as {self.encoding}, which has no '{text[error.start : error.end]}'.",
                hint="Name our column in other letters with --column.",
            ) from error

    @cached_property
    def _lines(self) -> list[int]:
        begins = [row[0].begin for row in self.rows]
        breaks = (len(BREAK.findall(self.text, at, end)) for at, end in pairwise([0, *begins]))
        return [1 + count for count in accumulate(breaks)]

    def _written(self, value: str, before: str) -> str:
        """With quotes where there were some, or where it needs them."""
        if before.startswith('"') or any(sign in value for sign in (self.separator, '"', "\r", "\n")):
            return '"{}"'.format(value.replace('"', '""'))
        return value


def read_sheet(path: Path) -> Sheet:
    """The file as it lies there: its encoding and its separator are found out.

    Raises:
        BadSource: it cannot be read as a text of separated values; says where.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise BadSource(f"{path} is larger than {MOST_BYTES >> 20} MiB.", hint="Is it the file of grades?")
        content = path.read_bytes()
    except OSError as error:
        raise BadSource(f"{path} cannot be read: {error.strerror}.", hint="Check its name.") from error
    text, encoding = _decoded(path, content)
    separator = max(SEPARATORS, key=lambda each: _width(path, text, each))
    rows = tuple(_rows(path, text, separator))
    if not rows or len(rows[0]) < 2:
        raise BadSource(
            f"{path} is no table: its first line has no comma, semicolon or tab.",
            hint="Download it again, as the system writes it.",
        )
    return Sheet(path, text, encoding, separator, rows)


def _line_of(text: str, at: int) -> int:
    """The number of the line that a place in a text is in, from 1."""
    return len(BREAK.findall(text, 0, at)) + 1


def _decoded(path: Path, content: bytes) -> tuple[str, str]:
    """The text, and the encoding in which it is written back to the same bytes."""
    if content.startswith(WORKBOOKS):
        raise BadSource(f"{path} is an Excel workbook.", hint="Give the CSV or the tab-delimited file itself.")
    marked = next((encoding for mark, encoding in MARKS if content.startswith(mark)), None)
    # Without a mark: UTF-16 shows itself by the zero byte of a first letter that is Latin. Where it is no UTF-8 either,
    # it is of an older code, in which ASCII is ASCII; whichever it is, all bytes come back.
    unmarked = ["utf-16-le"] if content[1:2] == b"\0" else ["utf-16-be"] if content[:1] == b"\0" else []
    for encoding in [marked] if marked else [*unmarked, "utf-8", "latin-1"]:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text and text.encode(encoding) == content:
            return text, encoding
    raise BadSource(f"{path} is no text.", hint="Give the CSV or the tab-delimited file as it was downloaded.")


def _width(path: Path, text: str, separator: str) -> int:
    """How many fields the first row has by a separator."""
    with suppress(BadSource):
        return len(next(_rows(path, text, separator), ()))
    return 0


def _rows(path: Path, text: str, separator: str) -> Iterator[tuple[Field, ...]]:
    """The fields of each row, as the csv module tells them."""
    pattern = re.compile(
        rf'(?:"(?P<quoted>[^"]*(?:""[^"]*)*)")?(?P<bare>[^{separator}\r\n]*)(?P<after>{separator}|\r\n|\r|\n|\Z)'
    )
    row: list[Field] = []
    at = len(MARK) if text.startswith(MARK) else 0
    while at < len(text) or row:
        match = pattern.match(text, at)
        if match is None or (match["quoted"] is None and match["bare"].startswith('"')):
            raise BadSource(
                f"{path}:{_line_of(text, at)}: a quote is opened here and never closed.",
                hint="Download the file again.",
            )
        value = (match["quoted"] or "").replace('""', '"') + match["bare"]
        row.append(Field(at, match.start("after"), value))
        at = match.end()
        if match["after"] != separator:
            yield tuple(row)
            row = []
