"""Simulated students: what their files may say, and the notebooks that they submit."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from tiny import VARIANTS, released_notebook, script

from tito.author.variants import read_variant, read_variants, submission
from tito.course.cells import grade_id_of
from tito.course.course import Assignment, Course
from tito.course.script import read_script
from tito.errors import BadSource

GOOD = VARIANTS["triples"]


def variant(folder: Path, text: str) -> Path:
    path = folder / "one.py"
    path.write_text(text)
    return path


def test_a_variant_says_what_it_is_and_holds_its_cells(tmp_path: Path) -> None:
    parsed = read_variant(variant(tmp_path, GOOD))
    assert (parsed.name, parsed.title, parsed.kind, parsed.base) == ("one", "Triples instead", "wrong", "reference")
    assert (parsed.lost, parsed.all_lost) == (frozenset({"test_double"}), False)
    assert parsed.cells == {"double": "def double(values):\n    return 3 * values"}


def test_all_may_be_lost(tmp_path: Path) -> None:
    assert read_variant(variant(tmp_path, GOOD.replace("[test_double]", "all"))).all_lost


@pytest.mark.parametrize(
    "change",
    [("# ---\n# title", "# title"), ("kind: wrong", "kind: naughty"), ("base: reference", "base: nothing"),
     ("lost: [test_double]", "lost: some"), ("# lost: [test_double]\n", ""), ("kind: wrong", "kind: [wrong"),
     ("kind: wrong", "kind: [wrong]"), ("# base: ", "# bases: "), ("lost: [test_double]", "lost: [[test_double]]")],
)  # fmt: skip
def test_a_header_that_says_anything_else_is_refused_by_its_path(change: tuple[str, str], tmp_path: Path) -> None:
    with pytest.raises(BadSource, match=r"one\.py"):
        read_variant(variant(tmp_path, GOOD.replace(*change)))


def test_a_module_without_variants_has_none(course: Course) -> None:
    course.step("source", "09_other.py").write_text(script())
    assert read_variants(course, course.assignment("9")) == []
    assert [parsed.name for parsed in read_variants(course, course.assignment("7"))] == ["correct_sum", "triples"]


def sources(notebook: nbformat.NotebookNode) -> dict[str, str]:
    return {grade_id_of(cell): cell.source for cell in notebook.cells if grade_id_of(cell)}


@pytest.mark.parametrize(("base", "halved"), [("reference", True), ("stub", False)])
def test_a_variant_starts_from_the_reference_or_the_stub(
    base: str, halved: bool, released: Course, module: Assignment, tmp_path: Path
) -> None:
    parsed = read_variant(variant(tmp_path, GOOD.replace("base: reference", f"base: {base}")))
    assert module.script is not None
    source, release = read_script(module.script).notebook, released_notebook(released)
    cells = sources(submission(parsed, source, release))
    assert cells["double"] == "def double(values):\n    return 3 * values"
    assert ("half_of_the_value" in cells["halve"]) is halved
    assert {k: v for k, v in cells.items() if k not in ("double", "halve")} == {
        k: v for k, v in sources(release).items() if k not in ("double", "halve")
    }


@pytest.mark.parametrize("name", ["tripel", "test_double", "setup"])
def test_a_cell_that_students_do_not_write_cannot_be_replaced(
    name: str, released: Course, module: Assignment, tmp_path: Path
) -> None:
    parsed = read_variant(variant(tmp_path, GOOD.replace("# %% double", f"# %% {name}")))
    assert module.script is not None
    with pytest.raises(BadSource, match=f"'{name}'"):
        submission(parsed, read_script(module.script).notebook, released_notebook(released))


def test_a_lost_cell_that_is_not_there_is_refused(released: Course, module: Assignment, tmp_path: Path) -> None:
    parsed = read_variant(variant(tmp_path, GOOD.replace("[test_double]", "[test_duble]")))
    assert module.script is not None
    with pytest.raises(BadSource, match="'test_duble'"):
        submission(parsed, read_script(module.script).notebook, released_notebook(released))
