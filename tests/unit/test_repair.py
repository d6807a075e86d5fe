"""Submitted notebooks, made fit to be graded: every kind of damage, and whatever else may come."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tito.course.cells import Cell, as_node, grade_id_of, kind_of, read_cells
from tito.course.python_source import SourceReader
from tito.course.submission_files import Unreadable
from tito.models import CellKind
from tito.repair import repair as repairing
from tito.repair.attachments import Album
from tito.repair.repair import MAX_CELLS, read_submission


@dataclass
class Written:
    """A repaired notebook's cells as they are written, and notes."""

    cells: list[Any]
    notes: list[str]


def cleaned(node: dict[str, Any]) -> Cell:
    """A cell as it is read from a file."""
    return repairing._clean(json.loads(json.dumps(node)), Album(), SourceReader())


def repair(cells: Sequence[Any], source: Sequence[Any]) -> Written:
    """Submitted cells, repaired; those of the notebook format are read as from a file."""
    submitted = [cell if isinstance(cell, Cell) else cleaned(cell) for cell in cells]
    repaired = repairing.repair(submitted, read_cells(source))
    return Written([as_node(cell) for cell in repaired.cells], repaired.notes)


def code(source: str, cell_id: str, tags: tuple[str, ...] = (), **nbgrader: Any) -> Any:
    metadata: dict[str, Any] = {"tags": list(tags)} if tags else {}
    if nbgrader:
        metadata["nbgrader"] = {"grade": False, "locked": False, "solution": False, "task": False} | nbgrader
    return nbformat.v4.new_code_cell(source, id=cell_id, metadata=metadata)


def text(source: str, cell_id: str, **nbgrader: Any) -> Any:
    cell = code(source, cell_id, **nbgrader)
    return nbformat.v4.new_markdown_cell(source, id=cell_id, metadata=cell.metadata)


SOURCE = (
    text("# Title", "top-1"),
    code("import numpy as np", "setup", grade_id="setup", locked=True),
    code("warm = 1", "setup-1", tags=("warmup",)),
    code("def f(x):\n    pass", "f", grade_id="f", solution=True),
    code("assert f(1) == 2", "test_f", grade_id="test_f", grade=True, locked=True, points=2),
    code("def g(x):\n    pass", "g", grade_id="g", solution=True),
    code("assert g(1) == 3", "test_g", grade_id="test_g", grade=True, locked=True, points=3),
    text("Explain.", "task_e", grade_id="task_e", locked=True, task=True, points=1),
    text("Your answer", "essay", grade_id="essay", grade=True, solution=True, points=1),
)
OURS = [grade_id_of(cell) for cell in SOURCE if kind_of(cell) in (CellKind.LOCKED, CellKind.TEST, CellKind.TASK)]


def submitted() -> list[Any]:
    """A student's honest notebook, as it is in its file."""
    cells = copy.deepcopy(list(SOURCE))
    cells[3].source, cells[5].source, cells[8].source = "def f(x):\n    return 2", "def g(x):\n    return 3", "Because."
    return cells


def sources(repaired: Written) -> dict[str, str]:
    return {grade_id_of(cell): cell.source for cell in repaired.cells if grade_id_of(cell)}


def assert_ours_are_whole(repaired: Written) -> None:
    """What holds whatever was submitted: our cells as released, once, in order; and one place for each of theirs."""
    cells = repaired.cells
    expected = [grade_id_of(cell) for cell in SOURCE if grade_id_of(cell)]
    assert [grade_id_of(cell) for cell in cells if grade_id_of(cell)] == expected
    by_id = {grade_id_of(cell): cell for cell in SOURCE}
    for cell in cells:
        original = by_id.get(grade_id_of(cell))
        if grade_id_of(cell) in OURS:
            assert cell.source == original.source
        if grade_id_of(cell):
            assert (cell.cell_type, cell.metadata.nbgrader) == (original.cell_type, original.metadata.nbgrader)
    assert len({cell.id for cell in cells}) == len(cells)
    for cell in cells:
        assert cell.cell_type != "code" or (cell.outputs, cell.execution_count) == ([], None)
    nbformat.validate(nbformat.v4.new_notebook(cells=cells))


def test_an_honest_notebook_comes_out_as_it_is_and_without_a_note() -> None:
    repaired = repair(submitted(), SOURCE)
    assert_ours_are_whole(repaired)
    assert [cell.source for cell in repaired.cells] == [cell.source for cell in submitted()]
    assert repaired.notes == []


def test_outputs_counts_tags_and_foreign_metadata_are_dropped_but_the_releases_own_tags_stay() -> None:
    cell = json.loads(json.dumps(SOURCE[4]))
    cell["metadata"]["tags"] = ["skip-execution", "raises-exception"]
    cell["metadata"]["jupyter"] = {"source_hidden": True}
    cell["outputs"], cell["execution_count"] = [nbformat.v4.new_output("stream", text="passed")], 3
    cells = submitted()
    cells[4] = cell
    repaired = repair(cells, SOURCE)
    assert_ours_are_whole(repaired)
    assert [cell.metadata.get("tags") for cell in repaired.cells if cell.metadata.get("tags")] == [["warmup"]]
    assert all("jupyter" not in cell.metadata for cell in repaired.cells)


@pytest.mark.parametrize("name", OURS)
def test_a_deleted_cell_of_ours_is_put_back_and_noted(name: str) -> None:
    repaired = repair([cell for cell in submitted() if grade_id_of(cell) != name], SOURCE)
    assert_ours_are_whole(repaired)
    assert any(name in note and "put back" in note for note in repaired.notes)


def test_a_deleted_solution_leaves_an_empty_cell_in_its_place() -> None:
    repaired = repair([cell for cell in submitted() if grade_id_of(cell) != "f"], SOURCE)
    assert_ours_are_whole(repaired)
    assert sources(repaired)["f"] == ""
    assert any("'" not in note and "f: deleted" in note for note in repaired.notes)


@pytest.mark.parametrize("name", OURS)
def test_an_edited_cell_of_ours_is_restored(name: str) -> None:
    cells = submitted()
    for cell in cells:
        if grade_id_of(cell) == name:
            cell.source = "pass  # edited"
    repaired = repair(cells, SOURCE)
    assert_ours_are_whole(repaired)


@pytest.mark.parametrize("name", [*OURS, "f", "essay"])
def test_a_duplicated_cell_counts_once(name: str) -> None:
    cells = submitted()
    at = next(at for at, cell in enumerate(cells) if grade_id_of(cell) == name)
    cells.insert(at + 1, copy.deepcopy(cells[at]))
    repaired = repair(cells, SOURCE)
    assert_ours_are_whole(repaired)
    if name in OURS:
        assert sum(cell.source == cells[at].source for cell in repaired.cells) == 1
        assert any(name in note for note in repaired.notes)


def test_a_split_solution_is_run_in_its_parts_and_their_order() -> None:
    cells = submitted()
    first, second = copy.deepcopy(cells[3]), copy.deepcopy(cells[3])
    first.source, second.source = "def f(x):", "    return 2"
    cells[3:4] = [first, second]
    repaired = repair(cells, SOURCE)
    assert_ours_are_whole(repaired)
    at = next(at for at, cell in enumerate(repaired.cells) if grade_id_of(cell) == "f")
    assert [cell.source for cell in repaired.cells[at : at + 2]] == ["def f(x):", "    return 2"]
    assert any("split or duplicated" in note for note in repaired.notes)


def test_a_split_answer_is_joined_for_the_person_who_reads_it() -> None:
    cells = submitted()
    cells.append(copy.deepcopy(cells[8]))
    cells[-1].source = "And more."
    assert sources(repair(cells, SOURCE))["essay"] == "Because.\n\nAnd more."


@pytest.mark.parametrize("kind", ["markdown", "raw"])
def test_a_retyped_cell_gets_its_type_back(kind: str) -> None:
    cells = submitted()
    for cell in cells:
        cell.cell_type = kind
    repaired = repair(cells, SOURCE)
    assert_ours_are_whole(repaired)
    assert sources(repaired)["f"] == "def f(x):\n    return 2"
    assert any("f: its cell type was changed" in note for note in repaired.notes)


def test_reordered_cells_go_back_to_the_released_order_and_it_is_noted() -> None:
    repaired = repair(submitted()[::-1], SOURCE)
    assert_ours_are_whole(repaired)
    assert sources(repaired)["g"] == "def g(x):\n    return 3"
    assert any("re-ordered" in note for note in repaired.notes)


def test_changed_points_and_grade_flags_are_those_of_the_release_again() -> None:
    cells = submitted()
    for cell in cells:
        if "nbgrader" in cell.metadata:
            cell.metadata["nbgrader"] |= {"points": 1000, "locked": False, "grade": True, "solution": True}
    assert_ours_are_whole(repair(cells, SOURCE))


@pytest.mark.parametrize(
    "strange", [None, 7, "text", [], {"grade_id": ["test_f"]}, {"grade_id": None, "points": "all"}]
)
def test_nbgrader_metadata_of_any_type_are_survived(strange: Any) -> None:
    cells = json.loads(json.dumps(list(SOURCE)))
    for cell in cells:
        cell["metadata"]["nbgrader"] = strange
    assert_ours_are_whole(repair(cells, SOURCE))


def test_cells_that_lost_their_metadata_are_known_by_their_ids() -> None:
    cells = submitted()
    for cell in cells:
        cell.metadata = nbformat.NotebookNode()
    repaired = repair(cells, SOURCE)
    assert_ours_are_whole(repaired)
    assert sources(repaired)["g"] == "def g(x):\n    return 3"


def test_cells_that_lost_metadata_and_ids_are_known_by_what_they_say_or_define() -> None:
    cells = submitted()
    for cell in cells:
        cell.metadata, cell.id = nbformat.NotebookNode(), ""
    repaired = repair(cells, SOURCE)
    assert_ours_are_whole(repaired)
    assert sources(repaired)["f"] == "def f(x):\n    return 2"
    assert [cell.source for cell in repaired.cells].count("assert f(1) == 2") == 1


def test_a_solution_is_known_without_the_helpers_of_the_reference() -> None:
    helper = "### BEGIN SOLUTION\ndef helper(x):\n    return 2\n### END SOLUTION\ndef f(x):\n    return helper(x)"
    source = (code(helper, "f", grade_id="f", solution=True),)
    repaired = repair([cleaned({"cell_type": "code", "source": "def f(x):\n    return 2"})], source)
    assert (sources(repaired)["f"], repaired.notes) == ("def f(x):\n    return 2", [])


@pytest.mark.parametrize(
    ("work", "note"), [("def f(x):\n    return 2", "is written in another cell"), ("y = 1", "deleted")]
)
def test_a_solution_that_is_gone_is_said_to_be_in_another_cell_where_it_is(work: str, note: str) -> None:
    cells = [cell for cell in submitted() if grade_id_of(cell) != "f"]
    cells[1].source += f"\n\n{work}"
    repaired = repair(cells, SOURCE)
    assert_ours_are_whole(repaired)
    assert any(line.startswith(f"f: {note}") for line in repaired.notes)
    assert work in [cell.source for cell in repaired.cells]


def test_an_answer_and_the_students_own_texts_keep_their_pictures() -> None:
    picture = {"image.png": {"image/png": "iVBORw0KGgo="}}
    cells = submitted()
    for cell in cells:
        if cell.cell_type == "markdown":
            cell["attachments"] = picture
            cell.source += "\n![](attachment:image.png)"
    cells.append(cleaned({"cell_type": "markdown", "source": "![](attachment:image.png)", "attachments": picture}))
    repaired = repair(cells, SOURCE)
    assert_ours_are_whole(repaired)
    shown = [cell.source.split("\n")[0] for cell in repaired.cells if cell.get("attachments") == picture]
    assert shown == ["# Title", "![](attachment:image.png)", "Because.", "![](attachment:image.png)"]
    assert "attachments" not in next(cell for cell in repaired.cells if grade_id_of(cell) == "task_e")


def test_a_picture_that_was_lost_on_the_way_is_noted() -> None:
    cells = submitted()
    cells[0].source += "\n![a](attachment:a.png) ![b](attachment:b.svg)"
    assert repair(cells, SOURCE).notes == [
        "2 pasted pictures are missing: kept are PNG, JPEG and GIF, up to 8 MiB in all"
    ]


def test_own_cells_stay_after_the_cell_that_they_followed() -> None:
    cells = submitted()
    cells.insert(4, cleaned({"cell_type": "code", "source": "helper = 1"}))
    cells.insert(0, cleaned({"cell_type": "code", "source": "first = 1"}))
    repaired = repair(cells, SOURCE)
    assert_ours_are_whole(repaired)
    order = [cell.source for cell in repaired.cells]
    assert order[0] == "first = 1"
    assert order.index("helper = 1") == order.index("def f(x):\n    return 2") + 1


@pytest.mark.parametrize("claimed", ["test_z", "top", "x" * 5000, ""])
def test_an_own_cell_that_claims_a_grade_id_becomes_an_ordinary_cell(claimed: str) -> None:
    cells = submitted()
    mine = {"grade_id": claimed, "grade": True, "points": 99, "locked": True}
    cells.append(cleaned({"cell_type": "code", "source": "pass", "metadata": {"nbgrader": mine}}))
    repaired = repair(cells, SOURCE)
    assert_ours_are_whole(repaired)
    assert repaired.cells[-1].metadata == {}


def test_an_own_cell_that_claims_a_tests_id_does_not_take_its_place() -> None:
    cells = [cell for cell in submitted() if grade_id_of(cell) != "test_f"]
    cells.insert(0, cleaned({"id": "test_f", "cell_type": "code", "source": "print('mine')"}))
    repaired = repair(cells, SOURCE)
    assert_ours_are_whole(repaired)


def test_own_cells_with_equal_ids_or_ids_of_ours_get_ids_of_their_own() -> None:
    cells = submitted()
    cells += [
        cleaned({"id": name, "cell_type": "code", "source": str(n)}) for n, name in enumerate(["a", "a", "own-1", "f"])
    ]
    assert_ours_are_whole(repair(cells, SOURCE))


def test_the_submission_and_the_source_are_left_as_they_were() -> None:
    cells, source = submitted(), copy.deepcopy(SOURCE)
    before = copy.deepcopy(cells)
    repaired = repair(cells, source)
    for cell in repaired.cells:
        cell.source = "changed"
        cell.metadata["x"] = 1
        if "nbgrader" in cell.metadata:
            cell.metadata["nbgrader"]["points"] = 0
    assert cells == before
    assert source == SOURCE


def test_an_empty_submission_gives_the_whole_release_without_anybodys_work() -> None:
    repaired = repair([], SOURCE)
    assert_ours_are_whole(repaired)
    assert {name: source for name, source in sources(repaired).items() if name not in OURS} == {
        "f": "", "g": "", "essay": "",
    }  # fmt: skip


HONEST_MISTAKES = {
    "the same argument twice": "def f(a, a):\n    return a",
    "a long sum": "x = " + "+".join(["1"] * 20_000),
    "deeply nested": "x = " + "-" * 50_000 + "1",
    "nul and surrogates": "x = '\x00\udc80'",
}


@pytest.mark.parametrize("source", HONEST_MISTAKES.values(), ids=HONEST_MISTAKES)
def test_no_students_cell_stops_the_repair(source: str) -> None:
    cells = [cleaned({"cell_type": "code", "source": source})]
    repaired = repair(cells, SOURCE)
    assert_ours_are_whole(repaired)
    assert cells[0].source in [cell.source for cell in repaired.cells]


# ---- whatever is submitted -------------------------------------------------------------------


JSONISH = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
NAME = st.sampled_from(["setup", "f", "test_f", "g", "test_g", "task_e", "essay", "stranger", "own-1", ""])
SOURCES = st.sampled_from([cell.source for cell in SOURCE] + ["def f(y): return 4", "x = (", "%magic", "\x00"])
NBGRADER = st.fixed_dictionaries({}, optional={"grade_id": NAME, "grade": st.booleans(), "points": JSONISH})
CELL = st.fixed_dictionaries(
    {},
    optional={
        "id": NAME | JSONISH,
        "cell_type": st.sampled_from(["code", "markdown", "raw", "heading"]) | JSONISH,
        "source": SOURCES | st.lists(SOURCES, max_size=2) | JSONISH,
        "metadata": st.fixed_dictionaries({}, optional={"nbgrader": NBGRADER | JSONISH, "tags": JSONISH}) | JSONISH,
        "outputs": JSONISH,
    },
)


@given(st.lists(CELL, max_size=8))
def test_whatever_is_submitted_our_cells_come_out_whole_and_no_work_is_lost(cells: list[dict[str, Any]]) -> None:
    clean = [repairing._clean(cell, Album(), SourceReader()) for cell in cells]
    repaired = repair(clean, SOURCE)
    assert_ours_are_whole(repaired)
    text = "\n".join(cell.source for cell in repaired.cells)
    for cell in clean:
        if cell.grade_id in ("f", "g", "essay"):
            assert cell.source in text


@given(st.permutations(range(len(SOURCE))), st.sets(st.integers(0, len(SOURCE) - 1)), st.data())
def test_any_shuffle_deletion_and_duplication_keeps_the_students_text(
    order: list[int], dropped: set[int], data: st.DataObject
) -> None:
    honest = submitted()
    cells = [copy.deepcopy(honest[at]) for at in order if at not in dropped]
    if cells:
        cells.append(copy.deepcopy(data.draw(st.sampled_from(cells))))
    repaired = repair(cells, SOURCE)
    assert_ours_are_whole(repaired)
    texts = sources(repaired)
    for at in (3, 5, 8):
        wanted = "" if at in dropped else honest[at].source
        assert texts[grade_id_of(SOURCE[at])].split("\n\n")[0] == wanted


# ---- files -----------------------------------------------------------------------------------


def write(path: Path, content: Any) -> Path:
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(json.dumps(content), encoding="utf-8")
    return path


UNREADABLE = {
    "empty": b"",
    "no JSON": b"print(1)",
    "half a notebook": b'{"cells": [{"cell_type": "code"',
    "no UTF-8": b'{"cells": ["\xff\xfe"]}',
    "a list": [],
    "no cells": {"nbformat": 4},
    "cells that are no list": {"cells": {"a": 1}},
    "an enormous number": b'{"cells": ' + b"9" * 10_000 + b"}",
    "brackets without end": b"[" * 200_000,
    "deep cells": b'{"cells": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "old and broken": {"nbformat": 3, "worksheets": [{"cells": "none"}]},
    "old and odd": {"nbformat": 3, "worksheets": [7]},
}


@pytest.mark.parametrize("content", UNREADABLE.values(), ids=UNREADABLE)
def test_what_is_no_notebook_is_unreadable_and_says_its_name(content: Any, tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=r"work\.ipynb"):
        read_submission(write(tmp_path / "work.ipynb", content), 1)


def test_a_missing_file_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="there is no"):
        read_submission(tmp_path / "work.ipynb", 1)


def test_a_directory_a_fifo_and_links_are_not_followed(tmp_path: Path) -> None:
    real = write(tmp_path / "real.ipynb", {"cells": []})
    (tmp_path / "folder.ipynb").mkdir()
    os.mkfifo(tmp_path / "fifo.ipynb")
    (tmp_path / "link.ipynb").symlink_to(real)
    (tmp_path / "loop.ipynb").symlink_to(tmp_path / "loop.ipynb")
    (tmp_path / "zero.ipynb").symlink_to("/dev/zero")
    for name in ("folder", "fifo", "link", "loop", "zero"):
        with pytest.raises(Unreadable, match=name):
            read_submission(tmp_path / f"{name}.ipynb", 1)


def test_a_file_above_the_limit_is_unreadable_without_being_read(tmp_path: Path) -> None:
    path = tmp_path / "work.ipynb"
    with path.open("wb") as file:
        file.truncate(1 << 40)  # sparse
    with pytest.raises(Unreadable, match="1 MiB is the most"):
        read_submission(path, 1)


def test_more_cells_than_are_graded_are_unreadable(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=str(MAX_CELLS)):
        read_submission(write(tmp_path / "work.ipynb", {"cells": [{}] * (MAX_CELLS + 1)}), 1)


def test_odd_cells_are_read_as_what_they_can_be(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "code", "source": ["a = 1\n", "b = 2", 7], "id": "x"},
        {"cell_type": "code", "source": "nul\x00byte"},
        {"cell_type": "python", "source": {"a": 1}, "id": 9, "metadata": []},
        "no cell",
        None,
        {},
    ]
    read = read_submission(write(tmp_path / "work.ipynb", {"cells": cells}), 1)
    assert [(cell.id, cell.cell_type, cell.source) for cell in read] == [
        ("x", "code", "a = 1\nb = 2"),
        ("", "code", "nulbyte"),
        ("", "raw", ""),
        ("", "raw", ""),
    ]
    assert all((cell.nbgrader, cell.attachments, cell.tags) == ({}, None, ()) for cell in read)


def test_a_byte_order_mark_is_no_matter(tmp_path: Path) -> None:
    assert read_submission(write(tmp_path / "work.ipynb", b'\xef\xbb\xbf{"cells": []}'), 1) == []


def test_a_notebook_of_format_3_is_read_with_its_metadata(tmp_path: Path) -> None:
    cells = [{"cell_type": "code", "input": "x = 1", "outputs": [], "language": "python", "metadata": {
        "nbgrader": {"grade_id": "f"}}}]  # fmt: skip
    old = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {"name": ""},
        "worksheets": [{"cells": cells, "metadata": {}}],
    }
    read = read_submission(write(tmp_path / "work.ipynb", old), 1)
    assert [(cell.source, cell.grade_id) for cell in read] == [("x = 1", "f")]
