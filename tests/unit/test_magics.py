"""Cells with magics: which names flow through them, told from their text."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from tito.course.cells import read_cells
from tito.course.python_source import Source
from tito.plan.magics import flow_with_magics, plain_python, readable
from tito.plan.names import notebook_names
from tito.plan.packages import WRITTEN
from tito.plan.planning import plan_notebooks
from tito.plan.remote import possible_plans
from tito.sandbox.spec import SandboxSpec


@pytest.mark.parametrize(
    ("source", "bound", "read"),
    [
        ("%%time\ny = f(x)", {"y"}, {"f", "x"}),
        ("%%timeit\ny = f(x)", set(), {"f", "x"}),
        ("%%capture out\ny = 1", {"y"}, {"out"}),
        ("%time y = g(1)\nz = 2", {"z"}, {"y", "g", "time"}),
        ("files = !ls {folder}\nn = len(files)", {"files", "n"}, {"folder", "len"}),
        ("if x:\n    !ls\nhelp?", set(), {"x"}),
        ("%%bash\necho $name", set(), {"name"}),
    ],
)
def test_names_flow_through_magics(source: str, bound: set[str], read: set[str]) -> None:
    flow = flow_with_magics(Source(source))
    assert flow is not None
    assert flow.bound == bound
    assert read <= flow.read


def test_a_percent_sign_is_no_magic() -> None:
    assert plain_python("x = 7 % 2\ny = '%d' % x") == "x = 7 % 2\ny = '%d' % x"
    assert flow_with_magics(Source("x = (")) is None


def test_the_instructors_cells_are_read_without_their_magics() -> None:
    setup = nbformat.v4.new_code_cell(
        "%matplotlib inline\nimport numpy as np\nfiles = !ls\nN = 3",
        metadata={"nbgrader": {"grade": False, "grade_id": "s", "locked": True, "solution": False, "task": False}},
    )
    test = nbformat.v4.new_code_cell(
        "%time f()",
        metadata={"nbgrader": {"grade": True, "grade_id": "t", "locked": True, "points": 1, "solution": False}},
    )
    cells = read_cells([setup, test, nbformat.v4.new_code_cell("%%bash\nls")])
    plain, same, _ = readable(cells)
    assert notebook_names([plain]).imports == {"np": "import numpy as np"}
    assert same is cells[1]
    (asks,) = read_cells([test | {"source": "assert files and N == np.e"}])
    plan = possible_plans([plain, asks], frozenset())["t"][0]
    assert plan.imports == (("np", "import numpy as np"),)
    assert plan.given == "N = 3", "what the shell gives is nobody's constant"


def test_a_notebook_with_magics_is_planned_and_what_it_imports_is_imported_ahead() -> None:
    setup = nbformat.v4.new_code_cell("%matplotlib inline\nimport json")
    plan = plan_notebooks(
        "a", {"n": [setup, nbformat.v4.new_code_cell("%%html\n<p>")]}, SandboxSpec((), ("ipython", "numpy")), Path()
    )
    assert plan.spec.warm == ("import json",)
    assert "json" in plan.handed_in.imported


@pytest.mark.parametrize(
    ("magic", "modules"),
    [
        ("%%writefile tools.py\nx = 1", ["tools"]),
        ("%%writefile -a lib/tools.py\nx", ["tools"]),
        ("%%time\ntools.py", []),
    ],
)
def test_a_module_that_a_cell_writes_is_nobody_elses(magic: str, modules: list[str]) -> None:
    assert WRITTEN.findall(magic) == modules
