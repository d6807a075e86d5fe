"""nbgrader's own autograde, and formgrader's button, through our engine: the one preprocessor that they run.

`nbgrader_config.py` puts it in the place of nbgrader's whole list (execute, determine grades, save them).
"""

from __future__ import annotations

import atexit
from functools import cache
from pathlib import Path
from typing import Any

from nbgrader.preprocessors import NbGraderPreprocessor

from tito.course import Course, find_course
from tito.errors import SandboxUnavailable
from tito.grade.calibrate import calibrated
from tito.grade.judge import Judge
from tito.grade.plan import AssignmentPlan, plan_assignment
from tito.grade.record import Recorder
from tito.grade.submission import Graded, content_hash, grade_submission, not_graded
from tito.gradebook.store import open_gradebook
from tito.models import Fingerprint
from tito.sandbox.backends import backend
from tito.sandbox.session import Sandbox


class TitoAutograde(NbGraderPreprocessor):  # type: ignore[misc]
    """Grades the submission that nbgrader is at, records it, and gives nbgrader the graded notebook to write.

    An assignment of several notebooks is graded as one, when nbgrader comes to the first of them.
    """

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        facts = resources["nbgrader"]
        graded = _graded(Path.cwd(), facts["assignment"], facts["student"])  # nbgrader works in the course folder
        return graded.notebooks.get(facts["notebook"], nb), resources


def _graded(root: Path, assignment: str, student: str) -> Graded:
    course = find_course(root)
    plan = _plan(course.root, assignment)
    folder = course.step("submitted", student, assignment)
    content = content_hash(folder, tuple(one.name for one in plan.notebooks))
    return _grade_and_record(course.root, assignment, student, content)


@cache
def _grade_and_record(root: Path, assignment: str, student: str, content: str) -> Graded:
    """Grade a submission once in this process, whichever of its notebooks is asked for."""
    course = find_course(root)
    plan = _plan(root, assignment)
    folder = course.step("submitted", student, assignment)
    fingerprint = Fingerprint(content, plan.tests_hash, plan.environment_hash)
    try:
        sandbox, judge = _tools(root, assignment)
        plan = _calibrated(root, assignment)
        graded = grade_submission(plan, student, folder, sandbox, judge, fingerprint)
    except SandboxUnavailable as error:
        graded = not_graded(plan, student, course.sandbox.backend, fingerprint, str(error))
    with open_gradebook(course) as opened:
        Recorder(course, assignment, opened).record(graded, folder, notebooks=False)
    return graded


@cache
def _plan(root: Path, assignment: str) -> AssignmentPlan:
    course = find_course(root)
    return plan_assignment(course, course.assignment(assignment))


@cache
def _calibrated(root: Path, assignment: str) -> AssignmentPlan:
    return calibrated(_plan(root, assignment), _tools(root, assignment)[0])


@cache
def _tools(root: Path, assignment: str) -> tuple[Sandbox, Judge]:
    """One sandbox and one judge an assignment, ended with the process."""
    course: Course = find_course(root)
    plan = _plan(root, assignment)
    sandbox, judge = Sandbox(backend(course.sandbox.backend), plan.place), Judge(plan.prerequisites)
    atexit.register(sandbox.close)
    atexit.register(judge.close)
    return sandbox, judge
