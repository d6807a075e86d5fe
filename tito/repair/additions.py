"""What a student wrote into a cell of the instructor's, told apart from what stood in it as it was released.

Compared is with the released text alone: a line that repeats a hidden one is the student's like any other, so that
nothing can be learned of hidden tests from what becomes of it.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tito.course.python_source import UNPARSABLE, Source
from tito.plan.magics import CELL_MAGIC, flow_with_magics, plain_python, runs_python

COMPARED = 2000  # characters of a piece, to see how like another it is
MOST_PIECES = 400  # from here on pieces are not laid side by side: to do that takes the square of their number


@dataclass(frozen=True)
class Piece:
    """A statement, or a line between statements; pieces with equal keys say the same."""

    text: str
    key: str


@dataclass(frozen=True)
class Additions:
    """The student's own text in a cell of the instructor's: above the first of the released lines, below it, and what
    stands in the place of released lines, which are `missing`."""

    above: str = ""
    below: str = ""
    changed: str = ""
    missing: bool = False


def additions_to_text(text: str, released: str) -> Additions:
    """What was added to a cell of text. A line that was changed counts as added."""
    ours = [line.strip() for line in released.splitlines()]
    lines = text.splitlines()
    added = [line for line in lines if line.strip() not in ours or not line.strip()]
    present = {line.strip() for line in lines}
    return Additions(below="\n".join(added).strip("\n"), missing=not present.issuperset(ours))


def additions_to_code(source: Source, released: Source) -> Additions:
    """What was added to a cell of code, by statements; where it is no Python, by lines.

    A statement that stands in the place of a released one was changed, unless it sets a name that the released cell
    does not: then it is work.
    """
    pieces, ours = _statements(source), _statements(released)
    if pieces is None or ours is None:
        pieces, ours = _lines(source.text), _lines(released.text)
    released_keys = {piece.key for piece in ours}
    blocks = _side_by_side(pieces, ours)
    changed = {at for block, missing in blocks for at in _replaced(pieces, block, missing, released_keys)}
    changed -= {at for at in changed if _sets_more(source.other(pieces[at].text), released)}
    changed |= {at for at, piece in enumerate(pieces) if _is_bare_cell_magic(piece)}
    changed |= {
        at for at, piece in enumerate(pieces) if piece.key in released_keys and _is_commented(piece, released.text)
    }
    added = [at for at in range(len(pieces)) if pieces[at].key not in released_keys and at not in changed]
    first = next((at for at, piece in enumerate(pieces) if piece.key in released_keys), 0)
    return Additions(
        _joined(pieces, (at for at in added if at < first)),
        _joined(pieces, (at for at in added if at >= first)),
        _joined(pieces, sorted(changed)),
        not released_keys <= {piece.key for piece in pieces},
    )


def _joined(pieces: Sequence[Piece], positions: Iterator[int] | Sequence[int]) -> str:
    return "\n".join(pieces[at].text for at in positions)


def _lines(source: str) -> list[Piece]:
    return [Piece(line.rstrip(), line.strip()) for line in source.splitlines() if line.strip()]


def _statements(source: Source) -> list[Piece] | None:
    """Top-level statements, whole lines of them, and the lines between, in their order; None where it is no Python."""
    lines = source.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")  # as Python counts them
    cell_magic = CELL_MAGIC.match("\n".join(lines))
    if cell_magic is not None and not runs_python(cell_magic["name"]):
        return [Piece(source.text, source.text)]
    plain = plain_python("\n".join(lines))
    head = lines[: len(lines) - plain.count("\n") - 1]  # the cell magic
    try:
        body = source.other(plain).tree.body
        spans = list(_spans(body))
        keys = [" ".join(map(ast.dump, body[first:last])) for first, last, *_ in spans]
    except UNPARSABLE:
        return None
    pieces = [Piece(line, line.strip()) for line in head if line.strip()]
    at, written = 0, plain.split("\n")
    lines = lines[len(head) :]
    for (_, _, start, end), key in zip(spans, keys, strict=True):
        pieces += _lines("\n".join(lines[at:start]))
        text = "\n".join(lines[start:end])
        is_plain = lines[start:end] == written[start:end]
        pieces.append(Piece(text, key if is_plain else " ".join(text.split())))
        at = end
    return pieces + _lines("\n".join(lines[at:]))


def _spans(body: Sequence[ast.stmt]) -> Iterator[tuple[int, int, int, int]]:
    """Runs of statements that share no line with others: the first, the one after the last, and the same of lines."""
    first = 0
    for last, statement in enumerate(body, 1):
        end = statement.end_lineno or statement.lineno
        if last < len(body) and _first_line(body[last]) <= end:
            continue
        yield first, last, _first_line(body[first]) - 1, end
        first = last


def _first_line(statement: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(decorator.lineno for decorator in decorators)])


def _side_by_side(pieces: Sequence[Piece], ours: Sequence[Piece]) -> Iterator[tuple[range, Sequence[Piece]]]:
    """Positions of pieces that stand where released ones are gone, and those that are."""
    if len(pieces) > MOST_PIECES:
        return
    matcher = difflib.SequenceMatcher(None, [piece.key for piece in ours], [piece.key for piece in pieces], False)
    for kind, start, end, first, last in matcher.get_opcodes():
        if kind == "replace":
            yield range(first, last), ours[start:end]


def _replaced(pieces: Sequence[Piece], block: range, missing: Sequence[Piece], known: set[str]) -> Iterator[int]:
    """Of the pieces in a block, for each released one that is gone the one that is most like it."""
    free = [at for at in block if pieces[at].key not in known]
    for gone in missing:
        if free:
            closest = max(free, key=lambda at: _likeness(pieces[at].text, gone.text))
            free.remove(closest)
            yield closest


def _is_commented(piece: Piece, released: str) -> bool:
    """Whether a comment of the student's stands inside of it, which its key does not tell."""
    ours = {line.strip() for line in released.split("\n")}
    return any("#" in line and line.strip() not in ours for line in piece.text.split("\n"))


def _is_bare_cell_magic(piece: Piece) -> bool:
    """Whether it is a cell's magic without the cell, which says nothing by itself."""
    return piece.text.lstrip().startswith("%%") and "\n" not in piece.text.strip()


def _likeness(text: str, other: str) -> float:
    """The part of all their words that the beginnings of two texts share."""
    words, others = set(text[:COMPARED].split()), set(other[:COMPARED].split())
    return len(words & others) / (len(words | others) or 1)


def _sets_more(source: Source, released: Source) -> bool:
    """Whether code sets a name that the released code does not."""
    flow, ours = flow_with_magics(source), flow_with_magics(released)
    return flow is not None and ours is not None and not flow.bound <= ours.bound
