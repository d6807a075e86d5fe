"""Names that tests make where the student's process does not come until its cells have all run: in hidden sections.

Under plain nbgrader all cells share one namespace, and a test may use what another one's hidden section has entry. Here
a hidden section is observed in a copy of the notebook, which ends with it. So what a later section needs of it is run
again before that section, in its own place:

    from numpy.testing import assert_allclose    imports: before visible sections too; the name stands in their text
    reference = np.linalg.inv(matrix)            all else: before hidden sections. A visible one that needs it becomes
                                                 hidden, and is observed and reported as that

Run again is what makes the name, and what that needs in its turn, without what is asserted between: a test that failed
half-way has made its names all the same, so that one mistake costs no points in two tests. What it reads of cells that
students see it finds as it stands then. Nothing is run here; it is all told from source.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from tito.course.cells import Cell
from tito.course.python_source import UNPARSABLE, parsed
from tito.models import CellKind, Section
from tito.plan.magics import flow_with_magics
from tito.plan.names import BUILTINS, Flow, called_name, changed_in_place, flow_in, imported, names_in

STUDENTS = (CellKind.SOLUTION, CellKind.ANSWER)
SEEDS = ("seed", "set_seed", "manual_seed")
SIMPLE = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
DEFERRED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
HERE = "_here_"  # before a name: what it stands for while older statements that set it are run again
CHANGES_NOTHING = ("print", "display", "isinstance", "len")


@dataclass(frozen=True)
class Statement:
    """A statement of a hidden section of a `test` that sets the names in `sets`, or changes what one stands for.

    `needs` are others, by their numbers, that have to be run before it; `reads` are all names that it reads, `later`
    those that its functions look up when they are called.
    """

    statement: ast.stmt
    test: str
    sets: frozenset[str]
    reads: frozenset[str] = frozenset()
    needs: frozenset[int] = frozenset()
    later: frozenset[str] = frozenset()
    unset: frozenset[str] = frozenset()  # of `sets`, what nothing before it has set
    is_seen: bool = False  # by students: its section has become hidden for what it needs

    @property
    def is_import(self) -> bool:
        return isinstance(self.statement, ast.Import | ast.ImportFrom)

    def again(self, wanted: frozenset[str]) -> str:
        """It, as it is run again where those names are wanted: without what it asserts, and where it only changes them,
        whatever it raises. Names that a statement of several has not set then are nobody's: not even a student's."""
        if self.is_import or (isinstance(self.statement, SIMPLE) and self.sets & wanted):
            return ast.unparse(self.statement)
        body = _Unchecked().visit(parsed(ast.unparse(self.statement)).body[0])
        guarded = ast.Try([body], [ast.ExceptHandler(ast.Name("Exception"), None, [ast.Pass()])], [], [])
        return "\n".join([*(f"{name} = None" for name in sorted(self.unset)), ast.unparse(guarded)])


class HiddenNames:
    """What hidden sections have made, cell by cell, in the order in which they are run."""

    def __init__(self) -> None:
        self._statements: list[Statement] = []
        self._origin: dict[str, tuple[int, ...]] = {}  # the statements by which a name stands for what it does
        self._visible: set[str] = set()  # names that are set where the notebook's own process comes
        self._students: set[str] = set()  # of these, in cells that students write
        self._imports: dict[str, str] = {}  # of these, what was imported
        self._starred: list[int] = []
        self._seed: frozenset[int] = frozenset()
        self._written_visibly = False  # whether the section at hand is one that became hidden

    def follow(self, cell: Cell) -> None:
        """A cell that is no test: what it sets is no hidden section's any more. What students import may be missing in
        another's cell."""
        flow = flow_with_magics(cell.code) if cell.is_code else None
        if flow is None:
            return
        paths = dict(_imports_in(cell.source))
        if cell.kind in STUDENTS:
            self._students |= flow.bound - paths.keys()
            self._set_visibly(flow.bound - paths.keys(), {})
        else:
            self._set_visibly(flow.bound, paths)

    def in_test(self, name: str, sections: Iterable[Section]) -> Iterator[Section]:
        """The sections of the test of that name, each with what it needs before it."""
        for section in sections:
            yield self._completed(name, section)

    def _completed(self, test: str, section: Section) -> Section:
        flow = flow_in(section.observe)
        if flow is None:
            return section  # only IPython can run it
        self._written_visibly = not section.hidden
        needed = flow.read if section.hidden else _surely_needed(section.observe, flow)
        if not section.hidden and any(self._is_wanting(test, name) for name in needed):
            section, needed = replace(section, hidden=True), flow.read
        statements = self._run_before(test, needed, hidden=section.hidden)
        if section.hidden:
            self._note(test, section.observe)
        else:
            self._set_visibly(names_in(section.observe).bound, dict(_imports_in(section.observe)))
        return replace(section, observe="\n".join([*statements, section.observe])) if statements else section

    # ---- what a section needs ------------------------------------------------------------------------

    def _is_wanting(self, test: str, name: str) -> bool:
        """Whether a visible section that reads a name has to be observed where hidden ones are.

        Where other cells set the name too it need not: unless it has been set since in the same cell, or in a section
        that students see, or has been gone on with, as with a sum of points.
        """
        origin = [self._statements[at] for at in self._origin.get(name, ())]
        if all(self._statements[at].is_import for at in self._closure([name])):
            return False
        return name not in self._visible or any(
            entry.test == test or entry.is_seen or name in entry.reads for entry in origin
        )

    def _run_before(self, test: str, needed: frozenset[str], *, hidden: bool) -> list[str]:
        """What is run again before a section. What hidden sections of its own cell have made is there, for a hidden
        one, and stays as it is.
        """
        origins = self._origin.items()
        made_here = {name for name, origin in origins if any(self._statements[at].test == test for at in origin)}
        wanted = needed - made_here if hidden else needed
        run = self._closure(wanted)
        if needed - self._origin.keys() - self._visible - BUILTINS:
            run |= set(self._starred)
        if not hidden:
            run = {at for at in run if self._statements[at].is_import}
        statements = [self._statements[at] for at in sorted(run)]
        names = wanted.union(*(entry.reads for entry in statements))
        again = [entry.again(names) for entry in statements]
        put_back = sorted(made_here & set[str]().union(*(entry.sets for entry in statements)))
        if not hidden or not put_back:
            return again
        return [
            *(f"{HERE}{name} = {name}" for name in put_back),
            *again,
            *(f"{name} = {HERE}{name}" for name in put_back),
        ]

    def _closure(self, names: Iterable[str]) -> set[int]:
        """Statements by which names stand for what they do, and those that these need."""
        taken, left = set[int](), [at for name in names for at in self._origin.get(name, ())]
        while left:
            at = left.pop()
            if at not in taken:
                taken.add(at)
                left += self._statements[at].needs
                left += [more for name in self._statements[at].later for more in self._origin.get(name, ())]
        return taken

    # ---- what sections make --------------------------------------------------------------------------

    def _set_visibly(self, bound: Iterable[str], paths: dict[str, str]) -> None:
        for name in bound:
            self._origin.pop(name, None)
            self._imports.pop(name, None)
            self._visible.add(name)
        self._imports |= paths

    def _note(self, test: str, text: str) -> None:
        """Take note of a hidden section."""
        self._seed = frozenset()
        for statement in parsed(text).body:
            if isinstance(statement, ast.Import | ast.ImportFrom):
                self._note_import(test, statement)
            elif isinstance(statement, ast.Delete):
                for name in names_in(ast.unparse(statement)).bound:
                    self._origin.pop(name, None)
            else:
                self._note_statement(test, statement)

    def _note_import(self, test: str, statement: ast.Import | ast.ImportFrom) -> None:
        """An import, name by name: of a visible section no other is to be run."""
        if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
            return
        for alias in statement.names:
            single: ast.Import | ast.ImportFrom = ast.Import([alias])
            if isinstance(statement, ast.ImportFrom):
                single = ast.ImportFrom(statement.module, [alias], statement.level)
            (name, path), *_ = imported(single)
            at = self._add(Statement(single, test, frozenset((name,))))
            if alias.name == "*":
                self._starred.append(at)
            elif self._imports.get(name) != path:
                self._origin[name] = (at,)

    def _note_statement(self, test: str, statement: ast.stmt) -> None:
        names = names_in(ast.unparse(statement))
        if _is_check(statement) and not names.bound:  # := sets a name in an assert too
            return
        changed = self._changed(statement) & self._origin.keys() - names.bound
        is_seed = _is_seed(statement)
        if not names.bound and not changed and not is_seed:
            return
        nodes = list(ast.walk(statement))
        needs = frozenset(self._closure(names.read))  # as the functions that it calls find their names now
        entry = Statement(
            statement,
            test,
            names.bound,
            names.read,
            needs | (self._seed if any(isinstance(node, ast.Call) for node in nodes) else frozenset()),
            names.read if any(isinstance(node, DEFERRED) for node in nodes) else frozenset(),
            names.bound - self._origin.keys() - self._visible - names.read,
            self._written_visibly,
        )
        at = self._add(entry)
        if is_seed:
            self._seed = frozenset((at,))
        for name in names.bound:
            before = () if isinstance(statement, SIMPLE) else self._origin.get(name, ())
            self._origin[name] = (*before, at)
        for name in changed:
            self._origin[name] = (*self._origin[name], at)

    def _changed(self, statement: ast.stmt) -> frozenset[str]:
        """Names whose objects a statement may change: whose methods it calls, and which it hands to functions of the
        tests' own. What a student's function does to what it is handed is no later test's matter."""
        changed = set(changed_in_place(statement))
        own = (self._origin.keys() | self._visible) - self._students - self._imports.keys()
        for node in ast.walk(statement):
            if isinstance(node, ast.Call) and not _is_check(node):
                if isinstance(node.func, ast.Attribute):
                    changed |= {part.id for part in [node.func.value] if isinstance(part, ast.Name)}
                elif isinstance(node.func, ast.Name) and node.func.id in own:
                    handed = [*node.args, *(keyword.value for keyword in node.keywords)]
                    changed |= {part.id for part in handed if isinstance(part, ast.Name)}
        return frozenset(changed)

    def _add(self, entry: Statement) -> int:
        self._statements.append(entry)
        return len(self._statements) - 1


def _imports_in(text: str) -> Iterator[tuple[str, str]]:
    """Names that a text imports, and what each stands for."""
    try:
        body = parsed(text).body
    except UNPARSABLE:
        return
    for statement in body:
        yield from imported(statement)


def _surely_needed(text: str, flow: Flow) -> frozenset[str]:
    """Names that a section has to find, but for those that only its functions read, which it sets before it calls them,
    most likely."""
    at_once = flow_in(ast.unparse(_AtOnce().visit(parsed(text))))
    return (flow.read - flow.bound) | (at_once.read if at_once is not None else frozenset())


class _AtOnce(ast.NodeTransformer):
    """Takes out what is run later, if at all: bodies of functions."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.body = [ast.Pass()]
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AsyncFunctionDef:
        node.body = [ast.Pass()]
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.Lambda:
        node.body = ast.Constant(None)
        return node


def _is_seed(statement: ast.stmt) -> bool:
    """Whether a statement seeds what others draw from."""
    call = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in SEEDS


def _is_check(node: ast.AST) -> bool:
    """Whether a statement or a call only looks at what it is handed, as far as its name says."""
    if isinstance(node, ast.Expr):
        return _is_check(node.value)
    if isinstance(node, ast.Call):
        name = called_name(node)
        return name in CHANGES_NOTHING or name.lower().startswith("assert")
    return isinstance(node, ast.Assert)


class _Unchecked(ast.NodeTransformer):
    """Takes out what is checked at once."""

    def visit_Assert(self, node: ast.Assert) -> ast.stmt:
        sets = any(isinstance(part, ast.NamedExpr) for part in ast.walk(node))
        return ast.Expr(node.test) if sets else ast.Pass()

    def visit_Expr(self, node: ast.Expr) -> ast.stmt:
        return ast.Pass() if _is_check(node) else node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AsyncFunctionDef:
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        return node
