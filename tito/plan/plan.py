"""What grading an assignment needs to know before it sees a submission: tests, points, files, hashes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tito.course.cells import ungraded_tags
from tito.models import JudgePlan, RemotePlan, Section
from tito.plan.magics import WORD, flow_with_magics
from tito.sandbox.session import SandboxSpec


@dataclass(frozen=True)
class TestPlan:
    """One autograded cell: its points, and its sections with what their judges need."""

    __test__ = False

    grade_id: str
    points: float
    sections: tuple[tuple[Section, JudgePlan | None], ...]
    remote: RemotePlan | None = None  # how the judge runs sections without a judge half; None: beside student code
    possible: tuple[RemotePlan, ...] = ()  # until the reference's run has told which of these serves
    runs_values: bool = False  # whether the judge would run what a student returned, and so can be changed by it

    @property
    def has_checks(self) -> bool:
        """Whether the test gives partial credit."""
        return any(one.checks for one, _ in self.sections)

    @property
    def remote_sections(self) -> tuple[Section, ...]:
        """Sections that the judge runs, in the order of the cell."""
        return tuple(one for one, plan in self.sections if plan is None) if self.remote else ()

    @property
    def forked_after(self) -> bool:
        """Whether hidden sections are observed in a copy of the notebook as the visible ones leave it."""
        return any(one.judge is not None or not self.remote for one, _ in self.hidden)

    @property
    def visible(self) -> tuple[tuple[Section, JudgePlan | None], ...]:
        return tuple(one for one in self.sections if not one[0].hidden)

    @property
    def hidden(self) -> tuple[tuple[Section, JudgePlan | None], ...]:
        return tuple(one for one in self.sections if one[0].hidden)


@dataclass(frozen=True)
class NotebookPlan:
    """One notebook of the assignment: the instructor's cells, and the tests among them by grade id."""

    name: str
    cells: tuple[Any, ...]
    tests: dict[str, TestPlan]


@dataclass(frozen=True)
class AssignmentPlan:
    """All that a worker needs to grade a submission of this assignment."""

    assignment: str
    notebooks: tuple[NotebookPlan, ...]
    place: SandboxSpec
    prerequisites: Path
    tests_hash: str
    environment_hash: str

    @property
    def packages(self) -> frozenset[str]:
        """Names of the packages and modules that lie in the assignment's folder."""
        return packages_of(self.place)


def packages_of(place: SandboxSpec) -> frozenset[str]:
    """Names of the packages and modules that lie in the folder of an assignment."""
    return frozenset(path.stem for path, _ in place.files)


def skipped(cells: Sequence[Any]) -> set[int]:
    """Positions of warm-ups, and of cells that repeat them to validate, which need not be run to grade the others.

    One is skipped when no later cell that is run reads a name that it binds. A cell whose flow cannot be told, for it
    is no Python but for its magics, or would take too long to read, is always run, and taken to read all its words.
    """
    found: set[int] = set()
    needed: frozenset[str] = frozenset()
    for position in reversed(range(len(cells))):
        cell = cells[position]
        flow = flow_with_magics(cell.source) if cell.cell_type == "code" else None
        if flow is None:
            if cell.cell_type == "code":
                needed |= frozenset(WORD.findall(cell.source))
            continue
        if ungraded_tags(cell) and not flow.bound & needed:
            found.add(position)
        else:
            needed = (needed - flow.set) | flow.read
    return found
