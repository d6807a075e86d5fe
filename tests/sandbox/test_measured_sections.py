"""Sections of tests that are to be measured, wherever they are observed; and what is told of a session's memory."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from tiny import ASSIGNMENT, solved, submit

from tito.course.course import Course, load_course
from tito.course.submission_files import Unreadable
from tito.errors import SandboxUnavailable
from tito.grade import observe
from tito.grade.submission import Graded, grade_submission, prepared
from tito.grade.workers import Task, grade_all
from tito.judge.judge import Judge, judging
from tito.models import Fingerprint, Measured, Section, Verdict
from tito.plan.plan import AssignmentPlan, TestPlan
from tito.plan.planning import plan_assignment
from tito.sandbox import cgroup
from tito.sandbox.bubblewrap import Bubblewrap
from tito.sandbox.unconfined import Unconfined
from tito.sandbox.zygote_client import Sandbox

MEANS = ("control groups", "a watchdog") if cgroup.hierarchies() else ("a watchdog",)
MEMORY_MB = 1024


@dataclass(frozen=True)
class MeasuredSection(Section):
    """A section that a judge half wants to know more of."""

    is_measured: bool = True


def measured(test: TestPlan) -> TestPlan:
    """The test with all its judged sections measured."""
    sections = ((MeasuredSection(**vars(section)) if judge else section, judge) for section, judge in test.sections)
    return replace(test, sections=tuple(sections))


@pytest.fixture(scope="module")
def course(released_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Course:
    root = tmp_path_factory.mktemp("measured") / "course"
    shutil.copytree(released_once, root)
    return load_course(root.resolve())


@pytest.fixture(scope="module")
def unmeasured(course: Course) -> AssignmentPlan:
    planned = plan_assignment(course, course.assignment(ASSIGNMENT))
    return replace(planned, spec=replace(planned.spec, limits=replace(planned.spec.limits, memory_mb=MEMORY_MB)))


@pytest.fixture(scope="module")
def plan(unmeasured: AssignmentPlan) -> AssignmentPlan:
    notebooks = tuple(
        replace(notebook, tests={name: measured(test) for name, test in notebook.tests.items()})
        for notebook in unmeasured.notebooks
    )
    return replace(unmeasured, notebooks=notebooks)


@pytest.fixture(scope="module")
def judge(unmeasured: AssignmentPlan) -> Iterator[Judge]:
    """Of the plan as it is written: judges know no classes of tests."""
    with judging(Bubblewrap(), unmeasured) as judge:
        yield judge


@pytest.fixture(scope="module", params=MEANS)
def sandbox(plan: AssignmentPlan, request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "a watchdog":
            patch.setattr(cgroup, "hierarchies", lambda: None)
        with Sandbox(Bubblewrap(), plan.spec) as sandbox:
            yield sandbox


Observe = Callable[..., dict[str, list[Measured | None]]]


@pytest.fixture
def observed(course: Course, plan: AssignmentPlan, judge: Judge, sandbox: Sandbox) -> Observe:
    """What was measured of each section, by its test."""

    def run(*, late: bool = True, **cells: str) -> dict[str, list[Measured | None]]:
        (notebook,) = plan.notebooks
        folder = submit(course, "ada", solved(course, **cells))
        (read,) = prepared(plan, folder, judge).notebooks
        assert not isinstance(read, Unreadable)
        seen = observe.observe(sandbox, notebook, replace(read, needs_no_copies=late), judge)
        return {
            name: [ran.measured for _, half, ran in results if half is not None] for name, results in seen.tests.items()
        }

    return run


BUSY = "def double(values):\n    held = np.ones(10 << 20)\n    {}\n    return 2 * values"
BURN = "import time\n    end = time.process_time() + 0.2\n    while time.process_time() < end: pass"


@pytest.mark.parametrize("late", [True, False], ids=["at the end", "in copies"])
def test_judged_sections_are_measured_wherever_they_are_observed(late: bool, observed: Observe) -> None:
    results = observed(late=late, double=BUSY.format(BURN))["test_double"]
    assert len(results) == 2
    for result in results:
        assert result is not None
        assert 0.2 <= result.cpu_s < 0.8
        assert 76 <= result.peak_mb < 100  # the kernel takes pages back meanwhile
    light = observed(late=late)["test_double"]
    assert all(result is not None and result.cpu_s < 0.1 and result.peak_mb < 5 for result in light), light


Grade = Callable[..., Graded]


@pytest.fixture
def grade(course: Course, plan: AssignmentPlan, judge: Judge, sandbox: Sandbox) -> Grade:
    def run(**cells: str) -> Graded:
        folder = submit(course, "ada", solved(course, **cells))
        return grade_submission(plan, "ada", folder, sandbox, judge, Fingerprint("", "", ""))

    return run


FILL = """
def double(values):
    import os
    for folder in ("/tmp", "/dev/shm", os.path.expanduser("~")):
        with open(f"{folder}/file", "wb") as file:
            for _ in range(240): file.write(bytes(1 << 20))
    held = np.ones(60 << 20)
    os.read(0, 1)
    import time
    time.sleep(3)
    return 2 * values
"""


def test_a_session_that_held_too_much_has_run_out_of_memory_and_not_merely_ended(grade: Grade) -> None:
    graded = grade(double=FILL)
    verdicts = {cell.grade_id: cell for cell in graded.record.cells}
    assert verdicts["test_double"].verdict is Verdict.MEMORY
    assert "Out of memory" in verdicts["test_double"].message
    assert not graded.record.platform_fault
    assert any(
        "it used more memory than it may" in note for notebook in graded.record.notebooks for note in notebook.notes
    )


def test_a_plan_with_measured_sections_is_refused_before_any_student_code_runs(
    course: Course, plan: AssignmentPlan, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    folder = submit(course, "eve", solved(course, double=f"open({str(ran)!r}, 'w').close()"))
    tasks = [Task("eve", folder, Fingerprint("", "", ""))]
    with pytest.raises(SandboxUnavailable, match="measured from outside"):
        list(grade_all(plan, Unconfined(), tasks, 1))
    assert not ran.exists()


def test_a_section_that_could_not_be_measured_is_a_fault_of_ours(
    course: Course, plan: AssignmentPlan, judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tito.sandbox.zygote_connection.ZygoteConnection.meter", lambda *_: None)
    folder = submit(course, "ada", solved(course))
    with Sandbox(Bubblewrap(), plan.spec) as sandbox:
        graded = grade_submission(plan, "ada", folder, sandbox, judge, Fingerprint("", "", ""))
    verdicts: dict[str, Any] = {cell.grade_id: cell for cell in graded.record.cells}
    assert verdicts["test_double"].verdict is Verdict.PLATFORM
    assert verdicts["test_double"].points is None
