"""What the gates that run code need: the plan, the source and the build of one assignment, and where they run it."""

from __future__ import annotations

import contextlib
import itertools
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tito.author.trial import TrialSubmission
from tito.course.course import Assignment, Course
from tito.errors import PlatformError
from tito.grade.workers import WorkerPool
from tito.judge.judge import sandboxes_for
from tito.models import Gate, SubmissionRecord
from tito.plan.measuring import require_measuring
from tito.plan.plan import AssignmentPlan
from tito.plan.sandbox_specs import Lines, Sandboxes, borrowed_sandboxes
from tito.sandbox.launch import Backend


@dataclass(frozen=True)
class GateContext:
    """One assignment at its gates. `shared` are sandboxes for all of them; None where each gate has its own, for one
    session's files are seen by the next."""

    course: Course
    assignment: Assignment
    backend: Backend
    plan: AssignmentPlan
    shared: Sandboxes | None
    source: dict[str, Any]
    released: dict[str, Any]

    @contextmanager
    def lines(self) -> Iterator[Lines]:
        """Lines of one gate's own to where it runs code: gates run side by side."""
        with self._sandboxes() as sandboxes, borrowed_sandboxes(sandboxes).lines() as lines:
            yield lines

    @contextmanager
    def _sandboxes(self) -> Iterator[Sandboxes]:
        if self.shared is not None:
            yield self.shared
        else:
            with sandboxes_for(self.backend, self.plan) as own:
                yield own

    def limited(self, cell_timeout_s: float) -> GateContext:
        """The same with so much time for each cell of a submission."""
        limits = replace(self.plan.spec.limits, cell_timeout_s=cell_timeout_s)
        return replace(self, plan=replace(self.plan, spec=replace(self.plan.spec, limits=limits)))

    def as_the_course_has_it(self, gates: Iterator[Gate]) -> Iterator[Gate]:
        """What a course that was converted may let pass is refused, or named and let pass."""
        lenient = self.course.gates.forgeable == "warn"
        return (replace(line, ok=True, warning=True) if lenient and not line.ok else line for line in gates)

    @contextmanager
    def grading(
        self, submissions: Iterable[TrialSubmission], workers: int
    ) -> Iterator[Callable[[], dict[str, SubmissionRecord]]]:
        """Workers for submissions that are stored nowhere, started at once; and what grades these and gives the
        records by their names.

        Raises:
            SandboxUnavailable: a test is to be measured, which cannot be done here.
            PlatformError: one could not be graded.
        """
        require_measuring(self.plan, self.backend.name)
        with contextlib.ExitStack() as stack:
            scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tito-check-")))
            tasks = [each.task(scratch / each.name, self.plan) for each in submissions]
            borrowed = borrowed_sandboxes(stack.enter_context(self._sandboxes()), self.plan.spec)
            pool = stack.enter_context(WorkerPool(self.plan, self.backend, workers, borrowed))

            def records() -> dict[str, SubmissionRecord]:
                results = itertools.chain.from_iterable(pool.grade(tasks))
                by_name = {task.student: graded.record for task, graded in results}
                fault = next((record.fault for record in by_name.values() if record.fault), "")
                if fault:
                    raise PlatformError(fault)
                return by_name

            yield records
