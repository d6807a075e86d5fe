"""Grades submissions in worker processes of our own: a submission that brings one down costs the others nothing.

Threads would do for waiting on sandboxes, but student source is parsed here too, and CPython's parser is neither
thread-safe (python/cpython#106905) nor proof against every text.
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

from tito.errors import SandboxUnavailable
from tito.grade.judge import Judge
from tito.grade.plan import AssignmentPlan
from tito.grade.submission import Graded, grade_submission, not_graded
from tito.models import Fingerprint, Limits
from tito.sandbox.backends import backend
from tito.sandbox.session import Sandbox


@dataclass(frozen=True)
class Task:
    """One submission to be graded, with all that a worker needs for it."""

    student: str
    folder: Path
    fingerprint: Fingerprint
    plan: AssignmentPlan
    sandbox: str


def grade_all(tasks: Iterable[Task], workers: int) -> Iterator[tuple[Task, Graded]]:
    """Grade with `workers` processes; give results as they come.

    A worker that dies takes those with it that were in its pool: each of them is tried again in a process of its own,
    and one that brings that down too is a platform fault, for a person to look at.
    """
    suspects: list[Task] = []
    yield from _pooled(tasks, workers, suspects)
    for task in suspects:
        again: list[Task] = []
        yield from _pooled([task], 1, again)
        if again:
            yield task, not_graded(task.plan, task.student, task.sandbox, task.fingerprint, "the grading process died")


def _pooled(tasks: Iterable[Task], workers: int, unfinished: list[Task]) -> Iterator[tuple[Task, Graded]]:
    """Results of one pool; what a broken pool did not finish is added to `unfinished`."""
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, context, initializer=_begin)
    try:
        waiting = {pool.submit(_work, task): task for task in tasks}
        while waiting:
            done, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                task = waiting.pop(future)
                graded = _result(future)
                if graded is None:
                    unfinished.append(task)
                else:
                    yield task, graded
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _result(future: Future[Graded]) -> Graded | None:
    try:
        return future.result()
    except BrokenProcessPool:
        return None


class StandingWorker:
    """One worker, kept until it is closed: for a process that grades a submission now and then, as nbgrader's do."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None
        self._tests = ("", "")

    def grade(self, task: Task) -> Graded:
        """Grade; whatever the submission does to the worker, there is an answer."""
        tests = (task.plan.tests_hash, task.plan.environment_hash)
        if tests != self._tests:  # a sandbox shows its files as they were when it was started
            self.close()
        self._tests = tests
        for _ in range(2):
            if self._pool is None:
                self._pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), initializer=_begin)
            graded = _result(self._pool.submit(_work, task))
            if graded is not None:
                return graded
            self.close()
        return not_graded(task.plan, task.student, task.sandbox, task.fingerprint, "the grading process died")

    def close(self) -> None:
        """End the worker, and its sandbox with it."""
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None


# ---- in the worker -----------------------------------------------------------------------------


@dataclass
class Tools:
    """A worker's sandbox and judge for one assignment: started once, used for one submission after another."""

    sandbox: Sandbox
    judge: Judge


_tools: dict[tuple[Path, Limits, str], Tools] = {}


def _begin() -> None:
    """A worker that is interrupted ends quietly; its sandboxes and judges end with it."""
    signal.signal(signal.SIGINT, lambda *_: sys.exit(130))


def _tools_for(task: Task) -> Tools:
    plan = task.plan
    key = (plan.prerequisites, plan.place.limits, task.sandbox)
    if key not in _tools or _tools[key].sandbox.closed:
        _tools[key] = Tools(Sandbox(backend(task.sandbox), plan.place), Judge(plan.prerequisites))
    return _tools[key]


def _work(task: Task) -> Graded:
    """Grade one submission. This is the process's edge: whatever goes wrong here is ours, and is recorded as that.

    A sandbox that fails before student code runs is replaced once.
    """
    fault = ""
    for _ in range(2):
        try:
            tools = _tools_for(task)
            return grade_submission(task.plan, task.student, task.folder, tools.sandbox, tools.judge, task.fingerprint)
        except SandboxUnavailable as error:
            fault = str(error)
        except Exception as error:  # noqa: BLE001
            fault = f"{type(error).__name__}: {error}"
            break
    return not_graded(task.plan, task.student, task.sandbox, task.fingerprint, fault)
