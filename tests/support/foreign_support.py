"""The foreign assignments of `tests/foreign/courses`: read, written as nbgrader has them, and handed in. No tests here.

`tests/foreign/README.md` says of which files an assignment is made, and how.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import re
import shutil
import sqlite3
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from cases_support import CELL, plain, with_cells, write

from tito.author.release import publish
from tito.author.variants import filled, solutions
from tito.course.cells import grade_id_of, kind_of, points_of
from tito.course.course import Course, load_course
from tito.grade.cohort import autograde
from tito.gradebook.records import read_record
from tito.models import CellKind, SubmissionRecord
from tito.sandbox.bubblewrap import Bubblewrap

FOREIGN = Path(__file__).resolve().parents[1] / "foreign"
COURSES = FOREIGN / "courses"
ANSWERS = FOREIGN / "nbgrader.jsonl"
HARNESS = 1  # raise it with every change of how assignments are written or plain nbgrader is asked
REFERENCE, STUB = "reference", "stub"
SUBMISSION = re.compile(r"^# ==== (?P<kind>honest|mistake): (?P<title>.+)\n", re.MULTILINE)
DATABASE = ".db.sql"
NBGRADER = {  # by the word that stands in a cell's head, what the cell is to nbgrader
    "locked": {"locked": True},
    "solution": {"solution": True},
    "test": {"grade": True, "locked": True},
    "answer": {"grade": True, "solution": True},
    "task": {"task": True, "locked": True},
}
DOT = (  # a picture of one grey dot, as an attachment has it
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
)


@dataclass(frozen=True)
class Submission:
    """What a student makes of an assignment: `text` holds the changed and the added cells, on top of the reference."""

    name: str
    kind: str  # reference, stub, honest or mistake
    title: str
    text: str = ""

    @property
    def is_honest(self) -> bool:
        return self.kind in (REFERENCE, "honest")


@dataclass(frozen=True)
class ForeignAssignment:
    """An assignment as nbgrader's users have it: notebooks by name, files that come with them, and submissions."""

    name: str
    folder: Path
    submissions: tuple[Submission, ...]

    @functools.cached_property
    def notebooks(self) -> dict[str, Any]:
        """The instructor's notebooks, with nbgrader's metadata."""
        return {path.stem: _notebook(path) for path in self._scripts}

    @property
    def _scripts(self) -> list[Path]:
        return [path for path in sorted(self.folder.glob("*.py")) if path.name != "submissions.py"]

    @property
    def files(self) -> list[Path]:
        """What comes with the notebooks."""
        return sorted(path for path in (self.folder / "files").rglob("*") if path.is_file())

    @property
    def tests(self) -> dict[str, float]:
        """The points of each autograded cell."""
        cells = [cell for notebook in self.notebooks.values() for cell in notebook.cells]
        return {grade_id_of(cell): points_of(cell) for cell in cells if kind_of(cell) is CellKind.TEST}

    def submission(self, name: str) -> Submission:
        return next(submission for submission in self.submissions if submission.name == name)

    def write_source(self, folder: Path) -> None:
        """The source folder that the instructor has; a database is made of the SQL that stands for it."""
        folder.mkdir(parents=True)
        for name, notebook in self.notebooks.items():
            nbformat.write(notebook, folder / f"{name}.ipynb")
        for path in self.files:
            target = folder / path.relative_to(self.folder / "files")
            if path.name.endswith(DATABASE):
                _make_database(path, target.with_suffix(""))
            else:
                shutil.copyfile(path, target)

    def hand_in(self, submission: Submission, release: Path, folder: Path) -> None:
        """What that student hands in, with all files that came with the release, as nbgrader collects it."""
        shutil.copytree(release, folder)
        for name, source in self.notebooks.items():
            released = nbformat.read(release / f"{name}.ipynb", as_version=4)
            if submission.kind == STUB:
                continue
            write(folder, _with(submission.text, plain(filled(released, solutions(source)))), f"{name}.ipynb")

    def digest(self, submission: Submission) -> str:
        """What nbgrader's answer for a submission depends on."""
        digest = hashlib.sha256(f"{HARNESS} {version('nbgrader')} {submission.kind}\n{submission.text}".encode())
        for path in (*self._scripts, *self.files):
            digest.update(str(path.relative_to(self.folder)).encode() + path.read_bytes())
        return digest.hexdigest()[:24]


def assignments() -> list[ForeignAssignment]:
    """All of them, by name."""
    return [read_assignment(path.parent) for path in sorted(COURSES.glob("*/submissions.py"))]


def read_assignment(folder: Path) -> ForeignAssignment:
    """Read the folder of an assignment."""
    pieces = SUBMISSION.split((folder / "submissions.py").read_text(encoding="utf-8"))
    numbers = {"honest": 0, "mistake": 0}
    submissions = [Submission(REFERENCE, REFERENCE, "the reference solution"), Submission(STUB, STUB, "as released")]
    for kind, title, text in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
        numbers[kind] += 1
        submissions.append(Submission(f"{kind}{numbers[kind]}", kind, title, text))
    return ForeignAssignment(folder.name, folder, tuple(submissions))


def _notebook(path: Path) -> Any:
    """The notebook that a script stands for: `# %% test="test_mean" points=2` is the head of an autograded cell."""
    notebook = jupytext.read(path, fmt="py:percent")
    notebook.metadata = nbformat.from_dict(
        {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    )
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for number, cell in enumerate(notebook.cells):
        head, cell.id = dict(cell.metadata), f"cell-{number}"
        cell.metadata = nbformat.from_dict(_metadata(head))
        if "attachment" in head:
            cell.attachments = nbformat.from_dict({head["attachment"]: {"image/png": DOT}})
    return notebook


def _metadata(head: dict[str, Any]) -> dict[str, Any]:
    word = next((word for word in NBGRADER if word in head), None)
    if word is None:
        return {}
    facts = {"grade": False, "grade_id": head[word], "locked": False, "schema_version": 3, "solution": False}
    points = {"points": head["points"]} if "points" in head else {}
    return {"nbgrader": facts | {"task": False} | points | NBGRADER[word]}


def _make_database(script: Path, target: Path) -> None:
    connection = sqlite3.connect(target)
    connection.executescript(script.read_text(encoding="utf-8"))
    connection.close()


def _with(text: str, notebook: dict[str, Any]) -> dict[str, Any]:
    """The notebook with those cells of a submission that are its own."""
    own = {grade_id_of(cell) for cell in notebook["cells"]}
    pieces = CELL.split(text)
    cells = zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True)
    mine = (f"# %% {added or ''}{grade_id}\n{source}" for added, grade_id, source in cells if grade_id in own)
    return with_cells(notebook, "".join(mine))


# ---- nbgrader's answers ----------------------------------------------------------------------------------

Points = dict[str, float | None]  # by grade id; None: no number was given


@dataclass(frozen=True)
class Answer:
    """What plain nbgrader gave for a submission, and the digest of what it was given for."""

    digest: str
    points: Points


def read_answers() -> dict[tuple[str, str], Answer]:
    """The answers on file, by assignment and submission."""
    lines = ANSWERS.read_text(encoding="utf-8").splitlines() if ANSWERS.exists() else []
    rows = map(json.loads, lines)
    return {(assignment, submission): Answer(digest, points) for assignment, submission, digest, points in rows}


def write_answers(answers: dict[tuple[str, str], Answer]) -> None:
    """Put them on file, a line each."""
    rows = ([*key, answer.digest, answer.points] for key, answer in sorted(answers.items()))
    ANSWERS.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")


def outdated(answers: dict[tuple[str, str], Answer]) -> dict[str, list[str]]:
    """Submissions without an answer that still holds, by assignment."""
    lacking: dict[str, list[str]] = {}
    for assignment, submission in all_submissions():
        answer = answers.get((assignment.name, submission.name))
        if answer is None or answer.digest != assignment.digest(submission):
            lacking.setdefault(assignment.name, []).append(submission.name)
    return lacking


def all_submissions() -> Iterator[tuple[ForeignAssignment, Submission]]:
    """Each submission with its assignment."""
    for assignment in assignments():
        for submission in assignment.submissions:
            yield assignment, submission


def plain_nbgrader(assignment: ForeignAssignment, names: Sequence[str], root: Path) -> dict[str, Answer]:
    """What nbgrader itself gives, in a course of its own in the empty folder `root`: nothing of ours is at work."""
    from nbgrader.api import Gradebook, MissingEntry
    from nbgrader.converters import Autograde, GenerateAssignment
    from nbgrader.converters.base import NbGraderException
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import Config

    config = Config()
    config.CourseDirectory.root = str(root)
    config.CourseDirectory.course_id = "foreign"
    config.CourseDirectory.db_url = f"sqlite:///{root / 'gradebook.db'}"
    config.CourseDirectory.assignment_id = assignment.name
    config.ExecutePreprocessor.timeout = config.Execute.timeout = 60
    assignment.write_source(root / "source" / assignment.name)
    GenerateAssignment(coursedir=CourseDirectory(config=config), config=config).start()
    release = root / "release" / assignment.name
    for name in names:
        assignment.hand_in(assignment.submission(name), release, root / "submitted" / name / assignment.name)
    with contextlib.suppress(NbGraderException):  # where it has given up on one, that has no number
        Autograde(coursedir=CourseDirectory(config=config), config=config).start()
    answers = {}
    with Gradebook(config.CourseDirectory.db_url, "foreign") as gradebook:
        for name in names:
            try:
                notebooks = gradebook.find_submission(assignment.name, name).notebooks
            except MissingEntry:
                notebooks = []
            scores = {grade.name: grade.auto_score for notebook in notebooks for grade in notebook.grades}
            points = {grade_id: scores.get(grade_id) for grade_id in assignment.tests}
            answers[name] = Answer(assignment.digest(assignment.submission(name)), points)
    return answers


# ---- ours ------------------------------------------------------------------------------------------------

SETTINGS = """\
id = "foreign"

[sandbox]
packages = ["ipython", "matplotlib", "numpy", "pandas", "scikit-learn"]

[gates]
forgeable = "warn"
"""


def foreign_course(root: Path) -> Course:
    """A course of all foreign assignments in the empty folder `root`, with nothing handed in."""
    (root / "course.toml").write_text(SETTINGS, encoding="utf-8")
    for assignment in assignments():
        assignment.write_source(root / "source" / assignment.name)
    return load_course(root)


def grade_ours(course: Course, assignment: ForeignAssignment) -> dict[str, SubmissionRecord]:
    """Release an assignment, hand in all its submissions, and grade them as `tito autograde` does: the records."""
    planned = course.assignment(assignment.name)
    release = publish(course, planned)
    for submission in assignment.submissions:
        assignment.hand_in(submission, release, course.step("submitted", submission.name, assignment.name))
    autograde(course, planned, Bubblewrap(), workers=1)
    records = {
        submission.name: read_record(course, assignment.name, submission.name) for submission in assignment.submissions
    }
    return {name: record for name, record in records.items() if record is not None}


@dataclass(frozen=True)
class Expected:
    """A line of `expected.toml`: for whom ours may give other points than nbgrader, and why.

    Attributes:
        submissions: their names.
        cell: the grade id.
        why: whose fault it is, and what it is.
        pending: whether it is a fault of ours, so that the line goes out with its fix.
    """

    assignment: str
    submissions: tuple[str, ...]
    cell: str
    why: str
    pending: bool = False

    def covers(self, assignment: str, submission: str) -> bool:
        return self.assignment == assignment and submission in self.submissions


def read_expected() -> list[Expected]:
    """All lines of `expected.toml`."""
    tables = tomllib.loads((FOREIGN / "expected.toml").read_text(encoding="utf-8"))
    return [
        Expected(**facts | {"submissions": tuple(facts["submissions"])}, pending=kind == "pending")
        for kind in ("difference", "pending")
        for facts in tables.get(kind, [])
    ]
