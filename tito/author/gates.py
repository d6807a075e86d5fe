"""The release gate: proof that a module is fit for students, one line per gate.

Metadata are sound · two builds are the same bytes · nothing secret is in the build · the warm-ups run on it ·
every test is judged apart, judges no claim that can be forged, and takes a student's word for nothing undeclared ·
the reference earns every point · the untouched stub earns none · every variant earns what it should · the proof that
tests catch wrong solutions (`proof`) is the one of this module, and holds what is asked for.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import nbformat

from tito.author.forgery import declared_reports, forged_values
from tito.author.mutation import keys_of
from tito.author.proof import proof_gates, read_proof
from tito.author.release import build_release
from tito.author.source_gates import leak_gates, metadata_gates, same_bytes
from tito.author.trial import NOT_STORED, cell_limit_s
from tito.author.variants import filled, read_variants, solutions, submission
from tito.course.cells import read_cells
from tito.course.course import Assignment, Course
from tito.course.kernels import require_python
from tito.course.script import source_notebooks, with_header_and_footer
from tito.errors import BadSource, PlatformError
from tito.grade.calibrate import calibrated, forgeable
from tito.grade.submission import write_files
from tito.grade.workers import Task, grade_in
from tito.judge.judge import Judge, halves_of, sandboxes_for
from tito.models import Evidence, Gate, GateReport, SubmissionRecord, Variant, Verdict
from tito.plan.autotests import instantiated
from tito.plan.directives import reason_in_process, reason_unsolved
from tito.plan.packages import advice, imports_of, missing_packages
from tito.plan.partial_credit import REMARK, with_last_value
from tito.plan.plan import AssignmentPlan
from tito.plan.planning import plan_assignment
from tito.plan.sandbox_specs import Sandboxes, borrowed_sandboxes
from tito.plan.test_cell import sections
from tito.sandbox.inside.step_status import StepStatus
from tito.sandbox.launch import Backend
from tito.sandbox.zygote_client import NOT_ISOLATED


@dataclass(frozen=True)
class GateContext:
    """What the gates need: the plan, the source and the build of one assignment."""

    course: Course
    assignment: Assignment
    backend: Backend
    plan: AssignmentPlan
    shared: Sandboxes | None
    source: dict[str, Any]
    released: dict[str, Any]

    @contextmanager
    def sandboxes(self) -> Iterator[Sandboxes]:
        """Where a gate runs code: what all gates share, or what is its own where one session's files are seen by the
        next."""
        if self.shared is not None:
            yield self.shared
        else:
            with sandboxes_for(self.backend, self.plan) as own:
                yield own

    def limited(self, cell_timeout_s: float) -> GateContext:
        limits = replace(self.plan.spec.limits, cell_timeout_s=cell_timeout_s)
        return replace(self, plan=replace(self.plan, spec=replace(self.plan.spec, limits=limits)))


def run_gates(
    course: Course,
    assignment: Assignment,
    backend: Backend,
    *,
    workers: int = 2,
    for_release: bool = False,
    progress: Callable[[Gate], None] = lambda gate: None,
) -> GateReport:
    """Run every gate on an assignment; a gate that fails says which cell and why. What the course requires of the proof
    that tests catch wrong solutions, it requires `for_release`: a module that is being written has none yet.

    Raises:
        BadSource: the source cannot be read at all, so that there is nothing to check.
        SandboxUnavailable: student code cannot be isolated here.
    """
    report = GateReport(assignment.id)

    def note(lines: Iterable[Gate]) -> None:
        for line in lines:
            report.gates.append(line)
            progress(line)

    written = source_notebooks(course, assignment)
    require_python(assignment.id, written)
    try:
        source = instantiated(course, assignment, with_header_and_footer(course, written))
    except BadSource as error:
        note([Gate("autotests can be made tests", False, error.message, "", error.hint)])
        return report
    note(metadata_gates(source))
    if report.ok:
        note(_packages(course, assignment, source))
    with tempfile.TemporaryDirectory(prefix="tito-check-") as scratch:
        artefact = Path(scratch) / "release"
        try:
            build_release(course, assignment, artefact)
            again = build_release(course, assignment, Path(scratch) / "again")
        except BadSource as error:
            if report.ok:  # else it is one of what has been told
                note([Gate("a release can be built", False, error.message, "", "Mend it in the source.")])
            return report
        is_sound = report.ok
        note([same_bytes(artefact, again)])
        note(leak_gates(course, assignment, source, artefact))
        if not is_sound:
            note([Gate(NOT_RUN, True, "nothing was run: mend what failed above first", warning=True)])
            return report
        released = {name: nbformat.read(artefact / f"{name}.ipynb", as_version=4) for name in source}
        plan = plan_assignment(course, assignment)
        with _shared(backend, plan) as shared:
            context = GateContext(course, assignment, backend, plan, shared, source, released)
            for gate in _run(context, workers):
                note(gate)
        note(_proved(course, assignment, context.plan, for_release=for_release))
    return report


@contextmanager
def _shared(backend: Backend, plan: AssignmentPlan) -> Iterator[Sandboxes | None]:
    """Sandboxes for all gates, where they keep sessions apart."""
    if backend.name == NOT_ISOLATED:
        yield None
    else:
        with sandboxes_for(backend, plan) as sandboxes:
            yield sandboxes


def _run(context: GateContext, workers: int) -> Iterator[Iterable[Gate]]:
    """The gates that run code, one after the other."""
    with context.sandboxes() as sandboxes:
        context = replace(context, plan=calibrated(context.plan, sandboxes))
    course, plan = context.course, context.plan
    yield _without_names(plan)
    yield _as_the_course_has_it(course, _judged(plan))
    yield _as_the_course_has_it(course, declared_reports(plan))
    with context.sandboxes() as sandboxes, Judge(sandboxes.judges, halves_of(plan.notebooks)) as judge:
        yield _as_the_course_has_it(course, forged_values(plan, sandboxes.notebooks, judge))
    yield _warmups(context)
    yield _earned(context, workers)


def _proved(course: Course, assignment: Assignment, plan: AssignmentPlan, *, for_release: bool) -> Iterator[Gate]:
    """What the kept proof says; no mutant is graded."""
    proof = read_proof(course, assignment)
    if proof is not None or course.gates.mutation != "off":
        keys = keys_of(course, assignment, plan)
        refuses = for_release and course.gates.mutation == "require"
        yield from proof_gates(assignment, proof, keys, refuses=refuses)


NOT_RUN = "tests and solutions"
APART = "tests are judged apart"
APART_HINT = (
    "Write a ### JUDGE line that says what the judge is to look at; or write '### IN PROCESS: reason' in the test, and "
    'its points are counted as forgeable. For a course that was converted: [gates] forgeable = "warn" in course.toml.'
)


def _without_names(plan: AssignmentPlan) -> Iterator[Gate]:
    """Visible tests that read what only a hidden section makes: no student can run them, and those are graded as hidden
    that need more of it than an import."""
    for notebook in plan.notebooks:
        for test in notebook.tests.values():
            written = with_last_value(sections(notebook.by_grade_id[test.grade_id].source))
            for before, (after, _) in zip(written, test.sections, strict=True):
                if not before.hidden and (before.hidden, before.observe) != (after.hidden, after.observe):
                    detail = "a visible section reads what only a hidden one makes: students cannot run it"
                    hint = "Import it, or make it, in a cell that students see."
                    yield Gate("visible tests find their names", True, detail, test.grade_id, hint, warning=True)


def _judged(plan: AssignmentPlan) -> Iterator[Gate]:
    """Where each test is judged, and by what. By what student code can forge only where the test itself says why."""
    sources = {cell.grade_id: cell.source for notebook in plan.notebooks for cell in notebook.cells}
    how = {test.grade_id: why for test, why in forgeable(plan)}
    reasons = {name: reason_in_process(sources[name]) for name in how}
    for name, reason in reasons.items():
        if not reason:
            yield Gate(APART, False, f"it can be forged: {how[name]}", name, APART_HINT)
    if all(reasons.values()):
        declared = [f"{name} ({reason})" for name, reason in reasons.items()]
        yield Gate(
            APART, True, f"every test but, and these can be forged, {'; '.join(declared)}" if declared else "every test"
        )


def _as_the_course_has_it(course: Course, gates: Iterable[Gate]) -> Iterator[Gate]:
    """What can be forged is refused, or named and let pass."""
    lenient = course.gates.forgeable == "warn"
    return (replace(line, ok=True, warning=True) if lenient and not line.ok else line for line in gates)


def _packages(course: Course, assignment: Assignment, source: dict[str, Any]) -> Iterator[Gate]:
    """Whether notebooks can import what the assignment does: without it, everybody's work would fail."""
    name = "packages"
    imports = imports_of(course, assignment, {each: read_cells(notebook.cells) for each, notebook in source.items()})
    missing = missing_packages(course, imports)
    for each in missing:
        detail = f"{each.where} imports {each.module}, which is not among the packages of this course"
        yield Gate(name, False, detail, hint=advice(course, each))
    if not missing:
        yield Gate(name, True, f"notebooks can import {', '.join(sorted(imports)) or 'all that is imported'}")


# ---- what runs code ------------------------------------------------------------------------------


def _warmups(context: GateContext) -> Iterator[Gate]:
    """Run the unsolved release in order, as a student who has written nothing yet."""
    name = "warm-ups run on the unsolved notebook"
    for notebook in context.released.values():
        cells = read_cells(notebook.cells)
        last = max((at for at, cell in enumerate(cells) if cell.is_warmup), default=-1)
        failed = []
        with context.sandboxes() as sandboxes, sandboxes.notebooks.session() as session:
            for cell in cells[: last + 1]:
                if not cell.is_code:
                    continue
                ran = session.notebook.run(cell.source, context.plan.spec.limits.cell_timeout_s)
                if ran.status is not StepStatus.OK and cell.is_warmup:
                    failed.append(Gate(name, False, f"{ran.ename or ran.status}: {ran.evalue}", cell.id))
        yield from failed
        if not failed:
            yield Gate(name, True, f"{sum(cell.is_warmup for cell in cells)} warm-up cells")


def _earned(context: GateContext, workers: int) -> Iterator[Gate]:
    full = {name: filled(context.released[name], solutions(notebook)) for name, notebook in context.source.items()}
    record = _graded(context, {"reference": full}, 1)["reference"]
    yield from _all_earned("the reference earns every point", record)
    yield from _credited(record)
    variants = _variants(context)
    submitted = {variant.name: notebooks for variant, notebooks in variants}
    records = _graded(context.limited(cell_limit_s(record)), {THE_STUB: context.released} | submitted, workers)
    yield from _as_the_course_has_it(context.course, _none_earned(context, records[THE_STUB]))
    yield from (_as_stated(variant, records[variant.name]) for variant, _ in variants)


def _variants(context: GateContext) -> list[tuple[Variant, dict[str, Any]]]:
    """The simulated students of a module, with the notebooks that they submit."""
    variants = read_variants(context.course, context.assignment)
    if variants and len(context.source) != 1:
        raise BadSource(f"{context.assignment.id} has variants, but more than one notebook.", hint="Split it.")
    name, notebook = next(iter(context.source.items()))
    return [(variant, {name: submission(variant, notebook, context.released[name])}) for variant in variants]


def _graded(context: GateContext, submissions: dict[str, dict[str, Any]], workers: int) -> dict[str, SubmissionRecord]:
    """Records of submissions that are stored nowhere, by the name under which they were given."""
    with tempfile.TemporaryDirectory(prefix="tito-check-") as scratch:
        tasks = []
        for who, notebooks in submissions.items():
            folder = Path(scratch) / who
            folder.mkdir()
            for name, notebook in notebooks.items():
                nbformat.write(notebook, folder / f"{name}.ipynb")
            if who != THE_STUB:
                write_files(folder, context.plan.handed_in.reference)
            tasks.append(Task(who, folder, NOT_STORED))
        with context.sandboxes() as sandboxes:
            borrowed = borrowed_sandboxes(sandboxes, context.plan.spec)
            graded = grade_in(borrowed, context.plan, context.backend, tasks, workers)
            records = {task.student: result.record for task, result in graded}
    fault = next((record.fault for record in records.values() if record.fault), "")
    if fault:
        raise PlatformError(fault)
    return records


def _all_earned(name: str, record: SubmissionRecord) -> Iterator[Gate]:
    written = [cell for cell in record.cells if cell.verdict is Verdict.MANUAL and cell.evidence is Evidence.NONE]
    lost = [cell for cell in record.cells if cell.verdict is not Verdict.PASSED and cell not in written]
    for cell in lost:
        detail = "" if cell.detail in cell.message else cell.detail
        yield Gate(name, False, f"{cell.verdict.value}: {cell.message} {detail}".strip(), cell.grade_id, REFERENCE_HINT)
    if not lost:
        points = sum(cell.points or 0 for cell in record.cells)
        yield Gate(name, True, f"{points:g} points in {sum(notebook.seconds for notebook in record.notebooks):.1f} s")


def _credited(record: SubmissionRecord) -> Iterator[Gate]:
    """Tests that end in a value that is no number of points: full credit whatever it is, as for nbgrader."""
    for cell in record.cells:
        if cell.earned and REMARK in cell.detail:
            hint = "Where it is to be points, write float(…); else end the line with a semicolon."
            yield Gate("partial credit is a number", True, cell.detail, cell.grade_id, hint, warning=True)


REFERENCE_HINT = (
    "Run the source from the top in a new kernel. Where the solution passes the test there, the sandbox lacks what it "
    "needs: a package ([sandbox] packages in course.toml), the network, or a file beside the notebook."
)
THE_STUB = "the stub"
STUB = "the untouched stub fails each graded cell"
STUB_HINT = (
    "Test what the student writes; or write '### PASSES UNSOLVED: reason' in the test. "
    'For a course that was converted: [gates] forgeable = "warn" in course.toml.'
)


def _none_earned(context: GateContext, record: SubmissionRecord) -> Iterator[Gate]:
    """No test that the stub passes, but for those that say why it may."""
    cells = {cell.grade_id: cell for notebook in context.plan.notebooks for cell in notebook.cells}
    earned = {cell.grade_id for cell in record.cells if cell.earned}
    permitted = {name for name, cell in cells.items() if cell.is_test and reason_unsolved(cell.source)}
    for name in sorted(earned - permitted):
        yield Gate(STUB, False, "the stub passes this test: it tests nothing of the student's", name, STUB_HINT)
    for name in sorted(permitted - earned):
        detail = "it says ### PASSES UNSOLVED, and the stub does not pass it"
        yield Gate(STUB, False, detail, name, "Take that line out.")
    if earned == permitted:
        tested = sum(cell.verdict is not Verdict.MANUAL for cell in record.cells) - len(permitted)
        but = f" but {', '.join(sorted(permitted))}, on purpose" if permitted else ""
        yield Gate(STUB, True, f"{tested} cells{but}")


def _as_stated(variant: Variant, record: SubmissionRecord) -> Gate:
    """A variant must lose exactly the cells that its header says."""
    name = f"variant {variant.name} ({variant.kind})"
    automatic = [cell for cell in record.cells if cell.verdict is not Verdict.MANUAL]
    lost = {cell.grade_id for cell in automatic if not cell.earned}
    wanted = {cell.grade_id for cell in automatic} if variant.all_lost else set(variant.lost)
    if lost == wanted:
        return Gate(name, True, f"loses {len(lost)} of {len(automatic)} cells, as it should")
    unjust = [
        f"{cell.grade_id} ({cell.verdict.value}: {cell.message})"
        for cell in automatic
        if cell.grade_id in lost - wanted
    ]
    parts = [f"loses {', '.join(unjust)}"] if unjust else []
    parts += [f"keeps {', '.join(sorted(wanted - lost))}"] if wanted - lost else []
    hint = "Correct the test, or the variant's `lost` line."
    return Gate(name, False, f"{' and '.join(parts)}, against its header", str(variant.path.name), hint)
