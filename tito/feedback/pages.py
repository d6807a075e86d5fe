"""Pages of a cohort: which have to be made, in worker processes, each whole or not at all.

A page is made anew when something that it is made of has changed: what was given, graded, or written by graders, and
the code that makes it. That is noted beside the gradebook, where students never come: a digest of what is hidden would
let whoever has guessed it know. So a run that was stopped goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import astuple, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import nbformat

import tito.bridge
import tito.feedback
from tito.course.cells import Cell, read_cells
from tito.course.course import Assignment, Course
from tito.errors import UsageError
from tito.feedback.leak_scan import PageSecrets
from tito.feedback.page import Handout, graded_cells, handout_of, page_of
from tito.feedback.results import Exercises, card_of, exercises_of, results_of, submitted_of
from tito.gradebook.by_hand import ByHand, by_hand
from tito.gradebook.grades import AssignmentGrades, read_grades
from tito.gradebook.records import read_record, record_path
from tito.models import CellKind, GradeRow, Status
from tito.sandbox.processes import can_fork

BESIDE = ("timestamp.txt", "submission_secret.txt")  # what the exchange knows a page's submission by
NOT_THERE = "the gradebook does not know them"
HIDING = (CellKind.TEST, CellKind.TASK)


@dataclass(frozen=True)
class Order:
    """A student whose pages are to be made, with what the gradebook says."""

    row: GradeRow
    hand: ByHand


@dataclass(frozen=True)
class StudentPages:
    """What became of a student's pages: those written now, those that were up to date, and why one was not written."""

    student: str
    written: tuple[Path, ...] = ()
    unchanged: tuple[Path, ...] = ()
    refused: str = ""


@dataclass(frozen=True)
class FeedbackRun:
    """What a run did."""

    students: tuple[StudentPages, ...]
    unfinished: dict[str, str]  # students who are not fully graded, and how it stands with them

    @property
    def pages(self) -> list[Path]:
        """All pages that are there now."""
        return sorted(page for each in self.students for page in (*each.written, *each.unchanged))

    @property
    def written(self) -> list[Path]:
        return sorted(page for each in self.students for page in each.written)

    @property
    def refused(self) -> dict[str, str]:
        """Why no page was written, by student."""
        return {each.student: each.refused for each in self.students if each.refused}


@dataclass(frozen=True)
class CourseMaterial:
    """What all pages of an assignment have in common."""

    course: Course
    assignment: Assignment
    title: str
    labels: dict[tuple[str, str], str]  # of graded cells in tables of grades, by notebook and grade id
    source: tuple[Cell, ...]  # all of the course's own cells, with what is hidden in them
    secrets: PageSecrets
    released: dict[str, tuple[Cell, ...]]  # by notebook
    prerequisites: str
    digest: str
    handouts: dict[str, Handout] = field(default_factory=dict)
    exercises: dict[str, Exercises] = field(default_factory=dict)


def write_pages(
    course: Course,
    assignment: Assignment,
    students: tuple[str, ...] = (),
    *,
    workers: int = 2,
    started: Callable[[int], None] = lambda count: None,
    progress: Callable[[StudentPages], None] = lambda pages: None,
) -> FeedbackRun:
    """Write the feedback pages of all students who have been graded, or of these.

    Raises:
        UsageError: nothing has been autograded.
        GradebookUnavailable: the gradebook cannot be read.
        BadSource: the source cannot be read, so that it is not known what must not be on a page.
    """
    chosen = _graded(course, assignment, students)
    grades = read_grades(course, assignment)
    material = _material(course, assignment, grades)
    rows, hands = {row.student_id: row for row in grades.rows}, by_hand(course, assignment)
    orders = [Order(rows[student], hands.get(student, ByHand())) for student in chosen if student in rows]
    results = [StudentPages(student, refused=NOT_THERE) for student in chosen if student not in rows]
    started(len(orders))
    for each in _in_workers(material, orders, workers):
        results.append(each)
        progress(each)
    statuses = {order.row.student_id: order.row.status for order in orders}
    unfinished = {student: status.value for student, status in statuses.items() if status is not Status.GRADED}
    return FeedbackRun(tuple(sorted(results, key=lambda each: each.student)), unfinished)


def _graded(course: Course, assignment: Assignment, students: tuple[str, ...]) -> list[str]:
    graded = course.step("autograded")
    autograded = [path.parent.name for path in sorted(graded.glob(f"*/{assignment.id}")) if path.is_dir()]
    for student in students:
        if student not in autograded:
            raise UsageError(
                f"{student}'s {assignment.id} has not been autograded.",
                hint=f"Run 'tito autograde {assignment.id}'.",
            )
    if not autograded:
        raise UsageError(
            f"No submission of {assignment.id} has been autograded.",
            hint=f"Run 'tito autograde {assignment.id}'.",
        )
    return list(students) or [student for student in autograded if student not in course.excluded]


# ---- what pages have in common -----------------------------------------------------------------------


def _material(course: Course, assignment: Assignment, grades: AssignmentGrades) -> CourseMaterial:
    from tito.course.script import read_script, source_notebooks

    source = [cell for notebook in source_notebooks(course, assignment).values() for cell in read_cells(notebook.cells)]
    released = {path.stem: _cells_in(path) for path in sorted(course.step("release", assignment.id).glob("*.ipynb"))}
    title, below = assignment.id, ""
    if assignment.script is not None:
        info = read_script(assignment.script).info
        title = info.title
        files = (path for path in course.files_below(info.number) if path.suffix == ".py")
        below = "\n".join(path.read_text(encoding="utf-8") for path in files)
    texts = [[cell.source for cell in cells] for cells in (source, *released.values())]
    return CourseMaterial(
        course=course,
        assignment=assignment,
        title=title,
        labels={(cell.notebook, cell.name): cell.label for cell in grades.cells},
        source=tuple(source),
        secrets=_secrets_of(tuple(source), released, below),
        released=released,
        prerequisites=below,
        digest=_digest([title, texts, below, _code_digest()]),
        handouts={name: handout_of(cells) for name, cells in released.items()},
        exercises={name: exercises_of(cells) for name, cells in released.items()},
    )


def _cells_in(path: Path) -> tuple[Cell, ...]:
    try:
        return read_cells(nbformat.from_dict(json.loads(path.read_text(encoding="utf-8")))["cells"])
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return ()  # a folder that somebody works in: then all cells are shown


def _digest(facts: Any) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()


@cache
def _code_digest() -> str:
    """Of the code and templates that make pages."""
    rooms = (Path(module.__file__ or "").parent for module in (tito.feedback, tito.bridge))
    files = (path for room in rooms for path in sorted(room.rglob("*")) if path.suffix in (".py", ".html", ".css"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


# ---- workers ---------------------------------------------------------------------------------------


def _in_workers(material: CourseMaterial, orders: list[Order], workers: int) -> Iterator[StudentPages]:
    """Pages as they are made. Those on which a worker ended are tried once more, each alone."""
    waiting = {order.row.student_id: order for order in orders}
    for pages in _pool(material, orders, min(workers, len(orders)) or 1):
        del waiting[pages.student]
        yield pages
    for student, order in waiting.items():
        yield next(_pool(material, [order], 1), None) or StudentPages(student, refused="the process that made it ended")


def _pool(material: CourseMaterial, orders: list[Order], workers: int) -> Iterator[StudentPages]:
    context = multiprocessing.get_context("fork" if can_fork() else "spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin, initargs=(material,))
    try:
        futures: list[Future[StudentPages]] = [pool.submit(_pages, order) for order in orders]
        for future in as_completed(futures):
            yield future.result()
    except BrokenProcessPool:
        return
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_materials: list[CourseMaterial] = []  # of this worker


def _begin(material: CourseMaterial) -> None:
    _materials[:] = [material]


def _pages(order: Order) -> StudentPages:
    (material,) = _materials
    try:
        return make_pages(material, order)
    except Exception as error:  # noqa: BLE001  (the edge of a process: what a page is made of may bring up anything)
        return StudentPages(order.row.student_id, refused=f"{type(error).__name__}: {error}")


# ---- a student's pages -------------------------------------------------------------------------------


def make_pages(material: CourseMaterial, order: Order) -> StudentPages:
    """Write the pages of a student that are not up to date."""
    course, student = material.course, order.row.student_id
    graded = course.step("autograded", student, material.assignment.id)
    target = course.step("feedback", student, material.assignment.id)
    notes = _Notes(course, material.assignment.id, student)
    written: list[Path] = []
    unchanged: list[Path] = []
    for path in sorted(graded.glob("*.ipynb")):
        page = target / f"{path.stem}.html"
        inputs = _inputs(material, order, path)
        if notes.is_current(page, inputs):
            unchanged.append(page)
            continue
        html, refused = _page(material, order, path)
        if refused:
            page.unlink(missing_ok=True)
            return StudentPages(student, tuple(written), tuple(unchanged), refused)
        target.mkdir(parents=True, exist_ok=True)
        _write(page, html)
        notes.note(page, inputs)
        written.append(page)
    _copy_beside(graded, target)
    return StudentPages(student, tuple(written), tuple(unchanged))


def _page(material: CourseMaterial, order: Order, path: Path) -> tuple[str, str]:
    """The page of a notebook; or why there is none."""
    course, assignment, notebook = material.course, material.assignment, path.stem
    student = order.row.student_id
    record = read_record(course, assignment.id, student)
    cells = graded_cells(json.loads(path.read_text(encoding="utf-8")))
    own = [each.cell for each in cells]
    labels = ((name, label) for (of, name), label in material.labels.items() if of == notebook)
    points = {name: order.row.cells.get(label) for name, label in labels}
    exercises = material.exercises.get(notebook) or exercises_of(own)
    with_outputs = [(each.cell, each.outputs) for each in cells]
    results = list(results_of(with_outputs, notebook, exercises, points, order.hand, record))
    submitted = submitted_of(path.parent, course.step("submitted", student, assignment.id), _has_receipts(course))
    facts = {"title": material.title, "assignment": assignment.id, "notebook": notebook}
    card = card_of(order.row, order.hand, record, submitted, **facts)
    comments = {name: comment for (of, name), comment in order.hand.comments.items() if of == notebook}
    page = page_of(card, results, cells, material.handouts.get(notebook, Handout()), _secrets(material, own), comments)
    if not page.findings:
        return page.html, ""
    names = ", ".join(
        f"{'the hidden test' if finding.is_test else 'the solution or mark scheme'} of '{finding.where}'"
        for finding in page.findings
    )
    return "", f"{notebook}: the page would show {names}"


_of_others: dict[tuple[str, ...], PageSecrets] = {}  # of notebooks that were graded by other tests than the source's


def _secrets(material: CourseMaterial, cells: list[Cell]) -> PageSecrets:
    """What must not be on a page: of the source as it is, and of what the notebook was graded by."""
    sources = {cell.source for cell in material.source}
    others = tuple(cell for cell in cells if cell.kind in HIDING and cell.source not in sources)
    if not others:
        return material.secrets
    key = tuple(cell.source for cell in others)
    if key not in _of_others:
        _of_others[key] = _secrets_of(material.source + others, material.released, material.prerequisites)
    return _of_others[key]


def _secrets_of(cells: tuple[Cell, ...], released: dict[str, tuple[Cell, ...]], prerequisites: str) -> PageSecrets:
    text = "\n".join(cell.source for notebook in released.values() for cell in notebook)
    return PageSecrets(cells, text, prerequisites)


def _has_receipts(course: Course) -> bool:
    return course.exchange_kind == "service"


def _copy_beside(graded: Path, target: Path) -> None:
    for name in BESIDE:
        if (graded / name).is_file() and target.is_dir():
            shutil.copyfile(graded / name, target / name)


def _write(page: Path, html: str) -> None:
    """A page, whole or not at all. A lone surrogate has no bytes."""
    scratch = page.with_name(f".{page.name}.new")
    scratch.write_bytes(html.encode("utf-8", "replace"))
    scratch.replace(page)


# ---- what is up to date ------------------------------------------------------------------------------


def _inputs(material: CourseMaterial, order: Order, notebook: Path) -> str:
    """A digest of all that the page of a notebook is made of."""
    course, assignment, student = material.course, material.assignment.id, order.row.student_id
    record = record_path(course, assignment, student)
    collected = course.step("submitted", student, assignment)
    hand = [sorted(facts.items()) for facts in (order.hand.points, order.hand.extra, order.hand.comments)]
    files = [hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "" for path in (notebook, record)]
    submitted = submitted_of(notebook.parent, collected, _has_receipts(course))
    return _digest([material.digest, astuple(order.row), hand, files, astuple(submitted)])


class _Notes:
    """What a student's pages were made of, and what they were when they were written."""

    def __init__(self, course: Course, assignment: str, student: str) -> None:
        self._path = course.gradebook_dir / "pages" / assignment / f"{student}.json"
        try:
            notes = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            notes = {}
        self._notes: dict[str, Any] = notes if isinstance(notes, dict) else {}

    def is_current(self, page: Path, inputs: str) -> bool:
        return page.is_file() and self._notes.get(page.name) == [inputs, _digest_of_file(page)]

    def note(self, page: Path, inputs: str) -> None:
        self._notes[page.name] = [inputs, _digest_of_file(page)]
        self._path.parent.mkdir(parents=True, exist_ok=True)
        scratch = self._path.with_suffix(".json.new")
        scratch.write_text(json.dumps(self._notes), encoding="utf-8")
        scratch.replace(self._path)


def _digest_of_file(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
