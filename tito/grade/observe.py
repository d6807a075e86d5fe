"""Runs a repaired notebook in a sandbox and brings back what was observed. Judges nothing.

The student's cells run in order, with the visible part of each test in its place, as the student sees them.
At each test the notebook's state is forked; the copies wait. When the last cell has run and all outputs
are closed, each copy is given the hidden part of its test: no output that a student will read can hold it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from tito.cells import grade_id_of, kind_of
from tito.grade.causes import named
from tito.grade.plan import NotebookPlan, TestPlan, skipped
from tito.models import CellKind, JudgePlan, Limits, Section
from tito.sandbox.session import Conversation, Ran, Sandbox

NOT_RUN = Ran(status="not run")


@dataclass
class Observations:
    """What came back: the outcome of each cell by its position, and of each section of each test."""

    cells: dict[int, Ran] = field(default_factory=dict)
    tests: dict[str, list[tuple[Section, JudgePlan | None, Ran]]] = field(default_factory=dict)
    ended_at: str = ""  # the cell at which the notebook ended early
    ended_by: str = ""  # and what ended it


class Clock:
    """Hands out time limits until the notebook's own is used up."""

    def __init__(self, limits: Limits) -> None:
        self._cell = limits.cell_timeout_s
        self._end = time.monotonic() + limits.notebook_timeout_s

    def limit(self) -> float:
        return max(0.0, min(self._cell, self._end - time.monotonic()))


def observe(sandbox: Sandbox, plan: NotebookPlan, cells: list[Any]) -> Observations:
    """Run the clean notebook `cells` against the tests of `plan`.

    Raises:
        SandboxUnavailable: the sandbox failed before any student code ran.
    """
    seen = Observations()
    clock = Clock(sandbox.place.limits)
    tests = [plan.tests[grade_id_of(cell)] for cell in cells if kind_of(cell) is CellKind.TEST]
    hidden = [test.grade_id for test in tests if test.hidden]
    with sandbox.session(branches=len(hidden)) as session:
        waiting = {name: (number, session.branches[number]) for number, name in enumerate(hidden)}
        _run_notebook(session.notebook, clock, plan, cells, waiting, seen)
        hidden_clock = Clock(sandbox.place.limits)  # its own: slow cells of the student's take nothing from a test
        for grade_id, (_, branch) in waiting.items():
            _run_hidden(branch, hidden_clock, plan.tests[grade_id], seen)
    return seen


def _run_notebook(
    notebook: Conversation,
    clock: Clock,
    plan: NotebookPlan,
    cells: list[Any],
    waiting: dict[str, tuple[int, Conversation]],
    seen: Observations,
) -> None:
    not_needed = skipped(cells)
    for position, cell in enumerate(cells):
        if cell.cell_type != "code" or position in not_needed:
            continue
        if kind_of(cell) is CellKind.TEST:
            test = plan.tests[grade_id_of(cell)]
            seen.cells[position] = _run_visible(notebook, clock, test, seen)
            if test.hidden:
                number, branch = waiting[test.grade_id]
                branch.over = "" if notebook.branch(number) else "not run"
        else:
            seen.cells[position] = _run(notebook, clock, cell.source)
        if not seen.ended_at and (why := _end_of(notebook, clock)):
            seen.ended_at, seen.ended_by = named(cell, position), why


def _end_of(notebook: Conversation, clock: Clock) -> str:
    """What has ended the notebook at the cell that was run last; "" where nothing has."""
    if notebook.over:
        return "it was stopped at its time limit" if notebook.over == "timeout" else "the notebook's process ended"
    return "" if clock.limit() > 0 else "the notebook's time was used up"


def _run_visible(notebook: Conversation, clock: Clock, test: TestPlan, seen: Observations) -> Ran:
    results = []
    for section, judge in test.visible:
        results.append(_run(notebook, clock, section.observe, judge))
        seen.tests.setdefault(test.grade_id, []).append((section, judge, results[-1]))
    outputs = tuple(one for ran in results for one in ran.outputs)
    last = results[-1] if results else Ran(status="ok")
    return Ran(last.status, last.ename, last.evalue, outputs, sum(one.seconds for one in results))


def _run_hidden(branch: Conversation, clock: Clock, test: TestPlan, seen: Observations) -> None:
    if not test.has_checks and any(ran.status != "ok" for _, _, ran in seen.tests.get(test.grade_id, [])):
        return  # the visible part has failed already
    for section, judge in test.hidden:
        seen.tests.setdefault(test.grade_id, []).append((section, judge, _run(branch, clock, section.observe, judge)))


def _run(conversation: Conversation, clock: Clock, source: str, judge: JudgePlan | None = None) -> Ran:
    limit_s = clock.limit()
    if conversation.over or limit_s <= 0:
        return NOT_RUN
    return conversation.run(source, limit_s, judge.observed if judge else ())
