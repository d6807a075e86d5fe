"""Grading without a pool of workers, for what tests look at in one process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Self

import pytest

from tito.grade.calibrate import calibrated_apart
from tito.grade.submission import Graded
from tito.grade.workers import Task, Worker
from tito.plan.plan import AssignmentPlan
from tito.plan.sandbox_specs import BorrowedSandboxes
from tito.sandbox.bubblewrap import Bubblewrap
from tito.sandbox.launch import Backend
from tito.sandbox.spec import SandboxSpec


class InProcess:
    """As `workers.WorkerPool`, in this process, with a worker that is another's to close."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def grade(self, tasks: Sequence[Task]) -> Iterator[list[tuple[Task, Graded]]]:
        for number, graded in self._worker.grade(iter(enumerate(tasks))):
            yield [(tasks[number], graded)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


class OneWorker(InProcess):
    """The same with a worker of its own, in sandboxes that are there."""

    def __init__(self, plan: AssignmentPlan, isolation: Backend, workers: int, sandboxes: BorrowedSandboxes) -> None:
        super().__init__(Worker(plan, isolation, (sandboxes.notebooks, sandboxes.judges)))

    def __exit__(self, *_: object) -> None:
        self._worker.close()


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Grade in this process instead of in workers: where it is tested what grading gives, not how it is spread."""
    monkeypatch.setattr("tito.sandbox.time_allowance.GRACE_S", 0.5)
    workers: dict[tuple[str, str, str], Worker] = {}

    def pool(plan: AssignmentPlan, isolation: Backend, count: int, sandbox: object) -> InProcess:
        key = (plan.tests_hash, isolation.name, str(vars(isolation)))
        return InProcess(workers.setdefault(key, Worker(plan, isolation)))

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
    monkeypatch.setattr("tito.grade.cohort.WorkerPool", pool)
    monkeypatch.setattr("tito.author.gate_context.WorkerPool", OneWorker)
    yield
    for worker in workers.values():
        worker.close()
