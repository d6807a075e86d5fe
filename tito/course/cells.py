"""Notebook cells as nbgrader's metadata describe them. Reads metadata; changes nothing."""

from __future__ import annotations

from typing import Any

from tito.models import CellKind

WARMUP_TAG = "warmup"
UNGRADED_TAGS = (WARMUP_TAG, "validate")


def kind_of(cell: Any) -> CellKind:
    """The kind of a notebook cell, read the way nbgrader reads it."""
    meta = metadata_of(cell)
    if meta.get("task"):
        return CellKind.TASK
    if meta.get("grade"):
        return CellKind.ANSWER if meta.get("solution") else CellKind.TEST
    if meta.get("solution"):
        return CellKind.SOLUTION
    return CellKind.LOCKED if meta.get("locked") else CellKind.PLAIN


def metadata_of(cell: Any) -> dict[str, Any]:
    """nbgrader's metadata of a cell; empty where there are none, or where they are no mapping."""
    found = cell.get("metadata", {}).get("nbgrader", {})
    return found if isinstance(found, dict) else {}


def grade_id_of(cell: Any) -> str:
    """The cell's grade id, or "" where it has none."""
    found = metadata_of(cell).get("grade_id", "")
    return found if isinstance(found, str) else ""


def label_of(cell: Any) -> str:
    """What to call the cell when speaking to a person."""
    return grade_id_of(cell) or f"cell {cell.get('id', '?')}"


def points_of(cell: Any) -> float:
    """Points of a graded cell."""
    return float(metadata_of(cell).get("points", 0))


def is_graded(cell: Any) -> bool:
    """Whether points hang on the cell, given by a test or by a person."""
    return kind_of(cell) in (CellKind.TEST, CellKind.ANSWER, CellKind.TASK)


def is_warmup(cell: Any) -> bool:
    """Whether the cell is an ungraded warm-up (the Jupyter tag `warmup`)."""
    tags = cell.get("metadata", {}).get("tags", [])
    return isinstance(tags, list) and WARMUP_TAG in tags


def ungraded_tags(cell: Any) -> list[str]:
    """Those of the cell's tags that mark it as measuring for the student alone: warm-ups, and their repetition."""
    tags = cell.get("metadata", {}).get("tags", [])
    return [tag for tag in UNGRADED_TAGS if isinstance(tags, list) and tag in tags]
