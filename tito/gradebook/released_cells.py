"""Cells of an assignment that changes after it was handed in: nbgrader's own release refuses to add or remove any."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tito.errors import BadSource

KINDS = ("grade", "solution", "task", "source")


def fit_cells(opened: Any, assignment: str, notebooks: Mapping[str, Any]) -> None:
    """Have a gradebook know the cells that the notebooks of an assignment have now, where it was handed in already.
    What was handed in has no score yet for a new cell; what a cell that is gone was given stands in the history.

    Raises:
        BadSource: a person gave points or a comment to a cell that is gone; nothing was changed.
    """
    from nbgrader.api import MissingEntry

    for name, notebook in notebooks.items():
        try:
            stored = opened.find_notebook(name, assignment)
        except MissingEntry:
            continue
        if stored.submissions:
            wanted = _cells(notebook)
            gone = [
                cell for kind in KINDS for cell in getattr(stored, f"{kind}_cells") if cell.name not in wanted[kind]
            ]
            _remove(opened, assignment, gone)
            for kind in KINDS:
                there = {cell.name for cell in getattr(stored, f"{kind}_cells")}
                _add(opened, stored, kind, {each: cell for each, cell in wanted[kind].items() if each not in there})


def _cells(notebook: Any) -> dict[str, dict[str, Any]]:
    """The cells that nbgrader stores something of, by kind and name."""
    from nbgrader import utils

    cells: dict[str, dict[str, Any]] = {kind: {} for kind in KINDS}
    for cell in notebook.cells:
        is_kind = {
            "grade": utils.is_grade(cell), "solution": utils.is_solution(cell), "task": utils.is_task(cell),
        }  # fmt: skip
        is_kind["source"] = any(is_kind.values()) or utils.is_locked(cell)
        for kind in (kind for kind in KINDS if is_kind[kind]):
            cells[kind][cell.metadata.nbgrader.grade_id] = cell
    return cells


def _remove(opened: Any, assignment: str, cells: Iterable[Any]) -> None:
    from nbgrader.api import Comment, Grade

    for cell in cells:
        grades = opened.db.query(Grade).filter(Grade.cell_id == cell.id).all()
        comments = opened.db.query(Comment).filter(Comment.cell_id == cell.id).all()
        by_hand = {grade.student.id for grade in grades if grade.manual_score is not None or grade.extra_credit}
        by_hand |= {comment.student.id for comment in comments if comment.manual_comment}
        if by_hand:
            raise BadSource(
                f"{assignment}: the cell '{cell.name}' is gone, and {len(by_hand)} students have points or a comment "
                f"for it that a person gave: {', '.join(sorted(by_hand)[:5])}.",
                hint="Keep the cell, with 0 points if it is to count no more.",
            )
        for row in (*grades, *comments, cell):
            opened.db.delete(row)
    opened.db.flush()
    opened.db.expire_all()


def _add(opened: Any, notebook: Any, kind: str, cells: Mapping[str, Any]) -> None:
    """Enter cells, and for each submission what nbgrader has of such a cell from its beginning."""
    from nbgrader.api import Comment, Grade

    for name, cell in cells.items():
        facts: dict[str, Any] = {"cell_type": cell.cell_type} if kind != "solution" else {}
        if kind in ("grade", "task"):
            facts["max_score"] = float(cell.metadata.nbgrader.points)
        create = getattr(opened, f"update_or_create_{kind}_cell")
        row = create(name, notebook.name, notebook.assignment.name, **facts)
        rows = {"grade": (Grade,), "solution": (Comment,), "task": (Comment, Grade), "source": ()}[kind]
        for submitted in notebook.submissions:
            opened.db.add_all(make(cell_id=row.id, notebook=submitted) for make in rows)
    opened.db.flush()
