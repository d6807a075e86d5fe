"""nbgrader's metadata of cells, as old and short as authors have them: brought up to date, and what they lack.

`upgraded` does what `nbgrader update` does, without importing nbgrader: sources are read wherever something is graded.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

VERSION = 3
FLAGS = ("grade", "locked", "solution")
KNOWN = frozenset((*FLAGS, "task", "schema_version", "grade_id", "points", "checksum", "cell_type"))
GRADE_ID = re.compile(r"[a-zA-Z0-9_\-]+")
WHERE = "In JupyterLab it is in the bar 'Create Assignment', or among the cell's metadata below 'nbgrader'."


@dataclass(frozen=True)
class MetadataProblem:
    """What is wrong with a cell's metadata, and what to do about it."""

    cell: str
    problem: str
    hint: str


def upgrade(notebook: Any) -> int:
    """Bring the metadata of a source notebook up to date, as nbgrader does; returns of how many cells."""
    return sum(_upgrade(cell) for cell in notebook.cells)


def _upgrade(cell: Any) -> bool:
    meta = cell.metadata.get("nbgrader")
    version = meta.get("schema_version", 0) if isinstance(meta, dict) else VERSION
    if not isinstance(version, int) or version >= VERSION:
        return False
    if version == 0:
        for flag in FLAGS:
            meta.setdefault(flag, False)
        if not any(meta[flag] for flag in FLAGS) and not meta.get("task"):
            del cell.metadata["nbgrader"]
            return True
        if meta["grade"]:
            meta["points"] = _points(meta.get("points", 0.0))
        else:
            meta.pop("points", None)
    if "checksum" in meta:
        meta.setdefault("cell_type", cell.cell_type)
    for name in set(meta) - KNOWN:
        del meta[name]
    meta["schema_version"] = VERSION
    return True


def _points(points: Any) -> Any:
    """Points of the first version, which were text; what is no number is left to be told."""
    try:
        return max(float(points or 0.0), 0.0)
    except (TypeError, ValueError):
        return points


def metadata_problems(notebook: Any) -> Iterator[MetadataProblem]:
    """All that nbgrader would refuse in a notebook's cells, one after another."""
    for number, cell in enumerate(notebook.cells, 1):
        if "nbgrader" in cell.metadata:
            meta = cell.metadata["nbgrader"]
            problems = _problems(cell, meta) if isinstance(meta, dict) else [NOT_A_TABLE]
            yield from (MetadataProblem(label_of(number, cell), *problem) for problem in problems)
    ids = Counter(cell.metadata["nbgrader"].get("grade_id") for cell in notebook.cells if _has_id(cell))
    for grade_id, count in ids.items():
        if count > 1:
            yield MetadataProblem(
                grade_id, f"{count} cells have this grade id", "Give each an id of its own: a copied cell keeps its id."
            )


NOT_A_TABLE = ("its nbgrader metadata are no table", "Take them out, and choose the kind of cell anew.")


def _problems(cell: Any, meta: dict[str, Any]) -> Iterator[tuple[str, str]]:
    version = meta.get("schema_version")
    if not isinstance(version, int):
        yield f"its schema_version is {version!r}", f'Write "schema_version": {VERSION} there. {WHERE}'
    elif version > VERSION:
        yield f"its metadata are of version {version}, newer than nbgrader's {VERSION}", "Install a newer nbgrader."
        return
    for flag in FLAGS:
        if flag not in meta:
            yield f"its metadata lack '{flag}'", f'Add "{flag}": {_likely(meta, flag)} to them. {WHERE}'
    for flag in (*FLAGS, "task"):
        if not isinstance(meta.get(flag, False), bool):
            yield f"'{flag}' is {meta[flag]!r}", f"Write true or false. {WHERE}"
    is_used = any(meta.get(flag) for flag in (*FLAGS, "task"))
    if is_used and "grade_id" not in meta:
        yield "it has no grade_id", f'Add "grade_id" with a name of its own. {WHERE}'
    elif is_used and not (isinstance(meta["grade_id"], str) and GRADE_ID.fullmatch(meta["grade_id"])):
        yield f"its grade_id is {meta['grade_id']!r}", f"Write letters, digits, - and _ alone. {WHERE}"
    yield from _problems_of_points(meta)
    if cell.cell_type == "markdown" and not meta.get("task") and bool(meta.get("grade")) != bool(meta.get("solution")):
        yield "it is text, and a test or a solution", "Make it 'Manually graded answer', or a code cell."
    if meta.get("task") and cell.cell_type != "markdown":
        yield "it is a task and no text", "Make it a Markdown cell."
    if foreign := set(meta) - KNOWN:
        yield f"its metadata hold '{min(foreign)}', which nbgrader does not know", "Take it out."


def _problems_of_points(meta: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if not (meta.get("grade") or meta.get("task")):
        return
    if "points" not in meta:
        yield "it is graded and has no points", f'Add "points": 1, or as many as it has. {WHERE}'
        return
    points = meta["points"]
    if isinstance(points, bool) or not isinstance(points, int | float) or not math.isfinite(points) or points < 0:
        yield f"its points are {points!r}", f"Write a number that is not below 0. {WHERE}"


def _likely(meta: dict[str, Any], flag: str) -> str:
    """What a missing flag most likely is: a test is locked."""
    is_locked = flag == "locked" and bool(meta.get("task") or (meta.get("grade") and not meta.get("solution")))
    return "true" if is_locked else "false"


def _has_id(cell: Any) -> bool:
    meta = cell.metadata.get("nbgrader")
    is_used = isinstance(meta, dict) and any(meta.get(flag) for flag in FLAGS)
    return is_used and isinstance(meta.get("grade_id"), str) and bool(meta["grade_id"])


def label_of(number: int, cell: Any) -> str:
    """What to call a cell when speaking to a person: its grade id, or where it stands and how it begins."""
    meta = cell.metadata.get("nbgrader")
    if isinstance(meta, dict) and isinstance(meta.get("grade_id"), str) and meta["grade_id"]:
        return str(meta["grade_id"])
    first = next((line.strip() for line in cell.source.split("\n") if line.strip()), "")
    return f"cell number {number} (“{first[:40]}”)"
