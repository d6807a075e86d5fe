"""Which names a cell reads and binds, and which warm-ups grading can leave out."""

from __future__ import annotations

from typing import Any

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tito.course.cells import Cell, read_cell
from tito.errors import BadSource
from tito.plan.names import flow_in, names_in, notebook_names
from tito.plan.plan import skipped


def cell(source: str, *, tags: tuple[str, ...] = (), **nbgrader: Any) -> Cell:
    metadata: dict[str, Any] = {"tags": list(tags)} if tags else {}
    if nbgrader:
        metadata["nbgrader"] = nbgrader
    return read_cell(nbformat.v4.new_code_cell(source, metadata=metadata))


def warmup(source: str) -> Cell:
    return cell(source, tags=("warmup",))


@pytest.mark.parametrize(
    ("source", "read", "bound"),
    [
        ("y = x + 1", {"x"}, {"y"}),
        ("x += 1", {"x"}, {"x"}),
        ("a, (b, *c) = t", {"t"}, {"a", "b", "c"}),
        ("import numpy.testing as nt, os.path", set(), {"nt", "os"}),
        ("def f(a, b=d): return a + g", {"d", "g"}, {"f"}),
        ("class K(Base):\n    size = width", {"Base", "width"}, {"K"}),
        ("z = [i * k for i in items if i]", {"items", "k"}, {"z"}),
        ("z = lambda v: v + w", {"w"}, {"z"}),
        ("for i in r: s = i", {"r", "i"}, {"i", "s"}),
        ("with open(p) as f: f.read()", {"open", "p", "f"}, {"f"}),
        ("if (n := size) > 2: pass", {"size"}, {"n"}),
        ("def f():\n    def g(): return deep\n    return g", {"deep"}, {"f"}),
    ],
)
def test_names_read_from_outside_and_bound_at_the_top(source: str, read: set[str], bound: set[str]) -> None:
    names = names_in(source)
    assert names.bound == bound
    assert names.read - names.bound == read - bound
    assert read <= names.read


def test_augmented_assignment_reads_what_it_changes() -> None:
    assert "total" in names_in("total += 1").read


def test_augmented_assignment_to_a_local_of_a_function_reads_nothing_outside() -> None:
    source = "def count(items):\n    n = 0\n    for one in items:\n        n += one\n    return n"
    assert "n" not in names_in(source).read


def test_a_walrus_in_a_comprehension_binds_its_name_outside() -> None:
    assert "last" in names_in("kept = [last := one for one in items]").bound


def test_a_name_that_is_set_before_it_is_read_is_not_read_from_other_cells() -> None:
    flow = flow_in("x = 1\ny = x + z")
    assert flow is not None
    assert flow.read == {"z"}
    assert flow.set == {"x", "y"}


def test_a_name_that_one_branch_sets_may_still_come_from_another_cell() -> None:
    flow = flow_in("if ready:\n    x = 1\nprint(x)")
    assert flow is not None
    assert "x" in flow.read
    assert "x" in flow.bound
    assert "x" not in flow.set


def test_loop_variables_and_caught_exceptions_are_set_inside_their_bodies() -> None:
    flow = flow_in("for i in items:\n    print(i)\ntry:\n    work()\nexcept OSError as error:\n    print(error)")
    assert flow is not None
    assert not {"i", "error"} & flow.read


def test_a_with_block_surely_sets_what_it_sets() -> None:
    flow = flow_in("with thing as handle:\n    x = handle.read()\nprint(x)")
    assert flow is not None
    assert flow.read == {"thing", "print"}


def test_a_cell_with_a_magic_is_no_plain_python() -> None:
    assert flow_in("%timeit 1 + 1") is None


HONEST_MISTAKES = {
    "the same argument twice": "def f(a, a):\n    return a",
    "nonlocal at the top": "nonlocal count",
    "global after use": "def f():\n    n = 1\n    global n",
    "a comprehension that rebinds its own variable": "[i := 0 for i in range(3)]",
    "star import in a function": "def f():\n    from math import *",
    "a long sum": "+".join(["1"] * 20_000),
    "deeply nested": "x = " + "-" * 50_000 + "1",
    "a lone surrogate": "x = '\udc80'",
}


@pytest.mark.parametrize("source", HONEST_MISTAKES.values(), ids=HONEST_MISTAKES)
def test_no_students_cell_stops_the_search_for_warm_ups(source: str) -> None:
    cells = [warmup("a = 1"), cell(source), cell("print(a)")]
    assert skipped(cells) == set()


@given(st.text(alphabet="abx=+-*()[]{}:'\"\\\n #%!@,.09λ\x00\udc80", max_size=40))
def test_no_text_at_all_stops_the_search_for_warm_ups(source: str) -> None:
    assert 0 in skipped([warmup("never_used = 1"), cell(source)])


# ---- warm-ups --------------------------------------------------------------------------------


def test_a_warm_up_that_nobody_needs_is_skipped_and_no_other_cell_ever_is() -> None:
    cells = [cell("a = 1"), warmup("print(a)"), cell("b = 2")]
    assert skipped(cells) == {1}


def test_a_warm_up_is_run_when_a_later_cell_reads_its_name() -> None:
    assert skipped([warmup("size = 3"), cell("print(size)")]) == set()


def test_a_warm_up_is_run_when_only_a_function_of_a_later_cell_reads_its_name() -> None:
    assert skipped([warmup("size = 3"), cell("def f():\n    return size")]) == set()


def test_a_warm_up_is_skipped_when_a_cell_between_sets_the_name_anew() -> None:
    assert skipped([warmup("size = 3"), cell("size = 4"), cell("print(size)")]) == {0}


def test_a_warm_up_is_kept_when_the_cell_between_sets_the_name_only_perhaps() -> None:
    assert skipped([warmup("size = 3"), cell("if late:\n    size = 4"), cell("print(size)")]) == set()


def test_a_warm_up_that_only_another_skipped_warm_up_needs_is_skipped() -> None:
    assert skipped([warmup("a = 1"), warmup("b = a"), cell("c = 2")]) == {0, 1}


def test_a_chain_of_warm_ups_that_a_test_needs_is_run_whole() -> None:
    assert skipped([warmup("a = 1"), warmup("b = a"), cell("print(b)")]) == set()


def test_a_repetition_that_validates_is_skipped_like_a_warm_up() -> None:
    assert skipped([cell("1", tags=("validate",))]) == {0}


# ---- a notebook's names ----------------------------------------------------------------------


def test_only_the_instructors_imports_count_and_students_names_are_known() -> None:
    cells = [
        cell("import numpy as np\nfrom os import path, sep as separator"),
        cell("import secrets\ndef answer(): pass\nsum = 3", solution=True, grade_id="s"),
    ]
    names = notebook_names(cells)
    assert set(names.imports) == {"np", "path", "separator"}
    assert names.imports["np"] == "import numpy as np"
    assert {"answer", "sum", "secrets"} <= names.students


def test_imports_inside_functions_give_no_name_to_the_notebook() -> None:
    assert notebook_names([cell("def f():\n    import math")]).imports == {}


@pytest.mark.parametrize("points", ["many", None, [1], {}, float("nan"), float("inf"), "1" * 5000])
def test_points_that_are_no_number_are_the_authors_error_and_not_zero(points: Any) -> None:
    with pytest.raises(BadSource, match="t: its points are no number"):
        cell("assert True", grade=True, grade_id="t", points=points)
