"""A submitted notebook, made fit to be graded: what students own is theirs, all else comes from the release.

The notebook file is hostile input. Cells are matched to the instructor's by grade id, then by cell id, then by
content; locked and test cells are restored, student cells kept, duplicates and split cells kept as ordinary
cells in their place, outputs, tags and foreign metadata dropped. Nothing is rejected that can be repaired,
every change is noted for the TA, and the submitted file itself is never touched.
"""

from __future__ import annotations

import functools
import itertools
import json
import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat

from tito.cells import grade_id_of, kind_of, label_of, ungraded_tags
from tito.grade.names import flow_of
from tito.grade.testcell import visible_source
from tito.models import CellKind

MAX_CELLS = 5000
MARK_SCHEME = re.compile(r"[^\n]*BEGIN MARK SCHEME.*?END MARK SCHEME[^\n]*\n?", re.DOTALL)
STUDENT_KINDS = (CellKind.SOLUTION, CellKind.ANSWER)
OURS_ONLY = (CellKind.LOCKED, CellKind.TEST, CellKind.TASK)


class Unreadable(Exception):
    """Nothing was handed in that can be graded; the message says what there is instead."""


class NoNotebook(Unreadable):
    """A file was handed in that cannot be read as a notebook: there may be honest work in it, for a person to find."""


@dataclass
class Repaired:
    """The clean notebook's cells, notes on what was done to get there, and of each cell its place among the
    instructor's; -1 for one of the student's own."""

    cells: list[Any]
    notes: list[str] = field(default_factory=list)
    places: list[int] = field(default_factory=list)

    def add(self, cells: list[Any], place: int = -1) -> None:
        """Add cells, of which the first stands for the instructor's cell at that place."""
        self.cells += cells
        self.places += [place, *[-1] * (len(cells) - 1)][: len(cells)]


def read_submission(path: Path, limit_mb: int) -> list[Any]:
    """The cells of a submitted notebook, see `cells_of`.

    Raises:
        Unreadable: missing, or not a regular file.
        NoNotebook: too large, no JSON, or no notebook.
    """
    return cells_of(read_regular_file(path, limit_mb), path.name)


def cells_of(data: bytes, name: str) -> list[Any]:
    """The cells of a notebook that is called `name`: dicts with `cell_type`, `source`, `metadata`, `id`, and nothing
    else.

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
    return [_clean(cell) for cell in cells if isinstance(cell, dict)]


def read_regular_file(path: Path, limit_mb: int) -> bytes:
    """Read without following a link or waiting on a fifo; raises what `read_submission` does."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError as error:
        raise Unreadable(f"there is no {path.name} in the submission") from error
    except OSError as error:
        raise Unreadable(f"{path.name} is a link, or cannot be opened") from error
    facts = os.fstat(descriptor)
    if not stat.S_ISREG(facts.st_mode):
        os.close(descriptor)
        raise Unreadable(f"{path.name} is no regular file")
    with os.fdopen(descriptor, "rb") as file:
        if facts.st_size > limit_mb << 20:
            raise NoNotebook(f"{path.name} has {facts.st_size >> 20} MiB; {limit_mb} MiB is the most that is graded")
        return file.read((limit_mb << 20) + 1)


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


def _clean(cell: dict[str, Any]) -> Any:
    """Type, source, nbgrader metadata and id of a cell; all else is dropped, and odd types become plain ones."""
    source = cell.get("source", "")
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    cell_type = cell.get("cell_type")
    metadata = cell.get("metadata")
    nbgrader = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    return nbformat.NotebookNode(
        id=_printable(cell["id"]) if isinstance(cell.get("id"), str) else "",
        cell_type=cell_type if cell_type in ("code", "markdown", "raw") else "raw",
        source=_printable(source) if isinstance(source, str) else "",
        metadata={"nbgrader": nbgrader} if isinstance(nbgrader, dict) else {},
    )


def _printable(text: str) -> str:
    """A text that can be written as UTF-8 and compiled: without lone surrogates and NUL characters."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "")


def repair(submitted: list[Any], source: tuple[Any, ...]) -> Repaired:
    """The notebook to grade: the instructor's cells in their order, with the student's work in its places.

    Cells that are the student's own stay where they stood, after the released cell that they followed.
    """
    matches = _match(submitted, source)
    claimed = {position for positions in matches.values() for position in positions}
    result = Repaired([])
    followers = _followers(submitted, claimed, matches)
    result.add([_own(submitted[position], result) for position in followers.pop(-1, [])])
    for index, original in enumerate(source):
        mine = [submitted[position] for position in matches.get(index, [])]
        result.add(_restored(original, mine, result), index)
        result.add([_own(submitted[position], result) for position in followers.get(index, [])])
    _note_order(matches, result)
    _name_apart(result.cells)
    return result


def _match(submitted: list[Any], source: tuple[Any, ...]) -> dict[int, list[int]]:
    """Which submitted cells stand for which of the instructor's: by grade id, then cell id, then content."""
    matches: dict[int, list[int]] = {}
    free = dict(enumerate(submitted))
    by_grade_id: dict[str, list[int]] = {}
    for at, cell in free.items():
        by_grade_id.setdefault(grade_id_of(cell), []).append(at)

    def claim(index: int, positions: list[int]) -> None:
        if positions:
            matches[index] = positions
            for position in positions:
                del free[position]

    for index, original in enumerate(source):
        if grade_id := grade_id_of(original):
            claim(index, by_grade_id.pop(grade_id, []))
    by_id = {cell.id: at for at, cell in reversed(free.items()) if cell.id and not grade_id_of(cell)}  # the first wins
    for index, original in enumerate(source):
        if index not in matches and original.get("id", "") in by_id:
            claim(index, [by_id.pop(original.id)])
    for index, original in enumerate(source):
        if index not in matches:
            claim(index, [at for at, cell in free.items() if _same_content(original, cell)][:1])
    return matches


def _same_content(original: Any, cell: Any) -> bool:
    """Equal text; or, for a cell that students write, the same functions and classes defined."""
    if grade_id_of(cell):
        return False
    if original.cell_type == cell.cell_type and original.source.strip() == cell.source.strip():
        return True
    if kind_of(original) is not CellKind.SOLUTION or cell.cell_type != "code":
        return False
    wanted = _definitions(original.source)
    return bool(wanted) and wanted <= _definitions(cell.source)


def _definitions(source: str) -> frozenset[str]:
    flow = flow_of(source)
    return flow.bound if flow is not None else frozenset()


def _followers(submitted: list[Any], claimed: set[int], matches: dict[int, list[int]]) -> dict[int, list[int]]:
    """The student's own cells, by the instructor's cell that they follow (-1: before all of them)."""
    index_at = {position: index for index, positions in matches.items() for position in positions}
    followers: dict[int, list[int]] = {}
    last = -1
    for position in range(len(submitted)):
        if position in claimed:
            last = max(last, index_at[position])
        else:
            followers.setdefault(last, []).append(position)
    return followers


def _restored(original: Any, mine: list[Any], result: Repaired) -> list[Any]:
    """One of the instructor's cells as it is to be graded, and what else the student made of it."""
    kind, label = kind_of(original), label_of(original)
    if kind in OURS_ONLY:
        if not mine:
            result.notes.append(f"{label}: missing, put back")
        elif len(mine) > 1:
            result.notes.append(f"{label}: there more than once; one kept")
        elif mine[0].source != original.source and _words(mine[0].source) != _words(_released(original.source)):
            result.notes.append(f"{label}: was edited; put back")
        return [_copy(original, original.source)]
    if kind is CellKind.PLAIN:
        return [_copy(original, mine[0].source, mine[0].cell_type)] if mine else []
    if not mine:
        result.notes.append(f"{label}: deleted by the student; an empty cell stands in its place")
        return [_copy(original, "")]
    if any(cell.cell_type != original.cell_type for cell in mine):
        result.notes.append(f"{label}: its cell type was changed; put back")
    if kind is CellKind.ANSWER and original.cell_type != "code":
        return [_copy(original, "\n\n".join(cell.source for cell in mine))]
    if len(mine) > 1:
        result.notes.append(f"{label}: split or duplicated into {len(mine)} cells; all are run, in their order")
    return [_copy(original, mine[0].source), *(_own(cell, result, original.cell_type) for cell in mine[1:])]


@functools.lru_cache(maxsize=1024)
def _released(source: str) -> str:
    """A locked cell's source as students have it."""
    return MARK_SCHEME.sub("", visible_source(source))


def _words(source: str) -> list[str]:
    return source.split()


def _copy(original: Any, source: str, cell_type: str | None = None) -> Any:
    """A cell with the instructor's id and metadata."""
    metadata = nbformat.NotebookNode()
    if nbgrader := original.metadata.get("nbgrader"):
        metadata["nbgrader"] = nbformat.NotebookNode(nbgrader)
    if tags := ungraded_tags(original):
        metadata["tags"] = tags
    return _cell(cell_type or original.cell_type, source, metadata, original.get("id", ""))


def _own(cell: Any, result: Repaired, cell_type: str | None = None) -> Any:
    """A cell of the student's own: no metadata, so that it can pass for none of ours."""
    if cell_type is None and grade_id_of(cell):
        result.notes.append(f"a cell claims the grade id '{grade_id_of(cell)[:60]}', which this notebook does not have")
    return _cell(cell_type or cell.cell_type, cell.source, nbformat.NotebookNode(), "")


def _cell(cell_type: str, source: str, metadata: nbformat.NotebookNode, cell_id: str) -> Any:
    code: dict[str, Any] = {"outputs": [], "execution_count": None} if cell_type == "code" else {}
    return nbformat.NotebookNode(id=cell_id, cell_type=cell_type, source=source, metadata=metadata, **code)


def _note_order(matches: dict[int, list[int]], result: Repaired) -> None:
    firsts = [positions[0] for _, positions in sorted(matches.items())]
    if firsts != sorted(firsts):
        result.notes.append("cells were re-ordered; the released order is put back")


def _name_apart(cells: list[Any]) -> None:
    """Unique cell ids, the instructor's first."""
    used = {cell.id for cell in cells}
    fresh = (name for name in (f"own-{count}" for count in itertools.count(1)) if name not in used)
    for cell in cells:
        cell.id = cell.id or next(fresh)
