"""Tests without a judge line that hand functions and objects of their own to student code: these stay in the judge, and
what is done with them is counted there."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
from remote_bench import Bench, bench_of, notebook_of

from tito.sandbox.bubblewrap import Bubblewrap

SETUP = "import copy\nimport time\nfrom unittest import mock\nimport numpy as np"
SOLUTIONS = {
    "product": """
def product(left, right, size):
    n = len(left)
    result = np.zeros((n, n))
    for i in range(0, n, size):
        for j in range(0, n, size):
            for k in range(0, n, size):
                result[i:i + size, j:j + size] += left[i:i + size, k:k + size] @ right[k:k + size, j:j + size]
    return result
""",
    "root": """
def root(f, low, high, steps):
    for _ in range(steps):
        middle = (low + high) / 2
        low, high = (middle, high) if f(middle) < 0 else (low, middle)
    return low
""",
    "power": """
def power(x, n):
    result = None
    while n:
        if n % 2:
            result = x if result is None else result * x
        x, n = (x * x, n // 2) if n > 1 else (x, 0)
    return result
""",
    "reverse": """
def reverse(node):
    before = None
    while node is not None:
        node.following, before, node = before, node, node.following
    return before
""",
    "ordered": """
def ordered(items):
    items = list(items)
    for at in range(1, len(items)):
        while at and items[at] < items[at - 1]:
            items[at], items[at - 1], at = items[at - 1], items[at], at - 1
    return items
""",
    "fill": """
def fill(store, names):
    for name in names:
        if name not in store:
            store[name] = store.load(name)
    with store:
        return [store[name] for name in names]
""",
}
TESTS = {
    "product": """
class Tiles:
    def __init__(self, values, most):
        self._values, self._most, self.reads = values, most, 0
    def __len__(self):
        return len(self._values)
    def __getitem__(self, place):
        part = self._values[place]
        if part.size > self._most:
            raise MemoryError("a tile that does not fit")
        self.reads += 1
        return part.copy()
rng = np.random.default_rng(3)
left, right = rng.normal(size=(2, 6, 6))
tiles = Tiles(left, 4), Tiles(right, 4)
assert np.allclose(product(*tiles, 2), left @ right)
assert [each.reads for each in tiles] == [27, 27]
### BEGIN HIDDEN TESTS
left, right = rng.normal(size=(2, 8, 8))
tiles = Tiles(left, 16), Tiles(right, 16)
assert np.allclose(product(*tiles, 4), left @ right)
assert [each.reads for each in tiles] == [8, 8]
### END HIDDEN TESTS
""",
    "root": """
asked = []
def f(x):
    asked.append(x)
    return x**3 - 5
assert abs(root(f, 0, 3, 30) - 5 ** (1 / 3)) < 1e-6
assert len(asked) == 30 and len(set(asked)) == 30
""",
    "power": """
class Counted:
    products = 0
    def __init__(self, value):
        self._value = value
    def __mul__(self, other):
        Counted.products += 1
        return Counted(self._value * other._value % 1000003)
assert power(Counted(3), 100)._value == pow(3, 100, 1000003)
assert Counted.products <= 10, Counted.products
""",
    "reverse": """
class Node:
    def __init__(self, value, following=None):
        self.value, self.following = value, following
last = Node(3)
first = Node(1, Node(2, last))
assert reverse(first) is last
assert [last.value, last.following.value, last.following.following.value] == [3, 2, 1]
assert first.following is None
""",
    "ordered": """
class Card:
    compared = 0
    def __init__(self, value):
        self._value = value
    def __lt__(self, other):
        Card.compared += 1
        return self._value < other._value
cards = [Card(value) for value in (2, 1, 3, 4, 6, 5)]
result = ordered(cards)
assert [each._value for each in result] == [1, 2, 3, 4, 5, 6]
assert result[0] is cards[1]
assert Card.compared <= 12
""",
    "fill": """
class Store(dict):
    pass
class Slow:
    def __init__(self):
        self._kept, self.loads, self.opened = {}, 0, 0
    def __contains__(self, name):
        return name in self._kept
    def __setitem__(self, name, value):
        self._kept[name] = value
    def __getitem__(self, name):
        return self._kept[name]
    def __enter__(self):
        self.opened += 1
        return self
    def __exit__(self, *error):
        self.opened -= 10
    def load(self, name, upper=False):
        self.loads += 1
        return name.upper() if upper else 2 * name
slow = Slow()
assert fill(slow, ["a", "b", "a"]) == ["aa", "bb", "aa"]
assert (slow.loads, slow.opened) == (2, -9)
""",
}
HONEST = {
    "it reads attributes and makes marks of its own": ("reverse", """
def reverse(node):
    nodes = []
    while node is not None and not hasattr(node, "visited"):
        node.visited = True
        nodes.append(node)
        node = node.following
    for node, before in zip(nodes, [None, *nodes]):
        node.following = before
    return nodes[-1]
"""),
    "it uses what is built in": ("ordered", "ordered = sorted"),
    "it asks by name and by keyword": ("fill", """
def fill(store, names):
    load = getattr(store, "load")
    for name in dict.fromkeys(names):
        store[name] = load(name=name, upper=False)
    with store as opened:
        return [opened[name] for name in names]
"""),
    "it hands on what it was handed": ("root", """
def half(f, low, high):
    middle = (low + high) / 2
    return (middle, high) if f(middle) < 0 else (low, middle)
def root(f, low, high, steps):
    for _ in range(steps):
        low, high = half(f, low, high)
    return low
"""),
    "it goes over rows": ("product", """
def product(left, right, size):
    n, s = len(left), slice
    blocks = [s(i, i + size) for i in range(0, n, size)]
    return np.block([[sum(left[i, k] @ right[k, j] for k in blocks) for j in blocks] for i in blocks])
"""),
}  # fmt: skip
READS = """
def product(left, right, size):
    whole = [np.block([[x[i:i+1, j:j+1] for j in range(len(x))] for i in range(len(x))]) for x in (left, right)]
    {line}
    return whole[0] @ whole[1]
"""
WRONG = {
    "it reads element by element": ("product", READS.format(line="pass")),
    **{
        f"it sets the count: {line}": ("product", READS.format(line=f"""
    for x in (left, right):
        try: {line}
        except Exception: pass"""))
        for line in (
            "x.reads = 27", "setattr(x, 'reads', 27)", "x._ask('__setattr__', ('reads', 27), {})",
            "x.__dict__['reads'] = 27", "object.__setattr__(x, 'reads', 27)", "type(x).reads = 27",
            "x._ask('__init__', (whole[0], 99), {})", "x._ask('__call__', (), {})", "x._ask('__iadd__', (27,), {})",
            "x._ask('__delattr__', ('reads',), {})", "x._ask('__setattr__', (['reads'], 27), {})",
            "x._ask(['__setattr__'], ('reads', 27), {})",
        )
    },
    "it reads a copy": ("product", """
def product(left, right, size):
    if len(left) == 6:
        left, right = copy.deepcopy(left), copy.deepcopy(right)
    return np.zeros((len(left),) * 2)
"""),
    "it asks for what is private": ("product", """
def product(left, right, size):
    return left._ask("__getattr__", ("_values",), {}) @ right._ask("__getattr__", ("_values",), {})
"""),
    "it asks for nothing": ("root", "def root(f, low, high, steps): return 5 ** (1 / 3)"),
    "it asks the same again and again": ("root", """
def root(f, low, high, steps):
    [f(1.0) for _ in range(steps)]
    return 5 ** (1 / 3)
"""),
    "it multiplies one by one": ("power", """
def power(x, n):
    result = x
    for _ in range(n - 1): result = result * x
    return result
"""),
    "it makes an object of its own": ("power", """
class Mine: pass
def power(x, n):
    mine = Mine()
    mine._value = x
    return mine
"""),
    "it changes what is compared": ("ordered", """
def ordered(items):
    for at, item in enumerate(items):
        try: item.value = item._value = at
        except Exception: pass
    return items
"""),
    "it leaves the store open": ("fill", """
def fill(store, names):
    for name in names: store[name] = store.load(name)
    return [store[name] for name in names]
"""),
}  # fmt: skip


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with bench_of(Bubblewrap(), partial(notebook_of, SETUP, SOLUTIONS, TESTS)) as bench:
        yield bench


def test_right_work_passes_apart_from_its_code(bench: Bench) -> None:
    bench.assert_passes()


@pytest.mark.parametrize(("name", "source"), HONEST.values(), ids=HONEST)
def test_right_work_of_another_style_passes(bench: Bench, name: str, source: str) -> None:
    bench.assert_passes(**{name: source})


@pytest.mark.parametrize(("name", "source"), WRONG.values(), ids=WRONG)
def test_wrong_work_fails_and_costs_nothing_else(bench: Bench, name: str, source: str) -> None:
    bench.assert_loses(name, source)
