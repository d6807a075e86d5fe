"""Grades submissions in worker processes of our own: a submission that brings one down costs the others nothing.

Threads would do for waiting on sandboxes, but student source is parsed here too, and CPython's parser is neither
thread-safe (python/cpython#106905) nor proof against every text. The workers of a run have one sandbox between them;
each has a judge of its own.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import itertools
import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import nbformat

from tito.errors import SandboxUnavailable
from tito.grade.calibrate import calibrated
from tito.grade.judge import Judge
from tito.grade.plan import AssignmentPlan
from tito.grade.submission import Graded, grade_submission, not_graded
from tito.models import Fingerprint
from tito.sandbox.session import Backend, Control, Sandbox, Workplace

PR_SET_PDEATHSIG = 1
TOGETHER_S = 0.25  # results that come within so many seconds are stored in one transaction


@dataclass(frozen=True)
class Task:
    """One submission to be graded."""

    student: str
    folder: Path
    fingerprint: Fingerprint


class Graders:
    """Worker processes for one assignment, started at once. A context manager; leaving it ends them all."""

    def __init__(self, plan: AssignmentPlan, isolation: Backend, workers: int, sandbox: Sandbox) -> None:
        """Start the workers, which is not waited for; they share `sandbox`, which is closed with them."""
        self.plan = plan
        self.isolation = isolation
        self.sandbox = sandbox
        self._pool = self._started(workers)

    def grade(self, tasks: Sequence[Task]) -> Iterator[list[tuple[Task, Graded]]]:
        """Grade submissions; give results as they come, those together that come at about the same time.

        A worker that dies takes those with it that were in its pool: each of them is tried again in a process of its
        own, and one that brings that down too is a platform fault, for a person to look at.
        """
        suspects: list[Task] = []
        yield from _results(self._pool, tasks, suspects)
        for task in suspects:
            self._pool.shutdown()
            self._pool = self._started(1)
            again: list[Task] = []
            yield from _results(self._pool, [task], again)
            if again:
                yield [(task, _not_graded(self.plan, self.isolation, task, "the grading process died"))]

    def _started(self, workers: int) -> ProcessPoolExecutor:
        """A pool whose workers are getting ready. Forked where this process has no threads that a fork would break:
        then they need not import anything."""
        nbformat.validate(nbformat.v4.new_notebook())  # makes a validator, which takes longer than grading a submission
        alone = len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208  (a count, not paths)
        context = multiprocessing.get_context("fork" if alone else "spawn")
        first = (self.sandbox.name, self.sandbox.place, self.sandbox.address)
        pool = ProcessPoolExecutor(workers, context, initializer=_begin, initargs=(self.plan, self.isolation, first))
        for _ in range(workers):
            pool.submit(_get_ready)
        return pool

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
        self.sandbox.close()


def grade_all(
    plan: AssignmentPlan, isolation: Backend, tasks: Sequence[Task], workers: int
) -> Iterator[tuple[Task, Graded]]:
    """Grade `tasks` with so many workers, started for them; see `Graders.grade`."""
    if tasks:
        with Graders(plan, isolation, workers, Sandbox(isolation, plan.place)) as graders:
            yield from itertools.chain.from_iterable(graders.grade(tasks))


def _results(
    pool: ProcessPoolExecutor, tasks: Sequence[Task], unfinished: list[Task]
) -> Iterator[list[tuple[Task, Graded]]]:
    """Results of one pool; what a broken pool did not finish is added to `unfinished`."""
    waiting: dict[Future[Graded], Task] = {}
    for task in tasks:
        try:
            waiting[pool.submit(_work, task)] = task
        except BrokenProcessPool:
            unfinished.append(task)
    while waiting:
        wait(waiting, return_when=FIRST_COMPLETED)
        done, _ = wait(waiting, TOGETHER_S)
        found = []
        for future in done:
            task = waiting.pop(future)
            try:
                found.append((task, future.result()))
            except BrokenProcessPool:
                unfinished.append(task)
        yield found


def _not_graded(plan: AssignmentPlan, isolation: Backend, task: Task, fault: str) -> Graded:
    return not_graded(plan, task.student, isolation.name, task.fingerprint, fault)


class StandingGrader:
    """One worker and its sandbox, kept: for a process that grades a submission now and then, as nbgrader's do."""

    def __init__(self) -> None:
        self._graders: Graders | None = None
        self._for = ("", "", "")
        atexit.register(self.close)

    def grade(self, plan: AssignmentPlan, isolation: Backend, task: Task) -> Graded:
        """Grade; whatever the submission does to the worker, there is an answer.

        Raises:
            PlatformError: no sandbox can be had, or the reference cannot be judged.
        """
        wanted = (plan.tests_hash, plan.environment_hash, isolation.name)
        # A sandbox shows its files as they were when it was started.
        if self._graders is None or wanted != self._for or self._graders.sandbox.closed:
            self.close()
            sandbox = Sandbox(isolation, plan.place)
            try:
                self._graders = Graders(calibrated(plan, sandbox), isolation, 1, sandbox)
            except BaseException:
                sandbox.close()
                raise
            self._for = wanted
        (((_, graded),),) = (found for found in self._graders.grade([task]) if found)
        return graded

    def close(self) -> None:
        """End the worker and the sandbox."""
        if self._graders is not None:
            self._graders.__exit__()
            self._graders = None


# ---- in the worker -----------------------------------------------------------------------------


class Worker:
    """What one process grades with: a line to a sandbox, and a judge, used for one submission after another."""

    def __init__(self, plan: AssignmentPlan, isolation: Backend, first: tuple[str, Workplace, Path]) -> None:
        """`first` is the sandbox that is there already; when that has ended, the worker starts one of its own."""
        self.plan = plan
        self.isolation = isolation
        self.judge = Judge(plan.prerequisites)
        self._line: Control | None = None
        with contextlib.suppress(SandboxUnavailable):
            self._line = Control(*first)

    def grade(self, task: Task) -> Graded:
        """Grade one submission. This is the process's edge: whatever goes wrong here is ours, and is recorded as that.

        A sandbox that fails before student code runs is replaced once.
        """
        fault = ""
        for _ in range(2):
            try:
                return grade_submission(
                    self.plan, task.student, task.folder, self._sandbox(), self.judge, task.fingerprint
                )
            except SandboxUnavailable as error:
                fault = str(error)
            except Exception as error:  # noqa: BLE001
                fault = f"{type(error).__name__}: {error}"
                break
        return _not_graded(self.plan, self.isolation, task, fault)

    def _sandbox(self) -> Control:
        if self._line is not None and self._line.closed:
            self._line.close()
            self._line = None
        if self._line is None:
            self._line = Sandbox(self.isolation, self.plan.place)
        return self._line

    def close(self) -> None:
        """End the judge, and hang up."""
        self.judge.close()
        if self._line is not None:
            self._line.close()


_worker: Worker


def _begin(plan: AssignmentPlan, isolation: Backend, first: tuple[str, Workplace, Path]) -> None:
    """Set a worker up. When interrupted it ends quietly, and it does not outlive the process that it works for."""
    global _worker
    signal.signal(signal.SIGINT, lambda *_: sys.exit(130))
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    _worker = Worker(plan, isolation, first)


def _get_ready() -> None:
    """Start what the first submission will need."""
    _worker.judge.start()


def _work(task: Task) -> Graded:
    return _worker.grade(task)
