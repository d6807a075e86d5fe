"""Which tests would run what a student returned or wrote to a file: `eval`, `pickle`, a shell. Told from source alone;
nothing is run.

Where a judge does it, it does so in its own sandbox, and harm stays there. But then student code shares a process with
the judgement, and can change it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tito.course.python_source import UNPARSABLE, parsed
from tito.models import JudgePlan, Section
from tito.plan.names import BUILTINS, names_in
from tito.plan.test_cell import judge_parts

RUNNING = frozenset((
    "__import__", "check_output", "compile", "eval", "exec", "import_module", "loads", "popen", "Popen", "read_pickle",
    "system", "unsafe_load",
))  # fmt: skip
RUNNING_MODULES = frozenset((
    "cloudpickle", "dill", "importlib", "joblib", "marshal", "pickle", "runpy", "shelve", "subprocess", "torch",
))  # fmt: skip
RUNNING_OF_OS = tuple(f"os.{name}" for name in ("exec", "fork", "kill", "popen", "posix_spawn", "spawn", "system"))
ALLOWS = "allow_pickle"  # numpy's, for arrays of objects
LOADERS = ("load", "open", "read_pickle", "run_path", "unsafe_load")  # of those that run, what is handed a file
NOT_VALUES = BUILTINS - {"open"}


def calls_that_run_values(section: Section, plan: JudgePlan | None) -> Iterator[str]:
    """Calls of what the judge runs of a section that are handed what students may choose, and would run it."""
    if plan is None:
        yield from filter(None, [runs_values(section.observe, frozenset(), has_students_files=True)])
        return
    known = names_in(plan.given).bound | names_in(plan.imports).bound
    yield from filter(None, (runs_values(part, known) for part in judge_parts(section)))


def runs_values(source: str, known: frozenset[str], *, has_students_files: bool = False) -> str:
    """The first call of a judge's code that would run a value, or nothing.

    Args:
        known: names of the author's values.
        has_students_files: whether its files are what student code has written, and are put back afterwards: then what
            runs what is in a file counts, and what only changes files does not.
    """
    try:
        tree = parsed(source)
    except UNPARSABLE:
        return ""  # only IPython can run it, beside student code
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (_runs(node.func, has_students_files) or _allows_pickle(node)):
            handed = [ast.unparse(part) for part in (*node.args, *(keyword.value for keyword in node.keywords))]
            read = frozenset[str]().union(*(names_in(part).read for part in handed)) - NOT_VALUES
            if has_students_files and _is_loader(node):
                return ast.unparse(node.func)
            if read - known:
                return ast.unparse(node.func)
    return ""


def _is_loader(call: ast.Call) -> bool:
    """Whether it may run what is in a file, of whatever name."""
    return ast.unparse(call.func).split(".")[-1] in LOADERS or _allows_pickle(call)


def _allows_pickle(call: ast.Call) -> bool:
    return any(keyword.arg == ALLOWS and ast.unparse(keyword.value) != "False" for keyword in call.keywords)


def _runs(function: ast.expr, has_students_files: bool) -> bool:
    if isinstance(function, ast.Name):
        return function.id in RUNNING
    if isinstance(function, ast.Attribute) and function.attr in ("read_pickle", "unsafe_load"):
        return True
    root = function
    while isinstance(root, ast.Attribute):
        root = root.value
    if not isinstance(root, ast.Name) or root is function:
        return False
    called, of_os = ast.unparse(function), RUNNING_OF_OS if has_students_files else ("os.",)
    return root.id in RUNNING_MODULES or (called.startswith(of_os) and not called.startswith("os.path."))
