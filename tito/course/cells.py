"""Notebook cells as nbgrader's metadata describe them: read once, when a notebook is read, and records from then on."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import nbformat

from tito.course.python_source import Source
from tito.errors import BadSource
from tito.models import CellKind

WARMUP_TAG = "warmup"
UNGRADED_TAGS = (WARMUP_TAG, "validate")
RAISES_TAG = "raises-exception"  # Jupyter's own: a kernel that is to run all cells goes on behind it
GRADED = (CellKind.TEST, CellKind.ANSWER, CellKind.TASK)


@dataclass(frozen=True)
class Cell:
    """A cell of a notebook.

    Attributes:
        cell_type: "code", "markdown" or "raw".
        code: its text, with what is known of it as Python.
        id: the cell id of the notebook format, "" where it has none.
        kind: what it is to nbgrader.
        grade_id: nbgrader's name of it, "" where it has none. A test's sections stand in the plan, by this.
        points: of a graded cell.
        tags: those that mark it as measuring for the student alone: warm-ups, and their repetition.
        may_raise: it is to show an error. Not so tests and cells that measure, where the same tag says that a kernel
            goes on behind them.
        nbgrader: nbgrader's metadata, as they are.
        attachments: pasted pictures, as the notebook format has them.
        outputs: what was handed in as its outputs, as JSON: a student's word. Only where nothing is to be run.
    """

    cell_type: str
    code: Source
    id: str = ""
    kind: CellKind = CellKind.PLAIN
    grade_id: str = ""
    points: float = 0.0
    tags: tuple[str, ...] = ()
    may_raise: bool = False
    nbgrader: Mapping[str, Any] = field(default_factory=dict)
    attachments: Mapping[str, Any] | None = None
    outputs: str = ""

    @property
    def source(self) -> str:
        """Its text."""
        return self.code.text

    @property
    def is_test(self) -> bool:
        """Whether points hang on it that its code decides."""
        return self.kind is CellKind.TEST

    @property
    def is_code(self) -> bool:
        return self.cell_type == "code"

    @property
    def is_graded(self) -> bool:
        """Whether points hang on it, given by a test or by a person."""
        return self.kind in GRADED

    @property
    def is_warmup(self) -> bool:
        return WARMUP_TAG in self.tags

    @property
    def label(self) -> str:
        """What to call it when speaking to a person."""
        return self.grade_id or f"cell {self.id or '?'}"


def read_cell(node: Any) -> Cell:
    """A cell of a notebook of the instructor's, in the notebook format.

    Raises:
        BadSource: its points are no number.
    """
    nbgrader, attachments = metadata_of(node), node.get("attachments")
    source = node.get("source", "")
    return Cell(
        cell_type=node.get("cell_type", "raw"),
        code=Source(source if isinstance(source, str) else "".join(source)),
        id=node.get("id") or "",
        kind=kind_of(node),
        grade_id=grade_id_of(node),
        points=points_of(node),
        tags=tuple(ungraded_tags(node)),
        may_raise=RAISES_TAG in _tags(node) and kind_of(node) is not CellKind.TEST and not ungraded_tags(node),
        nbgrader=nbgrader,
        attachments=attachments or None,
    )


def read_cells(nodes: Iterable[Any]) -> tuple[Cell, ...]:
    """Cells of a source notebook; raises what `read_cell` does."""
    return tuple(map(read_cell, nodes))


def as_node(cell: Cell, outputs: Iterable[Any] = ()) -> Any:
    """A cell in the notebook format, as it is written, with the outputs of code."""
    metadata = nbformat.NotebookNode()
    if cell.nbgrader:
        metadata["nbgrader"] = nbformat.NotebookNode(cell.nbgrader)
    if cell.tags:
        metadata["tags"] = list(cell.tags)
    further: dict[str, Any] = {"outputs": list(outputs), "execution_count": None} if cell.is_code else {}
    if cell.attachments and not cell.is_code:
        further["attachments"] = dict(cell.attachments)
    return nbformat.NotebookNode(id=cell.id, cell_type=cell.cell_type, source=cell.source, metadata=metadata, **further)


# ---- cells of the notebook format, where it is documents that are read or written ------------------------


def kind_of(node: Any) -> CellKind:
    """The kind of a cell, read the way nbgrader reads it."""
    meta = metadata_of(node)
    if meta.get("task"):
        return CellKind.TASK
    if meta.get("grade"):
        return CellKind.ANSWER if meta.get("solution") else CellKind.TEST
    if meta.get("solution"):
        return CellKind.SOLUTION
    return CellKind.LOCKED if meta.get("locked") else CellKind.PLAIN


def metadata_of(node: Any) -> dict[str, Any]:
    """nbgrader's metadata of a cell; empty where there are none, or where they are no mapping."""
    metadata = node.get("metadata", {}).get("nbgrader", {})
    return metadata if isinstance(metadata, dict) else {}


def grade_id_of(node: Any) -> str:
    """The cell's grade id, or "" where it has none."""
    grade_id = metadata_of(node).get("grade_id", "")
    return grade_id if isinstance(grade_id, str) else ""


def points_of(node: Any) -> float:
    """Points of a graded cell.

    Raises:
        BadSource: they are no number.
    """
    points = metadata_of(node).get("points", 0)
    try:
        number = float(points)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise BadSource(f"{grade_id_of(node) or 'a cell'}: its points are no number: {points!r}.", hint="Write one.")
    return number


def is_graded(node: Any) -> bool:
    """Whether points hang on the cell, given by a test or by a person."""
    return kind_of(node) in GRADED


def ungraded_tags(node: Any) -> list[str]:
    """Those of the cell's tags that mark it as measuring for the student alone."""
    return [tag for tag in UNGRADED_TAGS if tag in _tags(node)]


def _tags(node: Any) -> list[Any]:
    tags = node.get("metadata", {}).get("tags", [])
    return tags if isinstance(tags, list) else []
