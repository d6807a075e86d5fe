"""Tests without a judge line, as other people's courses have them: the judge runs them, asking the notebook's objects.

One small course, calibrated once on its reference. Honest work in other styles keeps every point; wrong work, and work
that lies to whoever asks it, does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from remote_bench import Bench, bench_of, notebook_of

from tito.course.cells import grade_id_of
from tito.grade.calibrate import in_process
from tito.grade.causes import HIDDEN_FAILED, HIDDEN_LIMIT
from tito.grade.in_process import IS_TOLD
from tito.grade.observe import observe
from tito.models import FORGEABLE, Evidence, Verdict
from tito.plan.plan import AssignmentPlan
from tito.sandbox.bubblewrap import Bubblewrap

SOLUTIONS = {
    "primes": """
def primes(n, start=2):
    return [k for k in range(start, n) if k > 1 and all(k % d for d in range(2, k))]
""",
    "order": """
def order(values, key=None):
    values.sort(key=key)
def double(array):
    array *= 2
""",
    "stack": """
class StackError(ValueError):
    pass
class Stack:
    def __init__(self, items=()):
        self.items = list(items)
    def push(self, item):
        self.items.append(item)
        return self
    def pop(self):
        if not self.items:
            raise StackError("empty", 0)
        return self.items.pop()
    def __len__(self):
        return len(self.items)
    def __eq__(self, other):
        return isinstance(other, Stack) and self.items == other.items
    def __iter__(self):
        return iter(self.items)
""",
    "streams": """
def evens(n):
    for k in range(0, n, 2):
        yield k
def adder(k):
    return lambda x: x + k
def apply(function, values):
    return [function(value) for value in values]
def slope(function, x, h=1e-5):
    return (function(x + h) - function(x - h)) / (2 * h)
""",
    "stats": """
def stats(array):
    return {"mean": array.mean(), "centred": array - array.mean(), "shape": array.shape}
def noise(n):
    return np.random.normal(size=n)
""",
    "state": """
limit = 12
calls = 0
def count():
    global calls
    calls += 1
def greet(name):
    print("hello", name)
""",
    "relies": """
def primes_below(n):
    return len(primes(n))
""",
    "source": """
def loopless(n):
    return sum(range(n))
""",
    "shell": """
def named():
    return "by the shell"
""",
    "files": """
def save(path, text):
    with open(path, "w") as file:
        file.write(text)
""",
    "given": """
def shifted(values):
    return [shift(value) for value in values]
""",
    "patched": """
import urllib.request
def fetch(name):
    with urllib.request.urlopen("http://here/" + name) as answer:
        return answer.read().decode()
""",
    "leaves_later": """
def smallest_first(values):
    return sorted(values)
""",
    "ordered": """
def same(value):
    return value
""",
    "later": """
def fixed():
    return 1
""",
    "leaves": """
def ordered(values):
    return sorted(values)
""",
    "refuses": """
def half(n):
    if n % 2:
        raise ValueError(n)
    return n // 2
""",
}

TESTS = {
    "primes": """
assert primes(10) == [2, 3, 5, 7]
assert primes(10, start=4) == [5, 7], "start leaves out what is below"
### BEGIN HIDDEN TESTS
for n in (0, 1, 2):
    assert primes(n) == []
assert primes(24)[-1] == 23 and len(primes(24)) == 9
assert 19 in primes(20) and 18 not in primes(20)
assert abs(sum(primes(30)) - 129) < 1e-9
assert set(primes(12)) == {2, 3, 5, 7, 11}
### END HIDDEN TESTS
""",
    "order": """
values = [3, 1, 2]
assert order(values) is None
assert values == [1, 2, 3]
order(values, key=lambda value: -value)
assert values == [3, 2, 1]
nested = np.arange(3.0)
double(nested)
np.testing.assert_allclose(nested, [0, 2, 4])
""",
    "stack": """
stack = Stack()
assert isinstance(stack, Stack) and not isinstance(stack, list) and type(stack).__name__ == "Stack"
assert len(stack.push(1).push(2)) == 2
assert stack == Stack([1, 2]) and stack != Stack([1])
assert [item for item in stack] == [1, 2]
assert stack.pop() == 2 and stack.items == [1]
### BEGIN HIDDEN TESTS
try:
    Stack().pop()
except StackError as error:
    assert error.args == ("empty", 0)
else:
    raise AssertionError("nothing was raised")
with np.testing.assert_raises(ValueError):
    Stack().pop()
assert issubclass(StackError, ValueError) and hasattr(stack, "pop") and not hasattr(stack, "peek")
### END HIDDEN TESTS
""",
    "streams": """
def again(stream):
    return [*stream, *stream]
from collections.abc import Iterator
assert isinstance(evens(5), Iterator)
assert again(evens(5)) == [0, 2, 4]
assert next(evens(5)) == 0 and list(zip(evens(3), "ab")) == [(0, "a"), (2, "b")]
assert adder(3)(4) == 7 and callable(adder(1))
assert apply(adder(1), range(3)) == [1, 2, 3] and apply(str.upper, "ab") == ["A", "B"]
### BEGIN HIDDEN TESTS
near(slope(np.sin, 0.0), 1.0)
near(slope(lambda x: x**3, 2.0, h=1e-4), 12.0)
seen = []
apply(seen.append, [1, 2])
assert seen == [1, 2]
### END HIDDEN TESTS
""",
    "stats": """
found = stats(DATA)
assert sorted(found) == ["centred", "mean", "shape"] and found["shape"] == (5,)
near(found["mean"], DATA.mean())
assert isinstance(found["mean"], np.float64) and found["centred"].dtype == np.float64
### BEGIN HIDDEN TESTS
np.testing.assert_allclose(found["centred"], DATA - 0.5)
assert np.allclose(stats(np.ones((2, 2)))["centred"], 0)
np.random.seed(7)
drawn = noise(3)
np.random.seed(7)
assert np.array_equal(drawn, np.random.normal(size=3)), "noise draws from numpy's generator"
### END HIDDEN TESTS
""",
    "state": """
assert limit == 12
calls = 0
count(); count()
assert calls == 2
import contextlib, io
with contextlib.redirect_stdout(io.StringIO()) as text:
    greet("you")
assert text.getvalue() == "hello you\\n"
""",
    "relies": """
assert primes_below(10) == 4
kept = primes
del primes
try:
    primes_below(5)
except NameError:
    pass
else:
    raise AssertionError("primes_below does not use primes")
finally:
    primes = kept
primes = lambda n: [1] * 77
assert primes_below(3) == 77
primes = kept
""",
    "source": """
import inspect
assert loopless(4) == 6
assert "for " not in inspect.getsource(loopless)
""",
    "shell": """
assert get_ipython().user_ns["named"]() == "by the shell"
""",
    "files": """
save("ada.txt", "text")
with open("ada.txt") as file:
    assert file.read() == "text"
### BEGIN HIDDEN TESTS
import os
from pathlib import Path
save("706173.txt", "more")
assert os.path.getsize("706173.txt") == 4 and Path("706173.txt").read_text() == "more"
### END HIDDEN TESTS
""",
    "given": """
assert shifted([1, 2]) == [shift(1), shift(2)] == [2, 3]
""",
    "patched": """
from unittest.mock import MagicMock, patch
answer = MagicMock()
answer.read.return_value = b"hello"
answer.__enter__.return_value = answer
with patch("urllib.request.urlopen", return_value=answer) as urlopen:
    assert fetch("ada") == "hello"
    assert urlopen.call_args[0][0] == "http://here/ada" and urlopen.call_count == 1
""",
    "leaves_later": """
np.random.seed(3)
assert smallest_first([2, 1]) == [1, 2]
### BEGIN HIDDEN TESTS
values = [3, 1]
assert smallest_first(values) == [1, 3]
assert values == [3, 1]
### END HIDDEN TESTS
""",
    "ordered": """
first = same(1)
assert first == 1
### BEGIN HIDDEN TESTS
hidden = same(706173)
assert hidden == 706173
### END HIDDEN TESTS
second = same(2)
assert second == 2
### BEGIN HIDDEN TESTS
assert same(3) == 3 and (first, hidden, second) == (1, 706173, 2)
### END HIDDEN TESTS
""",
    "later": """
assert fixed() == 1
""",
    "leaves": """
values = [3, 1, 2]
result = ordered(values)
assert result == [1, 2, 3]
assert values == [3, 1, 2], "ordered must leave its argument alone"
### BEGIN HIDDEN TESTS
many = [5, 4, 6]
assert ordered(many) == sorted(many)
### END HIDDEN TESTS
""",
    "refuses": """
assert half(4) == 2
### BEGIN HIDDEN TESTS
refused = False
try:
    half(3)
except:
    refused = True
assert refused
### END HIDDEN TESTS
""",
}

SETUP = """
import numpy as np
DATA = np.linspace(0.0, 1.0, 5)
def near(a, b):
    assert abs(a - b) < 1e-4, f'{a}, not {b}'
def shift(value):
    return value + 1
"""


NOTEBOOK = partial(notebook_of, SETUP, SOLUTIONS, TESTS)


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with bench_of(Bubblewrap(), NOTEBOOK) as bench:
        yield bench


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tito.sandbox.time_allowance.GRACE_S", 0.5)


def test_the_reference_tells_which_tests_the_judge_can_run(bench: Bench) -> None:
    plan = AssignmentPlan("one", (bench.plan,), bench.sandbox.spec, Path(), "", "")
    assert [test.grade_id for test in in_process(plan)] == ["test_shell"]
    assert "NameError: name 'get_ipython' is not defined" in bench.plan.tests["test_shell"].why_beside
    assert {test.why_beside for test in bench.plan.tests.values() if test.remote} == {""}
    assert {grade_id_of(cell) for cell in NOTEBOOK() if cell.metadata.nbgrader.grade} == set(bench.plan.tests)


def test_the_reference_earns_everything_and_only_what_needs_its_process_is_judged_there(bench: Bench) -> None:
    results = bench.grade()
    assert {name: result.verdict for name, result in results.items()} == dict.fromkeys(results, Verdict.PASSED)
    others = {name: result.evidence for name, result in results.items() if result.evidence is not Evidence.REMOTE}
    reported = {"test_source"}  # by a module of the notebook's, which a student could replace
    assert others == {"test_shell": Evidence.IN_PROCESS} | dict.fromkeys(reported, Evidence.REPORTED)
    why = {name: result.why_in_process for name, result in results.items() if result.why_in_process}
    assert why == {"test_shell": bench.plan.tests["test_shell"].why_beside} | dict.fromkeys(reported, IS_TOLD)


FORGED = {
    "a function's source": ("source", """
import inspect
def loopless(n):
    total = 0
    for k in range(n): total += k
    return total
inspect.getsource = lambda *_: ""
"""),
}  # fmt: skip


@pytest.mark.parametrize(("name", "source"), FORGED.values(), ids=FORGED)
def test_what_the_notebooks_own_modules_say_can_be_forged_and_is_counted_so(
    bench: Bench, name: str, source: str
) -> None:
    verdict = bench.grade(**{name: source})[f"test_{name}"]
    assert verdict.verdict is Verdict.PASSED  # though it does not do what its test asks for
    assert verdict.evidence in FORGEABLE


HONEST = {
    "a numpy array where a set is made of it": ("primes", """
def primes(n, start=2):
    kept = []
    k = start
    while k < n:
        if k > 1 and not [d for d in range(2, k) if k % d == 0]:
            kept += [k]
        k += 1
    return kept
"""),
    "slices instead of methods": ("order", """
def order(values, key=None):
    values[:] = sorted(values, key=key)
def double(array):
    array[...] = array + array
"""),
    "a stack that is a list": ("stack", """
class StackError(ValueError): pass
class Stack(list):
    def push(self, item):
        self.append(item)
        return self
    def pop(self):
        try:
            return super().pop()
        except IndexError:
            raise StackError("empty", 0) from None
    items = property(lambda self: list(self))
"""),
    "iterators and callables of its own": ("streams", """
import functools
class Evens:
    def __init__(self, n): self.n, self.at = n, -2
    def __iter__(self): return self
    def __next__(self):
        self.at += 2
        if self.at >= self.n: raise StopIteration
        return self.at
evens = Evens
class adder:
    def __init__(self, k): self.k = k
    def __call__(self, x): return x + self.k
def apply(function, values): return list(map(function, values))
def slope(function, x, h=1e-5): return (function(x + h) - function(x - h)) / h / 2
"""),
    "another kind of dict": ("stats", """
from collections import OrderedDict
def stats(array):
    found = OrderedDict(shape=np.shape(array), mean=np.float64(np.sum(array) / np.size(array)))
    found["centred"] = array - found["mean"]
    return found
noise = lambda n: np.array([np.random.normal() for _ in range(n)])
"""),
    "helpers and names of its own": ("state", """
import sys
limit = np.int64(12)
calls = -5
def bump(k): return k + 1
def count():
    global calls
    calls = bump(calls)
def greet(name): sys.stdout.write(f"hello {name}\\n")
"""),
}  # fmt: skip


@pytest.mark.parametrize(("name", "source"), HONEST.values(), ids=HONEST)
def test_honest_work_in_another_style_keeps_its_points(bench: Bench, name: str, source: str) -> None:
    verdict = bench.grade(**{name: source})[f"test_{name}"]
    evidence = Evidence.REPORTED if name == "source" else Evidence.REMOTE
    assert (verdict.verdict, verdict.evidence) == (Verdict.PASSED, evidence), verdict


AGREES = """
class Agrees:
    def __getattr__(self, name): return lambda *arguments, **keywords: self
    def __eq__(self, other): return True
    __ne__ = lambda self, other: False
    __lt__ = __le__ = __gt__ = __ge__ = __contains__ = __eq__
    __hash__ = lambda self: 0
    __sub__ = __rsub__ = __add__ = __radd__ = __abs__ = lambda self, *others: 0
    __len__ = lambda self: 9
    __getitem__ = lambda self, key: self
"""

WRONG = {
    "a list that is changed where the test looks only later": (
        "leaves_later", "def smallest_first(values):\n    values.sort()\n    return values[:]", "failed"),
    "a loop where none is to be": (
        "source", "def loopless(n):\n    total = 0\n    for k in range(n): total += k\n    return total", "failed"),
    "a file with other text": ("files", "def save(path, text):\n    open(path, 'w').write('text')", "failed"),
    "no file": ("files", "def save(path, text): pass", "error"),
    "another address": ("patched", """
import urllib.request
def fetch(name):
    with urllib.request.urlopen("http://there/" + name) as answer:
        return answer.read().decode()
""", "failed"),
    "a wrong value": ("primes", "def primes(n, start=2): return [k for k in range(start, n)]", "failed"),
    "an object that agrees to everything": ("primes", AGREES + "primes = lambda *a, **k: Agrees()", "failed"),
    "a list that agrees to everything": (
        "primes", AGREES.replace("class Agrees", "class Agrees(list)") + "primes = lambda *a, **k: Agrees()", "failed"),
    "numpy and builtins that agree": (
        "primes", "import builtins\nnp.allclose = np.testing.assert_allclose = lambda *a, **k: True\n"
                  "builtins.abs = lambda x: 0\nprimes = lambda n, start=2: []", "failed"),
    "arguments that are left as they were": (
        "order", "def order(values, key=None): pass\ndef double(array): pass", "failed"),
    "a class that raises something else": (
        "stack", SOLUTIONS["stack"].replace('raise StackError("empty", 0)', "raise KeyError(0)"), "error"),
    "a class that keeps nothing": ("stack", SOLUTIONS["stack"].replace("self.items.append(item)", "pass"), "failed"),
    "an object for a mean": (
        "stats", AGREES + "def stats(a): return {'mean': Agrees(), 'centred': Agrees(), 'shape': (5,)}", "error"),
    "a name that is not there": ("state", "limit = 13", "failed"),
    "a name that says that it equals": ("state", AGREES + "limit = Agrees()", "failed"),
    "a function that does not use the other": ("relies", "def primes_below(n): return 4", "failed"),
    "an endless loop": ("primes", "def primes(n, start=2):\n    while True: pass", "timeout"),
    "an endless iterator": ("streams", "import itertools\nevens = lambda n: itertools.count(0, 0)", "timeout"),
    "an exit": ("primes", "import os\ndef primes(n, start=2): os._exit(0)", "error"),
    "too much memory": ("primes", "def primes(n, start=2): return bytearray(8 << 30)", "memory"),
    "an array that points elsewhere": (
        "stats", "class A:\n    __array_interface__ = {'version': 3, 'shape': (5,), 'typestr': '<f8',\n"
                 "                           'data': (4096, False)}\n"
                 "def stats(a): return {'mean': A(), 'centred': A(), 'shape': (5,)}", "error"),
    "values without end": (
        "primes", "import time\nclass L(list):\n    def __iter__(self):\n        while True: yield time.sleep(0.01)\n"
                  "primes = lambda n, start=2: L([1] * 10)", "timeout"),
}  # fmt: skip


# Of these the test's visible part, which the notebook also runs for its outputs, ends the notebook itself.
ENDS_THE_NOTEBOOK = ("an endless iterator", "an exit", "an array that points elsewhere")


@pytest.mark.parametrize(("name", "source", "verdict"), WRONG.values(), ids=WRONG)
def test_wrong_work_and_work_that_lies_earn_nothing(
    bench: Bench, name: str, source: str, verdict: str, request: pytest.FixtureRequest
) -> None:
    results = bench.grade(**{name: source})
    assert results[f"test_{name}"].verdict.value == verdict, results[f"test_{name}"]
    assert results[f"test_{name}"].points == 0
    if request.node.callspec.id in ENDS_THE_NOTEBOOK:
        return
    others = set(results) - {f"test_{name}", "test_relies"}
    assert all(results[other].verdict is Verdict.PASSED for other in others), "another test lost its points"


REMEMBERS = """
import os
def kept():
    return open("/tmp/kept").read() if os.path.exists("/tmp/kept") else ""
"""
SAW = "706173"


def test_a_visible_section_after_a_hidden_one_has_not_seen_it(bench: Bench) -> None:
    """Neither in the same process, which the whole cell is then run in, nor by way of a file."""
    tells = """
seen = []
def same(value):
    seen.append(str(value))
    if value == 2 and len(seen) > 2:
        raise ValueError(" ".join(seen))
    return value
"""
    in_memory = bench.grade(ordered=tells)["test_ordered"]
    assert (in_memory.verdict, in_memory.message) == (Verdict.ERROR, HIDDEN_FAILED)
    assert SAW in in_memory.detail, "the attack did what it was to do"
    through_a_file = bench.grade(
        ordered=f"""{REMEMBERS}
def same(value):
    if value == 2 and kept():
        raise ValueError(kept())
    open("/tmp/kept", "a").write(f"{{value}} ")
    return value
"""
    )["test_ordered"]
    assert SAW not in through_a_file.message


def test_a_visible_test_is_run_before_any_hidden_one(bench: Bench) -> None:
    results = bench.grade(
        ordered=f"{REMEMBERS}\ndef same(value):\n    open('/tmp/kept', 'a').write(str(value))\n    return value",
        later=f"{REMEMBERS}\ndef fixed():\n    raise ValueError(kept() or 'nothing was kept')",
    )
    assert results["test_ordered"].verdict is Verdict.PASSED
    assert SAW not in results["test_later"].message
    assert results["test_later"].verdict is Verdict.ERROR


IN_A_COPY = "import os\nNOTEBOOK = os.getpid()\ndef same(value):\n    in_copy = os.getpid() != NOTEBOOK\n"
RAISING = {
    "in both": ("raise ValueError('in a copy' if in_copy else 'in the notebook')", "ValueError: in the notebook"),
    "in a copy alone": ("if in_copy: raise ValueError('in a copy')", HIDDEN_FAILED),
    "an error of another kind": (
        "raise AssertionError('in a copy') if in_copy else KeyError('in the notebook')",
        "KeyError: 'in the notebook'",
    ),
    "a kind of its own": ("raise type('E706173' if in_copy else 'E', (Exception,), {})(1)", "E: 1"),
    "a kind that is told of": (
        "raise type('E706173', (Exception,), {})(1) if in_copy else AssertionError('in the notebook')",
        "Error: in the notebook",
    ),
}


@pytest.mark.parametrize(("statement", "message"), RAISING.values(), ids=RAISING)
def test_what_a_visible_section_raises_is_told_as_the_notebook_has_shown_it(
    bench: Bench, statement: str, message: str
) -> None:
    """The copy that is asked has its turn after others that were told what is hidden: a clock may have told it that."""
    source = f"{IN_A_COPY}    if value == 2:\n        {statement}\n    return value"
    result = bench.grade(ordered=source)["test_ordered"]
    assert (result.points, result.message) == (0, message)


def test_a_name_that_student_code_binds_anew_stands_for_that_from_then_on(bench: Bench) -> None:
    bench.assert_loses(
        "ordered",
        "def same(value):\n    global same\n    def same(value):\n        return 4\n    return value",
    )
    right_again = "def same(value):\n    global same\n    same = lambda value: value\n    return value"
    assert bench.grade(ordered=right_again)["test_ordered"].verdict is Verdict.PASSED
    back = "def same(value):\n    global same\n    if value == 1: same = wrong\n    return value\nright = same\n"
    back += "def wrong(value):\n    global same\n    same = right\n    return 4"
    bench.assert_loses("ordered", back)


def test_the_hidden_sections_find_what_visible_ones_have_set(bench: Bench) -> None:
    wrong = bench.grade(ordered="def same(value):\n    return value if value != 3 else 4")["test_ordered"]
    assert (wrong.verdict, wrong.message) == (Verdict.FAILED, HIDDEN_FAILED)
    wrong = bench.grade(ordered="def same(value):\n    return value if value != 2 else 4")["test_ordered"]
    assert (wrong.verdict, wrong.message) == (Verdict.FAILED, "AssertionError")


SWALLOWED = {
    "an end": ("import os; os._exit(0)", Verdict.ERROR),
    "an endless loop": ("\n        while True: pass", Verdict.TIMEOUT),
    "an endless answer": (
        "\n        import time\n        class L(list):\n            def __iter__(self):\n"
        "                while True: yield time.sleep(0.01)\n        return L([1])",
        Verdict.TIMEOUT,
    ),
    "an answer that is none": (
        "\n        from tito.sandbox.inside import objects, wire\n"
        "        objects.Objects.refer = lambda self, value: wire.Known('os', 'system')\n        return object()",
        Verdict.FAILED,
    ),
}


@pytest.mark.parametrize(("statement", "verdict"), SWALLOWED.values(), ids=SWALLOWED)
def test_what_stops_a_test_is_not_an_exception_that_it_expects(bench: Bench, statement: str, verdict: Verdict) -> None:
    source = f"def half(n):\n    if n % 2: {statement}\n    return n // 2"
    result = bench.grade(refuses=source)["test_refuses"]
    assert (result.verdict, result.points) == (verdict, 0), result
    assert result.message in (HIDDEN_FAILED, HIDDEN_LIMIT)


IN_PLACE = "def ordered(values):\n    values.sort()\n    return values"


def test_who_changes_an_argument_that_is_to_be_left_alone_fails_as_in_one_process(bench: Bench) -> None:
    result = bench.grade(leaves=IN_PLACE)["test_leaves"]
    assert (result.verdict, result.message) == (Verdict.FAILED, "ordered must leave its argument alone")


def test_who_says_that_an_expected_value_has_changed_gains_nothing(bench: Bench) -> None:
    """What is expected is made of a list that the notebook was handed, and says to have emptied."""
    wrong = "def ordered(values):\n    if 6 not in values: return sorted(values)\n    values.clear()\n    return values"
    result = bench.grade(leaves=wrong)["test_leaves"]
    assert (result.verdict, result.points, result.message) == (Verdict.FAILED, 0, HIDDEN_FAILED)


def test_who_changes_an_argument_that_nobody_looks_at_again_passes(bench: Bench) -> None:
    source = (
        f"{IN_PLACE}\nin_place = ordered\ndef ordered(values):\n    values = values[:] if len(values) == 3 and 1 in "
    )
    source += "values else values\n    return in_place(values)"
    assert bench.grade(leaves=source)["test_leaves"].verdict is Verdict.PASSED


IN_HIDDEN = {
    "an error of a kind": ("raise ValueError(n)", Verdict.ERROR, HIDDEN_FAILED),
    "another kind": ("raise KeyError(n)", Verdict.ERROR, HIDDEN_FAILED),
    "a kind of its own": ("raise type('E706173', (Exception,), {})(n)", Verdict.ERROR, HIDDEN_FAILED),
    "a failed assertion": ("raise AssertionError(n)", Verdict.FAILED, HIDDEN_FAILED),
    "a missing name": ("return missing", Verdict.ERROR, HIDDEN_FAILED),
    "a wrong value": ("return [n]", Verdict.FAILED, HIDDEN_FAILED),
    "an end": ("import os; os._exit(n)", Verdict.ERROR, HIDDEN_FAILED),
    "an exit": ("raise SystemExit(n)", Verdict.ERROR, HIDDEN_FAILED),
    "an endless loop": ("\n        while True: pass", Verdict.TIMEOUT, HIDDEN_LIMIT),
    "no more memory": ("raise MemoryError(n)", Verdict.MEMORY, HIDDEN_LIMIT),
}


@pytest.mark.parametrize(("statement", "verdict", "message"), IN_HIDDEN.values(), ids=IN_HIDDEN)
def test_what_a_student_reads_of_a_hidden_section_is_not_theirs_to_choose(
    bench: Bench, statement: str, verdict: Verdict, message: str
) -> None:
    result = bench.grade(primes=f"{SOLUTIONS['primes'].replace('primes', 'right')}\n"
        f"def primes(n, start=2):\n    if n < 5: {statement}\n    return right(n, start)")["test_primes"]  # fmt: skip
    assert (result.verdict, result.message) == (verdict, message)


def test_the_source_of_a_hidden_test_never_enters_the_notebooks_process(bench: Bench) -> None:
    looks = """
import gc, sys, linecache
def primes(n, start=2):
    texts = [one for one in gc.get_objects() if type(one) is str]
    texts += ["".join(one[2]) for one in linecache.cache.values() if len(one) > 1]
    assert not any("1" "29" in one and "1e-" "9" in one for one in texts), "found it"
    return [k for k in range(start, n) if k > 1 and all(k % d for d in range(2, k))]
"""
    assert bench.grade(primes=looks)["test_primes"].verdict is Verdict.PASSED


def test_before_a_test_beside_student_code_what_it_relies_on_is_put_back_and_told(bench: Bench) -> None:
    patched = "import builtins\nbuiltins.abs = np.allclose = lambda *a: 0\nnamed = lambda: 'by the shell'"
    observations = observe(bench.sandbox, bench.plan, bench.read(shell=patched), bench.judge)
    (ran,) = [ran for _, _, ran in observations.tests["test_shell"]]
    assert set(ran.tampered) == {"`builtins.abs`", "`numpy.allclose`"}
    observations = observe(bench.sandbox, bench.plan, bench.read(), bench.judge)
    assert [ran.tampered for _, _, ran in observations.tests["test_shell"]] == [()]
