"""A course as plain nbgrader has them, a folder of notebooks an assignment, graded by us and by plain nbgrader.

No tests here."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbgrader_cells import facts_of

from tito.author.release import publish
from tito.author.variants import filled, solutions
from tito.cli.demo import plain_nbgrader_scores
from tito.course.cells import grade_id_of
from tito.course.course import Course, load_course
from tito.course.script import source_notebooks
from tito.grade.cohort import autograde
from tito.gradebook.records import read_record
from tito.gradebook.store import open_gradebook
from tito.models import CellVerdict, SubmissionRecord
from tito.sandbox.bubblewrap import Bubblewrap

SETTINGS = """id = "foreign"

[limits]
cell_timeout_s = 5

[gates]
forgeable = "warn"
"""
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}


def locked(source: str, grade_id: str) -> Any:
    return _cell(source, grade_id, locked=True)


def solution(source: str, grade_id: str) -> Any:
    """A cell that students fill: what is here is the reference's."""
    return _cell(f"### BEGIN SOLUTION\n{source}\n### END SOLUTION", grade_id, solution=True)


def graded(source: str, grade_id: str, points: float = 1, hidden: str = "", then: str = "") -> Any:
    """A test: what is visible of it, a hidden section, and what comes after that."""
    region = [f"### BEGIN HIDDEN TESTS\n{hidden}\n### END HIDDEN TESTS"] if hidden else []
    return _cell("\n".join(filter(None, [source, *region, then])), grade_id, grade=True, locked=True, points=points)


def _cell(source: str, grade_id: str, **facts: Any) -> Any:
    node = nbformat.v4.new_code_cell(source, id=grade_id)
    node.metadata["nbgrader"] = facts_of(grade_id, **facts)
    return node


@dataclass
class FolderCourse:
    """A course folder, and what was handed in."""

    root: Path
    students: dict[str, list[str]] = field(default_factory=dict)  # by assignment

    @property
    def course(self) -> Course:
        if not (self.root / "course.toml").exists():
            self.root.mkdir(parents=True, exist_ok=True)
            (self.root / "course.toml").write_text(SETTINGS)
        return load_course(self.root.resolve())

    def write(self, assignment: str, *cells: Any, name: str = "work") -> None:
        """Write a notebook of an assignment's source."""
        folder = self.course.step("source", assignment)
        folder.mkdir(parents=True, exist_ok=True)
        notebook = nbformat.v4.new_notebook(cells=list(cells), metadata=KERNEL)
        nbformat.write(notebook, folder / f"{name}.ipynb")

    def release(self, assignment: str) -> Path:
        return publish(self.course, self.course.assignment(assignment))

    def hand_in(self, assignment: str, student: str, *own: str, **replaced: str | None) -> None:
        """The released notebook with the reference's solutions; with others, or (None) as it was released; and with
        cells of the student's own, at the end."""
        course = self.course
        target = course.step("submitted", student, assignment)
        target.mkdir(parents=True)
        for name, source in source_notebooks(course, course.assignment(assignment)).items():
            released = nbformat.read(course.step("release", assignment, f"{name}.ipynb"), as_version=4)
            stubs = {grade_id_of(cell): cell.source for cell in released.cells}
            wanted = {at: stubs[at] if text is None else text for at, text in replaced.items()}
            notebook = filled(released, solutions(source) | wanted)
            notebook.cells += [nbformat.v4.new_code_cell(text) for text in own]
            nbformat.write(notebook, target / f"{name}.ipynb")
        self.students.setdefault(assignment, []).append(student)

    def ours(self, assignment: str) -> dict[str, SubmissionRecord]:
        """Records of all submissions, graded as `tito autograde` does."""
        course = self.course
        autograde(course, course.assignment(assignment), Bubblewrap(), workers=1)
        records = {student: read_record(course, assignment, student) for student in self.students[assignment]}
        return {student: record for student, record in records.items() if record is not None}

    def plain(self, assignment: str, *students: str) -> dict[str, float]:
        """Points by plain nbgrader."""
        course = self.course
        wanted = students or tuple(self.students[assignment])
        return plain_nbgrader_scores(course, course.assignment(assignment), wanted)

    def scores(self, assignment: str, student: str) -> dict[str, float | None]:
        """Points of each cell as the gradebook has them; None where a person must look."""
        with open_gradebook(self.course) as opened:
            notebooks = opened.find_submission(assignment, student).notebooks
            grades = [grade for notebook in notebooks for grade in notebook.grades]
            return {grade.name: None if grade.needs_manual_grade else grade.auto_score for grade in grades}

    def page(self, assignment: str, student: str, name: str = "work") -> str:
        """The graded notebook, as text."""
        return self.course.step("autograded", student, assignment, f"{name}.ipynb").read_text()


def cells(record: SubmissionRecord) -> dict[str, CellVerdict]:
    """Verdicts by the cell's name."""
    return {cell.grade_id: cell for cell in record.cells}


def points(record: SubmissionRecord) -> dict[str, float | None]:
    """Points by the cell's name."""
    return {cell.grade_id: cell.points for cell in record.cells}


def total(record: SubmissionRecord) -> float:
    """All points."""
    return sum(cell.points or 0.0 for cell in record.cells)
