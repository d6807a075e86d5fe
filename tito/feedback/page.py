"""One page: the card, what was checked, and the notebook, within the room that a page has.

The room goes first to what was said of tests, then to what the student wrote, what that showed, the tests' visible
text, and last to what everybody was given, which is folded. Each part is searched for secrets before it goes in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any

from markupsafe import Markup

from tito.bridge.pages import NOTHING_RUNS
from tito.course.cells import Cell, read_cell
from tito.feedback.elements import element, template
from tito.feedback.fragments import Fragment, StudentTexts, course_code, course_text
from tito.feedback.glyphs import outlines
from tito.feedback.leak_scan import Finding, PageScan, PageSecrets
from tito.feedback.results import Card, CellResult, heading_in
from tito.grade.graded_notebook import is_mark
from tito.grade.whitelist import allowed_notebook
from tito.models import CellKind
from tito.plain_text import without_controls
from tito.plan.secret_texts import without_regions
from tito.plan.test_cell import visible_source

MOST = 300_000  # bytes of a page
FRAME = 16_000  # of it for style and letters of formulas, beside what is counted
OURS = "tito-"  # how ids of cells begin that grading puts on top of a notebook


class Room(IntEnum):
    """Who gets room on a page, first things first."""

    VERDICT = 0
    OWN = 1
    SHOWN = 2
    TEST = 3
    GIVEN = 4


@dataclass(frozen=True)
class Piece:
    """A piece of a cell on the page. One of the course's is made of nothing of the student's."""

    fragment: Fragment
    room: Room
    is_course: bool = False


@dataclass
class Part:
    """A cell on the page."""

    anchor: int
    kind: str  # own, test or given
    label: str = ""
    title: str = ""  # what it is the heading of
    pieces: list[Piece] = field(default_factory=list)

    def add(self, fragment: Fragment | Markup | None, room: Room, *, is_course: bool = False) -> None:
        if fragment is not None:
            whole = fragment if isinstance(fragment, Fragment) else Fragment(fragment)
            self.pieces.append(Piece(whole, room, is_course))


@dataclass(frozen=True)
class Handout:
    """What students were given: text of each of the course's cells by grade id, and texts of those without one."""

    by_id: dict[str, str] = field(default_factory=dict)
    others: frozenset[str] = frozenset()

    def has(self, cell: Cell) -> bool:
        """Whether a cell is as everybody was given it."""
        if cell.kind is CellKind.PLAIN:
            return cell.source in self.others
        return cell.kind is CellKind.LOCKED or (cell.kind in LEFT and self.by_id.get(cell.grade_id) == cell.source)


LEFT = (CellKind.SOLUTION, CellKind.ANSWER)  # cells that a student may have left as they were


def handout_of(cells: Iterable[Cell]) -> Handout:
    """What is in a released notebook."""
    cells = tuple(cells)
    return Handout(
        {cell.grade_id: cell.source for cell in cells if cell.grade_id},
        frozenset(cell.source for cell in cells if not cell.grade_id),
    )


@dataclass(frozen=True)
class GradedCell:
    """A cell of a graded notebook with its outputs, both made anew of what a page may have."""

    cell: Cell
    outputs: list[Any]
    as_submitted: bool = False


def graded_cells(notebook: Any) -> list[GradedCell]:
    """The cells of a graded notebook."""
    return [_graded_cell(node) for node in allowed_notebook(notebook)["cells"]]


def _graded_cell(node: Any) -> GradedCell:
    outputs = list(node.get("outputs", []))
    as_submitted = bool(outputs) and is_mark(outputs[0])
    return GradedCell(read_cell(node), outputs[as_submitted:], as_submitted)


@dataclass(frozen=True)
class Page:
    """A page, or what it would have shown."""

    html: str
    findings: tuple[Finding, ...] = ()


def page_of(
    card: Card,
    results: list[CellResult],
    cells: list[GradedCell],
    handout: Handout,
    secrets: PageSecrets,
    comments: dict[str, str],
) -> Page:
    """The page of a notebook. `comments` are graders', by grade id."""
    by_id = {result.grade_id: result for result in results}
    parts = list(_parts(cells, by_id, handout, set(card.notes), comments))
    anchors = {each.cell.grade_id: at for at, each in enumerate(cells) if each.cell.grade_id}
    top = element("top", card=card, results=results, anchors=anchors)
    chosen, missing = _chosen(parts, MOST - FRAME - len(top.encode()))
    html = template("page.html").render(
        card=card,
        policy=NOTHING_RUNS,
        top=top,
        letters=outlines({letter for piece in chosen for letter in piece.fragment.letters}),
        blocks=list(_blocks(parts, set(map(id, chosen)))),
        missing=missing,
    )
    scan = PageScan(
        secrets,
        (each.cell.source for each in cells if not _is_course(each.cell, handout)),
        (text for each in cells for output in each.outputs for text in _texts(output)),
    )
    findings = [*scan.in_part(top)]
    for piece in chosen:
        findings += scan.in_part(str(piece.fragment.html), is_course=piece.is_course)
    return Page(html, tuple(dict.fromkeys(findings)))


def _is_course(cell: Cell, handout: Handout) -> bool:
    return cell.kind in (CellKind.TEST, CellKind.TASK, CellKind.LOCKED) or handout.has(cell)


def _texts(output: Any) -> Iterator[str]:
    if output.output_type == "error":
        yield from (*output.traceback, output.evalue)
    elif output.output_type == "stream":
        yield output.text
    else:
        yield from (text for kind, text in output.data.items() if kind.startswith("text/"))


# ---- cells -----------------------------------------------------------------------------------------


NO_ROOM = Fragment(Markup(" " * MOST))  # in the place of what need not be rendered, as the page is full


def _parts(
    cells: list[GradedCell], results: dict[str, CellResult], handout: Handout, notes: set[str], comments: dict[str, str]
) -> Iterator[Part]:
    texts = StudentTexts()
    is_first, room = True, dict.fromkeys((Room.OWN, Room.SHOWN), MOST)
    for at, each in enumerate(cells):
        cell = each.cell
        shown = each if room[Room.SHOWN] > 0 else replace(each, outputs=[])
        is_first = is_first and cell.id.startswith(OURS) and any(note in cell.source for note in notes)
        if is_first:
            part = Part(at, "own", "From grading")
            part.add(texts.text(cell.source), Room.VERDICT)
        elif cell.grade_id in results:
            part = _graded(at, shown, results[cell.grade_id], texts)
        elif handout.has(cell):
            part = _given(at, shown, texts)
        elif room[Room.OWN] > 0:
            part = _own(at, shown, texts)
        else:
            part = Part(at, "own")
            part.add(NO_ROOM, Room.OWN)
        if comment := without_controls(comments.get(cell.grade_id, "")):
            _add_comment(part, comment, texts)
        if shown is not each and each.outputs:
            part.add(NO_ROOM, Room.SHOWN)
        for piece in part.pieces:
            if piece.room in room:
                room[piece.room] -= piece.fragment.size
        yield part


def _own(at: int, each: GradedCell, texts: StudentTexts) -> Part:
    """What a student has written."""
    cell = each.cell
    part = Part(at, "own", f"Your code: {cell.grade_id}" if cell.grade_id else "Added by you")
    source = texts.code(cell.source) if cell.is_code else texts.text(cell.source, _attachments(cell))
    part.add(source, Room.OWN)
    _add_outputs(part, each, texts)
    return part


def _given(at: int, each: GradedCell, texts: StudentTexts) -> Part:
    """What everybody was given; its outputs are the student's."""
    part = Part(at, "given", title=heading_in(each.cell.source) if not each.cell.is_code else "")
    part.add(
        course_code(each.cell.source) if each.cell.is_code else course_text(each.cell.source),
        Room.GIVEN,
        is_course=True,
    )
    _add_outputs(part, each, texts)
    return part


def _graded(at: int, each: GradedCell, result: CellResult, texts: StudentTexts) -> Part:
    cell = each.cell
    if cell.kind is CellKind.ANSWER:
        part = _own(at, each, texts)
        part.label = ""
        part.pieces.insert(0, Piece(Fragment(element("test_head", result=result)), Room.VERDICT))
    else:
        part = Part(at, "test")
        part.add(element("test_head", result=result), Room.VERDICT)
        source = without_regions(visible_source(cell.source)).rstrip()
        if cell.is_code:
            code = course_code(source).html
            part.add(element("test_source", code=code, has_hidden=result.has_hidden), Room.TEST, is_course=True)
            _add_outputs(part, each, texts)
        else:
            part.add(course_text(source), Room.TEST, is_course=True)
    return part


def _add_outputs(part: Part, each: GradedCell, texts: StudentTexts) -> None:
    """What a cell has shown. A test's errors are its verdict, which its message tells."""
    outputs = [output for output in each.outputs if not each.cell.is_test or output.output_type == "stream"]
    fragments = [fragment for output in outputs if (fragment := texts.output(output)) is not None]
    if fragments:
        part.add(element("outputs_label", as_submitted=each.as_submitted), Room.SHOWN)
    for fragment in fragments:
        part.add(fragment, Room.SHOWN)


def _add_comment(part: Part, comment: str, texts: StudentTexts) -> None:
    """What a grader has written; where it is on a cell that was left as it was, that one is not folded."""
    text = texts.text(comment)
    part.add(Fragment(element("comment", html=text.html), text.letters), Room.VERDICT)
    if part.kind == "given":
        part.kind, part.label = "own", "Left as you were given it"


def _attachments(cell: Cell) -> dict[str, dict[str, str]]:
    return {name: dict(data) for name, data in (cell.attachments or {}).items()}


# ---- what there is room for ------------------------------------------------------------------------


def _chosen(parts: list[Part], room: int) -> tuple[list[Piece], int]:
    """The pieces that fit, and how many do not. Each costs a little more than it is long."""
    pieces = [piece for part in parts for piece in part.pieces]
    chosen, letters = [], set[str]()
    for piece in sorted(pieces, key=lambda piece: piece.room):
        size = piece.fragment.size + AROUND + 500 * len(piece.fragment.letters - letters)
        if size <= room:
            room -= size
            letters |= piece.fragment.letters
            chosen.append(piece)
    return chosen, len(pieces) - len(chosen)


AROUND = 120  # bytes of the element that a piece stands in


def _blocks(parts: list[Part], chosen: set[int]) -> Iterator[Markup]:
    """Cells, and runs of such as everybody was given, folded."""
    run: list[tuple[Part, Markup]] = []
    for part in parts:
        pieces = [piece.fragment.html for piece in part.pieces if id(piece) in chosen]
        if not pieces:
            continue
        html = element("cell", anchor=part.anchor, kind=part.kind, label=part.label, pieces=pieces)
        if part.kind == "given":
            run.append((part, html))
            continue
        yield from _folded(run)
        run = []
        yield html
    yield from _folded(run)


def _folded(run: list[tuple[Part, Markup]]) -> Iterator[Markup]:
    if run:
        titles = [part.title for part, _ in run if part.title]
        yield element("folded", count=len(run), titles=titles, cells=[html for _, html in run])
