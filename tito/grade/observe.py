"""Runs a repaired notebook in a sandbox and brings back what was observed. Judges nothing.

The student's cells run in order, with the visible part of each test in its place, as the student sees them.
At each test the notebook's state is forked; the copies wait. When the last cell has run and all outputs
are closed, each copy is given the hidden part of its test: no output that a student will read can hold it.
Each copy has the files that stood there when it was made, and what it writes ends with it (see `warden`).
Where nothing can come between (see `interference`), the notebook itself serves at its end, and nothing is copied.
Of a test without judge halves the copies are given nothing: the judge runs it, and asks a copy for what it reads: one
copy for the whole cell, in its order, when the visible parts of all tests have been run. Of what is run there nothing
is told but that it failed; what a visible part raised is told as the notebook itself has shown it, before. Where a part
has a judge half, or all are visible, a copy for the visible ones has its turn before any that is told what is hidden.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TypeVar

from tito.course.cells import Cell
from tito.errors import JudgeFailed
from tito.grade.causes import named
from tito.grade.remote import RemoteTest
from tito.judge.judge import Judge
from tito.models import JudgePlan, Limits, Section
from tito.plan.compile import compiled_section
from tito.plan.plan import NotebookPlan, TestPlan
from tito.repair.read_notebook import ReadNotebook
from tito.sandbox.inside.codec import PATIENCE
from tito.sandbox.inside.step_status import StepStatus
from tito.sandbox.notebook_channel import NotebookChannel
from tito.sandbox.session import Session
from tito.sandbox.steps import Ran, Step
from tito.sandbox.zygote_client import ZygoteClient

T = TypeVar("T")
# Yields each time that a notebook has been told what to do: who waits for it may do something else meanwhile.
AtWork = Generator[None, None, T]

Result = tuple[Section, JudgePlan | None, Ran]  # of a section of a test

NOT_RUN = Ran(StepStatus.NOT_RUN)
PROCESS_ENDED = "the notebook's process ended"
NO_COPY = "The notebook could not be copied for this test: too many processes or threads of its own were at work."
ENDED_BY = {
    StepStatus.TIMEOUT: "it was stopped at its time limit",
    StepStatus.MEMORY: "it used more memory than it may",
}
REPEATING = 1.5  # times as long as before that cells may take which are run again
# Exceptions of student code, by the names that it says: what a section that raised one has left is not known.
UNFINISHED = {error.__name__ for error in (MemoryError, RecursionError, KeyboardInterrupt, SystemExit)}


@dataclass
class Observations:
    """What came back: the outcome of each cell by its position, and of each section of each test."""

    cells: dict[int, Ran] = field(default_factory=dict)
    tests: dict[str, list[Result]] = field(default_factory=dict)
    noted: dict[str, frozenset[str]] = field(default_factory=dict)  # of the reference, see RemoteTest
    raised: dict[tuple[str, Section], Ran] = field(default_factory=dict)  # visible sections, in the notebook itself
    ended_at: str = ""  # the cell at which the notebook ended early
    ended_by: str = ""  # and what ended it
    end: int | None = None  # its position
    ended_in_test: bool = False  # whether a visible section of a test was at work then
    passed_over: str = ""  # such a test, and what became of the notebook in it, when it was run again without that
    unfinished: bool = False  # whether it has to be run again, for tests that were not observed

    def can_be_repeated(self, left_s: float) -> bool:
        """Whether there is time to run once more what stands before the end: else tests that were come to would lose
        what they have."""
        return left_s > REPEATING * sum(ran.seconds for at, ran in self.cells.items() if at != self.end)

    @property
    def has_lost(self) -> bool:
        """Whether copies of the notebook were not there, or not fit to be asked, when they were to wait."""
        return any(ran.status.is_missing_branch for results in self.tests.values() for _, _, ran in results)


class Clock:
    """What is left of the time of a notebook's hidden tests. It does not run while the grader is busy with others."""

    def __init__(self, limits: Limits) -> None:
        self.cell_s = limits.cell_timeout_s
        self.left_s = float(limits.notebook_timeout_s)

    def limit(self) -> float:
        """What the next step may take, of processor time."""
        return max(0.0, min(self.cell_s, self.left_s))

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Take off what is spent in here on a copy's files: student code says how many there are."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.left_s -= time.monotonic() - started

    def spend(self, ran: Ran) -> None:
        """Take off what a step took; of one that was given up on it is not known."""
        self.left_s -= ran.seconds or (self.limit() if ran.status.has_ended_its_process else 0.0)


def observe(sandbox: ZygoteClient, plan: NotebookPlan, notebook: ReadNotebook, judge: Judge) -> Observations:
    """Run a clean notebook against the tests of `plan`. Tests without judge halves run in the judge.

    Raises:
        SandboxUnavailable: the sandbox failed before any student code ran.
    """
    return finished(observing(sandbox, plan, notebook, judge))


def finished(at_work: AtWork[T]) -> T:
    """What comes of it, when it is only waited for."""
    while True:
        try:
            next(at_work)
        except StopIteration as end:
            result: T = end.value
            return result


def observing(
    sandbox: ZygoteClient,
    plan: NotebookPlan,
    notebook: ReadNotebook,
    judge: Judge,
    partly: Callable[[Observations], None] = lambda _: None,
) -> AtWork[Observations]:
    """What `observe` does, in steps. `partly` is told what has been observed when the last hidden sections begin."""
    limits = sandbox.spec.limits
    time_s = time.monotonic() + limits.notebook_timeout_s
    apart = [test.grade_id for test in plan.judged_apart if notebook.observes(test.grade_id)]
    late = apart if notebook.needs_no_copies else []
    seen = yield from _observed(sandbox, plan, notebook, judge, late, partly, recover_until_s=0.0 if late else time_s)
    again: Rerun | None = None
    if seen.unfinished or (late and seen.has_lost and time.monotonic() < time_s):
        again = Rerun.after(seen, limits, time_s)
        more = yield from _observed(sandbox, plan, notebook, judge, [], partly, again=again)
        seen = _merged(seen, more, again)
    if seen.has_lost and time.monotonic() < time_s + (PATIENCE - 1) * limits.notebook_timeout_s:
        # Copies that are not there may be our doing, on a busy machine above all, where the clock has run on: a fresh
        # notebook, which nothing hidden has reached, tells.
        more = yield from _observed(sandbox, plan, notebook, judge, [], partly, again=again)
        seen = _merged(seen, more, None)
    return seen


@dataclass(frozen=True)
class Rerun:
    """How a notebook is run once more that has ended at the cell at `end`: what has ended it is not waited for again.

    Where that was a visible section of a test (`in_test`), all but that test is run, within what is left of the
    notebook's time; else what stands before the cell.
    """

    end: int
    in_test: bool
    left_s: float

    @staticmethod
    def after(seen: Observations, limits: Limits, time_s: float) -> Rerun | None:
        """None: it did not end early."""
        if seen.end is None:
            return None
        left_s = time_s - time.monotonic()
        in_test = seen.ended_in_test and seen.can_be_repeated(left_s)
        return Rerun(seen.end, in_test, left_s if in_test else limits.notebook_timeout_s)

    def runs(self, task: Task) -> bool:
        """Whether a task is done: copies for all of a test are made before it."""
        if task.position == self.end:
            return task.copy in (Copy.VISIBLE, Copy.WHOLE)
        return task.position < self.end or self.in_test


def _merged(first: Observations, more: Observations, again: Rerun | None) -> Observations:
    """The hidden sections of `more`, and all else of `first`: that was seen before any hidden section had run.

    Where the first ended in a test, it had come to no hidden section, and what stands behind that test is seen in
    `more` before any.
    """
    goes_on = again is not None and again.in_test
    names = {**first.tests, **more.tests}
    tests = {name: _results(first.tests.get(name, []), more.tests.get(name, []), goes_on) for name in names}
    if again is None or not goes_on:
        of_first = {name: getattr(first, name) for name in ("cells", "ended_at", "ended_by", "passed_over")}
        return replace(more, tests=tests, **of_first)
    cells = {at: ran for at, ran in first.cells.items() if at <= again.end}
    cells |= {at: ran for at, ran in more.cells.items() if at > again.end}
    return replace(more, tests=tests, cells=cells, passed_over=f"{first.ended_at}: {first.ended_by}")


def _results(first: list[Result], more: list[Result], goes_on: bool) -> list[Result]:
    """Results of one test, of which a copy may have been lost when the first were seen; `goes_on`: or to which that run
    did not come."""
    visible = [
        result
        for result in first
        if not result[0].hidden and not result[2].status.is_missing_branch
        if not goes_on or result[2].status is not StepStatus.NOT_RUN
    ]
    sections = [section for section, _, _ in visible]
    visible += [result for result in more if not result[0].hidden and result[0] not in sections]
    return visible + [result for result in more if result[0].hidden]


def _observed(
    sandbox: ZygoteClient,
    plan: NotebookPlan,
    notebook: ReadNotebook,
    judge: Judge,
    late: list[str],
    partly: Callable[[Observations], None],
    *,
    again: Rerun | None = None,
    recover_until_s: float = 0.0,
) -> AtWork[Observations]:
    """Observe the tests in `late` at the end of the notebook, all others at their places.

    Where the notebook ends in a visible test before the time `recover_until_s`, nothing hidden is observed: it is to be
    run again, without that test.
    """
    seen, cells = Observations(), notebook.cells
    limits = sandbox.spec.limits
    tests = [plan.tests[cell.grade_id] for cell in cells if cell.is_test and notebook.observes(cell.grade_id)]
    wanted = [(test.grade_id, copy) for test in tests if test.grade_id not in late for copy in _copies(test)]
    branches = {fork: number for number, fork in enumerate(wanted)}
    tasks = [task for task in _tasks(plan, notebook, branches, late) if again is None or again.runs(task)]
    left_s = limits.notebook_timeout_s if again is None else again.left_s
    with sandbox.session(branches=len(wanted)) as session:
        if notebook.files:
            session.notebook.put(notebook.files)
        for branch in session.branches:
            branch.over = StepStatus.NOT_RUN  # until it is forked
        session.notebook.send((task.step for task in tasks), limits.cell_timeout_s, left_s)
        yield
        _receive_notebook(session.notebook, session.branches, cells, tasks, seen)
        is_recovered = seen.ended_in_test and seen.can_be_repeated(recover_until_s - time.monotonic())
        if seen.ended_at and (late or is_recovered):  # the end took with it what was remembered for tests at the end
            seen.unfinished = True
            return seen
        clock = Clock(limits)  # its own: slow cells of the student's take nothing from a test
        session.begin()
        copies = [(plan.tests[name], copy, number) for number, (name, copy) in enumerate(wanted)]
        for test, copy, number in copies:
            if copy is Copy.VISIBLE:
                _take_turn(session, number, clock, notebook=bool(late))
                _run_remote(session.branches[number], clock, test, seen, judge, whole=False)
        # From here on nothing that is observed is told but by constant words.
        if late:
            are_last = all(copy is Copy.VISIBLE for _, copy, _ in copies)
            when_partly_seen = partly if are_last else lambda _: None
            yield from _run_late(session.notebook, clock, [plan.tests[name] for name in late], seen, when_partly_seen)
            if seen.unfinished:
                return seen
        for test, copy, number in copies:
            if copy is not Copy.VISIBLE:
                _take_turn(session, number, clock)
            if copy is Copy.WHOLE:
                _run_remote(session.branches[number], clock, test, seen, judge, whole=True)
            elif copy is Copy.AFTER:
                yield from _run_hidden(session.branches[number], clock, test, seen)
    return seen


def _take_turn(session: Session, number: int, clock: Clock, *, notebook: bool = False) -> None:
    """Let a copy be asked, if there is time left. `notebook`: whether the notebook is yet to be asked itself."""
    branch = session.branches[number]
    if clock.limit() > 0:
        with clock.running():
            session.turn(number, notebook=notebook)
    else:
        branch.over = branch.over or StepStatus.NOT_RUN


class Copy(Enum):
    """What a copy of the notebook that is made at a test is for."""

    VISIBLE = "visible"  # as it stands before the test: the judge runs the visible sections, and asks it
    WHOLE = "whole"  # the same, for all sections in their order; the only one where the judge runs them all
    AFTER = "after"  # as the visible sections leave it: hidden ones are run in it


def _copies(test: TestPlan) -> list[Copy]:
    """Copies of the notebook that a test needs."""
    visible, hidden = (any(section.hidden is wanted for section in test.remote_sections) for wanted in (False, True))
    visible = visible and not test.is_asked_at_once
    wanted = {Copy.VISIBLE: visible, Copy.WHOLE: hidden, Copy.AFTER: test.forked_after}
    return [copy for copy, is_needed in wanted.items() if is_needed]


@dataclass(frozen=True)
class Task:
    """A step of a notebook, for the cell at that position; and the section of a test that it is, if it is one."""

    position: int
    step: Step
    test: TestPlan | None = None
    section: Section | None = None
    judge: JudgePlan | None = None
    copy: Copy | None = None  # that is forked


def _tasks(
    plan: NotebookPlan, notebook: ReadNotebook, branches: dict[tuple[str, Copy], int], late: list[str]
) -> Iterator[Task]:
    """The cells in order; at each test copies are forked that will wait for it, or a mark is left with its number."""
    for position, cell in enumerate(notebook.cells):
        if not cell.is_code or position in notebook.not_run:
            continue
        if not cell.is_test:
            yield Task(position, Step(source=cell.source, cell=notebook.compiled.get(position)))
            continue
        test = plan.tests[cell.grade_id]
        for copy in (Copy.VISIBLE, Copy.WHOLE):
            if (test.grade_id, copy) in branches:
                yield Task(position, Step("branch", number=branches[test.grade_id, copy]), test, copy=copy)
        for section, judge in test.visible:
            step = _step(section, judge, guard=judge is None and test.remote is None)
            yield Task(position, step, test, section, judge)
        if (test.grade_id, Copy.AFTER) in branches:
            after = Copy.AFTER
            yield Task(position, Step("branch", number=branches[test.grade_id, after]), test, copy=after)
        if test.visible:
            yield Task(position, Step("show"), test)
        if test.grade_id in late:
            yield Task(position, Step("mark", number=late.index(test.grade_id)), test)


def _step(section: Section, judge: JudgePlan | None, guard: bool) -> Step:
    code = compiled_section(section.observe, section.names.pythons)
    observed = judge.observed if judge else ()
    measured = section.is_measured
    source = "" if code else section.observe
    return Step(
        source=source,
        code=code,
        names=section.names,
        observe=observed,
        guard=guard,
        measured=measured,
        has_value=section.has_last_value and judge is None,
    )


def _receive_notebook(
    notebook: NotebookChannel, branches: list[NotebookChannel], cells: list[Cell], tasks: list[Task], seen: Observations
) -> None:
    """What became of each task, in order."""
    last = tasks[0].position if tasks else 0
    for task in tasks:
        at = task.position
        if task.test is not None:
            seen.cells.setdefault(at, Ran(StepStatus.OK))
        if not task.step.is_answered:
            continue
        ran = NOT_RUN if seen.ended_at else notebook.receive()
        if task.step.op == "branch":
            _note_branch(branches[task.step.number], ran)
        elif task.test is None:
            seen.cells[at] = ran
        else:
            before = seen.cells[at]
            became = before if task.section is None and ran.status is StepStatus.OK else ran
            outputs, seconds = (*before.outputs, *ran.outputs), before.seconds + ran.seconds
            seen.cells[at] = Ran(became.status, became.ename, became.evalue, outputs, seconds)
            # Of a section that the judge runs it is no evidence; but a loop without an end is not waited for again.
            if task.section and (task.section not in task.test.remote_sections or ran.status.is_over_time):
                seen.tests.setdefault(task.test.grade_id, []).append((task.section, task.judge, ran))
            elif task.section and ran.status is StepStatus.ERROR:
                seen.raised[task.test.grade_id, task.section] = ran
        if not seen.ended_at and notebook.over:
            seen.end, seen.ended_in_test = at, task.section is not None or task.step.op == "show"
            seen.ended_at, seen.ended_by = named(cells[at], at), ENDED_BY.get(notebook.over, PROCESS_ENDED)
        elif not seen.ended_at and ran.status is StepStatus.NOT_RUN:
            seen.end = at
            seen.ended_at, seen.ended_by = named(cells[last], last), "the notebook's time was used up"
        last = at


def _note_branch(branch: NotebookChannel, ran: Ran) -> None:
    """Whether the notebook could make a copy of itself."""
    if ran.status is StepStatus.OK:
        branch.over = None
    elif ran.status in (StepStatus.ERROR, StepStatus.STOPPED):
        branch.over, branch.why = StepStatus.LOST, NO_COPY
    else:
        branch.over = StepStatus.NOT_RUN


def _hidden(test: TestPlan, seen: Observations) -> list[tuple[Section, JudgePlan | None]]:
    """Hidden sections that are to be observed, now that what became of the visible ones is known."""
    if not test.has_checks and any(ran.status is not StepStatus.OK for _, _, ran in seen.tests.get(test.grade_id, [])):
        return []
    return [(section, judge) for section, judge in test.hidden if section not in test.remote_sections]


def _run_hidden(branch: NotebookChannel, clock: Clock, test: TestPlan, seen: Observations) -> AtWork[None]:
    """Hidden sections in a copy of the notebook that was made for their test."""
    sections = _hidden(test, seen)
    branch.send((_step(section, judge, guard=judge is None) for section, judge in sections), clock.cell_s, clock.left_s)
    yield
    for section, judge in sections:
        ran = branch.receive()
        clock.spend(ran)
        seen.tests.setdefault(test.grade_id, []).append((section, judge, ran))


def _run_late(
    notebook: NotebookChannel,
    clock: Clock,
    tests: list[TestPlan],
    seen: Observations,
    partly: Callable[[Observations], None],
) -> AtWork[None]:
    """Hidden sections in the notebook as its last cell left it, with its names as they were at each test.

    An error in one leaves nothing behind; but where a section was stopped or brought the notebook down, what it left is
    not known, and the tests are unfinished.
    """
    wanted = [(mark, test, section, judge) for mark, test in enumerate(tests) for section, judge in _hidden(test, seen)]
    steps: list[Step] = []
    for at, (mark, _, section, judge) in enumerate(wanted):
        if at == 0 or wanted[at - 1][0] != mark:
            steps.append(Step("recall", number=mark))
        steps.append(_step(section, judge, guard=judge is None))
    notebook.send(steps, clock.cell_s, clock.left_s)
    partly(seen)
    yield
    for _, test, section, judge in wanted:
        ran = notebook.receive()
        seen.tests.setdefault(test.grade_id, []).append((section, judge, ran))
        if ran.status not in (StepStatus.OK, StepStatus.ERROR) or ran.ename in UNFINISHED:
            seen.unfinished = True
            return


def _run_remote(
    branch: NotebookChannel, clock: Clock, test: TestPlan, seen: Observations, judge: Judge, *, whole: bool
) -> None:
    """Have the judge run the sections that have no judge half, in order, until one fails: the visible ones, or all.

    The visible ones are run before and between the hidden ones, so that these find the names that they set. What
    becomes of them then counts as what becomes of a hidden one: copies that were told what is hidden have had their
    turn.
    """
    assert test.remote is not None
    results = seen.tests.setdefault(test.grade_id, [])
    failed = [plan for _, plan, ran in results if ran.status is not StepStatus.OK]
    if failed and (None in failed or (whole and not test.has_checks)):
        return
    sections = [(at, section) for at, section in enumerate(test.remote_sections) if whole or not section.hidden]
    if branch.over:
        ran = NOT_RUN if branch.over is StepStatus.NOT_RUN else Ran(branch.over, evalue=branch.why)
        results.append((next(section for _, section in sections if section.hidden is whole), None, ran))
        return
    try:
        with RemoteTest(judge, test.remote, branch) as remote:
            for number, section in sections:
                ran = remote.run(section, number, clock.limit())
                clock.spend(ran)
                if section.hidden is whole or test.is_asked_at_once or ran.status is not StepStatus.OK:
                    results.append(_as_told(test, section, ran, seen, whole=whole))
                if ran.status is not StepStatus.OK:
                    break
            seen.noted[test.grade_id] = seen.noted.get(test.grade_id, frozenset()) | remote.sites
    except JudgeFailed as error:
        results.append((replace(sections[0][1], hidden=whole), None, Ran(StepStatus.FAULT, evalue=str(error))))


def _as_told(test: TestPlan, section: Section, ran: Ran, observations: Observations, *, whole: bool) -> Result:
    """What became of a section that the judge has run, as it counts.

    Where the judge runs all of a test at once, a visible section that has raised in the notebook too tells what it
    raised there, before anything hidden was run; of what it raised here nothing is told.
    """
    if section.hidden or not whole or ran.status is StepStatus.OK:
        return section, None, ran
    shown = observations.raised.get((test.grade_id, section)) if test.is_asked_at_once else None
    if ran.status is StepStatus.ERROR and shown is not None:
        return section, None, _with_text_of(ran, shown)
    return replace(section, hidden=True), None, ran


def _with_text_of(ran: Ran, shown: Ran) -> Ran:
    """What became of a section in the judge, whether it failed or raised, in words of the notebook's own."""
    check = AssertionError.__name__
    if ran.ename != check:
        return replace(ran, ename="Error" if shown.ename == check else shown.ename, evalue=shown.evalue)
    text = shown.evalue if shown.ename == check else f"{shown.ename}: {shown.evalue}".rstrip(": ")
    return replace(ran, evalue=text)
