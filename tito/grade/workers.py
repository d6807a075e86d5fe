"""Grades submissions in worker processes of our own: a submission that brings one down costs the others nothing.

Threads would do for waiting on sandboxes, but student source is parsed here too, and CPython's parser is neither
thread-safe (python/cpython#106905) nor proof against every text. The workers of a run have one sandbox between them;
each has a judge of its own.

    grader ── tasks, all of them ──▶ workers          each takes its next one from a pipe of numbers
           ◀── results, as they come ──

While a notebook is at work, its worker makes verdicts of the one before, and repairs the next.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import itertools
import multiprocessing
import os
import signal
import struct
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Self

from tito.errors import SandboxUnavailable
from tito.grade.calibrate import calibrated
from tito.grade.observe import AtWork
from tito.grade.submission import Graded, Prepared, given_up, grading, not_graded, prepared, write_reference
from tito.judge.judge import Judge, halves_of, order_of, sandboxes_for
from tito.models import Fingerprint
from tito.plan.measuring import require_measuring
from tito.plan.plan import AssignmentPlan
from tito.plan.sandbox_specs import (
    BorrowedSandboxes,
    SandboxAddress,
    Sandboxes,
    borrowed_sandboxes,
    judge_spec,
)
from tito.sandbox.inside import kernel
from tito.sandbox.inside.codec import PATIENCE
from tito.sandbox.launch import Backend
from tito.sandbox.processes import can_fork
from tito.sandbox.time_allowance import GRACE_S
from tito.sandbox.zygote_client import START_TIMEOUT_S, Sandbox, ZygoteClient

TOGETHER_S = 0.25  # results that come within so many seconds are stored in one transaction
TICKET = struct.Struct("=I")  # the number of a task
MOST_TICKETS = 1024  # 4 KiB: what a pipe holds also for a user who has many
JUDGING_S = 120.0  # for reading a notebook and judging what was observed
ENDING_S = 10.0  # for a worker to end its judge and hang up


@dataclass(frozen=True)
class Task:
    """One submission to be graded; where only some of its tests are asked about, by these."""

    student: str
    folder: Path
    fingerprint: Fingerprint
    tests: frozenset[str] | None = None


class WorkerPool:
    """Worker processes for one assignment, started at once. A context manager; leaving it ends them all."""

    def __init__(
        self, plan: AssignmentPlan, isolation: Backend, workers: int, sandboxes: Sandboxes | BorrowedSandboxes
    ) -> None:
        """Start the workers, which is not waited for; they share `sandboxes`, which are closed with them."""
        self.plan = plan
        self.isolation = isolation
        self.sandboxes = sandboxes
        self._became = ""  # of the worker that ended last
        self._deadline_s = deadline_s(plan)
        self._tickets, self._counter = os.pipe()
        os.set_blocking(self._tickets, False)
        self._workers = [self._started() for _ in range(workers)]

    def grade(self, tasks: Sequence[Task]) -> Iterator[list[tuple[Task, Graded]]]:
        """Grade submissions; give results as they come, those together that come at about the same time.

        A worker that dies, or that misses its deadline and is ended for it, is replaced. What it had at work is tried
        again in processes of their own, one by one, see `_apart`.
        """
        for first in range(0, len(tasks), MOST_TICKETS):
            yield from self._grade(tasks[first : first + MOST_TICKETS])

    def _grade(self, tasks: Sequence[Task]) -> Iterator[list[tuple[Task, Graded]]]:
        unfinished = dict(enumerate(tasks))
        for results in self._results(tasks, self._workers):
            yield [(unfinished.pop(number), graded) for number, graded in results]
        for task in unfinished.values():
            yield [(task, self._apart(task))]

    def _apart(self, task: Task) -> Graded:
        """Grade what may have brought a worker down. Where it does so twice in the same way, and the reference in
        between does not, it is the submission's own doing, and no way to go ungraded; else a person is to look at
        it."""
        first = self._alone(task)
        if isinstance(first, Graded):
            return first
        with tempfile.TemporaryDirectory(prefix="tito-reference-") as folder:
            write_reference(self.plan, Path(folder))
            reference = self._alone(Task("reference", Path(folder), task.fingerprint))
        second = self._alone(task)
        if isinstance(second, Graded):
            return second
        if second == first and isinstance(reference, Graded) and not reference.record.fault:
            return given_up(self.plan, task.student, self.isolation.name, task.fingerprint, first)
        return _not_graded(self.plan, self.isolation, task, f"the grading process {first}")

    def _alone(self, task: Task) -> Graded | str:
        """Grade in a process of its own; or say what became of the process."""
        again = [self._started()]
        results = list(itertools.chain.from_iterable(self._results([task], again)))
        for worker in again:
            worker.end()
        return results[0][1] if results else self._became

    def _results(self, tasks: Sequence[Task], workers: list[WorkerHandle]) -> Iterator[list[tuple[int, Graded]]]:
        """Results of `workers`, by the number of the task; those that died are replaced while there is work."""
        for _ in _tickets(self._tickets):
            pass  # left by workers that died
        os.write(self._counter, b"".join(TICKET.pack(number) for number in range(len(tasks))))
        deaths = 0
        busy = [worker for worker in workers if worker.order(tasks)]
        while busy:
            if not wait([worker.line for worker in busy], self._left_s(busy)):
                for worker in busy:
                    worker.end_late(self._deadline_s)
            results: list[tuple[int, Graded]] = []
            end = time.monotonic() + TOGETHER_S
            while ready := wait([worker.line for worker in busy], max(0.0, end - time.monotonic())):
                for worker in [worker for worker in busy if worker.line in ready]:
                    result = worker.result()
                    if isinstance(result, tuple):
                        results.append(result)
                        continue
                    busy.remove(worker)
                    if result == DIED:
                        self._became = LATE if worker.is_late else DIED
                        worker.end()
                        deaths += 1
                        workers[workers.index(worker)] = fresh = self._started()
                        if deaths < len(tasks) and fresh.order(tasks):
                            busy.append(fresh)
            if results:
                yield results

    def _left_s(self, busy: Sequence[WorkerHandle]) -> float:
        """How long the first of them to miss its deadline has until then."""
        return max(0.0, min(worker.heard_at for worker in busy) + self._deadline_s - time.monotonic())

    def _started(self) -> WorkerHandle:
        """A worker that is getting ready. Where it is forked it has nothing to import."""
        context: Any = multiprocessing.get_context("fork" if can_fork() else "spawn")
        both = (self.sandboxes.notebooks, self.sandboxes.judges)
        first = tuple(SandboxAddress(sandbox.name, sandbox.spec, sandbox.address) for sandbox in both)
        ours, theirs = context.Pipe()
        tickets = Connection(os.dup(self._tickets), writable=False)
        process = context.Process(target=_serve, args=(theirs, tickets, self.plan, self.isolation, first), daemon=True)
        process.start()
        for end in (theirs, tickets):
            end.close()
        return WorkerHandle(process, ours)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.end()
        for descriptor in (self._tickets, self._counter):
            os.close(descriptor)
        self.sandboxes.close()


DIED, DONE, LATE = "died", "done", "missed its deadline"
NOTEBOOKS, JUDGES = 0, 1


class WorkerHandle:
    """A worker, as the process sees it that it works for."""

    def __init__(self, process: BaseProcess, line: Connection) -> None:
        self.process = process
        self.line = line
        self.is_busy = self.is_late = False
        self.heard_at = time.monotonic()  # when it was given work, or gave a result

    def order(self, tasks: Sequence[Task]) -> bool:
        """Have it take of these until none is left; whether it is there to do it."""
        try:
            self.line.send(tasks)
            self.is_busy, self.heard_at = True, time.monotonic()
        except OSError:
            return False
        return True

    def result(self) -> tuple[int, Graded] | str:
        """The next result, waited for; or DONE when there are no more tasks; or DIED."""
        try:
            result: tuple[int, Graded] | str = self.line.recv()
        except (EOFError, OSError):
            return DIED
        self.is_busy, self.heard_at = result != DONE, time.monotonic()
        return result

    def end_late(self, deadline_s: float) -> None:
        """End it if it has been silent for longer than any submission may take; it is then heard of as one that
        died."""
        if time.monotonic() - self.heard_at >= deadline_s:
            self.is_late = True
            self.process.kill()

    def end(self) -> None:
        """End it, whatever it does."""
        if self.is_busy:
            self.process.terminate()
        else:
            with contextlib.suppress(OSError):
                self.line.send(None)
        self.process.join(ENDING_S)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.line.close()


def grade_all(
    plan: AssignmentPlan, isolation: Backend, tasks: Sequence[Task], workers: int
) -> Iterator[tuple[Task, Graded]]:
    """Grade `tasks` in sandboxes that are started for them; see `grade_in`."""
    if tasks:
        with sandboxes_for(isolation, plan) as sandboxes:
            yield from grade_in(borrowed_sandboxes(sandboxes), plan, isolation, tasks, workers)


def grade_in(
    sandboxes: BorrowedSandboxes, plan: AssignmentPlan, isolation: Backend, tasks: Sequence[Task], workers: int
) -> Iterator[tuple[Task, Graded]]:
    """Grade `tasks` with so many workers, started for them, in sandboxes for the plan; see `WorkerPool.grade`.

    Raises:
        SandboxUnavailable: a test is to be measured, which cannot be done in this sandbox.
    """
    if tasks:
        require_measuring(plan, isolation.name)
        with WorkerPool(plan, isolation, workers, sandboxes) as graders:
            yield from itertools.chain.from_iterable(graders.grade(tasks))


def deadline_s(plan: AssignmentPlan) -> float:
    """How long a worker may take from one result to the next: its limits of a notebook's cells, of its hidden tests and
    of what it is judged by, each at its most; while one notebook runs, it reads the next."""
    limits = plan.spec.limits
    of_notebook = 2 * (limits.notebook_timeout_s + limits.cell_timeout_s + GRACE_S) * PATIENCE
    return 2 * len(plan.notebooks) * (of_notebook + JUDGING_S) + START_TIMEOUT_S


def _not_graded(plan: AssignmentPlan, isolation: Backend, task: Task, fault: str) -> Graded:
    return not_graded(plan, task.student, isolation.name, task.fingerprint, fault)


class PersistentGrader:
    """One worker and its sandbox, kept: for a process that grades a submission now and then, as nbgrader's do."""

    def __init__(self) -> None:
        self._graders: WorkerPool | None = None
        self._for = ("", "", "")
        atexit.register(self.close)

    def grade(self, plan: AssignmentPlan, isolation: Backend, task: Task) -> Graded:
        """Grade; whatever the submission does to the worker, there is an answer.

        Raises:
            PlatformError: no sandbox can be had, or the reference cannot be judged.
        """
        require_measuring(plan, isolation.name)
        wanted = (plan.tests_hash, plan.environment_hash, isolation.name)
        # A sandbox shows its files as they were when it was started.
        if self._graders is None or wanted != self._for or self._graders.sandboxes.closed:
            self.close()
            sandboxes = Sandboxes(isolation, plan.spec)
            try:
                sandboxes.warm(plan.spec, order_of(plan))
                self._graders = WorkerPool(calibrated(plan, sandboxes), isolation, 1, sandboxes)
            except BaseException:
                sandboxes.close()
                raise
            self._for = wanted
        (((_, graded),),) = (results for results in self._graders.grade([task]) if results)
        return graded

    def close(self) -> None:
        """End the worker and the sandbox."""
        if self._graders is not None:
            self._graders.__exit__()
            self._graders = None


# ---- in the worker -----------------------------------------------------------------------------


class Worker:
    """What one process grades with: lines to a sandbox for notebooks and to one for judges."""

    def __init__(self, plan: AssignmentPlan, isolation: Backend, first: Sequence[SandboxAddress] = ()) -> None:
        """`first` are the sandboxes that are there already; when one has ended, the worker starts one of its own."""
        self.plan = plan
        self.isolation = isolation
        self.halves = halves_of(plan.notebooks)
        self._lines: list[ZygoteClient | None] = [None, None]
        for at, address in enumerate(first):
            with contextlib.suppress(SandboxUnavailable):
                self._lines[at] = ZygoteClient(*address)

    def grade(self, tasks: Iterator[tuple[int, Task]]) -> Iterator[tuple[int, Graded]]:
        """Grade tasks, taking one when the last has no more to run; give results by the tasks' numbers.

        This is the process's edge: whatever goes wrong here is ours, and is recorded as that.
        """
        behind: Job | None = None
        ahead = self._next(tasks)
        while ahead is not None:
            job, ahead = ahead, None
            for _ in self._run(job):
                if behind is not None:
                    yield behind.number, self._verdicts(behind)
                    behind = None
                elif ahead is None:
                    ahead = self._next(tasks)
            if behind is not None:
                yield behind.number, self._verdicts(behind)
            behind = job
            if ahead is None:
                ahead = self._next(tasks)
        if behind is not None:
            yield behind.number, self._verdicts(behind)

    def _next(self, tasks: Iterator[tuple[int, Task]]) -> Job | None:
        """The next task, repaired while a session is forked for it."""
        taken = next(tasks, None)
        if taken is None:
            return None
        job = Job(*taken)
        try:
            with contextlib.suppress(SandboxUnavailable):  # which is said when the session is wanted
                self._notebooks().prepare()
            job.judge = Judge(self._judges(), self.halves)
            submission = prepared(self.plan, job.task.folder, job.judge)
            job.prepared = submission if job.task.tests is None else submission.with_tests(job.task.tests)
            self._judges().prepare()  # for the next
        except Exception as error:  # noqa: BLE001  (the process's edge, see `grade`)
            job.fault = f"{type(error).__name__}: {error}"
        return job

    def _run(self, job: Job) -> AtWork[None]:
        """Run a submission's code. A sandbox that fails before student code runs is replaced once."""
        for _ in range(2):
            if job.prepared is None or job.judge is None:
                return
            try:
                job.verdicts = yield from grading(
                    self.plan, job.task.student, job.prepared, self._notebooks(), job.judge, job.task.fingerprint
                )
                return
            except SandboxUnavailable as error:
                job.fault = str(error)
            except Exception as error:  # noqa: BLE001  (the process's edge, see `grade`)
                job.fault = f"{type(error).__name__}: {error}"
                return

    def _verdicts(self, job: Job) -> Graded:
        if job.verdicts is not None:
            try:
                return job.verdicts()
            except Exception as error:  # noqa: BLE001  (the process's edge, see `grade`)
                job.fault = f"{type(error).__name__}: {error}"
            finally:
                job.close()
        job.close()
        return _not_graded(self.plan, self.isolation, job.task, job.fault)

    def _notebooks(self) -> ZygoteClient:
        if self._ended(NOTEBOOKS):
            self._lines[NOTEBOOKS] = Sandbox(self.isolation, self.plan.spec)
        return self._line(NOTEBOOKS)

    def _judges(self) -> ZygoteClient:
        if self._ended(JUDGES):
            spec = judge_spec(self.plan.spec)
            self._lines[JUDGES] = judges = Sandbox(self.isolation, spec, warm=False)
            judges.warm(spec, order_of(self.plan))
        return self._line(JUDGES)

    def _line(self, at: int) -> ZygoteClient:
        line = self._lines[at]
        assert line is not None
        return line

    def _ended(self, at: int) -> bool:
        """Whether there is no such line, or its sandbox has ended."""
        line = self._lines[at]
        if line is not None and line.closed:
            line.close()
            line = self._lines[at] = None
        return line is None

    def close(self) -> None:
        """Hang up."""
        for line in self._lines:
            if line is not None:
                line.close()


@dataclass
class Job:
    """A task at work: what was submitted, what gives its verdicts when its code has run, or what went wrong."""

    number: int
    task: Task
    judge: Judge | None = None
    prepared: Prepared | None = None
    verdicts: Callable[[], Graded] | None = None
    fault: str = ""

    def close(self) -> None:
        """End its judge."""
        if self.judge is not None:
            self.judge.close()


def _serve(
    line: Connection,
    tickets: Connection,
    plan: AssignmentPlan,
    isolation: Backend,
    first: Sequence[SandboxAddress],
) -> None:
    """A worker's whole life. When told to end it does so quietly; it does not outlive the process that it works for."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    kernel.die_with_parent()
    worker = Worker(plan, isolation, first)
    gc.freeze()  # what is there now stays: to look through it takes as long as the work
    try:
        while (tasks := line.recv()) is not None:
            for result in worker.grade(_taken(tickets.fileno(), tasks)):
                line.send(result)
            line.send(DONE)
    except (EOFError, OSError):
        pass
    finally:
        worker.close()


def _taken(tickets: int, tasks: Sequence[Task]) -> Iterator[tuple[int, Task]]:
    """Tasks that no other worker has taken."""
    return ((number, tasks[number]) for number in _tickets(tickets))


def _tickets(tickets: int) -> Iterator[int]:
    """Numbers of tasks, taken out of their pipe until it is empty."""
    while True:
        try:
            ticket = os.read(tickets, TICKET.size)
        except BlockingIOError:
            return
        if not ticket:
            return
        (number,) = TICKET.unpack(ticket)
        yield number
