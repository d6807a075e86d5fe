"""A module's notebook as its file of the reference package; and the real package, file by file and staged."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from tiny import ASSIGNMENT, CELLS, script

from tito.author.export import export, exported, require_exported
from tito.cli import cli
from tito.course.course import MODULE_MARK, Assignment, Course, load_course
from tito.errors import BadSource, GateFailed, UsageError

REPOSITORY = Path(__file__).resolve().parents[2]
REAL = load_course(REPOSITORY)
MODULES = [assignment for assignment in REAL.assignments if assignment.script is not None]


def text_of(course: Course, **changed: str) -> str:
    course.step("source", f"{ASSIGNMENT}.py").write_text(script(**changed))
    return exported(course, course.assignment("7"))[1]


def test_the_marked_cells_become_the_file_with_relative_imports_and_without_markers(course: Course) -> None:
    path = export(course, course.assignment("7"))
    assert path == course.root / "reference" / "core" / "doubling.py"
    text = path.read_text()
    assert text.startswith('# module: 07_doubling\n"""Doubling: Numbers, doubled.')
    assert "from ..base import identity" in text
    assert "SOLUTION" not in text
    assert "#| export" not in text
    assert "return numbers_as_floats * 2" in text
    assert "assert" not in text
    assert "warm" not in text
    compile(text, str(path), "exec")


def test_the_exported_file_is_not_staged_for_its_own_module(course: Course, tmp_path: Path) -> None:
    export(course, course.assignment("7"))
    course.stage(7, tmp_path / "at7")
    course.stage(8, tmp_path / "at8")
    assert not (tmp_path / "at7" / "tinypack" / "core").exists()
    assert (tmp_path / "at8" / "tinypack" / "core" / "doubling.py").exists()


def test_an_import_of_the_whole_package_is_refused(course: Course) -> None:
    with pytest.raises(BadSource, match="import tinypack"):
        text_of(course, more="# %%\n#| export\nimport tinypack.base\n")


def test_a_module_that_exports_nothing_says_so(course: Course) -> None:
    with pytest.raises(BadSource, match="no cell begins"):
        text_of(course, **{name: cell.replace("#| export\n", "") for name, cell in CELLS.items()})
    path = course.step("source", f"{ASSIGNMENT}.py")
    path.write_text(script().replace("#     export: core.doubling\n", ""))
    with pytest.raises(UsageError, match=r"module\.export"):
        exported(course, course.assignment("7"))
    with pytest.raises(UsageError):
        exported(replace(course, reference=None), course.assignment("7"))


def test_a_file_that_is_not_what_the_source_says_is_named(course: Course) -> None:
    with pytest.raises(GateFailed, match=r"doubling\.py is not what .*Run 'tito export 7'"):
        require_exported(course, course.assignment("7"))
    path = export(course, course.assignment("7"))
    assert require_exported(course, course.assignment("7")) == path
    path.write_text(f"{path.read_text()}# mine\n")
    result = CliRunner().invoke(cli, ["--course", str(course.root), "export", "7", "--check"])
    assert (result.exit_code, path.read_text().endswith("# mine\n")) == (1, True)


# ---- the real package --------------------------------------------------------------------------


def test_the_course_has_modules() -> None:
    assert MODULES


@pytest.mark.parametrize("assignment", MODULES, ids=lambda assignment: assignment.id)
def test_a_module_that_is_exported_is_the_file_in_the_package(assignment: Assignment) -> None:
    require_exported(REAL, assignment)


@pytest.mark.parametrize("number", range(2, 21))
def test_what_is_staged_for_a_module_holds_only_what_is_below_it(number: int, tmp_path: Path) -> None:
    target = REAL.stage(number, tmp_path)
    assert target is not None
    marks = [MODULE_MARK.match(path.read_text(encoding="utf-8")) for path in target.rglob("*.py")]
    numbers = {int(mark["number"]) for mark in marks if mark}
    assert REAL.reference is not None
    there = {
        int(mark[1])
        for path in REAL.reference.rglob("*.py")
        if (mark := re.match(r"# module: (\d\d)", path.read_text(encoding="utf-8")))
    }
    assert numbers == {earlier for earlier in there if earlier < number}
    for folder in target.rglob("*"):
        assert not folder.is_dir() or any(path.is_file() for path in folder.rglob("*"))


def test_what_is_staged_imports_whole_for_every_module(tmp_path: Path) -> None:
    """One fresh process for all: each staging is imported under the students' name, and forgotten again."""
    for number in range(2, 21):
        REAL.stage(number, tmp_path / f"{number:02d}")
    program = (
        "import importlib, pathlib, sys\n"
        "for root in sorted(pathlib.Path(sys.argv[1]).iterdir()):\n"
        "    sys.path.insert(0, str(root))\n"
        "    for path in sorted(root.rglob('*.py')):\n"
        "        name = '.'.join(path.relative_to(root).with_suffix('').parts).removesuffix('.__init__')\n"
        "        module = importlib.import_module(name)\n"
        "        assert pathlib.Path(module.__file__).is_relative_to(root), name\n"
        "    assert not [one for one in sys.modules if one.startswith('tinytorch_ref')]\n"
        f"    for one in [one for one in sys.modules if one.split('.')[0] == '{REAL.package}']: del sys.modules[one]\n"
        "    sys.path.pop(0)\n"
    )
    argv = [sys.executable, "-I", "-c", program, str(tmp_path)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
