"""A notebook of tests without judge halves, graded in a sandbox without a course around it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from nbgrader_cells import facts_of

from tito.course.cells import read_cells
from tito.grade.calibrate import _notebook
from tito.grade.observe import observe
from tito.grade.verdicts import verdict_of_test
from tito.judge.judge import Judge, judging
from tito.models import CellVerdict, Evidence, Limits, Verdict
from tito.plan.plan import AssignmentPlan, NotebookPlan
from tito.plan.planning import plan_notebook
from tito.repair.read_notebook import ReadNotebook, look_at
from tito.repair.repair import Repaired
from tito.sandbox.launch import Backend
from tito.sandbox.spec import SandboxSpec
from tito.sandbox.zygote_client import Sandbox


def cell(source: str, grade_id: str, **facts: bool) -> Any:
    metadata = {"nbgrader": facts_of(grade_id, points=1) | facts}
    return nbformat.v4.new_code_cell(source.strip("\n"), metadata=metadata)


def notebook_of(setup: str, solutions: Mapping[str, str], tests: Mapping[str, str], **replaced: str) -> list[Any]:
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
        observations = observe(self.sandbox, self.plan, self.read(**replaced), self.judge)
        verdicts = (verdict_of_test(test, observations, self.judge) for test in self.plan.tests.values())
        return {verdict.grade_id: verdict for verdict in verdicts}

    def assert_passes(self, **replaced: str) -> None:
        """Every test passes, and is judged apart from student code."""
        results = self.grade(**replaced)
        verdicts = {name: (result.verdict, result.evidence) for name, result in results.items()}
        assert verdicts == dict.fromkeys(self.plan.tests, (Verdict.PASSED, Evidence.REMOTE)), results

    def assert_loses(self, name: str, source: str) -> None:
        """What a student has in the place of a solution loses its test, and no other."""
        results = self.grade(**{name: source})
        assert results[f"test_{name}"].verdict in (Verdict.FAILED, Verdict.ERROR), results
        others = {key: result.verdict for key, result in results.items() if key != f"test_{name}"}
        assert others == dict.fromkeys(others, Verdict.PASSED), results


@contextmanager
def bench_of(
    backend: Backend, notebook: Callable[..., list[Any]], files: tuple[tuple[Path, str], ...] = ()
) -> Iterator[Bench]:
    """A bench with a sandbox and a judge of its own."""
    spec = SandboxSpec(files, ("ipython", "numpy"), ("import numpy as np",), Limits(cell_timeout_s=3.0, memory_mb=1024))
    plan = AssignmentPlan("one", (), spec, Path(), "", "")
    with Sandbox(backend, spec) as sandbox, judging(backend, plan) as judge:
        yield Bench(sandbox, judge, notebook)
