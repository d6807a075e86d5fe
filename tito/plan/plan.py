"""What grading an assignment needs to know before it sees a submission: tests, points, files, hashes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from tito.course.cells import Cell
from tito.models import JudgePlan, RemotePlan, Section, Stubs
from tito.plan.handed_in import HandedInRule
from tito.plan.interference import TestTraces, traces_of
from tito.plan.magics import WORD, flow_with_magics
from tito.sandbox.spec import SandboxSpec


@dataclass(frozen=True)
class TestPlan:
    """One autograded cell: its points, and its sections with what their judges need."""

    __test__ = False

    grade_id: str
    points: float
    sections: tuple[tuple[Section, JudgePlan | None], ...]
    remote: RemotePlan | None = None  # how the judge runs sections without a judge half; None: beside student code
    possible: tuple[RemotePlan, ...] = ()  # until the reference's run has told which of these serves
    gives_points: bool = False  # whether its last value is points, as the reference's run has told
    why_beside: str = ""  # why a test without judge halves is not run by the judge, once that is known
    runs_values: bool = False  # whether the judge would run what a student returned, and so can be changed by it

    @property
    def is_told(self) -> bool:
        """Whether the judge runs it with modules of the notebook's own (a database, a function's source), in whose
        place student code can put others."""
        return self.remote is not None and bool(self.remote.modules)

    @property
    def has_checks(self) -> bool:
        """Whether the test gives partial credit."""
        return any(section.checks for section, _ in self.sections)

    @property
    def has_last_value(self) -> bool:
        """Whether it ends in what may be its points."""
        return any(section.has_last_value for section, _ in self.sections)

    @property
    def remote_sections(self) -> tuple[Section, ...]:
        """Sections that the judge runs, in the order of the cell."""
        return tuple(section for section, plan in self.sections if plan is None) if self.remote else ()

    @property
    def is_asked_at_once(self) -> bool:
        """Whether the judge runs all of its sections, of which some are hidden: in one copy of the notebook."""
        return self.remote is not None and bool(self.hidden) and all(plan is None for _, plan in self.sections)

    @property
    def forked_after(self) -> bool:
        """Whether hidden sections are observed in a copy of the notebook as the visible ones leave it."""
        return any(section.judge is not None or not self.remote for section, _ in self.hidden)

    @property
    def visible(self) -> tuple[tuple[Section, JudgePlan | None], ...]:
        return tuple(planned for planned in self.sections if not planned[0].hidden)

    @property
    def hidden(self) -> tuple[tuple[Section, JudgePlan | None], ...]:
        return tuple(planned for planned in self.sections if planned[0].hidden)


@dataclass(frozen=True)
class NotebookPlan:
    """One notebook of the assignment: the instructor's cells, the tests among them by grade id, and the names of those
    packages and modules in the assignment's folder that keep no state. `files` are contents of what the reference hands
    in beside it, by path; `stubs` are what is released in the place of solutions; `is_run` says whether submissions are
    run at all."""

    name: str
    cells: tuple[Cell, ...]
    tests: dict[str, TestPlan]
    packages: frozenset[str] = frozenset()
    files: dict[str, bytes] = field(default_factory=dict)
    stubs: Stubs = field(default_factory=Stubs)
    is_run: bool = True

    @cached_property
    def by_grade_id(self) -> dict[str, Cell]:
        """The cells that have a grade id."""
        return {cell.grade_id: cell for cell in self.cells if cell.grade_id}

    @property
    def has_written_answers(self) -> bool:
        """Whether a person grades some of it, who may have to see what the student saw."""
        return any(cell.is_graded and not cell.is_test for cell in self.cells)

    @cached_property
    def judged_apart(self) -> tuple[TestPlan, ...]:
        """Tests, in order, that have hidden sections, and a judge half for every section."""
        tests = (self.tests[cell.grade_id] for cell in self.cells if cell.is_test)
        return tuple(test for test in tests if test.hidden and all(judge is not None for _, judge in test.sections))

    @cached_property
    def traces(self) -> TestTraces | None:
        """What the tests leave in the notebook, of which those that are judged apart are observed at its end."""
        visible = (section.observe for test in self.tests.values() for section, _ in test.visible)
        hidden = (section.observe for test in self.judged_apart for section, _ in test.hidden)
        return traces_of(visible, hidden, self.packages)


@dataclass(frozen=True)
class AssignmentPlan:
    """All that a worker needs to grade a submission of this assignment; `packages` are the course's, with versions."""

    assignment: str
    notebooks: tuple[NotebookPlan, ...]
    spec: SandboxSpec
    prerequisites: Path
    tests_hash: str
    environment_hash: str
    handed_in: HandedInRule = field(default_factory=HandedInRule)
    packages: tuple[tuple[str, str], ...] = ()
    others: tuple[str, ...] = ()  # notebooks of the assignment that are not graded this time


def skipped(cells: Sequence[Cell]) -> set[int]:
    """Positions of warm-ups, and of cells that repeat them to validate, which need not be run to grade the others.

    One is skipped when no later cell that is run reads a name that it binds. A cell whose flow cannot be told, for it
    is no Python but for its magics, or would take too long to read, is always run, and taken to read all its words.
    """
    positions: set[int] = set()
    needed: frozenset[str] = frozenset()
    for position in reversed(range(len(cells))):
        cell = cells[position]
        flow = flow_with_magics(cell.code) if cell.is_code else None
        if flow is None:
            if cell.is_code:
                needed |= frozenset(WORD.findall(cell.source))
            continue
        if cell.tags and not flow.bound & needed:
            positions.add(position)
        else:
            needed = (needed - flow.set) | flow.read
    return positions
