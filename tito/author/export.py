"""Turns a module's notebook into its file of the reference package: the cells that begin with `#| export`."""

from __future__ import annotations

import ast
from pathlib import Path

from tito.author.variants import SOLUTION_MARKERS
from tito.course.course import Assignment, Course
from tito.course.python_source import parsed
from tito.course.script import Script, read_script
from tito.errors import BadSource, GateFailed, UsageError
from tito.plan.directives import without_private

DIRECTIVE = "#| export"


def export(course: Course, assignment: Assignment) -> Path:
    """Write the package file of a module from its script; return its path.

    Raises:
        UsageError: the assignment has no script, or names no file to be exported to.
        BadSource: an exported cell that cannot stand in a package.
    """
    path, text = exported(course, assignment)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def require_exported(course: Course, assignment: Assignment) -> Path:
    """The package file of a module, which is as its script says.

    Raises:
        GateFailed: it is not, or there is none.
        UsageError, BadSource: see `export`.
    """
    path, text = exported(course, assignment)
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        raise GateFailed(
            f"{path} is not what {assignment.script} says.", hint=f"Run 'tito export {assignment.number}'."
        )
    return path


def exported(course: Course, assignment: Assignment) -> tuple[Path, str]:
    """Where a module is exported to, and the text that belongs there."""
    if assignment.script is None or course.reference is None:
        raise UsageError(
            f"{assignment.id} has no script, so there is nothing to export.",
            hint="Only modules are exported.",
        )
    script = read_script(assignment.script)
    if not script.info.export:
        raise UsageError(
            f"{assignment.script}: the header names no module.export.",
            hint="Add it, e.g. export: core.tensor.",
        )
    target = course.reference.joinpath(*script.info.export.split(".")).with_suffix(".py")
    return target, _text(script, course.package)


def _text(script: Script, package: str) -> str:
    cells = [cell for cell in script.notebook.cells if cell.cell_type == "code" and cell.source.startswith(DIRECTIVE)]
    if not cells:
        raise BadSource(
            f"{script.path}: no cell begins with '{DIRECTIVE}'.",
            hint="Mark the cells that belong in the package.",
        )
    depth = script.info.export.count(".") + 1
    bodies = [_relative(_stripped(cell.source), package, depth, script.path) for cell in cells]
    head = f'''# module: {script.info.number:02d}_{script.info.name}
"""{script.info.title}: {script.info.summary}

Exported from source/{script.path.name}; change that, then run `tito export {script.info.number}`.
"""
'''
    return head + "\n" + "\n\n\n".join(body.strip("\n") for body in bodies) + "\n"


def _stripped(source: str) -> str:
    return without_private(SOLUTION_MARKERS.sub("", source.removeprefix(DIRECTIVE).lstrip("\n") + "\n"))


def _relative(source: str, package: str, depth: int, path: Path) -> str:
    """Imports from the course's own package made relative, so that it can be staged under any name."""
    lines = source.split("\n")
    for node in ast.walk(parsed(source)):
        if isinstance(node, ast.Import) and any(alias.name.split(".")[0] == package for alias in node.names):
            raise BadSource(
                f"{path}: an exported cell says 'import {package}…'.",
                hint=f"Write 'from {package}.x import y' instead.",
            )
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == package and node.level == 0:
            inner = (node.module or "").removeprefix(package).lstrip(".")
            line = lines[node.lineno - 1]
            lines[node.lineno - 1] = line.replace(f"from {node.module} ", f"from {'.' * depth}{inner} ", 1)
    return "\n".join(lines)
