"""What grading an assignment needs to know before it sees a submission, computed once: tests, points, files, hashes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tito import __version__
from tito.author.script import build
from tito.cells import grade_id_of, kind_of, points_of, ungraded_tags
from tito.course import Assignment, Course
from tito.errors import BadSource
from tito.grade.names import NotebookNames, flow_of, notebook_names
from tito.grade.remote import possible_plans
from tito.grade.testcell import plan_judge, sections
from tito.grade.workplace import workplace
from tito.models import CellKind, JudgePlan, RemotePlan, Section
from tito.sandbox.environment import environment
from tito.sandbox.session import Workplace


@dataclass(frozen=True)
class TestPlan:
    """One autograded cell: its points, and its sections with what their judges need."""

    __test__ = False

    grade_id: str
    points: float
    sections: tuple[tuple[Section, JudgePlan | None], ...]
    remote: RemotePlan | None = None  # how the judge runs sections without a judge half; None: beside student code
    possible: tuple[RemotePlan, ...] = ()  # until the reference's run has told which of these serves

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
    place: Workplace
    prerequisites: Path
    tests_hash: str
    environment_hash: str


def plan_assignment(course: Course, assignment: Assignment) -> AssignmentPlan:
    """Read an assignment's source and plan its grading. Builds the source folder where a script stands behind it.

    Raises:
        BadSource: a test cell that cannot be planned; says which cell and why.
    """
    built = build(course, assignment)
    folder = course.step("source", assignment.id)
    place = workplace(course, assignment)
    staged = frozenset(path.stem for path, _ in place.files)
    notebooks = tuple(plan_notebook(name, nb.cells, staged) for name, nb in built.items())
    judged = all(judge is not None for one in notebooks for test in one.tests.values() for _, judge in test.sections)
    place = replace(place, warm=_imports(notebooks), guarded=not judged)
    return AssignmentPlan(
        assignment=assignment.id,
        notebooks=notebooks,
        place=place,
        prerequisites=folder,
        tests_hash=_tests_hash(notebooks, place),
        environment_hash=environment(course.sandbox.packages).hash,
    )


def _imports(notebooks: tuple[NotebookPlan, ...]) -> tuple[str, ...]:
    """What those of the instructor's cells import that are run at grading: worth importing once, ahead of all
    submissions. What only a skipped warm-up needs (a plotting library) would make every fork dearer."""
    lines: list[str] = []
    for one in notebooks:
        not_run = skipped(list(one.cells))
        run = (cell for position, cell in enumerate(one.cells) if position not in not_run)
        lines += notebook_names(run).imports.values()
    return tuple(dict.fromkeys(lines))


def plan_notebook(name: str, cells: list[Any], staged: frozenset[str] = frozenset()) -> NotebookPlan:
    """Plan the tests of one source notebook; `staged` are packages and modules in the assignment's folder."""
    names = notebook_names(cells)
    tests = {grade_id_of(cell): _plan_test(cell, names) for cell in cells if kind_of(cell) is CellKind.TEST}
    without_judge = [one for one in tests.values() if any(plan is None for _, plan in one.sections)]
    possible = possible_plans(cells, staged) if without_judge else {}
    for one in without_judge:
        tests[one.grade_id] = replace(one, possible=possible.get(one.grade_id, ()))
    return NotebookPlan(name, tuple(cells), tests)


def _plan_test(cell: Any, names: NotebookNames) -> TestPlan:
    grade_id = grade_id_of(cell)
    found = sections(cell.source, grade_id)
    planned = tuple((one, plan_judge(one, names, grade_id) if one.judge is not None else None) for one in found)
    checks = [one for section in found for one in section.checks]
    if checks and sum(one.points for one in checks) != points_of(cell):
        raise BadSource(
            f"{grade_id}: its checks have {sum(one.points for one in checks):g} points, the cell {points_of(cell):g}.",
            hint="Make them agree.",
        )
    return TestPlan(grade_id, points_of(cell), planned)


def _tests_hash(notebooks: tuple[NotebookPlan, ...], place: Workplace) -> str:
    """Changes with anything that could change a verdict, other than the submission and the installed packages."""
    digest = hashlib.sha256(__version__.encode())
    for notebook in notebooks:
        for cell in notebook.cells:
            digest.update(json.dumps([grade_id_of(cell), kind_of(cell).value, cell.source]).encode())
    for path, name in place.files:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file():
                digest.update(f"{name}/{file.relative_to(path)}".encode() + file.read_bytes())
    digest.update(repr(place.limits).encode())
    return digest.hexdigest()


def skipped(cells: list[Any]) -> set[int]:
    """Positions of warm-ups, and of cells that repeat them to validate, which need not be run to grade the others.

    One is skipped when no later cell that is run reads a name that it binds. A cell that is no plain Python
    (a magic in it) is always run, and taken to read nothing.
    """
    found: set[int] = set()
    needed: frozenset[str] = frozenset()
    for position in reversed(range(len(cells))):
        cell = cells[position]
        flow = flow_of(cell.source) if cell.cell_type == "code" else None
        if flow is None:
            continue
        if ungraded_tags(cell) and not flow.bound & needed:
            found.add(position)
        else:
            needed = (needed - flow.set) | flow.read
    return found
