"""Plans the grading of an assignment from its source, once for all of its submissions."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from tito import __version__
from tito.course.cells import grade_id_of, kind_of, points_of
from tito.course.course import Assignment, Course
from tito.course.script import build
from tito.errors import BadSource
from tito.models import CellKind
from tito.plan.evaluation import calls_that_run_values
from tito.plan.meanings import Meanings
from tito.plan.names import NotebookNames, notebook_names
from tito.plan.plan import AssignmentPlan, NotebookPlan, TestPlan, skipped
from tito.plan.remote import possible_plans
from tito.plan.sandbox_specs import workplace
from tito.plan.test_cell import plan_judge, sections
from tito.sandbox.environment import environment
from tito.sandbox.session import SandboxSpec


def plan_assignment(course: Course, assignment: Assignment) -> AssignmentPlan:
    """Read an assignment's source and plan its grading. Builds the source folder where a script stands behind it.

    Raises:
        BadSource: a test cell that cannot be planned; says which cell and why.
    """
    built = build(course, assignment)
    cells = {name: nb.cells for name, nb in built.items()}
    return plan_notebooks(assignment.id, cells, workplace(course, assignment), course.step("source", assignment.id))


def plan_notebooks(assignment: str, built: dict[str, list[Any]], place: SandboxSpec, folder: Path) -> AssignmentPlan:
    """Plan the grading of notebooks, given by name; `folder` holds what they import of the course's own.

    Raises:
        BadSource: a test cell that cannot be planned; says which cell and why.
    """
    staged = frozenset(path.stem for path, _ in place.files)
    notebooks = tuple(plan_notebook(name, cells, staged) for name, cells in built.items())
    judged = all(judge is not None for one in notebooks for test in one.tests.values() for _, judge in test.sections)
    place = replace(place, warm=_imports(notebooks), guarded=not judged)
    return AssignmentPlan(
        assignment=assignment,
        notebooks=notebooks,
        place=place,
        prerequisites=folder,
        tests_hash=_tests_hash(notebooks, place),
        environment_hash=environment(place.packages).hash,
    )


def _imports(notebooks: tuple[NotebookPlan, ...]) -> tuple[str, ...]:
    """What those of the instructor's cells import that are run at grading: worth importing once, ahead of all
    submissions. What only a skipped warm-up needs (a plotting library) would make every fork dearer."""
    lines: list[str] = []
    for one in notebooks:
        not_run = skipped(one.cells)
        run = (cell for position, cell in enumerate(one.cells) if position not in not_run)
        lines += notebook_names(run).imports.values()
    return tuple(dict.fromkeys(lines))


def plan_notebook(name: str, cells: list[Any], staged: frozenset[str] = frozenset()) -> NotebookPlan:
    """Plan the tests of one source notebook; `staged` are packages and modules in the assignment's folder."""
    names, meanings = notebook_names(cells), Meanings.of(cells)
    tests = {grade_id_of(cell): _plan_test(cell, names, meanings) for cell in cells if kind_of(cell) is CellKind.TEST}
    without_judge = [one for one in tests.values() if any(plan is None for _, plan in one.sections)]
    possible = possible_plans(cells, staged) if without_judge else {}
    for one in without_judge:
        tests[one.grade_id] = replace(one, possible=possible.get(one.grade_id, ()))
    return NotebookPlan(name, tuple(cells), tests)


def _plan_test(cell: Any, names: NotebookNames, meanings: Meanings) -> TestPlan:
    grade_id = grade_id_of(cell)
    found = [replace(one, names=meanings.in_section(one.observe)) for one in sections(cell.source, grade_id)]
    planned = tuple((one, plan_judge(one, names, grade_id) if one.judge is not None else None) for one in found)
    checks = [one for section in found for one in section.checks]
    if checks and sum(one.points for one in checks) != points_of(cell):
        raise BadSource(
            f"{grade_id}: its checks have {sum(one.points for one in checks):g} points, the cell {points_of(cell):g}.",
            hint="Make them agree.",
        )
    runs = any(True for section, judge in planned for _ in calls_that_run_values(section, judge))
    return TestPlan(grade_id, points_of(cell), planned, runs_values=runs)


def _tests_hash(notebooks: tuple[NotebookPlan, ...], place: SandboxSpec) -> str:
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
