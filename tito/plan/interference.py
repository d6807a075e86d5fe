"""Whether a hidden section observes the same at the end of the notebook as at its place, told from source alone.

A copy of the notebook as it stands at each test costs a fork each. Where nothing that runs after a test can change what
its hidden section will see, the notebook itself serves at its end: its names are put back as they stood at the test, so
that only changes inside of objects matter. This says whether there can be any; where it cannot tell, it says that there
can.

    definitions only    the cells of student and instructor set names to functions, classes, modules and constants
    no trace            nothing in them, nor in the tests, writes into an object that it did not make or was not handed
    nothing shared      no hidden section, and no function of the notebook, reads a name that a test has set

A module of the course's that keeps a state, or writes files, is no stateless one (`keeps_no_state`). It is not looked
into a package that the course stages for its modules: a state that it keeps, and that its functions change, is missed.
"""

from __future__ import annotations

import ast
import functools
import importlib
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from types import ModuleType

from tito.course.python_source import Source, fact, inner_nodes
from tito.plan.names import flow_of, names_of

# Modules that hold no state that their functions change, but for what is named below.
STATELESS = frozenset((
    "__future__", "abc", "bisect", "collections", "contextlib", "copy", "dataclasses", "decimal", "enum", "fractions",
    "functools", "gc", "heapq", "itertools", "json", "math", "numbers", "numpy", "operator", "re",
    "string", "time", "typing", "weakref",
))  # fmt: skip
DRAWING = ("default_rng", "Generator", "PCG64", "SeedSequence", "BitGenerator")  # np.random without a state of its own
WRITING = frozenset((
    "__import__", "breakpoint", "compile", "delattr", "eval", "exec", "globals", "input", "locals", "open", "setattr",
    "vars", "get_ipython", "In", "Out", "exit", "quit",
))  # fmt: skip
SETTING = frozenset((
    "seterr", "seterrcall", "setbufsize", "set_printoptions", "printoptions", "errstate", "getcontext", "setcontext",
    "localcontext", "register", "disable", "enable", "freeze", "set_threshold", "callbacks", "set_debug", "save",
    "savez", "savez_compressed", "savetxt", "tofile", "dump", "cache_clear", "update_wrapper", "set_numeric_ops",
))  # fmt: skip
# Files, text that is run, and objects that are found by other ways than their names.
REACHING = frozenset((
    "open", "load", "loadtxt", "genfromtxt", "fromregex", "fromfile", "memmap", "open_memmap", "DataSource", "f2py",
    "ctypeslib", "load_library", "distutils", "runstring", "rundocs", "measure", "test", "get_objects", "get_referrers",
    "get_referents", "attrgetter", "methodcaller", "get_type_hints", "ForwardRef", "redirect_stdout", "redirect_stderr",
))  # fmt: skip
CHANGING = frozenset((
    "add", "append", "appendleft", "clear", "discard", "extend", "insert", "pop", "popitem", "remove", "reverse",
    "setdefault", "setflags", "sort", "update",
))  # fmt: skip
SHARED_BY_ALL = ("cls", "type", "super")  # roots by which a class is reached from inside
PLAIN_DECORATORS = ("staticmethod", "classmethod", "property", "abstractmethod", "dataclass", "contextmanager")


@dataclass(frozen=True)
class TestTraces:
    """What tests leave and use: names that the visible sections set, and their uses of `np.random`."""

    __test__ = False

    bound: frozenset[str]
    numpy: frozenset[str]
    owners: frozenset[str]


def observes_the_same_at_the_end(cells: Iterable[Source], traces: TestTraces | None, packages: frozenset[str]) -> bool:
    """Whether hidden sections see at the end what they would see at their places.

    Args:
        cells: sources of the cells that are run and are no tests, in order.
        traces: what `traces_of` says of the tests.
        packages: names of the course's own packages and modules that are taken to keep no state.
    """
    if traces is None:
        return False
    read: set[str] = set()
    numpy, owners = set(traces.numpy), set(traces.owners)
    for cell in cells:
        if _never_runs(cell):
            continue
        if flow_of(cell) is None or not (_imports_no_state(cell, packages) and _definitions_only(cell)):
            return False
        if not _leaves_no_trace(cell, False):
            return False
        read |= names_of(cell).read
        names, drawn_from = _uses_of_random(cell)
        numpy |= names
        owners |= drawn_from
    return not traces.bound & read and not numpy & owners


def traces_of(tests: Iterable[str], hidden: Iterable[str], packages: frozenset[str]) -> TestTraces | None:
    """What the tests leave, the same for all submissions. None where hidden sections have to be observed at their
    places.

    Args:
        tests: texts of the visible sections.
        hidden: texts of the hidden sections.
    """
    visible_sources, hidden_sources = [*map(Source, tests)], [*map(Source, hidden)]
    everything = (*visible_sources, *hidden_sources)
    if any(flow_of(source) is None or not _imports_no_state(source, packages) for source in everything):
        return None
    if not all(_leaves_no_trace(source, True) for source in everything):
        return None
    bound = frozenset[str]().union(*(names_of(source).bound for source in visible_sources))
    flows = [flow_of(source) for source in hidden_sources]
    if bound & frozenset[str]().union(*(flow.read for flow in flows if flow is not None)):
        return None
    random = [_uses_of_random(source) for source in everything]
    numpy, owners = (frozenset[str]().union(*names) for names in zip(*random, strict=True)) if random else ((), ())
    return TestTraces(bound, frozenset(numpy), frozenset(owners))


def keeps_no_state(module: Source, packages: frozenset[str]) -> bool:
    """Whether nothing that a module of the course's does, or has its functions do, outlives a call of them."""
    return flow_of(module) is not None and _imports_no_state(module, packages) and _leaves_no_trace(module, False)


@fact
def _never_runs(source: Source) -> bool:
    """Whether neither Python nor what IPython makes of it can be run: a syntax error is all that comes of it."""
    if source.body is not None or source.is_unread or set("%!?") & set(source.text):
        return False
    lines = [line for line in source.text.splitlines() if line.strip()]
    rewritten = (">>>", "...", "In [", ",", ";", "/")
    return not any(line.lstrip().startswith(rewritten) for line in lines) and not lines[0][0].isspace()


@fact
def _definitions_only(source: Source) -> bool:
    """Whether a cell, when it is run, only sets names to functions, classes, modules and constants."""
    body = source.body
    return body is not None and all(map(_defines, body))


def _defines(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return True  # of what, is looked at for all sources
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
        return _decorated_plainly(statement) and _calls_nothing(statement)
    if isinstance(statement, ast.ClassDef):
        named = all(map(_name_of, statement.bases))
        return (
            _decorated_plainly(statement) and named and not statement.keywords and all(map(_in_class, statement.body))
        )
    if isinstance(statement, ast.Assign):
        return all(map(_is_name, statement.targets)) and (_is_name(statement.value) or _constant(statement.value))
    if isinstance(statement, ast.AnnAssign):
        return isinstance(statement.target, ast.Name) and (statement.value is None or _constant(statement.value))
    return isinstance(statement, ast.Pass) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )


def _is_name(node: ast.expr) -> bool:
    """A name, or a tuple of names."""
    return isinstance(node, ast.Name) or (isinstance(node, ast.Tuple) and all(map(_is_name, node.elts)))


def _in_class(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
        return _decorated_plainly(statement) and _calls_nothing(statement)
    return _defines(statement)


def _decorated_plainly(statement: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    return all(_name_of(decorator) in PLAIN_DECORATORS for decorator in statement.decorator_list)


def _calls_nothing(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether defining a function runs nothing: its defaults are constants, its annotations no calls."""
    called = any(isinstance(node, ast.Call) for part in _annotations(function) for node in ast.walk(part))
    return not called and _has_constant_defaults(function.args)


def _has_constant_defaults(arguments: ast.arguments) -> bool:
    defaults = (*arguments.defaults, *arguments.kw_defaults)
    return all(_constant(default) for default in defaults if default is not None)


def _constant(value: ast.expr) -> bool:
    """Whether an expression is of constants alone, or a function that is not called."""
    if isinstance(value, ast.Lambda):
        return _has_constant_defaults(value.args)
    if isinstance(value, ast.Tuple):
        return all(map(_constant, value.elts))
    if isinstance(value, ast.UnaryOp):
        return _constant(value.operand)
    if isinstance(value, ast.BinOp):
        return _constant(value.left) and _constant(value.right)
    return isinstance(value, ast.Constant)


# ---- imports -----------------------------------------------------------------------------------------


@fact
def _imports_no_state(source: Source, packages: frozenset[str]) -> bool:
    """Whether all that it imports, anywhere in it, is of modules without a state of their own."""
    for node in source.nodes:
        if isinstance(node, ast.Import) and not all(_stateless(alias.name, packages) for alias in node.names):
            return False
        if isinstance(node, ast.ImportFrom):
            names = {alias.name for alias in node.names}
            if names & (SETTING | REACHING | _inner_names()):
                return False
            drawing = node.module == "numpy.random" and names <= set(DRAWING)
            if node.level or "random" in names or not (drawing or _stateless(node.module or "", packages)):
                return False
    return True


def _stateless(module: str, packages: frozenset[str]) -> bool:
    parts = module.split(".")
    return parts[0] in STATELESS | packages and "random" not in parts


@fact
def _uses_of_random(source: Source) -> tuple[frozenset[str], frozenset[str]]:
    """The names by which a source imports numpy, and the names whose `.random` it uses to draw from."""
    nodes = source.nodes
    imports = (alias for node in nodes if isinstance(node, ast.Import) for alias in node.names)
    numpy = frozenset(alias.asname or "numpy" for alias in imports if alias.name.split(".")[0] == "numpy")
    attributes = [node for node in nodes if isinstance(node, ast.Attribute)]
    making = {id(node.value) for node in attributes if node.attr in DRAWING}
    drawn = (node for node in attributes if node.attr == "random" and id(node) not in making)
    return numpy, frozenset(_name_of(node.value) for node in drawn)


# ---- traces ------------------------------------------------------------------------------------------


@fact
def _leaves_no_trace(source: Source, test: bool) -> bool:
    """Whether nothing in it, when it runs or is called, writes into what outlives it. What a test sets is its own."""
    body = source.body
    if body is None or not _gets_plain_attributes(source.nodes):
        return False
    scope = _own(body)
    return _scope_is_clean(scope, _bound_in(scope) if test else frozenset())


def _gets_plain_attributes(nodes: list[ast.AST]) -> bool:
    """Whether `getattr` is only called, with the name of an attribute that leads nowhere."""
    calls = [node for node in nodes if isinstance(node, ast.Call) and _is_getattr(node.func)]
    names = [node.args[1].value for node in calls if len(node.args) > 1 and isinstance(node.args[1], ast.Constant)]
    plain = [name for name in names if isinstance(name, str) and not _leads_out(name)]
    return len(plain) == sum(map(_is_getattr, nodes))


def _is_getattr(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "getattr"


def _scope_is_clean(nodes: list[ast.AST], local: frozenset[str]) -> bool:
    """Whether the nodes of a scope write into nothing but what `local` names: its own, and those around it."""
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            inside = _own(node.body if isinstance(node.body, list) else [node.body])
            if not _scope_is_clean(
                inside, local | _bound_in(inside) | {argument.arg for argument in _arguments(node.args)}
            ):
                return False
        elif isinstance(node, ast.ClassDef):
            if not _scope_is_clean(_own(node.body), local):
                return False
        elif not _is_clean(node, local):
            return False
    return True


def _is_clean(node: ast.AST, local: frozenset[str]) -> bool:
    if isinstance(node, ast.Global):
        return False
    if isinstance(node, ast.Name):
        return node.id not in WRITING and not _is_machinery(node.id)
    if isinstance(node, ast.MatchClass):
        return not any(map(_leads_out, node.kwd_attrs))
    if isinstance(node, ast.Attribute) and _leads_out(node.attr):
        return False
    if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
        return _own_root(node, local)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CHANGING:
        return _own_root(node.func, local)
    return True


def _leads_out(attribute: str) -> bool:
    """Whether an attribute may be of a kind that writes, or that reaches what was not imported."""
    return attribute in SETTING | REACHING | _inner_names() or _is_machinery(attribute)


@functools.cache
def _inner_names() -> frozenset[str]:
    """What the stateless modules have inside, as `contextlib.os` and `dataclasses._create_fn`."""
    for name in STATELESS:
        importlib.import_module(name)
    names: set[str] = set()
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] in STATELESS:
            for inner, value in list(vars(module).items()):
                is_foreign = isinstance(value, ModuleType) and value.__name__.split(".")[0] not in STATELESS
                if is_foreign or (inner.startswith("_") and not inner.startswith("__") and callable(value)):
                    names.add(inner)
    return frozenset(names - {"_", "random"})


def _is_machinery(name: str) -> bool:
    return name.startswith("__") and name not in ("__new__", "__init__", "__call__", "__class__", "__name__")


def _own_root(node: ast.expr, local: frozenset[str]) -> bool:
    """Whether what is written to is reached from a name of the scope's own, and not by way of a class."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call | ast.Starred):
        if isinstance(node, ast.Attribute) and node.attr == "__class__":
            return False
        node = node.func if isinstance(node, ast.Call) else node.value
    if not isinstance(node, ast.Name):
        return not isinstance(node, ast.NamedExpr)  # a literal, or a new object
    return node.id in local and node.id not in SHARED_BY_ALL


def _own(nodes: Iterable[ast.AST]) -> list[ast.AST]:
    """Nodes of a scope: functions and classes within it too, but not what is inside them."""
    scope = list(nodes)
    for node in scope:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            scope += (*node.decorator_list, *_annotations(node))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            scope += (*node.args.defaults, *(default for default in node.args.kw_defaults if default is not None))
        elif isinstance(node, ast.ClassDef):
            scope += (*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords))
        else:
            scope += inner_nodes(node)
    return scope


def _bound_in(scope: Iterable[ast.AST]) -> frozenset[str]:
    """Names that the nodes of a scope set to what they make; not to functions, classes and modules."""
    return frozenset(node.id for node in scope if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))


def _annotations(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.expr]:
    every = (function.returns, *(argument.annotation for argument in _arguments(function.args)))
    return [annotation for annotation in every if annotation is not None]


def _arguments(arguments: ast.arguments) -> list[ast.arg]:
    every = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg)
    return [argument for argument in every if argument is not None]


def _name_of(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
