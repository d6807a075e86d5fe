"""A submitted notebook as it is graded: repaired, and looked at once for all that its text alone can tell.

Student text is hostile: a cell can hold Python's parser for a minute, or fill its memory. So what is handed in is read
in a judge's process (`judge_role`), which has limits and is ended when it takes too long; then it is read again, with
care: cell by cell, each looked at first by a process that may end for it; and where that takes too long too, nothing of
it is parsed. What the text of a cell does not tell in its time is not known of it, and costs the student nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import nbformat

from tito.course.cells import grade_id_of, kind_of, metadata_of, ungraded_tags
from tito.models import CellKind, CompiledCell
from tito.plan.compile import compiled_cells
from tito.plan.interference import observes_the_same_at_the_end
from tito.plan.plan import NotebookPlan, skipped
from tito.repair.attachments import Album, as_attachments
from tito.repair.repair import Repaired


@dataclass(frozen=True)
class ReadNotebook:
    """The cells that are graded, in order, and what was found out about them.

    `places` says of each which of the instructor's it is, -1: none; `not_run` are positions of cells that need not be
    run to grade the others; `compiled` are cells by position, where Python can run them as they are; `needs_no_copies`:
    the notebook at its end can stand for a copy of it at each test. A `headline` is to be read first by whoever looks
    at the result.
    """

    cells: list[Any]
    places: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    not_run: frozenset[int] = frozenset()
    compiled: dict[int, CompiledCell] = field(default_factory=dict)
    needs_no_copies: bool = False
    headline: str = ""


def look_at(plan: NotebookPlan, repaired: Repaired, packages: frozenset[str]) -> ReadNotebook:
    """What the text of a repaired notebook tells; `packages` are names of the course's own packages and modules."""
    cells = repaired.cells
    not_run = skipped(cells)
    run = [(at, cell.source) for at, cell in enumerate(cells) if _is_students(cell) and at not in not_run]
    codes = zip(run, compiled_cells(source for _, source in run), strict=True)
    return ReadNotebook(
        cells,
        tuple(repaired.places),
        tuple(repaired.notes),
        frozenset(not_run),
        {at: code for (at, _), code in codes if code is not None},
        _needs_no_copies(plan, [source for _, source in run], cells, packages),
    )


def trusted(plan: NotebookPlan, cells: Iterable[Any], packages: frozenset[str]) -> ReadNotebook:
    """The same of cells that no student has written."""
    copies = [cell.copy() for cell in cells]
    return look_at(plan, Repaired(copies, places=list(range(len(copies)))), packages)


def _is_students(cell: Any) -> bool:
    """Whether it is a cell of code that is run as a cell; tests are run by their sections."""
    return cell.cell_type == "code" and kind_of(cell) is not CellKind.TEST


def judged_apart(plan: NotebookPlan, cells: Sequence[Any]) -> list[str]:
    """Tests, in order, that have hidden sections, and a judge half for every section."""
    tests = [plan.tests[grade_id_of(cell)] for cell in cells if kind_of(cell) is CellKind.TEST]
    return [test.grade_id for test in tests if test.hidden and all(judge is not None for _, judge in test.sections)]


def _needs_no_copies(plan: NotebookPlan, sources: list[str], cells: Sequence[Any], packages: frozenset[str]) -> bool:
    tests = [plan.tests[name] for name in judged_apart(plan, cells)]
    return bool(tests) and observes_the_same_at_the_end(
        sources,
        (section.observe for test in plan.tests.values() for section, _ in test.visible),
        (section.observe for test in tests for section, _ in test.hidden),
        packages,
    )


# ---- between processes -------------------------------------------------------------------------------


def as_values(read: ReadNotebook) -> dict[str, Any]:
    """A notebook as plain values. Of a cell of the instructor's it is told which it is: its metadata are known."""
    cells = zip(read.places, read.cells, strict=True)
    return {
        "cells": [[place, cell.cell_type, cell.id, cell.source.encode(), _pictures(cell)] for place, cell in cells],
        "notes": list(read.notes),
        "not_run": sorted(read.not_run),
        "compiled": [
            [at, code.name, code.statements, code.last, code.flags, code.sets] for at, code in read.compiled.items()
        ],
        "needs_no_copies": read.needs_no_copies,
    }


def from_values(values: dict[str, Any], plan: NotebookPlan) -> ReadNotebook:
    """The notebook of which `as_values` made these."""
    cells = [_cell(plan, *parts) for parts in values["cells"]]
    places = tuple(place for place, *_ in values["cells"])
    compiled = {at: CompiledCell(*parts) for at, *parts in values["compiled"]}
    not_run = frozenset(values["not_run"])
    return ReadNotebook(cells, places, tuple(values["notes"]), not_run, compiled, values["needs_no_copies"])


def _pictures(cell: Any) -> list[list[Any]]:
    attachments = cell.get("attachments")
    return [[name, *picture] for name, picture in Album().pictures_of(attachments).items()] if attachments else []


def _cell(
    plan: NotebookPlan, place: int, cell_type: str, cell_id: str, source: bytes, pictures: list[tuple[str, str, bytes]]
) -> Any:
    metadata = nbformat.NotebookNode()
    if place >= 0:
        original = plan.cells[place]
        if facts := metadata_of(original):
            metadata["nbgrader"] = nbformat.NotebookNode(facts)
        if tags := ungraded_tags(original):
            metadata["tags"] = tags
    further: dict[str, Any] = {"outputs": [], "execution_count": None} if cell_type == "code" else {}
    if pictures:
        further["attachments"] = as_attachments({name: (mime_type, content) for name, mime_type, content in pictures})
    return nbformat.NotebookNode(id=cell_id, cell_type=cell_type, source=source.decode(), metadata=metadata, **further)
