"""When hidden sections may be observed at the end of the notebook: only where nothing can have come between."""

from __future__ import annotations

from pathlib import Path

import pytest

from tito.course.python_source import Source
from tito.plan.interference import observes_the_same_at_the_end, traces_of
from tito.plan.planning import stateless_modules
from tito.sandbox.spec import SandboxSpec

FINE = """
import numpy as np
from mini.base import as_floats
SIZES = (1, -2)

def total(values):
    return sum(values)
"""
TEST, HIDDEN = "small = total([1, 2])", "x = np.linspace(0, 1, 5)\nfound = total(x)"


def same(*cells: str, test: str = TEST, hidden: str = HIDDEN) -> bool:
    packages = frozenset({"mini"})
    return observes_the_same_at_the_end(map(Source, (FINE, *cells)), traces_of((test,), (hidden,), packages), packages)


LAYER = """
class Layer:
    '''One.'''
    size = 3
    def __init__(self, w):
        self.w = w
        self.cache = []
    @property
    def shape(self):
        self.cache.append(1)
        return self.w.shape
"""
SWAP = """
def swap(model, at):
    model.layers[at] = model.layers.pop()
    del model.old
    return model
"""
COUNT = """
def count(values):
    found = {}
    for one in values:
        found[one] = found.get(one, 0) + 1
    return found
"""
WALK = """
def walk(tree):
    seen = []
    def visit(node):
        seen.append(node)
    visit(tree)
    return seen
"""
HARMLESS = {
    "an attribute by its name": "def total(values):\n    return sum(getattr(values, 'data', values))",
    "no python, which never runs": "def total(:\n    CACHE.append(1)",
    "a closure's own": "def outer():\n    n = 0\n    def inner():\n        nonlocal n\n        n = 1\n    return inner",
    "nothing": "",
    "text": '"""About what follows."""',
    "a class": LAYER,
    "a method by another name": "class Twice(Layer):\n    def go(self, x):\n        return x\n    __call__ = go",
    "a subclass": "class Other(Layer):\n    @staticmethod\n    def make():\n        return Other(1)",
    "an alias": "add_up = total",
    "the same name again": "def total(values):\n    return 0",
    "what it was handed": SWAP,
    "what it made": COUNT,
    "its caller's own": WALK,
    "a lambda": "double = lambda x, n=2: n * x",
    "draws by an imported name": "from numpy.random import default_rng\ndef f():\n    return default_rng(3).random()",
    "annotations": "def half(x: np.ndarray | None) -> 'list[int]':\n    return x",
    "a scope": "from contextlib import contextmanager\n@contextmanager\ndef scope(x):\n    x.on = True\n    yield x",
    "an object without its init": "def bare(kind):\n    return kind.__new__(kind)",
    "draws of its own": "def noise(n):\n    return np.random.default_rng(3).normal(size=n)",
}


@pytest.mark.parametrize("cell", HARMLESS.values(), ids=HARMLESS)
def test_definitions_leave_hidden_sections_the_same(cell: str) -> None:
    assert same(cell)


TROUBLE = {
    "a call": "total([1])",
    "a statement": "for n in range(3):\n    print(n)",
    "a list": "CACHE = []",
    "a call's result": "rng = np.random.default_rng(3)",
    "a patched class": "Layer.forward = total",
    "a patched function": "def patch():\n    total.calls = 1",
    "a patched module": "def patch():\n    np.testing.assert_equal = print",
    "what another name holds": "def patch():\n    tables['x'] = 1",
    "setattr": "def patch(layer):\n    setattr(layer, 'x', 1)",
    "its class": "class Layer:\n    def __init__(self):\n        self.__class__.made = 1",
    "its type": "class Layer:\n    def __init__(self):\n        type(self).made = 1",
    "a classmethod's class": "class Layer:\n    @classmethod\n    def make(cls):\n        cls.made.append(1)",
    "a counter": "def count():\n    global calls\n    calls = 1",
    "a shared default": "def remember(x, seen=[]):\n    return seen",
    "a shared attribute": "class Layer:\n    seen = []",
    "a decorator of a known name": "CALLS = None\ndef contextmanager(f):\n    CALLS.append(f)\n    return f",
    "a decorator": "from functools import cache\n@cache\ndef slow(x):\n    return x",
    "numpy's own generator": "def noise(n):\n    return np.random.rand(n)",
    "python's own generator": "import random",
    "numpy's own generator by another name": "def noise(n):\n    draw = np.random\n    return draw.rand(n)",
    "numpy's own generator imported": "from numpy.random import rand",
    "numpy's own generator as a module": "import numpy.random as draw",
    "python's own generator inside": "def noise():\n    import random\n    return random.random()",
    "a module with a state inside": "def here():\n    import os\n    return os.getcwd()",
    "a called base": "class Layer(total([1])):\n    pass",
    "a called annotation": "def half(x: total([1])):\n    return x",
    "an annotation inside": "def outer():\n    def half(x: CACHE.append(1)):\n        return x\n    return half",
    "a class's keyword inside": "def outer():\n    class Layer(metaclass=KINDS.pop()):\n        pass\n    return Layer",
    "numpy's settings": "def quiet():\n    np.seterr(all='ignore')",
    "other modules": "import os",
    "a module by name": "def load(name):\n    return __import__(name)",
    "code in a text": "def run(text):\n    exec(text)",
    "a file": "def save(text):\n    open('x', 'w').write(text)",
    "what python keeps": "def look(f):\n    return f.__globals__",
    "a magic": "%timeit total([1])",
    "indented python": "  CACHE = []\n  broken(",
    "a prompt": ">>> CACHE = []\n>>> broken(",
    "a command": "!touch here\nbroken(",
    "a question": "total?\nbroken(",
    "what a test sets": "def use():\n    return small",
}


def in_total(body: str, imports: str = "") -> str:
    return f"{imports}\ndef total(values):\n    {body}\n    return sum(values)"


TROUBLE |= {
    "a module inside of a module": in_total("contextlib.os.open('/tmp/x', 577)", "import contextlib"),
    "it under another name": in_total("c = contextlib\n    c.os.open('/tmp/x', 577)", "import contextlib"),
    "it imported": in_total("os.mkdir('/tmp/x')", "from contextlib import os"),
    "it matched": in_total("match contextlib:\n        case object(os=o): o.mkdir('/tmp/x')", "import contextlib"),
    "it by its name": in_total("getattr(contextlib, 'o' + 's').mkdir('/tmp/x')", "import contextlib"),
    "it by its whole name": in_total("getattr(contextlib, 'os').mkdir('/tmp/x')", "import contextlib"),
    "getattr itself": in_total("g = getattr\n    g(contextlib, 'os').mkdir('/tmp/x')", "import contextlib"),
    "attrgetter": in_total("operator.attrgetter('os')(contextlib).mkdir('x')", "import contextlib, operator"),
    "text that is run": in_total("dataclasses._create_fn('f', [], ['import os'])", "import dataclasses"),
    "text of a type": in_total("typing.get_type_hints(total)", "import typing"),
    "text in numpy": in_total("np.testing.runstring('import os', {})"),
    "all objects": in_total("for one in gc.get_objects(): one.update(x=1)", "import gc"),
    "the shell": in_total("get_ipython().system('touch /tmp/x')"),
    "the builtins": in_total("__builtins__['open']('/tmp/x', 'w')"),
    "a file in memory": in_total("np.memmap('/tmp/x', mode='w+', shape=1)"),
    "a file that is read": in_total("np.fromfile('/tmp/x')"),
    "a pickle": in_total("np.load(values, allow_pickle=True)"),
    "the numbers of a module": in_total("statistics.random.seed(3)", "import statistics"),
}


@pytest.mark.parametrize("cell", TROUBLE.values(), ids=TROUBLE)
def test_what_may_come_between_is_not_passed_over(cell: str) -> None:
    assert not same(cell)


@pytest.mark.parametrize(
    ("test", "hidden"),
    [
        ("layer = total([1])", "found = layer"),
        ("total.seen = 1", HIDDEN),
        ("np.random.seed(3)", HIDDEN),
        ("import random\nrandom.seed(3)", HIDDEN),
        (TEST, "import os\nos.chdir('/tmp')"),
        (TEST, "total.seen = 1"),
        (TEST, "found = setattr(total, 'x', 1)"),
    ],
)
def test_tests_that_share_or_change_something_are_not_passed_over(test: str, hidden: str) -> None:
    assert not same(test=test, hidden=hidden)


def test_what_a_test_makes_is_its_own_to_change() -> None:
    assert same(test="calls = []\ncalls.append(total([1]))", hidden="seen = {}\nseen['x'] = total([2])")


def test_modules_of_the_course_that_write_files_or_import_such_are_not_stateless(tmp_path: Path) -> None:
    texts = {
        "pure": "import numpy as np\ndef mean(x):\n    return np.mean(x)\n",
        "counts": "seen = []\ndef note(x):\n    seen.append(x)\n",
        "writes": "def note(x):\n    open('log', 'a').write(x)\n",
        "reaches": "import writes\ndef note(x):\n    writes.note(x)\n",
        "further": "import reaches\n",
        "broken": "def",
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.py").write_text(text)
    (tmp_path / "pack").mkdir()
    (tmp_path / "other").mkdir()
    files = tuple((path, path.name) for path in sorted(tmp_path.iterdir()))
    assert stateless_modules(SandboxSpec(files, staged=("pack",))) == {"pure", "pack"}
