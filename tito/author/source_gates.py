"""Gates that read source and build, and run no code: metadata, two builds, and what must not be in them."""

from __future__ import annotations

import filecmp
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tito.course.cells import Cell, read_cells
from tito.course.course import Assignment, Course
from tito.course.nbgrader_metadata import label_of, metadata_problems
from tito.course.script import read_script
from tito.errors import BadSource
from tito.models import CellKind, Gate
from tito.plan.directives import SHOWN_FORM, require_forms, shown_lines
from tito.plan.leaks import Leak, Search, find_outputs
from tito.plan.plan import NotebookPlan, skipped
from tito.plan.planning import plan_notebook
from tito.plan.secret_texts import Secret, public_of, secrets_of
from tito.plan.test_cell import BEGIN_HIDDEN

METADATA = "metadata"
WARMUPS_FIRST = "warm-ups are ungraded and come first"
SECRETS = "nothing secret in the build"
AUTOTEST = "AUTOTEST"  # nbgrader writes such a test when it builds the release
NO_SOLUTION_CELL = "Make it 'Autograded answer' in the bar 'Create Assignment': nbgrader empties no other cell."
MOST_LINES = 4  # of a leak that are shown
PERMIT = "say in cell {0} that students may have a line, one such for each: ### SHOWN `the line`: reason."


def metadata_gates(
    source: dict[str, Any], total_points: float = 0, planned: Iterable[NotebookPlan] = ()
) -> Iterator[Gate]:
    """Whether each notebook's cells are what nbgrader and the grader can read, and add up to `total_points` (0: to
    whatever they do); all that is wrong, at once. Those that are `planned` are not planned again."""
    plans = {plan.name: plan for plan in planned}
    for name, notebook in source.items():
        problems = [(f"{each.cell}: {each.problem}", each.hint) for each in metadata_problems(notebook)]
        problems = problems or list(_problems(notebook, plans.get(name)))
        for problem, hint in problems:
            yield Gate(METADATA, False, problem, name, hint)
        if not problems:
            yield from _sound(name, read_cells(notebook.cells))
    points = sum(cell.points for notebook in source.values() for cell in read_cells(notebook.cells) if cell.is_graded)
    if total_points and points != total_points:
        hint = "Divide them anew; or change [gates] total_points in course.toml."
        yield Gate(METADATA, False, f"the cells have {points:g} points, {total_points:g} are wanted", hint=hint)


def _sound(name: str, cells: tuple[Cell, ...]) -> Iterator[Gate]:
    graded = [cell for cell in cells if cell.is_graded]
    for cell in graded:
        if not cell.points:
            hint = "Give it some, if it is to count; for practice it may stay so."
            yield Gate(METADATA, True, f"{cell.grade_id}: a graded cell without points", name, hint, warning=True)
    tests, written = [cell for cell in graded if cell.is_test], [cell for cell in graded if not cell.is_test]
    auto, manual = sum(cell.points for cell in tests), sum(cell.points for cell in written)
    detail = f"{len(tests)} autograded cells with {auto:g} points, {len(written)} written with {manual:g}"
    yield Gate(METADATA, True, detail, name)


def _problems(notebook: Any, plan: NotebookPlan | None) -> Iterator[tuple[str, str]]:
    hint = "Mend the cell in the source."
    cells = read_cells(notebook.cells)
    sources = {cell.grade_id: cell.source for cell in cells}
    for number, cell in enumerate(cells, 1):
        label = label_of(number, notebook.cells[number - 1])
        yield from ((f"{label}: {problem}", what) for problem, what in _problems_of_regions(cell))
        try:
            require_forms(cell.source, cell.label, {"SHOWN": SHOWN_FORM})
        except BadSource as error:
            yield error.message, error.hint
    try:
        plan = plan or plan_notebook("", notebook.cells)
    except BadSource as error:
        yield str(error), hint
        return
    for test in plan.tests.values():
        if not test.sections and AUTOTEST not in sources[test.grade_id]:
            yield f"{test.grade_id}: a test that tests nothing", hint


def _problems_of_regions(cell: Cell) -> Iterator[tuple[str, str]]:
    """Regions that nbgrader refuses to empty; it does not say in which cell they are."""
    begun, ended = (cell.source.count(f"{word} SOLUTION") for word in ("BEGIN", "END"))
    if begun > ended:
        yield "a solution region has no end", "Add a line '### END SOLUTION'."
    if begun and cell.kind not in (CellKind.SOLUTION, CellKind.ANSWER):
        yield "a solution in a cell that is none for students to write", NO_SOLUTION_CELL
    if BEGIN_HIDDEN in cell.source and cell.kind not in (CellKind.TEST, CellKind.ANSWER):
        hint = "Move it to a cell that is 'Autograder tests': nbgrader hides it in no other."
        yield "a hidden test in a cell that is no test", hint


def warmup_gates(source: dict[str, Any]) -> Iterator[Gate]:
    """Whether warm-ups come before anything that is written or graded, are ungraded, and set nothing that is needed."""
    problems = [problem for notebook in source.values() for problem in _problems_of_warmups(read_cells(notebook.cells))]
    yield from (Gate(WARMUPS_FIRST, False, detail, where, hint) for where, detail, hint in problems)
    if not problems:
        yield Gate(WARMUPS_FIRST, True, "no graded cell needs one")


def _problems_of_warmups(cells: tuple[Cell, ...]) -> Iterator[tuple[str, str, str]]:
    is_students = [cell.is_graded or cell.kind is CellKind.SOLUTION for cell in cells]
    first = is_students.index(True) if any(is_students) else len(cells)
    not_run = skipped(cells)
    for at, cell in enumerate(cells):
        if not cell.is_warmup:
            continue
        if is_students[at]:
            yield cell.label, "a warm-up that is graded", "Take out the tag, or nbgrader's metadata."
        elif at > first:
            hint = "Move it up; or give it the tag 'validate', if it looks at what was written."
            yield cell.label, f"a warm-up behind '{cells[first].label}'", hint
        elif cell.is_code and at not in not_run:
            hint = "Set those names in a locked cell: warm-ups are not run when work is graded, where that can be."
            yield cell.label, "it sets names that later cells need", hint


def same_bytes(first: Path, second: Path) -> Gate:
    """Whether two builds are alike."""
    names = sorted(str(path.relative_to(first)) for path in first.rglob("*") if path.is_file())
    others = sorted(str(path.relative_to(second)) for path in second.rglob("*") if path.is_file())
    _, differing, odd = filecmp.cmpfiles(first, second, names, shallow=False)
    differing += odd + sorted(set(names) ^ set(others))
    detail = f"differ between two builds: {', '.join(differing[:3])}" if differing else f"{len(names)} files"
    return Gate("two builds are the same bytes", not differing, detail)


def leak_gates(course: Course, assignment: Assignment, source: dict[str, Any], artefact: Path) -> Iterator[Gate]:
    """What of the source's secrets a build holds, and permissions that nothing needs."""
    cells = [cell for notebook in source.values() for cell in read_cells(notebook.cells)]
    secrets = secrets_of(cells)
    search = Search(artefact, secrets, public_of(cells), _below(course, assignment))
    findings = [_leak(leak) for leak in search.leaks if not leak.is_repeated]
    findings += [_output(leak) for leak in find_outputs(artefact)]
    findings += [_unused(where, text) for where, text in [*search.unused, *_without_secret(cells, secrets)]]
    yield from findings
    yield from _repeated([leak for leak in search.leaks if leak.is_repeated])
    if not findings:
        shown = sum(len(secret.shown) for secret in secrets)
        more = f", {shown} lines of them shown on purpose" if shown else ""
        yield Gate(SECRETS, True, f"{len(secrets)} solutions, hidden tests and mark schemes looked for{more}")


def _below(course: Course, assignment: Assignment) -> str:
    """What students of a module have of those below it, which they have written. Other modules beside a notebook are
    part of the release, and searched; so are files that the module itself provides."""
    if assignment.script is None:
        return ""
    files = course.files_below(read_script(assignment.script).info.number)
    return "\n".join(path.read_text(encoding="utf-8") for path in files if path.suffix == ".py")


def _leak(leak: Leak) -> Gate:
    secret = "hidden test" if leak.is_test else "solution or mark scheme"
    hint = f"Take it out there, or out of the region that students do not get; or {PERMIT.format(leak.where)}"
    return Gate(SECRETS, False, f"{_place(leak)} shows of its {secret}: {_lines(leak.lines)}", leak.where, hint)


def _repeated(leaks: list[Leak]) -> Iterator[Gate]:
    """One warning for each solution that shares lines with given code."""
    for where in dict.fromkeys(leak.where for leak in leaks):
        own = [leak for leak in leaks if leak.where == where]
        lines = dict.fromkeys(line for leak in own for line in leak.lines)
        places = ", ".join(dict.fromkeys(map(_place, own)))
        detail = f"its solution shares {_lines(tuple(lines))} with {places}"
        hint = f"If that is what students are to find out, take it out there; else {PERMIT.format(where)}"
        yield Gate(SECRETS, True, detail, where, hint, warning=True)


def _place(leak: Leak) -> str:
    return f"{leak.place} in {leak.file}" if leak.place else leak.file


def _lines(lines: tuple[str, ...]) -> str:
    more = f" and {len(lines) - MOST_LINES} more lines" if len(lines) > MOST_LINES else ""
    return " · ".join(f"`{line}`" for line in lines[:MOST_LINES]) + more


def _output(leak: Leak) -> Gate:
    hint = "Clear the notebook's outputs, and have nbgrader's ClearOutput among the preprocessors."
    return Gate(SECRETS, False, f"{leak.place} in {leak.file} has an output", leak.where, hint)


def _without_secret(cells: list[Cell], secrets: list[Secret]) -> Iterator[tuple[str, str]]:
    """Permissions in cells that have nothing to hide."""
    hiding = {secret.where for secret in secrets}
    for cell in cells:
        if cell.label not in hiding:
            yield from ((cell.label, shown.text) for shown in shown_lines(cell.source))


def _unused(where: str, text: str) -> Gate:
    detail = f"it says ### SHOWN `{text}`, and the release does not show that"
    return Gate(SECRETS, False, detail, where, "Take that line out, so that it permits nothing later.")
