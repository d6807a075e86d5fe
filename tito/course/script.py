"""Script to notebook: `source/NN_name.py` (jupytext percent) and the notebook built from it for nbgrader.

The script is the only source. The notebook is written to `source/NN_name/`, with cell ids that derive
from grade ids, so that two builds of one script are the same bytes. Nothing here runs a cell.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import yaml

from tito.course.cells import RAISES_TAG, grade_id_of, kind_of
from tito.course.course import SCRIPT_NAME, Assignment, Course, module_number
from tito.course.source_notebook import read_source_notebook
from tito.errors import BadSource, PlatformError
from tito.models import CellKind, ModuleInfo
from tito.validation import near

HEADER = re.compile(r"\A# ---\n(?P<yaml>(?:#.*\n)*?)# ---\n")
REQUIRED_FACTS = ("number", "name", "title")


@dataclass(frozen=True)
class Script:
    """A module's script, read: its facts and its notebook (nbformat 4.5, no outputs)."""

    path: Path
    info: ModuleInfo
    notebook: Any


def read_script(path: Path) -> Script:
    """Read a module's script.

    Raises:
        BadSource: the file, its header or its cells cannot be read; says which line or fact.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadSource(f"{path} cannot be read: {error}.", hint="A module is a UTF-8 text file.") from error
    info = _info(path, _header(path, text))
    notebook = jupytext.reads(text, fmt="py:percent")
    kernelspec = notebook.metadata.get("kernelspec")
    notebook.metadata = nbformat.NotebookNode({"kernelspec": kernelspec} if kernelspec else {})
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    _name_cells(path, notebook)
    return Script(path, info, notebook)


def _header(path: Path, text: str) -> dict[str, Any]:
    match = HEADER.match(text)
    if match is None:
        raise BadSource(
            f"{path}:1: no header. A module's script begins with a YAML block in comments, between two '# ---' lines.",
            hint="See book/tutorials/write-a-module.md, or copy the header of another module.",
        )
    lines = (line[2:] if line.startswith("# ") else line[1:] for line in match["yaml"].splitlines())
    try:
        header = yaml.safe_load("\n".join(lines))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 2 if mark is not None else 1
        problem = getattr(error, "problem", None) or "no YAML"
        raise BadSource(f"{path}:{line}: the header is no YAML: {problem}.", hint="Mend that line.") from error
    facts = header.get("jupyter", {}).get("module") if isinstance(header, dict) else None
    if not isinstance(facts, dict):
        raise BadSource(
            f"{path}: the header says nothing about the module.",
            hint="Below '# jupyter:' add '#   module:' with number, name and title.",
        )
    return facts


def _info(path: Path, facts: dict[str, Any]) -> ModuleInfo:
    facts_known = [fact.name for fact in fields(ModuleInfo)]
    for name in facts:
        if name not in facts_known:
            raise BadSource(f"{path}: the header knows no module.{name}.", hint=near(str(name), facts_known))
    missing = [name for name in REQUIRED_FACTS if not facts.get(name)]
    if missing:
        raise BadSource(f"{path}: the header lacks module.{missing[0]}.", hint="Add it to the header.")
    match = SCRIPT_NAME.fullmatch(path.stem)
    if match and (int(match["number"]) != facts["number"] or match["name"] != facts["name"]):
        raise BadSource(
            f"{path}: the header says module {facts['number']} '{facts['name']}', the file name says otherwise.",
            hint="Rename the file or correct the header.",
        )
    for name in ("number", "difficulty"):
        if not isinstance(facts.get(name, 0), int):
            raise BadSource(f"{path}: module.{name} is no whole number: {facts[name]!r}.", hint="Correct the header.")
    for name in ("prerequisites", "provides"):
        if not isinstance(facts.get(name, []), list):
            raise BadSource(f"{path}: module.{name} is no list.", hint="Write it as [A, B].")
    return ModuleInfo(
        number=int(facts["number"]),
        name=str(facts["name"]),
        title=str(facts["title"]),
        tier=str(facts.get("tier", "")),
        difficulty=int(facts.get("difficulty", 0)),
        time=str(facts.get("time", "")),
        prerequisites=tuple(str(number) for number in facts.get("prerequisites", [])),
        export=str(facts.get("export", "")),
        summary=str(facts.get("summary", "")),
        provides=tuple(str(name) for name in facts.get("provides", [])),
    )


def _name_cells(path: Path, notebook: Any) -> None:
    """Give every cell an id that says where it stands: its grade id, or the one before it and a count. Tests get the
    tag with which a kernel that is to run all cells goes on behind one that fails."""
    last, count, used = "top", 0, set()
    for cell in notebook.cells:
        if kind_of(cell) is CellKind.TEST:
            cell.metadata["tags"] = sorted({*cell.metadata.get("tags", []), RAISES_TAG})
        grade_id = grade_id_of(cell)
        if grade_id:
            if grade_id in used:
                raise BadSource(f"{path}: two cells have the grade id '{grade_id}'.", hint="Rename one of them.")
            used.add(grade_id)
            last, count = grade_id, 0
            cell["id"] = _short(grade_id)
        else:
            count += 1
            cell["id"] = f"{_short(last)}-{count}"


def _short(name: str) -> str:
    """`name`, or where a cell id may not be so long, its beginning and a hash of it all."""
    return name if len(name) <= 48 else f"{name[:36]}-{hashlib.sha256(name.encode()).hexdigest()[:10]}"


def build(course: Course, assignment: Assignment) -> dict[str, Any]:
    """Build `source/<assignment>/` from its script: the notebook, and the package of the modules below it.

    An assignment without a script (a folder of notebooks, as plain nbgrader has them) is left as it is.
    The folder is replaced whole, where anything in it changed; a script that cannot be read leaves it as it is. Where
    nothing changed nothing is written: the course may be mounted read-only where it is graded.

    Returns: the instructor's notebooks, by name.

    Raises:
        PlatformError: it has changed, and the folder cannot be written to.
    """
    folder = course.step("source", assignment.id)
    if assignment.script is None:
        return source_notebooks(course, assignment)
    script = read_script(assignment.script)
    with tempfile.TemporaryDirectory(prefix="tito-build-") as scratch:
        fresh = Path(scratch)
        nbformat.write(script.notebook, fresh / f"{script.info.name}.ipynb")
        course.stage(script.info.number, fresh, provided_files(course, script))
        if _contents(fresh) != _contents(folder):
            _put_in_place(fresh, folder)
    return {script.info.name: script.notebook}


def provided_files(course: Course, script: Script) -> tuple[Path, ...]:
    """The files of its own number that a module's release holds, named in its header: `provides: [core.clock]`.

    Raises:
        BadSource: one is not there, is of another module, or is what the module exports.
    """
    if course.reference is None:
        return ()
    paths = {name: course.reference.joinpath(*name.split(".")).with_suffix(".py") for name in script.info.provides}
    for name, path in paths.items():
        problem = ""
        if name == script.info.export:
            problem = "that is what students write and the module exports"
        elif not path.is_file():
            problem = f"there is no {path}"
        elif module_number(path) != script.info.number:
            problem = f"{path} does not say in its first line that it is of module {script.info.number}"
        if problem:
            raise BadSource(f"{script.path}: module.provides names {name}: {problem}.", hint="Correct the header.")
    return tuple(paths.values())


def _put_in_place(fresh: Path, folder: Path) -> None:
    try:
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".build-") as beside:
            copy = Path(beside) / "new"
            shutil.copytree(fresh, copy)
            copy.chmod(0o755)
            if folder.exists():
                folder.rename(Path(beside) / "old")
            copy.rename(folder)
    except OSError as error:
        raise PlatformError(
            f"{folder} is not what its script says now, and cannot be built anew: {error.strerror}.",
            hint="Run 'tito check' or 'tito release' where the course's folder can be written to.",
        ) from error


def _contents(folder: Path) -> dict[str, bytes | None]:
    """Every file below a folder with its bytes, and every folder; but for compiled files."""
    contents = (path for path in folder.rglob("*") if "__pycache__" not in path.parts)
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in contents}


def source_notebooks(course: Course, assignment: Assignment) -> dict[str, Any]:
    """The instructor's notebooks of an assignment, by name, with their solutions and hidden tests."""
    if assignment.script is not None:
        script = read_script(assignment.script)
        return {script.info.name: script.notebook}
    folder = course.step("source", assignment.id)
    return {path.stem: read_source_notebook(path) for path in sorted(folder.glob("*.ipynb"))}


def with_header_and_footer(course: Course, notebooks: dict[str, Any]) -> dict[str, Any]:
    """An assignment's notebooks as they are released: with the cells that nbgrader's settings have each begin and end
    with.

    Raises:
        BadSource: the notebook of these cells cannot be read.
    """
    section = (course.nbgrader or {}).get("IncludeHeaderFooter", {})
    header, footer = (_cells_in(section.get(name, "")) for name in ("header", "footer"))
    if not header and not footer:
        return notebooks
    whole = {name: nbformat.NotebookNode(notebook) for name, notebook in notebooks.items()}
    for notebook in whole.values():
        notebook.cells = [*header, *notebook.cells, *footer]
    return whole


def _cells_in(path: str) -> list[Any]:
    if not path:
        return []
    try:
        return list(nbformat.read(path, as_version=4).cells)
    except (OSError, ValueError, nbformat.ValidationError) as error:
        raise BadSource(
            f"{path}, which nbgrader's settings name as header or footer, cannot be read: {error}.",
            hint="Correct IncludeHeaderFooter, or mend the notebook.",
        ) from error
