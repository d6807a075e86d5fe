"""The corpus of grading cases, `tests/cases/<name>/`: read, handed in, graded, and looked at. No tests here.

A case is a folder: `case.toml` says what it is and which verdict each graded cell must get; the submission is either
`cells.py` (cells by the grade id that they replace, and `# %% + after:<grade id>` for cells added) or `submission.py`,
whose `make(released, folder)` writes the submitted folder by hand. A `first.py` beside them is what another student
hands in: it is graded by the same worker just before, and the case shows what the two can do together.

The course of the cases has several modules; a case is of `07_sums` unless it names another as its `assignment`.
"""

from __future__ import annotations

import copy
import ctypes
import functools
import hashlib
import importlib.util
import json
import os
import re
import shutil
import socketserver
import stat
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat

from tito.author.release import build_release
from tito.author.variants import filled, solutions
from tito.bridge.feedback import HideSecrets
from tito.course.cells import grade_id_of, is_graded, kind_of
from tito.course.course import Course, load_course
from tito.course.script import source_notebooks
from tito.grade.calibrate import calibrated_apart
from tito.grade.submission import Graded
from tito.grade.workers import Task, grade_all
from tito.models import CellKind, Fingerprint, Verdict
from tito.plan.plan import AssignmentPlan
from tito.plan.planning import plan_assignment
from tito.sandbox.backends import backend
from tito.sandbox.launch import Backend

CASES = Path(__file__).resolve().parents[1] / "cases"
ASSIGNMENT = "07_sums"  # of a case that names none
NOTEBOOK = "sums.ipynb"
KINDS = ("honest", "hostile", "forging", "tampering", "secrets", "sabotage")
SUBJECTS = (
    "claims",
    "ambient",
    "measured",
    "judge",
    "wire",
    "source",
    "memory",
    "files",
    "veto",
    "remote",
    "pages",
    "endings",
)
TEST_WORDS = ("zebrafish", "quokka", "706173", "70617.25")  # in hidden tests and mark schemes, and nowhere else
PLANTED = "okapi"  # in all else that a notebook must not see: see `planted`
NEIGHBOUR = "a-neighbour"  # a student who hands in the planted word
PORTS = range(20700, 20800)  # on one of them, on loopback, a service is planted
WORKERS = 2
ENDING_S = 5.0
CELL = re.compile(r"^# %% (?P<head>\+ after:)?(?P<id>[A-Za-z0-9_-]+)[ \t]*\n", re.MULTILINE)
PR_SET_CHILD_SUBREAPER = 36
SYS_ADD_KEY, SYS_KEYCTL = 248, 250  # on x86-64


@dataclass(frozen=True)
class Case:
    """What `case.toml` says."""

    name: str
    folder: Path
    title: str
    kind: str
    shows: str
    verdicts: dict[str, str]
    base: str = "reference"
    assignment: str = ASSIGNMENT
    subject: str = ""  # one of SUBJECTS: the assumption about a grader that it puts to the test
    as_good: dict[str, list[str]] = field(default_factory=dict)  # other verdicts, for the same points, by grade id
    evidence: dict[str, str] = field(default_factory=dict)  # what verdicts must rest on, by grade id, where it matters
    notes_contain: tuple[str, ...] = ()
    notes_lack: tuple[str, ...] = ()
    in_notebook: tuple[str, ...] = ()  # what the graded notebook must hold
    never_in_output: tuple[str, ...] = ()
    in_output: tuple[str, ...] = ()

    @property
    def first(self) -> Path | None:
        """What another student hands in, to be graded just before."""
        path = self.folder / "first.py"
        return path if path.exists() else None

    @property
    def notebook(self) -> str:
        """The name of the notebook that is handed in."""
        return notebook_of(self.assignment)

    def undue(self, verdicts: dict[str, str]) -> dict[str, str | None]:
        """Of the verdicts that it got, those that it must not get; and a None for each that it did not get."""
        names = {**self.verdicts, **verdicts}
        got = {name: verdicts.get(name) for name in names}
        return {
            name: verdict
            for name, verdict in got.items()
            if verdict not in (self.verdicts.get(name), *self.as_good.get(name, ()))
        }


def read_cases() -> list[Case]:
    """All cases, by name."""
    return [_read_case(path.parent) for path in sorted(CASES.glob("*/case.toml"))]


def _read_case(folder: Path) -> Case:
    facts = tomllib.loads((folder / "case.toml").read_text(encoding="utf-8"))
    lists = {name: tuple(value) for name, value in facts.items() if isinstance(value, list)}
    return Case(folder.name, folder, **facts | lists)


def assignments() -> tuple[str, ...]:
    """The modules of the cases' course."""
    return tuple(path.stem for path in sorted((CASES / "assignment" / "source").glob("*.py")))


def notebook_of(assignment: str) -> str:
    """The file name of a module's notebook."""
    return f"{assignment.partition('_')[2]}.ipynb"


def by_assignment(cases: list[Case]) -> dict[str, list[Case]]:
    """The cases of each module that has some."""
    grouped = {name: [case for case in cases if case.assignment == name] for name in assignments()}
    return {name: chosen for name, chosen in grouped.items() if chosen}


# ---- what is handed in ---------------------------------------------------------------------------


@functools.cache
def _source(assignment: str) -> Any:
    course = load_course((CASES / "assignment").resolve())
    (notebook,) = source_notebooks(course, course.assignment(assignment)).values()
    return notebook


@functools.cache
def worth_of(assignment: str) -> dict[str, float]:
    """The points of each graded cell of a module, in their order."""
    cells = _source(assignment).cells
    return {grade_id_of(cell): float(cell.metadata.nbgrader.points) for cell in cells if is_graded(cell)}


GRADED = tuple(worth_of(ASSIGNMENT))


def solve(released: dict[str, Any], assignment: str = ASSIGNMENT) -> dict[str, Any]:
    """A copy of the released notebook with the reference's solutions in it."""
    return plain(filled(nbformat.from_dict(released), solutions(_source(assignment))))


def plain(notebook: Any) -> dict[str, Any]:
    """A notebook as bare dicts, each source one string."""
    bare: dict[str, Any] = json.loads(json.dumps(notebook))
    return bare


def cell_of(notebook: dict[str, Any], grade_id: str) -> dict[str, Any]:
    """The cell with that grade id."""
    return next(cell for cell in notebook["cells"] if grade_id_of(cell) == grade_id)


def own_cell(source: str, **metadata: Any) -> dict[str, Any]:
    """A code cell of the student's own."""
    return {"cell_type": "code", "source": source, "metadata": metadata, "outputs": [], "execution_count": None}


def write(folder: Path, notebook: Any, name: str = NOTEBOOK) -> None:
    """Hand in a notebook as JSON."""
    (folder / name).write_text(json.dumps(notebook), encoding="utf-8")


def with_cells(notebook: dict[str, Any], text: str) -> dict[str, Any]:
    """A copy of a notebook with the cells of a `cells.py` in it."""
    changed = copy.deepcopy(notebook)
    pieces = CELL.split(text)
    for added, grade_id, source in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
        cell = cell_of(changed, grade_id)
        if added:
            changed["cells"].insert(_end_of(changed["cells"], cell), own_cell(source.strip("\n")))
        else:
            cell["source"] = source.strip("\n")
    return changed


def _end_of(cells: list[dict[str, Any]], cell: dict[str, Any]) -> int:
    """Where a cell goes that comes after `cell`, and after what was put there before."""
    at = cells.index(cell) + 1
    while at < len(cells) and "id" not in cells[at]:
        at += 1
    return at


def hand_in(case: Case, released: dict[str, Any], folder: Path) -> None:
    """Write the submission of a case to `folder`."""
    folder.mkdir(parents=True)
    script = case.folder / "submission.py"
    if script.exists():
        _make(script)(copy.deepcopy(released), folder)
    else:
        submission = with_cells(_start(case, released), (case.folder / "cells.py").read_text(encoding="utf-8"))
        write(folder, submission, case.notebook)


def _start(case: Case, released: dict[str, Any]) -> dict[str, Any]:
    return solve(released, case.assignment) if case.base == "reference" else released


def hand_in_first(case: Case, released: dict[str, Any], folder: Path) -> None:
    """Write the submission of the other student of a case to `folder`."""
    assert case.first is not None
    folder.mkdir(parents=True)
    submission = with_cells(solve(released, case.assignment), case.first.read_text(encoding="utf-8"))
    write(folder, submission, case.notebook)


def _make(script: Path) -> Callable[[dict[str, Any], Path], None]:
    spec = importlib.util.spec_from_file_location(f"case_{script.parent.name}", script)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    make: Callable[[dict[str, Any], Path], None] = module.make
    return make


# ---- a run -----------------------------------------------------------------------------------------


@dataclass
class Run:
    """What came of grading the corpus."""

    graded: dict[str, Graded] = field(default_factory=dict)
    before: dict[str, str] = field(default_factory=dict)  # the course's files before the run, and after it
    after: dict[str, str] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)  # processes that outlived it


def grade_cases(root: Path, cases: list[Case], sandbox: str = "bubblewrap") -> Run:
    """Hand in and grade `cases`, those of a module as one cohort, and each with an accomplice as a pair in a sandbox
    of their own.

    The course is made in the empty folder `root`.
    """
    course = _course(root)
    chosen = by_assignment(cases)
    released = {name: _released(course, name) for name in assignments()}
    plans = {name: plan_assignment(course, course.assignment(name)) for name in assignments()}
    alone = {name: [_task(course, case, released[name]) for case in chosen[name] if not case.first] for name in chosen}
    pairs = [(case.assignment, _pair(course, case, released[case.assignment])) for case in cases if case.first]
    isolation = backend(sandbox)
    run = Run()
    with planted(course):
        run.before = state_of(course.root)
        with _orphans_are_ours():
            others = set(descendants())
            calibrated = {name: calibrated_apart(plans[name], isolation) for name in chosen}
            for name, tasks in alone.items():
                run.graded |= _graded(calibrated[name], isolation, tasks, WORKERS)
            with ThreadPoolExecutor(WORKERS) as threads:
                for graded in threads.map(lambda pair: _graded(calibrated[pair[0]], isolation, pair[1], 1), pairs):
                    run.graded |= graded
            end = time.monotonic() + ENDING_S  # the kernel may be at work on what has been killed
            while (
                left := [process for pid, process in descendants().items() if pid not in others]
            ) and time.monotonic() < end:
                time.sleep(0.1)
            run.left = left
        run.after = state_of(course.root)
    return run


def _graded(plan: AssignmentPlan, isolation: Backend, tasks: list[Task], workers: int) -> dict[str, Graded]:
    return {task.student: graded for task, graded in grade_all(plan, isolation, tasks, workers)}


def _course(root: Path) -> Course:
    shutil.copytree(CASES / "assignment", root / "course")
    return load_course((root / "course").resolve())


def _released(course: Course, assignment: str) -> dict[str, Any]:
    """The notebook of a module as students get it; its release is put in place."""
    folder = build_release(course, course.assignment(assignment), course.step("release", assignment))
    return plain(nbformat.read(folder / notebook_of(assignment), as_version=4))


def _task(course: Course, case: Case, released: dict[str, Any]) -> Task:
    folder = course.step("submitted", case.name, case.assignment)
    hand_in(case, released, folder)
    return Task(case.name, folder, Fingerprint("", "", ""))


def _pair(course: Course, case: Case, released: dict[str, Any]) -> list[Task]:
    folder = course.step("submitted", f"before-{case.name}", case.assignment)
    hand_in_first(case, released, folder)
    before = Task(f"before-{case.name}", folder, Fingerprint("", "", ""))
    return [before, _task(course, case, released)]


def state_of(root: Path) -> dict[str, str]:
    """Every entry below `root` with a digest of its kind and content."""
    digests = {}
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = Path(folder) / name
            mode = path.lstat().st_mode
            content = hashlib.sha256(path.read_bytes()).hexdigest() if stat.S_ISREG(mode) else ""
            digests[str(path.relative_to(root))] = f"{mode:o} {content}"
    return digests


@contextmanager
def _orphans_are_ours() -> Iterator[None]:
    """Processes whose parents end become children of this one, so that none of a run can hide."""
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def descendants() -> dict[int, str]:
    """Living processes below this one, by number: their state and command. Not multiprocessing's own helper."""
    parents, processes = {}, {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            facts = (path / "stat").read_text().rpartition(")")[2].split()
            command = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        parents[int(path.name)], processes[int(path.name)] = int(facts[1]), f"{facts[0]} {command[:120]}"
    below, new = set(), {os.getpid()}
    while new:
        below |= new
        new = {pid for pid, parent in parents.items() if parent in new} - below
    others = below - {os.getpid()}
    return {
        pid: processes[pid] for pid in others if processes[pid][0] != "Z" and "resource_tracker" not in processes[pid]
    }


# ---- what must not be found --------------------------------------------------------------------------


@contextmanager
def planted(course: Course) -> Iterator[None]:
    """Put the planted word wherever a notebook might look: files, home, environment, processes, a service."""
    neighbours = [course.step("submitted", NEIGHBOUR, name, notebook_of(name)) for name in assignments()]
    home = course.root.parent / "home"
    outside = Path(f"/tmp/tito-cases-{os.getpid()}-okapi.txt")  # several runs may be at it
    for path in (*neighbours, course.gradebook_dir / "gradebook.db", home / ".ssh" / "id_ed25519", outside):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("OKAPI in a file\n")
    _plant_key()
    before = dict(os.environ)
    os.environ |= {"HOME": str(home), "OKAPI_TOKEN": "OKAPI in the environment"}
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", "OKAPI in a command line"])
    service = _service()
    try:
        yield
    finally:
        service.shutdown()
        service.server_close()
        sleeper.kill()
        sleeper.wait()
        os.environ.clear()
        os.environ |= before
        outside.unlink(missing_ok=True)  # another run on this machine may have taken it away


def _plant_key() -> None:
    """A session keyring, as a login gives one to a grader, with a key in it. Nothing where the kernel has no keys."""
    libc = ctypes.CDLL(None)
    libc.syscall(SYS_KEYCTL, 1, None)  # KEYCTL_JOIN_SESSION_KEYRING
    payload = b"OKAPI in a keyring"
    libc.syscall(SYS_ADD_KEY, b"user", b"okapi", payload, len(payload), -3)


class _Service(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.request.sendall(b"OKAPI on loopback\n")


def _service() -> socketserver.ThreadingTCPServer:
    for port in PORTS:
        try:
            service = socketserver.ThreadingTCPServer(("127.0.0.1", port), _Service)
        except OSError:
            continue
        threading.Thread(target=service.serve_forever, daemon=True).start()
        return service
    raise OSError(f"every port of {PORTS} is in use")


# ---- what a student may read -------------------------------------------------------------------------


def feedback_of(graded: Graded) -> str:
    """What grading tells a student, in lower case: messages, notes, and outputs.

    The traceback on a test is the TA's.
    """
    messages = [cell.message for cell in graded.record.cells]
    notes = [note for notebook in graded.record.notebooks for note in notebook.notes]
    outputs = [_readable(cell, output) for cell, output in outputs_of(graded)]
    return json.dumps([messages, notes, graded.record.fault, outputs], ensure_ascii=False).lower()


def page_of(graded: Graded) -> str:
    """The notebook that a feedback page is rendered from, in lower case: with sources, without what is the TA's."""
    pages = [HideSecrets().preprocess(copy.deepcopy(notebook), {})[0] for notebook in graded.notebooks.values()]
    return json.dumps(pages, ensure_ascii=False).lower()


def outputs_of(graded: Graded) -> list[tuple[Any, Any]]:
    """The stored outputs, each with its cell."""
    cells = [cell for notebook in graded.notebooks.values() for cell in notebook.cells]
    return [(cell, output) for cell in cells for output in cell.get("outputs", [])]


def _readable(cell: Any, output: Any) -> Any:
    return {k: v for k, v in output.items() if k != "traceback" or kind_of(cell) is not CellKind.TEST}


def verdicts_of(graded: Graded) -> dict[str, str]:
    """The verdict of each graded cell."""
    return {cell.grade_id: cell.verdict.value for cell in graded.record.cells}


def evidence_of(graded: Graded) -> dict[str, str]:
    """What the verdict of each graded cell rests on."""
    return {cell.grade_id: cell.evidence.value for cell in graded.record.cells}


def points_of(graded: Graded) -> dict[str, float | None]:
    """The points of each graded cell."""
    return {cell.grade_id: cell.points for cell in graded.record.cells}


def points_for(verdicts: dict[str, str], assignment: str = ASSIGNMENT) -> dict[str, float | None]:
    """The points that verdicts are worth: all for a pass, no number where a person must look, else zero."""
    worth = worth_of(assignment)
    waits = (Verdict.MANUAL.value, Verdict.PLATFORM.value)
    return {
        name: None if verdict in waits else worth[name] * (verdict == Verdict.PASSED.value)
        for name, verdict in verdicts.items()
    }
