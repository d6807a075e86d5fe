"""A release gate: what a student's process says is a claim, and a judge half says no to claims that are not true.

The reference is observed once, in the sandbox. Then each judge half is asked about its values with hostile ones in
their place: one at a time, those that one statement of it compares, and all of a section. What was measured from
outside stays as it was. A judge half that says yes can be forged: the student does not have to solve what it looks at.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from tito.author.dataflow import Dependence
from tito.author.hostile_values import alike, replacements
from tito.author.self_reports import yes_or_no_names
from tito.errors import JudgeFailed
from tito.grade.observe import observe
from tito.judge.judge import Judge, Judgement, Question
from tito.models import Gate, JudgePlan, Measured, Section
from tito.plan.evaluation import calls_that_run_values
from tito.plan.names import names_in
from tito.plan.partial_credit import credit_for
from tito.plan.plan import AssignmentPlan, NotebookPlan, TestPlan
from tito.plan.test_cell import judge_parts
from tito.repair.read_notebook import trusted
from tito.sandbox.inside.codec import CodecError, Packed, pack
from tito.sandbox.inside.step_status import StepStatus
from tito.sandbox.steps import Ran
from tito.sandbox.zygote_client import ZygoteClient

FORGED = "forged values are refused"
DECLARED = "what students report is declared"
BATCH = 64  # questions in one message
BATCH_BYTES = 32 << 20
TOLD = 3  # replacements that are named of those that a judge half says yes to

FORGED_HINT = (
    "Compare the whole value with what it must be, its shape or length first; where that comes from students' code, "
    "compare it with something of your own."
)
DECLARED_HINT = (
    "Observe what it is made of and compare in the judge half, or use what was handed over once more and look at the "
    "result; or declare it above ### JUDGE: '### REPORTED name: reason'."
)


@dataclass(frozen=True)
class Claims:
    """What the reference's process said of one section of a test, and what of the section is given."""

    test: TestPlan
    number: int
    section: Section
    plan: JudgePlan
    values: Mapping[str, Any]
    inputs: Mapping[str, Any]
    measured: Measured | None

    @property
    def where(self) -> str:
        return f"{'hidden' if self.section.hidden else 'visible'} section {self.number}"


@dataclass(frozen=True)
class Forgery:
    """Some values of a section replaced: their names, and by what."""

    names: frozenset[str]
    by: str
    values: Mapping[str, Any]


# ---- the gate -------------------------------------------------------------------------------------------


def forged_values(plan: AssignmentPlan, sandbox: ZygoteClient, judge: Judge) -> Iterator[Gate]:
    """Whether every judge half refuses hostile values; a line for each value that it takes. The sandbox is one for
    the plan's notebooks.

    Raises:
        SandboxUnavailable: the reference could not be run.
    """
    started = time.perf_counter()
    asked = held = 0
    faults: list[Gate] = []
    for claims in _claims(plan, sandbox, judge):
        (honest,) = _answers(judge, claims, [claims.values])
        if isinstance(honest, JudgeFailed) or not honest.yes:
            continue  # another gate says so
        forgeries = list(_forgeries(claims))
        asked += len(forgeries)
        held += len(claims.plan.observed)
        faults += _accepted(claims, forgeries, _answers(judge, claims, [forgery.values for forgery in forgeries]))
    yield from faults
    if not faults:
        seconds = time.perf_counter() - started
        yield Gate(FORGED, True, f"{asked} replacements of {held} observed values, in {seconds:.1f} s")


def declared_reports(plan: AssignmentPlan) -> Iterator[Gate]:
    """Whether observed names that are a student's yes or no are declared, and no judge runs what it is told."""
    faults = [
        fault for notebook in plan.notebooks for test in notebook.tests.values() for fault in _word(notebook, test)
    ]
    yield from faults
    if not faults:
        reported = [
            f"{test.grade_id} {', '.join(section.reported)}"
            for notebook in plan.notebooks
            for test in notebook.tests.values()
            for section, _ in test.sections
            if section.reported
        ]
        yield Gate(DECLARED, True, f"can be forged: {'; '.join(reported)}" if reported else "nothing is reported")


def _word(notebook: NotebookPlan, test: TestPlan) -> Iterator[Gate]:
    for number, (section, plan) in enumerate(test.sections, 1):
        where = f"{'hidden' if section.hidden else 'visible'} section {number}"
        for name in yes_or_no_names(section, plan, notebook.cells) if plan is not None else ():
            detail = f"{where}: `{name}` is a yes or no that the student's process computes"
            yield Gate(DECLARED, False, detail, test.grade_id, DECLARED_HINT)
        for call in calls_that_run_values(section, plan):
            detail = f"{where}: {call}() is handed what students may choose, and would run it"
            yield Gate(FORGED, False, detail, test.grade_id, "Compare the value itself.")


def _given_names(plan: JudgePlan) -> list[str]:
    return sorted(names_in(plan.given).bound)


# ---- the reference's claims ------------------------------------------------------------------------------


def _claims(plan: AssignmentPlan, sandbox: ZygoteClient, judge: Judge) -> Iterator[Claims]:
    """The reference's own values for every section that has a judge half."""
    for notebook in plan.notebooks:
        asking = replace(notebook, tests={name: _asking_for_inputs(test) for name, test in notebook.tests.items()})
        if not any(judged is not None for test in asking.tests.values() for _, judged in test.sections):
            continue
        seen = observe(sandbox, asking, trusted(asking), judge)
        for name, test in notebook.tests.items():
            ran_of = {id(section): ran for section, _, ran in seen.tests.get(name, [])}
            for number, (section, judged) in enumerate(test.sections, 1):
                ran = ran_of.get(id(section))
                if judged is not None and ran is not None and ran.status is StepStatus.OK:
                    yield from _claims_of(test, number, section, judged, ran)


def _asking_for_inputs(test: TestPlan) -> TestPlan:
    """The test with its given values observed too: a student's process may send what it was handed."""
    sections = tuple(
        (section, plan and replace(plan, observed=(*plan.observed, *_given_names(plan))))
        for section, plan in test.sections
    )
    return replace(test, sections=sections)


def _claims_of(test: TestPlan, number: int, section: Section, plan: JudgePlan, ran: Ran) -> Iterator[Claims]:
    if set(plan.observed) & set(ran.refused):
        return  # another gate says so
    with suppress(CodecError):
        values = ran.values
        inputs = {name: values[name] for name in _given_names(plan) if name in values}
        observed = {name: values[name] for name in plan.observed}
        yield Claims(test, number, section, plan, observed, inputs, ran.measured)


# ---- forgeries ----------------------------------------------------------------------------------------------


def _forgeries(claims: Claims) -> Iterator[Forgery]:
    """Every value by itself, and in every group each by the same recipe. What is reported stays as it was."""
    deciding = _Readers(claims).deciding() - frozenset(claims.section.reported)
    values = {name: value for name, value in claims.values.items() if name in deciding}
    for name, value in values.items():
        for by, other in replacements(value, claims.inputs):
            yield Forgery(frozenset((name,)), by, {**claims.values, name: other})
    for group in _groups(claims, frozenset(values)):
        alternatives = {name: alike(values[name], claims.inputs) for name in group}
        for by in dict.fromkeys(by for others in alternatives.values() for by in others):
            changed = {name: others[by] for name, others in alternatives.items() if by in others}
            if len(changed) > 1:
                yield Forgery(frozenset(changed), by, {**claims.values, **changed})


def _groups(claims: Claims, names: frozenset[str]) -> Iterable[frozenset[str]]:
    """All of a section, and what one statement of its judge half compares."""
    depends = Dependence(claims.values)
    groups = {names: None}
    for part in judge_parts(claims.section):
        groups |= {group & names: None for group in depends.statements(part)}
    return [group for group in groups if len(group) > 1]


def _accepted(claims: Claims, forgeries: list[Forgery], answers: list[Judgement | JudgeFailed]) -> Iterator[Gate]:
    """A line for each value, or group of values, that the judge half takes for true when it is not."""
    if not forgeries:
        detail = f"{claims.where}: the judge half looks at nothing that students compute"
        if not claims.section.reported:
            yield Gate(FORGED, False, detail, claims.test.grade_id, "Observe something, and compare it.")
        return
    reading = _Readers(claims)
    taken: dict[frozenset[str], list[str]] = {}
    for forgery, answer in zip(forgeries, answers, strict=True):
        who = reading.who_says_yes(forgery.names, answer) if isinstance(answer, Judgement) else None
        if who is not None and not any(names < forgery.names for names in taken):
            taken.setdefault(forgery.names, []).append(f"{forgery.by}{who}")
    for names, by in taken.items():
        named = f"{' and '.join(f'`{name}`' for name in sorted(names))}"
        more = f" (and {len(by) - TOLD} others)" if len(by) > TOLD else ""
        detail = f"{claims.where}: yes to {named} replaced by {'; '.join(by[:TOLD])}{more}"
        yield Gate(FORGED, False, detail, claims.test.grade_id, FORGED_HINT)


class _Readers:
    """Which parts of a judge half read which observed values, also through what the common part makes of them."""

    def __init__(self, claims: Claims) -> None:
        depends = Dependence(claims.values)
        section, self._test = claims.section, claims.test
        self._common = depends.follow(section.judge or "") | depends.follow(section.measured)
        self.checks = [
            (check.name, depends.reads(check.source) | depends.reads(check.measured)) for check in section.checks
        ]

    def who_says_yes(self, changed: frozenset[str], answer: Judgement) -> str | None:
        """None where the forgery earns nothing; else what earns, as text to be added."""
        readers = [at for at, (_, read) in enumerate(self.checks) if read & changed]
        paid = [self.checks[at][0] for at in readers if answer.checks[at].yes]
        if paid:
            return f", by check {', '.join(paid)}"
        credit = credit_for(answer.value, self._test.points, expected=self._test.gives_points).points
        in_full = answer.yes and credit is not None and credit >= self._test.points
        return "" if in_full and not readers else None

    def deciding(self) -> frozenset[str]:
        """Observed names that an outcome depends on; others stand in messages."""
        return self._common.union(*(read for _, read in self.checks))


# ---- asking the judge ------------------------------------------------------------------------------------------


def _answers(judge: Judge, claims: Claims, each: Iterable[Mapping[str, Any]]) -> list[Judgement | JudgeFailed]:
    """What the judge says of these values of a section, asked many at a time. What breaks it earns nothing."""
    answers: list[Judgement | JudgeFailed] = []
    batch: list[Packed] = []
    size = 0
    for values in each:
        packed = pack(values)
        if batch and (len(batch) == BATCH or size + packed.size > BATCH_BYTES):
            answers += _ask(judge, claims, batch)
            batch, size = [], 0
        batch.append(packed)
        size += packed.size
    return answers + (_ask(judge, claims, batch) if batch else [])


def _ask(judge: Judge, claims: Claims, batch: list[Packed]) -> list[Judgement | JudgeFailed]:
    questions = [Question(claims.section, claims.plan, values, claims.measured) for values in batch]
    try:
        return judge.ask(*questions)
    except JudgeFailed as error:
        if len(batch) == 1:
            return [error]
        return [answer for values in batch for answer in _ask(judge, claims, [values])]
