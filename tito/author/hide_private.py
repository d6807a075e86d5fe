"""Takes lines that are for the grader alone out of a release: they say where a test takes a student's word, and why
students may have a part of what is secret."""

from __future__ import annotations

from typing import Any

from nbgrader.preprocessors import NbGraderPreprocessor

from tito.course.cells import kind_of
from tito.models import CellKind
from tito.plan.directives import without_private


class HidePrivate(NbGraderPreprocessor):  # type: ignore[misc]
    """`### REPORTED`, `### IN PROCESS` and what permits (`plan/directives.py`) stay in the source.

    It comes before checksums are taken: by these an untouched answer is known.
    """

    def preprocess_cell(self, cell: Any, resources: Any, cell_index: int) -> tuple[Any, Any]:
        if kind_of(cell) is not CellKind.PLAIN:
            cell.source = without_private(cell.source)
        return cell, resources
