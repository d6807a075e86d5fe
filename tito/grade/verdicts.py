"""Verdicts, of what was observed of a notebook's tests and what the judge says of it. Nothing is run here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tito.course.cells import Cell
from tito.errors import JudgeFailed
from tito.grade.causes import HIDDEN_FAILED, HIDDEN_LIMIT, Failure, explained
from tito.grade.in_process import IS_TOLD, RUNS_VALUES
from tito.grade.observe import Observations, Result
from tito.judge.judge import Answers, Judge, Judgement, Question
from tito.judge.worker import NO_VALUE, UNSAID
from tito.models import (
    CellVerdict,
    CheckVerdict,
    Evidence,
    JudgePlan,
    NamedCheck,
    NotebookVerdicts,
    Section,
    Verdict,
)
from tito.plan.partial_credit import credit_for, is_points
from tito.plan.plan import NotebookPlan, TestPlan
from tito.sandbox.inside.step_status import StepStatus
from tito.sandbox.steps import Ran

NOT_JUDGED = "This test could not be judged; a person will look at it."
NO_TIME_LEFT = "Not run: no time was left for this test."
LIMITS = (Verdict.TIMEOUT, Verdict.MEMORY, Verdict.NOT_RUN)
BROKEN_AT = {"time": Verdict.TIMEOUT, "memory": Verdict.MEMORY}
NO_POINTS = "What this test counted is no number of its points; a person will look at it."
WAITS_FOR_A_PERSON = "Waits to be graded by a person."


def replaced_names(ran: Iterable[Ran]) -> str:
    """What student code had replaced of what asserts rely on, as the student's process tells it."""
    return ", ".join(dict.fromkeys(name for each in ran for name in each.tampered))


def questions(seen: Observations) -> list[Question]:
    """What there is to ask the judge about a notebook: the visible sections first, whatever the others do to it."""
    results = [(name, *result) for name, results in seen.tests.items() for result in results]
    sections = sorted(results, key=lambda result: result[1].hidden)
    judged = (
        (name, section, plan, ran) for name, section, plan, ran in sections if plan is not None and is_complete(ran)
    )
    return [Question(section, plan, ran.observed, ran.measured, name) for name, section, plan, ran in judged]


def broken_tests(seen: Observations, answers: Answers) -> list[tuple[str, str]]:
    """Tests whose values broke judges, and at what limit."""
    limits = {id(question.observed): limit for question, limit in answers.broken}
    broken = {
        name: limits[id(ran.observed)]
        for name, results in seen.tests.items()
        for _, _, ran in results
        if id(ran.observed) in limits
    }
    return list(broken.items())


def is_complete(ran: Ran) -> bool:
    """Whether a section gave all that it was to give."""
    return ran.status is StepStatus.OK and not ran.refused


def verdicts_of(
    plan: NotebookPlan, cells: Iterable[Cell], seen: Observations, judge: Answers, causes: list[Failure]
) -> Iterator[CellVerdict]:
    """Verdicts of the graded cells, in order; `causes` are cells that went wrong, of which a verdict tells."""
    for cell in cells:
        if cell.is_test:
            test = plan.tests[cell.grade_id]
            yield explained(verdict_of_test(test, seen, judge), test, causes)
        elif cell.is_graded:
            yield CellVerdict(cell.grade_id, Verdict.MANUAL, None, cell.points, message=WAITS_FOR_A_PERSON)


def verdict_of_test(test: TestPlan, seen: Observations, judge: Judge | Answers) -> CellVerdict:
    """PASSED only when every section gave evidence for it; else the first section that did not says why.

    Where the test is made of named checks, each that passed earns its points whatever became of the others.
    """
    results = seen.tests.get(test.grade_id, [])
    outcomes: list[Outcome] = []
    for section, plan, ran in results:
        otherwise = Evidence.REMOTE if test.remote else Evidence.IN_PROCESS
        outcomes.append(_outcome(section, plan, ran, judge, otherwise, _not_run_message(seen)))
        if not test.has_checks and outcomes[-1].verdict is not Verdict.PASSED:
            break
    seconds = sum(ran.seconds for _, _, ran in results)
    memory_mb = max((ran.memory_mb for _, _, ran in results), default=0.0)
    checks = tuple(check for outcome in outcomes for check in outcome.checks) + _not_reached(test, results)
    failed = next((outcome for outcome in outcomes if outcome.verdict is not Verdict.PASSED), None)
    if failed is None and (len(outcomes) < len(test.sections) or not outcomes):
        failed = Outcome(Verdict.NOT_RUN, Evidence.NONE, _not_run_message(seen))
    evidence = _evidence(test, outcomes, failed)
    why = _why_forgeable(test, evidence)
    visible = list(_before_hidden(test, results))
    visible_s, visible_mb = sum(ran.seconds for ran in visible), max((ran.memory_mb for ran in visible), default=0.0)
    informs = seconds, checks, memory_mb, why, visible_s, visible_mb
    if failed is None:
        earned = _by_last_value(test, outcomes)
        detail = "; ".join(filter(None, [*(outcome.detail for outcome in outcomes), earned.detail]))
        return CellVerdict(
            test.grade_id,
            earned.verdict,
            earned.points,
            test.points,
            evidence,
            earned.message,
            detail,
            *informs,
        )
    platform = any(outcome.verdict is Verdict.PLATFORM for outcome in outcomes)
    points = None if platform else sum((check.points for check in checks), 0.0)
    verdict = Verdict.PLATFORM if platform else failed.verdict
    message = "; ".join(check.message for check in checks if check.message) or failed.message
    return CellVerdict(test.grade_id, verdict, points, test.points, evidence, message, failed.detail, *informs)


@dataclass(frozen=True)
class _Earned:
    """What a test gives whose sections have all passed."""

    verdict: Verdict
    points: float | None
    message: str = ""
    detail: str = ""


def _before_hidden(test: TestPlan, results: list[Result]) -> Iterator[Ran]:
    """Sections that ran where nothing hidden had been run: a test that the judge asks about has hidden parts before it,
    of other tests, unless all of it is visible."""
    all_visible = not any(section.hidden for section, _ in test.sections)
    for section, plan, ran in results:
        if not section.hidden and (plan is not None or test.remote is None or all_visible):
            yield ran


def _by_last_value(test: TestPlan, outcomes: list[Outcome]) -> _Earned:
    """All points, or as many as its last value says. Its text is for the TA: it may hold what is hidden."""
    credit = credit_for(_last_value(outcomes), test.points, expected=test.gives_points)
    if credit.points is None:
        return _Earned(Verdict.MANUAL, None, NO_POINTS, credit.remark)
    if credit.points < test.points:
        message = f"Partial credit: {credit.points:g} of {test.points:g} points."
        return _Earned(Verdict.FAILED, credit.points, message, credit.remark)
    return _Earned(Verdict.PASSED, test.points, "", credit.remark)


def _last_value(outcomes: list[Outcome]) -> str:
    """The text of a test's last value, of which one section tells; "" where there is none."""
    return next((outcome.value for outcome in outcomes if outcome.value), "")


def gives_points(test: TestPlan, observations: Observations, judge: Judge) -> bool:
    """Whether the last value of a test is a number of its points, where all of it has passed."""
    results = observations.tests.get(test.grade_id, [])
    outcomes = [_outcome(section, plan, ran, judge, Evidence.NONE) for section, plan, ran in results]
    passed = len(outcomes) == len(test.sections) and all(outcome.verdict is Verdict.PASSED for outcome in outcomes)
    return passed and is_points(_last_value(outcomes), test.points)


WEAKEST_FIRST = (Evidence.IN_PROCESS, Evidence.REPORTED, Evidence.REMOTE, Evidence.JUDGED)


def _why_forgeable(test: TestPlan, evidence: Evidence) -> str:
    """What would change it, for the author."""
    if evidence is Evidence.IN_PROCESS:
        return RUNS_VALUES if test.runs_values else test.why_beside
    return IS_TOLD if test.is_told else ""


def _evidence(test: TestPlan, outcomes: list[Outcome], failed: Outcome | None) -> Evidence:
    """What a verdict rests on: the weakest of the sections that give points, or else the one that failed.

    A test that takes a student's word for anything is reported, whatever came of it; one that runs what a student
    returned has no process without student code.
    """
    if test.runs_values and any(outcome.evidence is not Evidence.NONE for outcome in outcomes):
        return Evidence.IN_PROCESS
    seen = {outcome.evidence for outcome in outcomes if failed is None or any(check.points for check in outcome.checks)}
    otherwise = failed.evidence if failed is not None else Evidence.NONE
    evidence = next((weakest for weakest in WEAKEST_FIRST if weakest in seen), otherwise)
    beside = test.remote is None and any(plan is None for _, plan in test.sections)
    reported = test.is_told or any(section.reported for section, _ in test.sections)
    return Evidence.REPORTED if reported and not (beside and evidence is Evidence.IN_PROCESS) else evidence


def _not_reached(test: TestPlan, results: list[tuple[Section, JudgePlan | None, Ran]]) -> tuple[CheckVerdict, ...]:
    """No points for the named checks of sections that were not run."""
    run = [section for section, _, _ in results]
    missed = (check for section, _ in test.sections if section not in run for check in section.checks)
    return tuple(CheckVerdict(check.name, 0.0, check.points, f"{check.name}: not run") for check in missed)


@dataclass(frozen=True)
class Outcome:
    """What became of one section of a test."""

    verdict: Verdict
    evidence: Evidence
    message: str = ""
    detail: str = ""
    checks: tuple[CheckVerdict, ...] = ()
    value: str = ""  # what a kernel would show of the test's last value


def _outcome(
    section: Section,
    plan: JudgePlan | None,
    ran: Ran,
    judge: Judge | Answers,
    otherwise: Evidence,
    not_run: str = NO_TIME_LEFT,
) -> Outcome:
    """What became of a section.

    Args:
        otherwise: the evidence that a section without a judge half gives.
        not_run: why it was not run, if it was not.
    """
    if ran.status is StepStatus.FAULT:
        return Outcome(Verdict.PLATFORM, Evidence.NONE, NOT_JUDGED, ran.evalue)
    if plan is None or not is_complete(ran):
        verdict, message, detail = _without_judge(section, plan, ran, not_run)
        evidence = otherwise if plan is None else Evidence.IN_PROCESS
        if ran.status is StepStatus.NOT_RUN:
            evidence = Evidence.NONE
        checks = tuple(
            CheckVerdict(check.name, 0.0, check.points, f"{check.name}: {message}") for check in section.checks
        )
        return Outcome(verdict, evidence, message, detail, checks, ran.value if section.has_last_value else "")
    if section.is_measured and ran.measured is None:
        return Outcome(Verdict.PLATFORM, Evidence.NONE, NOT_JUDGED, "What it took could not be measured.")
    try:
        judgement = judge.judgement(Question(section, plan, ran.observed, ran.measured))
    except JudgeFailed as error:
        return Outcome(Verdict.PLATFORM, Evidence.NONE, NOT_JUDGED, str(error))
    checks = tuple(_check_verdict(section, *pair) for pair in zip(section.checks, judgement.checks, strict=True))
    verdict = (
        Verdict.PASSED
        if judgement.yes
        else BROKEN_AT.get(judgement.broke, Verdict.ERROR)
        if judgement.broke
        else Verdict.FAILED
    )
    message = _judgement_message(section, judgement)
    return Outcome(verdict, Evidence.JUDGED, message, judgement.detail, checks, judgement.value)


def _judgement_message(section: Section, judgement: Judgement) -> str:
    """Of a hidden section the author's words, or those that all have in common which failed without any."""
    if section.hidden and judgement.broke:
        return HIDDEN_LIMIT
    wordless = section.hidden and judgement.message in (NO_VALUE, UNSAID)
    return HIDDEN_FAILED if wordless else judgement.message


def _check_verdict(section: Section, check: NamedCheck, judgement: Judgement) -> CheckVerdict:
    if judgement.yes:
        return CheckVerdict(check.name, check.points, check.points)
    message = check.message or _judgement_message(section, judgement)
    return CheckVerdict(check.name, 0.0, check.points, f"{check.name}: {message}")


def _without_judge(section: Section, plan: JudgePlan | None, ran: Ran, not_run: str) -> tuple[Verdict, str, str]:
    """The verdict where there is nothing to ask a judge: it did not run through, or has no judge half.

    With what the student is told, and what the TA is.
    """
    verdict, message, detail = _ended_early(section, plan, ran, not_run)
    if not section.hidden:
        return verdict, message, detail
    put_back = f"put back before it: {replaced}" if (replaced := replaced_names([ran])) else ""
    detail = "; ".join(part for part in (detail, put_back) if part)
    if verdict is Verdict.PASSED:
        return verdict, "", detail
    message = HIDDEN_LIMIT if verdict in LIMITS else HIDDEN_FAILED
    if verdict is Verdict.NOT_RUN and not_run != NO_TIME_LEFT:
        message = not_run  # the notebook had ended before any hidden section was run
    if ran.status is StepStatus.LOST:
        message = ran.evalue  # nor had any been run when that was found
    return verdict, message, detail


def _ended_early(section: Section, plan: JudgePlan | None, ran: Ran, not_run: str) -> tuple[Verdict, str, str]:
    """The verdict, with all that can be said of it."""
    if ran.status is StepStatus.NOT_RUN:
        return Verdict.NOT_RUN, not_run, ""
    if ran.status.is_missing_branch:
        return Verdict.ERROR, ran.evalue, ran.evalue
    if ran.status is StepStatus.DIED:
        return Verdict.ERROR, "The notebook's process ended while this test ran.", ""
    if ran.status.is_over_time:
        message = "Stopped at its time limit while this test ran. Is there a loop that does not end?"
        return Verdict.TIMEOUT, message, ""
    if ran.status is StepStatus.MEMORY or ran.ename == MemoryError.__name__:
        return Verdict.MEMORY, "Out of memory while this test ran.", ""
    error = f"{ran.ename}: {ran.evalue}".rstrip(": ")
    if ran.status is not StepStatus.OK and ran.ename == AssertionError.__name__ and plan is None:
        return Verdict.FAILED, ran.evalue or error, error
    if ran.status is not StepStatus.OK:
        return Verdict.ERROR, error, error
    if plan is None:
        return Verdict.PASSED, "", ""
    name, why = next(iter(ran.refused.items()))
    return Verdict.FAILED, f"`{name}` could not be judged: {why}.", str(ran.refused)


def _not_run_message(seen: Observations) -> str:
    return f"Not run: the notebook ended at {seen.ended_at}: {seen.ended_by}." if seen.ended_at else NO_TIME_LEFT


def not_gradable(plan: NotebookPlan, verdict: Verdict, message: str) -> NotebookVerdicts:
    """Verdicts for a notebook of which nothing ran."""
    points = None if verdict in (Verdict.PLATFORM, Verdict.MANUAL) else 0.0
    cells = tuple(
        CellVerdict(cell.grade_id, verdict, points, cell.points, message=message)
        for cell in plan.cells
        if cell.is_graded
    )
    return NotebookVerdicts(plan.name, cells, (message,))
