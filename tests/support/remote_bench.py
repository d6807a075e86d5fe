"""A notebook of tests without judge halves, graded in a sandbox without a course around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import nbformat
from nbgrader_cells import facts_of

from tito.course.cells import read_cells
from tito.grade.calibrate import _notebook
from tito.grade.observe import observe
from tito.grade.verdicts import verdict_of_test
from tito.judge.judge import Judge
from tito.models import CellVerdict
from tito.plan.plan import NotebookPlan
from tito.plan.planning import plan_notebook
from tito.repair.read_notebook import ReadNotebook, look_at
from tito.repair.repair import Repaired
from tito.sandbox.zygote_client import Sandbox


def cell(source: str, grade_id: str, **facts: bool) -> Any:
    metadata = {"nbgrader": facts_of(grade_id, points=1) | facts}
    return nbformat.v4.new_code_cell(source.strip("\n"), metadata=metadata)


def notebook_of(
    setup: str, solutions: Mapping[str, str], tests: Mapping[str, str], replaced: Mapping[str, str]
) -> list[Any]:
    """Cells: a locked one, then each solution, or what `replaced` has in its place, with its test."""
    cells = [cell(setup, "setup", locked=True)]
    for name, source in solutions.items():
        cells += [
            cell(replaced.get(name, source), name, solution=True),
            cell(tests[name], f"test_{name}", grade=True, locked=True),
        ]
    return cells


class Bench:
    """A sandbox and a judge, and the plan of a notebook, which is calibrated on its reference."""

    def __init__(self, sandbox: Sandbox, judge: Judge, notebook: Callable[..., list[Any]]) -> None:
        self.sandbox, self.judge, self.notebook = sandbox, judge, notebook
        self.plan: NotebookPlan = _notebook(plan_notebook("one", notebook()), sandbox, judge)

    def read(self, **replaced: str) -> ReadNotebook:
        cells = list(read_cells(self.notebook(**replaced)))
        return look_at(self.plan, Repaired(cells, places=list(range(len(cells)))))

    def grade(self, **replaced: str) -> dict[str, CellVerdict]:
        seen = observe(self.sandbox, self.plan, self.read(**replaced), self.judge)
        verdicts = (verdict_of_test(test, seen, self.judge) for test in self.plan.tests.values())
        return {verdict.grade_id: verdict for verdict in verdicts}
