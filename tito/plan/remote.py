"""Tests without judge halves, planned so that the judge can run them.

Planning reads source text only. What a test's code needs that is not its own comes from one of three places:

* imports of the instructor's cells: the judge imports them itself;
* functions and constants of the instructor's cells, where no student code has a hand in them: the judge runs them;
* all else, what students write first: the notebook's, for which the judge holds proxies.

Where a test looks at files, the judge has those of the notebook, too. Objects of the course's own package are
sometimes needed beside student code, and so is what student code meets around it: an open database, a function that the
test puts in the place of another. So a test has several possible plans, the strictest first; which of them serves, the
reference's run tells (see `calibrate`).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace

from tito.course.cells import Cell
from tito.course.python_source import parsed
from tito.models import CellKind, RemotePlan
from tito.plan.names import BUILTINS, Names, flow_of, names_in, names_of

STUDENTS = (CellKind.SOLUTION, CellKind.ANSWER)
DISPLAYS = ("matplotlib", "pylab")  # what a notebook has drawn is in their state, beside student code
# Modules by which a test reaches what is around student code, or puts something else in its place: there they have to
# be the notebook's own. So student code can replace them, and a test that is told by them can be forged.
AROUND = frozenset(
    ("builtins", "glob", "http", "importlib", "inspect", "os", "pathlib", "requests", "shutil", "socket", "sqlite3")
) | frozenset(("subprocess", "tempfile", "time", "unittest", "urllib"))
OPEN = "open"
FILE_MODULES = frozenset(
    ("dbm", "filecmp", "fileinput", "glob", "gzip", "io", "linecache", "os", "pathlib", "shutil", "sqlite3", "tarfile")
) | frozenset(("tempfile", "zipfile"))
FILE_FUNCTIONS = ("fromfile", "genfromtxt", "imread", "imsave", "load", "open", "read_", "save", "to_csv", "tofile")
# What a constant may call: given the same arguments, these give the same.
PURE = frozenset(
    ("abs", "bool", "bytes", "complex", "dict", "divmod", "enumerate", "float", "frozenset", "int", "len", "list")
) | frozenset(
    ("max", "min", "pow", "range", "reversed", "round", "set", "slice", "sorted", "str", "sum", "tuple", "zip")
)
SEEDED = ("default_rng", "RandomState")


def possible_plans(cells: Sequence[Cell], staged: frozenset[str]) -> dict[str, tuple[RemotePlan, ...]]:
    """How each test that has sections without a judge half may be judged, by grade id.

    Args:
        staged: names of the packages and modules that lie in the assignment's folder.
    """
    return dict(_plans(cells, staged))


def _plans(cells: Sequence[Cell], staged: frozenset[str]) -> Iterator[tuple[str, tuple[RemotePlan, ...]]]:
    imports, students, mirrored = _imports(cells), _bound_by_students(cells), _read_by_functions(cells)
    shared = frozenset(name for name, line in imports.items() if _root(line) in staged | set(DISPLAYS))
    notebook = students - frozenset(imports)
    statements_given = Given(frozenset(imports) - notebook - shared, notebook)
    for cell in cells:
        if not cell.is_code:
            continue
        if cell.is_test:
            if flow_of(cell.code) is None:
                continue
            wanted = names_of(cell.code).read
            statements = tuple(imports.items())
            needed_source = statements_given.needed_by(wanted)
            strict = RemotePlan(statements, needed_source, notebook, mirrored)
            keeping = RemotePlan(statements, "", notebook | shared, mirrored, keep=True)
            asked = RemotePlan(statements, needed_source, notebook | shared, mirrored)
            apart = (strict, asked, keeping)
            with_files = tuple(replace(plan, files=True) for plan in apart)
            without = () if _looks_at_files(cell, needed_source, imports) else apart
            around = _with_surroundings(asked, cell, imports)
            yield cell.grade_id, tuple(dict.fromkeys((*without, *with_files, *around)))
        statements_given.add(cell, cell.kind in STUDENTS)


def _looks_at_files(cell: Cell, given_source: str, imports: dict[str, str]) -> bool:
    """Whether a test, or what it is given, may look for files: then they have to be there, and those that are gone not.
    One that does so in another way is found out by the reference, which fails it where they are not."""
    for source in (cell.code.tree, parsed(given_source)):
        for node in ast.walk(source):
            match node:
                case ast.Import() | ast.ImportFrom() if _root(ast.unparse(node)) in FILE_MODULES:
                    return True
                case ast.Attribute(attr=name) if name.startswith(FILE_FUNCTIONS):
                    return True
                case ast.Name(id=name) if name == OPEN or _root(imports.get(name, "import _")) in FILE_MODULES:
                    return True
    return False


def _with_surroundings(plan: RemotePlan, cell: Cell, imports: dict[str, str]) -> tuple[RemotePlan, ...]:
    """The plan with what is around student code as the notebook has it; none, where the test reaches for none."""
    read = names_of(cell.code).read | names_in(plan.given).read
    modules = {name for name in read if name in imports and _root(imports[name]) in AROUND}
    own = {
        _root(ast.unparse(node)) for node in ast.walk(cell.code.tree) if isinstance(node, ast.Import | ast.ImportFrom)
    }
    if not (modules or own & AROUND or OPEN in read):
        return ()
    return (replace(plan, notebook=plan.notebook | modules | {OPEN}, modules=AROUND),)


def _parsed(cell: Cell) -> list[ast.stmt]:
    return cell.code.tree.body if cell.is_code and flow_of(cell.code) is not None else []


def _imports(cells: Sequence[Cell]) -> dict[str, str]:
    """Import statements by the name that they bind; the instructor's own before those of solutions. What tests import
    is theirs, where nothing else is called so: it stands in the notebook, too, where a student could replace it."""
    imports: dict[str, str] = {}
    ordered = sorted((cell for cell in cells if not cell.is_test), key=lambda cell: cell.kind not in STUDENTS)
    for cell in ordered:
        imports |= dict(_imports_of(cell))
    others = set[str]().union(*(_bound_otherwise(cell) for cell in cells))
    for cell in cells:
        if cell.is_test:
            imports = {name: line for name, line in _imports_of(cell) if name not in others} | imports
    return imports


def _imports_of(cell: Cell) -> Iterator[tuple[str, str]]:
    for statement in _parsed(cell):
        if isinstance(statement, ast.Import | ast.ImportFrom):
            for alias in statement.names:
                yield alias.asname or alias.name.split(".")[0], ast.unparse(statement)


def _bound_otherwise(cell: Cell) -> frozenset[str]:
    """Names that a cell sets, but for those that it imports."""
    others = [part for part in _parsed(cell) if not isinstance(part, ast.Import | ast.ImportFrom)]
    return frozenset[str]().union(*(names_in(ast.unparse(part)).bound for part in others))


def _root(line: str) -> str:
    statement = parsed(line).body[0]
    if isinstance(statement, ast.ImportFrom):
        return (statement.module or "").split(".")[0]
    return statement.names[0].name.split(".")[0] if isinstance(statement, ast.Import) else ""


def _bound_by_students(cells: Sequence[Cell]) -> frozenset[str]:
    return frozenset[str]().union(*(_bound_otherwise(cell) for cell in cells if cell.kind in STUDENTS))


def _read_by_functions(cells: Sequence[Cell]) -> frozenset[str]:
    """Names of the notebook that its functions and classes look up when they run."""
    bound: set[str] = set()
    read: set[str] = set()
    for cell in cells:
        if cell.is_test:
            continue
        for statement in _parsed(cell):
            names = names_in(ast.unparse(statement))
            bound |= names.bound
            for node in ast.walk(statement):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                    read |= names_in(ast.unparse(node)).read
                elif isinstance(node, ast.Global):
                    read |= set(node.names)
    return frozenset(bound & read)


class Given:
    """Statements of the instructor's cells, as they come, that the judge can run itself: functions and constants."""

    def __init__(self, imports: frozenset[str], notebook: frozenset[str]) -> None:
        self.imports = imports
        self.notebook = notebook
        self.statements: list[tuple[str, Names]] = []
        self.names: set[str] = set()

    def add(self, cell: Cell, students: bool) -> None:
        """Take what a cell gives, and take back what it may change."""
        for statement in _parsed(cell):
            text = ast.unparse(statement)
            names = names_in(text)
            if not students and not names.bound & self.notebook and self._is_given(statement, names):
                self.statements.append((text, names))
                self.names |= names.bound
            elif not isinstance(statement, ast.Import | ast.ImportFrom):
                self.names -= names.bound | (names.read if students else self._handed_over(statement))

    def _is_given(self, statement: ast.stmt, names: Names) -> bool:
        if isinstance(statement, ast.FunctionDef):
            return True
        constant = isinstance(statement, ast.Assign | ast.AnnAssign) and _is_constant(statement.value, self.imports)
        return constant and names.read <= self.imports | self.names | BUILTINS

    def _handed_over(self, statement: ast.stmt) -> frozenset[str] | set[str]:
        """Constants that a statement reads and may change in place: functions stay what they are."""
        functions = {name for text, names in self.statements if text.startswith(("def ", "@")) for name in names.bound}
        return names_in(ast.unparse(statement)).read - functions

    def needed_by(self, wanted: frozenset[str]) -> str:
        """The source of those that give the names in `wanted`, and of what these need."""
        needed, taken = set(wanted), set[int]()
        while more := self._that_bind(needed) - taken:
            taken |= more  # a function may read what stands below it
            needed.update(*(self.statements[at][1].read for at in more))
        return "\n".join(self.statements[at][0] for at in sorted(taken))

    def _that_bind(self, needed: set[str]) -> set[int]:
        """Positions of statements that give some of these names."""
        return {at for at, (_, names) in enumerate(self.statements) if names.bound & needed & self.names}


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
