"""The plug-in that nbgrader's settings name for late penalties, instead of a policy of course.toml's."""

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

    @property
    def is_named(self) -> bool:
        """Whether nbgrader's settings name one."""
        return self._plugin is not None

    def penalty(self, student: str, score: float, late_s: float) -> float | None:
        """What a notebook of this score loses that comes so late; never less than nothing, and never more than the
        score, as nbgrader has it.

        Raises:
            BadSource: the plugin fails, or gives no number.
        """
        if self._plugin is None or late_s <= 0:
            return None
        with _plugin_errors():
            penalty = self._plugin.late_submission_penalty(student, score, late_s)
            return None if penalty is None else min(max(0.0, float(penalty)), score)


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
