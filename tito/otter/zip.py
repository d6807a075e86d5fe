"""A released module as an autograder zip for Otter, and so for Gradescope.

Each graded test becomes one Otter test: its sections and named checks are test cases, the hidden ones hidden. Otter
runs them beside student code, where they can be read and forged; nothing of our sandbox or judge goes into the zip.
"""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import json
import shutil
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import nbformat

from tito.course.cells import Cell, grade_id_of, kind_of
from tito.course.course import Assignment, Course
from tito.errors import BadSource, GateFailed, PlatformError, UsageError
from tito.models import CellKind, JudgePlan, Section
from tito.plan.leaks import Leak, find_leaks
from tito.plan.plan import NotebookPlan, TestPlan
from tito.plan.planning import plan_assignment
from tito.plan.secret_texts import given_code, public_of, secrets_of
from tito.plan.test_cell import visible_source

PLUGIN = "tito.otter.plugin.InPlace"
# The plugin and what it imports; a test holds that this is all.
PARTS = (
    "__init__.py", "errors.py", "models.py", "validation.py",
    "course/__init__.py", "course/cells.py", "course/python_source.py", "course/submission_files.py",
    "otter/__init__.py", "otter/plugin.py",
    "plan/__init__.py", "plan/ambient.py", "plan/compile.py", "plan/deterministic.py", "plan/directives.py",
    "plan/magics.py", "plan/names.py", "plan/test_cell.py",
    "repair/__init__.py", "repair/additions.py", "repair/attachments.py", "repair/placing.py", "repair/repair.py",
    "repair/stub.py", "sandbox/__init__.py", "sandbox/inside/__init__.py", "sandbox/inside/own_names.py",
)  # fmt: skip

HELPERS = '''\
MADE = {}


def run(source, namespace):
    """Run a part of the test. Whatever it raises, sys.exit() too, fails this case alone."""
    try:
        exec(compile(source, "<test>", "exec"), namespace)
    except Exception:
        raise
    except BaseException as error:
        raise RuntimeError(f"{type(error).__name__}: {error}") from error


def observed(namespace, observe, given, names):
    """What a judgement is made of: the values of `names` after `observe`, and what no student code influences."""
    run(observe, namespace)
    found = {}
    run(given, found)
    return found | {name: namespace[name] for name in names}


def aside(namespace, make):
    """What is made in a namespace, which is then what it was: in between, student code sees what a test sets."""
    before = dict(namespace)
    try:
        return make()
    finally:
        namespace.clear()
        namespace.update(before)


def judged(namespace, judge):
    """The namespace after what the checks have in common."""
    run(judge, namespace)
    return namespace


def once(part, make):
    """What the checks of one part have in common, made once; each gets a copy, or the same error."""
    if part not in MADE:
        try:
            MADE[part] = (make(), None)
        except Exception as error:
            MADE[part] = (None, error)
    made, error = MADE[part]
    if error is not None:
        raise error
    return dict(made)
'''


@dataclass(frozen=True)
class Released:
    """What students were given: the notebook's cells, and the files beside it."""

    cells: tuple[Any, ...]
    files: tuple[Path, ...]


def write_otter_zip(course: Course, assignment: Assignment, path: Path) -> Path:
    """Write the released assignment as an autograder zip.

    Raises:
        UsageError: nothing is released, it is older than its source, or it has several notebooks.
        BadSource: a test that cannot be run by Otter.
        PlatformError: Otter is not installed.
        GateFailed: the zip would hold a solution.
    """
    if importlib.util.find_spec("otter") is None:
        raise PlatformError("Otter is not installed.", hint="Run: pip install 'otter-grader>=7,<8'.")
    plan = plan_assignment(course, assignment)
    if len(plan.notebooks) != 1:
        raise UsageError(
            f"{assignment.id} has {len(plan.notebooks)} notebooks, and Otter grades one.",
            hint="Make them modules of their own.",
        )
    (notebook,) = plan.notebooks
    released = _released(course, assignment, notebook)
    with tempfile.TemporaryDirectory(prefix="tito-otter-") as folder:
        fresh = _generate(course, assignment, notebook, released, Path(folder))
        _require_no_leak(fresh, notebook, released)
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(fresh, path)
    return path


def unmeasured_tests(course: Course, assignment: Assignment) -> list[str]:
    """Tests that we judge by time or memory too. Otter measures neither: points for that are had there unearned."""
    tests = [test for notebook in plan_assignment(course, assignment).notebooks for test in notebook.tests.values()]
    return [test.grade_id for test in tests if any(section.is_measured for section, _ in test.sections)]


def all_or_nothing_tests(course: Course, assignment: Assignment) -> list[str]:
    """Tests that give points by their last value here. Otter gives all of them to whoever comes to the end."""
    tests = [test for notebook in plan_assignment(course, assignment).notebooks for test in notebook.tests.values()]
    return [test.grade_id for test in tests if any(section.has_last_value for section, _ in test.sections)]


def _released(course: Course, assignment: Assignment, plan: NotebookPlan) -> Released:
    folder = course.step("release", assignment.id)
    path = folder / f"{plan.name}.ipynb"
    release = f"Run 'tito release {assignment.id} --no-exchange'."
    if not path.is_file():
        raise UsageError(f"{assignment.id} has not been released.", hint=release)
    cells = tuple(nbformat.read(path, as_version=4).cells)
    tests = {grade_id_of(cell): cell.source.split() for cell in cells if kind_of(cell) is CellKind.TEST}
    wanted = {
        cell.grade_id: visible_source(cell.source).split()
        for cell in plan.cells
        if cell.is_test
    }  # fmt: skip
    if tests != wanted:
        raise UsageError(f"The release of {assignment.id} has other tests than its source.", hint=release)
    return Released(cells, tuple(path for path in sorted(folder.iterdir()) if path.suffix != ".ipynb"))


# ---- the zip -----------------------------------------------------------------------------------------


def _generate(course: Course, assignment: Assignment, plan: NotebookPlan, released: Released, folder: Path) -> Path:
    """The zip by `otter generate`, with the plugin added."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Otter's own, from what it imports
        from otter.generate import main as generate

    settings = {"cells": released.cells, "submission_mb": course.limits.submission_mb}
    (folder / "otter_config.json").write_text(json.dumps({"plugins": [{PLUGIN: settings}]}), encoding="utf-8")
    pins = [f"{name}=={version(name)}" for name in course.sandbox.packages]
    (folder / "requirements.txt").write_text("\n".join([*pins, ""]), encoding="utf-8")
    (folder / "tests").mkdir()
    for test in plan.tests.values():
        text = test_file(assignment.id, test)
        (folder / "tests" / f"{test.grade_id}.py").write_text(text, encoding="utf-8")
    (folder / "files").mkdir()
    for file in released.files:
        target = folder / "files" / file.name
        if file.is_dir():
            shutil.copytree(file, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(file, target)
    path = folder / "autograder.zip"
    with contextlib.chdir(folder / "files"):  # Otter takes files from below the working directory alone
        generate(
            tests_dir="../tests",
            output_path=str(path),
            config="../otter_config.json",
            requirements="../requirements.txt",
            no_environment=True,
            files=[file.name for file in released.files],
            python_version=f"{sys.version_info.major}.{sys.version_info.minor}",
        )
    package = Path(__file__).resolve().parents[1]
    with zipfile.ZipFile(path, "a") as archive:
        for name in PARTS:
            archive.write(package / name, f"tito/{name}")
    return path


def _require_no_leak(path: Path, plan: NotebookPlan, released: Released) -> None:
    """Raise if a solution or mark scheme is in the zip, or a hidden test anywhere but in its tests.

    Raises:
        GateFailed: names the file and the cell.
    """
    leaks = find_zip_leaks(path, plan.cells, released.files)
    if leaks:
        first = leaks[0]
        raise GateFailed(
            f"The zip would hold a secret of {first.where}: {first.file} has “{first.excerpt}”.",
            hint="Nothing was written. Take it out of what students get, or release again.",
        )


def find_zip_leaks(path: Path, cells: tuple[Cell, ...], handed_out: tuple[Path, ...] = ()) -> list[Leak]:
    """Secrets of a source notebook in an autograder zip. `handed_out` is what students have beside the notebook.

    Tests may say what the source's tests say, and what students have; they may not hold what only a solution says.
    What code that is given shares with a solution, the release has let pass.
    """
    public, secrets = public_of(cells), secrets_of(cells)
    files = [file for entry in handed_out for file in (sorted(entry.rglob("*")) if entry.is_dir() else [entry])]
    beside = [file.read_text(encoding="utf-8", errors="replace") for file in files if file.suffix == ".py"]
    handed_out_code = "\n".join([*beside, given_code(cells)])
    tests = "\n".join(cell.source for cell in cells if cell.is_test)
    with tempfile.TemporaryDirectory(prefix="tito-otter-") as folder:
        of_tests, others = Path(folder) / "tests", Path(folder) / "others"
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                archive.extract(name, folder if name.startswith("tests/") else others)
        leaks = find_leaks(others, secrets, public, handed_out_code)
        return leaks + find_leaks(
            of_tests, [secret for secret in secrets if not secret.is_test], public, f"{handed_out_code}\n{tests}"
        )


# ---- the tests ---------------------------------------------------------------------------------------


def test_file(assignment: str, test: TestPlan) -> str:
    """One graded test as an Otter test file, exception style.

    Raises:
        BadSource: it is empty, or a part of it is no plain Python, even after IPython's own syntax has been translated.
    """
    if not test.sections:
        raise BadSource(f"{test.grade_id}: the test holds no statement.", hint="Write one, or take its points away.")
    parts: list[str] = []
    cases: list[_Case] = []
    for number, (section, plan) in enumerate(test.sections, 1):
        parts += _parts_of(test, number, section, plan)
        cases += list(_cases_of(test, number, section, plan))
    points = [0.0] * len(cases) if test.has_checks else [test.points, *[0.0] * (len(cases) - 1)]
    rendered = [case.render(at, own) for at, (case, own) in enumerate(zip(cases, points, strict=True), 1)]
    head = f'"""{test.grade_id}: {test.points:g} points. Written by `tito otter` from {assignment}; do not edit."""'
    facts = f"OK_FORMAT = False\nname = {test.grade_id!r}\nall_or_nothing = {not test.has_checks}"
    body = [head, "from otter.test_files import test_case", facts, HELPERS.strip(), "\n".join(parts), *rendered]
    return "\n\n\n".join(body) + "\n"


test_file.__test__ = False  # type: ignore[attr-defined]


@dataclass(frozen=True)
class _Case:
    """A test case to be: its name, what it runs, and the points of a named check."""

    name: str
    hidden: bool
    body: str
    points: float | None = None
    message: str = ""

    def render(self, number: int, points: float) -> str:
        worth = self.points if self.points is not None else points
        words = [f"name={self.name!r}", f"points={_number(worth)}", f"hidden={self.hidden}"]
        words += [f"failure_message={self.message!r}"] if self.message else []
        return f"@test_case({', '.join(words)})\ndef case_{number}(env):\n    {self.body}"


def _parts_of(test: TestPlan, number: int, section: Section, plan: JudgePlan | None) -> Iterator[str]:
    """The sources of a section as constants."""
    where = test.grade_id
    yield f"OBSERVE_{number} = {_literal(_plain_python(section.observe, where))}"
    if section.judge is None or plan is None:
        return
    known = "\n".join(part for part in (plan.imports, plan.given) if part)
    yield f"GIVEN_{number} = {_literal(_plain_python(known, where))}"
    yield f"NAMES_{number} = {plan.observed!r}"
    yield f"JUDGE_{number} = {_literal(_plain_python(section.judge, where))}"
    for at, check in enumerate(section.checks, 1):
        yield f"CHECK_{number}_{at} = {_literal(_plain_python(check.source, where))}"


def _cases_of(test: TestPlan, number: int, section: Section, plan: JudgePlan | None) -> Iterator[_Case]:
    name = f"{test.grade_id} {'hidden' if section.hidden else 'visible'} {number}"
    if plan is None:
        yield _Case(name, section.hidden, _aside(f"run(OBSERVE_{number}, env)", section))
        return
    namespace_of_judge = _aside(f"observed(env, OBSERVE_{number}, GIVEN_{number}, NAMES_{number})", section)
    if not section.checks:
        yield _Case(name, section.hidden, f"run(JUDGE_{number}, {namespace_of_judge})")
    for at, check in enumerate(section.checks, 1):
        common = f"once({number}, lambda: judged({namespace_of_judge}, JUDGE_{number}))"
        yield _Case(
            f"{test.grade_id} {check.name}", section.hidden, f"run(CHECK_{number}_{at}, {common})",
            check.points, check.message,
        )  # fmt: skip


def _aside(call: str, section: Section) -> str:
    """What is hidden leaves nothing behind that a student's later cell could find."""
    return f"aside(env, lambda: {call})" if section.hidden else call


def _number(points: float) -> str:
    return f"{points:g}" if points == int(points) else repr(points)


def _plain_python(source: str, where: str) -> str:
    """The source as `exec` takes it: magics translated."""
    from IPython.core.inputtransformer2 import TransformerManager

    text = source if _compiles(source) else TransformerManager().transform_cell(source)
    if not _compiles(text):
        raise BadSource(f"{where}: a part of the test is no plain Python, and Otter cannot run it.", hint="Mend it.")
    return text


def _compiles(source: str) -> bool:
    try:
        compile(source, "<test>", "exec")
    except SyntaxError:
        return False
    return True


def _literal(source: str) -> str:
    """A source as a constant that can be read."""
    escaped = source.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    text = f'"""\\\n{escaped}\n"""'
    assert ast.literal_eval(text) == f"{source}\n"
    return text
