"""Tests without a judge line that mock what is around student code: the mocks are the judge's, and count there."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
from remote_bench import Bench, bench_of, notebook_of

from tito.sandbox.bubblewrap import Bubblewrap

SETUP = """
import json
import time
import urllib.request
from unittest import mock
from unittest.mock import MagicMock, patch
from urllib.error import HTTPError, URLError
"""
SOLUTIONS = {
    "fetch": """
def fetch(name):
    with urllib.request.urlopen("http://here/" + name) as answer:
        if answer.status != 200:
            raise ValueError(answer.status)
        answer.used = True
        return json.loads(answer.read())
""",
    "patient": """
def patient(name, tries=3):
    for _ in range(tries):
        try:
            return fetch(name)
        except URLError:
            time.sleep(1)
    return None
""",
    "greet": """
def greet():
    name = input("Name? ")
    print("Hello", name)
""",
    "first_line": """
def first_line(path):
    with open(path) as file:
        return file.readline().strip()
""",
    "rounds": """
import random
def rounds(n):
    return [random.randint(1, 6) for _ in range(n)]
""",
    "total": """
def price(name):
    return {"apple": 2}[name]
def total(names):
    return sum(price(name) for name in names)
""",
    "notify": """
def notify(mailer, people):
    for person in people:
        mailer.send(person, subject="news")
    return len(mailer.queue), "ada" in mailer
""",
    "account": """
class Account:
    def __init__(self):
        self.balance = self.load()
    def load(self):
        return 0
    def report(self):
        return f"{self.balance} at {time.time()}"
""",
}
TESTS = {
    "fetch": """
with patch("urllib.request.urlopen") as urlopen:
    answer = urlopen.return_value.__enter__.return_value
    answer.status = 200
    answer.read.return_value = b'{"a": 1}'
    assert fetch("ada") == {"a": 1}
urlopen.assert_called_once_with("http://here/ada")
assert answer.used is True
### BEGIN HIDDEN TESTS
with mock.patch.object(urllib.request, "urlopen") as other:
    other.return_value.__enter__.return_value.status = 706173
    try:
        fetch("bob")
    except ValueError as error:
        assert error.args == (706173,)
    else:
        assert False
assert other.call_args_list == [mock.call("http://here/bob")]
### END HIDDEN TESTS
""",
    "patient": """
with patch("urllib.request.urlopen", side_effect=URLError("down")) as urlopen, patch("time.sleep") as sleep:
    assert patient("x") is None
    assert urlopen.call_count == 3
    assert sleep.call_count == 3
with patch("time.sleep"), patch("urllib.request.urlopen", side_effect=HTTPError("u", 404, "none", None, None)):
    assert patient("x", 1) is None
""",
    "greet": """
with patch("builtins.input", return_value="Uma"), patch("builtins.print") as shown:
    greet()
shown.assert_called_once_with("Hello", "Uma")
""",
    "first_line": """
with patch("__main__.open", mock.mock_open(read_data="one\\ntwo\\n")) as opened:
    assert first_line("any.txt") == "one"
opened.assert_called_with("any.txt")
### BEGIN HIDDEN TESTS
with open("706173.txt", "w") as file:
    file.write("706173")
assert first_line("706173.txt") == "706173"
### END HIDDEN TESTS
""",
    "rounds": """
@patch("random.randint", side_effect=[1, 2, 3])
def check(randint):
    assert rounds(3) == [1, 2, 3]
    import unittest.case
    randint.assert_called_with(1, 6)
check()
assert len(rounds(4)) == 4, "the notebook has its own again"
""",
    "total": """
with patch("__main__.price", return_value=5) as asked:
    assert total(["apple", "pear"]) == 10
assert asked.call_args_list == [mock.call("apple"), mock.call("pear")]
assert total(["apple"]) == 2
""",
    "notify": """
mailer = MagicMock()
mailer.__len__.return_value = 3
mailer.queue = [1, 2]
mailer.__contains__.return_value = True
assert notify(mailer, ["ada", "bob"]) == (2, True)
assert mailer.send.call_args_list == [mock.call(name, subject="news") for name in ("ada", "bob")]
""",
    "account": """
with patch.object(Account, "load", return_value=7), patch("time.time", return_value=706173):
    assert Account().report() == "7 at 706173"
assert Account().balance == 0
""",
}


NOTEBOOK = partial(notebook_of, SETUP, SOLUTIONS, TESTS)


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with bench_of(Bubblewrap(), NOTEBOOK) as bench:
        yield bench


def test_all_are_judged_apart_and_the_reference_earns_everything(bench: Bench) -> None:
    assert set(bench.plan.tests) == {f"test_{name}" for name in TESTS}
    bench.assert_passes()


HONEST = {
    "imported by name beforehand": ("fetch", """
from urllib import request
def fetch(name):
    answer = request.urlopen(f"http://here/{name}")
    with answer as page:
        page.used = True
        text = page.read().decode()
        if not page.status == 200:
            raise ValueError(page.status)
    return json.loads(text)
"""),
    "another way to sum": ("total", """
def price(name):
    return 2
def total(names):
    result = 0
    for name in names:
        result += price(name)
    return result
"""),
    "another way to read": ("first_line", """
def first_line(path):
    for line in open(path):
        return line.strip()
"""),
}  # fmt: skip


@pytest.mark.parametrize(("name", "source"), HONEST.values(), ids=HONEST)
def test_honest_work_in_another_style_keeps_its_points(bench: Bench, name: str, source: str) -> None:
    bench.assert_passes(**{name: source})


TOUCHES = """
def patient(name, tries=3):
    called = urllib.request.urlopen
    {lines}
    return None
"""
WRONG = {
    "it does not ask": ("patient", "def patient(name, tries=3): return None"),
    "it asks too often": ("patient", TOUCHES.format(lines="""for _ in range(5):
        try: called("x"); time.sleep(1)
        except Exception: pass""")),
    **{
        f"it would have it that it has: {line}": ("patient", TOUCHES.format(lines=f"""
    try: {line}
    except Exception: pass"""))
        for line in (
            "called.call_count = 3", "called.configure_mock(call_count=3)", "called.reset_mock()",
            "called.side_effect = None", "called.__class__.call_count = 3", "called._mock_call_count = 3",
            "called.__dict__['call_count'] = 3", "type(called).call_count = 3",
            "called._ask('__setattr__', ('call_count', 3), {})", "called._ask('__eq__', (3,), {})",
            "called._ask('__call__', (), {'x': 1}); called._ask('__reduce__', (), {})",
            "called.attach_mock(called, 'call_count')", "called.await_count = 3",
            "called.assert_awaited()", "called._ask('__setattr__', (['call_count'], 3), {})",
        )
    },
    "what it calls is not what was put there": ("greet", """
import builtins
def greet():
    builtins.print = lambda *a: None
    builtins.print("Hello", "Uma")
"""),
    "what equals all is handed to it": ("greet", """
class Everything(str):
    def __eq__(self, other): return True
    __hash__ = str.__hash__
def greet():
    print(Everything("a"), Everything("b"))
"""),
    "the notebook's patch does nothing": ("total", """
def price(name): return {"apple": 2}[name]
def total(names, price=price): return 10 if len(names) == 2 else 2
"""),
}  # fmt: skip


@pytest.mark.parametrize(("name", "source"), WRONG.values(), ids=WRONG)
def test_wrong_work_fails_and_costs_nothing_else(bench: Bench, name: str, source: str) -> None:
    bench.assert_loses(name, source)
