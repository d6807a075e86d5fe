"""Grades a cohort: which submissions need it, workers, one writer, progress. Stop it and start it again at will."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tito.course.course import Assignment, Course
from tito.course.submission_files import submitted_at
from tito.errors import UsageError
from tito.grade.calibrate import calibrated, calibrated_apart
from tito.grade.graded_notebook import is_written_here
from tito.grade.plan_cache import PlanCache
from tito.grade.record import Recorder
from tito.grade.submission import content_hash
from tito.grade.workers import Task, WorkerPool
from tito.gradebook.contents import scored
from tito.gradebook.records import read_record, record_path
from tito.gradebook.store import open_gradebook, require_released
from tito.judge.judge import order_of
from tito.models import Fingerprint, SubmissionRecord
from tito.plan.measuring import require_measuring
from tito.plan.plan import AssignmentPlan
from tito.plan.sandbox_specs import EarlySandboxes
from tito.sandbox.launch import Backend


@dataclass(frozen=True)
class CohortResult:
    """What a run did: records of those graded now, and those that were graded already; and students whose work has
    points in the gradebook that another grader gave, which was left alone."""

    graded: tuple[SubmissionRecord, ...]
    unchanged: tuple[SubmissionRecord, ...]
    left_alone: tuple[str, ...] = ()

    @property
    def records(self) -> tuple[SubmissionRecord, ...]:
        return tuple(sorted((*self.graded, *self.unchanged), key=lambda record: record.student))


def _planned(course: Course, assignment: Assignment) -> AssignmentPlan:
    from tito.plan.planning import plan_assignment  # which needs jupytext, and that takes long

    return plan_assignment(course, assignment)


def prepare(course: Course, assignment: Assignment, backend: Backend) -> None:
    """Make the plan of an assignment's grading and keep it, so that the first run is as fast as the next.

    Raises:
        PlatformError: no sandbox can be had, or the reference cannot be judged.
    """
    cache = PlanCache(course, assignment, backend.name)
    if cache.read() is None:
        cache.write(calibrated_apart(_planned(course, assignment), backend))


@dataclass(frozen=True)
class CohortPlan:
    """What is to be graded, the records of what need not be, and students whom another grader has graded."""

    tasks: list[Task]
    unchanged: list[SubmissionRecord]
    left_alone: list[str]


def plan_cohort(
    course: Course, plan: AssignmentPlan, backend: Backend, only: tuple[str, ...], force: bool
) -> CohortPlan:
    """Say what is to be done about each submission. What nbgrader has graded is graded anew by `force` alone, or when
    the student has handed in since.

    Raises:
        UsageError: a student in `only` who has submitted nothing.
        GradebookUnavailable: whom nbgrader has graded cannot be told.
    """
    folders = course.submissions(plan.assignment)
    for student in only:
        if student not in folders:
            raise UsageError(
                f"{student} has not submitted {plan.assignment}.",
                hint=f"There is no {course.step('submitted', student, plan.assignment)}; run 'tito collect' first?",
            )
    names = tuple(notebook.name for notebook in plan.notebooks)
    tasks, unchanged = [], []
    for student, folder in folders.items():
        if student not in only if only else student in course.excluded:
            continue
        fingerprint = Fingerprint(content_hash(folder, names, plan.handed_in), plan.tests_hash, plan.environment_hash)
        known = read_record(course, plan.assignment, student)
        same = known is not None and known.fingerprint == fingerprint and known.sandbox == backend.name
        if known is not None and same and not force and not known.platform_fault:
            unchanged.append(known)
        else:
            tasks.append(Task(student, folder, fingerprint))
    left_alone = set() if force else _graded_by_another(course, plan.assignment, tasks)
    return CohortPlan([task for task in tasks if task.student not in left_alone], unchanged, sorted(left_alone))


def _graded_by_another(course: Course, assignment: str, tasks: list[Task]) -> set[str]:
    """Students with points for what they have handed in that are not ours: there is not even the beginning of a record,
    nor, where records were lost, a graded notebook."""
    tasks = [task for task in tasks if not record_path(course, assignment, task.student).exists()]
    graded = scored(course.db_url, assignment) if tasks else {}
    tasks = [task for task in tasks if task.student in graded and not _is_newer(task.folder, graded[task.student])]
    folders = {task.student: course.step("autograded", task.student, assignment) for task in tasks}
    return {student for student, folder in folders.items() if not any(map(is_written_here, folder.glob("*.ipynb")))}


def _is_newer(folder: Path, graded: datetime | None) -> bool:
    handed_in = submitted_at(folder)
    return handed_in is not None and graded is not None and handed_in > graded


@contextmanager
def ready_to_grade(
    course: Course, assignment: Assignment, backend: Backend, early: EarlySandboxes | None = None
) -> Iterator[tuple[AssignmentPlan, Callable[[int], WorkerPool]]]:
    """The plan of an assignment's grading, and what starts so many workers for it; they end with the block.

    An `early` of the caller's is used, and closed.
    """
    with ExitStack() as stack:
        ahead = early or EarlySandboxes(course, assignment, backend)
        stack.callback(ahead.close)
        cache = PlanCache(course, assignment, backend.name)
        cached = cache.read()
        plan = cached or _planned(course, assignment)

        def start(workers: int) -> WorkerPool:
            require_measuring(plan, backend.name)
            sandboxes = ahead.sandboxes(plan.spec, order_of(plan))
            whole = cached or calibrated(plan, sandboxes)
            if cached is None:
                cache.write(whole)
            return stack.enter_context(WorkerPool(whole, backend, workers, sandboxes))

        yield plan, start


def autograde(
    course: Course,
    assignment: Assignment,
    backend: Backend,
    *,
    workers: int = 2,
    only: tuple[str, ...] = (),
    force: bool = False,
    early: EarlySandboxes | None = None,
    started: Callable[[int], None] = lambda count: None,
    progress: Callable[[SubmissionRecord], None] = lambda record: None,
) -> CohortResult:
    """Grade all submissions of an assignment that need it. They are stored as they are graded, a few at a time.

    An `early` of the caller's is used, and closed.

    Raises:
        UnknownAssignment: the assignment was never released, so the gradebook does not know its cells.
        GradebookUnavailable: what had been graded until then is stored.
    """
    graded = []
    with ready_to_grade(course, assignment, backend, early) as (plan, start):
        todo = plan_cohort(course, plan, backend, only, force)
        tasks = todo.tasks
        # The workers start before nbgrader is imported, which takes as long as grading some submissions.
        graders = start(workers) if tasks else None
        require_released(course, assignment.id)
        started(len(tasks))
        with open_gradebook(course) as opened:
            recorder = Recorder(course, assignment.id, opened)
            for batch in graders.grade(tasks) if graders else ():
                recorder.record([(graded, task.folder) for task, graded in batch])
                for _, result in batch:
                    graded.append(result.record)
                    progress(result.record)
            folders = course.submissions(assignment.id)
            recorder.update_times({record.student: folders[record.student] for record in todo.unchanged})
    return CohortResult(tuple(graded), tuple(todo.unchanged), tuple(todo.left_alone))
