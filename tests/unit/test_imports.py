"""Who may import whom: the layers of ARCHITECTURE.md, what runs beside student code, and no module by name."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest

import tito

pytestmark = pytest.mark.unit

ROOT = Path(tito.__file__).resolve().parent
FILES = sorted(path for path in ROOT.rglob("*.py"))
INSIDE_NAMES = (
    *("belongings", "codec", "fence", "guard", "held", "keeper", "notebook", "objects", "outputs"),
    *("own_names", "rlimits", "ruleset", "runner", "seccomp", "server", "snapshot", "views", "warden", "wire"),
    "zygote",
)
INSIDE = tuple(f"sandbox/{name}.py" for name in INSIDE_NAMES)

# Layers from the top; a file imports from its own and from those below. What is deferred into a function counts too.
LAYERS = (
    ("tito.cli", "tito.demo", "tito.doctor", "tito.hub"),
    ("tito.instant",),
    ("tito.bridge",),
    ("tito.author", "tito.grade", "tito.exchange", "tito.gradebook"),
    ("tito.sandbox",),
    ("tito.models", "tito.course", "tito.errors", "tito.cells", "tito.plain_text", "tito.nbgrader_settings"),
)


def dotted(path: Path) -> str:
    return ".".join(("tito", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__")


def imported(path: Path) -> set[str]:
    """Modules that a file imports, anywhere in it; `from a import b` as a.b."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            found |= {f"{node.module}.{one.name}" for one in node.names}
    return found


def layer_of(name: str) -> int | None:
    for depth, members in enumerate(LAYERS):
        if any(name == member or name.startswith(f"{member}.") for member in members):
            return depth
    return None


@pytest.mark.parametrize("path", FILES, ids=dotted)
def test_imports_run_one_way(path: Path) -> None:
    mine = layer_of(dotted(path))
    if dotted(path) == "tito":
        assert not imported(path)
        return
    assert mine is not None, f"{dotted(path)} is in no layer: say where it belongs"
    for name in imported(path):
        if name == "tito.__version__" or not name.startswith("tito."):
            continue
        theirs = layer_of(name)
        assert theirs is not None, f"{dotted(path)} imports {name}, which is in no layer"
        assert mine <= theirs, f"{dotted(path)} imports {name}, which is above it"


def test_every_layer_has_files() -> None:
    assert {layer_of(dotted(path)) for path in FILES} == {None, *range(len(LAYERS))}


@pytest.mark.parametrize("name", INSIDE)
def test_what_runs_beside_student_code_imports_only_what_is_in_the_sandbox(name: str) -> None:
    roots = {one.split(".")[0] for one in imported(ROOT / name)} - sys.stdlib_module_names
    assert roots <= {"numpy", "IPython", "traitlets", "matplotlib_inline", "tito"}
    ours = {one for one in imported(ROOT / name) if one.startswith("tito")}
    allowed = tuple(f"tito.{inside.removesuffix('.py').replace('/', '.')}." for inside in INSIDE)
    assert all(f"{one}.".startswith(allowed) for one in ours)


def test_the_sandbox_holds_just_the_files_that_run_in_it() -> None:
    from tito.sandbox.bubblewrap import RUNNER_FILES

    assert set(RUNNER_FILES) == {"__init__.py", "sandbox/__init__.py", *INSIDE}


def test_the_judge_knows_nothing_of_the_course_or_the_platform() -> None:
    names = ("judge_worker", "remote_worker", "link", "standin", "sites", "looks", "replay")
    ours = {one for name in names for one in imported(ROOT / "grade" / f"{name}.py") if one.startswith("tito")}
    allowed = ("tito.sandbox.codec.", "tito.sandbox.wire", *(f"tito.grade.{name}." for name in names))
    assert all(one.startswith(allowed) for one in ours)


@pytest.mark.parametrize("path", FILES, ids=dotted)
def test_the_platform_knows_no_module_of_the_course(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not any(one.split(".")[0] in ("tinytorch", "tinytorch_ref") for one in imported(path))
    scripts = [script.stem for script in (ROOT.parent / "source").glob("*.py")]
    assert scripts
    for script in scripts:
        number, _, name = script.partition("_")
        assert script not in text
        assert not re.search(rf"\b{name}\b", text, re.IGNORECASE), f"{dotted(path)} names {name}"
        literals = {node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)}
        assert number not in literals, f"{dotted(path)} holds the number of a module"


def test_importing_the_command_line_loads_nothing_heavy() -> None:
    import subprocess

    program = "import sys, tito.cli; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    heavy = {"numpy", "nbformat", "nbgrader", "pandas", "sqlalchemy", "jupytext", "IPython", "rich", "nbconvert"}
    assert not heavy & set(run.stdout.split())
