"""What a plan of an assignment says of it, made from source alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbgrader_cells import facts_of

from tito.models import Limits
from tito.plan.planning import plan_notebooks
from tito.sandbox.spec import SandboxSpec

SPEC = SandboxSpec(packages=("numpy",), limits=Limits())


def cell(source: str, grade_id: str = "", *, points: float = 1, kind: str = "test", **facts: Any) -> Any:
    """A cell of code with nbgrader's metadata, if it has a grade id."""
    node = nbformat.v4.new_code_cell(source, **facts)
    if grade_id:
        kinds = {"grade": kind == "test", "solution": kind == "solution", "locked": kind == "test"}
        node.metadata["nbgrader"] = facts_of(grade_id, points=points, **kinds)
    return node


def hash_of(assignment: str = "ps1", name: str = "sums", **facts: Any) -> str:
    test = cell("assert f(1) == 2", "test_f", **facts)
    return plan_notebooks(assignment, {name: [test]}, SPEC, Path("source")).tests_hash


@pytest.mark.parametrize(
    "changed", [{"assignment": "ps2"}, {"name": "products"}, {"points": 2}], ids=lambda changed: min(changed)
)
def test_records_of_what_has_the_same_tests_are_told_apart(changed: dict[str, Any]) -> None:
    """By this hash a worker that was kept is used again, and a record is taken for what is to be graded."""
    assert hash_of() == hash_of()
    assert hash_of() != hash_of(**changed)


def test_where_a_cell_stands_is_part_of_the_hash() -> None:
    first, second = cell("assert f(1) == 2", "a"), cell("assert f(2) == 3", "b")
    together = plan_notebooks("ps1", {"one": [first, second], "two": []}, SPEC, Path("source"))
    apart = plan_notebooks("ps1", {"one": [first], "two": [second]}, SPEC, Path("source"))
    assert together.tests_hash != apart.tests_hash


@pytest.mark.parametrize(
    "magic", ["%matplotlib inline", "!pip install seaborn", "%%time", "numpy?", "f(", "%%html\n<b>"]
)
def test_cells_with_magics_and_of_no_python_are_planned_and_what_they_import_is_known(magic: str) -> None:
    """What is imported there may be a module that students hand in."""
    cells = [cell(f"{magic}\nfrom helpers import area"), cell("assert f(1) == 2", "test_f")]
    plan = plan_notebooks("ps1", {"sums": cells}, SPEC, Path("source"))
    assert plan.handed_in.imported == (frozenset() if magic in ("f(", "%%html\n<b>") else {"helpers"})
