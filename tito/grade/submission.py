"""One submission through repair, observe and judge. A function of records: nothing is written here."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import nbformat

from tito.course.cells import as_node
from tito.course.submission_files import NoNotebook, NotHandedIn, Unreadable, read_regular_file
from tito.grade.causes import CoursePackages, failures, notes_on, notes_on_read_only
from tito.grade.graded_notebook import as_handed_in, as_json, as_notebook, as_released, headline_node, with_outputs
from tito.grade.observe import AtWork, Observations, finished, observe, observing
from tito.grade.verdicts import (
    WAITS_FOR_A_PERSON,
    broken_tests,
    is_complete,
    not_gradable,
    questions,
    replaced_names,
    verdicts_of,
)
from tito.judge.judge import Answers, Half, Judge
from tito.models import (
    Fingerprint,
    NotebookVerdicts,
    SubmissionRecord,
    Verdict,
)
from tito.plan.handed_in import HandedInRule
from tito.plan.plan import AssignmentPlan, NotebookPlan
from tito.repair.beside import HandedIn, handed_in
from tito.repair.copies import NotRead, Undecided, chosen, copies_in, work_in
from tito.repair.read_notebook import ReadNotebook, trusted
from tito.sandbox.environment import environment
from tito.sandbox.inside.codec import Packed
from tito.sandbox.steps import Ran
from tito.sandbox.zygote_client import ZygoteClient

COPIES_S = 5.0  # for reading copies of a notebook
NOTHING_WAS_RUN = "Nothing was run, as was asked for: what a test gives is for a person to say."
WILL_BE_LOOKED_AT = "A person will look at it."


@dataclass(frozen=True)
class Graded:
    """A record to be stored, and each notebook as it was graded, with outputs and verdicts in it.

    Notebooks are kept as JSON: between processes they are passed on as that in a tenth of the time. `missing` are those
    that were not handed in: of these there is nothing that a person would look at.
    """

    record: SubmissionRecord
    texts: dict[str, str]
    missing: frozenset[str] = frozenset()

    @property
    def notebooks(self) -> dict[str, Any]:
        """The notebooks by name, each read anew."""
        return {name: nbformat.from_dict(json.loads(text)) for name, text in self.texts.items()}


@dataclass(frozen=True)
class Prepared:
    """A submission's notebooks, read and repaired; or why one of them cannot be read, or has to be chosen. And what was
    handed in beside them."""

    notebooks: tuple[ReadNotebook | Unreadable | Undecided, ...]
    beside: HandedIn = field(default_factory=HandedIn)

    def with_tests(self, tests: frozenset[str]) -> Prepared:
        """With no more run than is needed to observe some of its tests; of the others nothing is known then."""
        notebooks = (read.with_tests(tests) if isinstance(read, ReadNotebook) else read for read in self.notebooks)
        return replace(self, notebooks=tuple(notebooks))


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
            files[name] = read_regular_file(folder / name, plan.spec.limits.submission_mb)
        except Unreadable as error:
            read[name] = error
    if files:
        read |= judge.read(plans, files)
    names = (*(notebook.name for notebook in plan.notebooks), *plan.others)
    beside = files_beside(folder, names, plan.handed_in)
    return Prepared(tuple(_or_a_copy(plan, name, read[name], folder, judge) for name in plans), beside)


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
            data = read_regular_file(folder / copy, plan.spec.limits.submission_mb)
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
    submission: Prepared,
    sandbox: ZygoteClient,
    judge: Judge,
    fingerprint: Fingerprint,
) -> AtWork[Callable[[], Graded]]:
    """What `grade_submission` does, in steps. When no code has to be run any more, it gives what makes the verdicts:
    then the judge has been asked, and the sandbox is free for the next submission.
    """
    seen: list[Callable[[], tuple[NotebookVerdicts, Any]]] = []
    for notebook, read in zip(plan.notebooks, submission.notebooks, strict=True):
        if isinstance(read, Unreadable):
            seen.append(partial(_nothing_run, notebook, read))
        elif isinstance(read, Undecided):
            seen.append(partial(_held, notebook, read.message))
        elif not notebook.is_run:
            seen.append(partial(_not_run, notebook, read))
        else:
            with_files = replace(read, files=submission.beside.files)
            seen.append((yield from _notebook_seen(notebook, with_files, sandbox, judge)))

    missing = _missing(plan, submission)

    def verdicts() -> Graded:
        results = [judged() for judged in seen]
        if results and submission.beside.note:
            results[0] = _with_note(*results[0], submission.beside.note)
        texts = {notebook.name: as_json(graded) for notebook, (_, graded) in zip(plan.notebooks, results, strict=True)}
        by_notebook = tuple(verdicts for verdicts, _ in results)
        record = _record(plan, student, sandbox.name, fingerprint, by_notebook, "")
        return Graded(replace(record, files=tuple(sorted(submission.beside.files))), texts, missing)

    return verdicts


def _with_note(verdicts: NotebookVerdicts, graded: Any, note: str) -> tuple[NotebookVerdicts, Any]:
    """A graded notebook that says something to whoever looks at the submission, and to its student."""
    headline = headline_node(f"Please note: {note}.", "files")
    return replace(verdicts, notes=(*verdicts.notes, note)), as_notebook([headline, *graded.cells])


def _missing(plan: AssignmentPlan, submission: Prepared) -> frozenset[str]:
    both = zip(plan.notebooks, submission.notebooks, strict=True)
    return frozenset(notebook.name for notebook, read in both if isinstance(read, NotHandedIn))


def not_graded(plan: AssignmentPlan, student: str, sandbox: str, fingerprint: Fingerprint, fault: str) -> Graded:
    """A platform fault: no number for any cell, and the submission stays to be graded."""
    verdicts = tuple(not_gradable(notebook, Verdict.PLATFORM, WAITS_FOR_A_PERSON) for notebook in plan.notebooks)
    texts = {notebook.name: as_json(as_released(notebook)) for notebook in plan.notebooks}
    return Graded(_record(plan, student, sandbox, fingerprint, verdicts, fault), texts)


def given_up(plan: AssignmentPlan, student: str, sandbox: str, fingerprint: Fingerprint, became: str) -> Graded:
    """What brought down, twice and alone, the process that graded it, and the reference does not: no points."""
    verdict = Verdict.TIMEOUT if "deadline" in became else Verdict.ERROR
    message = f"What was handed in cannot be graded within limits: twice, the process that graded it {became}."
    verdicts = tuple(not_gradable(notebook, verdict, message) for notebook in plan.notebooks)
    texts = {notebook.name: as_json(as_released(notebook)) for notebook in plan.notebooks}
    return Graded(_record(plan, student, sandbox, fingerprint, verdicts, ""), texts)


def write_reference(plan: AssignmentPlan, folder: Path) -> None:
    """Hand in the instructor's own notebooks in `folder`, and what goes with them."""
    write_files(folder, plan.handed_in.reference)
    for notebook in plan.notebooks:
        (folder / f"{notebook.name}.ipynb").write_text(
            as_json(as_notebook([*map(as_node, notebook.cells)])), encoding="utf-8"
        )


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Put files into a folder, by their paths below it."""
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


def _record(
    plan: AssignmentPlan,
    student: str,
    sandbox: str,
    fingerprint: Fingerprint,
    verdicts: tuple[NotebookVerdicts, ...],
    fault: str,
) -> SubmissionRecord:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    packages = dict(plan.packages)
    return SubmissionRecord(student, plan.assignment, fingerprint, sandbox, now, verdicts, fault, packages=packages)


def _nothing_run(notebook: NotebookPlan, reason: Unreadable) -> tuple[NotebookVerdicts, Any]:
    """No points where nothing was handed in; what we cannot read waits for a person, who may."""
    if isinstance(reason, NoNotebook):
        verdicts = not_gradable(notebook, Verdict.MANUAL, f"Nothing could be run: {reason}. {WILL_BE_LOOKED_AT}")
        return replace(verdicts, unread=True), as_released(notebook)
    return not_gradable(notebook, Verdict.NOT_RUN, f"Nothing could be run: {reason}."), as_released(notebook)


def _not_run(notebook: NotebookPlan, read: ReadNotebook) -> tuple[NotebookVerdicts, Any]:
    """No number for any test, as nothing was to be run: what outputs say is the student's word."""
    return not_gradable(notebook, Verdict.MANUAL, NOTHING_WAS_RUN), as_handed_in(read.cells)


def _held(notebook: NotebookPlan, message: str) -> tuple[NotebookVerdicts, Any]:
    """No number for any cell: a person decides what counts."""
    message = f"Not graded: {message}."
    released = as_released(notebook)
    verdicts = replace(not_gradable(notebook, Verdict.MANUAL, message), unread=True)
    return verdicts, as_notebook([headline_node(message), *released.cells])


def _notebook_seen(
    notebook: NotebookPlan, read: ReadNotebook, sandbox: ZygoteClient, judge: Judge
) -> AtWork[Callable[[], tuple[NotebookVerdicts, Any]]]:
    started = time.perf_counter()
    answers = Answers(judge, reference=ReferenceValues(notebook, sandbox, judge))

    def ask(seen: Observations) -> None:
        answers.put(questions(seen))

    seen = yield from observing(sandbox, notebook, read, judge, ask)
    seconds = time.perf_counter() - started
    ask(seen)

    def bound(positions: list[int]) -> list[frozenset[str]]:
        return judge.bound(f"{notebook.name}.ipynb", positions)

    notes = notes_on_read_only(sandbox.read_only, _all_that_ran(seen))
    noted = replace(read, notes=(*read.notes, *notes))
    names = sandbox.spec.packages
    packages = CoursePackages(names, environment(names).modules | notebook.packages)
    return lambda: _with_verdicts(notebook, noted, seen, answers, bound, packages=packages, seconds=seconds)


class ReferenceValues:
    """What the reference's run gives for each judge half, observed when it is first wanted: when a judge has broken."""

    def __init__(self, plan: NotebookPlan, sandbox: ZygoteClient, judge: Judge) -> None:
        self._plan = plan
        self._sandbox = sandbox
        self._judge = judge
        self._values: dict[Half, Packed] | None = None

    def __call__(self, half: Half) -> Packed | None:
        if self._values is None:
            seen = observe(self._sandbox, self._plan, trusted(self._plan), self._judge)
            sections = (result for results in seen.tests.values() for result in results)
            self._values = {
                (section, plan): ran.observed for section, plan, ran in sections if plan and is_complete(ran)
            }
        return self._values.get(half)


def _with_verdicts(
    notebook: NotebookPlan,
    read: ReadNotebook,
    seen: Observations,
    answers: Answers,
    bound: Callable[[list[int]], list[frozenset[str]]],
    *,
    packages: CoursePackages,
    seconds: float,
) -> tuple[NotebookVerdicts, Any]:
    causes = failures(read.cells, notebook.cells, seen.cells, bound, packages)
    judged = tuple(verdicts_of(notebook, read.cells, seen, answers, causes))
    verdicts = tuple(map(packages.explained, judged))
    in_cells = [cause.missing for cause in causes if cause.missing]
    in_tests = {each.grade_id: missing for each in judged if (missing := packages.missing_in(each))}
    notes = [*read.notes, *notes_on(causes)]
    notes += [f"test '{name}': {missing.sentence}" for name, missing in in_tests.items()]
    notes += [
        f"test '{name}': what the notebook returned broke two judges ({limit})"
        for name, limit in broken_tests(seen, answers)
    ]
    if seen.passed_over:
        notes.append(f"the notebook ended at {seen.passed_over}; it was run again without that test")
    if seen.ended_at:
        notes.append(f"the notebook ended at {seen.ended_at}: {seen.ended_by}; later cells were not run")
    notes += _tampering(seen)
    headlines = filter(None, (read.headline, *dict.fromkeys(missing.sentence for missing in in_cells)))
    headline = " ".join(f"Please note: {each}." for each in headlines)
    graded = with_outputs(read.cells, seen, {verdict.grade_id: verdict for verdict in verdicts}, headline)
    modules = tuple(dict.fromkeys(missing.module for missing in (*in_cells, *in_tests.values())))
    return NotebookVerdicts(notebook.name, verdicts, tuple(notes), seconds, missing_modules=modules), graded


def _all_that_ran(observations: Observations) -> Iterator[Ran]:
    """Cells and sections of tests."""
    yield from observations.cells.values()
    for results in observations.tests.values():
        yield from (ran for _, _, ran in results)


def _tampering(seen: Observations) -> Iterator[str]:
    """What was put back before visible sections beside student code. Of hidden ones verdicts tell it, to the TA."""
    for name, results in seen.tests.items():
        if replaced := replaced_names(ran for section, _, ran in results if not section.hidden):
            why = "which runs beside student code, had been replaced and was put back"
            yield f"before test '{name}', {why}: {replaced}"


# ---- what is graded ----------------------------------------------------------------------------


def files_beside(folder: Path, notebooks: tuple[str, ...], rule: HandedInRule) -> HandedIn:
    """What was handed in beside the notebooks of these names."""
    return handed_in(folder, rule, _notebooks_in(folder, notebooks))


def _notebooks_in(folder: Path, notebooks: tuple[str, ...]) -> tuple[str, ...]:
    """File names of the notebooks, and of their copies."""
    copies = (copy for name in notebooks for copy in copies_in(folder, name, notebooks))
    return (*(f"{name}.ipynb" for name in notebooks), *copies)


def content_hash(folder: Path, notebooks: tuple[str, ...], rule: HandedInRule) -> str:
    """SHA-256 over the submitted notebooks, their copies and what is used beside them: what a submission's verdicts
    depend on, and what is said of the rest."""
    digest = hashlib.sha256()
    beside = files_beside(folder, notebooks, rule)
    for file_name, content in beside.files.items():
        digest.update(f"{file_name} {len(content)}\n".encode() + content)
    digest.update(beside.note.encode())
    for name in _notebooks_in(folder, notebooks):
        path = folder / name
        digest.update(name.encode())
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        else:
            digest.update(str(os.path.lexists(path)).encode())
    return digest.hexdigest()
