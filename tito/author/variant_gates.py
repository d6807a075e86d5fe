"""Gates that grade: the reference earns all, the untouched stub nothing, and each simulated student what is stated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tito.author.exercises import own_tests
from tito.author.gate_context import GateContext
from tito.author.trial import TrialSubmission
from tito.author.variants import filled, solutions, submission
from tito.course.cells import read_cells
from tito.errors import BadSource
from tito.models import Evidence, Gate, SubmissionRecord, Variant, Verdict
from tito.plan.directives import reason_unsolved
from tito.plan.partial_credit import REMARK

REFERENCE, THE_STUB = "reference", "the stub"
EARNS_ALL = "the reference earns every point"
STUB = "the untouched stub fails each graded cell"
ONCE = "one mistake is charged once"
REFERENCE_HINT = (
    "Run the source from the top in a new kernel. Where the solution passes the test there, the sandbox lacks what it "
    "needs: a package ([sandbox] packages in course.toml), the network, or a file beside the notebook."
)
STUB_HINT = (
    "Test what the student writes; or write '### PASSES UNSOLVED: reason' in the test. "
    'For a course that was converted: [gates] forgeable = "warn" in course.toml.'
)


# ---- what is handed in -----------------------------------------------------------------------------------


def of_reference(context: GateContext) -> TrialSubmission:
    """The released notebooks with the reference's solutions in them."""
    source = context.source.items()
    return TrialSubmission(REFERENCE, {name: filled(context.released[name], solutions(each)) for name, each in source})


def of_stub(context: GateContext) -> TrialSubmission:
    """The notebooks as students get them."""
    return TrialSubmission(THE_STUB, context.released, with_files=False)


def of_variants(context: GateContext, variants: list[Variant]) -> list[TrialSubmission]:
    """What simulated students hand in, those first that may come to a limit of time.

    Raises:
        BadSource: it cannot be told which notebook they are of.
    """
    if variants and len(context.source) != 1:
        raise BadSource(f"{context.assignment.id} has variants, but more than one notebook.", hint="Split it.")
    name, notebook = next(iter(context.source.items()))
    in_order = sorted(variants, key=lambda variant: variant.kind not in ("endless", "hostile"))
    return [
        TrialSubmission(variant.name, {name: submission(variant, notebook, context.released[name])})
        for variant in in_order
    ]


def enough_variants(context: GateContext, variants: list[Variant]) -> Iterator[Gate]:
    """Whether there are as many simulated students as the course asks for."""
    gates = context.course.gates
    for kind, least in (("correct", gates.correct_variants), ("wrong", gates.wrong_variants)):
        count = sum(variant.kind == kind for variant in variants)
        if count < least:
            hint = f"Write them in variants/{context.assignment.id}: book/tutorials/write-a-module.md."
            yield Gate(f"enough {kind} variants", False, f"there are {count}, {least} are wanted", hint=hint)


# ---- what came of it -------------------------------------------------------------------------------------


def lost_by(record: SubmissionRecord) -> frozenset[str]:
    """Cells that were not passed, but for what is written for a person."""
    graded = (cell for cell in record.cells if cell.verdict is not Verdict.MANUAL or cell.evidence is not Evidence.NONE)
    return frozenset(cell.grade_id for cell in graded if cell.verdict is not Verdict.PASSED)


def all_earned(record: SubmissionRecord) -> Iterator[Gate]:
    """Whether the reference earned every point; tests that end in a value that is no number of points are named: full
    credit whatever it is, as for nbgrader."""
    lost = lost_by(record)
    for cell in (cell for cell in record.cells if cell.grade_id in lost):
        detail = "" if cell.detail in cell.message else cell.detail
        why = f"{cell.verdict.value}: {cell.message} {detail}".strip()
        yield Gate(EARNS_ALL, False, why, cell.grade_id, REFERENCE_HINT)
    if not lost:
        points = sum(cell.points or 0 for cell in record.cells)
        seconds = sum(notebook.seconds for notebook in record.notebooks)
        yield Gate(EARNS_ALL, True, f"{points:g} points in {seconds:.1f} s")
    for cell in record.cells:
        if cell.earned and REMARK in cell.detail:
            hint = "Where it is to be points, write float(…); else end the line with a semicolon."
            yield Gate("partial credit is a number", True, cell.detail, cell.grade_id, hint, warning=True)


def none_earned(context: GateContext, record: SubmissionRecord) -> Iterator[Gate]:
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


def all_as_stated(
    context: GateContext, variants: list[Variant], records: Mapping[str, SubmissionRecord]
) -> Iterator[Gate]:
    """Whether each variant loses exactly the cells that its header says; what a mistake costs beyond the cells of the
    exercises that it was made in is told."""
    own = {
        name: tests
        for notebook in context.source.values()
        for name, tests in own_tests(read_cells(notebook.cells)).items()
    }
    points = {test.grade_id: test.points for notebook in context.plan.notebooks for test in notebook.tests.values()}
    beyond = {variant.name: _beyond(variant, own) for variant in variants}
    for variant in variants:
        yield _as_stated(variant, records[variant.name], _costs(beyond[variant.name], points))
    mistakes = [variant for variant in variants if variant.kind == "wrong" and not variant.all_lost]
    twice = [variant for variant in mistakes if beyond[variant.name]]
    if mistakes:
        detail = f"{len(mistakes) - len(twice)} of {len(mistakes)} mistakes cost cells of their own exercise alone"
        names = "; ".join(f"{variant.name}: {_costs(beyond[variant.name], points)}" for variant in twice)
        yield Gate(ONCE, True, f"{detail}; the others besides: {names}" if twice else detail, warning=bool(twice))


def _beyond(variant: Variant, own: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Cells that a mistake costs, and that are of no exercise that it was made in."""
    if variant.kind != "wrong" or variant.all_lost:
        return frozenset()
    return variant.lost.difference(*(own.get(cell, frozenset()) for cell in variant.cells))


def _costs(cells: frozenset[str], points: Mapping[str, float]) -> str:
    return f"{', '.join(sorted(cells))} ({sum(points.get(cell, 0.0) for cell in cells):g} points)" if cells else ""


def _as_stated(variant: Variant, record: SubmissionRecord, beyond: str) -> Gate:
    name = f"variant {variant.name} ({variant.kind})"
    automatic = [cell for cell in record.cells if cell.verdict is not Verdict.MANUAL]
    lost = {cell.grade_id for cell in automatic if not cell.earned}
    wanted = {cell.grade_id for cell in automatic} if variant.all_lost else set(variant.lost)
    if lost == wanted:
        besides = f"; of other exercises {beyond}" if beyond else ""
        return Gate(name, True, f"loses {len(lost)} of {len(automatic)} cells, as it should{besides}")
    unjust = [
        f"{cell.grade_id} ({cell.verdict.value}: {cell.message})"
        for cell in automatic
        if cell.grade_id in lost - wanted
    ]
    parts = [f"loses {', '.join(unjust)}"] if unjust else []
    parts += [f"keeps {', '.join(sorted(wanted - lost))}"] if wanted - lost else []
    hint = "Correct the test, or the variant's `lost` line."
    return Gate(name, False, f"{' and '.join(parts)}, against its header", str(variant.path.name), hint)
