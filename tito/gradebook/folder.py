"""What nbgrader needs before it opens a gradebook. Imports nothing heavy: each of its commands comes through here."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tito.course.course import Course


def prepare(course: Course) -> None:
    """SQLite makes its file, not its folder; and to make a database, nbgrader looks for `alembic` on the PATH.

    Raises:
        OSError: the folder cannot be made.
    """
    scripts = str(Path(sys.executable).parent)
    if scripts not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([scripts, os.environ.get("PATH", os.defpath)])
    if course.gradebook_file is not None:
        course.gradebook_file.parent.mkdir(parents=True, exist_ok=True)
