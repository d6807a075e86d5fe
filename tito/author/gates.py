"""The release gate: proof that a module is fit for students, one line per gate.

Metadata are sound · two builds are the same bytes · nothing secret is in the build · warm-ups come first, and run on
it · no cell of the reference's notebook raises · every test is judged apart, judges no claim that can be forged, and
takes a student's word for nothing undeclared · the reference earns every point · the untouched stub earns none · every
variant earns what it should · the proof that tests catch wrong solutions (`proof`) is the one of this module, and holds
what is asked for.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import nbformat

from tito.author.forgery import declared_reports, forged_values
from tito.author.forked import forked
from tito.author.gate_context import GateContext
from tito.author.mutation import keys_of
from tito.author.proof import proof_gates, read_proof
from tito.author.release import build_release
from tito.author.source_gates import leak_gates, metadata_gates, same_bytes, warmup_gates
from tito.author.trial import cell_limit_s
from tito.author.variant_gates import (
    REFERENCE,
    THE_STUB,
    all_as_stated,
    all_earned,
    enough_variants,
    lost_by,
    none_earned,
    of_reference,
    of_stub,
    of_variants,
)
from tito.author.variants import read_variants
from tito.author.whole_notebook import but_of_tests, notebook_gates
from tito.course.cells import read_cells
from tito.course.course import Assignment, Course
from tito.course.kernels import require_python
from tito.course.nbgrader_metadata import metadata_problems
from tito.course.script import source_notebooks, with_header_and_footer
from tito.errors import BadSource
from tito.grade.calibrate import calibrated, forgeable
from tito.judge.judge import Judge, halves_of, sandboxes_for
from tito.models import Gate, GateReport
from tito.plan.autotests import instantiated
from tito.plan.directives import reason_in_process
from tito.plan.packages import advice, imports_of, missing_packages
from tito.plan.partial_credit import with_last_value
from tito.plan.plan import AssignmentPlan
from tito.plan.planning import plan_assignment
from tito.plan.sandbox_specs import Sandboxes
from tito.plan.test_cell import sections
from tito.sandbox.launch import Backend
from tito.sandbox.zygote_client import NOT_ISOLATED


def run_gates(
    course: Course,
    assignment: Assignment,
    backend: Backend,
    *,
    workers: int = 2,
    for_release: bool = False,
    fast: bool = False,
    progress: Callable[[Gate], None] = lambda gate: None,
) -> GateReport:
    """Run every gate on an assignment; a gate that fails says which cell and why.

    Args:
        for_release: require the proof that tests catch wrong solutions, where the course does.
        fast: leave out the simulated students and forged values.

    Raises:
        BadSource: the source cannot be read at all, or not planned for a reason that no gate tells.
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
    plan = _planned(course, assignment, source)
    note(metadata_gates(source, course.gates.total_points, plan.notebooks if plan else ()))
    if report.ok:
        note(_packages(course, assignment, source))
    plan = plan or (plan_assignment(course, assignment) if report.ok else None)  # raises what no gate has told
    of_release = _of_release(
        course,
        assignment,
        source,
        plan if report.ok else None,
        backend,
        workers=workers,
        fast=fast,
        for_release=for_release,
    )
    note(chain.from_iterable(of_release))
    return report


def _planned(course: Course, assignment: Assignment, source: dict[str, Any]) -> AssignmentPlan | None:
    """The plan of the grading, made once for all gates. None where something is in its way, which gates say."""
    if any(problem for notebook in source.values() for problem in metadata_problems(notebook)):
        return None
    try:
        return plan_assignment(course, assignment)
    except BadSource:
        return None


def _of_release(
    course: Course,
    assignment: Assignment,
    source: dict[str, Any],
    plan: AssignmentPlan | None,
    backend: Backend,
    *,
    workers: int,
    fast: bool,
    for_release: bool,
) -> Iterator[Iterable[Gate]]:
    """Gates on what students would get; without a plan, as where the source has failed, those that run nothing."""
    with tempfile.TemporaryDirectory(prefix="tito-check-") as folder, _shared(backend, plan) as shared:
        scratch = Path(folder)
        try:
            artefact = build_release(course, assignment, scratch / "release")
        except BadSource as error:
            if plan is not None:  # else it is one of what has been told
                yield [Gate("a release can be built", False, error.message, "", "Mend it in the source.")]
            return
        if plan is None:
            yield _of_build(course, assignment, source, scratch)
            yield [Gate(NOT_RUN, True, "nothing was run: mend what failed above first", warning=True)]
        else:
            released = {name: nbformat.read(artefact / f"{name}.ipynb", as_version=4) for name in source}
            context = GateContext(course, assignment, backend, plan, shared, source, released)
            yield from _run(context, scratch, workers, fast=fast)
            yield _proved(course, assignment, plan, for_release=for_release)


def _of_build(course: Course, assignment: Assignment, source: dict[str, Any], scratch: Path) -> Iterator[Gate]:
    """Gates that read the build of the release in `scratch`, and run nothing."""
    yield same_bytes(scratch / "release", build_release(course, assignment, scratch / "again"))
    yield from leak_gates(course, assignment, source, scratch / "release")


@contextmanager
def _shared(backend: Backend, plan: AssignmentPlan | None) -> Iterator[Sandboxes | None]:
    """Sandboxes for all gates, where they keep sessions apart; none without a plan."""
    if plan is None or backend.name == NOT_ISOLATED:
        yield None
    else:
        with sandboxes_for(backend, plan) as sandboxes:
            yield sandboxes


def _run(context: GateContext, scratch: Path, workers: int, *, fast: bool) -> Iterator[Iterable[Gate]]:
    """The gates that run code, side by side: in processes of their own the notebook from its top to its end, what is
    read of the build, and hostile values; in this one, and workers of its, the gradings."""
    variants = [] if fast else read_variants(context.course, context.assignment)
    with ExitStack() as stack:

        def beside(gates: Callable[[], Iterator[Gate]]) -> Callable[[], list[Gate]]:
            return stack.enter_context(forked(lambda: list(gates())))

        whole = beside(lambda: notebook_gates(context))
        yield context.as_the_course_has_it(warmup_gates(context.source))
        with context.lines() as lines:
            context = replace(context, plan=calibrated(context.plan, lines))
        of_build = beside(lambda: _of_build(context.course, context.assignment, context.source, scratch))
        with context.grading([of_reference(context), of_stub(context)], workers) as grade:
            yield _without_names(context.plan)
            yield context.as_the_course_has_it(_judged(context.plan))
            yield context.as_the_course_has_it(declared_reports(context.plan))
            first = grade()
        yield all_earned(first[REFERENCE])
        yield context.as_the_course_has_it(none_earned(context, first[THE_STUB]))
        if not fast:
            forged = beside(lambda: _forged(context))
            with context.limited(cell_limit_s(first[REFERENCE])).grading(
                of_variants(context, variants), workers
            ) as grade:
                records = grade()
        yield of_build()
        yield but_of_tests(whole(), lost_by(first[REFERENCE]))
        if fast:
            yield [Gate(NOT_RUN_FAST, True, "left out for speed: 'tito check' without --fast runs them", warning=True)]
        else:
            yield forged()
            yield enough_variants(context, variants)
            yield all_as_stated(context, variants, records)


def _forged(context: GateContext) -> Iterator[Gate]:
    with context.lines() as lines, Judge(lines.judges, halves_of(context.plan.notebooks)) as judge:
        yield from context.as_the_course_has_it(forged_values(context.plan, lines.notebooks, judge))


def _proved(course: Course, assignment: Assignment, plan: AssignmentPlan, *, for_release: bool) -> Iterator[Gate]:
    """What the kept proof says; no mutant is graded."""
    proof = read_proof(course, assignment)
    if proof is not None or course.gates.mutation != "off":
        keys = keys_of(course, assignment, plan)
        refuses = for_release and course.gates.mutation == "require"
        yield from proof_gates(assignment, proof, keys, refuses=refuses)


NOT_RUN = "tests and solutions"
NOT_RUN_FAST = "simulated students and forged values"
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
