"""Mutants of a module, graded: which of them its tests catch, and by whose.

Every solution that is right is mutated: the reference, and the variants that are right too. A mutant is graded by the
engine as a submission, first by the tests of its own exercise alone, and by the others where those let it pass. It is
caught where a test does not pass; a fault of ours catches nothing. What has been found out is kept as it comes, so that
a run that was stopped goes on where it was.
"""

from __future__ import annotations

import ast
import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import nbformat

from tito import __version__
from tito.author.equivalents import Mark, Prober, without_marks
from tito.author.exercises import own_tests
from tito.author.mutants import Mutant, cosmic_ray_version, mutants_of, operators_hash
from tito.author.proof import Caught, Keys, MutantRecord, Proof
from tito.author.release import build_release
from tito.author.survivors import Survivors
from tito.author.trial import PATIENCE, Trial, TrialSubmission, cell_limit_s
from tito.author.variants import GENERATORS, SOLUTION_MARKERS, filled, read_variants, solutions
from tito.course.cells import grade_id_of, kind_of, read_cells
from tito.course.course import Assignment, Course
from tito.course.kernels import require_python
from tito.course.python_source import UNPARSABLE, parsed
from tito.course.script import source_notebooks, with_header_and_footer
from tito.errors import GateFailed, PlatformError
from tito.grade.calibrate import calibrated_apart
from tito.models import CellKind, SubmissionRecord, Verdict
from tito.plan.autotests import instantiated
from tito.plan.plan import AssignmentPlan
from tito.plan.planning import plan_assignment
from tito.plan.sandbox_specs import files_of
from tito.sandbox.environment import environment
from tito.sandbox.launch import Backend

REFERENCE = "reference"
CELLS_AT_LIMIT = 2  # that are waited for: a mutant that does not end is stopped, and is caught
NO_EVIDENCE = (Verdict.PASSED, Verdict.PLATFORM, Verdict.MANUAL)


@dataclass(frozen=True)
class SolutionCell:
    """A cell of a solution that is right, as it was written, without marks; `lines` are the student's."""

    solution: str
    notebook: str
    name: str
    text: str
    lines: frozenset[int]


@dataclass
class Module:
    """What is mutated of a module, and what catches it."""

    course: Course
    assignment: Assignment
    plan: AssignmentPlan
    released: dict[str, Any]
    solved: dict[str, dict[str, dict[str, str]]]  # by solution and notebook: sources by grade id
    cells: list[SolutionCell]
    marks: list[Mark]
    own: dict[str, frozenset[str]]
    tests: frozenset[str]

    def submission(self, solution: str, notebook: str = "", changed: dict[str, str] | None = None) -> dict[str, Any]:
        """The notebooks of a solution, in one of which some cells are others."""
        return {
            name: filled(self.released[name], sources | (changed or {} if name == notebook else {}))
            for name, sources in self.solved[solution].items()
        }

    def mutated(self, cell: SolutionCell, mutant: Mutant) -> dict[str, Any]:
        """The notebooks of a solution that is wrong in one cell."""
        return self.submission(cell.solution, cell.notebook, {cell.name: mutant.source})


def read_module(course: Course, assignment: Assignment, backend: Backend) -> Module:
    """Read all that a module's mutants are made of, and plan its grading.

    Raises:
        BadSource: its source, a variant or a mark cannot be read.
    """
    source = _source(course, assignment)
    with tempfile.TemporaryDirectory(prefix="tito-mutate-") as scratch:
        folder = build_release(course, assignment, Path(scratch) / "release")
        released = {name: nbformat.read(folder / f"{name}.ipynb", as_version=4) for name in source}
    plan = calibrated_apart(plan_assignment(course, assignment), backend)
    solved = {REFERENCE: {name: solutions(notebook) for name, notebook in source.items()}}
    own: dict[str, frozenset[str]] = {}
    for notebook in source.values():
        own |= own_tests(read_cells(notebook.cells))
    for name, variant in _right_variants(course, assignment).items():
        (notebook_name,) = source
        base = solved[REFERENCE][notebook_name] if variant.base == REFERENCE else {}
        solved[name] = {notebook_name: base | variant.cells}
    tests = frozenset(test for each in plan.notebooks for test in each.tests)
    cells, marks = _cells_and_marks(course, assignment, source)
    cells = [cell for cell in cells if cell.name in own]  # what a person grades is no business of a test's
    return Module(course, assignment, plan, released, solved, cells, marks, own, tests)


def solution_cells(course: Course, assignment: Assignment) -> list[SolutionCell]:
    """The cells of the solutions that are right, those of the reference first."""
    return _cells_and_marks(course, assignment, _source(course, assignment))[0]


def _source(course: Course, assignment: Assignment) -> dict[str, Any]:
    written = source_notebooks(course, assignment)
    require_python(assignment.id, written)
    return instantiated(course, assignment, with_header_and_footer(course, written))


def _cells_and_marks(
    course: Course, assignment: Assignment, source: Mapping[str, Any]
) -> tuple[list[SolutionCell], list[Mark]]:
    cells, marks = _of_reference(source)
    for name, variant in _right_variants(course, assignment).items():
        (notebook_name,) = source
        for cell, written in variant.cells.items():
            text, own_marks = without_marks(written, name, cell)
            every = frozenset(range(1, text.count("\n") + 2))
            cells.append(SolutionCell(name, notebook_name, cell, text, every))
            marks += own_marks
    return cells, marks


def _right_variants(course: Course, assignment: Assignment) -> dict[str, Any]:
    return {each.name: each for each in read_variants(course, assignment) if each.kind == "correct"}


def _of_reference(source: Mapping[str, Any]) -> tuple[list[SolutionCell], list[Mark]]:
    cells: list[SolutionCell] = []
    marks: list[Mark] = []
    for name, notebook in source.items():
        for cell in notebook.cells:
            if kind_of(cell) is CellKind.SOLUTION and cell.cell_type == "code":
                text, own_marks = without_marks(cell.source, REFERENCE, grade_id_of(cell))
                cells.append(SolutionCell(REFERENCE, name, grade_id_of(cell), text, _students_lines(text)))
                marks += own_marks
    return cells, marks


def _students_lines(text: str) -> frozenset[int]:
    """Lines between the markers of solutions; all where there are none."""
    numbers: set[int] = set()
    lines = text.split("\n")
    is_inside = False
    for number, line in enumerate(lines, 1):
        marker = SOLUTION_MARKERS.match(f"{line}\n")
        if marker:
            is_inside = marker[1] == "BEGIN"
        elif is_inside:
            numbers.add(number)
    return frozenset(numbers) if SOLUTION_MARKERS.search(text) else frozenset(range(1, len(lines) + 1))


def mutants_of_module(module: Module) -> list[tuple[SolutionCell, Mutant]]:
    """All of a module's mutants, the extreme ones first, with the cell that each is of."""
    pairs = [
        (cell, mutant)
        for cell in module.cells
        for mutant in mutants_of(cell.text, cell.solution, cell.name, cell.lines, _submitted)
    ]
    return sorted(pairs, key=lambda pair: not pair[1].is_extreme)


def _submitted(text: str) -> str:
    return SOLUTION_MARKERS.sub("", text)


# ---- what a proof is of ----------------------------------------------------------------------------------


def keys_of(course: Course, assignment: Assignment, plan: AssignmentPlan) -> Keys:
    """Hashes of all that a proof rests on. Texts that students read count for nothing, and marks by themselves.

    Raises:
        BadSource: a source, a variant or a mark that cannot be read.
    """
    marks: list[Mark] = []
    script = hashlib.sha256()
    for notebook in plan.notebooks:
        for cell in notebook.cells:
            if cell.is_code and not cell.tags:
                text, own_marks = without_marks(cell.source, REFERENCE, cell.grade_id)
                script.update(json.dumps([notebook.name, cell.grade_id, cell.kind.value, text]).encode())
                marks += own_marks
    variants = hashlib.sha256()
    for name, variant in _right_variants(course, assignment).items():
        for cell_name, source in variant.cells.items():
            text, own_marks = without_marks(source, name, cell_name)
            variants.update(json.dumps([name, variant.base, cell_name, text]).encode())
            marks += own_marks
    generators = course.step("variants", assignment.id, GENERATORS)
    mark_texts = [
        repr(sorted(marks, key=lambda mark: mark.key)),
        generators.read_text("utf-8") if generators.exists() else "",
    ]
    return Keys(
        script=script.hexdigest(),
        variants=variants.hexdigest(),
        operators=operators_hash(),
        engine=_engine_hash(plan),
        marks=hashlib.sha256("\0".join(mark_texts).encode()).hexdigest() if marks else "",
    )


def _engine_hash(plan: AssignmentPlan) -> str:
    """What gives verdicts beside the tests: the engine, the packages, and the modules below, but for what they say of
    themselves. Limits count for nothing: where they are too strict for what is right, other gates say so; nor does
    which release of a Python it is, so that a proof holds on the next machine."""
    packages = environment(plan.spec.packages).versions
    digest = hashlib.sha256(json.dumps([__version__, sys.version_info[:2], packages]).encode())
    for name, file in files_of(plan.spec):
        if "__pycache__" not in file.parts:
            digest.update(f"{name}\0".encode() + _code_of(file))
    return digest.hexdigest()


def _code_of(file: Path) -> bytes:
    """What a file does: of Python its code, without comments and docstrings."""
    content = file.read_bytes()
    if file.suffix != ".py":
        return content
    try:
        tree = parsed(content.decode())
    except UNPARSABLE:
        return content
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(
            node
        ):
            del node.body[0]
    return ast.dump(tree).encode()


# ---- grading ---------------------------------------------------------------------------------------------


@dataclass
class Findings:
    """What is known of mutants, by name, and kept in a file as it comes. Of others than these keys nothing is known."""

    path: Path
    keys: Keys
    records: dict[str, MutantRecord] = field(default_factory=dict)

    @staticmethod
    def read(path: Path, keys: Keys, proof: Proof | None) -> Findings:
        """What a run that was stopped has left, and what the kept proof says."""
        findings = Findings(path, keys)
        graded = replace(keys, marks="")
        if proof is not None and replace(proof.keys, marks="") == graded:
            findings.records = {each.name: each for each in proof.mutants}
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        if lines and lines[0] == json.dumps(graded.as_json()):
            for line in lines[1:]:
                try:
                    record = MutantRecord.from_json(json.loads(line))
                except (ValueError, KeyError, TypeError):
                    continue  # the line at which the run was stopped
                findings.records[record.name] = record
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(graded.as_json()) + "\n", encoding="utf-8")
        return findings

    def add(self, record: MutantRecord) -> None:
        self.records[record.name] = record
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record.as_json()) + "\n")


@dataclass(frozen=True)
class Progress:
    """Whom a run tells how far it has come."""

    started: Callable[[str, int], None] = lambda title, count: None
    advance: Callable[[str], None] = lambda line: None


def run_mutation(
    course: Course,
    assignment: Assignment,
    backend: Backend,
    *,
    workers: int = 2,
    progress: Progress = Progress(),
    chosen: Callable[[list[tuple[SolutionCell, Mutant]]], list[tuple[SolutionCell, Mutant]]] | None = None,
    proof: Proof | None = None,
    again: bool = False,
) -> Proof:
    """Grade a module's mutants, and say what its tests catch.

    Args:
        chosen: which of them are graded; all by default. Then nothing is kept on disk of it.
        proof: the one that is kept of the module, whose records need not be found out again.
        again: forget what a run that was stopped has left.

    Raises:
        BadSource, PlatformError: they cannot be made, or not graded.
        GateFailed: a solution that is to be right does not pass the tests as it is.
    """
    started = time.monotonic()
    module = read_module(course, assignment, backend)
    keys = keys_of(course, assignment, module.plan)
    plan = _limited(module.plan, _require_right(module, backend, workers))
    pairs = mutants_of_module(module)
    with tempfile.TemporaryDirectory(prefix="tito-mutate-") as scratch:
        file = course.gradebook_dir / "mutation" / f"{assignment.id}.jsonl"
        if again:
            file.unlink(missing_ok=True)
        findings = Findings.read(Path(scratch) / "findings" if chosen else file, keys, proof)
        pairs = chosen(pairs) if chosen else pairs
        with Trial(plan, backend, workers) as trial:
            _grade(module, trial, pairs, findings, progress)
            _explain(replace(module, plan=plan), trial, pairs, findings, progress)
            records = tuple(_with_digest(findings.records[mutant.name], mutant) for _, mutant in pairs)
            records = tuple(_with_marks(module, trial, dict(_by_name(pairs)), records, progress))
    return Proof(
        module=assignment.id,
        keys=keys,
        cosmic_ray=cosmic_ray_version(),
        own={name: tuple(sorted(tests)) for name, tests in module.own.items()},
        mutants=records,
        unused_marks=_unused(module, records) if not chosen else (),
        seconds=round(time.monotonic() - started, 1),
    )


def _by_name(pairs: Iterable[tuple[SolutionCell, Mutant]]) -> Iterator[tuple[str, tuple[SolutionCell, Mutant]]]:
    return ((mutant.name, (cell, mutant)) for cell, mutant in pairs)


def _with_digest(record: MutantRecord, mutant: Mutant) -> MutantRecord:
    """A record as the mutant is now: what a mark says of it is found out each time."""
    return replace(record, operator=mutant.operator, family=mutant.family, reason="", generator="", refused="")


def _limited(plan: AssignmentPlan, reference: SubmissionRecord) -> AssignmentPlan:
    """The plan with as much time as a wrong solution needs to be seen to be one."""
    limits = plan.spec.limits
    cell_s = min(limits.cell_timeout_s, cell_limit_s(reference))
    whole = PATIENCE * sum(notebook.seconds for notebook in reference.notebooks)  # by the clock, of a busy machine too
    notebook_s = min(limits.notebook_timeout_s, max(CELLS_AT_LIMIT * cell_s, whole))
    limits = replace(limits, cell_timeout_s=cell_s, notebook_timeout_s=notebook_s)
    return replace(plan, spec=replace(plan.spec, limits=limits))


def _require_right(module: Module, backend: Backend, workers: int) -> SubmissionRecord:
    """Grade the solutions as they are; what became of the reference."""
    with Trial(module.plan, backend, min(workers, len(module.solved))) as trial:
        submissions = [TrialSubmission(name, module.submission(name)) for name in module.solved]
        records = dict(trial.graded(submissions))
    for name, record in records.items():
        if record.platform_fault:
            raise PlatformError(f"The solution '{name}' could not be graded: {record.fault or _faults(record)}.")
        lost = [cell.grade_id for cell in record.cells if cell.grade_id in module.tests and not cell.earned]
        if lost:
            raise GateFailed(
                f"{module.assignment.id}: '{name}' does not pass {', '.join(lost)} as it is.",
                hint=f"Run 'tito check {module.assignment.id}' and mend that first.",
            )
    return records[REFERENCE]


def _faults(record: SubmissionRecord) -> str:
    return "; ".join(cell.detail for cell in record.cells if cell.verdict is Verdict.PLATFORM)


def _grade(
    module: Module, trial: Trial, pairs: list[tuple[SolutionCell, Mutant]], findings: Findings, progress: Progress
) -> None:
    """Find out of each mutant what catches it: the tests of its own exercise, the others, or nothing. What we failed to
    grade is tried once more."""
    open_mutants = {
        name: pair
        for name, pair in _by_name(pairs)
        if name not in findings.records or findings.records[name].caught is Caught.FAULT
    }
    progress.started("Grading mutants", len(open_mutants))
    faults: list[str] = []

    def own_tests_of(name: str) -> frozenset[str]:
        return module.own[open_mutants[name][1].cell]

    def graded(names: Iterable[str], caught: Caught) -> Iterator[MutantRecord]:
        """What the tests of their own exercise say of mutants, or the others."""
        tests = {name: own_tests_of(name) for name in names}
        if caught is Caught.OTHERS:
            tests = {name: module.tests - own for name, own in tests.items()}
        submissions = (TrialSubmission(name, module.mutated(*open_mutants[name]), tests[name]) for name in tests)
        for name, record in trial.graded(submissions):
            yield _result(open_mutants[name][1], record, tests[name], caught)

    def note(result: MutantRecord) -> None:
        if result.caught is Caught.FAULT and result.name not in faults:
            faults.append(result.name)
        else:
            findings.add(result)
            progress.advance(f"{result.name}: {result.summary}")

    def grade(names: Iterable[str]) -> None:
        passed = []
        for result in graded(names, Caught.OWN):
            if result.caught is Caught.NOT:
                passed.append(result.name)
            else:
                note(result)
        for result in graded(passed, Caught.OTHERS):
            note(result)

    grade(open_mutants)
    grade(tuple(faults))


def _result(mutant: Mutant, record: SubmissionRecord, tests: frozenset[str], caught: Caught) -> MutantRecord:
    """What a record says of a mutant. A test that could not be judged says nothing."""
    asked = [cell for cell in record.cells if cell.grade_id in tests]
    failed = [cell for cell in asked if cell.verdict not in NO_EVIDENCE]
    base = MutantRecord.of(mutant)
    if failed and not record.fault:
        first = next((cell for cell in failed if cell.verdict is not Verdict.NOT_RUN), failed[0])
        return replace(base, caught=caught, test=first.grade_id, verdict=first.verdict.value)
    if record.fault or any(cell.verdict is Verdict.PLATFORM for cell in asked):
        return replace(base, caught=Caught.FAULT, verdict=(record.fault or _faults(record))[:200])
    return base


def _explain(
    module: Module, trial: Trial, pairs: list[tuple[SolutionCell, Mutant]], findings: Findings, progress: Progress
) -> None:
    """Say of each that nothing caught what tests saw of it."""
    waiting = [
        (cell, mutant)
        for cell, mutant in pairs
        if findings.records[mutant.name].caught is Caught.NOT and findings.records[mutant.name].survival is None
    ]
    if not waiting:
        return
    progress.started("Looking at survivors", len(waiting))
    with Survivors(module.plan, trial.sandboxes) as survivors:
        for cell, mutant in waiting:
            right, mutated = module.submission(cell.solution), module.mutated(cell, mutant)
            survival = survivors.survival(cell.solution, right, mutated, module.own[mutant.cell])
            if survival is not None:
                findings.add(replace(findings.records[mutant.name], survival=survival))
            progress.advance(mutant.name)


# ---- marks -------------------------------------------------------------------------------------------------


def _with_marks(
    module: Module,
    trial: Trial,
    pairs: Mapping[str, tuple[SolutionCell, Mutant]],
    records: tuple[MutantRecord, ...],
    progress: Progress,
) -> Iterator[MutantRecord]:
    """The records with what authors say of mutants, and where that is refused."""
    marks = {mark.key: mark for mark in module.marks}
    generators = module.course.step("variants", module.assignment.id, GENERATORS)
    prober = Prober(trial.sandboxes.notebooks, generators, module.course.limits.cell_timeout_s)
    progress.started("Comparing what is marked", sum(record.name in marks for record in records))
    for record in records:
        mark = marks.get(record.name)
        if mark is None:
            yield record
            continue
        refused = ""
        if record.caught is not Caught.NOT:
            refused = f"a test catches it: {record.test}"
        elif record.is_extreme and not mark.generator:
            refused = "of an extreme one a generator has to show that it is no other solution"
        elif mark.generator:
            cell, mutant = pairs[record.name]
            draw = prober.first_difference(mark, module.submission(cell.solution), module.mutated(cell, mutant))
            refused = "" if draw is None else f"input {draw} of {mark.generator} tells the two apart"
        progress.advance(f"{record.name}: {refused or mark.reason}")
        yield replace(record, reason=mark.reason, generator=mark.generator, refused=refused)


def _unused(module: Module, records: Iterable[MutantRecord]) -> tuple[str, ...]:
    """Marks of no mutant: their line has changed, or the mutant is not made any more."""
    names = {record.name for record in records}
    return tuple(f"{mark.key} ({mark.reason})" for mark in module.marks if mark.key not in names)
