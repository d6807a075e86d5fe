"""Old and short nbgrader metadata of source notebooks: brought up to date as nbgrader does, or told by cell."""

from __future__ import annotations

import copy
import json
import warnings
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbgrader.nbgraderformat import MetadataValidator, SchemaTooNewError, ValidationError
from plain_course import notebook

from tito.course.nbgrader_metadata import metadata_problems, upgrade
from tito.course.source_notebook import read_source_notebook
from tito.errors import BadSource

TEXT = """\
# %% locked setup
import math
# %% solution area
def area(r):
    ### BEGIN SOLUTION
    return math.pi * r ** 2
    ### END SOLUTION
# %% test test_area 2
assert area(0) == 0
# %% [markdown] answer why 1
# Why?
# %% [markdown] task essay 3
# Write.
# %%
print(area(1))
"""
OLD: dict[str, dict[str, Any]] = {
    "version 0, all there": {"schema_version": 0, "grade": True, "solution": False, "locked": True, "points": 2},
    "no version": {"grade": True, "solution": False, "locked": True, "points": 2},
    "points as text": {"grade": True, "points": "2.5"},
    "points of nothing": {"grade": True, "points": ""},
    "negative points": {"grade": True, "points": -3},
    "no points": {"grade": True, "solution": False, "locked": True},
    "no locked": {"schema_version": 0, "grade": True, "solution": False, "points": 1},
    "points on a solution": {"solution": True, "points": 1},
    "nothing set": {"grade": False, "solution": False, "locked": False},
    "version 1": {
        "schema_version": 1,
        "grade": True,
        "solution": False,
        "locked": True,
        "points": 2,
        "checksum": "a" * 32,
    },
    "version 2": {"schema_version": 2, "grade": True, "solution": False, "locked": True, "points": 2, "odd": 1},
    "version 3": {"schema_version": 3, "grade": True, "solution": False, "locked": True, "points": 2},
}


@pytest.mark.parametrize("meta", OLD.values(), ids=OLD)
def test_old_metadata_become_what_nbgrader_makes_of_them(meta: dict[str, Any]) -> None:
    cell = nbformat.v4.new_code_cell("x", metadata={"nbgrader": meta | {"grade_id": "it"}})
    ours = nbformat.v4.new_notebook(cells=[cell])
    theirs = copy.deepcopy(ours)
    MetadataValidator().upgrade_notebook_metadata(theirs)
    assert upgrade(ours) == (meta.get("schema_version") != 3)
    assert ours.cells[0].metadata == theirs.cells[0].metadata
    assert list(metadata_problems(ours)) == []
    MetadataValidator().validate_nb(ours)


def changed(name: str, **facts: Any) -> Any:
    """The notebook with a cell's metadata changed; None takes one out."""
    book = notebook(TEXT)
    for cell in book.cells:
        meta = cell.metadata.get("nbgrader", {})
        if meta.get("grade_id") == name:
            meta |= facts
            for fact in [fact for fact, value in facts.items() if value is None]:
                del meta[fact]
    return book


LACKING: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "points": ("test_area", {"points": None}, "it is graded and has no points", '"points": 1'),
    "points of a task": ("essay", {"points": None}, "it is graded and has no points", '"points": 1'),
    "locked of a test": ("test_area", {"locked": None}, "lack 'locked'", '"locked": true'),
    "locked of a solution": ("area", {"locked": None}, "lack 'locked'", '"locked": false'),
    "grade": ("area", {"grade": None}, "lack 'grade'", '"grade": false'),
    "points as text": ("test_area", {"points": "two"}, "points are 'two'", "Write a number"),
    "negative points": ("test_area", {"points": -1.0}, "points are -1.0", "Write a number"),
    "points that are true": ("test_area", {"points": True}, "points are True", "Write a number"),
    "version as text": ("test_area", {"schema_version": "3"}, "schema_version is '3'", '"schema_version": 3'),
    "a newer version": ("test_area", {"schema_version": 4}, "newer than nbgrader's 3", "newer nbgrader"),
    "a flag as text": ("area", {"solution": "yes"}, "'solution' is 'yes'", "true or false"),
    "an odd id": ("area", {"grade_id": "my area"}, "grade_id is 'my area'", "letters, digits"),
    "an empty id": ("area", {"grade_id": ""}, "grade_id is ''", "letters, digits"),
    "no id": ("area", {"grade_id": None}, "it has no grade_id", '"grade_id"'),
    "another's id": ("area", {"grade_id": "test_area"}, "2 cells have this grade id", "of its own"),
    "text that is a solution": ("why", {"grade": False, "points": None}, "it is text", "Manually graded answer"),
    "what nbgrader does not know": ("area", {"colour": "red"}, "hold 'colour'", "Take it out"),
}


@pytest.mark.parametrize(("cell", "facts", "problem", "hint"), LACKING.values(), ids=LACKING)
def test_what_is_missing_is_told_with_cell_and_what_to_add(
    cell: str, facts: dict[str, Any], problem: str, hint: str
) -> None:
    book = changed(cell, **facts)
    upgrade(book)
    (finding,) = metadata_problems(book)
    assert problem in finding.problem
    assert hint in finding.hint
    assert finding.cell in (cell, "test_area", "my area") or "(“def area(r):”)" in finding.cell


TAKEN = (
    "points of a task",
    "points that are true",
)  # by nbgrader's validator; the first it cannot release all the same


@pytest.mark.parametrize("name", [name for name in LACKING if name not in TAKEN])
def test_nbgrader_would_refuse_it(name: str) -> None:
    cell, facts, _, _ = LACKING[name]
    with pytest.raises((ValidationError, SchemaTooNewError, TypeError)):
        MetadataValidator().validate_nb(changed(cell, **facts))


def test_all_problems_of_all_cells_are_told_together() -> None:
    book = changed("test_area", points=None, locked=None)
    book.cells[1].metadata.nbgrader["solution"] = 1
    book.cells[3].metadata["nbgrader"] = "graded"
    cells = [problem.cell for problem in metadata_problems(book)]
    assert cells == ["area", "test_area", "test_area", "cell number 4 (“Why?”)"]


def test_cells_without_ids_get_the_same_each_time(tmp_path: Path) -> None:
    content = json.loads(nbformat.writes(notebook(TEXT)))
    del content["cells"][0]["id"]
    content["cells"][2]["id"] = content["cells"][1]["id"] = "cell-1"
    path = tmp_path / "area.ipynb"
    path.write_text(json.dumps(content))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        first, second = ([cell.id for cell in read_source_notebook(path).cells] for _ in range(2))
    assert first == second
    assert len(set(first)) == len(first)


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"nbformat": 4}', "no JSON", '{"nbformat": 4, "nbformat_minor": 5, "cells": 3}']
)
def test_what_is_no_notebook_is_told_by_its_path(text: str, tmp_path: Path) -> None:
    path = tmp_path / "area.ipynb"
    path.write_text(text)
    with pytest.raises(BadSource, match=r"area\.ipynb cannot be read as a notebook"):
        read_source_notebook(path)
