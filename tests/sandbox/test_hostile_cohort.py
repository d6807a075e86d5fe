"""A cohort in which a third is hostile: it is graded to its end, in time, and honest work gets what it is due.

The submissions are cases of the corpus, graded with short limits by two workers. A path that notes when it is read
tells when a worker takes a submission. `-s` shows the figures.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import cycle, islice
from pathlib import Path, PosixPath
from types import FrameType
from typing import Any, NoReturn

import pytest
from cases_support import ASSIGNMENT, CASES, NOTEBOOK, Case, descendants, hand_in, plain, read_cases, verdicts_of
from nbformat import read

from tito.author.release import build_release
from tito.course.course import Course, load_course
from tito.grade.calibrate import calibrated_apart
from tito.grade.submission import Graded
from tito.grade.workers import Task, grade_all
from tito.models import Fingerprint
from tito.plan.plan import AssignmentPlan
from tito.plan.planning import plan_assignment
from tito.sandbox.bubblewrap import Bubblewrap

WORKERS = 2
CELL_S, NOTEBOOK_S = 2, 8  # limits of a cell, of a notebook's own cells, and of its hidden tests
GRACE_S = 5.0
MARGIN = 1.25
GIVEN_UP_S = 240
MOST_GROWTH_MB = 100
LAST = 5  # looks at a worker's memory, of which the least counts
HONEST = (
    "honest_reference", "honest_async", "honest_global_settings", "honest_imports", "honest_mutates_arguments",
    "honest_numpy_style", "honest_own_helpers", "honest_prints", "honest_split_with_metadata", "honest_unusual_style",
)  # fmt: skip
HOSTILE = (
    "hostile_wire_deque", "hostile_wire_frozenset_remote", "hostile_wire_fraction", "hostile_wire_view",
    "hostile_wire_ranges_many", "hostile_wire_colliding_keys", "hostile_wire_unreferenced",
    "hostile_wire_text_that_grows", "hostile_wire_wrong_counts", "hostile_source_fstrings",
    "hostile_source_assignments", "hostile_source_long_line", "sabotage_session_children",
    "sabotage_session_shared_mapping", "sabotage_endless_python", "sabotage_endless_in_hidden", "sabotage_fork_bomb",
    "sabotage_swallows_timeouts", "hostile_endless_values", "forging_takeover",
)  # fmt: skip
MANY_HONEST = 40
NOTES = ".taken"


class NotedPath(PosixPath):
    """The folder of a submission. When a process first joins something to it, that is noted beside the submissions."""

    def __truediv__(self, other: Any) -> Path:
        bare = Path(self)
        note = bare.parents[1] / NOTES / bare.parent.name
        if not note.exists():
            note.write_text(f"{os.getpid()} {time.monotonic()}")
        return bare / other


@dataclass
class Grading:
    """What came of grading a cohort: the results, how long each held a worker, how long all took."""

    graded: dict[str, Graded] = field(default_factory=dict)
    held_s: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    growth_mb: float = 0.0
    stretch: float = 1.0  # seconds by the clock that a second of processor time took meanwhile


@pytest.fixture(scope="module")
def cases() -> dict[str, Case]:
    known = {case.name: case for case in read_cases()}
    return {name: known[name] for name in (*HONEST, *HOSTILE)}


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    root = tmp_path_factory.mktemp("cohort") / "course"
    shutil.copytree(CASES / "assignment", root)
    course = load_course(root.resolve())
    return replace(course, limits=replace(course.limits, cell_timeout_s=CELL_S, notebook_timeout_s=NOTEBOOK_S))


@pytest.fixture(scope="module")
def plan(course: Course) -> AssignmentPlan:
    return calibrated_apart(plan_assignment(course, course.assignment(ASSIGNMENT)), Bubblewrap())


@pytest.fixture(scope="module")
def students(course: Course, cases: dict[str, Case]) -> dict[str, Case]:
    """Who hands in which case: among honest ones, every third is hostile."""
    honest = islice(cycle(HONEST), MANY_HONEST)
    handed_in = {f"student-{number:02}": cases[name] for number, name in enumerate(honest)}
    handed_in |= {f"student-{2 * number:02}-hostile": cases[name] for number, name in enumerate(HOSTILE)}
    folder = build_release(course, course.assignment(ASSIGNMENT), course.root / "release" / ASSIGNMENT)
    released = plain(read(folder / NOTEBOOK, as_version=4))
    for student, case in handed_in.items():
        hand_in(case, released, course.step("submitted", student, ASSIGNMENT))
    return dict(sorted(handed_in.items()))


def graded(plan: AssignmentPlan, course: Course, students: list[str]) -> Grading:
    """Grade the cohort, and look at how it goes."""
    notes = course.root / "submitted" / NOTES
    shutil.rmtree(notes, ignore_errors=True)
    notes.mkdir()
    tasks = [
        Task(student, NotedPath(course.step("submitted", student, ASSIGNMENT)), Fingerprint("", "", ""))
        for student in students
    ]
    grading, ended, held_mb = Grading(), dict[str, float](), dict[int, list[float]]()
    started = time.monotonic()
    with stretch_of_time() as stretch:
        with given_up_on():
            for task, result in grade_all(plan, Bubblewrap(), tasks, WORKERS):
                grading.graded[task.student] = result
                ended[task.student] = time.monotonic()
                for pid, mb in memory_of_workers(notes).items():
                    held_mb.setdefault(pid, []).append(mb)
        grading.seconds = time.monotonic() - started
        grading.stretch = stretch()
    # What is held of a submission that is at work goes with it: what stays is what is held in between.
    grading.growth_mb = max(min(mb[-LAST:]) - mb[0] for mb in held_mb.values())
    grading.held_s = held(notes, ended)
    return grading


PROBE = """
import select, sys, time
wall_s = cpu_s = 0.0
while not select.select([sys.stdin], [], [], 0.2)[0]:
    started, used = time.monotonic(), time.process_time()
    while time.process_time() - used < 0.02:
        pass
    wall_s, cpu_s = wall_s + time.monotonic() - started, cpu_s + time.process_time() - used
print(wall_s / cpu_s if cpu_s else 1.0)
"""


@contextmanager
def stretch_of_time() -> Iterator[Callable[[], float]]:
    """How long a little work takes by the clock, for each second of a processor: limits are of processor time, and this
    test is not alone on its machine. Told by a process: where this one has threads, workers are started otherwise."""
    probe = subprocess.Popen([sys.executable, "-c", PROBE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield lambda: max(1.0, float(probe.communicate("")[0]))
    finally:
        probe.kill()
        probe.wait()


@contextmanager
def given_up_on() -> Iterator[None]:
    """A cohort that never ends is no reason to wait for ever."""

    def give_up(number: int, frame: FrameType | None) -> NoReturn:
        raise AssertionError(f"the cohort has not come to its end in {GIVEN_UP_S} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(GIVEN_UP_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def held(notes: Path, ended: dict[str, float]) -> dict[str, float]:
    """How long each submission held its worker: from when it was taken, or the one before was done, until it was."""
    taken: dict[int, list[tuple[float, str]]] = {}
    for note in notes.iterdir():
        pid, at = note.read_text().split()
        taken.setdefault(int(pid), []).append((float(at), note.name))
    took = {}
    for of_worker in taken.values():
        before = 0.0
        for at, student in sorted(of_worker):
            took[student] = ended[student] - max(at, before)
            before = ended[student]
    return took


def memory_of_workers(notes: Path) -> dict[int, float]:
    """PSS of the living workers, in MiB: those that have taken a submission."""
    written = [note.read_text().split() for note in notes.iterdir()]
    pids = {int(words[0]) for words in written if words} & set(descendants())  # a note may just be being written
    memory = {}
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue  # it has ended
        match = re.search(r"^Pss: +(\d+) kB", text, re.MULTILINE)
        if match is not None:
            memory[pid] = int(match[1]) / 1024
    return memory


@pytest.fixture(scope="module")
def honest(plan: AssignmentPlan, course: Course, students: dict[str, Case]) -> Grading:
    """The honest ones by themselves."""
    return graded(plan, course, [student for student, case in students.items() if case.name in HONEST])


@pytest.fixture(scope="module")
def all_of_them(plan: AssignmentPlan, course: Course, students: dict[str, Case]) -> Grading:
    return graded(plan, course, list(students))


def test_it_is_graded_to_its_end(all_of_them: Grading, students: dict[str, Case]) -> None:
    assert len(students) == MANY_HONEST + len(HOSTILE) == 60
    assert set(all_of_them.graded) == set(students)
    assert {name: graded.record.fault for name, graded in all_of_them.graded.items() if graded.record.fault} == {}
    ours = {name for name, graded in all_of_them.graded.items() if "platform fault" in verdicts_of(graded).values()}
    assert {students[name].name for name in ours} == set()


def test_honest_verdicts_are_what_they_are_without_the_hostile_ones(
    all_of_them: Grading, honest: Grading, students: dict[str, Case]
) -> None:
    for student, alone in honest.graded.items():
        among = all_of_them.graded[student]
        why = [(cell.grade_id, cell.message, cell.detail) for graded in (alone, among) for cell in graded.record.cells]
        assert verdicts_of(alone) == verdicts_of(among) == students[student].verdicts, (students[student].name, why)


def test_none_holds_a_worker_beyond_its_limit(all_of_them: Grading, students: dict[str, Case]) -> None:
    longest = sorted(((seconds, students[name].name) for name, seconds in all_of_them.held_s.items()), reverse=True)
    most_s = NOTEBOOK_S * all_of_them.stretch + GRACE_S
    sys.stdout.write(f"\nheld longest: {', '.join(f'{name} {seconds:.1f} s' for seconds, name in longest[:8])}")
    sys.stdout.write(f"; at most {most_s:.1f} s\n")
    assert set(all_of_them.held_s) == set(students)
    assert [entry for entry in longest if entry[0] > most_s] == []


def test_it_takes_no_longer_than_honest_work_and_the_limits_of_the_others(
    all_of_them: Grading, honest: Grading
) -> None:
    most_s = honest.seconds + len(HOSTILE) * 2 * NOTEBOOK_S / WORKERS * MARGIN
    sys.stdout.write(f"\nhonest {honest.seconds:.1f} s, all {all_of_them.seconds:.1f} s, at most {most_s:.1f} s\n")
    assert all_of_them.seconds <= most_s


def test_no_worker_grows(all_of_them: Grading) -> None:
    sys.stdout.write(f"\nworkers grew by {all_of_them.growth_mb:.0f} MB at most\n")
    assert all_of_them.growth_mb < MOST_GROWTH_MB
