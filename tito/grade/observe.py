"""Runs a repaired notebook in a sandbox and brings back what was observed. Judges nothing.

The student's cells run in order, with the visible part of each test in its place, as the student sees them.
At each test the notebook's state is forked; the copies wait. When the last cell has run and all outputs
are closed, each copy is given the hidden part of its test: no output that a student will read can hold it.
Where nothing can come between (see `interference`), the notebook itself serves at its end, and nothing is copied.
Of a test without judge halves the copies are given nothing: the judge runs it, and asks a copy for what it reads.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tito.cells import grade_id_of, kind_of
from tito.errors import JudgeFailed
from tito.grade.causes import named
from tito.grade.interference import observes_the_same_at_the_end
from tito.grade.judge import Judge
from tito.grade.plan import NotebookPlan, TestPlan, skipped
from tito.grade.remote import RemoteTest
from tito.grade.testcell import is_plain_python
from tito.models import CellKind, JudgePlan, Limits, Section
from tito.sandbox.session import Control, Conversation, Ran, Workplace

NOT_RUN = Ran(status="not run")
STOPPED = ("CellTimeout", "MemoryError", "RecursionError", "KeyboardInterrupt", "SystemExit")


@dataclass
class Observations:
    """What came back: the outcome of each cell by its position, and of each section of each test."""

    cells: dict[int, Ran] = field(default_factory=dict)
    tests: dict[str, list[tuple[Section, JudgePlan | None, Ran]]] = field(default_factory=dict)
    noted: dict[str, tuple[frozenset[str], frozenset[str]]] = field(default_factory=dict)  # see RemoteTest
    ended_at: str = ""  # the cell at which the notebook ended early
    ended_by: str = ""  # and what ended it
    unfinished: bool = False  # whether tests that were left for the end have to be observed at their places after all


class Clock:
    """Hands out time limits until the notebook's own is used up. That is by the clock, a cell's of processor time."""

    def __init__(self, limits: Limits) -> None:
        self._cell = limits.cell_timeout_s
        self._end = time.monotonic() + limits.notebook_timeout_s

    def limit(self) -> float:
        return max(0.0, min(self._cell, self._end - time.monotonic()))


def observe(sandbox: Control, plan: NotebookPlan, cells: list[Any], judge: Judge) -> Observations:
    """Run the clean notebook `cells` against the tests of `plan`. Tests without judge halves run in the judge.

    Raises:
        SandboxUnavailable: the sandbox failed before any student code ran.
    """
    if needs_no_copies(plan, cells, sandbox.place):
        seen = _observed(sandbox, plan, cells, judge, _judged_apart(plan, cells))
        if not seen.unfinished:
            return seen
    return _observed(sandbox, plan, cells, judge, [])


def _judged_apart(plan: NotebookPlan, cells: Sequence[Any]) -> list[str]:
    """Tests, in order, that have hidden sections, and a judge half for every section."""
    tests = [plan.tests[grade_id_of(cell)] for cell in cells if kind_of(cell) is CellKind.TEST]
    return [one.grade_id for one in tests if one.hidden and all(judge is not None for _, judge in one.sections)]


def needs_no_copies(plan: NotebookPlan, cells: Sequence[Any], place: Workplace) -> bool:
    """Whether the notebook at its end can stand for a copy of it at each of those tests."""
    not_run = skipped(cells)
    code = (cell for at, cell in enumerate(cells) if cell.cell_type == "code" and at not in not_run)
    tests = [plan.tests[one] for one in _judged_apart(plan, cells)]
    return bool(tests) and observes_the_same_at_the_end(
        (cell.source for cell in code if kind_of(cell) is not CellKind.TEST),
        (section.observe for test in plan.tests.values() for section, _ in test.visible),
        (section.observe for test in tests for section, _ in test.hidden),
        frozenset(path.stem for path, _ in place.files),
    )


def _observed(sandbox: Control, plan: NotebookPlan, cells: list[Any], judge: Judge, late: list[str]) -> Observations:
    """Observe the tests in `late` at the end of the notebook, all others at their places."""
    seen = Observations()
    tests = [plan.tests[grade_id_of(cell)] for cell in cells if kind_of(cell) is CellKind.TEST]
    wanted = [(one.grade_id, before) for one in tests if one.grade_id not in late for before in _forks(one)]
    with sandbox.session(branches=len(wanted)) as session:
        waiting = {fork: (number, session.branches[number]) for number, fork in enumerate(wanted)}
        for branch in session.branches:
            branch.over = "not run"  # until it is forked
        _run_notebook(session.notebook, Clock(sandbox.place.limits), plan, cells, waiting, seen, late)
        if late and seen.ended_at:
            seen.unfinished = True  # the end took what was remembered with it
            return seen
        clock = Clock(sandbox.place.limits)  # its own: slow cells of the student's take nothing from a test
        for (grade_id, before), (_, branch) in waiting.items():
            if before:
                _run_remote(branch, clock, plan.tests[grade_id], seen, judge)
            else:
                _run_hidden(branch, clock, plan.tests[grade_id], seen)
        _run_late(session.notebook, clock, [plan.tests[one] for one in late], seen)
    return seen


def _run_late(notebook: Conversation, clock: Clock, tests: list[TestPlan], seen: Observations) -> None:
    """Hidden sections in the notebook as its last cell left it, with its names as they were at each test.

    An error in one leaves nothing behind; but where a section was stopped or brought the notebook down, what it left is
    not known, and the tests are unfinished.
    """
    for mark, test in enumerate(tests):
        notebook.recall(mark)
        _run_hidden(notebook, clock, test, seen)
        hidden = (ran for section, _, ran in seen.tests.get(test.grade_id, []) if section.hidden)
        if any(ran.status not in ("ok", "error") or ran.ename in STOPPED for ran in hidden):
            seen.unfinished = True
            return


def _forks(test: TestPlan) -> list[bool]:
    """Copies of the notebook that a test needs: True for one as it stands before the test, for the judge to ask."""
    return [True] * bool(test.remote_sections) + [False] * test.forked_after


def _run_notebook(
    notebook: Conversation,
    clock: Clock,
    plan: NotebookPlan,
    cells: list[Any],
    waiting: dict[tuple[str, bool], tuple[int, Conversation]],
    seen: Observations,
    marked: list[str],
) -> None:
    """Run the cells in order; at each test fork the copies that wait for it, or leave a mark with its number."""
    not_needed = skipped(cells)
    for position, cell in enumerate(cells):
        if cell.cell_type != "code" or position in not_needed:
            continue
        if kind_of(cell) is CellKind.TEST:
            test = plan.tests[grade_id_of(cell)]
            if clock.limit() > 0:
                _fork(notebook, waiting.get((test.grade_id, True)))
            seen.cells[position] = _run_visible(notebook, clock, test, seen)
            _fork(notebook, waiting.get((test.grade_id, False)))
            if test.grade_id in marked:
                notebook.mark(marked.index(test.grade_id))
        else:
            seen.cells[position] = _run(notebook, clock, cell.source)
        if not seen.ended_at and (why := _end_of(notebook, clock)):
            seen.ended_at, seen.ended_by = named(cell, position), why


def _end_of(notebook: Conversation, clock: Clock) -> str:
    """What has ended the notebook at the cell that was run last; "" where nothing has."""
    if notebook.over:
        return "it was stopped at its time limit" if notebook.over == "timeout" else "the notebook's process ended"
    return "" if clock.limit() > 0 else "the notebook's time was used up"


def _fork(notebook: Conversation, waiting: tuple[int, Conversation] | None) -> None:
    if waiting is not None:
        number, branch = waiting
        branch.over = "" if notebook.branch(number) else "not run"


def _run_visible(notebook: Conversation, clock: Clock, test: TestPlan, seen: Observations) -> Ran:
    results = []
    for section, judge in test.visible:
        ran = _run_section(notebook, clock, section, judge, guard=judge is None and test.remote is None)
        results.append(ran)
        if section not in test.remote_sections:
            seen.tests.setdefault(test.grade_id, []).append((section, judge, ran))
    outputs = tuple(one for ran in results for one in ran.outputs)
    last = results[-1] if results else Ran(status="ok")
    return Ran(last.status, last.ename, last.evalue, outputs, sum(one.seconds for one in results))


def _run_hidden(branch: Conversation, clock: Clock, test: TestPlan, seen: Observations) -> None:
    if not test.has_checks and any(ran.status != "ok" for _, _, ran in seen.tests.get(test.grade_id, [])):
        return  # the visible part has failed already
    for section, judge in test.hidden:
        if section in test.remote_sections:
            continue
        ran = _run_section(branch, clock, section, judge, guard=judge is None)
        seen.tests.setdefault(test.grade_id, []).append((section, judge, ran))


def _run_remote(branch: Conversation, clock: Clock, test: TestPlan, seen: Observations, judge: Judge) -> None:
    """Have the judge run the sections that have no judge half, in order, until one fails."""
    assert test.remote is not None
    results = seen.tests.setdefault(test.grade_id, [])
    if branch.over:
        results.append((test.remote_sections[0], None, NOT_RUN))
        return
    try:
        with RemoteTest(judge, test.remote, branch) as remote:
            for section in test.remote_sections:
                results.append((section, None, remote.run(section, clock.limit())))
                if results[-1][2].status != "ok":
                    break
            seen.noted[test.grade_id] = remote.sites, remote.lines
    except JudgeFailed as error:
        results.append((test.remote_sections[0], None, Ran(status="fault", evalue=str(error))))


def _run_section(
    conversation: Conversation, clock: Clock, section: Section, judge: JudgePlan | None, guard: bool
) -> Ran:
    limit_s = clock.limit()
    if conversation.over or limit_s <= 0:
        return NOT_RUN
    plain = is_plain_python(section.observe)
    return conversation.run(section.observe, limit_s, judge.observed if judge else (), plain=plain, guard=guard)


def _run(conversation: Conversation, clock: Clock, source: str) -> Ran:
    limit_s = clock.limit()
    if conversation.over or limit_s <= 0:
        return NOT_RUN
    return conversation.run(source, limit_s)
