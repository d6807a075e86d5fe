"""What holds for all tests: what those of a folder need, the order in which they run, and the tiny course.

Whoever runs a single test waits for this file. It imports nothing of the platform; a fixture does, where it needs it.
"""

from __future__ import annotations

import functools
import multiprocessing
import shutil
import sys
from collections.abc import Iterator
from multiprocessing.context import BaseContext
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

if TYPE_CHECKING:
    from tito.course.course import Assignment, Course

TESTS = Path(__file__).parent
MARKERS = {  # by folder, what its tests need: see `markers` in pyproject.toml
    "unit": "unit",
    "cluster": "unit",
    "sandbox": "sandbox",
    "ecosystem": "nbgrader",
    "foreign": "nbgrader",
    "modules": "module",
    "exchange": "exchange",
    "hub": "hub",
    "images": "image",
    "browser": "browser",
    "book": "book",
}

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
PENDING: dict[str, str] = {
    "test_work_on_supplied_files_gets_what_nbgrader_gives[landlock]": (
        "there, a connection to a supplied database that is open at a test cannot write in a copy of its notebook: "
        "files on a disk cannot be given the inodes that they had (book/explanation/threat-model.md)"
    ),
}


# Tests that hold something to the time of a clock, by a part of their ids: `make test` runs them by themselves, when
# processors are not divided among many.
TIMED = (
    "tests/sandbox/test_hostile_cohort.py",
    "tests/sandbox/test_measured.py",
    "test_waiting_for_a_processor_does_not_count",
    "test_a_cut_off_cannot_be_outlasted",
)


# Files whose tests share what takes long to make, and is made once a process: one process runs all of them.
TOGETHER = {
    "images": ("tests/images/",),
    "demo": tuple(f"tests/ecosystem/{name}.py" for name in ("test_at_home", "test_demo", "test_otter")),
    "quickstart": tuple(f"tests/ecosystem/{name}.py" for name in ("test_adopted_course", "test_nbgrader_page")),
    "hub": tuple(f"tests/exchange/test_exchange_{name}.py" for name in ("nbgrader", "page", "real_hub")),
}
# These are begun first, so that no process is still at a long one when the others have ended.
LONGEST = (
    *TOGETHER["images"], "tests/sandbox/test_cases.py", "tests/browser/", "tests/hub/test_hub_whole.py",
    "tests/sandbox/test_cases_unprivileged.py", "tests/sandbox/test_hostile_cohort.py", "tests/sandbox/test_cohort.py",
    "tests/ecosystem/test_same_engine.py", *TOGETHER["demo"], "tests/foreign/", "tests/ecosystem/", "tests/hub/",
    *TOGETHER["hub"], "tests/sandbox/", "tests/exchange/",
)  # fmt: skip


class ByFile(LoadFileScheduling):
    """Of several processes, one runs all tests of a file, and of the files that go together."""

    def _split_scope(self, nodeid: str) -> str:
        scopes = (scope for scope, files in TOGETHER.items() if nodeid.startswith(files))
        return next(scopes, super()._split_scope(nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile:
    return ByFile(config, log)


@pytest.hookimpl(tryfirst=True)  # before tests are chosen by their markers
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test with what it needs, and those of known faults; the longest come first."""
    items.sort(key=turn_of)
    for item in items:
        item.add_marker(marker_of(item.path))
        if any(part in item.nodeid for part in TIMED):
            item.add_marker("timed")
        for part, reason in PENDING.items():
            if part in item.nodeid:
                item.add_marker(pytest.mark.xfail(strict=True, reason=reason))


def turn_of(item: pytest.Item) -> int:
    """What comes before what, for `sort`."""
    return next((turn for turn, files in enumerate(LONGEST) if item.nodeid.startswith(files)), len(LONGEST))


def marker_of(path: Path) -> str:
    """What the tests of a file need, by the folder below `tests/` that it lies in."""
    folder = path.relative_to(TESTS).parts[0]
    if folder not in MARKERS:
        raise pytest.UsageError(f"{path}: what do tests in tests/{folder} need? MARKERS in tests/conftest.py says it")
    return MARKERS[folder]


@pytest.fixture(scope="session", autouse=True)
def certificates_are_read_once() -> Iterator[None]:
    """httpx reads all certificates of the machine for each client, in 20 ms, though tests ask loopback alone."""
    transports = sys.modules.get("httpx._transports.default")
    with pytest.MonkeyPatch.context() as patch:
        if transports is not None:
            patch.setattr(transports, "create_ssl_context", functools.cache(transports.create_ssl_context))
        yield


@pytest.fixture(scope="session")
def server_of_workers() -> BaseContext:
    """A process that has imported what workers need, and forks them."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tito.grade.workers", "tito.feedback.pages"])
    return context


@pytest.fixture
def workers_ready(server_of_workers: BaseContext, monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests that start many graders: where they cannot be forked from this process, as it has threads, they are
    forked from one that has none, in the place of starting from nothing. They have the environment that was there
    when the first one was started."""

    def get_context(method: str) -> BaseContext:
        return server_of_workers if method == "spawn" else multiprocessing.get_context(method)

    for room in ("tito.grade.workers", "tito.feedback.pages"):
        monkeypatch.setattr(f"{room}.multiprocessing", SimpleNamespace(get_context=get_context))


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """The tiny course, nothing built."""
    from tiny import write_course

    return write_course(tmp_path / "course")


@pytest.fixture(scope="session")
def released_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny course with its module released, made once; tests work on copies."""
    from tiny import ASSIGNMENT, write_course

    from tito.author.release import publish

    course = write_course(tmp_path_factory.mktemp("released") / "course")
    publish(course, course.assignment(ASSIGNMENT))
    return course.root


@pytest.fixture
def released(released_once: Path, tmp_path: Path) -> Course:
    """The tiny course with its module in release/ and in the gradebook."""
    from tito.course.course import load_course

    root = tmp_path / "course"
    shutil.copytree(released_once, root)
    return load_course(root.resolve())


@pytest.fixture
def module(released: Course) -> Assignment:
    """The released module."""
    from tiny import ASSIGNMENT

    return released.assignment(ASSIGNMENT)
