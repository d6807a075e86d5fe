"""The page of a course's reference package: classes and functions of each module, with what their docstrings say.

Nothing is imported: signatures and docstrings stand there as they are written.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from tito.course.course import Course, module_number
from tito.course.python_source import parsed
from tito.errors import BadSource

INTRODUCTION = """\
# `{package}`: the reference package

By module. Students import it as `{package}`; here it is `{reference}`. What a function takes, returns and raises is as
its docstring says, with shapes and units.
"""


@dataclass(frozen=True)
class Entry:
    """A class, method or function: its name, how it is written, and what its docstring says."""

    name: str
    head: str
    text: str

    def __str__(self) -> str:
        return f"### `{self.name}`\n\n```text\n{self.head}\n" + (f"\n{self.text}\n" if self.text else "") + "```\n"


@dataclass(frozen=True)
class Part:
    """A module of the package: its number, its dotted name, what it is about, and what it has."""

    number: int
    name: str
    about: str
    entries: tuple[Entry, ...]


def page(course: Course) -> str:
    """The whole page, in Markdown.

    Raises:
        BadSource: the course has no reference package.
    """
    parts = list(_parts(course))
    text = [INTRODUCTION.format(package=course.package, reference=parts[0].name.partition(".")[0])] if parts else []
    for part in parts:
        text += [f"## {part.number:02} `{part.name}`\n", f"{part.about}\n", *map(str, part.entries)]
    return "\n".join(text)


def without_docstring(course: Course) -> list[str]:
    """What the page would have nothing to say of. How an object is made may be said by its class.

    Raises:
        BadSource: the course has no reference package.
    """
    return [
        f"{part.name}.{entry.name}"
        for part in _parts(course)
        for entry in part.entries
        if not entry.text and not entry.name.endswith(".__init__")
    ]


def _parts(course: Course) -> Iterator[Part]:
    root = course.reference
    if root is None:
        raise BadSource("course.toml names no reference package.", hint="Set 'reference' in it.")
    numbered = sorted((number, path) for path in root.rglob("*.py") if (number := module_number(path)) is not None)
    for number, path in numbered:
        module = parsed(path.read_text(encoding="utf-8"))
        if entries := tuple(_entries(module)):
            name = ".".join((root.name, *path.relative_to(root).with_suffix("").parts))
            about = " ".join((ast.get_docstring(module) or "").partition("\n\n")[0].split())
            yield Part(number, name, about, entries)


def _entries(module: ast.Module) -> Iterator[Entry]:
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


def _entry(name: str, head: str, node: ast.ClassDef | ast.FunctionDef) -> Entry:
    return Entry(name, head, ast.get_docstring(node) or "")
