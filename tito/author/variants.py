"""Simulated students: `variants/NN_name/*.py`, each a solution of its own and what must come of it.

A variant is a script of cells named by the grade id of the solution cell that they replace; its header says
what it starts from (`base: reference` or `stub`) and which graded cells must not earn their points (`lost`).
The gates, the demo and the tests all use the same ones.
"""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import yaml

from tito.course.cells import grade_id_of, kind_of
from tito.course.course import Assignment, Course
from tito.errors import BadSource
from tito.models import CellKind, Variant
from tito.plan.directives import without_private
from tito.validation import near

HEADER = re.compile(r"\A# ---\n(?P<yaml>(?:#.*\n)*?)# ---\n")
CELL = re.compile(r"^# %% (?P<id>[A-Za-z0-9_-]+)[ \t]*\n", re.MULTILINE)
SOLUTION_MARKERS = re.compile(r"^[ \t]*### (BEGIN|END) SOLUTION[ \t]*\n?", re.MULTILINE)
KINDS = ("correct", "wrong", "policy", "claim", "blank", "broken", "endless", "hostile")
FOR_GATES_ALONE = ("policy", "claim")  # kinds that show what a test holds to, and that no student of the demo plays
GENERATORS = "generators.py"  # beside them: inputs that equivalent mutants are compared by
FACTS = ("title", "kind", "base", "lost")
BASES = ("reference", "stub")


def read_variants(course: Course, assignment: Assignment) -> list[Variant]:
    """The variants of an assignment, by name; none where there is no such folder.

    Raises:
        BadSource: a variant that cannot be read.
    """
    paths = sorted(course.step("variants", assignment.id).glob("*.py"))
    return [read_variant(path) for path in paths if path.name != GENERATORS]


def read_variant(path: Path) -> Variant:
    """Read one variant.

    Raises:
        BadSource: its header is missing or says something that we do not know.
    """
    text = path.read_text(encoding="utf-8")
    match = HEADER.match(text)
    try:
        facts = yaml.safe_load("\n".join(line[2:] for line in match["yaml"].splitlines())) if match else None
    except yaml.YAMLError as error:
        raise BadSource(f"{path}: the header is no YAML: {error}.", hint="Mend it.") from error
    if not isinstance(facts, dict) or match is None:
        raise BadSource(f"{path}: no header.", hint="Begin it with a YAML block in comments between '# ---' lines.")
    for name in facts:
        if name not in FACTS:
            raise BadSource(f"{path}: the header knows no '{name}'.", hint=near(str(name), FACTS))
    kind, base, lost = facts.get("kind"), facts.get("base", "reference"), facts.get("lost")
    names = isinstance(lost, list) and all(isinstance(name, str) for name in lost)
    if kind not in KINDS or base not in BASES or not (lost == "all" or names):
        raise BadSource(
            f"{path}: the header needs `kind` (one of {', '.join(KINDS)}), `base` (one of {', '.join(BASES)})"
            " and `lost` (a list of grade ids, or all).",
            hint="Mend it.",
        )
    pieces = CELL.split(text[match.end() :])
    return Variant(
        name=path.stem,
        title=str(facts.get("title", path.stem)),
        kind=kind,
        base=base,
        lost=frozenset(lost) if isinstance(lost, list) else frozenset(),
        all_lost=lost == "all",
        cells=dict(zip(pieces[1::2], (piece.strip("\n") for piece in pieces[2::2]), strict=True)),
        path=path,
    )


def submission(variant: Variant, source: Any, released: Any) -> Any:
    """The notebook that this simulated student submits, made from the released one.

    Raises:
        BadSource: the variant replaces a cell that students do not write.
    """
    students = solutions(source)
    unknown = (set(variant.cells) | variant.lost) - {grade_id_of(cell) for cell in source.cells}
    unknown |= set(variant.cells) - set(students)
    if unknown:
        raise BadSource(
            f"{variant.path}: there is no cell '{min(unknown)}' that students write or that is graded.",
            hint=f"Students write: {', '.join(students)}.",
        )
    solved = students if variant.base == "reference" else {}
    return filled(released, solved | variant.cells)


def solutions(source: Any) -> dict[str, str]:
    """The reference solution by grade id, without the markers that only instructors have."""
    cells = (cell for cell in source.cells if _is_written(cell))
    return {grade_id_of(cell): without_private(SOLUTION_MARKERS.sub("", cell.source)) for cell in cells}


def _is_written(cell: Any) -> bool:
    """Whether students write code there: a person may grade it, and tests below may need it all the same."""
    kind = kind_of(cell)
    return kind is CellKind.SOLUTION or (kind is CellKind.ANSWER and cell.cell_type == "code")


def filled(released: Any, solutions: dict[str, str]) -> Any:
    """The released notebook with `solutions` (source by grade id) in its solution cells."""
    notebook = copy.deepcopy(released)
    for cell in notebook.cells:
        if _is_written(cell):
            cell.source = solutions.get(grade_id_of(cell), cell.source)
    return notebook
