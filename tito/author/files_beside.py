"""What students of an nbgrader course hand in beside their notebooks, as patterns for course.toml: nbgrader takes all
of it, and here a course says what it wants. Names are the students' own: of these only plain ones become patterns.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePosixPath

from tito.course.course import Assignment, Course
from tito.course.settings import FileSettings
from tito.plan.handed_in import IMPORTED
from tito.plan.sandbox_specs import notebook_spec
from tito.plan.shipped_files import rule_of
from tito.repair.beside import NOT_ASKED_FOR, handed_in

PLAIN_PATH = re.compile(r"\w[\w-]*(\.[\w-]+)*(/\w[\w-]*(\.[\w-]+)*)*", re.ASCII)
MOST_PATTERNS = 12  # of an assignment


def patterns_beside(course: Course) -> dict[str, tuple[str, ...]]:
    """Patterns of what was handed in beside the notebooks of each assignment and is not the course's own, those first
    that most students have something for."""
    patterns = {assignment.id: _patterns(course, assignment) for assignment in course.assignments}
    return {name: wanted for name, wanted in patterns.items() if wanted}


def _patterns(course: Course, assignment: Assignment) -> tuple[str, ...]:
    folders = course.submissions(assignment.id).values()
    if not folders:
        return ()
    rule = rule_of(FileSettings(), assignment.id, replace(notebook_spec(course, assignment), packages=()))
    students: Counter[str] = Counter()
    for folder in folders:
        paths = (file.path for file in handed_in(folder, rule, ()).left_out if file.why == NOT_ASKED_FOR)
        students.update({pattern for path in paths for pattern in _pattern_of(path)})
    return tuple(pattern for pattern, _ in sorted(students.items(), key=lambda item: (-item[1], item[0])))[
        :MOST_PATTERNS
    ]


def _pattern_of(text: str) -> Iterator[str]:
    """For all files of its kind that lie where it does; a module by its name, as a course has to ask for one."""
    path = PurePosixPath(text)
    if not PLAIN_PATH.fullmatch(text) or path.suffix.lower() == ".ipynb":
        return
    yield text if text.endswith(IMPORTED) or not path.suffix else str(path.with_name(f"*{path.suffix}"))
