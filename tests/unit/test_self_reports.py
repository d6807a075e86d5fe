"""A student's word told from a test's source: what is a yes or no already, what would be run, and what decides what."""

from __future__ import annotations

import nbformat
import pytest

from tito.author.dataflow import Dependence
from tito.author.self_reports import yes_or_no_names
from tito.course.cells import read_cells
from tito.plan.evaluation import runs_values
from tito.plan.names import NotebookNames
from tito.plan.test_cell import plan_judge, sections

NAMES = NotebookNames({"np": "import numpy as np"}, {"solve"})


def flagged(*observe: str, judge: str = "assert y", cells: tuple[str, ...] = ()) -> list[str]:
    (section,) = sections("\n".join([*observe, "### JUDGE", judge]))
    return yes_or_no_names(section, plan_judge(section, NAMES), read_cells(map(nbformat.v4.new_code_cell, cells)))


@pytest.mark.parametrize(
    "value",
    [
        "solve(1) == 2", "solve(1) is None", "3 in solve(1)", "not solve(1)", "bool(solve(1))",
        "isinstance(solve(1), int)",
        "hasattr(solve(1), 'data')", "callable(solve)", "all(solve(1))", "any(n > 2 for n in solve(1))",
        "np.array_equal(solve(1), [1])", "np.allclose(solve(1), 1)", "np.isclose(solve(1), 1)", "(solve(1) == 1).all()",
        "solve(1).startswith('a')", "solve(1) is not None and solve(2)", "[solve(n) == n for n in (1, 2)]",
        "{n: solve(n) == n for n in (1, 2)}", "(solve(1), solve(2) > 1)", "[solve(1) == 1]", "{'same': solve(1) == 1}",
        "int(solve(1) == 1)", "float(np.mean(solve(1) == 1))", "sum(solve(n) == n for n in (1, 2))",
        "str(solve(1) == 1)",
        "f'{solve(1) == 1}'", "1 * (solve(1) == 1)", "~(solve(1) == 1)", "-(solve(1) == 1)",
        "True if solve(1) else False",
        "'yes' if solve(1) else 'no'", "['no', 'yes'][solve(1) == 1]", "(solve(1) == 1).tolist()",
        "(z := solve(1) == 1)",
    ],
)  # fmt: skip
def test_a_yes_or_no_that_the_observe_half_computes_is_named(value: str) -> None:
    assert flagged(f"y = {value}") == ["y"]


@pytest.mark.parametrize(
    "lines",
    [
        ("same = solve(1) == 1", "y = same"),
        ("y = []", "for n in (1, 2):", "    y.append(solve(n) == n)"),
        ("y = {}", "y['same'] = solve(1) == 1"),
        ("y = False", "try:", "    solve(1)", "except ValueError:", "    y = True"),
        ("def same(a, b):", "    return a == b", "y = same(solve(1), 1)"),
        ("same = lambda a: a == 1", "y = same(solve(1))"),
        ("def same(a):", "    found = a == 1", "    return found", "y = same(solve(1))"),
        ("x, y = solve(1), solve(2) == 2",),
        ("x, *y = solve(2) == 2, solve(1) == 1",),
        ("y = 0", "y += solve(1) == 1"),
        ("for y in [solve(1) == 1]:", "    pass"),
        ("if (y := solve(1) == 1):", "    pass"),
    ],
    ids=lambda lines: "; ".join(lines),
)
def test_it_is_named_by_whatever_way_it_comes(lines: tuple[str, ...]) -> None:
    assert flagged(*lines) == ["y"]


def test_functions_of_the_instructors_cells_are_looked_into() -> None:
    helper = "def is_same(a, b):\n    return abs(a - b) < 1e-9"
    assert flagged("y = is_same(solve(1), 1)", cells=(helper,)) == ["y"]
    assert flagged("y = is_same(solve(1), 1)", cells=("%time def is_same", "def is_same(a, b):\n    return a")) == []


@pytest.mark.parametrize(
    "value",
    [
        "solve(1)", "solve(1).data", "[solve(n) for n in (1, 2)]", "(solve(1), solve(2))", "solve(True)",
        "solve(n=True)",
        "sorted(solve(1), reverse=True)", "solve(1)[solve(2) > 1]", "[n for n in solve(1) if n > 2]",
        "type(solve(1)).__name__",
        "solve(1) if True else None", "solve(1) or 3", "solve(1 == 2)", "len(solve(1))", "solve(1).sum()", "-solve(1)",
        "solve(1).is_prime", "float(solve(1))", "{'a': solve(1)}",
    ],
)  # fmt: skip
def test_what_student_code_answers_is_an_observation(value: str) -> None:
    assert flagged(f"y = {value}") == []


def test_what_is_given_needs_no_word_and_what_is_reported_is_declared() -> None:
    assert flagged("same = 1 == 1", "y = solve(1)", judge="assert same and y") == []
    assert flagged("### REPORTED y: nobody else knows", "y = solve(1) == 1") == []
    assert flagged("unread = solve(1) == 1", "y = solve(2)") == []


# ---- what a judge would run ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "judge",
    [
        "assert eval(y) == 2", "exec(y)", "compile(y, '', 'exec')", "__import__(y)", "import pickle\npickle.loads(y)",
        "import os\nos.system(f'echo {y}')", "import subprocess\nsubprocess.run([y])",
        "import subprocess as s\neval(y.strip())",
        "def value(text):\n    return eval(text)\nassert value(y)", "for one in y:\n    assert eval(one)",
        "from pickle import loads\nloads(y)", "import importlib\nimportlib.import_module(y)", "import os\nos.remove(y)",
        "import joblib\njoblib.load(y)", "import numpy as np\nnp.load(y, allow_pickle=True)",
        "import pandas as pd\npd.read_pickle(y)", "import yaml\nyaml.unsafe_load(y)",
    ],
)  # fmt: skip
def test_a_judge_that_would_run_what_it_is_told_is_named(judge: str) -> None:
    assert runs_values(judge, frozenset(("given",)))


@pytest.mark.parametrize(
    "judge",
    ["assert y == eval('1 + 1')", "assert eval(given) == y", "import os\nassert os.path.join('a', y)", "y.eval(3)"],
)
def test_a_judge_that_runs_its_own_or_nothing_is_not(judge: str) -> None:
    assert runs_values(judge, frozenset(("given",))) == ""


@pytest.mark.parametrize(
    "test",
    [
        "import pickle\nassert pickle.load(open('m.pkl', 'rb'))", "import numpy as np\nnp.load('m', allow_pickle=True)",
        "with open('m.pkl', 'rb') as file:\n    pickle.load(file)", "exec(open('solution.py').read())",
        "import joblib\njoblib.load('m')", "import pandas as pd\npd.read_pickle('m')", "shelve.open('m')",
        "import runpy\nrunpy.run_path('m.py')", "import os\nos.execv(y, [])", "import os\nos.system(y)",
    ],
)  # fmt: skip
def test_a_test_that_would_run_what_is_in_a_students_file_is_named(test: str) -> None:
    assert runs_values(test, frozenset(), has_students_files=True)


@pytest.mark.parametrize(
    "test", ["import os\nos.remove(y)", "np.load('m.npy')", "json.load(open('m'))", "os.listdir(y)"]
)
def test_a_test_that_reads_and_changes_files_is_not(test: str) -> None:
    assert runs_values(test, frozenset(), has_students_files=True) == ""


# ---- what decides what ---------------------------------------------------------------------------


def test_values_are_followed_through_what_a_part_makes_of_them() -> None:
    flow = Dependence(["a", "b", "c"])
    names = flow.follow("first = a[0]\nrows = []\nfor n in b:\n    rows.append(n + first)\ntable = {}\ntable['c'] = c")
    assert names == {"a", "b", "c"}
    assert flow.reads("assert first") == {"a"}
    assert flow.reads("assert rows") == {"a", "b"}
    assert flow.reads("assert table") == {"c"}
    assert flow.reads("a = 1\nassert a") == frozenset()
    assert flow.reads("assert a") == {"a"}
    assert flow.reads("np.testing.assert_equal(a, 1)\nassert np.pi > 3") == {"a"}
    assert flow.reads("assert np.pi > 3") == frozenset()


def test_what_is_only_said_of_a_failure_decides_nothing() -> None:
    flow = Dependence(["a", "b"])
    assert flow.reads("assert a, f'got {b}'") == {"a"}
    assert flow.reads("np.testing.assert_equal(a, 1, err_msg=str(b))") == {"a"}
