"""nbgrader's own autograde, and formgrader's button, through our engine: what `bridge/guard.py` wires in.

`install` puts our converter in the place of nbgrader's, which has no setting for its class: nbgrader's reads and copies
whatever was handed in before it asks for a verdict, waits on pipes, follows links, and leaves out whoever handed in no
notebook. Where it was not installed, nbgrader's converter still runs one preprocessor, and that is ours.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

from nbgrader.converters import Autograde
from nbgrader.converters.base import NbGraderException
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import find_all_files, rmtree

from tito.course.course import Course, find_course, whole_url
from tito.course.nbgrader_course import STEPS
from tito.course.nbgrader_options import with_options
from tito.course.submission_files import Unreadable, read_below, submitted_at
from tito.errors import PlatformError, TitoError, UsageError
from tito.grade.record import Recorder
from tito.grade.submission import Graded, content_hash, not_graded
from tito.grade.workers import PersistentGrader, Task
from tito.gradebook.store import open_gradebook, require_released
from tito.models import Fingerprint
from tito.plan.plan import AssignmentPlan
from tito.plan.planning import plan_assignment
from tito.sandbox.backends import backend


def install() -> None:
    """Make `nbgrader autograde` and formgrader use our converter, in this process; and formgrader our exporter.

    Formgrader has been imported when it reads its configuration; nbgrader's other commands are spared it.
    """
    from nbgrader.apps import api, autogradeapp

    autogradeapp.Autograde = api.Autograde = TitoConverter
    if formgrader := sys.modules.get("nbgrader.server_extensions.formgrader.formgrader"):
        from tito.bridge.pages import ScoringExporter

        formgrader.HTMLExporter = ScoringExporter  # type: ignore[attr-defined]


class TitoConverter(Autograde):  # type: ignore[misc]
    """nbgrader's loop over submissions; what is done with each is what `tito autograde` does with it.

    Of what a student handed in beside the notebooks only the timestamp goes to `autograded/`, what was used, and what
    nbgrader's settings name; no link is followed.
    """

    def init_notebooks(self) -> None:
        """Find the submissions, of whoever handed in a folder, whatever is in it."""
        wanted = self.coursedir.assignment_id
        try:
            self._course = self._course_here()
            plan = plan_assignment(self._course, self._course.assignment(wanted))
            require_released(self._course, wanted)
            self._plan = _of_notebooks(plan, self.coursedir.notebook_id)
        except TitoError as error:
            self.log.error("%s", error)
            raise NbGraderException(str(error)) from error
        self.assignments = {
            self._format_source(wanted, student): [
                str(folder / f"{notebook.name}.ipynb") for notebook in self._plan.notebooks
            ]
            for student, folder in self._course.submissions(wanted).items()
            if fnmatchcase(student, self.coursedir.student_id)
        }
        if not self.assignments:
            super().init_notebooks()  # tells what is wrong

    def _course_here(self) -> Course:
        """The course that nbgrader is at, as this command's settings have it."""
        places = self.coursedir
        config = deepcopy(self.config)
        for name in (*(f"{step}_directory" for step in STEPS), "directory_structure", "ignore", "student_id_exclude"):
            config.CourseDirectory[name] = getattr(places, name)
        course = with_options(find_course(Path(places.root)), config)
        return replace(course, db_url=whole_url(places.db_url, course.root))

    def init_destination(self, assignment_id: str, student_id: str) -> bool:
        """Whether to grade: what is not graded yet, is newer, or is asked for by force."""
        if student_id in self._course.excluded:
            return False
        graded = Path(self._format_dest(assignment_id, student_id))
        files = [graded / f"{notebook.name}.ipynb" for notebook in self._plan.notebooks]
        by_name = self.coursedir.notebook_id != "*"
        if not graded.exists() or (by_name and not all(file.exists() for file in files)):
            return True
        handed_in = submitted_at(Path(self._format_source(assignment_id, student_id)))
        last = submitted_at(graded)
        if not self.force and (handed_in is None or last is None or handed_in <= last):
            self.log.info("Skipping existing assignment: %s", graded)
            return False
        if not by_name:
            rmtree(graded)
        return True

    def init_assignment(self, assignment_id: str, student_id: str) -> None:
        """Grade, record, and write the graded notebooks."""
        if not self.create_student:
            self._require_known(student_id)
        self.log.info("Grading %s of %s", assignment_id, student_id)
        record = grade_and_record(self._course, self._plan, student_id).record
        if record.platform_fault:
            raise NbGraderException(f"{student_id}: not graded, and no fault of theirs. {record.fault}")
        target = Path(self._format_dest(assignment_id, student_id))
        if target.is_dir() and self._course.assignment(assignment_id).script is None:
            self._copy_files_beside(assignment_id, student_id, target)

    def _copy_files_beside(self, assignment: str, student: str, target: Path) -> None:
        """As nbgrader does: what the assignment has beside its notebooks, which its texts may show; and of what the
        student has beside them, files that the course's settings exclude from being overwritten."""
        source, submitted = self._course.step("source", assignment), Path(self._format_source(assignment, student))
        students = {source / name for name in self.exclude_overwriting.get(assignment, [])}
        for path in map(Path, find_all_files(str(source), [*self._course.ignored, "*.ipynb"])):
            inside = path.relative_to(source)
            content = path.read_bytes()
            if path in students:
                with suppress(Unreadable):
                    content = read_below(submitted, inside, self._course.limits.submission_mb)
            (target / inside).parent.mkdir(parents=True, exist_ok=True)
            (target / inside).write_bytes(content)

    def _require_known(self, student: str) -> None:
        with open_gradebook(self._course) as opened:
            if student not in {enrolled.id for enrolled in opened.students}:
                raise NbGraderException(f"No student with ID '{student}' exists in the database")

    def convert_single_notebook(self, notebook_filename: str) -> None:
        """Nothing is left to do: an assignment's notebooks are graded as one."""


class TitoAutograde(NbGraderPreprocessor):  # type: ignore[misc]
    """Grades the submission that nbgrader is at, records it, and gives nbgrader the graded notebook to write.

    An assignment of several notebooks is graded as one, when nbgrader comes to the first of them.
    """

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        facts = resources["nbgrader"]
        course = find_course(Path.cwd())  # nbgrader works in the course folder
        plan = plan_assignment(course, course.assignment(facts["assignment"]))
        task = task_of(course, plan, facts["student"])
        graded = _graded_once(course.root, facts["assignment"], facts["student"], task.fingerprint)
        return graded.notebooks.get(facts["notebook"], nb), resources


@cache
def _graded_once(root: Path, assignment: str, student: str, _: Fingerprint) -> Graded:
    """Grade a submission once in this process, whichever of its notebooks is asked for."""
    course = find_course(root)
    plan = plan_assignment(course, course.assignment(assignment))
    return grade_and_record(course, plan, student, notebooks=False)


def _of_notebooks(plan: AssignmentPlan, pattern: str) -> AssignmentPlan:
    """A plan for those notebooks whose names are asked for. Its verdicts are not the whole assignment's, which is
    graded again when it is asked for."""
    notebooks = tuple(notebook for notebook in plan.notebooks if fnmatchcase(notebook.name, pattern))
    if not notebooks:
        names = ", ".join(notebook.name for notebook in plan.notebooks)
        raise UsageError(f"{plan.assignment} has no notebook '{pattern}'.", hint=f"It has: {names}.")
    if len(notebooks) == len(plan.notebooks):
        return plan
    others = tuple(notebook.name for notebook in plan.notebooks if notebook not in notebooks)
    return replace(plan, notebooks=notebooks, others=others, tests_hash=f"{plan.tests_hash} {pattern}")


def task_of(course: Course, plan: AssignmentPlan, student: str) -> Task:
    """What there is to grade of a student's."""
    folder = course.step("submitted", student, plan.assignment)
    content = content_hash(folder, tuple(notebook.name for notebook in plan.notebooks), plan.handed_in)
    return Task(student, folder, Fingerprint(content, plan.tests_hash, plan.environment_hash))


def grade_and_record(course: Course, plan: AssignmentPlan, student: str, notebooks: bool = True) -> Graded:
    """Grade one submission and store what came of it; the graded notebooks too, if nbgrader does not write them."""
    task = task_of(course, plan, student)
    try:
        graded = _grader.grade(plan, backend(course.sandbox.backend), task)
    except PlatformError as error:
        graded = not_graded(plan, student, course.sandbox.backend, task.fingerprint, str(error))
    with open_gradebook(course) as opened:
        Recorder(course, plan.assignment, opened).record([(graded, task.folder)], notebooks, plan.others)
    return graded


_grader = PersistentGrader()
