"""Tests without judge halves, planned so that the judge can run them.

Planning reads source text only. What a test's code needs that is not its own comes from one of three places:

* imports of the instructor's cells: the judge imports them itself;
* functions and constants of the instructor's cells, where no student code has a hand in them: the judge runs them;
* all else, what students write first: the notebook's, for which the judge holds proxies.

Objects of the course's own package are sometimes needed beside student code. So a test has several possible plans, the
strictest first; which of them serves, the reference's run tells (see `calibrate`).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from tito.course.cells import grade_id_of, kind_of
from tito.models import CellKind, RemotePlan
from tito.plan.names import BUILTINS, Names, flow_of, names_of

STUDENTS = (CellKind.SOLUTION, CellKind.ANSWER)
DISPLAYS = ("matplotlib", "pylab")  # what a notebook has drawn is in their state, beside student code
# What a constant may call: given the same arguments, these give the same.
PURE = frozenset(
    ("abs", "bool", "bytes", "complex", "dict", "divmod", "enumerate", "float", "frozenset", "int", "len", "list")
) | frozenset(
    ("max", "min", "pow", "range", "reversed", "round", "set", "slice", "sorted", "str", "sum", "tuple", "zip")
)
SEEDED = ("default_rng", "RandomState")


def possible_plans(cells: list[Any], staged: frozenset[str]) -> dict[str, tuple[RemotePlan, ...]]:
    """How each test that has sections without a judge half may be judged, by grade id.

    Args:
        staged: names of the packages and modules that lie in the assignment's folder.
    """
    return dict(_plans(cells, staged))


def _plans(cells: list[Any], staged: frozenset[str]) -> Iterator[tuple[str, tuple[RemotePlan, ...]]]:
    imports, students, mirrored = _imports(cells), _bound_by_students(cells), _read_by_functions(cells)
    shared = frozenset(name for name, line in imports.items() if _root(line) in staged | set(DISPLAYS))
    notebook = frozenset(students) - set(imports)
    given = Given(frozenset(imports) - notebook - shared, notebook)
    for cell in cells:
        if cell.get("cell_type") != "code":
            continue
        if kind_of(cell) is CellKind.TEST:
            wanted = _reads(cell.source)
            if wanted is None:
                continue
            statements = tuple(imports.items())
            strict = RemotePlan(statements, given.needed_by(wanted), notebook, mirrored)
            kept = RemotePlan(statements, "", notebook | shared, mirrored, keep=True)
            asked = RemotePlan(statements, given.needed_by(wanted), notebook | shared, mirrored)
            yield grade_id_of(cell), tuple(dict.fromkeys((strict, asked, kept)))
        given.add(cell, kind_of(cell) in STUDENTS)


def _reads(source: str) -> frozenset[str] | None:
    flow = flow_of(source)
    return None if flow is None else names_of(source).read


def _parsed(cell: Any) -> list[ast.stmt]:
    source = str(cell.get("source", ""))
    return [] if cell.get("cell_type") != "code" or flow_of(source) is None else ast.parse(source).body


def _imports(cells: list[Any]) -> dict[str, str]:
    """Import statements by the name that they bind; the instructor's own before those of solutions."""
    found: dict[str, str] = {}
    ordered = sorted(cells, key=lambda cell: kind_of(cell) not in STUDENTS)
    for cell in ordered:
        if kind_of(cell) is CellKind.TEST:
            continue
        for statement in _parsed(cell):
            if isinstance(statement, ast.Import | ast.ImportFrom):
                names = [alias.asname or alias.name.split(".")[0] for alias in statement.names]
                found |= dict.fromkeys(names, ast.unparse(statement))
    return found


def _root(line: str) -> str:
    statement = ast.parse(line).body[0]
    if isinstance(statement, ast.ImportFrom):
        return (statement.module or "").split(".")[0]
    return statement.names[0].name.split(".")[0] if isinstance(statement, ast.Import) else ""


def _bound_by_students(cells: list[Any]) -> set[str]:
    bound: set[str] = set()
    for cell in cells:
        if kind_of(cell) in STUDENTS:
            others = [one for one in _parsed(cell) if not isinstance(one, ast.Import | ast.ImportFrom)]
            bound.update(*(names_of(ast.unparse(one)).bound for one in others))
    return bound


def _read_by_functions(cells: list[Any]) -> frozenset[str]:
    """Names of the notebook that its functions and classes look up when they run."""
    bound: set[str] = set()
    read: set[str] = set()
    for cell in cells:
        if kind_of(cell) is CellKind.TEST:
            continue
        for statement in _parsed(cell):
            names = names_of(ast.unparse(statement))
            bound |= names.bound
            for one in ast.walk(statement):
                if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                    read |= names_of(ast.unparse(one)).read
                elif isinstance(one, ast.Global):
                    read |= set(one.names)
    return frozenset(bound & read)


class Given:
    """Statements of the instructor's cells, as they come, that the judge can run itself: functions and constants."""

    def __init__(self, imports: frozenset[str], notebook: frozenset[str]) -> None:
        self.imports = imports
        self.notebook = notebook
        self.statements: list[tuple[str, Names]] = []
        self.names: set[str] = set()

    def add(self, cell: Any, students: bool) -> None:
        """Take what a cell gives, and take back what it may change."""
        for statement in _parsed(cell):
            text = ast.unparse(statement)
            one = names_of(text)
            if not students and not one.bound & self.notebook and self._is_given(statement, one):
                self.statements.append((text, one))
                self.names |= one.bound
            elif not isinstance(statement, ast.Import | ast.ImportFrom):
                self.names -= one.bound | (one.read if students else self._handed_over(statement))

    def _is_given(self, statement: ast.stmt, one: Names) -> bool:
        if isinstance(statement, ast.FunctionDef):
            return True
        constant = isinstance(statement, ast.Assign | ast.AnnAssign) and _is_constant(statement.value, self.imports)
        return constant and one.read <= self.imports | self.names | BUILTINS

    def _handed_over(self, statement: ast.stmt) -> frozenset[str] | set[str]:
        """Constants that a statement reads and may change in place: functions stay what they are."""
        functions = {name for text, one in self.statements if text.startswith(("def ", "@")) for name in one.bound}
        return names_of(ast.unparse(statement)).read - functions

    def needed_by(self, wanted: frozenset[str]) -> str:
        """The source of those that give the names in `wanted`, and of what these need."""
        needed, kept = set(wanted), set[int]()
        while found := {at for at, (_, one) in enumerate(self.statements) if one.bound & needed & self.names} - kept:
            kept |= found  # a function may read what stands below it
            needed.update(*(self.statements[at][1].read for at in found))
        return "\n".join(self.statements[at][0] for at in sorted(kept))


def _is_constant(value: ast.expr | None, imports: frozenset[str]) -> bool:
    """Whether an expression gives the same whenever it is run: literals, and calls that draw and read nothing."""
    if value is None:
        return False
    calls = [node.func for node in ast.walk(value) if isinstance(node, ast.Call)]
    return all(_is_pure(function, imports) for function in calls) and not any(
        isinstance(node, ast.Lambda | ast.NamedExpr | ast.Await | ast.Yield) for node in ast.walk(value)
    )


def _is_pure(function: ast.expr, imports: frozenset[str]) -> bool:
    """Whether a function that is called by this expression gives the same for the same."""
    parts = ast.unparse(function).split(".")
    if isinstance(function, ast.Name):
        return function.id in PURE
    draws = any(word in part.lower() for part in parts for word in ("rand", "load", "read", "open", "fetch", "time"))
    seeded = parts[-1] in SEEDED or any(f"{name}(" in ast.unparse(function) for name in SEEDED)
    return parts[0] in imports and (seeded or not draws)
