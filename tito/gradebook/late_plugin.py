"""Late penalties that nbgrader's settings have a plugin assign when submissions are graded: they are stored with the
grades, where nbgrader's export, its formgrader and its feedback find them. The policy of course.toml is `late`'s."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tito.course.course import Course
from tito.course.nbgrader_options import LATE
from tito.errors import BadSource


class LatePlugin:
    """The course's plugin; where its settings name none, no penalty."""

    def __init__(self, course: Course) -> None:
        """Make the plugin, which a course may have beside its settings.

        Raises:
            BadSource: it cannot be made; says why.
        """
        self._plugin: Any = None
        config = course.nbgrader
        if config is None or not any(config.get(section) for section in LATE):
            return
        from nbgrader.preprocessors import AssignLatePenalties

        with _plugin_errors(), _importable(course.root):
            assigning = AssignLatePenalties(config=config)
            assigning.init_plugin()
            self._plugin = assigning.plugin_inst

    def assign(self, submission: Any) -> None:
        """Store the penalty of each notebook of the gradebook's submission, which its new scores and its time make.

        Raises:
            BadSource: the plugin fails, or gives no number.
        """
        late_s = float(submission.total_seconds_late)
        for notebook in submission.notebooks:
            notebook.late_submission_penalty = self._penalty(submission.student_id, _score(notebook), late_s)

    def _penalty(self, student: str, score: float, late_s: float) -> float | None:
        """Never less than nothing, and never more than the score, as nbgrader has it."""
        if self._plugin is None or late_s <= 0:
            return None
        with _plugin_errors():
            penalty = self._plugin.late_submission_penalty(student, score, late_s)
            return None if penalty is None else min(max(0.0, float(penalty)), score)


def _score(notebook: Any) -> float:
    """nbgrader's own asks the database, in which what was graded now does not stand yet."""
    return sum(
        float((grade.auto_score or 0) if grade.manual_score is None else grade.manual_score)
        + float(grade.extra_credit or 0)
        for grade in notebook.grades
    )


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """nbgrader's commands import from where they are started."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


@contextmanager
def _plugin_errors() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise BadSource(
            f"The late plugin of nbgrader's settings fails: {type(error).__name__}: {error}.",
            hint="Correct AssignLatePenalties.plugin_class, or the plugin.",
        ) from error
