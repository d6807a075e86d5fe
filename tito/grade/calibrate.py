"""Which tests without judge halves the judge can run: the reference's own run tells.

Some tests need what only the notebook's process has: what was drawn, the source of a function, a patched module. So the
reference is observed once before a cohort is graded, and each such test runs in the judge, by its strictest plan first.
Where the reference passes, the plan serves for everyone; where it passes by none, the test stays beside student code.
The same run tells which tests mean points by their last value. Nothing is run where every section has a judge half, and
no test such a value.
"""

from __future__ import annotations

from dataclasses import replace

from tito.errors import JudgeFailed
from tito.grade.in_process import IS_TOLD, NO_PYTHON, RUNS_VALUES, explanation
from tito.grade.observe import observe
from tito.grade.verdicts import gives_points
from tito.judge.judge import Judge, halves_of, sandboxes_for
from tito.plan.plan import AssignmentPlan, NotebookPlan, TestPlan
from tito.plan.sandbox_specs import Lines, Sandboxes
from tito.repair.read_notebook import trusted
from tito.sandbox.inside.step_status import StepStatus
from tito.sandbox.launch import Backend
from tito.sandbox.zygote_client import ZygoteClient


def calibrated(plan: AssignmentPlan, sandboxes: Sandboxes | Lines) -> AssignmentPlan:
    """The plan with its tests' ways to be judged chosen. `sandboxes` are for the plan, or lead to such.

    Raises:
        SandboxUnavailable: the reference could not be run.
        JudgeFailed: the judge failed on it.
    """
    if not _has_questions(plan):
        return plan
    with Judge(sandboxes.judges, halves_of(plan.notebooks)) as judge:
        notebooks = tuple(_notebook(notebook, sandboxes.notebooks, judge) for notebook in plan.notebooks)
    return replace(plan, notebooks=notebooks)


def calibrated_apart(plan: AssignmentPlan, backend: Backend) -> AssignmentPlan:
    """The same in sandboxes of their own, which are started only where there is something to choose."""
    if not _has_questions(plan):
        return plan
    with sandboxes_for(backend, plan) as sandboxes:
        return calibrated(plan, sandboxes)


def _has_questions(plan: AssignmentPlan) -> bool:
    tests = (test for notebook in plan.notebooks for test in notebook.tests.values())
    return any(test.possible or test.has_last_value for test in tests)


def forgeable(plan: AssignmentPlan) -> list[tuple[TestPlan, str]]:
    """Tests of a calibrated plan without judge halves that student code can forge, and how."""
    beside = [(test, _and_why("its asserts run beside student code", test.why_beside)) for test in in_process(plan)]
    tests = [test for notebook in plan.notebooks for test in notebook.tests.values()]
    return beside + [(test, IS_TOLD) for test in tests if test.is_told]


def _and_why(what: str, why: str) -> str:
    return f"{what}: {why}" if why else what


def in_process(plan: AssignmentPlan) -> list[TestPlan]:
    """Tests of a calibrated plan with sections whose asserts can only be run beside student code."""
    tests = [test for notebook in plan.notebooks for test in notebook.tests.values()]
    return [test for test in tests if test.remote is None and any(judge is None for _, judge in test.sections)]


def _notebook(plan: NotebookPlan, sandbox: ZygoteClient, judge: Judge) -> NotebookPlan:
    """Try the possible plans of all tests side by side, each run with the next plan of those that have none yet."""
    chosen = dict(plan.tests)
    attempt = 0
    while open_tests := [test for test in chosen.values() if test.remote is None and len(test.possible) > attempt]:
        tried = {test.grade_id: replace(test, remote=test.possible[attempt]) for test in open_tests}
        chosen |= _tried(replace(plan, tests=plan.tests | tried), tried, sandbox, judge)
        attempt += 1
    plan = replace(plan, tests={name: _settled(test) for name, test in chosen.items()})
    return _with_points(plan, sandbox, judge)


def _with_points(plan: NotebookPlan, sandbox: ZygoteClient, judge: Judge) -> NotebookPlan:
    """With what is known of tests that end in a value: whether the reference's is points."""
    if not any(test.has_last_value for test in plan.tests.values()):
        return plan
    observations = observe(sandbox, plan, trusted(plan), judge)
    tests = {
        name: replace(test, gives_points=gives_points(test, observations, judge)) if test.has_last_value else test
        for name, test in plan.tests.items()
    }
    return replace(plan, tests=tests)


def _settled(test: TestPlan) -> TestPlan:
    """A test for which there is nothing more to choose."""
    is_plain = test.possible or test.remote is not None or all(judge is not None for _, judge in test.sections)
    why = RUNS_VALUES if test.runs_values else test.why_beside if is_plain else NO_PYTHON
    return replace(test, possible=(), why_beside=why)


def _tried(plan: NotebookPlan, tried: dict[str, TestPlan], sandbox: ZygoteClient, judge: Judge) -> dict[str, TestPlan]:
    """Of the tests that are tried, those that the reference passes with the places where its objects were asked; the
    others without a plan, and with the reason."""
    seen = observe(sandbox, plan, trusted(plan), judge)
    outcome = {}
    for name, test in tried.items():
        steps = [ran for _, judge_plan, ran in seen.tests.get(name, []) if judge_plan is None]
        fault = next((ran.evalue for ran in steps if ran.status is StepStatus.FAULT), "")
        if fault:
            raise JudgeFailed(f"{name} could not be judged on the reference: {fault}")
        if len(steps) == len(test.remote_sections) and all(ran.status is StepStatus.OK for ran in steps):
            assert test.remote is not None
            outcome[name] = replace(test, remote=replace(test.remote, sites=seen.noted[name]), why_beside="")
        else:
            failed = [ran for ran in steps if ran.status is not StepStatus.OK]
            outcome[name] = replace(test, remote=None, why_beside=explanation(failed[0]) if failed else "")
    return outcome
