"""One submission through repair, observe and judge. A function of records: nothing is written here."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import nbformat

from tito.course.cells import grade_id_of, is_graded, kind_of, points_of
from tito.course.submission_files import NoNotebook, Unreadable, read_regular_file
from tito.errors import JudgeFailed
from tito.grade.causes import HIDDEN_FAILED, HIDDEN_LIMIT, Failure, explained, failures, notes_on, stopped_output
from tito.grade.observe import AtWork, Observations, finished, observe, observing
from tito.grade.whitelist import KERNEL, allowed_output
from tito.judge.judge import Answers, Half, Judge, Judgement, Question
from tito.judge.worker import NO_VALUE, UNSAID
from tito.models import (
    CellKind,
    CellVerdict,
    CheckVerdict,
    Evidence,
    Fingerprint,
    JudgePlan,
    NamedCheck,
    NotebookVerdicts,
    Section,
    SubmissionRecord,
    Verdict,
)
from tito.plan.plan import AssignmentPlan, NotebookPlan, TestPlan, packages_of
from tito.repair.copies import NotRead, Undecided, chosen, copies_in, work_in
from tito.repair.read_notebook import ReadNotebook, trusted
from tito.repair.repair import repair
from tito.sandbox.inside.codec import Packed
from tito.sandbox.session import Ran, ZygoteClient

COPIES_S = 5.0  # for reading copies of a notebook
WILL_BE_LOOKED_AT = "A person will look at it."
NOT_JUDGED = "This test could not be judged; a person will look at it."
NO_TIME_LEFT = "Not run: no time was left for this test."
LIMITS = (Verdict.TIMEOUT, Verdict.MEMORY, Verdict.NOT_RUN)
OUTPUT_BYTES = 2 << 20  # of outputs that are kept of one notebook
TOO_MUCH_OUTPUT = "[outputs cut: the notebook printed more than is kept]"
BROKEN_AT = {"time": Verdict.TIMEOUT, "memory": Verdict.MEMORY}
WAITS_FOR_A_PERSON = "Waits to be graded by a person."


@dataclass(frozen=True)
class Graded:
    """A record to be stored, and each notebook as it was graded, with outputs and verdicts in it.

    Notebooks are kept as JSON: between processes they are passed on as that in a tenth of the time.
    """

    record: SubmissionRecord
    texts: dict[str, str]

    @property
    def notebooks(self) -> dict[str, Any]:
        """The notebooks by name, each read anew."""
        return {name: nbformat.from_dict(json.loads(text)) for name, text in self.texts.items()}


@dataclass(frozen=True)
class Prepared:
    """A submission's notebooks, read and repaired; or why one of them cannot be read, or has to be chosen."""

    notebooks: tuple[ReadNotebook | Unreadable | Undecided, ...]


def prepared(plan: AssignmentPlan, folder: Path, judge: Judge) -> Prepared:
    """Have what was submitted in `folder` read and repaired: all that can be done before a sandbox is free.

    Raises:
        JudgeFailed: no judge can be had to read it.
    """
    files: dict[str, bytes] = {}
    read: dict[str, ReadNotebook | Unreadable] = {}
    plans = {f"{notebook.name}.ipynb": notebook for notebook in plan.notebooks}
    for name in plans:
        try:
            files[name] = read_regular_file(folder / name, plan.place.limits.submission_mb)
        except Unreadable as error:
            read[name] = error
    if files:
        read |= judge.read(plans, files)
    return Prepared(tuple(_or_a_copy(plan, name, read[name], folder, judge) for name in plans))


def _or_a_copy(
    plan: AssignmentPlan, name: str, named: ReadNotebook | Unreadable, folder: Path, judge: Judge
) -> ReadNotebook | Unreadable | Undecided:
    """The notebook that is graded: the one of that name, or a copy beside it. Each copy may take as long to read as a
    submission may: when all together have taken COPIES_S, no more are begun."""
    notebooks = {f"{notebook.name}.ipynb": notebook for notebook in plan.notebooks}
    copies = copies_in(folder, name.removesuffix(".ipynb"), (notebook.name for notebook in plan.notebooks))
    if not copies:
        return named
    end = time.monotonic() + COPIES_S
    begun = {name}

    def read(copy: str) -> ReadNotebook | Unreadable:
        if copy not in begun and time.monotonic() > end:
            return NotRead(f"{copy} was not read: the others have taken too long")
        begun.add(copy)
        try:
            data = read_regular_file(folder / copy, plan.place.limits.submission_mb)
        except Unreadable as error:
            return error
        answer = judge.read({name: notebooks[name]}, {name: data})[name]
        return Unreadable(str(answer).replace(name, copy)) if isinstance(answer, Unreadable) else answer

    return chosen(named, name, copies, read, partial(work_in, notebooks[name]))


def grade_submission(
    plan: AssignmentPlan, student: str, folder: Path, sandbox: ZygoteClient, judge: Judge, fingerprint: Fingerprint
) -> Graded:
    """Grade what `student` submitted in `folder`. Never raises for what a submission holds.

    Raises:
        SandboxUnavailable: no student code ran.
    """
    sandbox.prepare()
    return finished(grading(plan, student, prepared(plan, folder, judge), sandbox, judge, fingerprint))()


def grading(
    plan: AssignmentPlan,
    student: str,
    given: Prepared,
    sandbox: ZygoteClient,
    judge: Judge,
    fingerprint: Fingerprint,
) -> AtWork[Callable[[], Graded]]:
    """What `grade_submission` does, in steps. When no code has to be run any more, it gives what makes the verdicts:
    then the judge has been asked, and the sandbox is free for the next submission.
    """
    seen: list[Callable[[], tuple[NotebookVerdicts, Any]]] = []
    for notebook, one in zip(plan.notebooks, given.notebooks, strict=True):
        if isinstance(one, Unreadable):
            seen.append(partial(_nothing_run, notebook, one))
        elif isinstance(one, Undecided):
            seen.append(partial(_held, notebook, one.message))
        else:
            seen.append((yield from _notebook_seen(notebook, one, sandbox, judge)))

    def verdicts() -> Graded:
        found = [one() for one in seen]
        texts = {one.name: as_json(graded) for one, (_, graded) in zip(plan.notebooks, found, strict=True)}
        return Graded(_record(plan, student, sandbox.name, fingerprint, tuple(one for one, _ in found), ""), texts)

    return verdicts


def not_graded(plan: AssignmentPlan, student: str, sandbox: str, fingerprint: Fingerprint, fault: str) -> Graded:
    """A platform fault: no number for any cell, and the submission stays to be graded."""
    verdicts = tuple(_not_gradable(one, Verdict.PLATFORM, WAITS_FOR_A_PERSON) for one in plan.notebooks)
    texts = {one.name: as_json(_as_released(one)) for one in plan.notebooks}
    return Graded(_record(plan, student, sandbox, fingerprint, verdicts, fault), texts)


def given_up(plan: AssignmentPlan, student: str, sandbox: str, fingerprint: Fingerprint, became: str) -> Graded:
    """What brought down, twice and alone, the process that graded it, and the reference does not: no points."""
    verdict = Verdict.TIMEOUT if "deadline" in became else Verdict.ERROR
    message = f"What was handed in cannot be graded within limits: twice, the process that graded it {became}."
    verdicts = tuple(_not_gradable(notebook, verdict, message) for notebook in plan.notebooks)
    texts = {notebook.name: as_json(_as_released(notebook)) for notebook in plan.notebooks}
    return Graded(_record(plan, student, sandbox, fingerprint, verdicts, ""), texts)


def write_reference(plan: AssignmentPlan, folder: Path) -> None:
    """Hand in the instructor's own notebooks in `folder`."""
    for notebook in plan.notebooks:
        (folder / f"{notebook.name}.ipynb").write_text(as_json(_notebook(list(notebook.cells))), encoding="utf-8")


def as_json(notebook: Any) -> str:
    """A notebook as nbformat would write it, but for line breaks: with them Python's slow encoder has to be used."""
    return json.dumps(notebook, ensure_ascii=False)


def _record(
    plan: AssignmentPlan,
    student: str,
    sandbox: str,
    fingerprint: Fingerprint,
    verdicts: tuple[NotebookVerdicts, ...],
    fault: str,
) -> SubmissionRecord:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return SubmissionRecord(student, plan.assignment, fingerprint, sandbox, now, verdicts, fault)


def _nothing_run(notebook: NotebookPlan, reason: Unreadable) -> tuple[NotebookVerdicts, Any]:
    """No points where nothing was handed in; what we cannot read waits for a person, who may."""
    if isinstance(reason, NoNotebook):
        verdicts = _not_gradable(notebook, Verdict.MANUAL, f"Nothing could be run: {reason}. {WILL_BE_LOOKED_AT}")
        return replace(verdicts, unread=True), _as_released(notebook)
    return _not_gradable(notebook, Verdict.NOT_RUN, f"Nothing could be run: {reason}."), _as_released(notebook)


def _held(notebook: NotebookPlan, message: str) -> tuple[NotebookVerdicts, Any]:
    """No number for any cell: a person decides what counts."""
    message = f"Not graded: {message}."
    released = _as_released(notebook)
    verdicts = replace(_not_gradable(notebook, Verdict.MANUAL, message), unread=True)
    return verdicts, _notebook([_headline(message), *released.cells])


def _notebook_seen(
    notebook: NotebookPlan, read: ReadNotebook, sandbox: ZygoteClient, judge: Judge
) -> AtWork[Callable[[], tuple[NotebookVerdicts, Any]]]:
    started = time.perf_counter()
    answers = Answers(judge, reference=ReferenceValues(notebook, sandbox, judge))

    def ask(seen: Observations) -> None:
        answers.put(_questions(seen))

    seen = yield from observing(sandbox, notebook, read, judge, ask)
    seconds = time.perf_counter() - started
    ask(seen)

    def bound(positions: list[int]) -> list[frozenset[str]]:
        return judge.bound(f"{notebook.name}.ipynb", positions)

    return lambda: _with_verdicts(notebook, read, seen, answers, bound, seconds)


class ReferenceValues:
    """What the reference's run gives for each judge half, observed when it is first wanted: when a judge has broken."""

    def __init__(self, plan: NotebookPlan, sandbox: ZygoteClient, judge: Judge) -> None:
        self._plan = plan
        self._sandbox = sandbox
        self._judge = judge
        self._values: dict[Half, Packed] | None = None

    def __call__(self, half: Half) -> Packed | None:
        if self._values is None:
            notebook = trusted(self._plan, self._plan.cells, packages_of(self._sandbox.place))
            seen = observe(self._sandbox, self._plan, notebook, self._judge)
            sections = (result for results in seen.tests.values() for result in results)
            self._values = {(section, plan): ran.observed for section, plan, ran in sections if plan and _told(ran)}
        return self._values.get(half)


def _with_verdicts(
    notebook: NotebookPlan,
    read: ReadNotebook,
    seen: Observations,
    answers: Answers,
    bound: Callable[[list[int]], list[frozenset[str]]],
    seconds: float,
) -> tuple[NotebookVerdicts, Any]:
    found = failures(read.cells, notebook.cells, seen.cells, bound)
    verdicts = tuple(_verdicts(notebook, read.cells, seen, answers, found))
    notes = [*read.notes, *notes_on(found)]
    notes += [
        f"test '{name}': what the notebook returned broke two judges ({limit})" for name, limit in _broke(seen, answers)
    ]
    if seen.passed_over:
        notes.append(f"the notebook ended at {seen.passed_over}; it was run again without that test")
    if seen.ended_at:
        notes.append(f"the notebook ended at {seen.ended_at}: {seen.ended_by}; later cells were not run")
    notes += _tampering(seen)
    graded = _with_outputs(read.cells, seen, {one.grade_id: one for one in verdicts})
    if read.headline:
        graded.cells.insert(0, _headline(f"Please note: {read.headline}."))
    return NotebookVerdicts(notebook.name, verdicts, tuple(notes), seconds), graded


def _tampering(seen: Observations) -> Iterator[str]:
    """What was put back before visible sections beside student code. Of hidden ones verdicts tell it, to the TA."""
    for name, results in seen.tests.items():
        if replaced := _replaced(ran for section, _, ran in results if not section.hidden):
            why = "which runs beside student code, had been replaced and was put back"
            yield f"before test '{name}', {why}: {replaced}"


def _replaced(ran: Iterable[Ran]) -> str:
    """What student code had replaced of what asserts rely on, as the student's process tells it."""
    return ", ".join(dict.fromkeys(name for each in ran for name in each.tampered))


# ---- verdicts ----------------------------------------------------------------------------------


def _questions(seen: Observations) -> list[Question]:
    """What there is to ask the judge about a notebook: the visible sections first, whatever the others do to it."""
    results = [(name, *result) for name, results in seen.tests.items() for result in results]
    sections = sorted(results, key=lambda result: result[1].hidden)
    judged = ((name, section, plan, ran) for name, section, plan, ran in sections if plan is not None and _told(ran))
    return [Question(section, plan, ran.observed, ran.measured, name) for name, section, plan, ran in judged]


def _broke(seen: Observations, answers: Answers) -> list[tuple[str, str]]:
    """Tests whose values broke judges, and at what limit."""
    limits = {id(question.observed): limit for question, limit in answers.broken}
    found = {
        name: limits[id(ran.observed)]
        for name, results in seen.tests.items()
        for _, _, ran in results
        if id(ran.observed) in limits
    }
    return list(found.items())


def _told(ran: Ran) -> bool:
    """Whether a section gave all that it was to give."""
    return ran.status == "ok" and not ran.refused


def _verdicts(
    plan: NotebookPlan, cells: list[Any], seen: Observations, judge: Answers, found: list[Failure]
) -> Iterator[CellVerdict]:
    originals = {grade_id_of(cell): cell for cell in plan.cells if grade_id_of(cell)}
    for cell in cells:
        if kind_of(cell) is CellKind.TEST:
            test = plan.tests[grade_id_of(cell)]
            yield explained(verdict_of_test(test, seen, judge), test, found)
        elif is_graded(cell):
            yield _manual(cell, originals[grade_id_of(cell)])


def _manual(cell: Any, original: Any) -> CellVerdict:
    points = points_of(original)
    return CellVerdict(grade_id_of(cell), Verdict.MANUAL, None, points, message=WAITS_FOR_A_PERSON)


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
    checks = tuple(one for outcome in outcomes for one in outcome.checks) + _not_reached(test, results)
    failed = next((one for one in outcomes if one.verdict is not Verdict.PASSED), None)
    if failed is None and (len(outcomes) < len(test.sections) or not outcomes):
        failed = Outcome(Verdict.NOT_RUN, Evidence.NONE, _not_run_message(seen))
    evidence = _evidence(test, outcomes, failed)
    if failed is None:
        detail = "; ".join(one.detail for one in outcomes if one.detail)
        return CellVerdict(
            test.grade_id, Verdict.PASSED, test.points, test.points, evidence, "", detail, seconds, checks, memory_mb
        )
    platform = any(one.verdict is Verdict.PLATFORM for one in outcomes)
    points = None if platform else sum((one.points for one in checks), 0.0)
    verdict = Verdict.PLATFORM if platform else failed.verdict
    message = "; ".join(one.message for one in checks if one.message) or failed.message
    return CellVerdict(
        test.grade_id, verdict, points, test.points, evidence, message, failed.detail, seconds, checks, memory_mb
    )


WEAKEST_FIRST = (Evidence.IN_PROCESS, Evidence.REPORTED, Evidence.REMOTE, Evidence.JUDGED)


def _evidence(test: TestPlan, outcomes: list[Outcome], failed: Outcome | None) -> Evidence:
    """What a verdict rests on: the weakest of the sections that give points, or else the one that failed.

    A test that takes a student's word for anything is reported, whatever came of it; one that runs what a student
    returned has no process without student code.
    """
    if test.runs_values and any(one.evidence is not Evidence.NONE for one in outcomes):
        return Evidence.IN_PROCESS
    giving = [one for one in outcomes if failed is None or any(check.points for check in one.checks)]
    seen = {one.evidence for one in giving}
    otherwise = failed.evidence if failed is not None else Evidence.NONE
    evidence = next((one for one in WEAKEST_FIRST if one in seen), otherwise)
    beside = test.remote is None and any(plan is None for _, plan in test.sections)
    reported = any(section.reported for section, _ in test.sections)
    return Evidence.REPORTED if reported and not (beside and evidence is Evidence.IN_PROCESS) else evidence


def _not_reached(test: TestPlan, results: list[tuple[Section, JudgePlan | None, Ran]]) -> tuple[CheckVerdict, ...]:
    """No points for the named checks of sections that were not run."""
    run = [section for section, _, _ in results]
    missed = (one for section, _ in test.sections if section not in run for one in section.checks)
    return tuple(CheckVerdict(one.name, 0.0, one.points, f"{one.name}: not run") for one in missed)


@dataclass(frozen=True)
class Outcome:
    """What became of one section of a test."""

    verdict: Verdict
    evidence: Evidence
    message: str = ""
    detail: str = ""
    checks: tuple[CheckVerdict, ...] = ()


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
    if ran.status == "fault":
        return Outcome(Verdict.PLATFORM, Evidence.NONE, NOT_JUDGED, ran.evalue)
    if plan is None or not _told(ran):
        verdict, message, detail = _without_judge(section, plan, ran, not_run)
        evidence = Evidence.NONE if ran.status == "not run" else Evidence.IN_PROCESS if plan is not None else otherwise
        checks = tuple(CheckVerdict(one.name, 0.0, one.points, f"{one.name}: {message}") for one in section.checks)
        return Outcome(verdict, evidence, message, detail, checks)
    if section.is_measured and ran.measured is None:
        return Outcome(Verdict.PLATFORM, Evidence.NONE, NOT_JUDGED, "What it took could not be measured.")
    try:
        judgement = judge.judgement(Question(section, plan, ran.observed, ran.measured))
    except JudgeFailed as error:
        return Outcome(Verdict.PLATFORM, Evidence.NONE, NOT_JUDGED, str(error))
    checks = tuple(_check_verdict(section, *one) for one in zip(section.checks, judgement.checks, strict=True))
    verdict = (
        Verdict.PASSED
        if judgement.yes
        else BROKEN_AT.get(judgement.broke, Verdict.ERROR)
        if judgement.broke
        else Verdict.FAILED
    )
    return Outcome(verdict, Evidence.JUDGED, _judgement_message(section, judgement), judgement.detail, checks)


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
    put_back = f"put back before it: {replaced}" if (replaced := _replaced([ran])) else ""
    detail = "; ".join(one for one in (detail, put_back) if one)
    if verdict is Verdict.PASSED:
        return verdict, "", detail
    message = HIDDEN_LIMIT if verdict in LIMITS else HIDDEN_FAILED
    if verdict is Verdict.NOT_RUN and not_run != NO_TIME_LEFT:
        message = not_run  # the notebook had ended before any hidden section was run
    if ran.status == "lost":
        message = ran.evalue  # nor had any been run when that was found
    return verdict, message, detail


def _ended_early(section: Section, plan: JudgePlan | None, ran: Ran, not_run: str) -> tuple[Verdict, str, str]:
    """The verdict, with all that can be said of it."""
    if ran.status == "not run":
        return Verdict.NOT_RUN, not_run, ""
    if ran.status in ("lost", "gone"):
        return Verdict.ERROR, ran.evalue, ran.evalue
    if ran.status == "died":
        return Verdict.ERROR, "The notebook's process ended while this test ran.", ""
    if ran.status == "timeout" or ran.ename == "CellTimeout":
        said = "Stopped at its time limit while this test ran. Is there a loop that does not end?"
        return Verdict.TIMEOUT, said, ""
    if ran.status == "memory" or ran.ename == "MemoryError":
        return Verdict.MEMORY, "Out of memory while this test ran.", ""
    said = f"{ran.ename}: {ran.evalue}".rstrip(": ")
    if ran.status != "ok" and ran.ename == "AssertionError" and plan is None:
        return Verdict.FAILED, ran.evalue or said, said
    if ran.status != "ok":
        return Verdict.ERROR, said, said
    if plan is None:
        return Verdict.PASSED, "", ""
    name, why = next(iter(ran.refused.items()))
    return Verdict.FAILED, f"`{name}` could not be judged: {why}.", str(ran.refused)


def _not_run_message(seen: Observations) -> str:
    return f"Not run: the notebook ended at {seen.ended_at}: {seen.ended_by}." if seen.ended_at else NO_TIME_LEFT


def _not_gradable(plan: NotebookPlan, verdict: Verdict, message: str) -> NotebookVerdicts:
    """Verdicts for a notebook of which nothing ran."""
    points = None if verdict in (Verdict.PLATFORM, Verdict.MANUAL) else 0.0
    cells = tuple(
        CellVerdict(grade_id_of(cell), verdict, points, points_of(cell), message=message)
        for cell in plan.cells
        if is_graded(cell)
    )
    return NotebookVerdicts(plan.name, cells, (message,))


# ---- the autograded notebook -------------------------------------------------------------------


def _with_outputs(cells: list[Any], seen: Observations, verdicts: dict[str, CellVerdict]) -> Any:
    """The graded notebook as a TA sees it: the outputs of each cell, and on each test its verdict."""
    budget = OUTPUT_BYTES
    for position, cell in enumerate(cells):
        if cell.cell_type != "code":
            continue
        ran = seen.cells.get(position)
        if ran is not None and ran.outputs:
            cell.outputs = [one for one in map(allowed_output, ran.outputs) if one is not None]
            budget -= len(json.dumps(cell.outputs))
            if budget < 0:
                cell.outputs = [nbformat.v4.new_output("stream", name="stderr", text=TOO_MUCH_OUTPUT)]
        if kind_of(cell) is CellKind.TEST:
            cell.outputs = [*_without_errors(cell.outputs), *_verdict_output(verdicts[grade_id_of(cell)])]
        elif ran is not None and ran.status in ("timeout", "died", "memory"):
            cell.outputs = [stopped_output(ran)]
    return _notebook(cells)


def _headline(text: str) -> Any:
    """What is to be read first in a graded notebook, and on the page that is made of it."""
    metadata = nbformat.NotebookNode()
    return nbformat.NotebookNode(id="tito-headline", cell_type="markdown", source=f"**{text}**", metadata=metadata)


def _notebook(cells: list[Any]) -> Any:
    metadata = nbformat.from_dict({"kernelspec": KERNEL})
    return nbformat.NotebookNode(cells=cells, metadata=metadata, nbformat=4, nbformat_minor=5)


def _without_errors(outputs: list[Any]) -> list[Any]:
    """A test's own outputs but its errors: nbgrader reads an error as a zero, and the verdict says it better."""
    return [one for one in outputs if one.output_type == "stream" and one.name == "stdout"]


def _verdict_output(verdict: CellVerdict) -> list[Any]:
    """Nothing for a pass; for all else an error output, which nbgrader and formgrader read as no points."""
    if verdict.earned:
        return []
    name = verdict.verdict.value.upper()
    used = f"{verdict.seconds:.2f} s, {verdict.memory_mb:.0f} MiB" if verdict.seconds else ""
    lines = [line for line in (f"{name}: {verdict.message}", verdict.detail, used) if line]
    return [nbformat.NotebookNode(output_type="error", ename=name, evalue=verdict.message, traceback=lines)]


def _as_released(plan: NotebookPlan) -> Any:
    """The instructor's notebook without solutions, where there is none of the student's to show."""
    return _notebook(repair([], plan.cells).cells)


# ---- what is graded ----------------------------------------------------------------------------


def content_hash(folder: Path, notebooks: tuple[str, ...]) -> str:
    """SHA-256 over the submitted notebooks and their copies: what a submission's verdicts depend on."""
    digest = hashlib.sha256()
    copies = [copy for name in notebooks for copy in copies_in(folder, name, notebooks)]
    for name in (*(f"{name}.ipynb" for name in notebooks), *copies):
        path = folder / name
        digest.update(name.encode())
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        else:
            digest.update(str(os.path.lexists(path)).encode())
    return digest.hexdigest()
