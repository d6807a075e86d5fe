"""The page of a course's reference package: classes and functions of each module, with what their docstrings say.

Nothing is imported: signatures and docstrings stand there as they are written.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tito.course.course import Course, module_number
from tito.course.python_source import parsed
from tito.errors import BadSource

INTRODUCTION = """\
# `{package}`: the reference package

By module. Students import it as `{package}`; here it is `{reference}`. What a function takes, returns and raises is as
its docstring says, with shapes and units.
"""


def page(course: Course) -> str:
    """The whole page, in Markdown.

    Raises:
        BadSource: the course has no reference package.
    """
    root = course.reference
    if root is None:
        raise BadSource("course.toml names no reference package.", hint="Set 'reference' in it.")
    numbered = sorted((number, path) for path in root.rglob("*.py") if (number := module_number(path)) is not None)
    parts = [INTRODUCTION.format(package=course.package, reference=root.name)]
    for number, path in numbered:
        module = parsed(path.read_text(encoding="utf-8"))
        if entries := list(_entries(module)):
            name = ".".join((root.name, *path.relative_to(root).with_suffix("").parts))
            about = " ".join((ast.get_docstring(module) or "").partition("\n\n")[0].split())
            parts += [f"## {number:02} `{name}`\n", f"{about}\n", *entries]
    return "\n".join(parts)


def _entries(module: ast.Module) -> Iterator[str]:
    for node in module.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            bases = f"({', '.join(map(ast.unparse, node.bases))})" if node.bases else ""
            yield _entry(node.name, f"class {node.name}{bases}", node)
            for method in node.body:
                if isinstance(method, ast.FunctionDef) and (method.name == "__init__" or method.name[0] != "_"):
                    yield _entry(f"{node.name}.{method.name}", _head(method), method)
        elif isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield _entry(node.name, _head(node), node)


def _head(function: ast.FunctionDef) -> str:
    returned = f" -> {ast.unparse(function.returns)}" if function.returns is not None else ""
    return f"{function.name}({ast.unparse(function.args)}){returned}"


def _entry(name: str, head: str, node: ast.ClassDef | ast.FunctionDef) -> str:
    text = ast.get_docstring(node)
    return f"### `{name}`\n\n```text\n{head}\n" + (f"\n{text}\n" if text else "") + "```\n"
