"""Which tests would run what a student returned: `eval`, `pickle`, a shell. Told from source alone; nothing is run.

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
    "__import__", "check_output", "compile", "eval", "exec", "import_module", "loads", "popen", "Popen", "system",
))  # fmt: skip
RUNNING_MODULES = frozenset(("dill", "importlib", "marshal", "os", "pickle", "runpy", "shelve", "subprocess"))


def calls_that_run_values(section: Section, plan: JudgePlan | None) -> Iterator[str]:
    """Calls of what the judge runs of a section that are handed what students may choose, and would run it."""
    if plan is None:
        yield from filter(None, [runs_values(section.observe, frozenset())])
        return
    known = names_in(plan.given).bound | names_in(plan.imports).bound
    yield from filter(None, (runs_values(part, known) for part in judge_parts(section)))


def runs_values(source: str, known: frozenset[str]) -> str:
    """The first call of a judge's code that would run a value, or nothing; `known` are names of the author's values."""
    try:
        tree = parsed(source)
    except UNPARSABLE:
        return ""  # only IPython can run it, beside student code
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _runs(node.func):
            handed = [ast.unparse(part) for part in (*node.args, *(keyword.value for keyword in node.keywords))]
            read = frozenset[str]().union(*(names_in(part).read for part in handed)) - BUILTINS
            if read - known:
                return ast.unparse(node.func)
    return ""


def _runs(function: ast.expr) -> bool:
    if isinstance(function, ast.Name):
        return function.id in RUNNING
    root = function
    while isinstance(root, ast.Attribute):
        root = root.value
    of_module = isinstance(root, ast.Name) and root.id in RUNNING_MODULES and root is not function
    return of_module and not ast.unparse(function).startswith("os.path.")
