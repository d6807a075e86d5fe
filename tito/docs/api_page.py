"""The page of a course's reference package: classes and functions of each module, with what their docstrings say."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from types import ModuleType

from tito.course.course import Course, module_number
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
        name = ".".join((root.name, *path.relative_to(root).with_suffix("").parts))
        module = importlib.import_module(name.removesuffix(".__init__"))
        if entries := list(_entries(module)):
            parts += [f"## {number:02} `{module.__name__}`\n", f"{_first(module)}\n", *entries]
    return "\n".join(parts)


def _entries(module: ModuleType) -> Iterator[str]:
    for name, member in vars(module).items():
        if name.startswith("_") or getattr(member, "__module__", None) != module.__name__:
            continue
        if inspect.isclass(member):
            yield _entry(f"class {name}", member)
            for method_name, method in vars(member).items():
                if inspect.isfunction(method) and (not method_name.startswith("_") or method_name == "__init__"):
                    yield _entry(f"{name}.{method_name}", method, _signature(method))
        elif inspect.isfunction(member):
            yield _entry(name, member, _signature(member))


def _entry(name: str, member: object, signature: str = "") -> str:
    text = inspect.getdoc(member) or ""
    return (
        f"### `{name}`\n\n```text\n{name.rpartition('.')[2]}{signature}\n\n{text}\n```\n"
        if signature
        else (f"### `{name}`\n\n```text\n{text}\n```\n")
    )


def _signature(function: object) -> str:
    assert callable(function)
    return str(inspect.signature(function)).replace("'", "")


def _first(module: ModuleType) -> str:
    return " ".join((module.__doc__ or "").strip().partition("\n\n")[0].split())
