"""A course whose one assignment is a notebook, as nbgrader's courses have it. No fixtures and no tests here."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader_cells import facts_of

from tito.author.variants import filled, solutions
from tito.course.course import Course, load_course

PYTHON = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def cell(source: str, grade_id: str = "", **facts: Any) -> Any:
    """A code cell; with a grade id it is nbgrader's."""
    metadata = {"nbgrader": facts_of(grade_id, **facts)} if grade_id else {}
    return new_code_cell(source, metadata=metadata)


def solution(source: str, grade_id: str) -> Any:
    return cell(f"### BEGIN SOLUTION\n{source}\n### END SOLUTION", grade_id, solution=True)


def graded(source: str, grade_id: str, points: int = 2) -> Any:
    return cell(source, grade_id, grade=True, locked=True, points=points)


def write_notebook(root: Path, cells: list[Any], assignment: str = "ps1", **metadata: Any) -> Path:
    """Write an assignment's source; by default it says that it is in Python."""
    path = root / "source" / assignment / f"{assignment}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(new_notebook(cells=cells, metadata=metadata or {"kernelspec": PYTHON}), path)
    return path


def write_settings(root: Path, more: str = "") -> Course:
    (root / "course.toml").write_text(f'id = "course"\n{more}\n[gates]\nforgeable = "warn"\n')
    return load_course(root)


def hand_in(course: Course, student: str, assignment: str = "ps1", **changes: Any) -> Any:
    """Hand in the reference's solution; `before` is a source of a cell of the student's own at the top, `metadata` are
    the notebook's, and all else are sources by grade id."""
    source = nbformat.read(course.step("source", assignment, f"{assignment}.ipynb"), as_version=4)
    released = nbformat.read(course.step("release", assignment, f"{assignment}.ipynb"), as_version=4)
    notebook = filled(copy.deepcopy(released), solutions(source))
    for node in notebook.cells:
        grade_id = node.metadata.get("nbgrader", {}).get("grade_id")
        node.source = changes.get(grade_id, node.source)
    if "before" in changes:
        notebook.cells.insert(0, new_code_cell(changes["before"]))
    if "metadata" in changes:
        notebook.metadata = nbformat.from_dict(changes["metadata"])
    target = course.step("submitted", student, assignment)
    target.mkdir(parents=True)
    nbformat.write(notebook, target / f"{assignment}.ipynb")
    return notebook
