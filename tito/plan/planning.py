"""Plans the grading of an assignment from its source, once for all of its submissions."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from tito import __version__
from tito.course.cells import Cell, read_cells
from tito.course.course import Assignment, Course
from tito.course.kernels import require_python
from tito.course.python_source import Source
from tito.course.script import build, with_header_and_footer
from tito.errors import BadSource
from tito.models import Section
from tito.plan.autotests import instantiated
from tito.plan.evaluation import calls_that_run_values
from tito.plan.handed_in import HandedInRule
from tito.plan.hidden_names import HiddenNames
from tito.plan.interference import keeps_no_state
from tito.plan.magics import readable
from tito.plan.meanings import Meanings
from tito.plan.names import NotebookNames, notebook_names
from tito.plan.packages import require_packages
from tito.plan.partial_credit import with_last_value
from tito.plan.plan import AssignmentPlan, NotebookPlan, TestPlan, skipped
from tito.plan.remote import possible_plans
from tito.plan.sandbox_specs import files_of, notebook_spec
from tito.plan.shipped_files import reference_folder, rule_of, with_reference
from tito.plan.test_cell import plan_judge, sections
from tito.sandbox.environment import environment
from tito.sandbox.spec import SandboxSpec


def plan_assignment(course: Course, assignment: Assignment) -> AssignmentPlan:
    """Read an assignment's source and plan its grading. Builds the source folder where a script stands behind it.

    Raises:
        BadSource: a test cell that cannot be planned; says which cell and why. Or a notebook in another language, or
            one that imports what no notebook of this course can.
        SandboxUnavailable: the reference has to be run for it, and cannot be.
    """
    built = with_header_and_footer(course, build(course, assignment))
    require_python(assignment.id, built)
    built = instantiated(course, assignment, built)
    cells = {name: nb.cells for name, nb in built.items()}
    spec = notebook_spec(course, assignment)
    rule = rule_of(course.files, assignment.id, spec, course.package)
    rule = with_reference(rule, reference_folder(course, assignment.id))
    plan = plan_notebooks(assignment.id, cells, spec, course.step("source", assignment.id), rule)
    require_packages(course, assignment, {notebook.name: notebook.cells for notebook in plan.notebooks})
    notebooks = (replace(notebook, stubs=course.stubs, is_run=course.runs) for notebook in plan.notebooks)
    tests_hash = plan.tests_hash if course.runs else f"{plan.tests_hash}, not run"
    return replace(plan, notebooks=tuple(notebooks), tests_hash=tests_hash)


def plan_notebooks(
    assignment: str, built: dict[str, list[Any]], spec: SandboxSpec, folder: Path, rule: HandedInRule | None = None
) -> AssignmentPlan:
    """Plan the grading of notebooks, given by name; `folder` holds what they import of the course's own, and by `rule`
    files are taken that are handed in beside them.

    Raises:
        BadSource: a test cell that cannot be planned; says which cell and why.
    """
    rule = rule or HandedInRule()
    packages = frozenset(path.stem for path, _ in spec.files)
    stateless = packages & stateless_modules(spec)
    notebooks = tuple(
        replace(plan_notebook(name, cells, packages), packages=stateless, files=rule.reference)
        for name, cells in built.items()
    )
    tests = (test for notebook in notebooks for test in notebook.tests.values())
    judged = all(judge is not None for test in tests for _, judge in test.sections)
    spec = replace(spec, warm=_imports(notebooks), guarded=not judged)
    return AssignmentPlan(
        assignment=assignment,
        notebooks=notebooks,
        spec=spec,
        prerequisites=folder,
        tests_hash=_tests_hash(assignment, notebooks, spec, rule),
        environment_hash=environment(spec.packages).hash,
        handed_in=replace(rule, imported=frozenset(_imported_modules(notebooks))),
        packages=environment(spec.packages).versions_of(spec.packages),
    )


def _imported_modules(notebooks: tuple[NotebookPlan, ...]) -> Iterator[str]:
    """Names of modules that the instructor's cells import, anywhere in them; not of what lies in packages."""
    for cell in (cell for notebook in notebooks for cell in readable(notebook.cells) if cell.is_code):
        for node in cell.code.nodes if cell.code.body is not None else ():
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield node.module.partition(".")[0]


def stateless_modules(spec: SandboxSpec) -> frozenset[str]:
    """Names of modules of the course's that keep no state and write no files. Of a staged package that is assumed."""
    names = {path.stem for path, name in spec.files if name in spec.staged}
    modules = {path.stem: Source(path.read_text("utf-8", "replace")) for path, _ in spec.files if path.suffix == ".py"}
    stateless = frozenset({*names, *modules})
    while True:  # until all that they import of each other is stateless too
        left = frozenset({*names, *(name for name in modules if keeps_no_state(modules[name], stateless))})
        if left == stateless:
            return stateless
        stateless = left


def _imports(notebooks: tuple[NotebookPlan, ...]) -> tuple[str, ...]:
    """What those of the instructor's cells import that are run at grading: worth importing once, ahead of all
    submissions. What only a skipped warm-up needs (a plotting library) would make every fork dearer."""
    lines: list[str] = []
    for notebook in notebooks:
        not_run = skipped(notebook.cells)
        run = (cell for position, cell in enumerate(notebook.cells) if position not in not_run)
        lines += notebook_names(readable(run)).imports.values()
    return tuple(dict.fromkeys(lines))


def plan_notebook(name: str, nodes: Iterable[Any], packages: frozenset[str] = frozenset()) -> NotebookPlan:
    """Plan the tests of one source notebook, whose cells are in the notebook format; `packages` are those of packages
    and modules in the assignment's folder."""
    cells = read_cells(nodes)
    plain = readable(cells)
    names, meanings, hidden_names = notebook_names(plain), Meanings.of(cells), HiddenNames()
    tests: dict[str, TestPlan] = {}
    for cell in cells:
        if cell.is_test:
            parts = hidden_names.in_test(cell.grade_id, sections(cell.source, cell.grade_id))
            tests[cell.grade_id] = _plan_test(cell, parts, names, meanings)
        else:
            hidden_names.follow(cell)
    without_judge = [
        test for test in tests.values() if any(plan is None for _, plan in test.sections) and not test.runs_values
    ]
    possible = possible_plans(plain, packages) if without_judge else {}
    for test in without_judge:
        tests[test.grade_id] = replace(test, possible=possible.get(test.grade_id, ()))
    return NotebookPlan(name, cells, tests, packages)


def _plan_test(cell: Cell, sections: Iterable[Section], names: NotebookNames, meanings: Meanings) -> TestPlan:
    parts = [replace(section, names=meanings.in_section(section.observe)) for section in with_last_value([*sections])]
    planned = tuple(
        (section, plan_judge(section, names, cell.grade_id) if section.judge is not None else None) for section in parts
    )
    points = [check.points for section in parts for check in section.checks]
    if points and sum(points) != cell.points:
        raise BadSource(
            f"{cell.grade_id}: its checks have {sum(points):g} points, the cell {cell.points:g}.",
            hint="Make them agree.",
        )
    imports = names.imports.values()
    runs = any(True for section, judge in planned for _ in calls_that_run_values(section, judge, imports))
    return TestPlan(cell.grade_id, cell.points, planned, runs_values=runs)


def _tests_hash(assignment: str, notebooks: tuple[NotebookPlan, ...], spec: SandboxSpec, rule: HandedInRule) -> str:
    """Changes with anything that could change a record, other than the submission and the installed packages: what two
    assignments share, or two notebooks, is told apart by their names."""
    digest = hashlib.sha256(json.dumps([__version__, assignment]).encode())
    for notebook in notebooks:
        digest.update(json.dumps([notebook.name, len(notebook.cells)]).encode())
        for cell in notebook.cells:
            facts = [cell.grade_id, cell.kind.value, cell.cell_type, cell.points, cell.tags, cell.source]
            digest.update(json.dumps(facts).encode())
    for name, file in files_of(spec):
        digest.update(name.encode() + file.read_bytes())
    digest.update(repr((spec.limits, spec.copied_mb, rule.wanted, rule.limits, rule.reference)).encode())
    return digest.hexdigest()
