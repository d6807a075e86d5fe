"""What the tests of prechecks share: the worker as a process, and module 16 with its simulated students."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from exchange_support import ACCESS, FakeHub, Service, token, wait_for

from tito.author.release import build_release
from tito.author.variants import read_variants, submission
from tito.course.course import Course, load_course
from tito.course.script import source_notebooks
from tito.exchange.client.client import Client
from tito.exchange.protocol.files import Upload, folder_files, snapshot
from tito.exchange.protocol.records import Policy, Precheck, PrecheckPolicy, PrecheckState, Submission

ROOT = Path(__file__).resolve().parents[2]
MODULE = "16_quantization"
PRECHECK_WORKER = "precheck-worker"


@dataclass
class Worker:
    """`python -m tito.precheck`, as a hub would start it."""

    url: str
    folder: Path
    courses: Sequence[str]
    at_once: int = 1
    process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def log(self) -> Path:
        return self.folder.with_name(f"{self.folder.name}.log")

    def start(self) -> None:
        ours = {
            "TITO_EXCHANGE_URL": self.url,
            "JUPYTERHUB_API_TOKEN": token(PRECHECK_WORKER),
            "TITO_PRECHECK_COURSES": ",".join(self.courses),
            "TITO_PRECHECK_AT_ONCE": str(self.at_once),
            "TITO_PRECHECK_FOLDER": str(self.folder),
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tito.precheck"],
                env=os.environ | ours,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self) -> None:
        """SIGKILL to all of it."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def __enter__(self) -> Worker:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)


def hub_with_precheck_worker(*courses: str) -> tuple[FakeHub, dict[str, list[str]]]:
    """A hub that knows the worker's service, and in which groups the exchange counts it."""
    hub = FakeHub()
    hub.add_service(PRECHECK_WORKER, [ACCESS])
    return hub, {PRECHECK_WORKER: [f"precheck-{course}" for course in courses]}


def precheck_of(course: Course, per_hour: int = 12, **times: float) -> Policy:
    """A policy with prechecks in the sandbox of a course."""
    from dataclasses import replace

    return Policy(precheck=PrecheckPolicy(per_hour, course.sandbox.packages, replace(course.limits, **times)))


@dataclass(frozen=True)
class Module:
    """A released module, and what its simulated students hand in."""

    course: Course
    release: Path
    notebook: str
    submissions: dict[str, bytes]

    def files(self, student: str) -> dict[str, bytes]:
        return {f"{self.notebook}.ipynb": self.submissions[student]}


def module_16(folder: Path) -> Module:
    """Module 16 as students get it, made in `folder`, and its variants."""
    root = folder / "course"
    root.mkdir()
    for name in ("course.toml", "nbgrader_config.py"):
        shutil.copy(ROOT / name, root)
    for name in ("source", "variants", "tinytorch_ref"):
        shutil.copytree(ROOT / name, root / name)
    course = load_course(root)
    assignment = course.assignment(MODULE)
    release = build_release(course, assignment, folder / "release")
    ((name, source),) = source_notebooks(course, assignment).items()
    released = nbformat.read(release / f"{name}.ipynb", as_version=4)
    notebooks: dict[str, bytes] = {}
    for variant in read_variants(course, assignment):
        notebooks[variant.name] = nbformat.writes(submission(variant, source, released)).encode()
    return Module(course, release, name, notebooks)


@contextmanager
def uploads_of(folder: Path) -> Iterator[list[Upload]]:
    with snapshot(folder_files(folder, lambda *_: [], lambda *_: None)) as uploads:
        yield uploads


def publish(client: Client, course: str, assignment: str, folder: Path) -> None:
    with uploads_of(folder) as uploads:
        client.publish(course, assignment, uploads, replace=True)


def finished(client: Client, submitted: Submission, seconds: float = 90.0) -> Precheck:
    """The precheck of a submission, when it is over."""
    prechecks: list[Precheck] = []

    def is_over() -> bool:
        prechecks[:] = [client.precheck(submitted)]
        return prechecks[0].state.final

    wait_for(is_over, seconds)
    return prechecks[0]


def verdicts(precheck: Precheck) -> dict[str, tuple[str, str]]:
    """Verdict and message by test."""
    assert precheck.state is PrecheckState.DONE, precheck
    assert precheck.result is not None
    assert not precheck.result.fault
    return {test.name: (test.verdict, test.message) for test in precheck.result.tests}


def member(running: Service, hub: FakeHub, name: str, course: str) -> Client:
    """A student of a course, known to the hub from now on."""
    hub.add(name, [f"nbgrader-{course}"])
    return running.client(name)


def visible_verdicts(module: Module, students: Sequence[str], folder: Path) -> dict[str, dict[str, tuple[str, str]]]:
    """What `tito autograde`'s engine says of the visible part of each test, by the instructor's source."""
    from dataclasses import replace

    from tito.grade import submission as grading
    from tito.grade import verdicts as judging
    from tito.grade.calibrate import calibrated
    from tito.grade.observe import Observations
    from tito.judge.judge import Judge, halves_of, sandboxes_for
    from tito.plan.planning import plan_assignment
    from tito.sandbox.backends import backend

    plan = plan_assignment(module.course, module.course.assignment(MODULE))
    verdicts: dict[str, dict[str, tuple[str, str]]] = {}

    def visible(test: Any, seen: Observations, judge: Judge) -> Any:
        sections = [section for section in seen.tests.get(test.grade_id, []) if not section[0].hidden]
        return original(replace(test, sections=test.visible), replace(seen, tests={test.grade_id: sections}), judge)

    original = judging.verdict_of_test
    judging.verdict_of_test = visible
    try:
        with sandboxes_for(backend("bubblewrap"), plan) as sandboxes:
            ready = calibrated(plan, sandboxes)
            for student in students:
                own = folder / student
                own.mkdir(parents=True)
                (own / f"{module.notebook}.ipynb").write_bytes(module.submissions[student])
                with Judge(sandboxes.judges, halves_of(plan.notebooks)) as judge:
                    graded = grading.grade_submission(
                        ready, student, own, sandboxes.notebooks, judge, grading.Fingerprint("", "", "")
                    ).record
                verdicts[student] = {
                    cell.grade_id: (cell.verdict.value.upper(), cell.message)
                    for cell in graded.cells
                    if cell.grade_id in ready.notebooks[0].tests
                }
    finally:
        judging.verdict_of_test = original
    return verdicts
