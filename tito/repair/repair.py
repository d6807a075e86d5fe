"""A submitted notebook, made fit to be graded: what students own is theirs, all else comes from the release.

The notebook file is hostile input. Cells are matched to the instructor's by grade id, then by content, then by cell
id; locked and test cells are restored, student cells kept, duplicates, split cells and what was written into cells
of the instructor's kept as ordinary cells in their place, outputs, tags and foreign metadata dropped. Nothing is
rejected that can be repaired, every change is noted for the TA, and the submitted file itself is never touched.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import nbformat

from tito.course.cells import Cell, grade_id_of
from tito.course.python_source import Source, SourceReader, fact
from tito.course.submission_files import NoNotebook, read_regular_file
from tito.models import CellKind
from tito.plan.magics import flow_with_magics
from tito.plan.test_cell import visible_source
from tito.repair.additions import Additions, additions_to_code, additions_to_text
from tito.repair.attachments import Album, Pictures, as_attachments, joined
from tito.repair.placing import Placing, placing
from tito.repair.stub import stub_of

MAX_CELLS = 5000
MAX_OUTPUTS = 1 << 20  # characters, of one cell
MARK_SCHEME = re.compile(r"[^\n]*BEGIN MARK SCHEME.*?END MARK SCHEME[^\n]*\n?", re.DOTALL)
ATTACHED = re.compile(r"\(attachment:([^)\s]+)")
OURS_ONLY = (CellKind.LOCKED, CellKind.TEST, CellKind.TASK)


@dataclass
class Repaired:
    """The clean notebook's cells, notes on what was done to get there, and of each cell its place among the
    instructor's; -1 for one of the student's own."""

    cells: list[Cell]
    notes: list[str] = field(default_factory=list)
    places: list[int] = field(default_factory=list)

    def add(self, cells: list[Cell], place: int = -1) -> None:
        """Add cells, of which the first stands for the instructor's cell at that place."""
        self.cells += cells
        self.places += [place, *[-1] * (len(cells) - 1)][: len(cells)]


def read_submission(path: Path, limit_mb: int) -> list[Cell]:
    """The cells of a submitted notebook, see `cells_of`.

    Raises:
        Unreadable: missing, or not a regular file.
        NoNotebook: too large, no JSON, or no notebook.
    """
    return cells_of(read_regular_file(path, limit_mb), path.name)


def cells_of(data: bytes, name: str, reader: SourceReader | None = None, *, with_outputs: bool = False) -> list[Cell]:
    """The cells of a notebook that is called `name`; `reader` makes sources of their texts.

    Raises:
        NoNotebook: it is no JSON, or no notebook.
    """
    try:
        notebook = json.loads(data)
    except (ValueError, RecursionError, MemoryError) as error:
        raise NoNotebook(f"{name} is no JSON, so it is no notebook") from error
    if isinstance(notebook, dict) and "cells" not in notebook and isinstance(notebook.get("worksheets"), list):
        notebook = _upgraded(notebook, name)
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list):
        raise NoNotebook(f"{name} has no list of cells, so it is no notebook")
    if len(cells) > MAX_CELLS:
        raise NoNotebook(f"{name} has {len(cells)} cells; {MAX_CELLS} is the most that is graded")
    album, reader = Album(), reader or SourceReader()
    clean = [_clean(cell, album, reader) for cell in cells if isinstance(cell, dict)]
    if with_outputs:
        nodes = (cell for cell in cells if isinstance(cell, dict))
        clean = [replace(cell, outputs=_outputs_of(node)) for cell, node in zip(clean, nodes, strict=True)]
    return clean


def _upgraded(notebook: dict[str, Any], name: str) -> Any:
    """A notebook of format 3, in which cells lie in worksheets, as format 4."""
    for sheet in notebook["worksheets"]:
        for cell in sheet.get("cells", []) if isinstance(sheet, dict) else []:
            for key in ("source", "input"):
                if isinstance(cell, dict) and isinstance(cell.get(key), list):
                    cell[key] = "".join(part for part in cell[key] if isinstance(part, str))
    try:
        return nbformat.convert(nbformat.from_dict(notebook), 4)
    except Exception as error:
        raise NoNotebook(f"{name} is of an old notebook format and could not be read") from error


def _clean(cell: dict[str, Any], album: Album, reader: SourceReader) -> Cell:
    """Type, source, grade id, id and pictures of a cell; all else is dropped, and odd types become plain."""
    source = cell.get("source", "")
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    cell_type = cell.get("cell_type")
    metadata = cell.get("metadata")
    return Cell(
        cell_type=cell_type if cell_type in ("code", "markdown", "raw") else "raw",
        code=reader.read(_printable(source) if isinstance(source, str) else ""),
        id=_printable(cell["id"]) if isinstance(cell.get("id"), str) else "",
        grade_id=grade_id_of({"metadata": metadata}) if isinstance(metadata, dict) else "",
        attachments=as_attachments(album.pictures_of(cell.get("attachments"))) or None,
    )


def _outputs_of(cell: dict[str, Any]) -> str:
    text = json.dumps(cell.get("outputs") if cell.get("cell_type") == "code" else [])
    return text if len(text) <= MAX_OUTPUTS else ""


def _printable(text: str) -> str:
    """A text that can be written as UTF-8 and compiled: without lone surrogates and NUL characters."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "")


def repair(submitted: list[Cell], source: tuple[Cell, ...]) -> Repaired:
    """The notebook to grade: the instructor's cells in their order, with the student's work in its places."""
    matches = _match(submitted, source)
    places = placing(submitted, matches, source)
    own = {position: _own(submitted[position]) for position in places.own}
    own |= _run_ahead(submitted, source, matches, places)
    followers = places.by_place()
    result = Repaired([])
    result.add([own[position] for position in followers.get(-1, [])])
    for index, original in enumerate(source):
        mine = [submitted[position] for position in matches.get(index, [])]
        if original.kind in OURS_ONLY:
            _add_ours(original, index, mine, result)
        else:
            result.add(_filled(original, mine, submitted, result), index)
        result.add([own[position] for position in followers.get(index, [])])
    _note_order(matches, places, result)
    _note_strangers(submitted, source, result)
    _note_pictures(submitted, result)
    result.cells = _named_apart(result.cells)
    return result


def _match(submitted: list[Cell], source: tuple[Cell, ...]) -> dict[int, list[int]]:
    """Which submitted cells stand for which of the instructor's: by grade id; then by cell id and content, by content,
    by cell id, and last by the id of a cell of another type."""
    matches: dict[int, list[int]] = {}
    free = dict(enumerate(submitted))
    by_grade_id = _positions_by(lambda cell: cell.grade_id, free)

    def claim(index: int, positions: list[int]) -> None:
        if positions:
            matches[index] = positions
            for position in positions:
                del free[position]

    for index, original in enumerate(source):
        if original.grade_id:
            named = by_grade_id.pop(original.grade_id, [])
            claim(index, [at for at in named if submitted[at].cell_type == original.cell_type] or named)
    unnamed = {at: cell for at, cell in free.items() if not cell.grade_id}
    by_id = _positions_by(lambda cell: cell.id, unnamed)

    def bearing(original: Cell) -> list[int]:
        """Cells with the id of one of the instructor's."""
        return [at for at in by_id.get(original.id, []) if at in free] if original.id else []

    evidence: tuple[Callable[[Cell], Iterable[int]], ...] = (
        lambda original: (at for at in bearing(original) if _same_content(original, submitted[at])),
        lambda original: (at for at in unnamed if at in free and _same_content(original, submitted[at])),
        lambda original: (at for at in bearing(original) if submitted[at].cell_type == original.cell_type),
        bearing,
    )
    for positions in evidence:
        for index, original in enumerate(source):
            if index not in matches:
                claim(index, list(itertools.islice(positions(original), 1)))
    return matches


def _positions_by(key: Callable[[Cell], str], cells: dict[int, Cell]) -> dict[str, list[int]]:
    positions: dict[str, list[int]] = {}
    for at, cell in cells.items():
        positions.setdefault(key(cell), []).append(at)
    return positions


def _same_content(original: Cell, cell: Cell) -> bool:
    """Equal text; or, for a cell that students write, the same functions and classes defined."""
    if original.cell_type == cell.cell_type and _released(original.code).text.strip() == cell.source.strip():
        return True
    if original.kind is not CellKind.SOLUTION or not cell.is_code:
        return False
    wanted = _asked_for(original.code, original.cell_type)
    return bool(wanted) and wanted <= _definitions(cell.code)


@fact
def _asked_for(original: Source, cell_type: str) -> frozenset[str]:
    """Names that a solution is to define: those of its stub, for what else the reference defines is its own matter."""
    return _definitions(original.other(stub_of(original.text, cell_type))) or _definitions(original)


def _definitions(source: Source) -> frozenset[str]:
    flow = flow_with_magics(source)
    return flow.bound if flow is not None else frozenset()


def _run_ahead(
    submitted: list[Cell], source: tuple[Cell, ...], matches: dict[int, list[int]], places: Placing
) -> dict[int, Cell]:
    """Copies of cells that are run ahead of their place, by position: of the instructor's own, as they are released."""
    index_at = {position: index for index, positions in matches.items() for position in positions}
    copies = {}
    for position in places.ahead:
        original = source[index_at[position]]
        code = original.code if original.kind in OURS_ONLY else None
        copies[position] = _own(submitted[position], "code", code)
    return copies


def _add_ours(original: Cell, index: int, mine: list[Cell], result: Repaired) -> None:
    """Add one of the cells that are the instructor's alone, and as cells of their own what the student wrote into it.

    What a test's own lines were changed to is dropped: to run it would be no test, and the test says what it was.
    """
    label, is_test = original.label, original.is_test
    if not mine:
        result.notes.append(f"{label}: missing, put back")
    elif len(mine) > 1:
        result.notes.append(f"{label}: there more than once; one kept")
    additions = [_additions(original, cell) for cell in mine]
    above = [(cell, added.above) for cell, added in zip(mine, additions, strict=True) if added.above]
    below = [(cell, added.below) for cell, added in zip(mine, additions, strict=True) if added.below]
    changed = [(cell, added.changed) for cell, added in zip(mine, additions, strict=True) if added.changed]
    if len(mine) == 1 and (additions[0].missing or changed):
        shown = "" if is_test or not changed else "; what was changed is shown below it, and is not run"
        result.notes.append(f"{label}: was edited; put back{shown}")
    if above or below:
        result.notes.append(f"{label}: lines were added to it; they are cells of their own")
    result.add([] if is_test else [_own(cell, code=cell.code.other(text)) for cell, text in above])
    result.add([replace(original, outputs=mine[0].outputs) if mine and mine[0].outputs else original], index)
    result.add([_own(cell, code=cell.code.other(text)) for cell, text in (*(above if is_test else ()), *below)])
    result.add([] if is_test else [_own(cell, "raw", cell.code.other(text)) for cell, text in changed])


def _additions(original: Cell, cell: Cell) -> Additions:
    """What a student wrote into a cell that is the instructor's alone."""
    released = _released(original.code)
    if cell.source == original.source or _words(cell.source) == _words(released.text):
        return Additions(below=_shown(cell))
    if original.is_code:
        return additions_to_code(cell.code, released)
    return additions_to_text(cell.source, released.text)


def _shown(cell: Cell) -> str:
    """Text that shows a cell's pictures."""
    return "\n".join(f"![{name}](attachment:{name})" for name in cell.attachments or ())


def _filled(original: Cell, mine: list[Cell], submitted: list[Cell], result: Repaired) -> list[Cell]:
    """A cell that students write, or a plain one, and the further cells that the student made of it."""
    kind, label = original.kind, original.label
    if kind is CellKind.PLAIN:
        return [replace(_copy(original, mine[0]), cell_type=mine[0].cell_type)] if mine else []
    if not mine:
        result.notes.append(f"{label}: {_why_empty(original, submitted)}; an empty cell stands in its place")
        return [replace(original, code=original.code.other(""), attachments=None)]
    if any(cell.cell_type != original.cell_type for cell in mine):
        result.notes.append(f"{label}: its cell type was changed; put back")
    if kind is CellKind.ANSWER and not original.is_code:
        text, pictures = joined([(cell.source, _pictures_of(cell)) for cell in mine])
        return [replace(original, code=mine[0].code.other(text), attachments=as_attachments(pictures) or None)]
    if len(mine) > 1:
        result.notes.append(f"{label}: split or duplicated into {len(mine)} cells; all are run, in their order")
    first = replace(_copy(original, mine[0]), attachments=None)
    return [first, *(_own(cell, original.cell_type) for cell in mine[1:])]


def _pictures_of(cell: Cell) -> Pictures:
    return Album().pictures_of(cell.attachments)


def _why_empty(original: Cell, submitted: list[Cell]) -> str:
    """Why there is no cell for one of the instructor's."""
    wanted = _asked_for(original.code, original.cell_type) if original.is_code else frozenset()
    if wanted and any(wanted <= _definitions(cell.code) for cell in submitted if cell.is_code):
        return "is written in another cell"
    return "deleted by the student"


@fact
def _released(original: Source) -> Source:
    """A locked cell's source as students have it."""
    return original.other(MARK_SCHEME.sub("", visible_source(original.text)))


def _words(source: str) -> list[str]:
    return source.split()


def _copy(original: Cell, cell: Cell) -> Cell:
    """A student's text and pictures in a cell of the instructor's."""
    return replace(original, code=cell.code, attachments=cell.attachments, outputs=cell.outputs)


def _own(cell: Cell, cell_type: str | None = None, code: Source | None = None) -> Cell:
    """A cell of the student's own: no metadata, so that it can pass for none of ours."""
    return Cell(cell_type or cell.cell_type, code or cell.code, attachments=cell.attachments, outputs=cell.outputs)


def _note_order(matches: dict[int, list[int]], places: Placing, result: Repaired) -> None:
    firsts = [positions[0] for _, positions in sorted(matches.items())]
    if firsts != sorted(firsts):
        ahead = "; what a test needs that had stood before it is run there too" if places.ahead else ""
        result.notes.append(f"cells were re-ordered; the released order is put back{ahead}")


def _note_strangers(submitted: list[Cell], source: tuple[Cell, ...], result: Repaired) -> None:
    known = {cell.grade_id for cell in source}
    for cell in submitted:
        if cell.grade_id and cell.grade_id not in known:
            name = cell.grade_id[:60]
            result.notes.append(f"a cell claims the grade id '{name}', which this notebook does not have")


def _note_pictures(submitted: list[Cell], result: Repaired) -> None:
    """Pictures that a text shows, and that are not there: some editors lose them, and some are of no plain type."""
    lost = sum(
        name not in (cell.attachments or ())
        for cell in submitted
        if cell.cell_type == "markdown" and "(attachment:" in cell.source
        for name in ATTACHED.findall(cell.source)
    )
    if lost:
        result.notes.append(f"{lost} pasted pictures are missing: kept are PNG, JPEG and GIF, up to 8 MiB in all")


def _named_apart(cells: list[Cell]) -> list[Cell]:
    """The cells with unique cell ids, the instructor's first."""
    used = {cell.id for cell in cells}
    fresh = (name for name in (f"own-{count}" for count in itertools.count(1)) if name not in used)
    return [cell if cell.id else replace(cell, id=next(fresh)) for cell in cells]
