"""Proxies, without a sandbox: a notebook's side in a thread, the judge's side here; and hostile answers by hand."""

from __future__ import annotations

import argparse
import socket
import sys
import threading
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tito.course.cells import Cell, read_cells
from tito.judge.proxy import Proxy
from tito.judge.proxy_channel import Ended, ProxyChannel, restore
from tito.judge.remote_worker import Namespace
from tito.judge.seeding import SEEDS, NumpyState, count_seeds
from tito.plan.remote import possible_plans
from tito.sandbox.inside import wire
from tito.sandbox.inside.codec import Channel, CodecError, EndOfStream, Packed, decode
from tito.sandbox.inside.objects import Objects
from tito.sandbox.inside.wire import (
    MAKERS,
    Alias,
    Callback,
    Draws,
    Handle,
    Known,
    WireEncoder,
    generator_of,
    no_reference,
)

NOTEBOOK = """
import numpy as np
class Point:
    "A place."
    def __init__(self, x): self.x = x
    def __eq__(self, other): return True
    def __hash__(self): return 7
    def __sub__(self, other): return 0
    def __len__(self): return 2
    def __getitem__(self, at): return [self.x, 0][at]
    def tell(self, other=None): return other
class Far(Point): pass
class Odd(Exception): pass
class Names(tuple): pass
def fail(): raise Odd("odd", 1)
def fill(found): found.append(3); return found
def call(function, *arguments): return function(*arguments)
def swallow(function):
    try: return function()
    except ValueError as error: return str(error)
point = Point(4)
pair = Names("ab")
"""


class Outputs:
    """What a shell gathers of what is printed."""

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []

    def reset(self) -> None:
        self.items = []


class Shell:
    """As much of a shell as the notebook's side needs."""

    def __init__(self, more: str) -> None:
        self.outputs = Outputs()
        self.user_ns: dict[str, Any] = {"__name__": "notebook"}
        exec(NOTEBOOK + more, self.user_ns)


@contextmanager
def notebook(sites: frozenset[str] | None = None, keep: bool = False, more: str = "") -> Iterator[ProxyChannel]:
    """A channel to a notebook that runs in a thread; what a grader would add to a request is added here."""
    ours, theirs = (Channel(end) for end in socket.socketpair())
    ours.more = theirs.more = wire.more
    objects = Objects(Shell(more), lambda _: nullcontext(), TimeoutError)

    class Relay:
        """The judge's channel: asks go on to the notebook as the grader would pass them on."""

        def send_packed(self, message: dict[str, Any], packed: Packed) -> None:
            ours.send_packed(message["ask"] | {"op": "ask", "token": "t", "limit_s": 5.0}, packed)

        def receive(self) -> tuple[dict[str, Any], dict[str, Any]]:
            return ours.receive(10.0)

    def serve() -> None:
        while True:
            try:
                request, values = theirs.receive()
            except (EndOfStream, OSError):
                return
            objects.answer(theirs, request, values)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    relay: Any = Relay()
    try:
        yield ProxyChannel(relay, sites, keep)
    finally:
        ours.close()
        thread.join(5)
        theirs.close()


def run(source: str, link: ProxyChannel, mirrored: frozenset[str] = frozenset()) -> Namespace:
    """Run test code against the notebook."""
    names = Namespace(link, {"np": np}, frozenset(), mirrored)
    with link.sites.counted():
        exec(compile(source, "<test 0>", "exec"), names)
    return names


def test_what_the_reference_is_asked_a_student_is_asked_at_the_same_place_only() -> None:
    source = "r = point == 4"
    with notebook() as link:
        assert run(source, link)["r"] is True  # the reference's object is asked
        sites = link.shown
        assert any(site.startswith("asked") for site in sites)
    with notebook(sites) as link:
        assert run(source, link)["r"] is True
    with notebook(frozenset()) as link:
        assert run(source, link)["r"] is False


@pytest.mark.parametrize(
    ("source", "outcome"),
    [
        ("r = point == 4, 4 == point, point != 4, point == [4]", (False, False, True, False)),
        ("r = point in [4, 5], 4 in [point], [point] == [4]", (False, False, False)),
        ("r = 9 in point, 4 in point", (False, True)),
        ("r = point - 4", TypeError),
        ("r = 4 - point", TypeError),
        ("r = point < 4", TypeError),
        ("r = point.tell(4)", TypeError),
        ("r = point.tell()", None),
        ("r = point.x, len(point), point[0], bool(point)", (4, 2, 4, True)),
        ("r = point == point, point is point, {point: 1}[point]", (True, True, 1)),
        ("r = np.asarray(point).tolist()", [4, 0]),
        ("r = point.__array_interface__", AttributeError),
        ("r = point.nothing", AttributeError),
        ("r = nothing", NameError),
    ],
)
def test_an_object_of_a_student_is_told_nothing_that_the_test_expects(source: str, outcome: Any) -> None:
    with notebook(frozenset()) as link:
        if isinstance(outcome, type) and issubclass(outcome, Exception):
            with pytest.raises(outcome):
                run(source, link)
        else:
            assert run(source, link)["r"] == outcome


HOSTILE = """
def as_reference(value): return value
class Yes:
    def __init__(self, value=0): self.value = value
    def __eq__(self, other): told.append(other); return True
    __hash__ = object.__hash__
    def __lt__(self, other): told.append(other); return True
    def __add__(self, other): told.append(other); return 0
    def equals(self, other): told.append(other); return True
    def __call__(self, *arguments): told.extend(arguments); return arguments[0] if arguments else 0
told = []
"""


def hostile(source: str, reference: str, student: str) -> tuple[Namespace, list[Any]]:
    """Run a test against a reference, then against a student's code; and what that was told of what is expected."""
    with notebook(more=HOSTILE + reference) as link:
        run(source, link)
        known = link.shown
    with notebook(known, more=HOSTILE + student) as link:
        names = run(source, link)
        return names, link.ask("name", name="told")


ONLY_THREE = "def f(n): return Yes() if n == 3 else n"
ASKED_FOR_SOME = {
    "a helper that is called from two lines": """
def check(got, want): r.append(got == want)
r = []
check(f(3), 30)
check(f(4), 4)
check(f(5), 5)
""",
    "a helper that is called twice in a line": """
def check(got, want): return got == want
r = [check(f(3), 30), check(f(4), 4), check(f(5), 5)]
""",
    "a helper of a helper": """
def inner(got, want): return got == want
def outer(n, want): return inner(f(n), want)
r = [outer(3, 30)]
r += [outer(4, 4)]
r += [outer(5, 5)]
""",
    "a loop": """
r = []
for n in (3, 4, 5):
    r.append(f(n) == n)
""",
    "a comprehension": "r = [f(n) == n for n in (3, 4, 5)]",
    "a generator": """
def answers():
    for n in (3, 4, 5):
        yield f(n) == n
r = list(answers())
""",
    "a function that Python calls": "r = list(map(lambda n: f(n) == n, (3, 4, 5)))",
    "a recursion": """
def down(n, r): return r if n > 5 else down(n + 1, [*r, f(n) == n])
r = down(3, [])
""",
    "a loop in a helper": """
def check(pairs): return [f(n) == n for n in pairs]
r = check((3,)) + check((4,)) + check((5,))
""",
}


@pytest.mark.parametrize("source", ASKED_FOR_SOME.values(), ids=ASKED_FOR_SOME)
def test_a_permission_holds_for_the_call_for_which_the_reference_had_it(source: str) -> None:
    names, leaked = hostile(source, ONLY_THREE, "def f(n): return Yes()")
    assert names["r"] == [True, False, False]
    assert len(leaked) == 1


ALWAYS = {
    "a loop that runs longer": "r = []\nfor n in range(size):\n    r.append(f(n) == n)\nr = all(r)",
    "a helper": """
def check(got, want):
    return got == want
r = True
for n in range(size):
    r &= check(f(n), n)
""",
    "a method": "r = True\nwhile size > 0:\n    r &= f(size).equals(size)\n    size -= 1",
}


@pytest.mark.parametrize("source", ALWAYS.values(), ids=ALWAYS)
def test_where_the_reference_was_asked_each_time_a_student_is_however_often_the_test_comes_by(source: str) -> None:
    right = "def f(n): return Yes(n)\n"
    names, leaked = hostile(source, f"{right}size = 3", f"{right}size = 7")
    assert names["r"] is True
    assert len(leaked) == 7


NEVER_TAKEN = "r = None\nif isinstance(f(1), int):\n    r = f(1) == 1\nelse:\n    "
BRANCHES = {
    "an equality": ("r = f(1) == 1", False),
    "another kind of it": ("r = 1 in [f(1)]", False),
    "an order": ("try: r = f(1) < 2\n    except TypeError: r = 'refused'", "refused"),
    "a sum": ("try: r = f(1) + 1\n    except TypeError: r = 'refused'", "refused"),
    "a method": ("try: r = f(1).equals(1)\n    except TypeError: r = 'refused'", "refused"),
    "a call of what was returned": ("try: r = f(1)(1)\n    except TypeError: r = 'refused'", "refused"),
}


@pytest.mark.parametrize(("branch", "outcome"), BRANCHES.values(), ids=BRANCHES)
def test_a_branch_that_the_reference_never_took_tells_a_student_nothing(branch: str, outcome: Any) -> None:
    names, leaked = hostile(NEVER_TAKEN + branch, "def f(n): return n", "def f(n): return Yes()")
    assert names["r"] == outcome
    assert leaked == []


HONEST_BRANCHES = {
    "a tuple where the reference gives a number": (
        "r = f(1)\nif isinstance(r, tuple):\n    r = r[0] == 1 and r == (1, 2)\nelse:\n    r = r == 1",
        "def f(n): return n, n + 1",
    ),
    "a named tuple": (
        "r = f(1)\nif isinstance(r, tuple):\n    r = r == (1,)\nelse:\n    r = r == 1",
        "class T(tuple): pass\ndef f(n): return T((n,))",
    ),
    "a function without the keyword": (
        "try:\n    r = f(n=1)\nexcept TypeError:\n    r = f(1)\nr = r == 1",
        "def f(k): return k",
    ),
    "an object that is looked into": (
        "r = f(1)\nif not isinstance(r, int):\n    r = r.value\nr = r == 1",
        "def f(n): return Yes(n)",
    ),
    "another name": (
        "try:\n    r = f(1)\nexcept ValueError:\n    r = Yes(1).value\nr = r == 1",
        "def f(n): raise ValueError",
    ),
}


@pytest.mark.parametrize(("source", "student"), HONEST_BRANCHES.values(), ids=HONEST_BRANCHES)
def test_honest_work_that_takes_another_branch_is_judged_there(source: str, student: str) -> None:
    reference = "def f(n): return n"
    begin = "Yes(0).value\n"  # the reference's run knows that name
    assert hostile(begin + source, reference, student)[0]["r"] is True


CHANGES = {
    "a list": "want = [1, 2]\nf(want)\nr = want == [1, 2]",
    "a dict": "want = {'a': 1}\nf(want)\nr = want == {'a': 1}",
    "an array": "want = np.arange(3)\nf(want)\nr = want.tolist() == [0, 1, 2]",
    "a keyword": "want = [1, 2]\nf(other=want)\nr = want == [1, 2]",
    "one of two": "a, want = [3], [1, 2]\nf(a, want)\nr = want == [1, 2]",
    "an argument of another call": "a, want = [3], [1, 2]\nf(a)\nf(want, 'keep')\nr = want == [1, 2]",
    "in some calls": """
r = []
for k, word in enumerate(["", "keep"]):
    want = [k]
    f(want, word)
    r.append(want == [k])
r = r[1]
""",
}
TAKES_ALL = """
def f(*given, other=None):
    for one in [*given, other]:
        if isinstance(one, list | dict): one.clear()
        elif isinstance(one, np.ndarray): one[...] = 0
"""


@pytest.mark.parametrize("source", CHANGES.values(), ids=CHANGES)
def test_an_argument_that_the_reference_left_alone_stays_as_the_test_made_it(source: str) -> None:
    takes_some = """
def f(*given, other=None):
    if str(given) == "([3],)" or (len(given) > 1 and str(given[1]) == ""):
        given[0].clear()
"""
    assert hostile(source, takes_some, TAKES_ALL)[0]["r"] is True


def test_an_argument_that_honest_work_changes_and_returns_is_judged_by_its_content() -> None:
    source = "want = [3, 1, 2]\nr = f(want)\nr = r == sorted(want) == [1, 2, 3] and want == [3, 1, 2]"
    changes = "def f(values):\n    values.sort()\n    return values"
    assert hostile(source, "def f(values): return sorted(values)", changes)[0]["r"] is True


CHANGING_MIND = """
class Says:
    def __init__(self, *answers, **facts):
        self.answers, self.at = list(answers), -1
        self.__dict__.update(facts)
    def next(self):
        self.at += 1
        return self.answers[min(self.at, len(self.answers) - 1)]
class Truth(Says):
    def __bool__(self): return self.next()
class Number(Says):
    def __float__(self): return float(self.next())
    def __int__(self): return int(self.next())
class Items(Says):
    def __iter__(self): return iter(self.next())
    def __len__(self): return self.length
    def __getitem__(self, at): return self.held[at]
class Anew(Says):
    def __iter__(self):
        self.rest = list(self.next())
        return self
    def __next__(self):
        if not self.rest: raise StopIteration
        return self.rest.pop(0)
class Shape(Says):
    @property
    def shape(self): return self.next()
"""
MINDS = {
    "a truth": ("a = f()\nr = bool(a), not a", "def f(): return True", "f = lambda: Truth(True, False)", (True, False)),
    "a number": (
        "a = f()\nr = float(a) < 5 and float(a) > 8", "def f(): return 4", "f = lambda: Number(4, 9)", False),
    "an order": (
        "a = f()\nr = sorted(a) == [1, 2, 3] and list(a) == [1, 2, 3]", "def f(): return [1, 2, 3]",
        "f = lambda: Items([3, 2, 1], [1, 2, 3], length=3)", False),
    "what is iterated anew": (
        "a = f()\nr = sorted(a) == [1, 2, 3] and all(k > 1 for k in a)", "def f(): return [1, 2, 3]",
        "f = lambda: Anew([3, 2, 1], [])", False),
    "an attribute": ("a = f()\nr = a.shape == (1,) and a.shape == (2,)", "def f(): return np.zeros(1)",
        "f = lambda: Shape((1,), (2,))", False),
}  # fmt: skip


@pytest.mark.parametrize(("source", "reference", "student", "outcome"), MINDS.values(), ids=MINDS)
def test_an_object_in_the_place_of_a_value_shows_the_same_each_time(
    source: str, reference: str, student: str, outcome: Any
) -> None:
    assert hostile(source, CHANGING_MIND + reference, CHANGING_MIND + student)[0]["r"] == outcome


AT_ODDS = {
    "a length": "a = f()\nr = len(a) == 3 and all(k in (1, 2, 3) for k in a)",
    "a length that is asked last": "a = f()\nr = all(k in (1, 2, 3) for k in a) and len(a) == 3",
    "values at an index": "a = f()\nr = sorted(a) == [1, 2, 3] and all(a[k] <= a[k + 1] for k in range(2))",
    "values at an index first": "a = f()\nr = all(a[k] <= a[k + 1] for k in range(2)) and sorted(a) == [1, 2, 3]",
}


@pytest.mark.parametrize("source", AT_ODDS.values(), ids=AT_ODDS)
def test_what_an_object_shows_in_two_ways_agrees(source: str) -> None:
    right = "def f(): return [1, 2, 3]"
    items = "[3, 2, 1]" if "a[k]" in source else "[1]"
    wrong = f"f = lambda: Items({items}, length=3, held=[1, 2, 3])"
    with pytest.raises(TypeError, match="what your code returned"):
        hostile(source, CHANGING_MIND + right, CHANGING_MIND + wrong)
    same = "f = lambda: Items([1, 2, 3], length=3, held=[1, 2, 3])"
    assert hostile(source, CHANGING_MIND + right, CHANGING_MIND + same)[0]["r"] is True


def test_an_object_that_the_test_itself_changes_shows_it() -> None:
    source = """
a = f()
r = [len(a), list(a), a[0]]
a[0] = 5
r += [list(a), a[0]]
a.append(6)
r += [len(a), list(a), a[-1]]
"""
    own = """
class Own:
    def __init__(self, *held): self.held = list(held)
    def __iter__(self): return iter(self.held)
    def __len__(self): return len(self.held)
    def __getitem__(self, at): return self.held[at]
    def __setitem__(self, at, value): self.held[at] = value
    def append(self, *new): self.held.append(6)
"""
    source = source.replace("a.append(6)", "getattr(a, 'append', None)(*(() if not isinstance(a, list) else (6,)))")
    names, _ = hostile(source, "def f(): return [1, 2]", f"{own}def f(): return Own(1, 2)")
    assert names["r"] == [2, [1, 2], 1, [5, 2], 5, 3, [5, 2, 6], 6]


STOPPING = {
    "a map": "r = all(map(lambda n: f(n) == 2 * n, range(9)))",
    "a map of the function itself": "r = list(map(f, range(9))) == []",
    "a function that is looked up": "r = sum(1 for _ in filter(lambda n: f(n) != n, range(9))) == 0",
}


@pytest.mark.parametrize("source", STOPPING.values(), ids=STOPPING)
@pytest.mark.parametrize("error", ["StopIteration", "type('Mine', (StopIteration,), {})"])
def test_student_code_cannot_end_an_iteration_of_the_tests(source: str, error: str) -> None:
    with pytest.raises(RuntimeError):
        hostile(source, "def f(n): return 2 * n", f"def f(n): raise {error}")


def test_an_end_of_iteration_that_the_test_is_about_is_what_it_is() -> None:
    source = "try: f(0)\nexcept StopIteration: r = True\nr &= next(iter(g()), 5) == 5"
    code = "def f(n): raise StopIteration\ndef g():\n    return\n    yield"
    assert hostile(source, code, code)[0]["r"] is True


def test_classes_are_classes_and_exceptions_can_be_caught() -> None:
    with notebook() as link:
        run(
            "\n".join([
                "import collections.abc",
                "far = Far(1)",
                "assert isinstance(far, Point) and issubclass(Far, Point) and type(far) is Far",
                "assert not isinstance(far, (list, int, str)) and not callable(far) and callable(Point)",
                "assert isinstance(far, collections.abc.Sized) and not isinstance(far, collections.abc.Iterator)",
                "assert Far.__name__ == 'Far' and Point.__doc__ == point.__doc__ == 'A place.'",
                "try: fail()",
                "except Odd as error: assert error.args == ('odd', 1) and 'odd' in str(error)",
                "try: fail()",
                "except ValueError: raise AssertionError",
                "except Exception as error: assert type(error) is Odd",
                "try: raise Odd('mine')",
                "except Odd as error: assert 'mine' in str(error)",
            ]),
            link,
        )  # fmt: skip


def test_arguments_are_changed_in_place_and_come_back_as_themselves() -> None:
    with notebook() as link:
        run("found = [1]\nassert fill(found) is found and found == [1, 3]\nassert fill([]) == [3]", link)


def test_functions_of_the_test_run_in_the_test_and_their_errors_pass_through_the_notebook() -> None:
    with notebook() as link:
        run(
            "\n".join([
                "seen = []",
                "def own(k):",
                "    seen.append(k)",
                "    return Point(k)",
                "assert call(own, 5).x == 5 and seen == [5]",
                "def bad(): raise ValueError('own')",
                "assert swallow(bad) == 'own'",
                "def worse(): raise KeyError('k', 2)",
                "try: swallow(worse)",
                "except KeyError as error: assert error.args == ('k', 2)",
                "assert call(np.hypot, 3, 4) == 5 and call(len, 'abc') == 3",
                "assert call(list, (k for k in 'ab')) == ['a', 'b']",
            ]),
            link,
        )  # fmt: skip


def test_only_names_that_functions_of_the_notebook_read_are_told_to_it() -> None:
    with notebook() as link:
        run("expected = 5\ndel point\nr = 'point' in globals()\nassert not r", link)
        with pytest.raises(KeyError):
            link.ask("name", name="expected")
        run("point = 6", link, frozenset({"point"}))
        assert link.ask("name", name="point") == 6


@pytest.mark.parametrize(
    "value",
    [
        frozenset({1}), bytearray(b"x"), range(1, 9, 2), slice(1, None), ..., OrderedDict(a=1), Counter("aab"),
        deque([1, 2], 5), Fraction(1, 3), Decimal("1.50"), date(2020, 1, 2), datetime(2020, 1, 2, 3), timedelta(1, 2),
        defaultdict(list, a=[1]), {1: 2}.keys(), {1: 2}.items(), int, np.float32, ValueError,
        (True, None, 1.5, 2j, "é"),
    ],
    ids=repr,
)  # fmt: skip
def test_more_kinds_of_values_cross_as_what_they_are(value: Any) -> None:
    with notebook() as link:
        back = link.ask("__call__", link.ask("name", name="call")._tito_number, (lambda: value,))
    assert type(back) is type(value) and back == value
    if isinstance(value, deque | defaultdict):
        assert getattr(back, "maxlen", 5) == 5 and getattr(back, "default_factory", list) is list


def test_objects_of_subclasses_stay_only_where_they_are_to_be_kept() -> None:
    for keep in (False, True):
        with notebook(frozenset(), keep) as link:
            assert isinstance(run("r = pair", link)["r"], Proxy if keep else tuple)


# ---- hostile answers ---------------------------------------------------------------------------


class Says:
    """A channel whose other side says what it was told to say."""

    def __init__(self, *answers: tuple[dict[str, Any], dict[str, Any]]) -> None:
        self.answers = list(answers)

    def send_packed(self, *_: Any) -> None:
        pass

    def receive(self) -> tuple[dict[str, Any], dict[str, Any]]:
        return self.answers.pop(0)


def asked(reply: dict[str, Any], **values: Any) -> Any:
    channel: Any = Says((reply, values))
    return ProxyChannel(channel, frozenset()).ask("name", name="x")


CLASS = {"n": 1, "name": "C", "has": 0, "bases": []}
NO_ANSWERS = {
    "a class that was never described": Handle(0, {"class": {"n": 5}}),
    "no class": Handle(0, {}),
    "a class without a number": Handle(0, {"class": CLASS | {"n": "x"}}),
    "a name with a NUL": Handle(0, {"class": CLASS | {"name": "a\0b"}}),
    "a base that is no exception": Handle(0, {"class": CLASS | {"bases": [{"known": "list"}]}}),
    "a base that is a function": Handle(0, {"class": CLASS | {"bases": [{"known": "eval"}]}}),
    "a base that is nothing": Handle(0, {"class": CLASS | {"bases": [{"known": "nothing"}]}}),
    "bases that are no list": Handle(0, {"class": CLASS | {"bases": 5}}),
    "a function by name": Known("builtins", "eval"),
    "a module's class": Known("subprocess", "Popen"),
    "a callback that there is none of": Callback(0),
    "an argument that there is none of": Alias(3),
}


@pytest.mark.parametrize("value", NO_ANSWERS.values(), ids=NO_ANSWERS)
def test_an_answer_that_is_none_ends_the_test(value: Any) -> None:
    with pytest.raises(Ended):
        asked({"status": "value"}, value=value)


@pytest.mark.parametrize(
    "reply",
    [
        {"status": "raised", "name": "eval", "known": True, "text": "t"},
        {"status": "raised", "name": "UnicodeDecodeError", "known": True, "text": "t"},
        {"status": "raised", "name": 5, "known": 1, "text": []},
        {"status": "raised"},
    ],
)
def test_whatever_a_notebook_says_was_raised_an_exception_is_raised(reply: dict[str, Any]) -> None:
    with pytest.raises(RuntimeError):
        asked(reply, error=3, arguments=[])


def test_a_notebook_that_is_asked_without_end_is_asked_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tito.judge.proxy_channel.MOST_OPERATIONS", 5)
    iterator = Handle(0, {"class": CLASS | {"has": 6}})  # __iter__ and __next__
    channel: Any = Says(*[({"status": "value"}, {"value": iterator})] * 20)
    with pytest.raises(Ended):
        for _ in ProxyChannel(channel, frozenset()).ask("name", name="x"):
            pass


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("tvsabc"), inner, max_size=3),
))  # fmt: skip
def test_hostile_json_gives_a_value_or_a_codec_error(value: Any) -> None:
    for tag in ("handle", "known", "alias", "iterator", "objects", *MAKERS):
        with suppress(CodecError):
            decode({"t": tag, "v": value}, b"", more=wire.more)


def test_a_frame_without_a_vocabulary_holds_no_references() -> None:
    encoder = WireEncoder(no_reference)
    with pytest.raises(CodecError):
        decode(encoder.encode([Handle(1)]), b"")


@given(st.lists(st.integers()), st.lists(st.integers()))
def test_restoring_gives_the_new_content_to_the_old_object(old: list[int], new: list[int]) -> None:
    inner, outer = list(old), {"a": old, "b": 1}
    assert restore(outer, {"a": list(new), "c": 2}) is outer
    assert outer["a"] is old and outer == {"a": new, "c": 2}
    array = np.array(inner, dtype=object)
    assert restore(array, array.copy()) is array


# ---- planning ----------------------------------------------------------------------------------


def cells(*pairs: tuple[str, str]) -> tuple[Cell, ...]:
    """Cells by kind (locked, solution, test) and source."""
    nodes = []
    for at, (kind, source) in enumerate(pairs):
        facts = {"grade_id": f"c{at}", "grade": kind == "test", "solution": kind == "solution", "schema_version": 3}
        facts |= {"locked": kind != "solution", "points": 1, "task": False}
        nodes.append(nbformat.v4.new_code_cell(source, metadata={"nbgrader": facts}))
    return read_cells(nodes)


def test_the_judge_runs_functions_and_constants_of_the_instructors_that_no_student_code_touches() -> None:
    plans = possible_plans(
        cells(
            ("locked", "import numpy as np\nfrom mini import base\nx = np.arange(3)\ny = [1]\nz = np.random.rand(3)"),
            ("locked", "def near(a, b):\n    assert abs(a - b) < EPS\nEPS = 0.1\nw = base.make()"),
            ("solution", "y.append(2)\nk = 3\nimport math"),
            ("test", "near(k, x); y; z; w; math"),
        ),
        frozenset({"mini"}),
    )
    strict, asked, keeping, *with_files = plans["c3"]
    assert with_files == [replace(plan, files=True) for plan in (strict, asked, keeping)]
    assert strict.given == "x = np.arange(3)\ndef near(a, b):\n    assert abs(a - b) < EPS\nEPS = 0.1"
    assert strict.notebook == {"k"} and asked.notebook == keeping.notebook == {"k", "base"}
    assert dict(strict.imports)["math"] == "import math" and keeping.given == "" and keeping.keep


def test_only_what_functions_read_is_mirrored() -> None:
    plans = possible_plans(
        cells(
            ("locked", "expected = 3\ncount = 0"),
            ("solution", "def bump():\n    global count\n    count += 1\ndef both():\n    bump()"),
            ("test", "bump()"),
        ),
        frozenset(),
    )
    assert plans["c2"][0].mirrored == {"bump", "count"}


@pytest.mark.parametrize(
    "test",
    [
        "open('x')", "import os\nos.listdir()", "Path('x')", "assert not folder.path.exists('x')", "np.load('x')",
        "pd.read_csv('x')", "near('x')", "from pathlib import Path as P\nP('x')", "table.to_csv('x')",
    ],
)  # fmt: skip
def test_a_test_that_looks_at_files_is_never_run_without_them(test: str) -> None:
    setup = "import os as folder\nfrom pathlib import Path\ndef near(name):\n    return open(name).read()"
    plans = possible_plans(cells(("locked", setup), ("solution", "x = 1"), ("test", test)), frozenset())["c2"]
    assert all(plan.files or plan.modules for plan in plans)


def test_a_test_that_is_no_plain_python_is_left_beside_student_code() -> None:
    assert possible_plans(cells(("solution", "x = 1"), ("test", "%time x")), frozenset()) == {}


# ---- what is around student code ---------------------------------------------------------------------


def around(source: str, link: ProxyChannel, modules: frozenset[str] = frozenset()) -> Namespace:
    """Run test code that has `open` and some modules as the notebook has them."""
    names = Namespace(link, {}, frozenset({"open"}), frozenset(), modules)
    with link.sites.counted():
        exec(compile(source, "<test 0>", "exec"), names)
    return names


@pytest.mark.parametrize(
    "source",
    [
        "import os\nr = os.path.basename('a/b')",
        "import os.path\nr = os.path.basename('a/b')",
        "import os.path as p\nr = p.basename('a/b')",
        "from os.path import basename\nr = basename('a/b')",
        "def f():\n    from os import path\n    return path.basename('a/b')\nr = f()",
    ],
)
def test_a_module_of_the_notebooks_is_imported_there(source: str) -> None:
    with notebook() as link:
        names = around(source, link, frozenset({"os"}))
        assert names["r"] == "b"
        assert link.asked > 0
    with notebook() as link:
        assert around(source, link)["r"] == "b"
        assert link.asked == 0, "else it is the judge's own"


def test_a_module_that_only_the_notebook_has_is_asked_there() -> None:
    with notebook() as link:
        with pytest.raises(ModuleNotFoundError):
            around("import there_is_no_such_module", link)
        with pytest.raises(ImportError):
            around("from os import there_is_no_such_name", link)
        assert around("import json.decoder as d\nr = d.__name__", link)["r"] == "json.decoder"


def test_a_file_is_opened_where_the_notebook_is(tmp_path: Path) -> None:
    with notebook() as link:
        path = str(tmp_path / "notes.txt")
        around(f"with open({path!r}, 'w') as out:\n    out.write('a b')", link)
        assert around(f"with open({path!r}) as lines:\n    r = lines.read()", link)["r"] == "a b"
        assert link.asked > 4


def test_a_mock_of_the_notebooks_is_told_what_its_methods_return() -> None:
    source = """
from unittest.mock import MagicMock
answer = MagicMock()
answer.read.return_value = b"text"
answer.__enter__.return_value = answer
answer.__len__.return_value = 3
with answer as entered:
    r = entered.read(), len(answer), answer.read.call_count
"""
    with notebook() as link:
        assert around(source, link, frozenset({"unittest"}))["r"] == (b"text", 3, 1)


def test_an_object_of_a_librarys_class_is_an_instance_of_it_here_too() -> None:
    more = (
        "import argparse\nparser = argparse.ArgumentParser()\nclass Own(argparse.ArgumentParser): pass\nown = Own()\n"
    )
    source = "r = isinstance(parser, P), isinstance(own, P), isinstance(point, P), type(parser) is P"
    with notebook(more=more) as link:
        names = Namespace(link, {"P": argparse.ArgumentParser}, frozenset(), frozenset())
        exec(compile(source, "<test 0>", "exec"), names)
        assert names["r"] == (True, True, False, False)


@pytest.mark.parametrize("claimed", ["builtins.int", "builtins.type", "numpy.ndarray", "tito.judge.proxy.RemoteType"])
def test_nobody_is_an_instance_of_what_crosses_as_it_is_or_is_ours(claimed: str) -> None:
    module, _, name = claimed.rpartition(".")
    more = f"class Lie:\n    value = 4\nLie.__module__, Lie.__name__ = {module!r}, {name!r}\nlie = Lie()\n"
    with notebook(more=more) as link:
        lie = run("r = lie", link)["r"]
        kind: Any = getattr(sys.modules[module], name)
        assert not isinstance(lie, kind)
        assert lie.value == 4


GENERATORS = {
    "numpy's own": "np.random.default_rng(5)",
    "an older one": "np.random.RandomState(5)",
    "another source of bits": "np.random.Generator(np.random.MT19937(5))",
    "Python's": "random.Random(5)",
}
DRAWS = "def draw(rng, n=3): return [float(rng.random()) if hasattr(rng, 'random') else rng.rand() for _ in range(n)]\n"


@pytest.mark.parametrize("generator", GENERATORS.values(), ids=GENERATORS)
def test_a_generator_of_the_tests_draws_the_same_there_and_goes_on(generator: str) -> None:
    source = f"import random\nrng, same = {generator}, {generator}\nr = draw(rng), draw(rng)\nhere = draw_here(same, 6)"
    with notebook(more=DRAWS) as link:
        here: dict[str, Any] = {}
        exec(DRAWS, here)
        names = Namespace(link, {"np": np, "draw_here": here["draw"]}, frozenset(), frozenset())
        exec(compile(source, "<test 0>", "exec"), names)
        assert [*names["r"][0], *names["r"][1]] == names["here"]


@pytest.mark.parametrize(
    "draws",
    [Draws("Generator", "os", {}), Draws("Random", "", (1, 2)), Draws("RandomState", "", None), Draws("x", "", 0)],
)
def test_what_is_no_generator_is_none(draws: Draws) -> None:
    with pytest.raises(CodecError):
        generator_of(draws)


def test_a_seed_that_is_set_once_more_is_told_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    for _, module, name in SEEDS:
        monkeypatch.setattr(module, name, getattr(module, name))  # what is counted is put back
    count_seeds()
    more = "import random\ndef draw(): return random.random(), np.random.rand()\n"
    source = (
        "import random\nr = []\nfor _ in range(2):\n    random.seed(7)\n    np.random.seed(7)\n    r.append(draw())\n"
    )
    with notebook(more=more) as link:
        first, second, third = run(f"{source}r.append(draw())", link)["r"]
    assert first == second != third


def test_what_a_student_calls_open_is_theirs() -> None:
    with notebook(more="def open(name): return name + ' is open'\n") as link:
        assert around("r = open('the door')", link)["r"] == "the door is open"


MOVES = {
    "nothing": lambda: None,
    "a number": np.random.random,
    "a normal number": np.random.normal,
    "the seed that it had": lambda: np.random.seed(7),
    "another seed": lambda: np.random.seed(8),
    "its state put back": lambda: np.random.set_state(np.random.get_state()),
}


@given(st.lists(st.sampled_from(sorted(MOVES)), max_size=12))
def test_numpys_generator_is_known_to_have_moved_where_its_state_is_another(names: list[str]) -> None:
    np.random.seed(7)
    looking, before = NumpyState(), repr(np.random.get_state(legacy=False))
    last = looking.now()
    for name in names:
        MOVES[name]()
        state, now = repr(np.random.get_state(legacy=False)), looking.now()
        assert (now is last) == (state == before), name
        assert np.random.get_state()[2:] == now[1:]
        before, last = state, now
