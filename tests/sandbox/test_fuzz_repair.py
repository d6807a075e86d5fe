"""Repair, given arbitrary files: it gives cells that can be graded, or says that there is no notebook, and soon.

It is tried by itself, where whatever it raises is seen, and in a judge's process, where it runs: what would take a
parser long is given up on there.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import time
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import nbformat
import pytest
from cases_support import ASSIGNMENT, CASES, TEST_WORDS
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tito.course.cells import Cell, as_node
from tito.course.course import load_course
from tito.course.submission_files import Unreadable
from tito.judge.judge import Judge, judging
from tito.models import CellKind
from tito.plan.plan import AssignmentPlan, NotebookPlan
from tito.plan.planning import plan_assignment
from tito.plan.test_cell import visible_source
from tito.repair.repair import read_submission, repair
from tito.sandbox.bubblewrap import Bubblewrap

LIMIT_MB = 4
DEADLINE_S = 15  # on a machine that is busy
# No shrinking: on code that hangs, each step of it would hang too.
QUICK = settings(
    phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


# ---- what is tried -----------------------------------------------------------------------------------


def cells_of(path: Path, source: tuple[Cell, ...]) -> list[Cell] | None:
    """The cells to be graded of a submitted file; None where it is no notebook."""
    try:
        submitted = read_submission(path, LIMIT_MB)
    except Unreadable as error:
        assert str(error)
        return None
    return repair(submitted, source).cells


def holds(data: bytes, path: Path, source: tuple[Cell, ...]) -> None:
    """What `fault_of` says is nothing, and it says that in time. In a process of its own, which may hang or crash."""
    path.write_bytes(data)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writing, (fault_of(path, source) or "nothing").encode(errors="replace")[:4000])
        except BaseException:  # noqa: BLE001  (this process's edge: whatever it is, it is told)
            os.write(writing, traceback.format_exc()[-4000:].encode(errors="replace"))
        finally:
            os._exit(0)
    os.close(writing)
    try:
        in_time, *_ = select.select([reading], [], [], DEADLINE_S)
        assert in_time, f"not done after {DEADLINE_S} s"
        assert os.read(reading, 4000).decode() == "nothing"
    finally:
        os.close(reading)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def fault_of(path: Path, source: tuple[Cell, ...]) -> str:
    """What is wrong with the cells that a file is repaired to."""
    try:
        submitted = read_submission(path, LIMIT_MB)
    except Unreadable as error:
        assert str(error)
        return ""
    before = [cell.source for cell in submitted]
    cells = repair(submitted, source).cells
    assert before == [cell.source for cell in submitted], "what was handed in was changed"
    return fault_in(cells, source) or lost(submitted, cells, source)


def lost(submitted: Sequence[Cell], cells: Sequence[Cell], source: tuple[Cell, ...]) -> str:
    """A line that a student wrote in a cell that is no test, and that stands nowhere in what is graded."""
    tests = {name for cell in source if cell.is_test for name in (cell.id, cell.grade_id)}
    graded = " ".join(word for cell in cells for word in cell.source.split())
    for cell in submitted:
        if tests.isdisjoint((cell.id, cell.grade_id)):
            for line in cell.source.splitlines():
                if " ".join(line.split()) not in graded:
                    return f"lost of {cell.grade_id!r}: {line[:200]!r}"
    return ""


def fault_in(cells: Sequence[Cell], source: tuple[Cell, ...]) -> str:
    """The instructor's cells stand in their order, tests as they were written; all of it can be written."""
    named = [cell.grade_id for cell in source if cell.grade_id]
    tests = [(cell.grade_id, cell.source) for cell in source if cell.is_test]
    nbformat.writes(nbformat.v4.new_notebook(cells=[as_node(cell) for cell in cells])).encode()
    right = {
        "order": named == [cell.grade_id for cell in cells if cell.grade_id],
        "graded": [cell.grade_id for cell in source if cell.is_graded]
        == [cell.grade_id for cell in cells if cell.is_graded],
        "tests": tests == [(cell.grade_id, cell.source) for cell in cells if cell.is_test],
        "ids": len({cell.id for cell in cells}) == len(cells),
        "sources": all(isinstance(cell.source, str) for cell in cells),
        "types": all(cell.cell_type in ("code", "markdown", "raw") for cell in cells),
    }
    return ", ".join(name for name, is_right in right.items() if not is_right)


def is_read(data: bytes, judge: Judge, plan: NotebookPlan) -> bool:
    """Whether a judge's process makes cells of a file, rather than say that it is none; both within its time."""
    name = f"{plan.name}.ipynb"
    started = time.monotonic()
    read = judge.read({name: plan}, {name: data})[name]
    assert time.monotonic() - started < DEADLINE_S
    if isinstance(read, Unreadable):
        assert str(read)
        return False
    assert fault_in(read.cells, plan.cells) == ""
    return True


@pytest.fixture(scope="module")
def assignment(tmp_path_factory: pytest.TempPathFactory) -> AssignmentPlan:
    """A module of the cases."""
    root = tmp_path_factory.mktemp("repair") / "course"
    shutil.copytree(CASES / "assignment", root)
    course = load_course(root.resolve())
    return plan_assignment(course, course.assignment(ASSIGNMENT))


@pytest.fixture(scope="module")
def plan(assignment: AssignmentPlan) -> NotebookPlan:
    return assignment.notebooks[0]


@pytest.fixture(scope="module")
def source(plan: NotebookPlan) -> tuple[Cell, ...]:
    """The instructor's cells."""
    return plan.cells


@pytest.fixture(scope="module")
def judge(assignment: AssignmentPlan) -> Iterator[Judge]:
    with judging(Bubblewrap(), assignment) as judge:
        yield judge


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("submitted") / "sums.ipynb"


# ---- what is handed in -------------------------------------------------------------------------------

TEXTS = st.text(max_size=12) | st.sampled_from(
    ("", "\ud800", "\x00", "a" * 5000, "\u2028", "0", "nan", "../..", "é\r\n")
)
NUMBERS = st.sampled_from((0, 1, -1, 4, 5, 2**63, 10**400, 1e308, float("nan"), float("inf"), 0.5)) | st.integers()
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS.map(str), inner, max_size=4),
    max_leaves=8,
)
GRADE_IDS = st.sampled_from(
    ("setup", "total", "test_total", "shares", "test_shares", "running", "test_largest", "task_why", "", "other")
)
SOLUTION = "def total(values):\n    return float(sum(values))"
PIECES = st.sampled_from((
    "def total(values):\n", "    return float(sum(values))\n", "class Total:\n", "%%timeit\n", "!ls\n", "x = [\n",
    "]\n", "(" * 300, "    " * 60 + "pass\n", "f'{a!r:{b}}'\n", "f'{f\"{x}\"}'\n", "\x0c", "\t", "\\\n", "'''",
    "\ufeff",     "lambda: " * 300, "not " * 2000, "await x\n", "### BEGIN HIDDEN TESTS\n", "### END HIDDEN TESTS\n",
    "=== BEGIN MARK SCHEME ===\n", "del total\n", "0x" + "f" * 9000, "9" * 6000, "@d\n" * 500, "for x in y:\n" * 3,
    "if a: b = 1\n" + "elif a: b = 1\n" * 400, "match x:\n", "x: y = 1\n", "global total\n", "nonlocal total\n",
    "*a, b = c\n", "a := 1\n", "(a := 1)\n", "return\n", "from __future__ import x\n", "-" * 9000 + "1",
))  # fmt: skip
SETUP = "import numpy as np\n\nfrom mini.base import as_floats"
TASK = "**Question (2 points).** Why does the order of a sum of floats matter?"
GIVEN = st.sampled_from(
    (SETUP, TASK, f"# mine\n{SETUP}  # mine\nx = np.ones(3)", f"%%time\n{SETUP}\n!ls", f"{TASK}\nSo.")
)
SOURCES = st.just(SOLUTION) | GIVEN | st.lists(PIECES, max_size=6).map("".join) | TEXTS
NBGRADER = st.fixed_dictionaries(
    {},
    optional={
        "grade_id": GRADE_IDS | JSON,
        "grade": st.booleans() | JSON,
        "solution": st.booleans() | JSON,
        "task": st.booleans() | JSON,
        "locked": st.booleans() | JSON,
        "points": NUMBERS | JSON,
        "schema_version": st.integers(-1, 4) | JSON,
        "cell_type": st.sampled_from(("code", "markdown")) | JSON,
        "checksum": JSON,
    },
)
CELL = st.fixed_dictionaries(
    {},
    optional={
        "cell_type": st.sampled_from(("code", "markdown", "raw", "heading")) | JSON,
        "source": SOURCES | st.lists(SOURCES, max_size=3) | JSON,
        "input": SOURCES | JSON,
        "metadata": st.fixed_dictionaries({}, optional={"nbgrader": NBGRADER | JSON, "tags": JSON}) | JSON,
        "id": TEXTS | st.sampled_from(("setup", "total", "test_total", "total-1")) | JSON,
        "outputs": JSON,
        "execution_count": JSON,
        "attachments": JSON,
        "level": JSON,
    },
)
CELLS = st.lists(CELL | JSON, max_size=8) | JSON
NOTEBOOKS = st.fixed_dictionaries(
    {},
    optional={
        "cells": CELLS,
        "metadata": JSON,
        "nbformat": st.sampled_from((3, 4)) | JSON,
        "nbformat_minor": st.integers(0, 6) | JSON,
    },
)
OLD = st.fixed_dictionaries(
    {"worksheets": st.lists(st.fixed_dictionaries({}, optional={"cells": CELLS, "metadata": JSON}) | JSON, max_size=2)},
    optional={"metadata": JSON, "nbformat": st.just(3) | JSON, "nbformat_minor": JSON},
)


def notebook(*sources: str) -> dict[str, Any]:
    cells = [{"cell_type": "code", "metadata": {}, "source": source} for source in sources]
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


HOSTILE = {
    "many assignments": notebook("\n".join(f"name_{n} = {n}" for n in range(30_000))),
    "many cells": notebook(*["def total(values): pass"] * 2_000),
    "an f-string of many names": notebook('f"' + "".join(f"{{a{n}}}" for n in range(60_000)) + '"'),
    "a long list": notebook("x = [" + "1," * 300_000 + "]"),
    "decorators": notebook("@d\n" * 20_000 + "def total(values): pass"),
    "brackets": notebook("[" * 100_000),
    "a set-up cell of many lines": notebook("\n".join(f"name_{n} = {n}" for n in range(30_000))),
    "many set-up cells": notebook(*(f"name_{n} = {n}" for n in range(3_000))),
}
for name in ("a set-up cell of many lines", "many set-up cells"):
    for cell in HOSTILE[name]["cells"]:
        cell["metadata"] = {"nbgrader": {"grade_id": "setup"}}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_takes_a_parser_long_is_read_in_time(name: str, judge: Judge, plan: NotebookPlan) -> None:
    assert is_read(json.dumps(HOSTILE[name]).encode(), judge, plan)


@QUICK
@given(submitted=NOTEBOOKS | OLD | JSON)
def test_whatever_json_is_handed_in_is_read_in_a_judges_process(
    submitted: Any, judge: Judge, plan: NotebookPlan
) -> None:
    assert is_read(json.dumps(submitted).encode("utf-8", "surrogatepass"), judge, plan) in (True, False)


@QUICK
@given(submitted=NOTEBOOKS | OLD | JSON)
def test_whatever_json_is_handed_in_is_repaired_or_no_notebook(
    submitted: Any, path: Path, source: tuple[Cell, ...]
) -> None:
    holds(json.dumps(submitted).encode("utf-8", "surrogatepass"), path, source)


@QUICK
@given(raw=st.binary(max_size=200), at=st.floats(0, 1), cut=st.booleans())
def test_whatever_bytes_are_handed_in_are_repaired_or_no_notebook(
    raw: bytes, at: float, cut: bool, path: Path, source: tuple[Cell, ...]
) -> None:
    whole = json.dumps(notebook(SOLUTION, "print('x')")).encode()
    place = int(at * len(whole))
    holds(whole[:place] + raw + (b"" if cut else whole[place:]), path, source)


@QUICK
@given(
    depth=st.sampled_from((10, 900, 1100, 100_000)),
    brackets=st.sampled_from((("[", "]"), ('{"a":', "}"), ('{"cells":[', "]}"))),
    place=st.sampled_from(("cells", "metadata", "source", "nbgrader", "all")),
)
def test_whatever_depth_is_handed_in_is_repaired_or_no_notebook(
    depth: int, brackets: tuple[str, str], place: str, path: Path, source: tuple[Cell, ...]
) -> None:
    deep = brackets[0] * depth + "null" + brackets[1] * depth
    fields = {"cells": "[]", "metadata": "{}", "source": '""', "nbgrader": "{}"} | {place: deep}
    cell = '{{"cell_type": "code", "source": {source}, "metadata": {{"nbgrader": {nbgrader}}}}}'.format(**fields)
    cells = fields["cells"] if place == "cells" else f"[{cell}]"
    text = deep if place == "all" else f'{{"cells": {cells}, "metadata": {fields["metadata"]}, "nbformat": 4}}'
    holds(text.encode(), path, source)


def test_nothing_of_a_hidden_test_comes_of_what_is_handed_in(path: Path, source: tuple[Cell, ...]) -> None:
    """Hidden words stand in the instructor's cells and nowhere else, also where the student's cells claim theirs."""
    metadata = {"nbgrader": {"grade_id": "test_total", "grade": True, "solution": True, "locked": False}}
    cells = [{"cell_type": "code", "source": SOLUTION, "metadata": metadata}] * 3
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4}))
    result = cells_of(path, source)
    assert result is not None
    others = [cell.source for cell in result if cell.kind not in (CellKind.TEST, CellKind.TASK)]
    assert not any(word in text for word in TEST_WORDS for text in others)


@QUICK
@given(
    order=st.permutations(range(12)), pieces=st.lists(st.tuples(st.integers(0, 11), PIECES, st.booleans()), max_size=6)
)
def test_a_released_notebook_written_into_anywhere_loses_no_line(
    order: list[int], pieces: list[tuple[int, str, bool]], path: Path, source: tuple[Cell, ...]
) -> None:
    """Cells in any order, and lines put in front of what stands in them, or behind it."""
    cells = [
        {
            "cell_type": cell.cell_type,
            "id": cell.id,
            "metadata": as_node(cell).metadata,
            "source": visible_source(cell.source),
        }
        for cell in source
    ]
    for at, text, in_front in pieces:
        cell = cells[at % len(cells)]
        cell["source"] = f"{text}\n{cell['source']}" if in_front else f"{cell['source']}\n{text}"
    moved = [cells[at] for at in order if at < len(cells)] + cells[len(order) :]
    holds(json.dumps({"cells": moved, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode(), path, source)
