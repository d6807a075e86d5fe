"""Which tests would run what a student returned or wrote to a file: `eval`, `pickle`, a shell. Told from source alone;
nothing is run.

Where a judge does it, it does so in its own sandbox, and harm stays there. But then student code shares a process with
the judgement, and can change it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from tito.course.python_source import UNPARSABLE, parsed
from tito.models import JudgePlan, Section
from tito.plan.names import BUILTINS, names_in
from tito.plan.test_cell import judge_parts

RUNNING_METHODS = frozenset(("read_pickle", "unsafe_load"))  # of whatever module
RUNNING = RUNNING_METHODS | frozenset((
    "__import__", "check_output", "compile", "eval", "exec", "import_module", "loads", "popen", "Popen", "system",
))  # fmt: skip
RUNNING_MODULES = frozenset((
    "cloudpickle", "dill", "importlib", "joblib", "marshal", "pickle", "runpy", "shelve", "subprocess", "torch",
))  # fmt: skip
RUNNING_OF_OS = tuple(f"os.{name}" for name in ("exec", "fork", "kill", "popen", "posix_spawn", "spawn", "system"))
ALLOWS = "allow_pickle"  # numpy's, for arrays of objects
LOADERS = ("load", "open", "read_pickle", "run_path", "unsafe_load")  # of those that run, what is handed a file
NOT_VALUES = BUILTINS - {"open"}


def calls_that_run_values(section: Section, plan: JudgePlan | None, imports: Iterable[str] = ()) -> Iterator[str]:
    """Calls of what the judge runs of a section that are handed what students may choose, and would run it; `imports`
    are statements of the notebook's."""
    if plan is None:
        called = runs_values(section.observe, frozenset(), imports, has_students_files=True)
        yield from filter(None, [called])
        return
    of_author = names_in(plan.given).bound | names_in(plan.imports).bound
    yield from filter(None, (runs_values(part, of_author, [*imports, plan.imports]) for part in judge_parts(section)))


def runs_values(
    source: str, of_author: frozenset[str], imports: Iterable[str] = (), *, has_students_files: bool = False
) -> str:
    """The first call of a judge's code that would run a value, or nothing.

    Args:
        of_author: names of the author's values.
        imports: statements that say what modules, and functions of them, are called there, beside its own.
        has_students_files: whether its files are what student code has written, and are put back afterwards: then what
            runs what is in a file counts, and what only changes files does not.
    """
    try:
        tree = parsed(source)
    except UNPARSABLE:
        return ""  # only IPython can run it, beside student code
    paths = dict(_imported_paths([*imports, source]))
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = _called(node.func, paths)
        allows_pickle = any(word.arg == ALLOWS and ast.unparse(word.value) != "False" for word in node.keywords)
        if not (allows_pickle or _runs(called, RUNNING_OF_OS if has_students_files else ("os.",))):
            continue
        handed = [ast.unparse(part) for part in (*node.args, *(keyword.value for keyword in node.keywords))]
        read = frozenset[str]().union(*(names_in(part).read for part in handed)) - NOT_VALUES
        is_loader = allows_pickle or called.rpartition(".")[2] in LOADERS  # whatever the file is called
        if read - of_author or (has_students_files and is_loader):
            return ast.unparse(node.func)
    return ""


def _imported_paths(sources: Iterable[str]) -> Iterator[tuple[str, str]]:
    """What names stand for that are imported anywhere in these: `np` for numpy, `load` for pickle.load."""
    for source in sources:
        for node in ast.walk(parsed(source)):
            if isinstance(node, ast.Import):
                yield from ((alias.asname, alias.name) for alias in node.names if alias.asname)
            elif isinstance(node, ast.ImportFrom):
                yield from ((alias.asname or alias.name, f"{node.module}.{alias.name}") for alias in node.names)


def _called(function: ast.expr, paths: dict[str, str]) -> str:
    """What is called, by its full name; nothing for what has none."""
    root = function
    while isinstance(root, ast.Attribute):
        root = root.value
    if not isinstance(root, ast.Name):
        return f"?.{function.attr}" if isinstance(function, ast.Attribute) else ""
    name = ast.unparse(function)
    return paths.get(root.id, root.id) + name.removeprefix(root.id)


def _runs(called: str, of_os: tuple[str, ...]) -> bool:
    module, _, name = called.rpartition(".")
    if not module or name in RUNNING_METHODS:
        return name in RUNNING
    root = module.partition(".")[0]
    return root in RUNNING_MODULES or (called.startswith(of_os) and not called.startswith("os.path."))
