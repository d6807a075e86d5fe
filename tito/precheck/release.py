"""Plans the prechecks of an assignment from its release, which is all that the worker has of it.

The release holds the visible sections of each test with their judge halves, and the package; of hidden tests and
solutions there is nothing in it. Tests without judge halves are run beside student code here: to find out what the
judge could run takes the solution, and who forges a precheck deceives themselves only.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat

from tito.course.cells import grade_id_of, kind_of
from tito.errors import BadSource
from tito.exchange.protocol.records import PrecheckClaim, PrecheckedTest
from tito.models import CellKind, CellVerdict, SubmissionRecord
from tito.plan.plan import AssignmentPlan, NotebookPlan
from tito.plan.planning import plan_notebooks
from tito.plan.shipped_files import rule_of
from tito.plan.test_cell import sections
from tito.sandbox.spec import SandboxSpec

MESSAGE = 2000  # characters of one that are sent


def plan_release(claim: PrecheckClaim, folder: Path) -> AssignmentPlan:
    """How submissions are tested against a release, which was unpacked in `folder`.

    Raises:
        BadSource: it cannot be planned.
    """
    entries = sorted(folder.iterdir())
    spec = SandboxSpec(
        tuple((path, path.name) for path in entries if path.suffix != ".ipynb"),
        tuple(claim.packages),
        limits=claim.limits,
        copied_mb=claim.files.copied_mb,
    )
    rule = rule_of(claim.files, claim.release.assignment, spec)
    notebooks = {path.stem: _cells(path) for path in entries if path.suffix == ".ipynb"}
    plan = plan_notebooks(claim.release.assignment, notebooks, spec, folder, rule)
    return replace(plan, notebooks=tuple(_without_reference(notebook) for notebook in plan.notebooks))


def _cells(path: Path) -> list[Any]:
    try:
        released = nbformat.read(path, as_version=4)
    except (OSError, ValueError, nbformat.ValidationError, nbformat.reader.NotJSONError) as error:
        raise BadSource(f"{path.name} cannot be read: {type(error).__name__}.", hint="Release it again.") from error
    return [_of_visible_checks(cell) if kind_of(cell) is CellKind.TEST else cell for cell in released.cells]


def _of_visible_checks(cell: Any) -> Any:
    """A test of named checks is worth what those of its visible part are worth together."""
    checks = [check for section in sections(cell.source, grade_id_of(cell)) for check in section.checks]
    if not checks:
        return cell
    changed = copy.deepcopy(cell)
    changed.metadata.nbgrader["points"] = sum(check.points for check in checks)
    return changed


def _without_reference(notebook: NotebookPlan) -> NotebookPlan:
    return replace(notebook, tests={name: replace(test, possible=()) for name, test in notebook.tests.items()})


def prechecked_tests(plan: AssignmentPlan, record: SubmissionRecord) -> list[PrecheckedTest]:
    """What is told of a graded submission: its autograded tests, but for those without a visible part."""
    tests = {notebook.name: notebook.tests for notebook in plan.notebooks}
    return [
        _prechecked(notebook.notebook, cell)
        for notebook in record.notebooks
        for cell in notebook.cells
        if (test := tests[notebook.notebook].get(cell.grade_id)) is not None and test.sections
    ]


def _prechecked(notebook: str, cell: CellVerdict) -> PrecheckedTest:
    message = cell.message.encode("utf-8", "backslashreplace").decode()
    return PrecheckedTest(
        notebook, cell.grade_id, cell.verdict.value.upper(), message[:MESSAGE], round(cell.seconds, 3)
    )
