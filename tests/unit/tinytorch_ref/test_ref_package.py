"""The package as a whole: examples run, files say their module, and it works under another name."""

from __future__ import annotations

import ast
import doctest
import importlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import tinytorch_ref
from tito.course.course import load_course
from tito.course.python_source import Source
from tito.course.script import provided_files, read_script
from tito.plan.packages import imported_modules

ROOT = Path(tinytorch_ref.__file__).parent
FILES = sorted(path for path in ROOT.rglob("*.py"))
CODE = [path for path in FILES if path.name != "__init__.py"]
COURSE = load_course(ROOT.parent)
SCRIPTS = [read_script(assignment.script) for assignment in COURSE.assignments if assignment.script is not None]
EXPORTED = {ROOT.joinpath(*script.info.export.split(".")).with_suffix(".py") for script in SCRIPTS}
WRITTEN_HERE = [path for path in CODE if path not in EXPORTED]  # of exported files, examples may be cells of a notebook
PROVIDED = [path for script in SCRIPTS for path in provided_files(COURSE, script)]


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def module_number(path: Path) -> int:
    return int(path.read_text()[10:12])


def is_alias(path: Path) -> bool:
    """Whether a file only hands on names of another: a docstring, relative imports and `__all__`."""
    _, *body = ast.parse(path.read_text()).body
    return all(isinstance(node, ast.ImportFrom | ast.Assign) for node in body) and any(
        isinstance(node, ast.ImportFrom) and node.level for node in body
    )


@pytest.mark.parametrize("path", CODE, ids=dotted)
def test_every_module_has_examples_and_they_run(path: Path) -> None:
    failed, attempted = doctest.testmod(importlib.import_module(f"tinytorch_ref.{dotted(path)}"))
    assert attempted > 0 or is_alias(path)
    assert failed == 0


def public_definitions(path: Path) -> list[ast.ClassDef | ast.FunctionDef]:
    return [
        node
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_")
    ]


@pytest.mark.parametrize("path", WRITTEN_HERE, ids=dotted)
def test_every_public_class_and_function_has_an_example(path: Path) -> None:
    without = [node.name for node in public_definitions(path) if ">>>" not in (ast.get_docstring(node) or "")]
    assert without == []


@pytest.mark.parametrize("path", WRITTEN_HERE, ids=dotted)
def test_every_public_method_says_what_it_does(path: Path) -> None:
    classes = [node for node in public_definitions(path) if isinstance(node, ast.ClassDef)]
    methods = [node for definition in classes for node in definition.body if isinstance(node, ast.FunctionDef)]
    assert [node.name for node in methods if not node.name.startswith("_") and not ast.get_docstring(node)] == []


@pytest.mark.parametrize("path", [path for path in CODE if is_alias(path)], ids=dotted)
def test_an_alias_hands_on_all_that_it_imports(path: Path) -> None:
    module = importlib.import_module(f"tinytorch_ref.{dotted(path)}")
    imported = [
        name.asname or name.name
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    ]
    assert sorted(module.__all__) == sorted(imported)


@pytest.mark.parametrize("path", CODE, ids=dotted)
def test_every_file_says_which_module_of_the_course_it_belongs_to(path: Path) -> None:
    number, _, name = path.read_text().splitlines()[0].removeprefix("# module: ").partition("_")
    assert number.isdigit()
    assert len(number) == 2
    assert name.isidentifier()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_are_relative_the_standard_library_or_numpy(path: Path) -> None:
    """But for what it can do without."""
    text = path.read_text()
    assert {*imported_modules(Source(text))} <= sys.stdlib_module_names | {"numpy"}
    if path.name == "__init__.py":
        assert not [n for n in ast.parse(text).body if isinstance(n, ast.Import | ast.ImportFrom)]


def test_a_module_imports_only_modules_of_a_lower_or_equal_number() -> None:
    number = {path: module_number(path) for path in CODE}
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.level:
                folder = path.parents[node.level - 1]
                imported = folder.joinpath(*(node.module or "").split(".")).with_suffix(".py")
                assert number[imported] <= number[path], f"{path} imports {imported}"


@pytest.mark.parametrize("path", PROVIDED, ids=dotted)
def test_what_a_module_provides_needs_nothing_of_its_number_but_what_it_provides(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            imported = path.parents[node.level - 1].joinpath(*(node.module or "").split(".")).with_suffix(".py")
            assert module_number(imported) < module_number(path) or imported in PROVIDED


def test_it_works_under_the_name_that_students_import(tmp_path: Path) -> None:
    shutil.copytree(ROOT, tmp_path / "tinytorch", ignore=shutil.ignore_patterns("__pycache__"))
    program = (
        "import sys\n"
        f"for name in {[dotted(path) for path in CODE]!r}: __import__('tinytorch.' + name)\n"
        "from tinytorch.core.tensor import Tensor\n"
        "assert Tensor.__module__ == 'tinytorch.core.tensor'\n"
        "assert not [name for name in sys.modules if name.startswith('tinytorch_ref')]\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, timeout=60)


def test_importing_it_loads_nothing_but_numpy_and_the_standard_library() -> None:
    program = (
        "import sys, numpy\n"
        "before = set(sys.modules)\n"
        f"for name in {[dotted(path) for path in CODE]!r}: __import__('tinytorch_ref.' + name)\n"
        "print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before}))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT.parent,
        check=True,
        timeout=60,
        capture_output=True,
        text=True,
    )
    loaded = set(run.stdout.split())
    assert "tinytorch_ref" in loaded
    assert loaded - {"tinytorch_ref", "numpy"} <= sys.stdlib_module_names
