"""Who may import whom: the layers of ARCHITECTURE.md, what runs beside student code, and no module by name."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest

import tito
from tito.sandbox.bubblewrap import MOUNTED

ROOT = Path(tito.__file__).resolve().parent
FILES = sorted(path for path in ROOT.rglob("*.py"))
INSIDE = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "sandbox" / "inside").glob("*.py"))

# From the top; a file imports from its own folder and from those below. What is deferred into a function counts too.
LAYERS = (
    "tito.docs",
    "tito.cli",
    "tito.doctor",
    "tito.hub.formgrader",
    "tito.hub",  # accounts: a command of the hub's
    "tito.hub.config",
    "tito.hub.student",
    "tito.precheck",
    "tito.otter",
    "tito.feedback",
    "tito.author",
    "tito.exports",
    "tito.bridge",
    "tito.grade",
    "tito.gradebook",
    "tito.exchange",  # python -m tito.exchange
    "tito.exchange.client",
    "tito.exchange.server",
    "tito.exchange.protocol",
    "tito.judge",
    "tito.repair",
    "tito.plan",
    "tito.sandbox",
    "tito.sandbox.inside",
    "tito.course",
    "tito.policy",
    "tito.plain_text",
    "tito.models",
    "tito.validation",
    "tito.errors",
)


def dotted(path: Path) -> str:
    return ".".join(("tito", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__")


def imported(path: Path) -> set[str]:
    """Modules that a file imports, anywhere in it; `from a import b` as a.b."""
    modules: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            modules |= {f"{node.module}.{alias.name}" for alias in node.names}
    return modules


def layer_of(name: str) -> int | None:
    """The layer of the folder that a module lies in."""
    depths = [depth for depth, folder in enumerate(LAYERS) if name == folder or name.startswith(f"{folder}.")]
    return max(depths, key=lambda depth: len(LAYERS[depth]), default=None)


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


def test_every_layer_has_files_and_every_folder_is_a_layer() -> None:
    assert {layer_of(dotted(path)) for path in FILES} == {None, *range(len(LAYERS))}
    parts = {"tito.exchange.client.plugin", "tito.exchange.server.routes", "tito.exchange.server.migrations"}
    parts |= {"tito.exchange.server.migrations.versions"}
    folders = {dotted(path) for path in FILES if path.name == "__init__.py"} - {"tito"}
    assert folders - parts <= set(LAYERS)


def test_no_two_files_import_each_other() -> None:
    """By whatever way round; a name that is imported may be a module's, or what is in one."""
    modules = {dotted(path): path for path in FILES}
    edges = {
        name: {module for word in imported(path) for module in (word, word.rpartition(".")[0]) if module in modules}
        - {name}
        for name, path in modules.items()
    }
    reached: dict[str, set[str]] = {}
    for name in edges:
        reached[name], waiting = set(), [name]
        while waiting:
            fresh = edges[waiting.pop()] - reached[name]
            reached[name] |= fresh
            waiting.extend(fresh)
    packages = {dotted(path) for path in FILES if path.name == "__init__.py"}
    assert not {name for name, others in reached.items() if name in others and name not in packages}


@pytest.mark.parametrize("name", INSIDE)
def test_what_runs_beside_student_code_imports_only_what_is_in_the_sandbox(name: str) -> None:
    roots = {module.split(".")[0] for module in imported(ROOT / name)} - sys.stdlib_module_names
    assert roots <= {"numpy", "IPython", "traitlets", "matplotlib_inline", "tito"}
    ours = {module for module in imported(ROOT / name) if module.startswith("tito")}
    assert all(module.startswith("tito.sandbox.inside.") for module in ours)


@pytest.mark.parametrize("path", FILES, ids=dotted)
def test_calls_to_the_c_library_are_in_one_file(path: Path) -> None:
    assert dotted(path) == "tito.sandbox.inside.kernel" or not {
        name for name in imported(path) if name.split(".")[0] in ("ctypes", "cffi", "_ctypes")
    }


def test_all_that_is_mounted_is_one_folder_and_what_makes_it_a_package() -> None:
    assert MOUNTED == ("__init__.py", "sandbox/__init__.py", "sandbox/inside")
    for name in MOUNTED[:2]:
        code = ast.parse((ROOT / name).read_text(encoding="utf-8")).body
        assert all(isinstance(node, ast.Expr) or "__version__" in ast.unparse(node) for node in code), name


def test_the_judge_knows_nothing_of_the_course_or_the_platform() -> None:
    names = {path.stem for path in (ROOT / "judge").glob("*.py")} - {"__init__", "judge", "role"}
    ours = {module for name in names for module in imported(ROOT / "judge" / f"{name}.py") if module.startswith("tito")}
    inside = tuple(
        f"tito.sandbox.inside.{name}"
        for name in ("codec.", "wire", "step_status.", "last_value.", "mirrored_files.", "objects.", "rehearsed.")
    )
    allowed = (*inside, *(f"tito.judge.{name}." for name in names))
    assert all(module.startswith(allowed) for module in ours)


@pytest.mark.parametrize("path", FILES, ids=dotted)
def test_the_platform_knows_no_module_of_the_course(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not any(module.split(".")[0] in ("tinytorch", "tinytorch_ref") for module in imported(path))
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
    heavy = {
        "numpy",
        "nbformat",
        "nbgrader",
        "pandas",
        "sqlalchemy",
        "jupytext",
        "IPython",
        "rich",
        "nbconvert",
        "pydantic",
    }
    assert not heavy & set(run.stdout.split())


def test_the_layout_of_the_architecture_names_every_module_and_no_other() -> None:
    text = (ROOT.parent / "ARCHITECTURE.md").read_text(encoding="utf-8")
    layout = text.partition("\ntito/ ")[2].partition("\ndocker/ ")[0]
    named: set[str] = set()
    room = ""
    for line in layout.splitlines()[1:]:
        head, names = line[:18].strip(), line[18:]
        if head.endswith(".py") or ".py " in line:
            named |= {word.removesuffix(".py") for word in line.split()}
        elif head:
            room = f"{room.partition('.')[0]}.{head[:-1]}" if line.startswith("    ") else head[:-1]
        else:
            part = room
            for word in names.replace("beside student code:", "").replace("in it:", "").replace("·", "").split():
                if word.endswith("/:"):
                    part = f"{room}.{word[:-2]}"
                elif not word.endswith("/"):
                    named.add(f"{part}.{word}")
    parts = ("tito.exchange.server.routes.", "tito.exchange.server.migrations.")
    there = {dotted(path) for path in FILES if path.name not in ("__init__.py", "__main__.py")}
    assert named == {name.removeprefix("tito.") for name in there if not name.startswith(parts)}
