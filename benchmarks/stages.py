"""Where the time of one submission goes, stage by stage, and how far that is from the floor.

    .venv/bin/python benchmarks/stages.py [--cohort 24] [--together 8] [--repeats 3]

Three tables. The first is of submissions that are graded alone, each begun when the last is done: medians in
milliseconds of wall-clock time by stage. Results are stored so many together as two workers bring in a quarter of a
second, and each is charged its part. The floor is the same cells and sections by plain `exec` in a process that has
imported what they need: no isolation, no IPython, no outputs, no judge. Beside it stands what the same takes in a
process of its own, forked twice, and no more.

The second is of whole runs by one worker, in which the next notebook runs while the verdicts of the last are made and
stored: means in milliseconds for each submission, by the clock, and of time that processors were busy. What
starting up takes is left out: of a run of the whole cohort is taken off one of its first submission.

The third says what stands around a submission: sessions that are opened and ended with nothing run in them, a judge's,
a notebook's, and one with a copy for each test that has its turn; and by how much longer runs as in the second take
where every notebook is copied at each test, with its files.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import inspect
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from unittest import mock

from cohorts import make_cohort, submissions

from tito.course.course import Course, find_course
from tito.grade import observe, submission
from tito.grade.calibrate import calibrated_apart
from tito.grade.observe import AtWork, Observations
from tito.grade.record import Recorder
from tito.grade.workers import Task, WorkerPool
from tito.gradebook.store import open_gradebook
from tito.judge.judge import Judge, halves_of, sandboxes_for
from tito.models import Fingerprint
from tito.plan.plan import AssignmentPlan, NotebookPlan, skipped
from tito.plan.planning import plan_assignment
from tito.repair.read_notebook import ReadNotebook
from tito.repair.repair import read_submission, repair
from tito.sandbox.backends import backend
from tito.sandbox.inside.step_status import StepStatus
from tito.sandbox.session import Session
from tito.sandbox.steps import Step
from tito.sandbox.zygote_client import ZygoteClient

# What is timed, by the stage that it counts for. What is inside another of them is taken from that one.
STAGES = {
    "repair": ((submission, "prepared"),),
    "fork": ((ZygoteClient, "session"), (Session, "close")),
    "cells": ((observe, "_receive_notebook"),),
    "hidden": ((observe, "_run_hidden"), (observe, "_run_late")),
    "judge": ((Judge, "put"), (Judge, "_settle")),
    "verdicts": ((submission, "_with_verdicts"),),
    "record": ((Recorder, "record"),),
}


SESSIONS = 40  # that are opened and ended to see what one takes


class MemoryWatchdog:
    """Adds up the time that functions take, by stage; of nested ones, each its own."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._inside = [0.0]

    def on(self, owner: Any, name: str, stage: str) -> None:
        """Time a function from now on."""
        function = getattr(owner, name)

        @functools.wraps(function)
        def timed(*arguments: Any, **keywords: Any) -> Any:
            return self._timed(stage, lambda: function(*arguments, **keywords))

        @functools.wraps(function)
        def timed_steps(*arguments: Any) -> Any:
            steps = function(*arguments)
            while True:
                try:
                    yield self._timed(stage, lambda: next(steps))
                except StopIteration as end:
                    return end.value

        setattr(owner, name, timed_steps if inspect.isgeneratorfunction(function) else timed)

    def _timed(self, stage: str, call: Callable[[], Any]) -> Any:
        started = time.perf_counter()
        self._inside.append(0.0)
        try:
            return call()
        finally:
            took, within = time.perf_counter() - started, self._inside.pop()
            self._inside[-1] += took
            self.seconds[stage] += took - within


def graded(course: Course, plan: AssignmentPlan, folders: list[Path], together: int) -> list[dict[str, float]]:
    """Seconds by stage of each submission, and in all."""
    watch = MemoryWatchdog()
    for stage, functions in STAGES.items():
        for owner, name in functions:
            watch.on(owner, name, stage)
    seconds = []
    with (
        sandboxes_for(backend(course.sandbox.backend), plan) as sandboxes,
        open_gradebook(course) as opened,
    ):
        recorder = Recorder(course, plan.assignment, opened)
        halves = halves_of(plan.notebooks)
        results = []
        for folder in [folders[0], *folders]:  # the first is not counted: the judge starts with it
            watch.seconds.clear()
            started = time.perf_counter()
            with Judge(sandboxes.judges, halves) as judge:
                result = submission.grade_submission(
                    plan, folder.parent.name, folder, sandboxes.notebooks, judge, Fingerprint("", "", "")
                )
            seconds.append(dict(watch.seconds) | {"total": time.perf_counter() - started})
            results.append((result, folder))
        for first in range(0, len(results), together):
            watch.seconds.clear()
            recorder.record(results[first : first + together])
            each = watch.seconds["record"] / len(results[first : first + together])
            for times in seconds[first : first + together]:
                times["record"], times["total"] = each, times["total"] + each
    return seconds[1:]


def run(course: Course, plan: AssignmentPlan, folders: list[Path]) -> tuple[float, float]:
    """Seconds by the clock, and of the processors, of a run by one worker."""
    tasks = [Task(folder.parent.name, folder, Fingerprint("", "", "")) for folder in folders]
    isolation = backend(course.sandbox.backend)
    before, started = _processor_s(), time.perf_counter()
    with (
        sandboxes_for(isolation, plan) as sandboxes,
        WorkerPool(plan, isolation, 1, sandboxes) as graders,
        open_gradebook(course) as opened,
    ):
        recorder = Recorder(course, plan.assignment, opened)
        for batch in graders.grade(tasks):
            recorder.record([(result, task.folder) for task, result in batch])
    return time.perf_counter() - started, _processor_s() - before


def _processor_s() -> float:
    """Seconds that this machine's processors have been busy, with whatever: sandboxes' processes tell nobody."""
    user, nice, system, _, _, *interrupts = map(int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:8])
    return (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK")


def each(course: Course, plan: AssignmentPlan, folders: list[Path]) -> tuple[float, float]:
    """The same for each submission, without what starting up takes."""
    (few_s, few_cpu_s), (all_s, all_cpu_s) = run(course, plan, folders[:1]), run(course, plan, folders)
    return (all_s - few_s) / (len(folders) - 1), (all_cpu_s - few_cpu_s) / (len(folders) - 1)


def fences(course: Course, plan: AssignmentPlan, folders: list[Path], repeats: int) -> dict[str, tuple[float, float]]:
    """Seconds by the clock, and of the processors, that a submission takes more for what stands around it."""
    tests = sum(len(notebook.tests) for notebook in plan.notebooks)
    costs = {}
    with sandboxes_for(backend(course.sandbox.backend), plan) as sandboxes:
        for name, control, branches in (
            ("judge", sandboxes.judges, 0),
            ("notebook", sandboxes.notebooks, 0),
            ("with copies", sandboxes.notebooks, tests),
        ):
            control.session().close()
            before, started = _processor_s(), time.perf_counter()
            for _ in range(SESSIONS):
                with control.session(branches=branches) as session:
                    session.notebook.send([Step("branch", number=number) for number in range(branches)], 10.0)
                    for branch in session.branches:
                        assert session.notebook.receive().status is StepStatus.OK, branch
                    for number in range(branches):
                        session.turn(number)
                control.settle()
            costs[name] = (time.perf_counter() - started) / SESSIONS, (_processor_s() - before) / SESSIONS
    with_few = [each(course, plan, folders) for _ in range(repeats)]
    with all_copied():
        with_all = [each(course, plan, folders) for _ in range(repeats)]
    few, every = ([statistics.median(column) for column in zip(*runs, strict=True)] for runs in (with_few, with_all))
    costs["all copied"] = every[0] - few[0], every[1] - few[1]
    return costs


def all_copied() -> AbstractContextManager[Any]:
    """Whatever a notebook holds, it is copied at each test."""

    def observing(
        sandbox: ZygoteClient, plan: NotebookPlan, notebook: ReadNotebook, *others: Any
    ) -> AtWork[Observations]:
        return observe.observing(sandbox, plan, dataclasses.replace(notebook, needs_no_copies=False), *others)

    return mock.patch.object(submission, "observing", observing)


def floor(plan: AssignmentPlan, folders: list[Path]) -> tuple[list[float], list[float]]:
    """Seconds of each submission's cells and sections by plain `exec`, and by the same in a process of its own."""
    order = {
        "prerequisites": str(plan.prerequisites),
        "warm": plan.spec.warm,
        "submissions": [_sources(plan, folder) for folder in folders],
    }
    command = [sys.executable, Path(__file__).with_name("floor.py")]
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, input=json.dumps(order), capture_output=True, text=True, check=True, env=environment)
    plain, forked = json.loads(done.stdout)
    return plain, forked


def _sources(plan: AssignmentPlan, folder: Path) -> list[str]:
    (notebook,) = plan.notebooks
    cells = repair(read_submission(folder / f"{notebook.name}.ipynb", 20), notebook.cells).cells
    not_run = skipped(cells)
    sources: list[str] = []
    for position, cell in enumerate(cells):
        if cell.is_test:
            sources += [section.observe for section, _ in notebook.tests[cell.grade_id].sections]
        elif cell.is_code and position not in not_run:
            sources.append(cell.source)
    return sources


def table(columns: Sequence[str], values: Sequence[str]) -> None:
    """Print one row under its head."""
    print("  ".join(f"{name:>9}" for name in columns))
    print("  ".join(f"{value:>9}" for value in values))


def main() -> None:
    """Print two tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohort", type=int, default=24)
    parser.add_argument("--module", default="16")
    parser.add_argument("--together", type=int, default=8)
    parser.add_argument(
        "--repeats", type=int, default=3, help="of the runs and of the floor, of which the median counts"
    )
    arguments = parser.parse_args()
    course = find_course(Path())
    assignment = course.assignment(arguments.module)
    with tempfile.TemporaryDirectory() as folder:
        cohort = make_cohort(course, assignment, Path(folder).resolve(), arguments.cohort)
        plan = calibrated_apart(plan_assignment(cohort, assignment), backend(cohort.sandbox.backend))
        folders = submissions(cohort, assignment)
        measured = [(*floor(plan, folders), each(cohort, plan, folders)) for _ in range(arguments.repeats)]
        stages = graded(cohort, plan, folders, arguments.together)
        around = fences(cohort, plan, folders, arguments.repeats)
    least = [statistics.median(column) for column in zip(*(plain for plain, _, _ in measured), strict=True)]
    forked = statistics.median(second for _, forks, _ in measured for second in forks)
    middle = {name: 1000 * statistics.median(times.get(name, 0.0) for times in stages) for name in (*STAGES, "total")}
    ratio = statistics.median(times["total"] / bare for times, bare in zip(stages, least, strict=True))
    figures = [*middle.values(), 1000 * statistics.median(least), ratio, 1000 * forked]
    table((*middle, "floor", "× floor", "forked"), [f"{figure:.1f}" for figure in figures])
    print()
    mean = statistics.mean(least)
    clock, busy = (
        statistics.median(column) for column in zip(*(per_submission for _, _, per_submission in measured), strict=True)
    )
    figures = [1000 * clock, clock / mean, 1000 * busy, busy / mean, 1000 * mean]
    table(("clock", "× floor", "busy", "× floor", "floor"), [f"{figure:.1f}" for figure in figures])
    print()
    for name, (wall_s, busy_s) in around.items():
        print(f"{name:>12}  clock {1000 * wall_s:6.1f}  busy {1000 * busy_s:6.1f}")


if __name__ == "__main__":
    main()
