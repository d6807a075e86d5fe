"""What a student reads after grading: nbgrader's own feedback page, without anything that is not theirs to see."""

from __future__ import annotations

from typing import Any

from nbgrader.preprocessors import NbGraderPreprocessor

from tito.course.cells import is_graded, kind_of
from tito.grade.graded_notebook import as_told
from tito.models import CellKind
from tito.plan.secret_texts import without_regions
from tito.plan.test_cell import hidden_source, visible_source


class HideSecrets(NbGraderPreprocessor):  # type: ignore[misc]
    """Takes hidden tests, mark schemes and what was meant for the TA out of a feedback page.

    nbgrader shows the hidden tests in its feedback; then they are hidden from the first cohort only.
    """

    def preprocess_cell(self, cell: Any, resources: Any, cell_index: int) -> tuple[Any, Any]:
        kind, source = kind_of(cell), cell.source
        if is_graded(cell) and kind is not CellKind.ANSWER:
            cell.source = without_regions(visible_source(source)).rstrip()
        if kind is CellKind.TEST:
            cell.outputs = [as_told(output, has_hidden=bool(hidden_source(source))) for output in cell.outputs]
        return cell, resources
