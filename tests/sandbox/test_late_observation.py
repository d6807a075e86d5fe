"""Hidden sections observed in the notebook at its end: the same verdicts as in a copy of it at each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pytest
from tiny import CELLS, script, write_course

from tito.author.release import build_release
from tito.author.variants import filled, read_variants, solutions, submission
from tito.course.course import Assignment, Course, load_course
from tito.course.script import source_notebooks
from tito.grade import observe
from tito.grade.submission import grade_submission
from tito.judge.judge import Judge, judging
from tito.models import Fingerprint, Verdict
from tito.plan.plan import AssignmentPlan
from tito.plan.planning import plan_assignment
from tito.sandbox.bubblewrap import Bubblewrap
from tito.sandbox.zygote_client import Sandbox

ROOT = Path(__file__).resolve().parents[2]
COURSE = load_course(ROOT)
VARIANTS = read_variants(COURSE, COURSE.assignment("16"))
HALVE_JUDGED = (
    CELLS["test_halve"]
    .replace("assert halve(4) ==", "half = halve(4)\n### JUDGE\nassert half ==")
    .replace("assert halve(-919.5) ==", "negative = halve(-919.5)\n### JUDGE\nassert negative ==")
)
Verdicts = dict[str, tuple[Verdict, str]]
Grade = Callable[[Any, bool], tuple[Verdicts, int]]


@pytest.fixture(scope="module")
def module(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Course, Assignment]:
    """A small module that is observed late, or that of the course which a test asks for."""
    if hasattr(request, "param"):
        return COURSE, COURSE.assignment(request.param)
    course = write_course(tmp_path_factory.mktemp("tiny") / "course", script(test_halve=HALVE_JUDGED))
    return course, course.assignment("7")


@pytest.fixture(scope="module")
def source(module: tuple[Course, Assignment]) -> Any:
    (notebook,) = source_notebooks(*module).values()
    return notebook


@pytest.fixture(scope="module")
def stub(module: tuple[Course, Assignment], tmp_path_factory: pytest.TempPathFactory) -> Any:
    release = build_release(*module, tmp_path_factory.mktemp("late") / "release")
    (path,) = release.glob("*.ipynb")
    return nbformat.read(path, as_version=4)


@pytest.fixture(scope="module")
def plan(module: tuple[Course, Assignment]) -> AssignmentPlan:
    planned = plan_assignment(*module)
    limits = replace(planned.spec.limits, cell_timeout_s=3)  # for the variant that loops
    return replace(planned, spec=replace(planned.spec, limits=limits))


@pytest.fixture(scope="module")
def tools(plan: AssignmentPlan) -> Iterator[tuple[Sandbox, Judge]]:
    with Sandbox(Bubblewrap(), plan.spec) as sandbox, judging(Bubblewrap(), plan) as judge:
        yield sandbox, judge


@pytest.fixture
def grade(plan: AssignmentPlan, tools: tuple[Sandbox, Judge], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Grade:
    """Verdicts and messages of a notebook, and how many copies of it were made; observed late where that is allowed."""

    def run(notebook: Any, late: bool) -> tuple[Verdicts, int]:
        nbformat.write(notebook, tmp_path / f"{plan.notebooks[0].name}.ipynb")
        forks: list[object] = []
        tasks = observe._tasks
        with monkeypatch.context() as patched:
            patched.setattr(
                observe,
                "_tasks",
                lambda plan, cells, branches, late: (forks.extend(branches), tasks(plan, cells, branches, late))[1],
            )
            if not late:
                patched.setattr(
                    "tito.grade.submission.observing",
                    lambda sandbox, plan, notebook, *rest: observe.observing(
                        sandbox, plan, replace(notebook, needs_no_copies=False), *rest
                    ),
                )
            graded = grade_submission(plan, "ada", tmp_path, *tools, Fingerprint("", "", ""))
        return {cell.grade_id: (cell.verdict, cell.message) for cell in graded.record.cells}, len(forks)

    return run


@pytest.mark.parametrize("module", ["16"], indirect=True, scope="module")
@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_simulated_students_get_the_same_verdicts_and_messages(
    variant: Any, source: Any, stub: Any, grade: Grade
) -> None:
    notebook = submission(variant, source, stub)
    late, _ = grade(notebook, True)
    in_place, copies = grade(notebook, False)
    assert late == in_place
    assert copies > 1


def test_a_right_notebook_is_not_copied(source: Any, stub: Any, grade: Grade) -> None:
    assert grade(filled(stub, solutions(source)), True)[1] == 0


def with_cell(source: Any, stub: Any, text: str) -> Any:
    """A right notebook with a cell at its end."""
    notebook = filled(stub, solutions(source))
    notebook.cells.append(nbformat.v4.new_code_cell(text))
    return notebook


def test_a_name_that_is_set_again_later_stands_for_what_it_did_at_the_test(
    source: Any, stub: Any, grade: Grade
) -> None:
    notebook = with_cell(source, stub, "def double(values):\n    return None")
    late, copies = grade(notebook, True)
    assert copies == 0
    assert late == grade(notebook, False)[0]
    assert {verdict for verdict, _ in late.values()} == {Verdict.PASSED, Verdict.MANUAL}


def test_where_a_later_cell_changes_what_was_there_each_test_has_its_copy(source: Any, stub: Any, grade: Grade) -> None:
    notebook = with_cell(source, stub, "np.float64 = lambda value: None")
    late, copies = grade(notebook, True)
    assert copies > 1
    assert {verdict for verdict, _ in late.values()} == {Verdict.PASSED, Verdict.MANUAL}


def test_a_notebook_that_ends_early_is_observed_again_in_place(source: Any, stub: Any, grade: Grade) -> None:
    """Its end takes what was remembered with it; all other tests count all the same, those behind that point too."""
    notebook = filled(stub, solutions(source))
    cell = next(cell for cell in notebook.cells if "def halve(" in cell.source)
    cell.source = """
def halve(value):
    return fall(np.zeros(1 << 20, dtype=np.uint8))


def fall(memory):
    while True:
        memory = np.lib.stride_tricks.as_strided(memory, (1 << 40,))
        memory[-1] = 1
"""
    late, copies = grade(notebook, True)
    assert copies > 1
    assert late == grade(notebook, False)[0]
    lost = [name for name, (verdict, _) in late.items() if verdict not in (Verdict.PASSED, Verdict.MANUAL)]
    assert len(lost) == 1 and late[lost[0]][0] is Verdict.ERROR
