"""Grades notebooks that nobody handed in, and stores nothing: what the gates and mutants ask of the engine."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tito.grade.graded_notebook import as_json
from tito.grade.submission import write_files
from tito.grade.workers import Task, WorkerPool
from tito.judge.judge import order_of
from tito.models import Fingerprint, SubmissionRecord
from tito.plan.measuring import require_measuring
from tito.plan.plan import AssignmentPlan
from tito.plan.sandbox_specs import Sandboxes
from tito.sandbox.launch import Backend

PATIENCE = 20.0  # times the reference's slowest cell: how long a cell of a wrong solution may take
SHORTEST_LIMIT_S = 3.0
NOT_STORED = Fingerprint("", "", "")
TOGETHER = 128  # submissions that lie on disk at a time


def cell_limit_s(reference: SubmissionRecord) -> float:
    """As much time as a cell of a wrong solution needs to be seen to be one."""
    slowest = max((cell.seconds for cell in reference.cells), default=0.0)
    return max(SHORTEST_LIMIT_S, PATIENCE * slowest)


@dataclass(frozen=True)
class TrialSubmission:
    """Notebooks to be graded, by name; some of their tests, or all; with the files that the reference hands in."""

    name: str
    notebooks: Mapping[str, Any]
    tests: frozenset[str] | None = None
    with_files: bool = True

    def task(self, folder: Path, plan: AssignmentPlan) -> Task:
        """What the engine is asked about it, once it has been written to a folder that is not there yet."""
        folder.mkdir()
        for name, notebook in self.notebooks.items():
            (folder / f"{name}.ipynb").write_text(as_json(notebook), encoding="utf-8")
        if self.with_files:
            write_files(folder, plan.handed_in.reference)
        return Task(self.name, folder, NOT_STORED, self.tests)


class Trial:
    """Workers for an assignment, and one prepared state of which all that they grade is forked. A context manager."""

    def __init__(self, plan: AssignmentPlan, backend: Backend, workers: int) -> None:
        """Start them.

        Raises:
            SandboxUnavailable: they cannot be had here.
        """
        require_measuring(plan, backend.name)
        self._plan = plan
        self.sandboxes = Sandboxes(backend, plan.spec)
        try:
            self.sandboxes.warm(plan.spec, order_of(plan))
            self._pool = WorkerPool(plan, backend, workers, self.sandboxes)
        except BaseException:
            self.sandboxes.close(at_once=True)
            raise

    def graded(self, submissions: Iterable[TrialSubmission]) -> Iterator[tuple[str, SubmissionRecord]]:
        """Records by the submissions' names, as they come."""
        waiting = iter(submissions)
        while batch := list(itertools.islice(waiting, TOGETHER)):
            with tempfile.TemporaryDirectory(prefix="tito-trial-") as scratch:
                folders = (Path(scratch) / str(at) for at in itertools.count())
                tasks = [each.task(folder, self._plan) for each, folder in zip(batch, folders, strict=False)]
                for results in self._pool.grade(tasks):
                    yield from ((task.student, graded.record) for task, graded in results)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.__exit__()
