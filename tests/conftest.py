"""Fixtures that several test files share: the tiny course, as written and as released."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import Self

import pytest
from cases_support import Run, grade_cases, read_cases
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from tiny import ASSIGNMENT, write_course
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from tito.course.course import Assignment, Course, load_course
from tito.grade.calibrate import calibrated_apart
from tito.grade.submission import Graded
from tito.grade.workers import Task, Worker
from tito.plan.plan import AssignmentPlan
from tito.sandbox.bubblewrap import Bubblewrap
from tito.sandbox.session import Backend, SandboxSpec

# A shared machine is slow at times: a slow example is no failure, and examples are the same on every run.
hypothesis_settings.register_profile(
    "suite",
    deadline=None,
    derandomize=True,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow],
    database=None,
)
hypothesis_settings.load_profile("suite")

# Known faults of the platform, by a part of the ids of the tests that show them: a line goes out with its fix.
# Each is a strict expected failure, so a fault that is mended and still listed here fails the suite.
PENDING: dict[str, str] = {}


LONGEST = ("tests/images/", "tests/browser/", "tests/ecosystem/", "tests/sandbox/", "tests/hub/")  # are begun first


class ByFile(LoadFileScheduling):
    """Of several processes, one runs all tests of a file, and one all of the images, which are built once."""

    def _split_scope(self, nodeid: str) -> str:
        return LONGEST[0] if nodeid.startswith(LONGEST[0]) else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile:
    return ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of known faults; the longest come first."""
    items.sort(key=lambda one: next((at for at, part in enumerate(LONGEST) if part in one.nodeid), len(LONGEST)))
    for item in items:
        for part, reason in PENDING.items():
            if part in item.nodeid:
                item.add_marker(pytest.mark.xfail(strict=True, reason=reason))


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """The tiny course, nothing built."""
    return write_course(tmp_path / "course")


@pytest.fixture(scope="session")
def released_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny course with its module released, made once; tests work on copies."""
    from tito.author.release import publish

    course = write_course(tmp_path_factory.mktemp("released") / "course")
    publish(course, course.assignment(ASSIGNMENT))
    return course.root


@pytest.fixture
def released(released_once: Path, tmp_path: Path) -> Course:
    """The tiny course with its module in release/ and in the gradebook."""
    root = tmp_path / "course"
    shutil.copytree(released_once, root)
    return load_course(root.resolve())


@pytest.fixture
def module(released: Course) -> Assignment:
    """The released module."""
    return released.assignment(ASSIGNMENT)


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Grade in this process instead of in workers: where it is tested what grading gives, not how it is spread."""
    monkeypatch.setattr("tito.sandbox.time_allowance.GRACE_S", 0.5)
    known: dict[tuple[str, str, str], Worker] = {}

    class InProcess:
        def __init__(self, plan: AssignmentPlan, isolation: Backend, workers: int, sandbox: object) -> None:
            key = (plan.tests_hash, isolation.name, str(vars(isolation)))
            self.worker = known.setdefault(key, Worker(plan, isolation))

        def grade(self, tasks: Sequence[Task]) -> Iterator[list[tuple[Task, Graded]]]:
            for number, graded in self.worker.grade(iter(enumerate(tasks))):
                yield [(tasks[number], graded)]

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            pass

    def grade_all(
        plan: AssignmentPlan, isolation: Backend, tasks: Sequence[Task], workers: int
    ) -> Iterator[tuple[Task, Graded]]:
        return chain.from_iterable(InProcess(plan, isolation, workers, None).grade(tasks))

    class NoEarlySandboxes(ExitStack):
        def __init__(self, *_: object) -> None:
            super().__init__()

        def sandboxes(self, place: SandboxSpec, order: bytes) -> None:
            pass

    chosen: dict[str, AssignmentPlan] = {}

    def calibrated(plan: AssignmentPlan, sandboxes: object) -> AssignmentPlan:
        if plan.tests_hash not in chosen:
            chosen[plan.tests_hash] = calibrated_apart(plan, Bubblewrap())
        return chosen[plan.tests_hash]

    monkeypatch.setattr("tito.grade.cohort.EarlySandboxes", NoEarlySandboxes)
    monkeypatch.setattr("tito.grade.cohort.calibrated", calibrated)
    monkeypatch.setattr("tito.grade.cohort.WorkerPool", InProcess)
    monkeypatch.setattr("tito.author.gates.grade_all", grade_all)
    yield
    for worker in known.values():
        worker.close()


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The corpus of grading cases, graded once by `tito`'s workers."""
    return grade_cases(tmp_path_factory.mktemp("cases"), read_cases())
