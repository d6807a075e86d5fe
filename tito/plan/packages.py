"""What notebooks import, and of which packages that is: told from their text, and from what is installed here."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import packages_distributions

from tito.course.cells import Cell
from tito.course.course import Assignment, Course
from tito.course.python_source import Source
from tito.course.settings import SETTINGS_FILE
from tito.errors import BadSource
from tito.plan.magics import plain_python
from tito.plan.plan import skipped
from tito.sandbox.environment import environment

WRITTEN = re.compile(r"^\s*%%(?:writefile|file)\s(?:.*[\s/])?(\w+)\.py\s*$", re.MULTILINE)  # modules of the notebook's

PLATFORM = "tinytorch-tito"  # the distribution that this file is of: it holds the reference, and is in no sandbox
ELSEWHERE_CALLED = {  # packages that are installed by another name than they are imported by
    "PIL": "pillow",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "docx": "python-docx",
    "dotenv": "python-dotenv",
    "fitz": "pymupdf",
    "igraph": "python-igraph",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "surprise": "scikit-surprise",
    "yaml": "PyYAML",
}
Notebooks = Mapping[str, Sequence[Cell]]  # cells of an assignment's notebooks, by name
CAUGHT = ("ImportError", "ModuleNotFoundError", "Exception", "BaseException")


@dataclass(frozen=True)
class Import:
    """A module that an assignment imports from outside, by the first part of its name; where, and of which package.

    `is_installed` says whether that package is here, so that notebooks could have it."""

    module: str
    where: str
    package: str
    is_installed: bool


def imported_modules(source: Source) -> list[str]:
    """First parts of the names of modules that a piece of Python imports, magics or not, and cannot do without.

    What it tries to import, and goes on if that is not there, it can do without.
    """
    if "import" not in source.text:
        return []
    statements = source.other(plain_python(source.text)).body or []
    return list(dict.fromkeys(_needed(statements)))


def _needed(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if not node.level and node.module:
                yield node.module.partition(".")[0]
        elif isinstance(node, ast.Try) and any(map(_catches_imports, node.handlers)):
            yield from _needed([*node.orelse, *node.finalbody])
        else:
            yield from _needed(ast.iter_child_nodes(node))


def _catches_imports(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(isinstance(kind, ast.Name) and kind.id in CAUGHT for kind in kinds)


def imports_of(course: Course, assignment: Assignment, notebooks: Notebooks) -> dict[str, str]:
    """Modules from outside that the assignment's own cells and files import, and where each is first imported."""
    places: dict[str, str] = {}
    for name, cells in notebooks.items():
        not_run = skipped(cells)
        for cell in (cell for at, cell in enumerate(cells) if cell.is_code and at not in not_run):
            _add(places, cell.code, _place(name, cell))
    folder = course.step("source", assignment.id)
    for path in sorted(folder.rglob("*.py")):
        _add(places, Source(path.read_text(encoding="utf-8", errors="replace")), str(path.relative_to(folder)))
    own = {path.stem for path in folder.rglob("*") if path.suffix == ".py" or path.is_dir()} | {course.package}
    own |= {module for cells in notebooks.values() for cell in cells for module in WRITTEN.findall(cell.source)}
    not_installed = sys.stdlib_module_names | own | set(sys.builtin_module_names)
    return {module: where for module, where in places.items() if module not in not_installed}


def _add(places: dict[str, str], source: Source, where: str) -> None:
    for module in imported_modules(source):
        places.setdefault(module, where)


def _place(notebook: str, cell: Cell) -> str:
    return f"{notebook}.ipynb, {cell.label}" if cell.grade_id else f"{notebook}.ipynb"


def with_packages(places: Mapping[str, str]) -> list[Import]:
    """Of which package each module is: as it is installed here, or else as it is known to be called."""
    installed = packages_distributions() if places else {}
    imports = []
    for module, where in places.items():
        names = [name for name in installed.get(module, ()) if name.lower() != PLATFORM]
        named_alike = [name for name in names if _alike(name, module)]
        package = next(iter([*named_alike, *names]), ELSEWHERE_CALLED.get(module, module))
        imports.append(Import(module, where, package, bool(names)))
    return imports


def _alike(package: str, module: str) -> bool:
    return package.lower().replace("-", "_") == module.lower()


def missing_packages(course: Course, places: Mapping[str, str]) -> list[Import]:
    """Of what an assignment imports, what notebooks of the course cannot.

    Raises:
        SandboxUnavailable: a package that the course names is not installed.
    """
    there = environment(course.sandbox.packages).modules
    return with_packages({module: where for module, where in places.items() if module not in there})


def advice(course: Course, missing: Import) -> str:
    """What to do about a module that is not there."""
    install = "" if missing.is_installed else f"'pip install {missing.package}' and "
    where = f"[sandbox] packages in {course.root / SETTINGS_FILE}"
    without = "where no graded cell needs it, import it inside 'try', with 'except ImportError'"
    return f"Run {install}'tito init --packages', which adds it to {where}; or, {without}."


def require_packages(course: Course, assignment: Assignment, notebooks: Notebooks) -> None:
    """Raise where the assignment imports what notebooks of the course cannot: everybody's work would fail.

    Raises:
        BadSource: names the module and what to do.
        SandboxUnavailable: a package that the course names is not installed.
    """
    for missing in missing_packages(course, imports_of(course, assignment, notebooks)):
        raise BadSource(
            f"{assignment.id} imports {missing.module} ({missing.where}), "
            "which is not among the packages of this course.",
            hint=advice(course, missing),
        )
