"""What of a test is given to the judge: only what comes out the same there, whatever a clock, a seed or a file says."""

from __future__ import annotations

import ast

import nbformat
import pytest

from tito.course.cells import Cell, read_cell
from tito.models import JudgePlan, Section
from tito.plan.ambient import AMBIENT, Surroundings
from tito.plan.names import NotebookNames, notebook_names
from tito.plan.test_cell import plan_judge

IMPORTS = (
    "import numpy as np", "import numpy.linalg", "import random", "import time", "from time import perf_counter",
    "from datetime import datetime, timedelta", "import math", "import itertools", "import os", "import sys",
    "import gc", "import tracemalloc", "import threading", "import resource", "import json", "import decimal",
    "from pathlib import Path", "import pandas as pd", "from numpy.random import rand, default_rng, RandomState",
    "from numpy import random as nr", "from mini.layers import Linear", "import scipy.stats as stats",
    "import operator", "from random import Random",
)  # fmt: skip
NAMES = NotebookNames(students={"solve"})
for text in IMPORTS:
    statement = ast.parse(text).body[0]
    for alias in statement.names:  # type: ignore[attr-defined]
        NAMES.imports[alias.asname or alias.name.split(".")[0]] = text


def plan(*observe: str, judge: str = "assert y") -> JudgePlan:
    return plan_judge(Section("\n".join(observe), judge, False), NAMES, "test_f")


AMBIENT_VALUES = (
    "time.time()", "time.perf_counter() - 1", "perf_counter()", "datetime.now()", "datetime.today()",
    "datetime(2020, 1, 1).now()", "datetime.fromtimestamp(0)", "datetime(2020, 1, 1).timestamp()",
    "np.datetime64('now')", "np.array(['today'], 'datetime64[D]')", "np.random.rand(3)", "nr.rand(3)", "rand(3)",
    "random.random()", "np.random.default_rng()", "default_rng(None)", "np.random.default_rng(seed=None)",
    "np.random.default_rng(*[])", "RandomState()", "Random()", "random.SystemRandom(3)", "np.random.get_state()",
    "np.random.RandomState(3).seed()", "np.random.SeedSequence().entropy", "os.urandom(4)", "hash('a')",
    "np.random", "np.random.rand", "np.random.default_rng", "[f() for f in [np.random.rand]]",
    "list(map(rand, [3]))", "getattr(np, 'random').rand()", "getattr(np.random, 'rand')(3)",
    "np.__dict__['random'].rand()", "operator.attrgetter('random')(np)", "np.linalg.linalg.empty(3)",
    "operator.sys.path", "json.decoder.scanner", "np.core.multiarray.empty(3)", "stats.norm.rvs(3)", "Linear(3, 4)",
    "np.empty(3)", "np.empty_like([1.0])", "np.ndarray((3,))", "np.divide(1.0, [2.0, 0.0], where=[True, False])",
    "id(3)", "tracemalloc.get_traced_memory()", "gc.get_count()", "sys.getsizeof([])", "sys", "os.getcwd()",
    "os.environ", "resource.getrusage(0)", "threading.active_count()", "open('x').read()", "np.load('x.npy')",
    "np.loadtxt('x')", "np.fromfile('x')", "np.genfromtxt('x')", "np.memmap('x')", "pd.read_csv('x')",
    "pd.DataFrame()", "Path('x').read_text()", "json.load(3)", "np.zeros(3).ctypes.data", "np.zeros(3).tofile('x')",
    "np.get_printoptions()", "np.geterr()", "decimal.getcontext().prec", "input()", "globals()", "locals()",
    "vars()", "dir()", "__name__", "__import__('time').time()", "eval('1')", "exec('1')",
    "compile('1', '', 'eval')", "().__class__.__mro__", "print.__self__", "getattr(3, 'a' + 'b', 1)",
    "list(map(getattr, [3], ['real']))", "lambda: time.time()", "[time.time() for _ in range(2)]",
    "(time.time() for _ in range(2))", "{1: perf_counter()}",
)  # fmt: skip


@pytest.mark.parametrize("value", AMBIENT_VALUES)
def test_what_reads_the_surroundings_is_observed(value: str) -> None:
    assert plan(f"y = {value}") == JudgePlan("", "", ("y",))


DETERMINISTIC_VALUES = (
    "np.linspace(-3, 5, 257)", "np.random.default_rng(1602).normal(size=3)", "default_rng(seed=7).random()",
    "RandomState(3).rand(2)", "Random(4).random()", "np.random.Generator(np.random.PCG64(3)).random()",
    "np.pi.real", "np.linalg.norm([1, 2])", "np.lib.stride_tricks.sliding_window_view(np.arange(4), 2)",
    "np.sum([1, 2], where=[True, False])", "np.dtype('f4')",
    "np.divide(1.0, [2.0, 0.0], where=[True, False], out=np.zeros(2))", "math.sqrt(2)", "json.loads('[1]')",
    "decimal.Decimal('1.5')", "np.testing.assert_equal(1, 1) or 1", "list(itertools.product([1], [2]))",
    "datetime(2020, 1, 1) + timedelta(days=1)", "getattr(3, 'real')", "type(3).__name__",
    "[time for time in range(3)]", "(lambda open: open + 1)(2)", "sorted({'b', 'a'})", "np.fft.fft([1, 2])",
    "isinstance(3, np.ndarray)",
)  # fmt: skip


@pytest.mark.parametrize("value", DETERMINISTIC_VALUES)
def test_what_comes_out_the_same_everywhere_is_given(value: str) -> None:
    judge_plan = plan(f"y = {value}")
    assert judge_plan.observed == ()
    namespace: dict[str, object] = {}
    exec(f"{judge_plan.imports}\n{judge_plan.given}", namespace)
    assert "y" in namespace


@pytest.mark.parametrize(
    "lines",
    [
        ("import time", "y = time.time()"),
        ("import time as t", "y = t.time()"),
        ("from time import perf_counter as tick", "y = tick()"),
        ("import numpy", "y = numpy.random.rand()"),
        ("from os import *", "y = getcwd()"),
        ("rng = np.random", "y = rng.rand()"),
        ("draw = np.random.rand", "y = draw()"),
        ("def draw():\n    return np.random.rand()", "y = draw()"),
        ("def draw():\n    import time\n    return time.time()", "y = draw()"),
        ("def draw():\n    from numpy.random import rand as r\n    return r()", "y = draw()"),
        ("def draw(clock=time.time):\n    return clock()", "y = draw()"),
        ("class Clock:\n    at = time.time()", "y = Clock.at"),
        ("class Clock:\n    def at(self):\n        return time.time()", "y = Clock().at()"),
        ("draws = (np.random.rand() for _ in range(3))", "y = list(draws)"),
        ("with open('x') as file:\n    y = file.read()",),
        ("try:\n    import cupy as xp\nexcept ImportError:\n    xp = None", "y = xp"),
        ("np.random.seed(None)", "y = np.random.rand()"),
        ("np.random.seed()", "y = np.random.rand()"),
        ("if True:\n    np.random.seed(3)", "y = np.random.rand()"),
        ("random.seed(3)", "y = np.random.rand()"),
        ("np.random.seed(3)", "y = random.random()"),
        ("np.random.seed(3)", "draw = lambda: np.random.rand()", "y = draw()"),
        ("np.random.seed(3)", "draw = np.random.rand", "y = draw()"),
        ("np.random.seed(3)", "solve(1)", "y = np.random.rand()"),
        ("np.random.seed(3)", "for one in [solve]:\n    one(1)", "y = np.random.rand()"),
        ("np.random.seed(3)", "state = np.random.get_state()", "y = np.random.rand()"),
        ("np.random.seed(3)", "layer = Linear(3, 4)", "y = np.random.rand()"),
        ("np.random.seed(3)", "seen = []", "seen.append(solve(1))", "y = np.random.rand()"),
        ("np.random.seed(solve(3))", "y = np.random.rand()"),
    ],
    ids=lambda lines: "; ".join(lines),
)
def test_no_detour_makes_it_given(lines: tuple[str, ...]) -> None:
    assert "y" in plan(*lines).observed


def test_a_draw_from_what_the_section_has_seeded_is_given_until_student_code_runs() -> None:
    judge_plan = plan(
        "np.random.seed(3)",
        "x = np.random.rand(4)",
        "y = solve(x.copy())",
        "z = np.random.rand(4)",
        judge="assert [x, y, z]",
    )
    assert judge_plan.given == "np.random.seed(3)\nx = np.random.rand(4)"
    assert judge_plan.observed == ("y", "z")
    again = plan(
        "np.random.seed(3)", "y = solve(1)", "np.random.seed(4)", "z = np.random.rand(4)", judge="assert [y, z]"
    )
    assert (again.given, again.observed) == ("np.random.seed(4)\nz = np.random.rand(4)", ("y",))


def test_a_draw_that_nobody_reads_is_kept_because_it_advances_global_state() -> None:
    lines = (
        "np.random.seed(3)",
        "skipped = np.random.rand()",
        "random.seed(1)",
        "x = np.random.rand()",
        "late = np.random.rand()",
    )
    assert plan(*lines, judge="assert x").given == "\n".join((lines[0], lines[1], lines[3]))


def test_a_judge_half_that_draws_finds_the_state_as_the_section_seeded_it() -> None:
    judge_plan = plan("np.random.seed(3)", "y = solve(1)", judge="assert y == np.random.rand()")
    assert judge_plan == JudgePlan("import numpy as np", "np.random.seed(3)", ("y",))


def test_reading_a_clock_touches_what_it_is_told() -> None:
    assert plan("x = [1]", "t = time.sleep(len(x))", "y = len(x)").observed == ("y",)


def test_a_name_of_the_tests_own_that_hides_a_builtin_or_a_module_is_its_own() -> None:
    assert plan("input = np.ones(3)", "time = [1]", "y = input * len(time)").observed == ()
    assert plan("list = [3, 1]", "r = solve(list)", "y = list[0]").observed == ("y",)
    assert (
        plan("input = [3, 1]", "x = input.pop()", "y = len(input)").given
        == "input = [3, 1]\nx = input.pop()\ny = len(input)"
    )
    assert plan("max = solve", "y = max(1, 2)").observed == ("y",)


@pytest.mark.parametrize(
    "lines",
    [
        ("x = [1]", "held = {'x': x}", "r = solve(held)", "y = len(x)"),
        ("x = [1]", "held = {}", "held['x'] = x", "r = solve(held)", "y = len(x)"),
        ("x = [1]", "def look():\n    return x", "r = solve(look)", "y = len(x)"),
        ("x = [1]", "r = solve(lambda: x)", "y = len(x)"),
        ("x = [1]", "class Held:\n    inner = x", "r = solve(Held)", "y = len(x)"),
        ("x = [1]", "(held := [x])", "r = solve(held)", "y = len(x)"),
        ("x = [1]", "first, *rest = [x, 2]", "r = solve(first)", "y = len(x)"),
        ("x = [1]", "import functools", "bound = functools.partial(len, x)", "r = solve(bound)", "y = len(x)"),
    ],
    ids=lambda lines: "; ".join(lines),
)
def test_what_student_code_reaches_through_closures_and_containers_is_observed(lines: tuple[str, ...]) -> None:
    assert "y" in plan(*lines).observed


def code(source: str, **facts: bool) -> Cell:
    metadata = {
        "nbgrader": {"grade_id": "x", "grade": False, "locked": False, "schema_version": 3, "task": False} | facts
    }
    return read_cell(nbformat.v4.new_code_cell(source, metadata=metadata if facts else {}))


def test_an_import_that_a_student_cell_makes_something_else_of_is_not_given() -> None:
    setup, cell = code("import numpy as np\nfrom math import sqrt"), "import numpy as np\ndef sqrt(v):\n    return v"
    names = notebook_names([setup, code(cell, solution=True)])
    assert names.students == {"sqrt"}
    both = plan_judge(Section("x = sqrt(4.0)\ny = np.zeros(3)", "assert x and y", False), names)
    assert (both.given, both.observed) == ("y = np.zeros(3)", ("x",))
    assert notebook_names([setup, code("import cupy as np", solution=True)]).students == {"np"}


def test_what_is_ambient_is_told_by_one_name() -> None:
    statement = ast.parse("y = time.time() + x").body[0]
    assert Surroundings(NAMES).reads(statement).read == {"time", "x", AMBIENT}
    assert Surroundings(NAMES).reads(statement).own == {"x"}


@pytest.mark.parametrize(
    "lines",
    [
        ("y = []", "for n in (1, 2):", "    y.append(solve(n))"),
        ("y = {}", "y['first'] = solve(1)"),
        ("y = {1: []}", "y[1].append(solve(1))"),
        ("y = []", "solve(lambda value: y.append(value))"),
        ("y = []", "def keep(value):", "    y.append(value)", "solve(keep)"),
        ("y = []", "def keep(value):", "    y.append(value)", "held = {'keep': keep}", "solve(held)"),
        ("y = 0", "def keep():", "    global y", "    y += 1", "solve(keep)"),
        ("y = np.zeros(3)", "y[0] = solve(1)"),
        ("y = np.zeros(3)", "np.copyto(y, solve(1))"),
        ("y = np.zeros(3)", "np.add(1, solve(1), out=y)"),
        ("import heapq", "y = []", "heapq.heappush(y, solve(1))"),
        ("y = []", "list.append(y, solve(1))"),
        ("y = [1]", "x = y", "y.extend(solve(1))"),
        ("y = [1]", "x = y", "x.extend(solve(1))"),
        ("y = [1]", "x = [y]", "x[0].extend(solve(1))"),
        ("y = []", "try:", "    solve(1)", "except ValueError as error:", "    y.append(str(error))"),
    ],
    ids=lambda lines: "; ".join(lines),
)
def test_what_a_test_gathers_from_student_code_is_observed_and_not_as_empty_as_it_was(lines: tuple[str, ...]) -> None:
    assert plan(*lines).observed == ("y",)


def test_what_is_only_handed_to_student_code_stays_the_judges_own() -> None:
    judge_plan = plan("y = [3, 1]", "y.sort()", "r = solve(y)", "s = solve(y.copy())", judge="assert r == s == y")
    assert (judge_plan.given, judge_plan.observed) == ("y = [3, 1]\ny.sort()", ("r", "s"))
