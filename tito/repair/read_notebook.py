"""A submitted notebook as it is graded: repaired, and looked at once for all that its text alone can tell.

Student text is hostile: a cell can hold Python's parser for a minute, or fill its memory. So what is handed in is read
in a judge's process (`judge.role`), which has limits and is ended when it takes too long; then it is read again, with
care: cell by cell, each looked at first by a process that may end for it; and where that takes too long too, nothing of
it is parsed. What the text of a cell does not tell in its time is not known of it, and costs the student nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tito.course.cells import Cell
from tito.course.python_source import Source
from tito.models import CompiledCell
from tito.plan.compile import compiled_cells
from tito.plan.interference import observes_the_same_at_the_end
from tito.plan.plan import NotebookPlan, skipped
from tito.repair.attachments import Album, as_attachments
from tito.repair.repair import Repaired

MOST_SHOWN = 2 << 20  # characters of outputs that are kept of what was handed in


@dataclass(frozen=True)
class ReadNotebook:
    """The cells that are graded, in order, and what was found out about them.

    `places` says of each which of the instructor's it is, -1: none; `not_run` are positions of cells that need not be
    run to grade the others; `compiled` are cells by position, where Python can run them as they are; `needs_no_copies`:
    the notebook at its end can stand for a copy of it at each test. A `headline` is to be read first by whoever looks
    at the result. `files` are contents of what was handed in beside it and is brought into its session, by path.
    """

    cells: list[Cell]
    places: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    not_run: frozenset[int] = frozenset()
    compiled: dict[int, CompiledCell] = field(default_factory=dict)
    needs_no_copies: bool = False
    headline: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    tests: frozenset[str] | None = None  # grade ids of those that are observed; None: all

    def observes(self, grade_id: str) -> bool:
        """Whether that test is observed."""
        return self.tests is None or grade_id in self.tests

    def with_tests(self, tests: frozenset[str]) -> ReadNotebook:
        """With no more run than is needed to observe some of its tests."""
        last = max((at for at, cell in enumerate(self.cells) if cell.is_test and cell.grade_id in tests), default=-1)
        others = {at for at, cell in enumerate(self.cells) if cell.is_test and cell.grade_id not in tests}
        behind = range(last + 1, len(self.cells))
        return replace(self, not_run=self.not_run | others | frozenset(behind), tests=tests)


def look_at(plan: NotebookPlan, repaired: Repaired) -> ReadNotebook:
    """What the text of a repaired notebook tells."""
    cells = repaired.cells
    not_run = skipped(cells)
    run = [(at, cell.code) for at, cell in enumerate(cells) if _is_run_as_a_cell(cell) and at not in not_run]
    sources = [code for _, code in run]
    codes = zip(run, compiled_cells(sources), strict=True)
    return ReadNotebook(
        list(_with_shown(cells, not_run)) if plan.is_run else cells,
        tuple(repaired.places),
        tuple(repaired.notes),
        frozenset(not_run),
        {at: code for (at, _), code in codes if code is not None},
        bool(plan.judged_apart) and observes_the_same_at_the_end(sources, plan.traces, plan.packages),
    )


def _with_shown(cells: Iterable[Cell], not_run: Collection[int]) -> Iterator[Cell]:
    """Cells with the outputs that they were handed in with where they are not run: what is run shows its own."""
    left = MOST_SHOWN
    for at, cell in enumerate(cells):
        left -= len(cell.outputs) if at in not_run else 0
        yield cell if not cell.outputs or (at in not_run and left >= 0) else replace(cell, outputs="")


def trusted(plan: NotebookPlan) -> ReadNotebook:
    """The same of the instructor's own cells."""
    read = look_at(plan, Repaired(list(plan.cells), places=list(range(len(plan.cells)))))
    return replace(read, files=plan.files)


def _is_run_as_a_cell(cell: Cell) -> bool:
    """Whether it is code that is run as it stands; tests are run by their sections."""
    return cell.is_code and not cell.is_test


# ---- between processes -------------------------------------------------------------------------------


def as_values(read: ReadNotebook) -> dict[str, Any]:
    """A notebook as plain values. Of a cell of the instructor's they say which it is: its metadata are known."""
    cells = zip(read.places, read.cells, strict=True)
    return {
        "cells": [
            [place, cell.cell_type, cell.id, cell.source.encode(), _pictures(cell), cell.outputs.encode()]
            for place, cell in cells
        ],
        "notes": list(read.notes),
        "not_run": sorted(read.not_run),
        "compiled": [
            [at, code.name, code.statements, code.last, code.flags, code.sets] for at, code in read.compiled.items()
        ],
        "needs_no_copies": read.needs_no_copies,
    }


def from_values(values: dict[str, Any], plan: NotebookPlan) -> ReadNotebook:
    """The notebook of which `as_values` made these."""
    cells = [_cell(plan, parts) for parts in values["cells"]]
    places = tuple(place for place, *_ in values["cells"])
    compiled = {at: CompiledCell(*parts) for at, *parts in values["compiled"]}
    not_run = frozenset(values["not_run"])
    return ReadNotebook(cells, places, tuple(values["notes"]), not_run, compiled, values["needs_no_copies"])


def _pictures(cell: Cell) -> list[list[Any]]:
    return [[name, *picture] for name, picture in Album().pictures_of(cell.attachments).items()]


def _cell(plan: NotebookPlan, parts: Sequence[Any]) -> Cell:
    place, cell_type, cell_id, source, pictures, outputs = parts
    original: Cell | None = plan.cells[place] if place >= 0 else None
    text = source.decode()
    attachments = as_attachments({name: (mime_type, content) for name, mime_type, content in pictures}) or None
    if original is None:
        return Cell(cell_type, Source(text), cell_id, attachments=attachments, outputs=outputs.decode())
    code = original.code.other(text)
    return replace(
        original, cell_type=cell_type, code=code, id=cell_id, attachments=attachments, outputs=outputs.decode()
    )
