"""What a statement of a test reads that stands in no source: clocks, random state, memory, files. Nothing is run.

A statement is *given* to the judge, which runs it itself, only where it comes out the same there. `deterministic` lists
what is known to: builtins, modules and members of modules. All that the list does not name is ambient.

    np.linspace(0, 1, 5)        the same everywhere
    np.random.default_rng(3)    the same: it is seeded
    np.random.default_rng()     ambient, as are time.time(), open("x"), id(x), np.empty(3), and modules not known
    np.random.rand(3)           the same where this section has seeded global state, and no student code has run since
"""

from __future__ import annotations

import ast
import functools
import importlib
from dataclasses import dataclass
from types import ModuleType

from tito.course.python_source import parsed
from tito.plan.deterministic import (
    BY_NAME,
    DETERMINISTIC_BUILTINS,
    EXCEPT,
    NUMPY_DRAWS,
    PURE,
    PYTHON_DRAWS,
    SEEDED,
    SOME,
)
from tito.plan.names import BUILTINS, Names, NotebookNames, imported, names_in

AMBIENT = "<ambient>"  # stands among the names that a statement reads, as if it were one
# So do these, for global random state: a draw reads it, and a seed binds it.
DRAWN_FROM = {"numpy.random": "<numpy.random>", "random": "<random>"}
STATES = frozenset(DRAWN_FROM.values())

DRAWS = {"numpy.random": NUMPY_DRAWS, "random": PYTHON_DRAWS}
SEEDING = frozenset(f"{name}.seed" for name in DRAWN_FROM)
MODULES = PURE | SOME.keys() | DRAWN_FROM.keys()

# Attributes, of whatever object, that read or write what stands in no source.
AMBIENT_ATTRIBUTES = frozenset(
    (
        "astimezone",
        "ctypes",
        "dump",
        "fromtimestamp",
        "now",
        "timestamp",
        "today",
        "tofile",
        "utcnow",
        "utcfromtimestamp",
    )
)
KNOWN_MACHINERY = frozenset(("__class__", "__doc__", "__init__", "__len__", "__name__", "__qualname__"))
RIGHT_NOW = ("now", "today")  # what numpy makes a date of
REDUCTIONS = frozenset(("all", "any", "max", "mean", "min", "prod", "std", "sum", "var", "amax", "amin", "ptp"))


@dataclass(frozen=True)
class Reads:
    """What a statement reads and binds, AMBIENT and STATES among it; and of what it reads, what is the test's own."""

    read: frozenset[str]
    bound: frozenset[str]
    own: frozenset[str]


class Surroundings:
    """What the names of a test stand for, statement by statement: a module, a part of one, or something of its own."""

    def __init__(self, names: NotebookNames) -> None:
        self._paths = {name: f"builtins.{name}" for name in BUILTINS - names.students}
        for name in names.imports.keys() - names.students:
            self._paths[name] = dict(imported(parsed(names.imports[name]).body[0]))[name]

    def reads(self, statement: ast.stmt) -> Reads:
        """What a statement reads, as its names stand before it."""
        names = names_in(ast.unparse(statement))
        if isinstance(statement, ast.Import | ast.ImportFrom):
            starred = any(alias.name == "*" for alias in statement.names)
            return Reads(frozenset([AMBIENT] * starred), names.bound, frozenset())
        seen = _Uses(self._paths, names)
        seen.visit(statement, deferred=False)
        own = frozenset(name for name in names.read if name not in self._paths)
        seeded = _seeded_by(statement, self._paths, names)
        read = (names.read | seen.read) - seeded
        return Reads(read, names.bound | seeded, own | (read & STATES))

    def known(self) -> frozenset[str]:
        """The names that stand for modules, parts of modules and builtins."""
        return frozenset(self._paths)

    def bind(self, statement: ast.stmt, bound: frozenset[str]) -> None:
        """Take note of what the names stand for after a statement."""
        for name in bound:
            self._paths.pop(name, None)
        if isinstance(statement, ast.Import | ast.ImportFrom):
            self._paths |= dict(imported(statement))


def _seeded_by(statement: ast.stmt, paths: dict[str, str], names: Names) -> frozenset[str]:
    """The global state that a statement seeds, if it does that and nothing else: `np.random.seed(3)`."""
    if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Call):
        return frozenset()
    call = statement.value
    path = _path(call.func, paths, names)
    return frozenset((DRAWN_FROM[path.rpartition(".")[0]],)) if path in SEEDING and _has_seed(call) else frozenset()


def _path(node: ast.expr, paths: dict[str, str], names: Names) -> str:
    """What a chain of attributes stands for, where it begins at a module or a builtin; else nothing."""
    attributes: list[str] = []
    while isinstance(node, ast.Attribute):
        attributes.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in names.read or node.id not in paths:
        return ""
    return ".".join([paths[node.id], *reversed(attributes)])


def _has_seed(call: ast.Call) -> bool:
    """Whether a generator is made, or seeded, with something that is not None."""
    seeds = [
        *call.args[:1],
        *(keyword.value for keyword in call.keywords if keyword.arg in ("seed", "entropy", "a", "x")),
    ]
    return bool(seeds) and not any(isinstance(seed, ast.Starred) or _is_none(seed) for seed in seeds)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


class _Uses:
    """Gathers what a statement uses of its surroundings. `deferred`: that code may run later than the statement."""

    def __init__(self, paths: dict[str, str], names: Names) -> None:
        self.read: set[str] = set()
        self._paths = paths
        self._names = names

    def visit(self, node: ast.AST, deferred: bool) -> None:
        if isinstance(node, ast.Call):
            self._call(node, deferred)
        elif isinstance(node, ast.Attribute | ast.Name):
            self._chain(node, None, deferred)
        else:
            if isinstance(node, ast.Import | ast.ImportFrom):
                self._nested_import(node)
            later = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.GeneratorExp)
            deferred = deferred or isinstance(node, later)
            for child in ast.iter_child_nodes(node):
                self.visit(child, deferred)

    def _nested_import(self, node: ast.Import | ast.ImportFrom) -> None:
        for _, path in imported(node):
            if not any(path == pure or path.startswith(f"{pure}.") for pure in PURE) or path in EXCEPT:
                self.read.add(AMBIENT)

    def _call(self, call: ast.Call, deferred: bool) -> None:
        if isinstance(call.func, ast.Attribute | ast.Name):
            self._chain(call.func, call, deferred)
        else:
            self.visit(call.func, deferred)
        for child in (*call.args, *call.keywords):
            self.visit(child, deferred)

    def _chain(self, node: ast.Attribute | ast.Name, call: ast.Call | None, deferred: bool) -> None:
        """A name with its attributes; `call`, where it is what is called."""
        path = _path(node, self._paths, self._names)
        if path:
            self._use(path, call, deferred)
        inner: ast.expr = node
        while isinstance(inner, ast.Attribute):
            self._attribute(inner.attr)
            if inner.attr == "seed" and not path and (call is None or not _has_seed(call)):
                self.read.add(AMBIENT)  # a generator of its own, seeded by the system
            inner = inner.value
        if not isinstance(inner, ast.Name):
            self.visit(inner, deferred)

    def _attribute(self, name: str) -> None:
        if name in AMBIENT_ATTRIBUTES or (name.startswith("__") and name not in KNOWN_MACHINERY):
            self.read.add(AMBIENT)

    def _use(self, path: str, call: ast.Call | None, deferred: bool) -> None:
        module, rest = _split(path)
        member = f"{module}.{rest.split('.')[0]}"
        if module == "builtins":
            self._builtin(rest.split(".")[0], call)
        elif member in SEEDED:
            if call is None or member != path or not _has_seed(call):
                self.read.add(AMBIENT)
        elif module in DRAWN_FROM and member == path and (rest in DRAWS[module] or path in SEEDING):
            known = call is not None and not deferred and (path not in SEEDING or _has_seed(call))
            self.read.add(DRAWN_FROM[module] if known else AMBIENT)
        elif not _is_deterministic(module, rest.split(".")[0]) or (call is not None and _is_undetermined(path, call)):
            self.read.add(AMBIENT)

    def _builtin(self, name: str, call: ast.Call | None) -> None:
        if name not in DETERMINISTIC_BUILTINS:
            self.read.add(AMBIENT)
        elif name in BY_NAME:
            named = call.args[1] if call is not None and len(call.args) > 1 else None
            if isinstance(named, ast.Constant) and isinstance(named.value, str):
                self._attribute(named.value)
            else:
                self.read.add(AMBIENT)


def _split(path: str) -> tuple[str, str]:
    """A path as its longest known module, and what of that is meant."""
    parts = path.split(".")
    for length in range(len(parts), 0, -1):
        module = ".".join(parts[:length])
        if module in MODULES or module == "builtins":
            return module, ".".join(parts[length:])
    return "", path


def _is_deterministic(module: str, name: str) -> bool:
    """Whether a member of a module is known to be. A module itself (`rng = np.random`) could be asked for anything."""
    if not name or f"{module}.{name}" in EXCEPT:
        return False
    return name in (_public(module) if module in PURE else SOME.get(module, frozenset()))


@functools.lru_cache(maxsize=64)
def _public(module: str) -> frozenset[str]:
    """Members of a module, but for modules that it imports: `statistics.sys` is as ambient as `sys`."""
    members = vars(importlib.import_module(module)).items()
    return frozenset(
        name for name, member in members if not name.startswith("_") and not isinstance(member, ModuleType)
    )


def _is_undetermined(path: str, call: ast.Call) -> bool:
    """Whether numpy leaves what it returns as memory happened to be, or as the day is."""
    module, _, name = path.rpartition(".")
    if module.split(".")[0] != "numpy":
        return False
    words = {keyword.arg for keyword in call.keywords}
    masked = "where" in words and "out" not in words and name not in REDUCTIONS
    dated = any(isinstance(node, ast.Constant) and node.value in RIGHT_NOW for node in ast.walk(call))
    return path == "numpy.ndarray" or masked or dated
